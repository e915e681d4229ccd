"""How far the use of a chip falls short of its peaks, and what it keeps free."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax.laws.package import mesh_sum_time


class Execution(Shown):
    """How much of a chip software uses; by default all of it, which is LIMINAL's bound.

    A calibration replaces these by fitted losses.

    Attributes:
        compute_share: Share of the peak rates of arithmetic that is sustained. It lengthens time;
            the energy of an operation stays what it is.
        bandwidth_share: Share of the peak bandwidth of main memory and SRAM that is sustained.
        overlap_between_operators: Share of a step in which the arithmetic of one operator passes
            during the traffic of others: 1 over the whole step, 0 within operators only.
        overlap_within_operators: Share of the shorter of an operator's arithmetic and traffic that
            is hidden behind the longer, where operators do not overlap: 0 is one after the other.
        operation_time: Time from the end of an operator to the start of one that depends on it [s].
        mesh_side: Cores of a row of a mesh, such as a wafer's, along which each operator sums and
            tells the sum; 0 where there is none.
        mesh_hop: Time from a core of the mesh to its neighbour [s].
        mixer_operations: Operators of a mixer that each depend on the one before.
        dense_operations: The same of a dense feed-forward block.
        mixture_operations: The same of a mixture of experts.
        head_operations: The same of embedding and head together.
        memory_reserve: Share of main memory that is kept free of weights and caches.
    """

    compute_share: Leaf = eqx.field(
        converter=as_leaf,
        default=1,
        metadata=quantity("", "sustained share of arithmetic", most=1.0),
    )
    bandwidth_share: Leaf = eqx.field(
        converter=as_leaf,
        default=1,
        metadata=quantity("", "sustained share of memory bandwidth", most=1.0),
    )
    overlap_between_operators: Leaf = eqx.field(
        converter=as_leaf,
        default=1,
        metadata=quantity("", "overlap between operators", least=0.0, most=1.0),
    )
    overlap_within_operators: Leaf = eqx.field(
        converter=as_leaf,
        default=1,
        metadata=quantity("", "overlap within operators", least=0.0, most=1.0),
    )
    operation_time: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("s", "time of a dependent operation", least=0.0),
    )
    mesh_side: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "cores of a row of a mesh", least=0.0),
    )
    mesh_hop: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("s", "time of a hop in a mesh", least=0.0),
    )
    mixer_operations: Leaf = eqx.field(
        converter=as_leaf,
        default=4,
        metadata=quantity("", "dependent operations of a mixer", least=0.0),
    )
    dense_operations: Leaf = eqx.field(
        converter=as_leaf,
        default=2,
        metadata=quantity("", "dependent operations of a dense block", least=0.0),
    )
    mixture_operations: Leaf = eqx.field(
        converter=as_leaf,
        default=5,
        metadata=quantity("", "dependent operations of a mixture", least=0.0),
    )
    head_operations: Leaf = eqx.field(
        converter=as_leaf,
        default=1,
        metadata=quantity("", "dependent operations of the head", least=0.0),
    )
    memory_reserve: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "share of memory kept free", least=0.0, most=1.0),
    )

    def dependency_time(self) -> Scalar:
        """Time from the end of an operator to the start of one that depends on it [s]."""
        return self.operation_time + mesh_sum_time(side=self.mesh_side, hop=self.mesh_hop)
