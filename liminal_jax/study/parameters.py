"""The numbers that a study rests on, and the study with some of them changed.

They are the numbers of hardware and request, those of the design that the study fixes, and the
limits it sets: whatever a reader may ask "and if that were a tenth more?" of. A change is the
logarithm of a factor, so that slopes along changes of a logarithm are elasticities.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.data.hardware import MOST_REACHES
from liminal_jax.hardware.system import System
from liminal_jax.study.problem import NUMERIC, Limit, Outcome, Problem


class Meaning(NamedTuple):
    """What a number is.

    Attributes:
        words: A few words for it.
        unit: Its unit in SI; empty for ratios and counts.
        most: The largest value that makes sense.
    """

    words: str
    unit: str
    most: float = math.inf


MEANINGS = {
    "material.memory.layers": Meaning("layers of a stack", ""),
    "material.memory.footprint": Meaning("footprint of a stack", "m2"),
    "material.memory.areal_density": Meaning("memory density of a layer", "B/m2"),
    "material.memory.bandwidth_per_area": Meaning("memory bandwidth per footprint", "B/s/m2"),
    "material.memory.silicon_price": Meaning("price of memory silicon", "USD/m2"),
    "material.memory.access_energy": Meaning("energy of a memory access", "J/B"),
    "material.memory.device_energy": Meaning("energy of a memory device", "J/B"),
    "material.memory.phy_area": Meaning("interface area of a stack", "m2"),
    "material.memory.controller_transistors": Meaning("controller transistors of a stack", ""),
    "material.memory.shoreline": Meaning("die edge of a stack", "m"),
    "material.memory.interposer_area": Meaning("interposer area of a stack", "m2"),
    "material.memory.stacked_share": Meaning("share of a stack on the die", "", 1.0),
    "material.memory.embedded_share": Meaning("share of a stack inside the die", "", 1.0),
    "material.memory.power_density_limit": Meaning("power density under memory", "W/m2"),
    **{
        f"material.tier.technology.{field}": meaning
        for field, meaning in {
            "unit_bandwidth": Meaning("bandwidth of a unit of the capacity tier", "B/s"),
            "unit_capacity": Meaning("capacity of a unit of the capacity tier", "B"),
            "access_energy": Meaning("energy of a capacity tier access", "J/B"),
            "price": Meaning("price of the capacity tier", "USD/B"),
            "phy_area": Meaning("interface area of a unit of the capacity tier", "m2"),
            "controller_transistors": Meaning("controller transistors of such a unit", ""),
            "shoreline": Meaning("die edge of a unit of the capacity tier", "m"),
            "interposer_area": Meaning("interposer area of such a unit", "m2"),
            "in_package": Meaning("share of such units in the package", "", 1.0),
            "standby_power": Meaning("standby power of such a unit", "W"),
        }.items()
    },
    "material.process.compute_density": Meaning("compute density", "FLOP/s/m2"),
    "material.process.rate_8bit": Meaning("8-bit rate over 16-bit rate", ""),
    "material.process.rate_4bit": Meaning("4-bit rate over 16-bit rate", ""),
    "material.process.vector_fraction": Meaning("vector rate over matrix rate", ""),
    "material.process.exponential_fraction": Meaning("exponentials over matrix rate", "1/FLOP"),
    "material.process.sram_density": Meaning("SRAM density", "B/m2"),
    "material.process.sram_bandwidth_per_capacity": Meaning("SRAM bandwidth per capacity", "1/s"),
    "material.process.sram_energy": Meaning("energy of an SRAM access", "J/B"),
    "material.process.energy_per_flop": Meaning("energy of a FLOP", "J/FLOP"),
    "material.process.logic_density": Meaning("logic density", "1/m2"),
    "material.process.link_phy_area": Meaning("interface area of links", "m2*s/B"),
    "material.process.overhead_fraction": Meaning("share of the die for overhead", "", 1.0),
    "material.process.buffer_capacity": Meaning("buffer SRAM of a die", "B"),
    "material.process.wafer_price": Meaning("price of a wafer", "USD"),
    "material.process.defect_density": Meaning("defect density", "1/m2"),
    "material.process.critical_fraction": Meaning("share of defects that kill", "", 1.0),
    "material.process.clustering": Meaning("clustering of defects", ""),
    "material.process.wafer_diameter": Meaning("diameter of a wafer", "m"),
    "material.process.edge": Meaning("unused rim of a wafer", "m"),
    "material.process.scribe": Meaning("scribe line", "m"),
    "material.process.reticle_width": Meaning("width of the reticle", "m"),
    "material.process.reticle_height": Meaning("height of the reticle", "m"),
    "material.packaging.interposer_wafer_price": Meaning("price of an interposer wafer", "USD"),
    "material.packaging.interposer_limit": Meaning("area of the largest interposer", "m2"),
    "material.packaging.bond_yield": Meaning("yield of a bond", "", 1.0),
    "material.packaging.assembly_yield": Meaning("yield of assembly", "", 1.0),
    "material.packaging.auxiliary_cost": Meaning("substrate and test of a package", "USD"),
    "material.packaging.idle_fraction": Meaning("idle power over design power", "", 1.0),
    "material.packaging.product_traffic": Meaning("memory bandwidth of products", "", 1.0),
    "material.packaging.link_energy": Meaning("energy of a link", "J/B"),
    "chip.tensor.bits_16": Meaning("16-bit rate of a chip", "FLOP/s"),
    "chip.tensor.bits_8": Meaning("8-bit rate of a chip", "FLOP/s"),
    "chip.tensor.bits_4": Meaning("4-bit rate of a chip", "FLOP/s"),
    "chip.vector": Meaning("vector rate of a chip", "FLOP/s"),
    "chip.exponential": Meaning("exponentials of a chip", "1/s"),
    "chip.memory.capacity": Meaning("memory capacity of a chip", "B"),
    "chip.memory.bandwidth": Meaning("memory bandwidth of a chip", "B/s"),
    "chip.memory.energy": Meaning("energy of a memory access", "J/B"),
    "chip.memory.device_energy": Meaning("energy of a memory device", "J/B"),
    "chip.sram.capacity": Meaning("SRAM of a chip", "B"),
    "chip.sram.bandwidth": Meaning("SRAM bandwidth of a chip", "B/s"),
    "chip.sram.energy": Meaning("energy of an SRAM access", "J/B"),
    "chip.sram.device_energy": Meaning("energy of SRAM off the logic die", "J/B"),
    "chip.capacity_tier.capacity": Meaning("capacity tier of a chip", "B"),
    "chip.capacity_tier.bandwidth": Meaning("bandwidth of a chip's capacity tier", "B/s"),
    "chip.capacity_tier.energy": Meaning("energy of a capacity tier access", "J/B"),
    "chip.capacity_tier.price": Meaning("price of a chip's capacity tier", "USD"),
    "chip.capacity_tier.standby_power": Meaning("standby power of a chip's capacity tier", "W"),
    "chip.power.idle": Meaning("idle power of a chip", "W"),
    "chip.power.dynamic": Meaning("dynamic power of a chip at full use", "W"),
    "chip.power.flop_energy": Meaning("energy of a FLOP", "J/FLOP"),
    "chip.power.link_energy": Meaning("energy of a link", "J/B"),
    "chip.power.provisioned": Meaning("provisioned power of a chip", "W"),
    "chip.cost.logic": Meaning("cost of the logic of a chip", "USD"),
    "chip.cost.memory": Meaning("cost of the memory of a chip", "USD"),
    "chip.cost.package": Meaning("cost of the package of a chip", "USD"),
    "chip.dies": Meaning("dies of a chip", ""),
    "chip.die_area": Meaning("die area of a chip", "m2"),
    "network.domain": Meaning("scale-up domain", ""),
    "network.dimensions": Meaning("dimensions of the torus", ""),
    "network.bandwidth": Meaning("scale-up bandwidth of a chip", "B/s"),
    "network.efficiency": Meaning("share of link bandwidth reached", "", 1.0),
    "network.latency": Meaning("latency of a collective", "s"),
    "network.latency_at_8": Meaning("latency among 8 chips", "s"),
    "network.latency_at_128": Meaning("latency among 128 chips", "s"),
    "network.floor": Meaning("least latency", "s"),
    "network.fabric.radix": Meaning("ports of a switch", ""),
    "network.fabric.copper_reach": Meaning("chips within the reach of copper", ""),
    "network.fabric.tier_latency": Meaning("latency of a further tier", "s"),
    **{
        f"network.fabric.{field}.{number}": Meaning(words.format(number + first), unit)
        for field, words, first, unit in (
            ("chips", "chips within reach {}", 1, ""),
            ("steps", "step of latency to reach {}", 2, "s"),
        )
        for number in range(MOST_REACHES)
    },
    "network.scale_out.bandwidth": Meaning("scale-out bandwidth of a chip", "B/s"),
    "network.scale_out.latency": Meaning("scale-out latency", "s"),
    "facility.selling_multiple": Meaning("selling price over cost", ""),
    "facility.logic_margin": Meaning("price of logic over its cost", ""),
    "facility.memory_margin": Meaning("price of memory over its cost", ""),
    "facility.package_margin": Meaning("price of the package over its cost", ""),
    "facility.one_time_cost": Meaning("design cost per chip", "USD"),
    "facility.building_cost": Meaning("building per IT power", "USD/W"),
    "facility.host_price": Meaning("host price per chip", "USD"),
    "facility.board_price": Meaning("board price per chip", "USD"),
    "facility.rack_price": Meaning("rack price per chip", "USD"),
    "facility.network_price": Meaning("network price per bandwidth", "USD*s/B"),
    "facility.optics_price": Meaning("optics price per bandwidth", "USD*s/B"),
    "facility.scale_out_price": Meaning("scale-out price per bandwidth", "USD*s/B"),
    "facility.host_power": Meaning("host power per chip", "W"),
    "facility.host_idle_fraction": Meaning("share of host power at idle", "", 1.0),
    "facility.switch_power": Meaning("switch power per bandwidth", "J/B"),
    "facility.optics_power": Meaning("optics power per bandwidth", "J/B"),
    "facility.scale_out_power": Meaning("scale-out power per bandwidth", "J/B"),
    "facility.pue": Meaning("PUE", ""),
    "facility.energy_price": Meaning("price of electricity", "USD/J"),
    "facility.lifetime": Meaning("years of use", ""),
    "facility.discount_rate": Meaning("discount rate a year", ""),
    "facility.threshold_voltage": Meaning("threshold over supply voltage", "", 1.0),
    "execution.compute_share": Meaning("sustained share of arithmetic", "", 1.0),
    "execution.bandwidth_share": Meaning("sustained share of memory bandwidth", "", 1.0),
    "execution.overlap_between_operators": Meaning("overlap between operators", "", 1.0),
    "execution.overlap_within_operators": Meaning("overlap within operators", "", 1.0),
    "execution.operation_time": Meaning("time of a dependent operation", "s"),
    "execution.mixer_operations": Meaning("dependent operations of a mixer", ""),
    "execution.dense_operations": Meaning("dependent operations of a dense block", ""),
    "execution.mixture_operations": Meaning("dependent operations of a mixture", ""),
    "execution.head_operations": Meaning("dependent operations of the head", ""),
    "execution.memory_reserve": Meaning("share of memory kept free", "", 1.0),
    **{
        f"{prefix}die_links.{field}": meaning
        for prefix in ("", "material.")
        for field, meaning in {
            "bandwidth": Meaning("link bandwidth of a die", "B/s"),
            "latency": Meaning("latency between dies", "s"),
            "energy": Meaning("energy of a link between dies", "J/B"),
            "area": Meaning("interface area of links between dies", "m2*s/B"),
            "shoreline": Meaning("edge of links between dies", "m*s/B"),
        }.items()
    },
    "context": Meaning("context", "tokens"),
    "weight_bits": Meaning("bits of a weight", "bits"),
    "kv_bits": Meaning("bits of a cache element", "bits"),
    "attention_bits": Meaning("bits of attention's operands", "bits"),
    "activation_bits": Meaning("bits of an activation", "bits"),
    "state_bits": Meaning("bits of a state element", "bits"),
    "design.stacks": Meaning("stacks", ""),
    "design.dies": Meaning("dies", ""),
    "design.compute_area": Meaning("compute area of a die", "m2"),
    "design.sram": Meaning("resident SRAM of a die", "B"),
    "design.link_bandwidth": Meaning("link bandwidth of a chip", "B/s"),
    "design.tier_units": Meaning("units of the capacity tier", ""),
    "design.domain": Meaning("scale-up domain", ""),
    "design.chips": Meaning("chips", ""),
    "design.batch": Meaning("batch", ""),
    "design.clock": Meaning("clock over nominal", ""),
    "design.tp": Meaning("TP", ""),
    "design.cp": Meaning("CP", ""),
    "design.pp": Meaning("PP", ""),
    "design.ep": Meaning("EP", ""),
    "design.attention": Meaning("attention mapping", ""),
    "design.attention_ranks": Meaning("ranks that share attention", ""),
    "design.shared_expert_ranks": Meaning("ranks that share an expert", ""),
}
"""Words and unit of every number by its path; limits are named after their quantity."""

STANDARDS = (
    "wafer_diameter",
    "edge",
    "scribe",
    "reticle_width",
    "reticle_height",
    "stacked_share",
    "embedded_share",
    "in_package",
)
"""Numbers of the trade that nobody can choose, and the place of a stack, which is a kind."""

DEGREES = ("tp", "cp", "pp", "ep", "attention", "attention_ranks", "shared_expert_ranks")
"""Whole numbers that have to fit together: where they are fixed, they are not changed alone."""

_OWN_OF_PLANNED = ("material.memory.",)
_OWN_OF_SYSTEMS = ("chip.", "network.", "facility.")


def _path(keys: tuple) -> str:
    return jax.tree_util.keystr(keys[1:], simple=True, separator=".")


def _scaled(value: Array, change: Array) -> Array:
    """A number times a factor; infinite ones, which nothing changes, as they are."""
    known = jnp.isfinite(value)
    return jnp.where(known, jnp.where(known, value, 1.0) * jnp.exp(change), value)


@dataclass(frozen=True)
class Parameters:
    """The numbers of a problem in a fixed order: hardware and request, design, limits.

    Attributes:
        problem: The study.
        paths: Their names; that of a limit is `limit.QUANTITY`, with its side where there are two.
        units: Their units in SI.
        most: The largest values that make sense.
        fixed: Positions in a point of the fixed numbers of the design.
        limited: Rows of `problem.limits` that the study sets, and none that physics does.
    """

    problem: Problem
    paths: tuple[str, ...]
    units: tuple[str, ...]
    most: tuple[float, ...]
    fixed: tuple[int, ...]
    limited: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.paths)

    def own(self, path: str) -> bool:
        """Whether a number is that of one category, so that others do not change with it."""
        finished = isinstance(self.problem.hardware, System)
        return path.startswith(_OWN_OF_SYSTEMS if finished else _OWN_OF_PLANNED)

    def values(self, category: int) -> np.ndarray:
        """Their values in SI, those of one category where categories differ."""
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(_numbers(self.problem))]
        numbers = [float(leaf[category] if leaf.ndim else leaf) for leaf in leaves]
        design = [self.problem.point[position] for position in self.fixed]
        limits = [self.problem.limits[row].bound for row in self.limited]
        return np.asarray([*numbers, *design, *limits])

    def outcome(
        self,
        changes: Float[Array, " parameters"],
        point: Float[Array, " numbers"],
        category: Int[Array, ""],
        relaxation: AbstractRelaxation,
    ) -> Outcome:
        """Objective and limits at a point of the study with its numbers changed.

        Args:
            changes: Logarithms of the factors on the numbers.
            point: A point of the study as it is.
            category: Its category.
            relaxation: How kinks are read.
        """
        leaves, shape = jax.tree.flatten(_numbers(self.problem))
        count, fixed = len(leaves), len(self.fixed)
        scaled = [_scaled(leaf, change) for leaf, change in zip(leaves, changes, strict=False)]
        hardware, request = jax.tree.unflatten(shape, scaled)
        changed = dataclasses.replace(
            self.problem,
            hardware=hardware,
            workload=self.problem.workload._replace(request=request),
        )
        design = jnp.asarray(self.fixed, int)
        point = point.at[design].set(point[design] * jnp.exp(changes[count : count + fixed]))
        outcome = changed.outcome(point, category, relaxation)
        signs = [-1.0 if self.problem.limits[row].at_least else 1.0 for row in self.limited]
        loosened = jnp.asarray(signs, float) * changes[count + fixed :]
        return Outcome(
            score=outcome.score,
            excess=outcome.excess.at[jnp.asarray(self.limited, int)].add(-loosened),
        )


def _numbers(problem: Problem) -> tuple:
    return problem.hardware, problem.workload.request


def _limit_path(limit: Limit, names: list[str]) -> str:
    """The path of a limit, with its side where the study sets two on one quantity."""
    if names.count(limit.name) == 1:
        return f"limit.{limit.name}"
    return f"limit.{limit.name}.{'at_least' if limit.at_least else 'at_most'}"


def parameters_of(problem: Problem) -> Parameters:
    """The numbers of a problem."""
    leaves = jax.tree_util.tree_leaves_with_path(_numbers(problem))
    numbers = [_path(keys) for keys, _ in leaves]
    free = {it.name for it in problem.variables}
    table = problem.file.design
    fixed = [
        name
        for name in NUMERIC
        if name not in (*free, *DEGREES) and getattr(table, name) is not None
    ]
    limited = tuple(row for row, it in enumerate(problem.limits) if not it.physical)
    limits = [problem.limits[row] for row in limited]
    design = [f"design.{name}" for name in fixed]
    meanings = [MEANINGS[it] for it in (*numbers, *design)]
    return Parameters(
        problem=problem,
        paths=(*numbers, *design, *(_limit_path(it, [it.name for it in limits]) for it in limits)),
        units=(*(it.unit for it in meanings), *(it.unit for it in limits)),
        most=(*(it.most for it in meanings), *(math.inf for _ in limits)),
        fixed=tuple(NUMERIC.index(name) for name in fixed),
        limited=limited,
    )
