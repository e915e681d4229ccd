"""How evenly layers and experts divide over stages and ranks: two choices, each a class."""

from abc import abstractmethod

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation


class AbstractDivision(eqx.Module):
    """How a number of parts is shared out."""

    @abstractmethod
    def largest_share(self, parts: Scalar, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Parts of the rank that has most of them."""


class WholeParts(AbstractDivision):
    """A layer and an expert are never split: the largest share is rounded up."""

    @override
    def largest_share(self, parts: Scalar, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return relaxation.ceil(parts / ranks)


class EvenParts(AbstractDivision):
    """Ideal: every rank has the same, as the talk's accounting takes it."""

    @override
    def largest_share(self, parts: Scalar, ranks: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del relaxation
        return parts / ranks
