"""A chip in numbers: a finished one from its data sheet, a planned one from what it is made of."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from experiments.hand.datasheets import sheet
from experiments.hand.making import Parts, making, price
from experiments.hand.memories import Memory, Units, finished_tier, known
from experiments.hand.sheet import Sheet

Rows = Mapping[str, Any]


@dataclass(frozen=True)
class Chip:
    """One package.

    Attributes:
        rates: Tensor rate at 16, 8 and 4 bits [FLOP/s].
        vector: Rate of the vector units [FLOP/s].
        exponential: Rate of exponentials [1/s].
        sram: SRAM in which data stay.
        memory: Main memory.
        beyond: Memory beyond it, if there is one.
        idle: Idle power, or all of it where power is provisioned [W].
        dynamic: Dynamic power of its heaviest load at the nominal clock; 0 where power is
            provisioned [W].
        flop_energy: Energy of an 8-bit operation [J/FLOP].
        link_energy: Energy of a byte that it sends [J/B].
        device_energy: What the memory device takes of the energy of a byte [J/B].
        dies: Logic dies that share its work.
        price: What it is sold for [USD].
    """

    rates: Mapping[int, float]
    vector: float
    exponential: float
    sram: Memory
    memory: Memory
    beyond: Memory | None
    idle: float
    dynamic: float
    flop_energy: float
    link_energy: float
    device_energy: float
    dies: int
    price: float

    def rate(self, bits: float) -> float:
        """Tensor rate for operands of some bits [FLOP/s]."""
        return self.rates[16 if bits > 8 else 8 if bits > 4 else 4]

    def attention_rate(self, bits: float) -> float:
        """The same; that at 8 bits where nobody published the one at 16."""
        rate = self.rate(bits)
        return self.rates[8] if math.isnan(rate) and bits > 8 else rate


def _smaller(one: float, other: float) -> float:
    """The smaller of two numbers, the known one if the other is not."""
    return min(known(one, other), known(other, one))


# ------------------------------------------------------------------------------ finished chips


def _finished_cost(file: Rows, packaging: Rows, on: Sheet) -> dict[str, float]:
    """The published cost, split as the cost laws split it; else what these make of the chip."""
    stated, memory = known(file["cost"], math.nan), file["memory"]
    counted = file.get("process") and file.get("dies") and memory.get("stacks")
    if not counted or math.isnan(file["die_area"]) or "technology" not in memory:
        return {"logic": stated, "memory": 0.0, "package": 0.0}
    process = sheet(f"processes/{file['process']}.toml")
    kind = sheet(f"technologies/{memory['technology']}.toml")
    # A byte costs what the silicon that holds it does: USD/m2 over B/m2.
    a_byte = kind["silicon_price"] / kind["areal_density"]
    parts = Parts(
        dies=int(file["dies"]),
        area=file["die_area"] / file["dies"],
        others=memory["stacks"],
        memory=memory["capacity"] * a_byte,
        interposer=memory["stacks"] * kind["interposer_area"],
    )
    cost = making(parts, process, packaging, on)
    total = sum(cost.values())
    return cost if math.isnan(stated) else {it: part * stated / total for it, part in cost.items()}


def finished_price(file: Rows, room: Rows, packaging: Rows, on: Sheet, *, margins: bool) -> float:
    """Its price on the market, if there is one and no margins are asked for; else by its cost."""
    cost = _finished_cost(file, packaging, on)
    for name, part in cost.items():
        on.put(f"cost of {name}", part, "USD")
    market = file["market_price"]
    asked = margins or math.isnan(market) or math.isnan(sum(cost.values()))
    return on.put("price of a chip", price(cost, room) if asked else market, "USD")


def _memory_energy(file: Rows, kind: Rows) -> float:
    """Energy of a byte: as stated, or less where a chip that only streams would exceed its TDP."""
    stated = known(file["memory"].get("energy"), kind.get("access_energy", math.nan))
    if "power" in file:
        return stated
    streaming = file["tdp"] * (1 - file["idle_fraction"]) / file["memory"]["bandwidth"]
    return _smaller(stated, streaming)


def finished_chip(
    file: Rows, room: Rows, packaging: Rows, on: Sheet, *, margins: bool = False
) -> Chip:
    """A chip from the rows of its data sheet.

    Products alone draw the TDP at the rate that they sustain, so an operation takes what idling and
    the traffic of such products leave of it.

    Args:
        file: The rows of `[chip]`.
        room: The rows of the facility.
        packaging: The rows of packaging.
        on: Where the terms go.
        margins: Whether it sells at the facility's margins whatever its price on the market.
    """
    file = {"idle_fraction": room["idle_fraction"], **file}
    memory, name = file["memory"], file["memory"].get("technology")
    kind = sheet(f"technologies/{name}.toml") if name else {}
    eight = known(file["tensor_8bit"], file["tensor_16bit"])
    energy = _memory_energy(file, kind)
    if "power" in file:  # so much for each area and for the bandwidth, whatever the chip does
        own = file["power"]
        idle = own["density"] * file["die_area"] + own["bandwidth_power"] * memory["bandwidth"]
        dynamic = flop_energy = 0.0
    else:
        idle = file["idle_fraction"] * file["tdp"]
        dynamic = file["tdp"] - idle
        traffic = room["product_traffic"] * energy * memory["bandwidth"]
        flop_energy = (dynamic - traffic) / known(file.get("sustained_8bit"), eight)
    own = file.get("sram")
    return Chip(
        rates={16: file["tensor_16bit"], 8: eight, 4: known(file["tensor_4bit"], eight)},
        vector=known(file["vector"], math.inf),
        exponential=known(file.get("exponential"), math.inf),
        sram=Memory(0.0, memory["bandwidth"], 0.0) if own is None else Memory(**own),
        memory=Memory(memory["capacity"], memory["bandwidth"], energy),
        beyond=finished_tier(file),
        idle=on.put("idle power", idle, "W"),
        dynamic=on.put("dynamic power of the heaviest load", dynamic, "W"),
        flop_energy=on.put("energy of an operation", flop_energy, "J"),
        link_energy=room["link_energy"],
        device_energy=min(known(kind.get("device_energy"), math.inf), energy),
        dies=int(file.get("dies", 1)),
        price=finished_price(file, room, packaging, on, margins=margins),
    )


# ------------------------------------------------------------------------------- planned chips


@dataclass(frozen=True)
class Made:
    """What a planned chip is made of: rows of its process, memory, packaging, use, facility.

    And units of memory beyond, if it has any.
    """

    process: Rows
    memory: Rows
    packaging: Rows
    execution: Rows
    room: Rows
    tier: Units


def planned_area(plan: Rows, made: Made, on: Sheet) -> float:
    """Area of one die [m2]: cores, SRAM, memory interfaces, links, and a share for the rest."""
    process, kind, execution = made.process, made.memory, made.execution
    stacks, dies = plan["stacks"] / plan["dies"], plan["dies"]
    interface = kind["phy_area"] + kind["controller_transistors"] / process["logic_density"]
    if kind["place"] == "inside the die":
        interface += kind["footprint"]
    links = plan["link_bandwidth"] / dies * process["link_phy_area"]
    if dies > 1:
        links += execution.get("die_link_bandwidth", 0.0) * execution.get("die_link_area", 0.0)
    sram = (plan["sram"] + process["buffer_capacity"]) / process["sram_density"]
    used = {
        "cores": plan["compute_area"],
        "SRAM": sram,
        "memory interfaces": stacks * interface,
        "links": links,
        "interfaces of memory beyond": made.tier.interface(process["logic_density"]) / dies,
    }
    for name, area in used.items():
        on.put(f"area of {name}", area, "m2")
    return sum(used.values()) / (1 - process["overhead_fraction"])


def planned_chip(plan: Rows, made: Made, on: Sheet) -> Chip:
    """A chip from a plan; either of large products and streaming is its heaviest load."""
    process, kind, room = made.process, made.memory, made.room
    stacks, dies = plan["stacks"], int(plan["dies"])
    area = planned_area(plan, made, on)
    rate = dies * plan["compute_area"] * process["compute_density"]
    silicon = kind["layers"] * kind["footprint"]
    memory = Memory(
        capacity=stacks * silicon * kind["areal_density"],
        bandwidth=stacks * kind["footprint"] * kind["bandwidth_per_area"],
        energy=kind["access_energy"],
    )
    resident, buffers = dies * plan["sram"], dies * process["buffer_capacity"]
    each = process["sram_bandwidth_per_capacity"]
    reading = memory.energy * memory.bandwidth
    products = process["energy_per_flop"] * rate * process["rate_8bit"]
    products += room["product_traffic"] * reading
    streaming = reading + process["sram_energy"] * resident * each
    dynamic = max(on.put("products", products, "W"), on.put("streaming", streaming, "W"))
    share = room["idle_fraction"]
    tier, dram = made.tier, stacks * kind["silicon_price"] * silicon
    parts = Parts(
        dies=dies,
        area=area,
        others=stacks + tier.bonded(),
        memory=dram + tier.bonded_price(),
        interposer=stacks * kind["interposer_area"] + tier.interposer(),
    )
    cost = making(parts, process, made.packaging, on)
    for name, part in cost.items():
        on.put(f"cost of {name}", part, "USD")
    exponential = process.get("exponential_fraction")
    return Chip(
        rates={16: rate, 8: rate * process["rate_8bit"], 4: rate * process["rate_4bit"]},
        vector=rate * process["vector_fraction"],
        exponential=math.inf if exponential is None else rate * exponential,
        sram=Memory(resident, (resident + buffers) * each, process["sram_energy"]),
        memory=memory,
        beyond=tier.memory(),
        idle=on.put("idle power", share / (1 - share) * dynamic, "W"),
        dynamic=on.put("dynamic power of the heaviest load", dynamic, "W"),
        flop_energy=process["energy_per_flop"],
        link_energy=room["link_energy"],
        device_energy=min(known(kind["device_energy"], math.inf), kind["access_energy"]),
        dies=dies,
        price=on.put("price of a chip", price(cost, room), "USD"),
    )


# --------------------------------------------------------------------------------------- clock


def clocked(chip: Chip, clock: float, threshold: float, on: Sheet) -> Chip:
    """A chip at another clock f: v = t / (t + (1 - f)(1 - t)), energy of logic as v^2.

    The memory device keeps its clock and voltage; hosts are built for the nominal clock.
    """
    if clock == 1.0:
        return chip
    voltage = threshold / (threshold + (1 - clock) * (1 - threshold))
    energy = on.put("energy of logic over nominal", voltage**2, "", "v^2")
    device = chip.device_energy
    path = device + (chip.memory.energy - device) * energy
    return replace(
        chip,
        rates={bits: rate * clock for bits, rate in chip.rates.items()},
        vector=chip.vector * clock,
        exponential=chip.exponential * clock,
        sram=replace(
            chip.sram, bandwidth=chip.sram.bandwidth * clock, energy=chip.sram.energy * energy
        ),
        memory=replace(chip.memory, energy=path),
        idle=chip.idle * (energy if chip.dynamic else 1.0),
        flop_energy=chip.flop_energy * energy,
    )
