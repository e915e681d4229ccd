"""What do chips that ship give all users together, at what speed for each?

The claim, as published: a figure of throughput for each GPU over interactivity, gpt-oss-120B in
FP4, 1K tokens in and 1K out (Sankaralingam, IET REACH, 2025, after SemiAnalysis InferenceMAX); the
model should draw the same frontier. The points of that figure are not in the slides' text, and no
measurement stands beside the curves here: they are the ideal bound of decode.

Decode at the mean context of such requests, 1,536 tokens; 4-bit weights throughout, 8-bit cache,
every rank count within the scale-up domain, experts split like the other matrices or spread over
all ranks. Prefill, which shares the chips in the measured runs, is left out, as are queueing and
the efficiency of kernels; chips without 4-bit units multiply at their 8-bit rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import liminal_jax as ll
from experiments.interactivity_view import plot, report
from experiments.lattices import frontier, user_counts
from experiments.runner import Experiment, main
from experiments.verdicts import judged, listed, summary, verdict

MODEL = "gpt-oss-120b"

CONTEXT = 1536
"""Mean context of decode: 1,024 tokens in and half of 1,024 out."""

WEIGHT_BITS, CACHE_BITS = 4, 8

SYSTEMS = {
    "H100": "h100",
    "H200": "h200",
    "B200": "b200",
    "GB200": "gb200",
    "MI355X": "mi355x",
}
"""Systems of the figure."""

NEWER = {"B200": "H200", "GB200": "H200", "MI355X": "H200"}
"""Chips with 4-bit units, and the one before them that they are held against."""

RANKS = (1, 2, 4, 8, 16, 32, 64)
"""Ranks that are tried, within the scale-up domain."""

SPEEDS = (50.0, 100.0, 200.0, 400.0)
"""Speeds at which throughputs are told [1/s]."""


@dataclass(frozen=True)
class Config:
    """What is computed.

    Attributes:
        systems: Titles of the systems.
        users: Users at once on one instance.
    """

    systems: tuple[str, ...]
    users: tuple[int, ...]


@eqx.filter_jit
def _predictions(
    system: ll.System, model: ll.Model, ranks: jax.Array, spread: jax.Array, users: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Speed, throughput of a chip, and whether all fits, for each triple."""
    request = ll.Request(CONTEXT, weight_bits=WEIGHT_BITS, kv_bits=CACHE_BITS)

    def one(
        tp: jax.Array, ep: jax.Array, batch: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        design = ll.Design(system, ll.Mapping(tp=tp, ep=ep), ll.Placement(), batch)
        it = ll.predict(design, model, request)
        return it.utps, it.stps / it.chips, it.fits

    return jax.vmap(one)(ranks, spread, users)


def _domain(system: ll.System) -> int:
    """Chips that the scale-up network joins."""
    network = system.network
    if not isinstance(network, ll.Switched | ll.FullMesh | ll.Torus):
        raise TypeError("the talk's network has no domain")
    return int(network.domain)


def ways(domain: int, users: tuple[int, ...]) -> np.ndarray:
    """Ranks, ranks over which experts are spread, and users: a row each, every combination.

    Examples:
        >>> ways(2, (1,)).T.tolist()
        [[1.0, 1.0, 1.0], [2.0, 1.0, 1.0], [2.0, 2.0, 1.0]]
    """
    triples = [
        (ranks, spread, batch)
        for ranks in RANKS
        if ranks <= domain
        for spread in sorted({1, ranks})
        for batch in users
    ]
    return np.asarray(triples, float).T


def _front(name: str, model: ll.Model, users: tuple[int, ...]) -> dict[str, list[float]]:
    """The frontier of a system, and the degrees that reach it."""
    system = ll.load_system(SYSTEMS[name])
    triples = ways(_domain(system), users)
    columns = (np.asarray(it) for it in _predictions(system, model, *jnp.asarray(triples)))
    speed, throughput, fits = columns
    speed, throughput, triples = speed[fits], throughput[fits], triples[:, fits]
    kept = frontier(speed, throughput)
    ranks, spread, batch = triples[:, kept].tolist()
    return {
        "speed": speed[kept].tolist(),
        "throughput": throughput[kept].tolist(),
        "ranks": ranks,
        "spread": spread,
        "users": batch,
    }


def throughput_at(front: Mapping[str, Any], speed: float) -> float | None:
    """Most tokens a second of a chip at no less than a speed [1/s]; none where out of reach.

    Examples:
        >>> throughput_at({"speed": [3.0, 2.0], "throughput": [5.0, 7.0]}, 2.5)
        5.0
    """
    pairs = zip(front["speed"], front["throughput"], strict=True)
    return max((it for reached, it in pairs if reached >= speed), default=None)


def _trades(fronts: Mapping[str, Any]) -> dict[str, Any]:
    """Whether speed costs throughput, more than tenfold from end to end."""
    ratios = {name: it["throughput"][-1] / it["throughput"][0] for name, it in fronts.items()}
    cases = {name: ratio > 10 for name, ratio in ratios.items()}
    told = [
        f"{name} {it['throughput'][-1]:,.0f} at {it['speed'][-1]:,.0f}"
        f" to {it['throughput'][0]:,.0f} at {it['speed'][0]:,.0f}"
        for name, it in fronts.items()
    ]
    return verdict(
        "throughput for each GPU falls more than tenfold with interactivity",
        judged(cases),
        ratios,
        f"tokens a second of a chip at those of a user: {'; '.join(told)}. Decode alone, at peak"
        " rates: measured curves lie below",
    )


def _newer(fronts: Mapping[str, Any]) -> dict[str, Any]:
    """Whether chips with 4-bit units give more at each speed than the one before."""
    ratios: dict[str, float] = {}
    for newer, older in NEWER.items():
        if newer not in fronts or older not in fronts:
            continue
        for speed in SPEEDS:
            new, old = (throughput_at(fronts[it], speed) for it in (newer, older))
            if new is not None and old is not None:
                ratios[f"{newer} over {older} at {speed:g}"] = new / old
    cases = {name: ratio > 1 for name, ratio in ratios.items()}
    return verdict(
        "chips with 4-bit units give more for each GPU than H200 at equal interactivity",
        judged(cases),
        ratios,
        f"in {sum(cases.values())} of {len(cases)} cases: "
        + listed([f"{name} {ratio:.1f}x" for name, ratio in ratios.items()])
        + "; the order at high speed hangs on the latency of a collective",
    )


def verdicts(fronts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What can be said of the curves without measurements."""
    return [_trades(fronts), _newer(fronts)]


def run(config: Config) -> dict[str, Any]:
    """The frontier of each system, and the verdicts."""
    model = ll.load_model(MODEL)
    fronts = {name: _front(name, model, config.users) for name in config.systems}
    return {
        "model": MODEL,
        "context": CONTEXT,
        "speeds": SPEEDS,
        "fronts": fronts,
        "verdicts": verdicts(fronts),
    }


EXPERIMENT = Experiment(
    name="interactivity",
    question=__doc__,
    full=Config(systems=tuple(SYSTEMS), users=user_counts(16384, 160)),
    smoke=Config(systems=("H200", "B200"), users=(1, 8, 64, 512)),
    run=run,
    plot=plot,
    report=report,
    summary=summary,
)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
