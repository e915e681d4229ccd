"""What proposes the tokens that a model verifies, and what that takes."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.workload.block import Block
from liminal_jax.workload.model import Model

_LAYERS = quantity("", "layers of the drafter")
_HEAD = quantity("", "share of the head that the drafter reads", most=1.0)


class AbstractDrafter(Shown):
    """What proposes tokens."""

    @abstractmethod
    def proposing(self, model: Model) -> Model:
        """The layers and the head that one pass of it goes through."""

    @abstractmethod
    def stored(self, model: Model) -> Model:
        """What it keeps in memory beside the model."""

    def passes(self, drafts: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Passes, one after the other, that some drafts take: one each, unless proposed at once."""
        del relaxation
        return drafts

    def block(self, drafts: Scalar, relaxation: AbstractRelaxation) -> Block | None:
        """Tokens of one user in one pass; none where it is a single one."""
        del drafts, relaxation
        return None


class AbstractLayersOfModel(AbstractDrafter):
    """A drafter of layers like the model's last ones, with the model's own embedding and head.

    Attributes:
        layers: Layers of one pass.
        head: Share of the vocabulary that its head reads: 32,000 tokens of some 129,000 cost 0.03
            to 0.07 accepted tokens a step in published drafters.
    """

    layers: eqx.AbstractVar[Leaf]
    head: eqx.AbstractVar[Leaf]

    @override
    def proposing(self, model: Model) -> Model:
        tables = model.tables
        if tables is not None:
            tables = dataclasses.replace(tables, vocabulary=self.head * tables.vocabulary)
        last = dataclasses.replace(model.layers[-1], count=self.layers)
        return dataclasses.replace(model, layers=(last,), tables=tables)

    @override
    def stored(self, model: Model) -> Model:
        return dataclasses.replace(self.proposing(model), tables=None)


class RecurrentHead(AbstractLayersOfModel):
    """Passed once for each draft, as in multi-token prediction and EAGLE.

    Gloeckle et al. (2024), arXiv:2404.19737; DeepSeek-AI (2024), DeepSeek-V3, arXiv:2412.19437,
    section 2.2; Li et al. (2024), EAGLE, arXiv:2401.15077.
    """

    layers: Leaf = eqx.field(converter=as_leaf, default=1, metadata=_LAYERS)
    head: Leaf = eqx.field(converter=as_leaf, default=1, metadata=_HEAD)


class BlockDrafter(AbstractLayersOfModel):
    """Proposes all drafts in one pass, as DFlash and DSpark do.

    vLLM (2026), adaptive verification of DSpark: a pass takes 0.9 ms where verification takes 5.1
    to 11.3 ms.
    """

    layers: Leaf = eqx.field(converter=as_leaf, default=1, metadata=_LAYERS)
    head: Leaf = eqx.field(converter=as_leaf, default=1, metadata=_HEAD)

    @override
    def passes(self, drafts: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return relaxation.share(drafts)

    @override
    def block(self, drafts: Scalar, relaxation: AbstractRelaxation) -> Block | None:
        return Block(relaxation.maximum(drafts, 1.0))


class SmallModel(AbstractDrafter):
    """A model of its own, passed once for each draft, with a cache of its own.

    Leviathan et al. (2023), arXiv:2211.17192.

    Attributes:
        model: The model; it shares the vocabulary of the one that verifies.
    """

    model: Model

    @override
    def proposing(self, model: Model) -> Model:
        del model
        return self.model

    @override
    def stored(self, model: Model) -> Model:
        del model
        return self.model


DRAFTERS: dict[str, Callable[[], AbstractDrafter]] = {
    "recurrent-head": RecurrentHead,
    "block": BlockDrafter,
}
"""Drafters that have no model of their own, by the names that files have for them."""
