"""The summary of a model, from its classes."""

from liminal_jax.workload.counts import counts
from liminal_jax.workload.feedforward.base import FeedForwardSpec
from liminal_jax.workload.mixer.base import MixerSpec
from liminal_jax.workload.spec import ModelSpec
from liminal_jax.workload.summary import LayerSummary, PartSummary, Summary


def summarised(spec: ModelSpec) -> Summary:
    """The summary of a model."""
    return Summary(
        name=spec.name,
        source=spec.source,
        hidden=spec.hidden,
        streams=spec.streams,
        vocabulary=spec.vocabulary,
        tied=spec.tied,
        layers=tuple(
            LayerSummary(group.count, _part(group.attention), _part(group.feedforward))
            for group in spec.layers
        ),
        counts=counts(spec),
    )


def _part(part: MixerSpec | FeedForwardSpec | None) -> PartSummary | None:
    return None if part is None else PartSummary(part.label(), part.words())
