"""A whole prediction of one design, every term of it.

    T = T_busy + T_exposed        UTPS = 1/T        STPS = P B / T

A design is a dict of tables as its file has them: workload, design, assumptions; or a system as a
dict of rows in the place of its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.hand.bill import Spent, capital, dollars_a_million, power
from experiments.hand.configs import CONFIGS
from experiments.hand.layers import Layer, Paper, model_of, talk_model_of
from experiments.hand.links import Network
from experiments.hand.machine import Machine, machine_of
from experiments.hand.memories import KINDS, Memory
from experiments.hand.memory import Placed, held, placed
from experiments.hand.ranks import Degrees, distinct
from experiments.hand.sheet import Sheet
from experiments.hand.waits import (
    Collective,
    collectives,
    counted_collectives,
    die_sum_energy,
    die_sum_time,
    die_sums,
    operations,
)
from experiments.hand.work import Load, Request, Work, end_work, layer_parts, load_of

Tables = Mapping[str, Any]

ANSWER = "answer"
"""The section that has what a prediction comes to."""


@dataclass(frozen=True)
class Laws:
    """What the accounting decides.

    Attributes:
        random: Tokens choose experts at random; else every rank has the same.
        even: Layers and experts divide evenly; else whole.
        constant: Hosts draw the same whatever the chips do.
        counted: Collectives of a layer are counted as the talk does.
        number: So many of them; 0 for the talk's own count.
    """

    random: bool = True
    even: bool = False
    constant: bool = False
    counted: bool = False
    number: int = 0


def _laws(workload: Tables, network: Network) -> Laws:
    accounting = workload.get("accounting", "model")
    if accounting == "paper":
        return Laws(random=False, counted=True, number=workload["collectives"])
    if accounting == "talk":
        talk = network.rows["topology"] == "talk"
        return Laws(random=False, even=True, constant=True, counted=talk)
    return Laws(random=workload.get("routing", "random") == "random")


def _model(workload: Tables) -> Paper:
    config, accounting = CONFIGS[workload["model"]], workload.get("accounting", "model")
    if accounting == "model":
        return model_of(config)
    return talk_model_of(config, workload.get("parameters", 0.0))


def _request(workload: Tables) -> Request:
    kv = workload.get("kv_bits", 8)
    usual = 16 if workload.get("accounting", "model") == "model" else max(kv, 8)
    return Request(
        context=workload["context"],
        weight_bits=workload.get("weight_bits", 8),
        kv_bits=kv,
        attention_bits=workload.get("attention_bits", usual),
    )


def _degrees(design: Tables, *, ideal: bool) -> Degrees:
    names = ("tp", "cp", "pp", "ep", "batch")
    return Degrees(
        **{name: design.get(name, 1) for name in names},
        attention=design.get("attention", "split-sequence"),
        stated=design.get("attention_ranks", 0),
        shared=design.get("shared_expert_ranks", 0),
        ideal=ideal,
    )


# ------------------------------------------------------------------------------------ the step


@dataclass(frozen=True)
class Case:
    """Everything about one design."""

    model: Paper
    ask: Request
    degrees: Degrees
    machine: Machine
    laws: Laws
    pace: float

    def load(self, layer: Layer, *, busiest: bool) -> Load:
        """What falls on a chip."""
        return load_of(layer, self.degrees, busiest=busiest, random=self.laws.random)

    def parts(self, *, busiest: bool) -> list[tuple[str, Work, bool]]:
        """Every operator: its name, its work over all its layers, and whether a stage paces it."""
        found = []
        for kind, (layer, count) in enumerate(self.model.layers, start=1):
            load = self.load(layer, busiest=busiest)
            parts = layer_parts(layer, self.model, self.degrees, self.ask, load)
            for name, work in parts.items():
                found.append((f"{name} of {count} layers of kind {kind}", work.times(count), True))
        if self.model.head:
            g = self.degrees.group
            users = self.degrees.fullest(g) if busiest else self.degrees.mean(g)
            end = end_work(self.model, self.degrees, self.ask, users)
            found.append(("embedding and head", end, False))
        return found

    def tensor_time(self, work: Work) -> float:
        """Time on the tensor units at their peaks [s]."""
        chip = self.machine.chip
        matrix = work.matrix / chip.rate(self.ask.weight_bits)
        return matrix + work.attention / chip.attention_rate(self.ask.attention_bits)

    def compute_time(self, work: Work) -> float:
        """Time of arithmetic; exponentials pass beside it [s]."""
        chip = self.machine.chip
        beside = work.exponentials / chip.exponential
        time = max(self.tensor_time(work) + work.vector / chip.vector, beside)
        return time / self.machine.execution["compute_share"]

    def moved(self, work: Work, shares: dict[str, float]) -> float:
        """Bytes that lie in one memory [B]."""
        return sum(shares[kind] * getattr(work, kind) for kind in KINDS)

    def memories(self, where: Placed) -> list[tuple[Memory, dict[str, float]]]:
        """Each memory, and the share of each kind of data in it."""
        chip = self.machine.chip
        found = [(chip.sram, where.sram), (chip.memory, where.main)]
        return found if chip.beyond is None else [*found, (chip.beyond, where.beyond)]

    def memory_time(self, work: Work, where: Placed) -> float:
        """All memories are read at once: the slowest counts [s]."""
        times = [self.moved(work, it) / tier.bandwidth for tier, it in self.memories(where)]
        return max(times) / self.machine.execution["bandwidth_share"]


def _put(name: str, work: Work, on: Sheet) -> None:
    """What there is of some work."""
    units = dict.fromkeys(("matrix", "attention", "vector"), "FLOP")
    units |= dict.fromkeys(KINDS, "B")
    for kind, amount in vars(work).items():
        if amount:
            on.put(f"{name}: {kind}", amount, units.get(kind, ""))


def _busy(case: Case, where: Placed, on: Sheet) -> tuple[float, float, float]:
    """T_compute, T_mem, and the time until all operators are done [s]."""
    on.head("operators, on the busiest chip")
    compute = memory = separate = 0.0
    total = Work()
    use = case.machine.execution
    for name, work, paced in case.parts(busiest=True):
        pace = case.pace if paced else 1.0
        c, m = case.compute_time(work) * pace, case.memory_time(work, where) * pace
        _put(name, work, on)
        on.put(f"{name}: compute time", c, "s")
        on.put(f"{name}: memory time", m, "s")
        compute, memory, total = compute + c, memory + m, total.plus(work)
        hidden = use["overlap_within_operators"]
        separate += max(c, m) + (1 - hidden) * min(c, m)
    _put("all", total, on)
    between = use["overlap_between_operators"]
    return compute, memory, between * max(compute, memory) + (1 - between) * separate


def _of_layer(case: Case, layer: Layer) -> list[Collective]:
    given = (layer, case.model, case.degrees, case.ask)
    if case.laws.counted:
        return counted_collectives(*given, case.laws.number)
    return collectives(*given)


def _layers_wait(case: Case, on: Sheet) -> tuple[float, float]:
    """Time of the collectives of all layers, and bytes that the mean chip sends in them [s, B]."""
    waited = sent = 0.0
    for kind, (layer, count) in enumerate(case.model.layers, start=1):
        for it in _of_layer(case, layer):
            name, calls = f"{it.name} in kind {kind}", count * it.count
            time = it.time(case.machine.network)
            on.put(f"{name}: calls", calls, "", f"{it.kind} over {it.ranks:g}")
            on.put(f"{name}: message", it.message, "B")
            on.put(f"{name}: time of one", time, "s")
            waited, sent = waited + calls * time, sent + calls * it.sent()
    return waited, sent


def _over_dies(case: Case, on: Sheet) -> tuple[float, float]:
    """Time and energy of all sums over the dies of a chip [s, J]."""
    dies, use, element = case.machine.chip.dies, case.machine.execution, case.ask.message_bits / 8
    waited = spent = 0.0
    for kind, (layer, count) in enumerate(case.model.layers, start=1):
        crowding = case.load(layer, busiest=True).tokens
        for it in die_sums(layer, case.model.hidden, case.degrees, crowding):
            waited += count * die_sum_time(it.fullest * element, dies, use)
            spent += count * die_sum_energy(it.mean * element, dies, use)
            on.put(f"message of a sum over dies in kind {kind}", it.fullest * element, "B")
    return waited, spent


def _exposed(case: Case, on: Sheet) -> tuple[float, float, float]:
    """T_exposed, bytes that the mean chip sends, and energy between its dies [s, B, J]."""
    on.head("waits")
    degrees, use, network = case.degrees, case.machine.execution, case.machine.network
    layers, sent = _layers_wait(case, on)
    starts = sum(count * operations(layer, use) for layer, count in case.model.layers)
    over_dies, dies_spend = _over_dies(case, on)
    token = case.ask.message_bits / 8 * case.model.hidden
    fullest, mean = (of(degrees.group) * token for of in (degrees.fullest, degrees.mean))
    stages = 0.0
    if degrees.pp > 1:
        stages = degrees.pp * network.send(fullest / degrees.group, degrees.chips)
        sent += degrees.pp * mean / degrees.group
    start = use["operation_time"]
    pieces = {
        "collectives of layers": case.pace * layers,
        "sending between stages": stages,
        "starts of operators": case.pace * starts * start,
        "start of the head": use["head_operations"] * start if case.model.head else 0.0,
        "sums over dies": case.pace * over_dies,
    }
    for name, piece in pieces.items():
        on.put(name, piece, "s")
    return sum(pieces.values()), sent, dies_spend


def _spent(case: Case, where: Placed, step: float, sent: float, dies: float) -> Spent:
    """What the mean chip does in a step: all layers of one micro-batch, spread over a stage."""
    work = Work()
    for _, part, _ in case.parts(busiest=False):
        work = work.plus(part)
    memory = sum(case.moved(work, it) * tier.energy for tier, it in case.memories(where))
    memory += sum(tier.standby for tier, _ in case.memories(where)) * step
    operations_ = case.tensor_time(work) * case.machine.chip.rates[8]
    return Spent(step, memory, operations_, sent, dies)


def _count(case: Case, on: Sheet) -> None:
    """Weights of the model, and how users and experts fall on chips."""
    on.head("model")
    model, degrees = case.model, case.degrees
    weights = model.head + model.embeddings + model.end
    for index, (layer, count) in enumerate(model.layers, start=1):
        mixer, block = layer.mixer, layer.block
        experts = block.experts * (block.expert + block.biases)
        weights += count * (mixer.weights + block.always + layer.small + experts)
        on.put(f"mixer of kind {index}", mixer.weights, "", f"weights; {count} layers")
        on.put(f"block of kind {index}", block.always, "", "weights that every token uses")
        on.put(f"cache of a token in kind {index}", mixer.entry, "", "elements")
        if block.experts:
            load = case.load(layer, busiest=True)
            on.put(
                f"expert of kind {index}", block.expert, "", f"weights of one of {block.experts}"
            )
            on.put("distinct experts of a layer", distinct(block, degrees.batch))
            on.put("experts of the busiest rank over the mean", load.reads)
            on.put("tokens of the busiest rank over the mean", load.tokens)
    on.put("parameters", weights)
    on.put("users of the fullest group", degrees.fullest(degrees.group))
    on.put("layers of the largest stage over the mean", case.pace)


def _case(tables: Tables, on: Sheet) -> Case:
    """A design, taken apart."""
    workload, machine = tables["workload"], machine_of(tables, on)
    laws, model = _laws(workload, machine.network), _model(workload)
    degrees = _degrees(tables["design"], ideal=laws.counted)
    largest = -(-model.count() // degrees.pp)
    pace = 1.0 if laws.even else degrees.pp * largest / model.count()
    return Case(model, _request(workload), degrees, machine, laws, pace)


def _holding(case: Case, on: Sheet) -> tuple[dict[str, float], Placed]:
    """Bytes that an instance holds, and where they lie."""
    on.head("memory")
    bytes_ = held(case.model, case.degrees, case.ask, on, even=case.laws.even)
    reserve = case.machine.execution["memory_reserve"]
    where = placed(bytes_, case.machine.chip, case.model, case.degrees, reserve, case.pace)
    for kind in KINDS:
        on.put(f"share of {kind} in SRAM", where.sram[kind])
        on.put(f"share of {kind} beyond main memory", where.beyond[kind])
    return bytes_, where


def work_out(tables: Tables) -> Sheet:
    """Every term of a prediction; the section `answer` has what it comes to.

    Args:
        tables: A design: `workload`, `design` and `assumptions`.
    """
    on = Sheet()
    case = _case(tables, on)
    machine, n, users = case.machine, case.degrees.chips, case.degrees.pp * case.degrees.batch
    _count(case, on)
    bytes_, where = _holding(case, on)
    compute, memory, busy = _busy(case, where, on)
    exposed, sent, dies = _exposed(case, on)
    step = busy + exposed
    bought, room = machine.network.bought(n), machine.room
    spent = _spent(case, where, step, sent, dies)
    watts = power(spent, machine.chip, n, room, bought, on, constant=case.laws.constant)
    dollars = capital(machine.chip, n, room, bought, sum(watts.values()), on)
    on.head("dollars")
    wall = on.put("power at the wall", sum(watts.values()) * room["pue"], "W")
    million = dollars_a_million(sum(dollars.values()), wall, users / step, room, on)

    on.head(ANSWER)
    on.put("compute_time", compute, "s")
    on.put("memory_time", memory, "s")
    on.put("exposed_time", exposed, "s")
    on.put("step_time", step, "s", f"{busy:.6g} s until operators are done, and what is exposed")
    on.put("utps", 1 / step, "1/s", "1 / T")
    on.put("stps", users / step, "1/s", "P B / T")
    on.put("memory_required", sum(bytes_.values()), "B")
    on.put("memory_capacity", n * sum(it.capacity for it, _ in case.memories(where)), "B")
    on.put("memory_fill", where.fill, "", "of the fullest chip, but for the reserve")
    on.put("fits", where.fits)
    on.put("power", sum(watts.values()), "W")
    for name, part in watts.items():
        on.put(f"power.{name}", part, "W")
    on.put("energy_per_token", wall * step / users, "J")
    on.put("capital_cost", sum(dollars.values()), "USD")
    for name, part in dollars.items():
        on.put(f"capital_cost.{name}", part, "USD")
    on.put("usd_per_million_tokens", million, "USD")
    return on
