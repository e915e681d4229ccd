"""Serving prompts and answers: prefill, then decode, in three ways of sharing the chips.

TTFT is the time to the first token, TPOT that of every later one, ISL and OSL the tokens of prompt
and answer. Requests do not wait in a queue, and all have the same lengths. Of prompts the share h
is cached already, but for the last token: ISL - h (ISL - 1) tokens pass.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._arrays import Scalar
from liminal_jax._show import Shown
from liminal_jax._traced import listed
from liminal_jax.hardware.network import AbstractPhysical
from liminal_jax.performance.crossing import cache_sent
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.inputs import with_defaults
from liminal_jax.performance.passed import Step
from liminal_jax.performance.served import Latency, Served, served, use_of
from liminal_jax.performance.worked import Worked, worked
from liminal_jax.workload.chunk import Chunk, Prompts
from liminal_jax.workload.lengths import Lengths
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
"""Where in a prompt its chunks are timed, and how much each time counts."""

SERVING_WAYS = ("static", "continuous", "disaggregated")
"""Names of the fields of `Serving`."""


class Serving(Shown):
    """Three ways of serving the same requests with the same design.

    Attributes:
        static: All prompts of a batch, then all its answers; nothing else until they end.
        continuous: A new prompt whenever an answer ends: steps that decode also pass prompts.
        disaggregated: Prefill on separate chips, as many as keep the decode chips busy.
    """

    static: Served
    continuous: Served
    disaggregated: Served


def _mean_step(
    design: Design,
    model: Model,
    request: Request,
    count: Scalar,
    lengths: Lengths,
    assumptions: Assumptions,
) -> Worked:
    """Mean over the chunks of a prompt of a step that passes one of each of `count` prompts.

    The tokens before a chunk run from the cached ones to all but the chunk's own. Gauss's rule is
    exact for times that grow as a polynomial of them, and for a single chunk.
    """
    last = lengths.prefill() - lengths.chunk

    def at(share: Scalar) -> Worked:
        past = lengths.cached() + share * last
        prompts = Prompts(count=count, chunk=Chunk(tokens=lengths.chunk, past=past))
        return worked(design, model, request, prompts, assumptions)

    steps = jax.vmap(at)(jnp.asarray((_NODES + 1) / 2, float))
    return jax.tree.map(lambda it: jnp.asarray(_WEIGHTS / 2, float) @ it, steps)


class _Load(NamedTuple):
    """What a way of serving has in the steps of one micro-batch.

    Attributes:
        alone: Users that decode where no prompt passes.
        beside: Users that decode beside prompts.
        prompts: Prompts of which a chunk passes at once.
    """

    alone: Scalar
    beside: Scalar
    prompts: Scalar


class _Steps(NamedTuple):
    """Steps of a way of serving: one that decodes alone, and the mean one that passes chunks."""

    alone: Worked
    passing: Worked

    def whole(self, lengths: Lengths) -> Worked:
        """All chunks of a prompt."""
        return jax.tree.map(lambda it: it * lengths.chunks(), self.passing)


class _Given(NamedTuple):
    """Arguments of `serve`, with defaults."""

    design: Design
    model: Model
    request: Request
    lengths: Lengths
    assumptions: Assumptions

    def steps(self, load: _Load) -> _Steps:
        """The steps of a way of serving."""
        design, model, request, lengths, assumptions = self
        beside = _with_batch(design, load.beside)
        return _Steps(
            worked(_with_batch(design, load.alone), model, request, None, assumptions),
            _mean_step(beside, model, request, load.prompts, lengths, assumptions),
        )


def _given(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None,
) -> _Given:
    design, assumptions = with_defaults(design, model, request, assumptions)
    return _Given(design, model, request, lengths, assumptions)


@listed
def prefill(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None = None,
) -> Step:
    """Time until the prompts of a batch have passed, chunk after chunk: TTFT without waiting.

    Args:
        design: System, mapping, placement; its batch is the prompts that pass together. Where the
            placement is left out, the SRAM is filled for as many users with the request's context.
        model: The model.
        request: Precision; its context is used for that alone.
        lengths: Tokens of a prompt and of a chunk.
        assumptions: Which laws are used; the exact ideal ones by default.

    Returns:
        Times of all chunks together [s].

    Raises:
        ValueError: a number has several values, which `jax.vmap` is for.

    References:
        Chunked prefill: Agrawal et al. (2024), Sarathi-Serve, arXiv:2403.02310.
    """
    design, assumptions = with_defaults(design, model, request, assumptions)
    idle = _with_batch(design, design.batch * 0)
    step = _mean_step(idle, model, request, design.batch, lengths, assumptions).step
    return jax.tree.map(lambda it: it * lengths.chunks(), step)


def _with_batch(design: Design, batch: Scalar) -> Design:
    return eqx.tree_at(lambda it: it.batch, design, batch)


def static_batching(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None = None,
) -> Served:
    """A batch of prompts, then its answers; arguments as in `serve`."""
    given = _given(design, model, request, lengths, assumptions)
    return _static(given, given.steps(_static_load(given)))


def _static_load(given: _Given) -> _Load:
    batch = given.design.batch
    return _Load(alone=batch, beside=batch * 0, prompts=batch)


def _static(given: _Given, steps: _Steps) -> Served:
    design, lengths, assumptions = given.design, given.lengths, given.assumptions
    prompts, step = steps.whole(lengths), steps.alone
    accepted = design.accepted(assumptions.relaxation)
    users = design.mapping.pp * design.batch
    answers = use_of(step, (lengths.osl - 1) / accepted)
    return served(
        design,
        lengths,
        assumptions,
        Latency(prompts.time, step.time / accepted),
        tokens=users * lengths.osl,
        use=use_of(prompts).plus(answers),
        answers=answers,
        users=users,
        chip_power=assumptions.relaxation.maximum(prompts.chip_power, step.chip_power),
    )


def continuous_batching(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None = None,
) -> Served:
    r"""The steady state in which a prompt takes the place of every answer that ends.

    A user decodes OSL - 1 tokens, A in a step, so with B users prompts = B P A/(OSL - 1) tokens of
    prompts come in a step, on average, of the P of each prompt that are not cached. They come in
    chunks: a share min(1, prompts/chunk) of the steps passes chunks of max(1, prompts/chunk)
    prompts, the others decode only, and

        TPOT = ((1 - share) T_decode + share T_mixed)/A        TTFT = P/chunk T_mixed

    Where the prompts exceed the budget, fewer users decode: as many as the budget feeds. An answer
    of one token counts as one step. Arguments as in `serve`.

    References:
        Yu et al. (2022), Orca, OSDI; Agrawal et al. (2024), Sarathi-Serve, arXiv:2403.02310.
    """
    given = _given(design, model, request, lengths, assumptions)
    return _continuous(given, given.steps(_continuous_load(given)))


def _fed(given: _Given) -> tuple[Scalar, Scalar]:
    """Users that the budget of prompts feeds, and chunks of prompts that come in a step."""
    design, lengths, relaxation = given.design, given.lengths, given.assumptions.relaxation
    accepted = design.accepted(relaxation)
    wanted = design.batch * lengths.prefill() * accepted / lengths.later()
    passed = wanted
    if lengths.budget is not None:
        passed = relaxation.minimum(wanted, lengths.budget)
    return design.batch * (passed / wanted), passed / lengths.chunk


def _continuous_load(given: _Given) -> _Load:
    users, chunks = _fed(given)
    return _Load(users, users, given.assumptions.relaxation.maximum(1.0, chunks))


def _continuous(given: _Given, steps: _Steps) -> Served:
    users, chunks = _fed(given)
    decoding = _with_batch(given.design, users)
    return _steady(decoding, given.lengths, given.assumptions, *steps, chunks)


def whole_prompts(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions,
    alone: Worked,
) -> Served:
    """Continuous batching of prompts that pass whole, given the step that decodes alone.

    Args:
        design: The design, memories filled.
        model: The model.
        request: Mean context of a decode step, and precision.
        lengths: Tokens of prompt and answer.
        assumptions: Which laws are used.
        alone: The step in which all users decode and no prompt passes.
    """
    relaxation = assumptions.relaxation
    prompts = design.batch * design.accepted(relaxation) / lengths.later()
    chunk = Chunk(tokens=lengths.prefill(), past=lengths.cached())
    passing = Prompts(count=relaxation.maximum(1.0, prompts), chunk=chunk)
    mixed = worked(design, model, request, passing, assumptions)
    return _steady(design, lengths, assumptions, alone, mixed, prompts)


def _steady(
    design: Design,
    lengths: Lengths,
    assumptions: Assumptions,
    alone: Worked,
    mixed: Worked,
    chunks: Scalar,
) -> Served:
    """The steady state of continuous batching.

    Args:
        design: The design, with the users that decode.
        lengths: Of requests.
        assumptions: Which laws are used.
        alone: A step that decodes only.
        mixed: A step that also passes chunks of prompts.
        chunks: Chunks that come in a step, on average.
    """
    relaxation = assumptions.relaxation
    share = relaxation.minimum(1.0, chunks)
    mean = jax.tree.map(lambda one, both: (1 - share) * one + share * both, alone, mixed)
    accepted, users = design.accepted(relaxation), design.mapping.pp * design.batch
    return served(
        design,
        lengths,
        assumptions,
        Latency(lengths.chunks() * mixed.time, mean.time / accepted),
        tokens=users * lengths.osl * accepted / lengths.later(),
        use=use_of(mean),
        answers=use_of(alone),
        users=users,
        chip_power=relaxation.maximum(alone.chip_power, mixed.chip_power),
    )


def cache_crossing(
    design: Design, model: Model, request: Request, lengths: Lengths, assumptions: Assumptions
) -> Scalar:
    """Time in which the cache of one prompt crosses to another instance of a design [s].

    All chips that hold it send their parts at once, over the network between domains; 0 where the
    system has none that is known.

    Args:
        design: The design.
        model: The model.
        request: Precision.
        lengths: Tokens of a prompt, all of which are sent.
        assumptions: Which laws are used.
    """
    network = design.system.network
    if not isinstance(network, AbstractPhysical):
        return jnp.asarray(0.0)
    full = eqx.tree_at(lambda it: it.context, request, lengths.isl)
    sent = cache_sent(model, full, design.mapping, jnp.asarray(1.0), assumptions)
    return network.crossing_time(sent, assumptions.relaxation)


def disaggregated(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None = None,
) -> Served:
    """Two pools of instances of one design, in the ratio that keeps both busy.

    One pool passes prompts, one in each micro-batch; the other decodes for the design's batch. The
    cache of a prompt crosses between them before its first token is counted, while the next prompt
    passes. Arguments as in `serve`.

    References:
        Zhong et al. (2024), DistServe, arXiv:2401.09670.
    """
    given = _given(design, model, request, lengths, assumptions)
    return _apart(given, given.steps(_apart_load(given)))


def _apart_load(given: _Given) -> _Load:
    batch = given.design.batch
    return _Load(alone=batch, beside=batch * 0, prompts=jnp.ones_like(batch))


def _apart(given: _Given, steps: _Steps) -> Served:
    design, model, request, lengths, assumptions = given
    relaxation = assumptions.relaxation
    prompt, step = steps.whole(lengths), steps.alone
    crossing = cache_crossing(design, model, request, lengths, assumptions)
    accepted, pp = design.accepted(relaxation), design.mapping.pp
    answers = use_of(step, (lengths.osl - 1) / accepted / design.batch / pp)
    return served(
        design,
        lengths,
        assumptions,
        Latency(prompt.time + crossing, step.time / accepted),
        tokens=lengths.osl,
        use=answers.plus(use_of(prompt, 1 / pp)),
        answers=answers,
        users=pp * design.batch,
        chip_power=relaxation.maximum(prompt.chip_power, step.chip_power),
    )


@listed
def serve(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None = None,
) -> Serving:
    """Latencies and throughput of requests, for three ways of serving them.

    A pure function, as `predict` is.

    Args:
        design: System, mapping, placement, and the users of one micro-batch that decode. Where the
            placement is left out, the SRAM is filled for them, in every way of serving.
        model: The model.
        request: Mean context of a decode step, `lengths.mean_context()` as a rule, and precision.
        lengths: Tokens of prompt, answer and chunk.
        assumptions: Which laws are used; the exact ideal ones by default.

    Returns:
        Times [s], output tokens a second and chip [1/s], power, energy and cost.

    Raises:
        ValueError: a number has several values, which `jax.vmap` is for.
    """
    given = _given(design, model, request, lengths, assumptions)
    loads = _static_load(given), _continuous_load(given), _apart_load(given)
    # One program of a step serves all ways: it takes long to compile.
    together = jax.vmap(given.steps)(jax.tree.map(lambda *it: jnp.stack(it), *loads))

    def steps(way: int) -> _Steps:
        return jax.tree.map(lambda it: it[way], together)

    return Serving(
        static=_static(given, steps(0)),
        continuous=_continuous(given, steps(1)),
        disaggregated=_apart(given, steps(2)),
    )
