"""What a prediction rests on and what it leaves out, in sentences."""

import itertools
import math

import jax.numpy as jnp

from liminal_jax._smooth import Exact
from liminal_jax.data.build import stated_memory_energy, streaming_energy
from liminal_jax.data.library import Library
from liminal_jax.data.numbers import Number
from liminal_jax.data.systems import SystemFile
from liminal_jax.hardware.execution import Execution
from liminal_jax.hardware.fabric import Reaches
from liminal_jax.hardware.network import AbstractPhysical, FittedLatency
from liminal_jax.hardware.system import System
from liminal_jax.laws.clock import supply_voltage
from liminal_jax.mapping.attention import (
    CopiedHeads,
    DataParallel,
    PaddedHeads,
    SplitSequence,
    WeightedAttention,
)
from liminal_jax.mapping.collectives import LayerCollectives, TalkCollectives
from liminal_jax.mapping.routing import BalancedRouting, RandomRouting
from liminal_jax.study.case import Case
from liminal_jax.study.file import DesignFile, resolved_of
from liminal_jax.study.lever_basis import lever_sentences
from liminal_jax.study.published import published_sentences
from liminal_jax.workload.feedforward.base import AbstractMixture
from liminal_jax.workload.request import Request
from liminal_jax.workload.spec import ModelSpec

_MODEL = (
    "Ideal bound: peak rates, perfect overlap of compute and memory, collectives"
    " exposed. Measured systems are slower."
)
_SUSTAINED = (
    "Collectives exposed. Sustained are {compute:.0%} of the peak rates of"
    " arithmetic and {bandwidth:.0%} of the bandwidth of memory; arithmetic and memory overlap"
    " {overlap}."
)
_LEFT_OUT = "Left out: prefill, queueing, sampling, kernel launches, activations in memory."
_SERVING = (
    "Prompts pass at the same peak rates, collectives exposed; keys and values of a chunk stay on"
    " the chip until they are used; a cache crosses between pools over the network that joins"
    " domains, before the first token. All requests are alike, and memory is that of their mean"
    " context."
)
_WHOLE_REQUESTS = (
    "Energy and cost of an output token count prompts and answers, served by continuous batching:"
    " what decode alone would take is the share of answers. Step, UTPS and STPS of an instance are"
    " those of steps that decode alone."
)
_PREFIX = (
    "{hit:.0%} of each prompt but for its last token are cached already: they are read and not"
    " computed; the memory of prefixes that nobody uses at the time is left out."
)
_LEFT_OUT_SERVING = "Left out: queueing, sampling, kernel launches, activations in memory."
_TALK = (
    "The talk's accounting: layers only, full-context KV, latent attention multiplied out, ideal"
    " division, no scalar work."
)
_TALK_EXCHANGE = "Collectives counted as in the talk; the counts were fitted to its system table."
_LAYER_EXCHANGE = "Collectives: those that the degrees of parallelism need in each layer."
_ATTENTION = {
    SplitSequence: (
        "Attention: split sequence. KV heads are divided over ranks, and beyond them the tokens of"
        " a sequence; queries are gathered and sums merged."
    ),
    CopiedHeads: (
        "Attention: copied heads. Heads are divided over ranks; a rank without a KV head of its own"
        " holds a copy."
    ),
    PaddedHeads: (
        "Attention: padded heads. As copied heads, with heads computed that are not there so that"
        " the degrees divide them."
    ),
    DataParallel: (
        "Attention: data-parallel. Each rank has users of its own and a copy of all weights but the"
        " routed experts."
    ),
}
_ROUTING = {
    RandomRouting: "Routing: random and even; the busiest rank of experts sets the pace.",
    BalancedRouting: "Routing: balanced, every rank of experts has the same.",
}
_FITTED_LATENCY = (
    "Latencies at 8 and 128 chips were fitted to the talk's system table, the line between them is"
    " an assumption; no price or power of this network is published, and none is charged."
)
_ALPHA_BETA = (
    "Latency and bandwidth by topology; latencies are those of the system's file, which vendors'"
    " chips were not all measured for in the same way."
)
_PLANNED = (
    "A planned chip: area, power and cost follow from its process, memory and packaging files and"
    " from the assumptions of the design file."
)


def _execution_sentence(execution: Execution) -> str:
    compute, bandwidth = float(execution.compute_share), float(execution.bandwidth_share)
    between = float(execution.overlap_between_operators)
    within = float(execution.overlap_within_operators)
    if compute == bandwidth == between == 1:
        return _MODEL
    overlaps = {(1, within): "over the whole step", (0, 1): "within operators only"}
    otherwise = f"by {between:.0%} over the whole step, by {within:.0%} within operators"
    overlap = overlaps.get((between, within), otherwise)
    return _SUSTAINED.format(compute=compute, bandwidth=bandwidth, overlap=overlap)


def _within_chip_sentences(system: System) -> list[str]:
    """What is charged of the time inside a chip and of its memory, where anything is."""
    execution, links, sentences = system.execution, system.die_links, []
    start = float(execution.dependency_time())
    if start > 0:
        sentences.append(
            f"Operators that depend on each other start {start * 1e6:.3g} us one after the other:"
            f" {float(execution.mixer_operations):g} of a mixer,"
            f" {float(execution.dense_operations):g} of a dense block,"
            f" {float(execution.mixture_operations):g} of a mixture of experts."
        )
    if links is not None and float(system.chip.dies) > 1:
        sentences.append(
            f"{float(system.chip.dies):g} dies of a chip sum the residual stream after each part of"
            f" a layer over links of {float(links.bandwidth) / 1e12:.3g} TB/s a die."
        )
    if float(execution.memory_reserve) > 0:
        sentences.append(
            f"{float(execution.memory_reserve):.0%} of main memory is kept free; the fill is that"
            " of the rest."
        )
    return sentences


def _reach_sentences(system: System) -> list[str]:
    """How long groups of chips wait for each other, where a table says so."""
    network = system.network
    if not isinstance(network, AbstractPhysical) or not isinstance(network.fabric, Reaches):
        return []
    steps = [float(it) for it in (network.latency, *network.fabric.steps)]
    times = itertools.accumulate(steps)
    reaches = [
        f"{time * 1e6:.3g} us among {float(chips):,.0f} chips"
        for chips, time in zip(network.fabric.chips, times, strict=True)
    ]
    return [
        f"Latency by reach: {', '.join(reaches)}; a group waits as the nearest reach that holds it."
    ]


def _unknown(label: str, number: Number, consequence: str) -> list[str]:
    if number.value is not None:
        return []
    return [f"{label} is unknown ({number.unknown}): {consequence}."]


def _power_sentences(file: SystemFile, library: Library) -> list[str]:
    chip = file.chip
    if chip.power is not None:
        return ["Provisioned power by die area, as in the LIMINAL paper; the area is assumed."]
    if chip.tdp.value is None:
        return _unknown("The TDP", chip.tdp, "power and energy are null")
    rate = "at their peak rate"
    if chip.sustained_8bit is not None and chip.sustained_8bit.value is not None:
        rate = f"at a sustained {chip.sustained_8bit.printed} of 8 bits"
    sentences = [
        "Power by activity: idle share, memory path, arithmetic; large matrix products alone draw"
        f" the TDP, {rate}, so that a chip at both of its peaks would draw more."
    ]
    return [*sentences, *_streaming_sentences(file, library)]


def _streaming_sentences(file: SystemFile, library: Library) -> list[str]:
    """Whether the energy of memory had to be lowered so that a chip that streams keeps its TDP."""
    name = file.chip.memory.technology
    technology = None if name is None else library.memory[name]
    stated, most = stated_memory_energy(file.chip, technology), streaming_energy(file.chip)
    if not stated > most:
        return []
    return [
        f"At the {stated / 8e-12:.3g} pJ/bit of its memory path streaming would draw more than the"
        f" TDP: {most / 8e-12:.3g} pJ/bit are charged, which draw just that."
    ]


def _system_sentences(library: Library, name: str, request: Request) -> list[str]:
    file = library.system[name]
    chip = file.chip
    sentences = _unknown("The vector rate", chip.vector, "scalar work is left out")
    if chip.exponential is not None:
        sentences.append(
            "Attention takes one exponential a score beside its other arithmetic, at"
            f" {chip.exponential.value:.3g} a second: the slower counts."
        )
    sentences += _power_sentences(file, library)
    if chip.cost.value is None:
        built = chip.dies and chip.process and chip.memory.stacks and chip.die_area.value
        consequence = (
            "it is estimated from die area, process and stacks" if built else "capital is null"
        )
        sentences += _unknown("The manufacturing cost", chip.cost, consequence)
    widths = (request.weight_bits, request.expert_bits, request.table_bits)
    for bits in dict.fromkeys(float(it) for it in widths if it is not None):
        wider = {8: chip.tensor_8bit, 4: chip.tensor_4bit}.get(round(bits))
        if wider is not None and wider.value is None:
            sentences.append(
                f"The chip has no known {bits:g}-bit rate: the next wider one is used."
            )
    return sentences


def _workload_sentences(case: Case, model: ModelSpec) -> list[str]:
    mixers = [it.attention for it in case.model.layers if it.attention is not None]
    sentences = list(dict.fromkeys(line for mixer in mixers for line in mixer.basis()))
    it = case.lengths
    longest = float(case.request.context if it is None else it.isl + it.osl)
    if 0 < model.positions < longest:
        sentences.append(
            f"The model has learned {model.positions:,} positions, fewer than the {longest:,.0f} of"
            " the context."
        )
    if 0 < model.stated_context < longest:
        sentences.append(
            f"The model's config states a context of {model.stated_context:,} tokens, fewer than"
            f" the {longest:,.0f} asked for: what it says beyond is not known to be good."
        )
    widths = [float(it) for it in (case.request.weight_bits, case.request.kv_bits)]
    odd = [bits for bits in widths if bits not in (4, 8, 16)]
    if odd:
        sentences.append("Bits other than 4, 8 and 16 compute at the rate of the next wider width.")
    if max(widths) > 16:
        sentences[-1] = "Operands wider than 16 bits compute at the 16-bit rate, which is too fast."
    return sentences


def _number_sentences(file: DesignFile) -> list[str]:
    """Which numbers the design states by their path, where it does."""
    paths = ", ".join(file.design.numbers.stated)
    return [f"Numbers of the design in place of those of the data files: {paths}."] if paths else []


def _clock_sentences(file: DesignFile, system: System) -> list[str]:
    """How chips run that do not run at their nominal clock; nothing where a study chooses it."""
    clock = file.design.clock
    if clock.free or clock.value == 1:
        return []
    threshold = system.facility.threshold_voltage
    voltage = float(supply_voltage(clock=jnp.asarray(clock.value), threshold=threshold))
    return [
        f"Chips run at {clock.value:g} of their nominal clock, which takes {voltage:.2f} of the"
        " nominal voltage; main memory and links run as ever, and no voltage margin is recovered."
    ]


def _price_words(system: System) -> str:
    """What a chip sells for, in words."""
    it = system.facility
    margins = [float(each) for each in (it.logic_margin, it.memory_margin, it.package_margin)]
    if margins == [1.0, 1.0, 1.0]:
        words = f"chips at {float(it.selling_multiple):.3g} times their manufacturing cost"
    else:
        logic, memory, package = (float(it.selling_multiple) * each for each in margins)
        words = (
            f"chips at {logic:.3g} times the cost of their logic, {memory:.3g} times that of their"
            f" memory and {package:.3g} times that of their package"
        )
    if float(it.one_time_cost) > 0:
        words += f", and {float(it.one_time_cost):,.0f} USD of their design each"
    if float(it.building_cost) > 0:
        words += f", a building at {float(it.building_cost):.3g} USD for each watt of IT power"
    return words


def _sharing_sentences(case: Case) -> list[str]:
    """How ranks share attention, shared experts and routed ones, where there are several."""
    mapping = case.mapped()
    group, ranks = float(mapping.attention_ranks()), float(mapping.stage_chips())
    if ranks == 1:
        return []
    attention = mapping.attention
    if isinstance(attention, WeightedAttention):
        attention = attention.chosen()
    sentences = [_ATTENTION[type(attention)]]
    if 1 < group < ranks:
        sentences.append(f"Groups of {group:g} of {ranks:g} ranks attend to users of their own.")
    blocks = [it.feedforward for it in case.model.layers]
    mixtures = [it for it in blocks if isinstance(it, AbstractMixture)]
    if group > 1 and any(float(it.shared_blocks()) for it in mixtures):
        shared = float(mapping.shared_ranks())
        how = f"split over {shared:g} ranks" if shared > 1 else "whole on every rank"
        sentences.append(f"Shared experts: {how}.")
    collectives = case.assumptions.collectives
    if mixtures and float(mapping.ep) > 1 and isinstance(collectives, LayerCollectives):
        sentences.append(_ROUTING[type(collectives.routing)])
    return sentences


def _stage_sentences(case: Case) -> list[str]:
    """How stages are judged whose layers differ."""
    stages, kinds = float(case.mapping.pp), case.model.layers
    if stages == 1 or len(kinds) == 1:
        return []
    layers = float(case.model.layer_count())
    fullest = float(case.assumptions.division.largest_share(layers, stages, Exact()))
    return [
        f"Stages: the fullest of {stages:g} holds {fullest:.4g} of {layers:g} layers, each of which"
        f" counts as the mean of {len(kinds)} kinds."
    ]


def _attention_sentence(case: Case, system: System) -> str:
    bits = float(case.request.attention_bits)
    if bits > 8 and math.isnan(float(system.chip.tensor.at(bits))):
        return "The chip has no known 16-bit rate: attention multiplies at the rate of 8 bits."
    return f"Attention multiplies at the rate of {bits:g} bits."


def _tier_sentences(file: DesignFile, system: System, fill: float) -> list[str]:
    tier = system.chip.capacity_tier
    if tier is None:
        return []
    made = "" if file.design.tier is None else f" of {file.design.tier.names[0]}"
    first, *others = reversed(tier.kinds)
    order = "".join(f", then the {kind}" for kind in others)
    sentences = [
        f"Capacity tier{made} of {float(tier.capacity) / 1e9:.4g} GB a chip at"
        f" {float(tier.bandwidth) / 1e9:.4g} GB/s: holds what main memory cannot,"
        f" {first} {'first' if others else 'alone'}{order}; read at the same time as the other"
        " memories, its latency and what writing to it takes left out."
    ]
    if math.isnan(float(tier.energy)):
        sentences.append("The energy of the capacity tier is unknown: power and energy are null.")
    if math.isnan(float(tier.price)):
        sentences.append("The price of the capacity tier is unknown: capital is null.")
    if fill == 0:
        sentences.append("The capacity tier holds nothing in this design: main memory suffices.")
    return sentences


def _cost_sentence(system: System) -> str:
    it = system.facility
    return (
        f"Cost: {_price_words(system)}, capital"
        f" recovered over {float(it.lifetime):g} years at {float(it.discount_rate):.0%},"
        f" electricity at {float(it.energy_price) * 3.6e6:.3g} USD/kWh, PUE {float(it.pue):g}."
    )


def basis(
    file: DesignFile,
    category: str,
    case: Case,
    system: System,
    tier_fill: float,
) -> list[str]:
    """Sentences about a prediction: the model, the numbers behind it, what is missing.

    Args:
        file: The design, or the study that it answers.
        category: The system, where the file names several.
        case: The design with its workload and laws.
        system: Its hardware.
        tier_fill: Bytes over capacity of the capacity tier; 0 without one.
    """
    found, talk = resolved_of(file), isinstance(case.assumptions.collectives, TalkCollectives)
    fitted = isinstance(system.network, FittedLatency)
    return [
        _execution_sentence(system.execution),
        *_within_chip_sentences(system),
        *([_TALK] if file.workload.accounting == "talk" else []),
        _TALK_EXCHANGE if talk else _LAYER_EXCHANGE,
        _FITTED_LATENCY if fitted else _ALPHA_BETA,
        *_reach_sentences(system),
        *([] if talk else _sharing_sentences(case)),
        *_stage_sentences(case),
        _attention_sentence(case, system),
        *_workload_sentences(case, found.models[file.workload.model]),
        *published_sentences(found.published[file.workload.model], case.request),
        *(
            _system_sentences(found.hardware, category, case.request)
            if isinstance(found.hardware, Library)
            else [_PLANNED]
        ),
        *lever_sentences(case, system, found.drafters.get(file.workload.model)),
        *_number_sentences(file),
        *_clock_sentences(file, system),
        *_tier_sentences(file, system, tier_fill),
        _cost_sentence(system),
        _LEFT_OUT,
    ]


def power_basis(file: DesignFile, category: str, chip_power: float) -> list[str]:
    """Whether a finished chip draws more than it may, which needs rates that it cannot sustain.

    Args:
        file: The design.
        category: The system.
        chip_power: Power of one chip at work [W].
    """
    files = resolved_of(file).hardware
    tdp = files.system[category].chip.tdp.value if isinstance(files, Library) else None
    if tdp is None or not chip_power > tdp:
        return []
    return [
        f"At these rates a chip would draw {chip_power:.0f} W, over its TDP of {tdp:g} W: it would"
        " lower its clock, which this bound leaves out."
    ]


def serving_basis(sentences: list[str], hit_rate: float = 0.0) -> list[str]:
    """The same sentences where whole requests are predicted.

    Args:
        sentences: What a prediction of decode rests on.
        hit_rate: Share of a prompt that is cached.
    """
    cached = [_PREFIX.format(hit=hit_rate)] if hit_rate > 0 else []
    decode = [it for it in sentences if it != _LEFT_OUT]
    return [*decode, _SERVING, *cached, _WHOLE_REQUESTS, _LEFT_OUT_SERVING]
