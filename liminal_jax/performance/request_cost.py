r"""What one request costs: its prompt passes on an instance, its answer decodes among others.

Prompts and answers have instances of one design apart, as many of each as keep both busy (see
`serving.disaggregated`). Prompts pass whole, one in each micro-batch. With P stages, B users in a
micro-batch, and ISL and OSL the tokens of prompt and answer, a request takes

    instance time = (TTFT + (OSL - 1) TPOT / B) / P        e2e = TTFT + (OSL - 1) TPOT

of one instance, whose chips, power, capital and cost count for as long.
"""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax._show import Shown
from liminal_jax.performance.capital import capital_shares
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.inputs import with_defaults
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.predictor import predict
from liminal_jax.performance.spending import spending_rate
from liminal_jax.performance.worked import worked
from liminal_jax.workload.chunk import Chunk, Prompts
from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class RequestCost(Shown):
    """One request.

    Attributes:
        ttft: Time to the first token [s].
        tpot: Mean time of a later token [s].
        e2e: Time of the whole request [s].
        instance_time: Time of one instance that it takes [s].
        chip_time: Time of all chips of it [s].
        energy: IT energy [J].
        capital_time: Capital that it holds, times how long [USD s].
        price: Capital and electricity [USD].
        prompt_chip_power: Power of a chip while prompts pass [W].
        decoding: The steady state in which its answer decodes.
    """

    ttft: Leaf = eqx.field(converter=as_leaf)
    tpot: Leaf = eqx.field(converter=as_leaf)
    e2e: Leaf = eqx.field(converter=as_leaf)
    instance_time: Leaf = eqx.field(converter=as_leaf)
    chip_time: Leaf = eqx.field(converter=as_leaf)
    energy: Leaf = eqx.field(converter=as_leaf)
    capital_time: Leaf = eqx.field(converter=as_leaf)
    price: Leaf = eqx.field(converter=as_leaf)
    prompt_chip_power: Leaf = eqx.field(converter=as_leaf)
    decoding: Prediction


def request_cost(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None = None,
) -> RequestCost:
    """Times, chips, energy and cost of one of many like requests.

    A pure function, as `predict` is.

    Args:
        design: System, mapping, placement, and the users of one micro-batch that decode. Where the
            placement is left out, the SRAM is filled for them.
        model: The model.
        request: Mean context of a decode step, and precision.
        lengths: Tokens of prompt and answer.
        assumptions: Which laws are used; the exact ideal ones by default.

    Returns:
        The cost of one request, in SI units and USD.

    Raises:
        ValueError: a number has several values, which `jax.vmap` is for.

    References:
        Zhong et al. (2024), DistServe, arXiv:2401.09670.
    """
    design, assumptions = with_defaults(design, model, request, assumptions)
    decoding = predict(design, model, request, assumptions)
    # Whole prompts, one in each micro-batch, while nobody decodes.
    idle = eqx.tree_at(lambda it: it.batch, design, jnp.zeros_like(design.batch))
    passing = Prompts(count=1.0, chunk=Chunk(tokens=lengths.isl))
    prompts = worked(idle, model, request, passing, assumptions)
    held = capital_shares(design, prompts.power, assumptions.relaxation).total()
    tpot = decoding.step_time / decoding.tokens_per_step
    answering = (lengths.osl - 1) * tpot
    # Of one instance: as many prompts pass at once as there are micro-batches.
    prompt, answer = prompts.time / design.mapping.pp, answering / decoding.users
    power, capital = decoding.power.total(), decoding.capital.total()
    facility = design.system.facility
    return RequestCost(
        ttft=prompts.time,
        tpot=tpot,
        e2e=prompts.time + answering,
        instance_time=prompt + answer,
        chip_time=(prompt + answer) * decoding.chips,
        energy=prompt * prompts.power + answer * power,
        capital_time=prompt * held + answer * capital,
        price=prompt * spending_rate(facility, held, prompts.power)
        + answer * spending_rate(facility, capital, power),
        prompt_chip_power=prompts.chip_power,
        decoding=decoding,
    )
