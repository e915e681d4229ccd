"""Times of an operator, and how tiers of memory overlap."""

from abc import abstractmethod
from collections.abc import Sequence

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation


class Times(eqx.Module):
    """Time that one operator keeps the arithmetic and the memory busy [s]."""

    compute: Leaf = eqx.field(converter=as_leaf)
    memory: Leaf = eqx.field(converter=as_leaf)


class AbstractTiers(eqx.Module):
    """How traffic to SRAM, to main memory and to a capacity tier overlaps."""

    @abstractmethod
    def memory_time(self, tiers: Sequence[Scalar], relaxation: AbstractRelaxation) -> Scalar:
        """Time of the traffic to all tiers, given that to each [s]."""


class ParallelTiers(AbstractTiers):
    """All at once: the slowest one counts."""

    def memory_time(self, tiers: Sequence[Scalar], relaxation: AbstractRelaxation) -> Scalar:
        """Time of the slowest tier [s]."""
        return relaxation.maximum(*tiers)


class SerialTiers(AbstractTiers):
    """One after the other: all count."""

    def memory_time(self, tiers: Sequence[Scalar], relaxation: AbstractRelaxation) -> Scalar:
        """Sum of the times of all tiers [s]."""
        del relaxation
        return sum(tiers[1:], start=tiers[0])
