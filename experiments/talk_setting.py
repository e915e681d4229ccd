"""The talk's setting: its models in its accounting, its chips, and their numbers set one by one.

Sankaralingam (IET REACH, 2025) and the paper behind it, arXiv:2507.14397. Transformer layers only,
8 bits for weights and cache, the whole context in every layer, no arithmetic beyond the tensor
units; see `liminal_jax.talk_model`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import liminal_jax as ll
from experiments.published import load_published

TALK = ll.Assumptions(collectives=ll.TalkCollectives(), division=ll.EvenParts())
"""The talk's counts of collectives, and stages of equal length."""

CHIPS = {
    "HBM3": "xpu-hbm3",
    "HBM4": "xpu-hbm4",
    "3D-DRAM": "xpu-3d-dram",
    "SRAM": "xpu-sram",
    "wafer": "xpu-cows",
}
"""The paper's chips, by the memory that tells them apart."""

DRAM = ("HBM3", "HBM4", "3D-DRAM")  # those of them whose memory is DRAM
TIB = 2.0**40  # bytes of a TiB
CONTEXT = 131072  # context of the talk's system table [tokens]


def model_names() -> tuple[str, ...]:
    """Printed names of the models of the talk's system table."""
    return tuple(load_published().scale.rows)


def talk_models(names: Iterable[str]) -> dict[str, ll.Model]:
    """Models of the system table in the talk's accounting, by their printed names."""
    rows = load_published().scale.rows
    return {name: ll.talk_model(ll.load_model(rows[name].model)) for name in names}


def with_nominal(name: str, parameters: float) -> ll.Model:
    """A model in the talk's accounting, by its name here, with the parameters in its name."""
    model = ll.talk_model(ll.load_model(name))
    one = ll.Design(ll.load_system(CHIPS["HBM3"]), ll.Mapping(), ll.Placement(), 1)
    counted = ll.predict(one, model, ll.Request(1, attention_bits=8)).parameters_total
    return ll.with_parameters(model, parameters, counted)


def talk_chips(names: Iterable[str]) -> dict[str, ll.System]:
    """Chips of the paper, by their memory."""
    return {name: ll.load_system(CHIPS[name]) for name in names}


def at_bandwidth(system: ll.System, bandwidth: jax.Array) -> ll.System:
    """A system with another memory bandwidth a chip [B/s]; all else is held."""
    return eqx.tree_at(lambda it: it.chip.memory.bandwidth, system, bandwidth)


def at_latency(system: ll.System, latency: jax.Array) -> ll.System:
    """A system in which a collective takes so long [s], among however many chips."""
    network = ll.FittedLatency(latency_at_8=latency, latency_at_128=latency, floor=latency)
    return eqx.tree_at(lambda it: it.network, system, network)


def step(
    system: ll.System,
    model: ll.Model,
    *,
    ranks: jax.Array | float,
    batch: jax.Array | float = 1.0,
    context: jax.Array | float = CONTEXT,
    laws: ll.Assumptions = TALK,
) -> ll.Prediction:
    """One step of a model on chips in tensor parallelism, in the talk's accounting."""
    design = ll.Design(system, ll.Mapping(tp=ranks), ll.Placement(), batch)
    return ll.predict(design, model, ll.Request(context, attention_bits=8), laws)


def bandwidths(systems: Mapping[str, ll.System]) -> dict[str, float]:
    """Memory bandwidth of a chip of each [B/s]."""
    return {name: float(it.chip.memory.bandwidth) for name, it in systems.items()}


@eqx.filter_jit
def steps(systems: ll.System, model: ll.Model, ranks: jax.Array) -> ll.Prediction:
    """One step for a single user on each chip of a stack."""
    return jax.vmap(lambda it: step(it, model, ranks=ranks))(systems)


def stacked(systems: Iterable[ll.System]) -> ll.System:
    """Systems as one whose leaves have an axis more, for `jax.vmap`."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *systems)


def over_all(function: Callable[..., Any], *axes: Any) -> Any:
    """A function at every combination of some things, an axis of the result for each of them."""
    for place in reversed(range(len(axes))):
        mapped = [0 if it == place else None for it in range(len(axes))]
        function = jax.vmap(function, in_axes=mapped)
    return function(*axes)
