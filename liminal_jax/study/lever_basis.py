"""What a prediction with levers of software rests on, in sentences."""

import numpy as np

from liminal_jax._display import plain
from liminal_jax._smooth import Exact
from liminal_jax.algorithm.algorithm import Algorithm
from liminal_jax.algorithm.decoding import ParallelDecoding, Speculation
from liminal_jax.algorithm.drafter import BlockDrafter, RecurrentHead, SmallModel
from liminal_jax.algorithm.hiding import Overlap, Prefetch, Reductions
from liminal_jax.data.drafters import DrafterRow
from liminal_jax.hardware.system import System
from liminal_jax.study.case import Case

_DRAFTERS = {
    RecurrentHead: "layers like the model's last ones, passed once for each",
    BlockDrafter: "layers like the model's last ones, passed once for all",
    SmallModel: "a model of its own",
}


def lever_sentences(case: Case, system: System, drafter: DrafterRow | None) -> list[str]:
    """What each lever of a case that is on does, and whether it can cost quality.

    Args:
        case: The design with its workload and laws.
        system: Its hardware.
        drafter: The published drafter of its model, if there is one.
    """
    levers = case.algorithm
    if levers is None:
        return []
    return [
        *_speculation(levers.speculation, drafter),
        *_parallel(levers.parallel),
        *_prefetch(levers.prefetch, float(system.chip.sram.capacity)),
        *_overlap(levers.overlap),
        *_reductions(levers.reductions),
        *_changed(levers),
    ]


def _speculation(it: Speculation | None, row: DrafterRow | None) -> list[str]:
    if it is None or float(it.drafts) == 0:
        return []
    numbers = (float(it.acceptance), float(it.decay))
    own = row is not None and np.allclose(numbers, (row.acceptance, row.decay))
    source = f"as published for {row.name}" if own and row is not None else "as stated or usual"
    return [
        f"Speculation, lossless: {plain(float(it.drafts))} drafts a step by"
        f" {_DRAFTERS[type(it.drafter)]}; the first is accepted with chance"
        f" {plain(numbers[0])}, each next one {plain(numbers[1])} times as often ({source}),"
        f" so that a step yields {plain(float(it.accepted(Exact())))} tokens."
    ]


def _parallel(it: ParallelDecoding | None) -> list[str]:
    if it is None or float(it.canvas) == 1:
        return []
    return [
        f"Parallel decoding: {plain(float(it.canvas))} tokens pass together and"
        f" {plain(float(it.tokens_per_pass))} of them are decided in a pass, as stated; no law says"
        " what that costs in quality."
    ]


def _prefetch(it: Prefetch | None, sram: float) -> list[str]:
    if it is None or float(it.buffer) == 0:
        return []
    buffer, routed = float(it.buffer), "none of those of routed experts, which are known too late"
    if float(it.predicted) > 0:
        routed = f"of those of routed experts the {float(it.predicted):.0%} that are predicted"
    found = [
        f"Prefetch, lossless: {plain(buffer / 1e6)} MB of a chip's SRAM take the next weights while"
        f" it waits; {routed}."
    ]
    if buffer > sram:
        found.append(
            f"algorithm.prefetch.buffer: {plain(buffer / 1e6)} MB are asked for and the SRAM that"
            f" software manages has {plain(sram / 1e6)} MB; the design does not fit."
        )
    return found


def _overlap(it: Overlap | None) -> list[str]:
    if it is None:
        return []
    found = []
    if float(it.micro_batches) > 1:
        found.append(
            "Overlap, lossless: two halves of the batch take turns, and each reads the weights."
        )
    if float(it.fused) > 0:
        found.append(
            f"Overlap, lossless: up to {float(it.fused):.0%} of the time of messages beyond their"
            " latency passes during matrix products."
        )
    if float(it.norms) > 0:
        found.append(
            f"Overlap, lossless: the norm after {float(it.norms):.0%} of the sums over ranks is"
            " part of the exchange."
        )
    return found


def _reductions(it: Reductions | None) -> list[str]:
    if it is None:
        return []
    words = {
        "parallel": (it.parallel, "{:.0%} of the layers have parallel blocks"),
        "dropped": (it.dropped, "{:.0%} of the layers leave the sum after the mixer out"),
        "delay": (it.delay, "sums come {:g} layers late"),
    }
    said = [text.format(float(value)) for value, text in words.values() if float(value) > 0]
    return [f"Another model: {'; '.join(said)}."] if said else []


def _changed(levers: Algorithm) -> list[str]:
    found = []
    if (it := levers.attention) is not None:
        if float(it.windowed) > 0:
            found.append(
                f"Another model: {float(it.windowed):.0%} of the layers see"
                f" {float(it.window):,.0f} tokens at most."
            )
        if float(it.sharing) > 1:
            found.append(f"Another model: {float(it.sharing):g} layers share each cache.")
    if (shape := levers.shape) is not None:
        if float(shape.depth) != 1:
            found.append(
                f"Another model: {float(shape.depth):g} times as many layers, parameters and cache"
                " of a token being equal."
            )
        if float(shape.skipped) > 0:
            found.append(f"Another model: a token skips {float(shape.skipped):.0%} of the layers.")
    return found
