"""The reader of Hugging Face configs: exact for the families it knows, and refuses the rest."""

from liminal_jax.workload.huggingface.reader import read_config
from liminal_jax.workload.reading.report import ReadReport, Row, Use

__all__ = ["ReadReport", "Row", "Use", "read_config"]
