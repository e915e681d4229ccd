"""Links between the dies of one package."""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.collective import one_shot_all_reduce_time, two_shot_all_reduce_time
from liminal_jax.laws.package import die_exchange_bytes


def joined(dies: Scalar) -> Scalar:
    """1 where a die has another to be joined to, 0 where it is alone; a line between."""
    return jnp.minimum(dies - 1, 1)


class DieLinks(Shown):
    """Links between the dies of a package, which share every layer as tensor-parallel ranks do.

    Attributes:
        bandwidth: Of one die to all others, one direction [B/s].
        latency: From one die to another [s].
        energy: Energy of a byte, both ends [J/B].
        area: Area of a die's links for their bandwidth [m^2/(B/s)].
        shoreline: Edge of a die that they take for their bandwidth [m/(B/s)].
    """

    bandwidth: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B/s", "link bandwidth of a die")
    )
    latency: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "latency between dies", least=0.0)
    )
    energy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("J/B", "energy of a link between dies", least=0.0)
    )
    area: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("m2*s/B", "interface area of links between dies", least=0.0),
    )
    shoreline: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("m*s/B", "edge of links between dies", least=0.0)
    )

    def all_reduce_time(
        self, message: Scalar, dies: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Time to sum `message` bytes over the dies, by the quicker of one and two shots [s]."""
        dies = jnp.maximum(dies, 1)
        group = {
            "message": message,
            "chips": dies,
            "bandwidth": self.bandwidth,
            "latency": self.latency,
        }
        quicker = relaxation.minimum(
            one_shot_all_reduce_time(**group), two_shot_all_reduce_time(**group)
        )
        return joined(dies) * quicker

    def all_reduce_energy(self, message: Scalar, dies: Scalar) -> Scalar:
        """Energy to sum `message` bytes over the dies, of all of them together [J]."""
        return self.energy * die_exchange_bytes(message=message, dies=dies)

    def die_area(self, dies: Scalar) -> Scalar:
        """Area of the links of one die [m^2]."""
        return joined(dies) * self.bandwidth * self.area

    def die_edge(self, dies: Scalar) -> Scalar:
        """Edge that the links of one die take [m]."""
        return joined(dies) * self.bandwidth * self.shoreline
