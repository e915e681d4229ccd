"""What runs at the same time: two choices, each a class."""

from abc import abstractmethod
from collections.abc import Sequence

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._smooth import AbstractRelaxation


class Times(eqx.Module):
    """Time that one operator keeps the arithmetic and the memory busy [s]."""

    compute: Leaf = eqx.field(converter=as_leaf)
    memory: Leaf = eqx.field(converter=as_leaf)


class AbstractOverlap(eqx.Module):
    """How arithmetic and memory traffic overlap."""

    @abstractmethod
    def busy_time(self, operators: Sequence[Times], relaxation: AbstractRelaxation) -> Scalar:
        """Time until all operators are done [s]."""


class WholeStep(AbstractOverlap):
    """LIMINAL's: over the whole step, perfectly; T = max(T_compute, T_mem)."""

    def busy_time(self, operators: Sequence[Times], relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractOverlap`."""
        compute = sum(times.compute for times in operators)
        memory = sum(times.memory for times in operators)
        return relaxation.maximum(compute, memory)


class PerOperator(AbstractOverlap):
    """Within each operator only: nothing is fetched ahead. Never below the whole step's."""

    def busy_time(self, operators: Sequence[Times], relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractOverlap`."""
        return sum(relaxation.maximum(times.compute, times.memory) for times in operators)


class AbstractTiers(eqx.Module):
    """How traffic to SRAM and to main memory overlaps."""

    @abstractmethod
    def memory_time(self, sram: Scalar, main: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Time of both, given the time of each [s]."""


class ParallelTiers(AbstractTiers):
    """Both at once: the slower one counts."""

    def memory_time(self, sram: Scalar, main: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractTiers`."""
        return relaxation.maximum(sram, main)


class SerialTiers(AbstractTiers):
    """One after the other: both count."""

    def memory_time(self, sram: Scalar, main: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """See `AbstractTiers`."""
        del relaxation
        return sram + main
