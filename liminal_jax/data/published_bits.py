"""Bits of weights as checkpoints are published, of bundled models and of configs."""

from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from liminal_jax._files import InputError, Problem
from liminal_jax.data.files import data_tables
from liminal_jax.data.models import is_config, load_model_config, load_model_spec
from liminal_jax.data.validation import validated
from liminal_jax.laws.precision import mixed_bits
from liminal_jax.workload.counts import expert_small_parameters
from liminal_jax.workload.spec import ModelSpec

PUBLISHED = "published"
"""The word for the widths of the checkpoint itself."""

_UNSTATED = "its config states no quantisation"

_UNQUANTISED = 16.0
"""Bits of a checkpoint that states no quantisation: BF16."""


class PublishedBits(BaseModel):
    """How a checkpoint is published.

    Attributes:
        weight_bits: Bits of a weight that every token uses.
        expert_bits: Bits of a parameter of a routed expert, in the mean of its weights and of its
            biases, which no method quantises.
        table_bits: Bits of a weight of embedding and head.
        kv_bits: Bits of an element of the cache, where the file says so.
        why: What says so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    weight_bits: float = Field(gt=0)
    expert_bits: float = Field(gt=0)
    table_bits: float = Field(gt=0)
    kv_bits: float | None = None
    why: str

    def quantised(self) -> bool:
        """Whether anything is narrower than checkpoints are trained in."""
        return min(self.weight_bits, self.expert_bits, self.table_bits) < _UNQUANTISED


class _Row(PublishedBits):
    models: tuple[str, ...]


class _Rows(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    published: tuple[_Row, ...]


@cache
def _rows() -> dict[str, _Row]:
    tables = data_tables("published_bits.toml")
    rows = validated(_Rows, tables, "published_bits.toml").published
    return {model: row for row in rows for model in row.models}


def published_bits(model: str) -> PublishedBits:
    """The widths of a model's checkpoint.

    Args:
        model: A bundled name, or anything that stands for a config.

    Raises:
        InputError: the config names several widths and does not say whose they are, or a method
            whose width is not known; or the model is a file that says nothing of its checkpoint.

    Examples:
        >>> bits = published_bits("gpt-oss-120b")
        >>> bits.weight_bits, round(bits.expert_bits, 4), bits.table_bits
        (16.0, 4.2541, 16.0)
        >>> published_bits("llama-3-8b").weight_bits
        16.0
    """
    _, found = model_and_bits(model)
    if isinstance(found, PublishedBits):
        return found
    if found:
        raise InputError(model, [Problem("quantization_config", f"{found}; state bits")])
    message = "a model file does not say how its checkpoint is published; state the bits"
    raise InputError(model, [Problem("", message)])


def model_and_bits(model: str) -> tuple[ModelSpec, PublishedBits | str]:
    """A model and the widths of its checkpoint, from one reading of its file.

    Args:
        model: A bundled name, a model file, or anything that stands for a config.

    Returns:
        The model; and the widths, or what its config says of widths that are not known or several.
        A model file says nothing of them.

    Raises:
        InputError: there is no such model, or with every mistake of its file.
    """
    if not is_config(model):
        spec = load_model_spec(model)
        if model in _rows():
            return spec, _with_biases(_rows()[model], spec)
        return spec, "" if model.endswith(".toml") else _whole(_UNSTATED)
    spec, report = load_model_config(model)
    stated = report.published
    if stated is None:
        return spec, _whole(_UNSTATED)
    if len(stated.weights) != 1 or stated.others:
        return spec, stated.sentence()
    (bits,) = stated.weights
    found = PublishedBits(
        weight_bits=_UNQUANTISED if stated.attention_kept else bits,
        expert_bits=bits,
        table_bits=bits if stated.tables else _UNQUANTISED,
        kv_bits=stated.cache,
        why=f"quantization_config: {stated.method}",
    )
    return spec, _with_biases(found, spec)


def _with_biases(found: PublishedBits, spec: ModelSpec) -> PublishedBits:
    """The widths with the biases of routed experts at their own."""
    biases = sum(it.count * expert_small_parameters(spec, it) for it in spec.layers)
    if not biases:
        return found
    experts = sum(
        it.count * float(it.feedforward.counted().expert_weights(spec.hidden))
        for it in spec.layers
        if it.feedforward is not None
    )
    share = biases / experts
    bits = mixed_bits(first=_UNQUANTISED, second=found.expert_bits, share=share)
    return found.model_copy(update={"expert_bits": float(bits)})


def _whole(why: str) -> PublishedBits:
    return PublishedBits(
        weight_bits=_UNQUANTISED, expert_bits=_UNQUANTISED, table_bits=_UNQUANTISED, why=why
    )
