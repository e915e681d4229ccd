"""A language model as its file describes it: whole numbers, checked, counted exactly.

A `ModelSpec` is what a reader makes of a `config.json` and what a model file of the package
holds. It holds no arrays, so that counts are exact integers; `model.Model` is the same
architecture as a pytree of arrays for the predictor.

What may stand for a layer's attention (its mixer, of whatever kind) and for its feed-forward is
found in the folders `mixer` and `feedforward`; the `kind` of each tells them apart.
"""

from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field, model_validator

from liminal_jax.workload import feedforward, mixer
from liminal_jax.workload.feedforward.base import FeedForwardSpec
from liminal_jax.workload.found import concrete_classes
from liminal_jax.workload.mixer.base import MixerSpec
from liminal_jax.workload.record import Count, MaybeNone, Spec

if TYPE_CHECKING:
    AnyMixer = MixerSpec
    AnyFeedForward = FeedForwardSpec
else:
    AnyMixer = Annotated[
        Union[concrete_classes(mixer, MixerSpec)],  # noqa: UP007 - of classes that are found
        Field(discriminator="kind"),
    ]
    AnyFeedForward = Annotated[
        Union[concrete_classes(feedforward, FeedForwardSpec)],  # noqa: UP007
        Field(discriminator="kind"),
    ]


class LayerGroup(Spec):
    """Layers of one kind; their order in the stack does not matter to the model.

    Attributes:
        count: How many such layers the model has.
        attention: The mixer; none where a layer is a feed-forward block alone.
        feedforward: The feed-forward block; none where a layer is a mixer alone.
        norms: Norms of the hidden width in one layer; where left out, one before each part. With
            post-norms, as in Gemma 3, it is 4.
    """

    count: Count
    attention: AnyMixer | None = None
    feedforward: AnyFeedForward | None = None
    norms: MaybeNone | None = None

    @model_validator(mode="after")
    def _some_part(self) -> "LayerGroup":
        if not self.parts():
            raise ValueError("a layer needs attention, feedforward or both")
        return self

    def parts(self) -> int:
        """How many of mixer and feed-forward a layer has."""
        return (self.attention is not None) + (self.feedforward is not None)

    def norm_count(self) -> int:
        """Norms of the hidden width in one layer."""
        return self.parts() if self.norms is None else self.norms


class ModelSpec(Spec):
    """A decoder-only language model.

    Attributes:
        name: Lower case with hyphens.
        source: Where the numbers come from.
        hidden: Width of the residual stream.
        vocabulary: Rows of the embedding and of the head.
        tied: Whether the head is the embedding.
        positions: Rows of a learned position embedding; 0 for none (rotary).
        further_inputs: Elements of further input tables: rows of the embedding that the head lacks,
            as those of images in Llama 3.2 Vision; embeddings for each layer, as in Gemma 4.
        small: Parameters beside the layers that are in no matrix, but for the last norm.
        head_bias: Whether the head has a bias.
        norm_bias: Whether norms have a bias (LayerNorm) beside their weight (RMSNorm).
        stated_context: Tokens of context that its config states; 0 where that is not known.
        streams: Residual streams; where there are several, hyper-connections join them before
            each part of a layer and split them after it.
    """

    name: str
    source: str
    hidden: Count
    vocabulary: Count
    tied: bool = False
    positions: MaybeNone = 0
    further_inputs: MaybeNone = 0
    small: MaybeNone = 0
    head_bias: bool = False
    norm_bias: bool = False
    stated_context: MaybeNone = 0
    streams: Count = 1
    layers: Annotated[tuple[LayerGroup, ...], Field(min_length=1)]

    def norm_vectors(self) -> int:
        """Vectors of the hidden width in one norm: its weight and, where it has one, its bias."""
        return 2 if self.norm_bias else 1
