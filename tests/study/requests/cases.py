"""Small studies of traces."""

from pathlib import Path
from typing import Any

import tomli_w

from liminal_jax.study.questions import load_question
from liminal_jax.study.requests.file import RequestsFile
from liminal_jax.study.requests.problem import RequestsProblem, requests_of

TRACE = "isl,osl,count\n200,100,4\n900,150,3\n2000,60,2\n6000,400,1\n"

TABLES: dict[str, Any] = {
    "name": "small",
    "trace": {"file": "trace.csv", "classes": 4},
    "workload": {"model": "qwen3-8b"},
    "objective": {"minimise": "usd_per_million_tokens"},
    "constraints": [],
    "design": {
        "system": {"choices": ["h100", "h200"]},
        "tp": {"choices": [1, 2, 4]},
        "batch": {"choices": [1, 4, 16, 64]},
    },
}


def written(folder: Path, changes: dict[str, Any] | None = None, trace: str = TRACE) -> Path:
    """The file of a small study, beside that of its trace."""
    (folder / "trace.csv").write_text(trace)
    path = folder / "study.toml"
    path.write_text(tomli_w.dumps({**TABLES, **(changes or {})}))
    return path


def read(folder: Path, changes: dict[str, Any] | None = None, trace: str = TRACE) -> RequestsFile:
    """The same, read."""
    file = load_question(str(written(folder, changes, trace)))
    assert isinstance(file, RequestsFile)
    return file


def problem(
    folder: Path, changes: dict[str, Any] | None = None, trace: str = TRACE
) -> RequestsProblem:
    """The same as a problem."""
    return requests_of(read(folder, changes, trace))
