"""Cross-attention to images, in the layers that the text model of Llama 3.2 Vision has for it.

Llama Team (2024), The Llama 3 Herd of Models, arXiv:2407.21783, section 7.
"""

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax.laws.parameters import grouped_query_weights
from liminal_jax.workload.counted import spec_of
from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.mixer.grouped_query import (
    derived_head_dim,
    grouped_query,
    null_means_own_heads,
)
from liminal_jax.workload.mixer.recurrent import AbstractRecurrent, RecurrentSpec
from liminal_jax.workload.reading.family import Family, Wrapper
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import (
    Table,
    activation,
    hidden,
    layer_count,
    model,
    stack,
)


class Cross(AbstractRecurrent):
    """Attention of text to images; without an image there is nothing to attend to.

    Attributes:
        heads: Query heads.
        kv_heads: Key/value heads.
        head_dim: Width of a head.
    """

    heads: Leaf = eqx.field(converter=as_leaf)
    kv_heads: Leaf = eqx.field(converter=as_leaf)
    head_dim: Leaf = eqx.field(converter=as_leaf)

    @override
    def weights(self, hidden: Scalar) -> Scalar:
        return grouped_query_weights(
            hidden=hidden, heads=self.heads, kv_heads=self.kv_heads, head_dim=self.head_dim
        )

    @override
    def update_work(self) -> Scalar:
        return 0.0

    @override
    def state(self) -> Scalar:
        return 0.0

    @override
    def basis(self) -> tuple[str, ...]:
        return (
            "Layers of cross-attention are read and multiplied with; keys and values of images,"
            " which text adds nothing to, are not counted.",
        )


class CrossAttention(spec_of(RecurrentSpec, Cross, kind="cross-attention")):
    """Attention of text to images, with norms on heads and a gate on each part of the layer."""

    @override
    def small_parameters(self, hidden: int, norm_vectors: int) -> int:
        """Norms of a query's and a key's head; one gate on attention, one on the feed-forward."""
        del hidden
        return 2 * self.head_dim * norm_vectors + 2

    @override
    def label(self) -> str:
        return "cross"

    @override
    def words(self) -> str:
        return f"{self.label()}, {self.heads}/{self.kv_heads} heads of {self.head_dim}"


_IMAGE_ROWS = 8
"""Rows of the embedding that the head lacks: MllamaTextModel of transformers 5.24."""


def mllama(fields: Fields) -> Table:
    """Llama 3.2 Vision: the layers of Llama 3, and between them some of cross-attention."""
    activation(fields)
    attention = grouped_query(
        fields, head_dim=derived_head_dim(fields), kv_heads=null_means_own_heads(fields)
    )
    across = {**attention, "kind": "cross-attention"}
    layers = layer_count(fields)
    named = fields.indices("cross_attention_layers", note="cross-attention", below=layers)
    if named is None and fields.sound("cross_attention_layers"):
        fields.refuse("cross_attention_layers", "is required")
    mixers = [across if layer in (named or ()) else attention for layer in range(layers)]
    table = model(fields, stack(mixers, [dense(fields)] * layers))
    return {**table, "further_inputs": _IMAGE_ROWS * hidden(fields)}


FAMILIES = {"mllama_text_model": Family(mllama, "MllamaForCausalLM", also=("MllamaTextModel",))}

WRAPPERS = {"mllama": Wrapper("MllamaForConditionalGeneration", ("mllama_text_model",))}
