"""Networks as files: what joins the chips of a domain, and what lies beyond it.

The rows are the numbers of the classes of networks and of what the size of a domain adds.
"""

import itertools
import math
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from liminal_jax._quantity import quantities_of
from liminal_jax.data.facility_defaults import with_defaults
from liminal_jax.data.numbers import KNOWN, POSITIVE, Number, Quantity
from liminal_jax.data.rows import Rows, optional_in, rows_of, table_of
from liminal_jax.hardware.fabric import Tiered
from liminal_jax.hardware.network import (
    AbstractNetwork,
    FittedLatency,
    FullMesh,
    ScaleOut,
    Switched,
    Torus,
)

TOPOLOGIES: dict[str, type[AbstractNetwork]] = {
    "switched": Switched,
    "full-mesh": FullMesh,
    "torus": Torus,
    "talk": FittedLatency,
}
"""Topologies of files, and the networks that they are; `talk` is a fitted line of latencies."""

ROW_NAMES = {"floor": "latency_floor", "radix": "switch_radix"}
"""Rows that files name otherwise than the fields of the classes."""

SCALE_OUT = "scale_out_"
"""Opens the rows of what joins domains."""

_COUNTS = ("domain", "dimensions")
"""Numbers that files state as plain whole numbers."""

_WAITS = ("latency", "floor", "tier_latency")
"""Times that no network is without, though one may be imagined that has none."""


def _rows() -> dict[str, Any]:
    """Every row, in the order in which uncertain numbers are drawn."""
    own: dict[str, Any] = {}
    for kind in TOPOLOGIES.values():
        own |= rows_of(
            kind,
            without=_COUNTS,
            unknown=("bandwidth",),
            above_zero=_WAITS,
            optional=quantities_of(kind),
            names=ROW_NAMES,
        )
    size = rows_of(Tiered, above_zero=_WAITS, optional=quantities_of(Tiered), names=ROW_NAMES)
    return {
        **{name: own[name] for name in ("bandwidth", "latency")},
        "reach": (Any, None),
        **{name: row for name, row in own.items() if name != "efficiency"},
        "efficiency": rows_of(Switched)["efficiency"],
        **rows_of(ScaleOut, above_zero=_WAITS, prefix=SCALE_OUT),
        **size,
    }


def _stated_by(kind: type, *, needed: bool) -> frozenset[str]:
    """Rows that tell a topology from others: all, or those that it cannot do without."""
    names = set(quantities_of(kind)) - {"domain", "efficiency"}
    if needed:
        names -= optional_in(kind)
    return frozenset(ROW_NAMES.get(name, name) for name in names)


_OF_SOME = frozenset().union(*(_stated_by(kind, needed=False) for kind in TOPOLOGIES.values()))

MOST_REACHES = 16
"""Entries of a table of reaches at the most: each is a number of its own in studies."""

_SIZE_KEYS = tuple(ROW_NAMES.get(name, name) for name in quantities_of(Tiered))
LEAST_RADIX = 32
"""Ports of the smallest switch: three tiers of it join 8,192 chips."""


class NetworkFile(table_of(Rows, with_defaults("network", _rows()))):
    """The scale-up network that joins the chips of a domain, and what lies beyond it.

    Attributes:
        topology: How the chips of a domain are joined; `talk` is a fitted line of latencies.
        domain: Chips that the scale-up network joins.
        reach: In the place of a latency, that time by the chips that wait for each other, topology
            `switched`: each entry holds up to so many chips, in the domain and beyond it [s].
        dimensions: Dimensions of a torus.

    Its size is stated whole or not at all: with it the domain has to be bought, further tiers,
    optics and scale-out; without it the network is charged as one tier.
    """

    topology: Literal["switched", "full-mesh", "torus", "talk"]
    domain: int = Field(ge=1)
    reach: (
        dict[Annotated[int, Field(ge=2)], Annotated[Number, Quantity("s"), POSITIVE, KNOWN]] | None
    ) = None
    dimensions: int | None = Field(default=None, ge=2, le=3)

    @model_validator(mode="after")
    def _has_a_size(self) -> "NetworkFile":
        """Demand all rows of the size of a network or none, and switches of enough ports."""
        missing = [key for key in _SIZE_KEYS if getattr(self, key) is None]
        stated = [key for key in _SIZE_KEYS if key not in missing]
        if stated and self.topology == "talk":
            raise ValueError(f"topology 'talk' has no {', '.join(stated)}")
        if stated and missing:
            raise ValueError(f"{', '.join(stated)} needs {', '.join(missing)} too")
        radix = self.switch_radix and self.switch_radix.value
        if radix is not None and radix < LEAST_RADIX:
            raise ValueError(f"switch_radix must be at least {LEAST_RADIX}, not {radix:g}")
        reach = self.copper_reach and self.copper_reach.value
        if reach is not None and reach < 1:
            raise ValueError(f"copper_reach must be at least 1, not {reach:g}")
        return self

    @field_validator("reach")
    @classmethod
    def _farther_waits_longer(cls, reach: dict[int, Number] | None) -> dict[int, Number] | None:
        """Demand entries, in ascending order, of which none is quicker than a nearer one."""
        if reach is None:
            return None
        if not 1 <= len(reach) <= MOST_REACHES:
            raise ValueError(f"must have 1 to {MOST_REACHES} entries, not {len(reach)}")
        for (near, time), (far, later) in itertools.pairwise(reach.items()):
            if far <= near:
                raise ValueError(f"must ascend: {far} chips stand after {near}")
            if (later.value or math.nan) < (time.value or math.nan):
                raise ValueError(
                    f"{far} chips wait {later.printed}, less than {near} chips, {time.printed}"
                )
        return reach

    @model_validator(mode="after")
    def _reaches_its_domain(self) -> "NetworkFile":
        """Demand that a table of reaches stands alone and meets the network on both sides."""
        if self.reach is None:
            return self
        if self.topology != "switched":
            raise ValueError(f"topology {self.topology!r} has no reach")
        other = [it for it in ("latency", *_SIZE_KEYS) if getattr(self, it) is not None]
        if other:
            raise ValueError(f"reach says how long any group waits: drop {', '.join(other)}")
        farthest, time = list(self.reach.items())[-1]
        if farthest < self.domain:
            raise ValueError(f"reach ends at {farthest} chips, before the domain of {self.domain}")
        if (self.scale_out_latency.value or math.nan) < (time.value or math.nan):
            raise ValueError(
                f"scale_out_latency, {self.scale_out_latency.printed}, is less than that of the"
                f" farthest reach, {time.printed}"
            )
        return self

    @model_validator(mode="after")
    def _fits_topology(self) -> "NetworkFile":
        """Demand the rows that the topology needs, and no row that it cannot use."""
        kind = TOPOLOGIES[self.topology]
        wanted = _stated_by(kind, needed=True) - ({"latency"} if self.reach else frozenset())
        stated = {key for key in _OF_SOME if getattr(self, key) is not None}
        useless = stated - _stated_by(kind, needed=False)
        complaints = [
            f"topology {self.topology!r} {verb} {', '.join(sorted(keys))}"
            for verb, keys in (("needs", wanted - stated), ("has no", useless))
            if keys
        ]
        if complaints:
            raise ValueError("; ".join(complaints))
        return self
