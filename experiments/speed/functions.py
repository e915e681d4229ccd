"""The functions whose speed is compared, and how: in turn, all outputs consumed."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

import liminal_jax as ll

BLOCK = 4096  # points of a block
WEIGHTS, LAYERS, KV_HEADS, HEADS, HEAD = 70e9, 80, 8, 64, 128  # Llama-3-70B
RANGES = {
    "batch": (1.0, 512.0),
    "context": (8192.0, 1048576.0),
    "tp": (1.0, 64.0),
    "memory_bandwidth": (1e12, 3e13),
    "throughput": (5e14, 2e16),
    "latency": (1e-7, 1e-5),
    "vector": (1e13, 1e15),
    "network_bandwidth": (1e11, 2e12),
    "memory_energy": (1e-11, 1e-10),
    "flop_energy": (1e-13, 1e-12),
    "selling_multiple": (1.0, 8.0),
    "energy_price": (1e-8, 1e-7),
}
"""The twelve inputs, and between what they are drawn, evenly in their logarithms."""

CLOSED = 6  # inputs of the closed form: the first ones

Function = Callable[..., Sequence[Any]]


def closed_form(batch: Any, context: Any, chips: Any, bandwidth: Any, rate: Any, sync: Any) -> Any:
    """Step time of the ten lines [s]."""
    cache, width = 2 * LAYERS * KV_HEADS * HEAD, HEADS * HEAD
    memory = (WEIGHTS + cache * context * batch) / (chips * bandwidth)
    work = batch * (2 * WEIGHTS + 4 * LAYERS * width * context)
    return jnp.maximum(memory, work / (chips * rate)) + jnp.where(chips > 1, 2 * LAYERS * sync, 0.0)


def predictor() -> Callable[..., ll.Prediction]:
    """The whole exact predictor, of the twelve inputs."""
    model, system = ll.load_model("deepseek-v3"), ll.load_system("h200")
    request = ll.Request(context=131072)

    def predicted(*inputs: Any) -> ll.Prediction:
        batch, context, tp, *others = inputs
        changed = eqx.tree_at(
            lambda it: (
                it.chip.memory.bandwidth,
                it.chip.tensor.bits_8,
                it.network.latency,
                it.chip.vector,
                it.network.bandwidth,
                it.chip.memory.energy,
                it.chip.power.flop_energy,
                it.facility.selling_multiple,
                it.facility.energy_price,
            ),
            system,
            tuple(others),
        )
        asked = eqx.tree_at(lambda it: it.context, request, context)
        design = ll.filled_design(changed, ll.Mapping(tp=tp, ep=tp), batch, model, asked)
        return ll.predict(design, model, asked)

    return predicted


def function_of(program: ll.Program) -> Function:
    """A program as a function of arrays."""
    axes = frozenset(range(len(RANGES)))

    def of(*inputs: Any) -> list[Any]:
        return program.results(program.worked(dict(enumerate(inputs)), axes, {}))

    return of


def drawn_inputs(count: int, seed: int) -> list[np.ndarray]:
    """Random inputs of the predictor, degrees of parallelism being powers of two."""
    rng = np.random.default_rng(seed)
    ends = np.log(list(RANGES.values()))
    drawn = [np.exp(rng.uniform(low, high, count)) for low, high in ends]
    drawn[2] = 2.0 ** np.round(np.log2(drawn[2]))
    return drawn


def all_devices() -> Mesh:
    """The devices of this process, in a row."""
    return Mesh(np.array(jax.devices()), ("devices",))


def compiler_options() -> dict[str, Any] | None:
    """What sweeps compile with."""
    on_cpu = jax.default_backend() == "cpu"
    return {"xla_cpu_prefer_vector_width": 512} if on_cpu else None


def consumed(function: Function, mesh: Mesh, block: int) -> Callable[..., Any]:
    """All outputs of all points, summed where they arise: blocks one after the other."""
    spec = PartitionSpec("devices")

    def one(*inputs: Any) -> Any:
        rows = [it.reshape(-1, block) for it in inputs]

        def added(total: Any, row: Any) -> tuple[Any, None]:
            return total + sum(jnp.asarray(it, total.dtype) for it in function(*row)), None

        total, _ = jax.lax.scan(added, 0 * rows[0][0], rows)
        return jnp.sum(total)[None]

    shared = jax.shard_map(one, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)
    return jax.jit(shared, compiler_options=compiler_options())


def medians(calls: dict[str, tuple[Callable[..., Any], list[Any]]], times: int) -> dict[str, float]:
    """Median seconds of each function, called in turn."""
    for function, inputs in calls.values():
        for _ in range(2):
            jax.block_until_ready(function(*inputs))
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(times):
        for name, (function, inputs) in calls.items():
            start = time.perf_counter()
            jax.block_until_ready(function(*inputs))
            seconds[name].append(time.perf_counter() - start)
    return {name: float(np.median(it)) for name, it in seconds.items()}


def programs_of_predictor() -> dict[str, ll.Program]:
    """All outputs; the price of tokens with its slopes; the slopes of the logarithm of speed."""
    predicted, ends = predictor(), list(RANGES.values())

    def price(*inputs: Any) -> Any:
        return predicted(*inputs).usd_per_million_tokens

    def speed(*inputs: Any) -> Any:
        return jnp.log(predicted(*inputs).utps)

    every = tuple(range(len(RANGES)))
    return {
        "outputs": ll.program_of(lambda *it: jax.tree.leaves(predicted(*it)), ends),
        "gradient": ll.program_of(jax.value_and_grad(price, argnums=every), ends),
        "slopes": ll.program_of(jax.grad(speed, argnums=every), ends),
    }
