"""The size of a network: tiers of switches, reach of copper, tables of reach, and what they add."""

from abc import abstractmethod
from collections.abc import Iterable

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._once import once
from liminal_jax._quantity import quantity
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.laws.collective import reach_latency
from liminal_jax.laws.fabric import (
    joined_chips,
    leaf_chips,
    mesh_share_beyond,
    switch_ports,
    torus_share_beyond,
)

MOST_TIERS = 3
"""Tiers that are counted; of switches with 72 ports they join 93,312 chips."""

LEAST_LINKS = 0.5
"""A group of one, and a domain of one, have no links and send nothing over them; half a link keeps
quotients finite."""

ENDS = 2
"""Transceivers of a link to or between switches. Of a link between chips each pays its own."""


class Equipment(eqx.Module):
    """The network of one chip, by the bandwidth that passes through each part.

    Attributes:
        links: Links in copper and ports of switches, each port counted [B/s].
        switches: Ports of switches that draw power [B/s].
        optics: Optical transceivers, each end counted [B/s].
        scale_out: Network beyond the domain [B/s].
    """

    links: Leaf = eqx.field(converter=as_leaf)
    switches: Leaf = eqx.field(converter=as_leaf)
    optics: Leaf = eqx.field(converter=as_leaf)
    scale_out: Leaf = eqx.field(converter=as_leaf)


def _leaves(values: Iterable[Scalar]) -> tuple[Leaf, ...]:
    return tuple(as_leaf(it) for it in values)


class AbstractFabric(eqx.Module):
    """The cost of a large domain in a network; bandwidths are those of one chip, one direction."""

    @abstractmethod
    def ports(self, domain: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Switch ports for each port of a chip."""

    @abstractmethod
    def latency(self, group: Scalar, domain: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """Latency that the tiers above the first add to a collective of a group [s]."""

    @abstractmethod
    def latency_across(
        self, near: Scalar, far: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Latency of one collective across domains [s].

        Args:
            near: Latency of the first tier [s].
            far: Latency of the scale-out network [s].
            chips: Chips of all domains together.
            relaxation: How non-smooth functions are evaluated.
        """

    @abstractmethod
    def switched_optics(
        self, bandwidth: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Bandwidth through transceivers where switches join the domain [B/s]."""

    @abstractmethod
    def mesh_optics(
        self, bandwidth: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Bandwidth through transceivers where each chip has a link to each other one [B/s]."""

    @abstractmethod
    def torus_optics(
        self,
        bandwidth: Scalar,
        domain: Scalar,
        dimensions: Scalar,
        relaxation: AbstractRelaxation,
    ) -> Scalar:
        """Bandwidth through transceivers in a torus [B/s]."""

    @abstractmethod
    def scale_out(
        self, bandwidth: Scalar, chips: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """Scale-out bandwidth that an instance of some chips has to buy [B/s]."""


class AbstractAsPriced(AbstractFabric):
    """Price and power are stated for the domain as it is, as of a product: size adds nothing."""

    def ports(self, domain: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """One."""
        del domain, relaxation
        return 1.0

    @override
    def switched_optics(
        self, bandwidth: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        del bandwidth, domain, relaxation
        return 0.0

    @override
    def mesh_optics(
        self, bandwidth: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        del bandwidth, domain, relaxation
        return 0.0

    @override
    def torus_optics(
        self,
        bandwidth: Scalar,
        domain: Scalar,
        dimensions: Scalar,
        relaxation: AbstractRelaxation,
    ) -> Scalar:
        del bandwidth, domain, dimensions, relaxation
        return 0.0

    def scale_out(
        self, bandwidth: Scalar, chips: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """None: it is part of the price of a server."""
        del bandwidth, chips, domain, relaxation
        return 0.0


class AsPriced(AbstractAsPriced):
    """Nothing: latency too is stated for the domain as it is."""

    @override
    def latency(self, group: Scalar, domain: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del group, domain, relaxation
        return 0.0

    def latency_across(
        self, near: Scalar, far: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """That of the scale-out network."""
        del near, chips, relaxation
        return far


class Reaches(AbstractAsPriced):
    """A table of latencies over the chips that wait for each other, in the domain and beyond it.

    The nearest reach has the latency of the network itself. Beyond the farthest one lies the
    scale-out network.

    Attributes:
        chips: Chips within each reach, ascending.
        steps: Latency of each reach beyond the one before, the nearest left out [s].
    """

    chips: tuple[Leaf, ...] = eqx.field(
        converter=_leaves, metadata=quantity("", "chips within reach {index}")
    )
    steps: tuple[Leaf, ...] = eqx.field(
        converter=_leaves, metadata=quantity("s", "step of latency beyond reach {index}", least=0.0)
    )

    def latency(self, group: Scalar, domain: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """That of the nearest reach that holds the group."""
        del domain
        passed = [relaxation.exceeds(group, chips) for chips in self.chips[:-1]]
        return reach_latency(steps=self.steps, passed=passed)

    def latency_across(
        self, near: Scalar, far: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """That of the nearest reach that holds all domains, or of the scale-out network."""
        beyond = relaxation.exceeds(chips, self.chips[-1])
        within = near + self.latency(chips, chips, relaxation)
        return (1 - beyond) * within + beyond * far


class Tiered(AbstractFabric):
    """Tiers of switches in a folded Clos network, and optics beyond the reach of copper.

    One tier joins as many chips as a switch has ports. Above it every port of a chip takes two
    more ports of switches a tier, and the links between the tiers are optical where the group
    that they join is larger than copper reaches.

    Attributes:
        radix: Ports of a switch.
        copper_reach: Chips that copper joins: those of a rack.
        tier_latency: Latency of one collective that each further tier adds [s].
    """

    radix: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "ports of a switch"))
    copper_reach: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "chips within the reach of copper")
    )
    tier_latency: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "latency of a further tier", least=0.0)
    )

    @once
    def _further(self, domain: Scalar, relaxation: AbstractRelaxation) -> list[Scalar]:
        """For each tier above the first whether there is one: 0 or 1."""
        return [
            relaxation.exceeds(domain, joined_chips(radix=self.radix, tiers=tiers))
            for tiers in range(1, MOST_TIERS)
        ]

    @override
    def ports(self, domain: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return switch_ports(tiers=1 + sum(self._further(domain, relaxation)))

    @once
    def latency(self, group: Scalar, domain: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """A group that fits below a tier does not pass it."""
        passed = [
            there * relaxation.exceeds(group, leaf_chips(radix=self.radix, tiers=tiers))
            for tiers, there in enumerate(self._further(domain, relaxation), start=1)
        ]
        return self.tier_latency * sum(passed)

    def latency_across(
        self, near: Scalar, far: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """That of the scale-out network."""
        del near, chips, relaxation
        return far

    def switched_optics(
        self, bandwidth: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """One link a tier and port of a chip."""
        tiers = [1.0, *self._further(domain, relaxation)]
        optical = [
            there
            * relaxation.exceeds(
                relaxation.fewest(domain, joined_chips(radix=self.radix, tiers=number)),
                self.copper_reach,
            )
            for number, there in enumerate(tiers, start=1)
        ]
        return ENDS * bandwidth * sum(optical)

    @override
    def mesh_optics(
        self, bandwidth: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        share = mesh_share_beyond(
            beyond=relaxation.maximum(domain - self.copper_reach, 0.0),
            links=relaxation.maximum(domain - 1, LEAST_LINKS),
        )
        return bandwidth * share

    @override
    def torus_optics(
        self,
        bandwidth: Scalar,
        domain: Scalar,
        dimensions: Scalar,
        relaxation: AbstractRelaxation,
    ) -> Scalar:
        share = torus_share_beyond(reach=self.copper_reach, dimensions=dimensions)
        return bandwidth * share * relaxation.exceeds(domain, self.copper_reach)

    def scale_out(
        self, bandwidth: Scalar, chips: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        """All of it where an instance leaves its domain."""
        return bandwidth * relaxation.exceeds(chips, domain)


BEYOND = 2
"""An instance of so many domains leaves its domain."""


class Joined(AbstractFabric):
    """Domains whose instances send to those of other domains, whatever their size.

    The scale-out network is bought as for an instance that leaves its domain; all else follows the
    fabric of a domain.

    Attributes:
        fabric: What the size of a domain adds.
    """

    fabric: AbstractFabric

    @override
    def ports(self, domain: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self.fabric.ports(domain, relaxation)

    @override
    def latency(self, group: Scalar, domain: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        return self.fabric.latency(group, domain, relaxation)

    @override
    def latency_across(
        self, near: Scalar, far: Scalar, chips: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        return self.fabric.latency_across(near, far, chips, relaxation)

    @override
    def switched_optics(
        self, bandwidth: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        return self.fabric.switched_optics(bandwidth, domain, relaxation)

    @override
    def mesh_optics(
        self, bandwidth: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        return self.fabric.mesh_optics(bandwidth, domain, relaxation)

    @override
    def torus_optics(
        self,
        bandwidth: Scalar,
        domain: Scalar,
        dimensions: Scalar,
        relaxation: AbstractRelaxation,
    ) -> Scalar:
        return self.fabric.torus_optics(bandwidth, domain, dimensions, relaxation)

    @override
    def scale_out(
        self, bandwidth: Scalar, chips: Scalar, domain: Scalar, relaxation: AbstractRelaxation
    ) -> Scalar:
        del chips
        return self.fabric.scale_out(bandwidth, BEYOND * domain, domain, relaxation)
