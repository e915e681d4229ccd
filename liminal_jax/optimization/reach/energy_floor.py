"""The least energy of a token: every byte read once, every multiply-add done once."""

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import Exact
from liminal_jax.hardware.power import ActivityPower, ClockedPower
from liminal_jax.hardware.system import System
from liminal_jax.performance.operators import Operator, layer_operators, table_operators
from liminal_jax.performance.timing import tensor_time
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


def energy_floor(system: System, model: Model, request: Request) -> Scalar:
    """The energy of one user's next token on a chip of a system, were there nothing else [J].

        E = (weights + cache) e_byte + FLOP e_FLOP

    with the weights that one token uses and all of its cache read from main memory once, and each
    multiply-add done once; no idle power, hosts, links or machine room. Drafts do not change it: a
    step with them may read less for each token than this, with what it reads for several.

    Args:
        system: The system; NaN where its energies are unknown.
        model: The model.
        request: Context and precision.

    References:
        Horowitz (2014), Computing's energy problem, ISSCC: energies of operations and of bytes.
    """
    relaxation, chip = Exact(), system.chip
    parts = [
        *layer_operators(model, request, 1.0, relaxation),
        *table_operators(model, request, 1.0),
    ]
    work = sum(parts, start=Operator())
    moved = work.weights + work.experts + work.kept()
    law = chip.power.actual if isinstance(chip.power, ClockedPower) else chip.power
    if not isinstance(law, ActivityPower):
        return float("nan")
    arithmetic = tensor_time(work, chip, request, 1.0) * chip.tensor.bits_8
    return moved * chip.memory.energy + arithmetic * law.flop_energy
