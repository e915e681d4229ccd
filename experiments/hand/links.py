"""What joins chips: how long a collective takes, and what has to be bought for it.

A message m is what each chip holds, n the chips of a group, W the bandwidth of one chip in one
direction, a the latency of a collective.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Rows = Mapping[str, Any]


def one_shot(m: float, n: float, w: float, a: float) -> float:
    """Every chip sends everything to every other [s]."""
    return a + (n - 1) * m / w


def two_shots(m: float, n: float, w: float, a: float) -> float:
    """A reduce-scatter, then an all-gather [s]."""
    return 2 * a + 2 * (n - 1) / n * m / w


@dataclass(frozen=True)
class Network:
    """The rows of a network in SI, the facility's where its own file has none.

    Attributes:
        rows: Topology, domain, bandwidth, latency and the rest.
    """

    rows: Rows

    @property
    def tiers(self) -> int:
        """Tiers of switches: one joins R chips, two R^2/2, three R^3/4."""
        radix = self.rows.get("switch_radix")
        if radix is None:
            return 1
        return 1 + sum(self.rows["domain"] > 2 * (radix / 2) ** it for it in (1, 2))

    def _diameter(self, n: float) -> float:
        d = self.rows["dimensions"]
        return d * n ** (1 / d) / 2

    def _reach(self, n: float) -> float:
        """Latency of the nearest reach that holds so many chips; else of the scale-out [s]."""
        reaches = sorted((int(chips), time) for chips, time in self.rows["reach"].items())
        return next((time for chips, time in reaches if n <= chips), self._scale_out)

    @property
    def _scale_out(self) -> float:
        return self.rows["scale_out_latency"]

    def _across(self, n: float) -> float:
        """Latency of a collective that leaves the domain, among so many chips [s]."""
        return self._reach(n) if "reach" in self.rows else self._scale_out

    def _latency(self, n: float) -> float:
        """Latency of a collective in a group within the domain [s]."""
        rows = self.rows
        if "reach" in rows:
            return self._reach(n)
        if rows["topology"] == "torus":
            return rows["latency"] * self._diameter(n)
        if rows["topology"] == "full-mesh" or "switch_radix" not in rows:
            return rows["latency"]
        passed = sum(n > (rows["switch_radix"] / 2) ** it for it in range(1, self.tiers))
        return rows["latency"] + passed * rows["tier_latency"]

    def _reached(self, n: float) -> float:
        """Bandwidth of a chip to a group; of a mesh, only the links among its members [B/s]."""
        rows = self.rows
        reached = rows["bandwidth"] * rows["efficiency"]
        if rows["topology"] != "full-mesh":
            return reached
        return reached * max(n - 1, 0.5) / max(rows["domain"] - 1, 0.5)

    def _talk(self, n: float) -> float:
        """The talk's latency: a line in the doublings between 8 and 128 chips, and a floor [s]."""
        near, far = self.rows["latency_at_8"], self.rows["latency_at_128"]
        line = near + (far - near) * math.log2(n / 8) / math.log2(128 / 8)
        return max(line, self.rows["latency_floor"])

    def all_reduce(self, m: float, n: float) -> float:
        """Time to sum a message over a group: within the domain, then between domains [s]."""
        if n <= 1:
            return 0.0
        if self.rows["topology"] == "talk":
            return self._talk(n)
        near = min(n, self.rows["domain"])
        w, a = self._reached(near), self._latency(near)
        time = min(one_shot(m, near, w, a), two_shots(m, near, w, a))
        if n > near:
            w, a = self.rows["scale_out_bandwidth"], self._across(n)
            time += two_shots(m / near, n / near, w, a)
        return time

    def all_to_all(self, m: float, n: float) -> float:
        """Time in which each chip deals a message out over a group [s]."""
        if n <= 1:
            return 0.0
        if self.rows["topology"] == "talk":
            return self._talk(n)
        near = min(n, self.rows["domain"])
        hops = 1.0
        if self.rows["topology"] == "torus":
            hops = max(1.0, self._diameter(near) / 2)
        stays = m * near / n
        time = self._latency(near) + (near - 1) / near * stays * hops / self._reached(near)
        if n > near:
            domains = n / near
            out = (domains - 1) / domains * m / self.rows["scale_out_bandwidth"]
            time += self._across(n) + out
        return time

    def send(self, m: float, chips: float) -> float:
        """Time to pass a message to the next stage of an instance of some chips [s]."""
        rows = self.rows
        if rows["topology"] == "talk":
            return self._talk(chips)
        if chips > rows["domain"]:
            return self._across(chips) + m / rows["scale_out_bandwidth"]
        share = {"switched": 1.0, "full-mesh": 1 / max(rows["domain"] - 1, 0.5)}
        w = rows["bandwidth"] * (share.get(rows["topology"]) or 1 / (2 * rows["dimensions"]))
        hop = self._reach(2) if "reach" in rows else rows["latency"]
        return hop + m / (w * rows["efficiency"])

    def bought(self, chips: float) -> dict[str, float]:
        """Bandwidth that each chip of an instance buys: links, switches, optics, scale-out [B/s].

        A port takes one port of the top tier and two of each below. Links are optical where the
        chips that they join exceed the reach of copper.
        """
        rows = self.rows
        if rows["topology"] == "talk":
            return dict.fromkeys(("links", "switches", "optics", "scale-out"), 0.0)
        w, switched = rows["bandwidth"], rows["topology"] == "switched"
        ports = w * (2 * self.tiers - 1) if switched else w
        sized = "switch_radix" in rows
        leaves = sized and chips > rows["domain"]
        return {
            "links": ports,
            "switches": ports if switched else 0.0,
            "optics": self._optics() if sized else 0.0,
            "scale-out": rows["scale_out_bandwidth"] if leaves else 0.0,
        }

    def _optics(self) -> float:
        rows = self.rows
        w, domain, reach = rows["bandwidth"], rows["domain"], rows["copper_reach"]
        if rows["topology"] == "full-mesh":
            return w * max(domain - reach, 0) / max(domain - 1, 0.5)
        if rows["topology"] == "torus":
            return w * reach ** (-1 / rows["dimensions"]) if domain > reach else 0.0
        joined = (2 * (rows["switch_radix"] / 2) ** it for it in range(1, self.tiers + 1))
        return 2 * w * sum(min(domain, it) > reach for it in joined)
