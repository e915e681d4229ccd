"""Which tokens of the context a layer keeps."""

from abc import abstractmethod

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation


class AbstractScope(Shown):
    """Which tokens of the context a layer keeps."""

    @abstractmethod
    def kept(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Tokens kept, out of a context."""

    @abstractmethod
    def basis(self) -> tuple[str, ...]:
        """What a prediction with this scope rests on, in sentences."""


class FullScope(AbstractScope):
    """Every token is kept."""

    @override
    def kept(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del relaxation
        return context

    @override
    def basis(self) -> tuple[str, ...]:
        return ()


class WindowScope(AbstractScope):
    """At most `window` tokens are kept: a sliding window, or a chunk at its fullest."""

    window: Leaf = eqx.field(converter=as_leaf)

    @override
    def kept(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return relaxation.minimum(context, self.window)

    @override
    def basis(self) -> tuple[str, ...]:
        return ("Windows and chunks hold at most their width; a chunk counts as full.",)
