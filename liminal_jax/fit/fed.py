"""How many users decode where other chips pass the prompts: no more than those chips can feed."""

import dataclasses
import re

import equinox as eqx
import jax
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax._traced import listed
from liminal_jax.calibration.fitted import Fitted
from liminal_jax.data.calibrations import load_priors
from liminal_jax.fit.rows import RATES, Case, counts_waiting, lengths_of
from liminal_jax.performance.design import Design
from liminal_jax.performance.step_terms import step_terms
from liminal_jax.workload.chunk import Chunk, Prompts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

REACHED = 0.24
"""Share of the peak at which chips pass prompts: 52,300 tokens a second on 8 H100, of 37e9 active
parameters at 8 bits (SGLang team, 5 May 2025, DeepSeek with PD disaggregation on 96 H100,
lmsys.org/blog/2025-05-05-large-scale-ep)."""

HALVINGS = 20
"""Halvings of the ratio between which the users are sought."""

_CHIPS = re.compile(r"plus (\d+) prefill GPUs")


def prompt_chips(case: Case) -> int:
    """Chips that pass the prompts of a case alone, as its note tells; 0 where it does not."""
    found = _CHIPS.search(case.row.note)
    return int(found[1]) if found else 0


@listed
def _prompt_time(design: Design, model: Model, request: Request, tokens: Leaf) -> jax.Array:
    """Time of the products of one prompt at the peak rate [s]."""
    idle = eqx.tree_at(lambda it: it.batch, design, jnp.zeros_like(design.batch))
    terms = step_terms(idle, model, request, prompts=Prompts(count=1, chunk=Chunk(tokens=tokens)))
    return jnp.asarray(terms.matrix + terms.core)


@eqx.filter_jit
def _fed(design: Design, model: Model, request: Request, losses: Fitted, pace: Leaf) -> jax.Array:
    """Users of an instance at which as many answers end as prompts come.

    Args:
        design: The instance, with all its users.
        model: The model.
        request: The request.
        losses: What engines lose.
        pace: Tokens a second of all answers that prompts are passed for [1/s].
    """

    def spare(users: jax.Array) -> jax.Array:
        held = eqx.tree_at(lambda it: it.batch, design, users)
        return pace * losses.time(step_terms(held, model, request)) - users

    def halved(_: jax.Array, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low, high = ends
        middle = jnp.sqrt(low * high)
        enough = spare(middle) > 0
        return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

    one, everybody = jnp.ones_like(design.batch), design.batch
    low, _ = jax.lax.fori_loop(0, HALVINGS, halved, (one, everybody))
    return jnp.where(spare(everybody) > 0, everybody, low)


def fed(case: Case) -> Case:
    """A case with the users that decode, of those that its row counts with the ones that wait.

    Losses are the typical ones, so that what is fitted does not decide what it is fitted to.
    """
    chips = prompt_chips(case)
    if not chips or not counts_waiting(case.row):
        return case
    tokens, answer = lengths_of(case.row)
    given = (case.design, case.model, case.request)
    work = float(_prompt_time(*given, as_leaf(tokens))) * case.tp * case.pp
    instances = max(1.0, (case.row.num_gpus or 1.0) // (case.tp * case.pp))
    pace = REACHED * chips / work / instances * answer
    losses = Fitted(**{term: prior.typical for term, prior in load_priors().items()})
    users = float(_fed(*given, losses, as_leaf(pace)))
    if users >= case.batch:
        return case
    share = users / case.batch if case.row.metric in RATES else 1.0
    told = f"of {case.batch:.0f} users {users:.0f} decode, as {chips} chips pass prompts"
    return dataclasses.replace(
        case,
        batch=users,
        tpot=case.tpot * share,
        design=eqx.tree_at(lambda it: it.batch, case.design, as_leaf(users)),
        remarks=(*case.remarks, told),
    )
