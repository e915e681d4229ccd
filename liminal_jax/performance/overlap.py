"""What runs at the same time: arithmetic with memory traffic, and tiers of memory."""

from abc import abstractmethod
from collections.abc import Sequence

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.execution import Execution
from liminal_jax.laws.overlap import operator_time, overlapped_time


class Times(eqx.Module):
    """Time that one operator keeps the arithmetic and the memory busy [s]."""

    compute: Leaf = eqx.field(converter=as_leaf)
    memory: Leaf = eqx.field(converter=as_leaf)


def busy_time(
    operators: Sequence[Times], execution: Execution, relaxation: AbstractRelaxation
) -> Scalar:
    """Time until all operators are done [s].

    Never below that of perfect overlap over the whole step, max(T_compute, T_mem), and never above
    that of no overlap at all, T_compute + T_mem.
    """
    separate = [
        operator_time(
            longer=relaxation.maximum(times.compute, times.memory),
            shorter=relaxation.minimum(times.compute, times.memory),
            overlap=execution.overlap_within_operators,
        )
        for times in operators
    ]
    whole = relaxation.maximum(
        sum(times.compute for times in operators), sum(times.memory for times in operators)
    )
    return overlapped_time(
        whole=whole, separate=sum(separate), overlap=execution.overlap_between_operators
    )


class AbstractTiers(eqx.Module):
    """How traffic to SRAM, to main memory and to a capacity tier overlaps."""

    @abstractmethod
    def memory_time(self, tiers: Sequence[Scalar], relaxation: AbstractRelaxation) -> Scalar:
        """Time of all, given the time of each [s]."""


class ParallelTiers(AbstractTiers):
    """All at once: the slowest one counts."""

    def memory_time(self, tiers: Sequence[Scalar], relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractTiers`."""
        return relaxation.maximum(*tiers)


class SerialTiers(AbstractTiers):
    """One after the other: all count."""

    def memory_time(self, tiers: Sequence[Scalar], relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractTiers`."""
        del relaxation
        return sum(tiers[1:], start=tiers[0])
