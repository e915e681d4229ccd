"""Networks between chips: how long a collective takes on each topology."""

import dataclasses
from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._once import once
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.hardware.fabric import (
    BEYOND,
    LEAST_LINKS,
    AbstractFabric,
    AsPriced,
    Equipment,
    Joined,
)
from liminal_jax.hardware.kernels import NONE, Kernels
from liminal_jax.laws.collective import (
    all_to_all_time,
    in_network_all_reduce_time,
    logarithmic_latency,
    one_shot_all_reduce_time,
    torus_diameter,
    two_shot_all_reduce_time,
)

LEAST_GROUP = 1.0
"""Fewer chips make no group: mappings that ask for them break a limit, and their time stays that of
one chip rather than a negative one."""

_DOMAIN = quantity("", "scale-up domain", whole=True)
_BANDWIDTH = quantity("B/s", "scale-up bandwidth of a chip")
_EFFICIENCY = quantity("", "share of link bandwidth reached", most=1.0)
_LATENCY = quantity("s", "latency of a collective", least=0.0)


class ScaleOut(Shown):
    """The network that joins scale-up domains.

    Attributes:
        bandwidth: One direction, per chip [B/s].
        latency: Latency of one collective across domains [s].
    """

    bandwidth: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("B/s", "scale-out bandwidth of a chip")
    )
    latency: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "scale-out latency", least=0.0)
    )


class AbstractNetwork(Shown):
    """A network: the time of each collective among a number of chips.

    Attributes:
        kernels: What a library's kernels take besides the network; nothing, ideally.
    """

    kernels: eqx.AbstractVar[Kernels]

    def driven(self, kernels: Kernels) -> "AbstractNetwork":
        """The same network, driven by some kernels."""
        return dataclasses.replace(self, kernels=kernels)

    @abstractmethod
    def all_reduce_time(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Time to sum `message` bytes over chips; none for a single chip [s]."""

    @abstractmethod
    def all_to_all_time(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Time in which each chip distributes `message` bytes; none for a single chip [s]."""

    @abstractmethod
    def send_time(self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Time to pass `message` bytes on to a neighbour in an instance of some chips [s]."""

    @abstractmethod
    def equipment(self, chips: Scalar, relaxation: AbstractRelaxation) -> Equipment:
        """What must be bought for each chip of an instance of some chips."""


class AbstractPhysical(AbstractNetwork):
    """A network with bandwidth and latency inside a scale-up domain, and a scale-out beyond it.

    A group larger than the domain reduces within each domain first, then across; an all-to-all
    sends what leaves the domain over the scale-out network.

    Attributes:
        domain: Chips that the scale-up network joins.
        bandwidth: One direction, per chip [B/s].
        efficiency: Share of the bandwidth that large messages reach.
        latency: Latency of one collective, or of one hop: see each topology [s].
        scale_out: What joins the domains.
        fabric: What the size of the domain adds.
    """

    domain: eqx.AbstractVar[Leaf]
    bandwidth: eqx.AbstractVar[Leaf]
    efficiency: eqx.AbstractVar[Leaf]
    latency: eqx.AbstractVar[Leaf]
    scale_out: eqx.AbstractVar[ScaleOut]
    fabric: eqx.AbstractVar[AbstractFabric]

    @abstractmethod
    def reached_bandwidth(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Bandwidth of one chip to a group within the domain [B/s]."""

    @abstractmethod
    def group_latency(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Latency of one collective in a group within the domain [s]."""

    @abstractmethod
    def neighbour_bandwidth(self) -> Scalar:
        """Bandwidth of one chip to a single other one [B/s]."""

    @abstractmethod
    def link_load(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Links that a byte of an all-to-all passes on its way."""

    def summed_within(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Time to sum `message` bytes in a group within the domain: in one shot or two [s]."""
        group = {
            "message": message,
            "chips": chips,
            "bandwidth": self.reached_bandwidth(chips, relaxation),
            "latency": self.group_latency(chips, relaxation),
        }
        return relaxation.minimum(
            self.kernels.one_shot + one_shot_all_reduce_time(**group),
            self.kernels.two_shot + two_shot_all_reduce_time(**group),
        )

    @once
    def all_reduce_time(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Within the domain, then two shots across domains."""
        chips = jnp.maximum(chips, LEAST_GROUP)
        inner = relaxation.fewest(chips, self.domain)
        within = self.summed_within(message, inner, relaxation)
        across = two_shot_all_reduce_time(
            message=message / inner,
            chips=chips / inner,
            bandwidth=self.scale_out.bandwidth,
            latency=self._latency_across(chips, relaxation),
        )
        return (
            relaxation.exceeds(chips, 1.0) * within
            + relaxation.exceeds(chips, self.domain) * across
        )

    @once
    def all_to_all_time(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Within the domain, and what leaves it over the scale-out network."""
        chips = jnp.maximum(chips, LEAST_GROUP)
        inner = relaxation.fewest(chips, self.domain)
        within = self.kernels.all_to_all + all_to_all_time(
            message=message * (inner / chips) * self.link_load(inner, relaxation),
            chips=inner,
            bandwidth=self.reached_bandwidth(inner, relaxation),
            latency=self.group_latency(inner, relaxation),
        )
        across = all_to_all_time(
            message=message,
            chips=chips / inner,
            bandwidth=self.scale_out.bandwidth,
            latency=self._latency_across(chips, relaxation),
        )
        return (
            relaxation.exceeds(chips, 1.0) * within
            + relaxation.exceeds(chips, self.domain) * across
        )

    def send_time(self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Over the scale-up network, or the scale-out one where the instance leaves its domain."""
        crosses = relaxation.exceeds(chips, self.domain)
        near = self.latency + message / (self.neighbour_bandwidth() * self.efficiency)
        far = self._latency_across(chips, relaxation) + message / self.scale_out.bandwidth
        return self.kernels.send + (1 - crosses) * near + crosses * far

    def crossing_time(self, message: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Time in which a chip passes `message` bytes on to a chip of another domain [s]."""
        return self.send_time(message, BEYOND * self.domain, relaxation)

    def joined(self) -> "AbstractPhysical":
        """The network where each instance sends to others, so that it buys its scale-out."""
        return dataclasses.replace(self, fabric=Joined(self.fabric))

    def _latency_across(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Latency of one collective across domains [s]."""
        return self.fabric.latency_across(self.latency, self.scale_out.latency, chips, relaxation)

    def _scale_out(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Scale-out bandwidth that must be bought [B/s]."""
        return self.fabric.scale_out(self.scale_out.bandwidth, chips, self.domain, relaxation)


class Switched(AbstractPhysical):
    """Every chip reaches every other through switches; latency is per collective.

    Attributes:
        in_network: Share of the sums within the domain that the switches take; chips take all of
            them where it is left out.
    """

    domain: Leaf = eqx.field(converter=as_leaf, metadata=_DOMAIN)
    bandwidth: Leaf = eqx.field(converter=as_leaf, metadata=_BANDWIDTH)
    efficiency: Leaf = eqx.field(converter=as_leaf, metadata=_EFFICIENCY)
    latency: Leaf = eqx.field(converter=as_leaf, metadata=_LATENCY)
    scale_out: ScaleOut
    fabric: AbstractFabric = eqx.field(default_factory=AsPriced)
    kernels: Kernels = eqx.field(static=True, default=NONE)
    in_network: Leaf | None = eqx.field(
        converter=optional_leaf,
        default=None,
        metadata=quantity("", "share of sums taken by switches", least=0.0, most=1.0),
    )

    @override
    def summed_within(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        by_chips = super().summed_within(message, chips, relaxation)
        if self.in_network is None:
            return by_chips
        by_switches = self.kernels.one_shot + in_network_all_reduce_time(
            message=message,
            bandwidth=self.reached_bandwidth(chips, relaxation),
            latency=self.group_latency(chips, relaxation),
        )
        return (1 - self.in_network) * by_chips + self.in_network * by_switches

    @override
    def reached_bandwidth(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del chips, relaxation
        return self.bandwidth * self.efficiency

    def group_latency(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """That of one tier, and what further tiers add."""
        return self.latency + self.fabric.latency(chips, self.domain, relaxation)

    def neighbour_bandwidth(self) -> Scalar:
        """All of it: switches join any two chips."""
        return self.bandwidth

    def equipment(self, chips: Scalar, relaxation: AbstractRelaxation) -> Equipment:
        """All bandwidth passes through switches."""
        ported = self.bandwidth * self.fabric.ports(self.domain, relaxation)
        return Equipment(
            links=ported,
            switches=ported,
            optics=self.fabric.switched_optics(self.bandwidth, self.domain, relaxation),
            scale_out=self._scale_out(chips, relaxation),
        )

    def link_load(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """One: each byte leaves its chip once."""
        del chips, relaxation
        return 1.0


class FullMesh(AbstractPhysical):
    """Each chip has a link to each other one of the domain; latency is per collective.

    A group uses only the links among its members.
    """

    domain: Leaf = eqx.field(converter=as_leaf, metadata=_DOMAIN)
    bandwidth: Leaf = eqx.field(converter=as_leaf, metadata=_BANDWIDTH)
    efficiency: Leaf = eqx.field(converter=as_leaf, metadata=_EFFICIENCY)
    latency: Leaf = eqx.field(converter=as_leaf, metadata=_LATENCY)
    scale_out: ScaleOut
    fabric: AbstractFabric = eqx.field(default_factory=AsPriced)
    kernels: Kernels = eqx.field(static=True, default=NONE)

    @override
    def reached_bandwidth(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        links, all_links = (relaxation.maximum(it - 1, LEAST_LINKS) for it in (chips, self.domain))
        return self.bandwidth * self.efficiency * links / all_links

    @override
    def group_latency(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del chips, relaxation
        return self.latency

    def neighbour_bandwidth(self) -> Scalar:
        """One link of those to all others."""
        return self.bandwidth / jnp.maximum(self.domain - 1, LEAST_LINKS)

    def equipment(self, chips: Scalar, relaxation: AbstractRelaxation) -> Equipment:
        """Links, and no switches."""
        return Equipment(
            links=self.bandwidth,
            switches=0.0,
            optics=self.fabric.mesh_optics(self.bandwidth, self.domain, relaxation),
            scale_out=self._scale_out(chips, relaxation),
        )

    def link_load(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """One: each byte leaves its chip once."""
        del chips, relaxation
        return 1.0


class Torus(AbstractPhysical):
    """Each chip has links to its neighbours in a torus of equal sides; latency is per hop."""

    domain: Leaf = eqx.field(converter=as_leaf, metadata=_DOMAIN)
    bandwidth: Leaf = eqx.field(converter=as_leaf, metadata=_BANDWIDTH)
    efficiency: Leaf = eqx.field(converter=as_leaf, metadata=_EFFICIENCY)
    latency: Leaf = eqx.field(converter=as_leaf, metadata=_LATENCY)
    dimensions: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "dimensions of the torus")
    )
    scale_out: ScaleOut
    fabric: AbstractFabric = eqx.field(default_factory=AsPriced)
    kernels: Kernels = eqx.field(static=True, default=NONE)

    @override
    def reached_bandwidth(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del chips, relaxation
        return self.bandwidth * self.efficiency

    def group_latency(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """A message crosses the diameter hop by hop."""
        del relaxation
        return self.latency * torus_diameter(chips=chips, dimensions=self.dimensions)

    def neighbour_bandwidth(self) -> Scalar:
        """One link of two in each dimension."""
        return self.bandwidth / (2 * self.dimensions)

    def equipment(self, chips: Scalar, relaxation: AbstractRelaxation) -> Equipment:
        """Links, and no switches."""
        return Equipment(
            links=self.bandwidth,
            switches=0.0,
            optics=self.fabric.torus_optics(
                self.bandwidth, self.domain, self.dimensions, relaxation
            ),
            scale_out=self._scale_out(chips, relaxation),
        )

    def link_load(self, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Half the diameter on average, one at least."""
        return relaxation.maximum(
            1.0, 0.5 * torus_diameter(chips=chips, dimensions=self.dimensions)
        )


class FittedLatency(AbstractNetwork):
    """The network of the talk's chips: a latency per collective, whatever its message.

    Attributes:
        latency_at_8: Among 8 chips [s].
        latency_at_128: Among 128 chips [s].
        floor: Least latency [s].
    """

    latency_at_8: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "latency among 8 chips")
    )
    latency_at_128: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "latency among 128 chips")
    )
    floor: Leaf = eqx.field(converter=as_leaf, metadata=quantity("s", "least latency", least=0.0))
    kernels: Kernels = eqx.field(static=True, default=NONE)

    def _latency(self, launch: float, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Launch and latency of one collective; none for a single chip [s]."""
        line = logarithmic_latency(
            chips=chips, latency_at_8=self.latency_at_8, latency_at_128=self.latency_at_128
        )
        return relaxation.exceeds(chips, 1.0) * (launch + relaxation.maximum(line, self.floor))

    @override
    def all_reduce_time(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        del message
        return self._latency(self.kernels.one_shot, chips, relaxation)

    @override
    def all_to_all_time(
        self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        del message
        return self._latency(self.kernels.all_to_all, chips, relaxation)

    def send_time(self, message: Scalar, chips: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """The latency of a collective: no other is published."""
        del message
        return self._latency(self.kernels.send, chips, relaxation)

    def equipment(self, chips: Scalar, relaxation: AbstractRelaxation) -> Equipment:
        """None: no bandwidth is published, so none is charged."""
        del chips, relaxation
        return Equipment(links=0.0, switches=0.0, optics=0.0, scale_out=0.0)
