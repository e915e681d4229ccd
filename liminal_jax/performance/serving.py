"""Serving prompts and answers: prefill, then decode, in three ways of sharing the chips.

    e2e = TTFT + (OSL - 1) TPOT

TTFT is the time to the first token, TPOT that of every later one, ISL and OSL the tokens of prompt
and answer. Requests do not wait in a queue, and all have the same lengths.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._arrays import Leaf, Scalar, as_leaf, optional_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.inputs import with_defaults
from liminal_jax.performance.predictor import Step, mixed_step
from liminal_jax.workload.chunk import Chunk, Prompts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
"""Where in a prompt its chunks are timed, and how much each time counts."""

SERVING_WAYS = ("static", "continuous", "disaggregated")
"""Names of the fields of `Serving`."""


class Lengths(Shown):
    """Tokens of a request.

    Attributes:
        isl: Tokens of the prompt.
        osl: Tokens of the answer, at least 1.
        chunk: Tokens of a prompt that pass in one step; the whole prompt by default.
        budget: Tokens of prompts that pass in one step of continuous batching; no limit by default.
    """

    isl: Leaf
    osl: Leaf
    chunk: Leaf
    budget: Leaf | None

    def __init__(
        self,
        isl: Scalar,
        osl: Scalar,
        chunk: Scalar | None = None,
        budget: Scalar | None = None,
    ):
        self.isl = as_leaf(isl)
        self.osl = as_leaf(osl)
        self.chunk = as_leaf(isl if chunk is None else chunk)
        self.budget = optional_leaf(budget)

    def chunks(self) -> Scalar:
        """Chunks of a prompt; one that is not full counts by its part."""
        return self.isl / self.chunk

    def mean_context(self) -> Scalar:
        """Mean context of a user's decode steps, as `Request` has it."""
        return self.isl + self.osl / 2


class Served(Shown):
    """One way of serving.

    Attributes:
        ttft: Time to the first token [s].
        tpot: Mean time of a later token [s].
        e2e: Time of a whole request [s].
        tokens_per_second_per_chip: Tokens of answers, over all chips [1/s].
        users: Users that decode at once, in one instance.
        prefill_share: Share of the chips' time that prompts take; of the chips, where pools are
            apart.
    """

    ttft: Leaf = eqx.field(converter=as_leaf, metadata=quantity("s", "time to the first token"))
    tpot: Leaf = eqx.field(converter=as_leaf, metadata=quantity("s", "mean time of a later token"))
    e2e: Leaf = eqx.field(converter=as_leaf, metadata=quantity("s", "time of a whole request"))
    tokens_per_second_per_chip: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("1/s", "tokens of answers a second and chip")
    )
    users: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "users that decode at once"))
    prefill_share: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("", "share of the chips' time that prompts take", most=1.0),
    )


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
    assumptions: Assumptions | None,
) -> Step:
    """Mean over the chunks of a prompt of a step that passes one of each of `count` prompts.

    The tokens before a chunk run from none to all but the chunk's own. Gauss's rule is exact for
    times that grow as a polynomial of them, and for a single chunk.
    """
    last = lengths.isl - lengths.chunk

    def at(share: Scalar) -> Step:
        prompts = Prompts(count=count, chunk=Chunk(tokens=lengths.chunk, past=share * last))
        return mixed_step(design, model, request, prompts, assumptions)

    steps = jax.vmap(at)(jnp.asarray((_NODES + 1) / 2, float))
    return jax.tree.map(lambda times: jnp.asarray(_WEIGHTS / 2, float) @ times, steps)


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
    step = _mean_step(idle, model, request, design.batch, lengths, assumptions)
    return jax.tree.map(lambda time: time * lengths.chunks(), step)


def _with_batch(design: Design, batch: Scalar) -> Design:
    return eqx.tree_at(lambda it: it.batch, design, batch)


def _token_time(design: Design, model: Model, request: Request, assumptions: Assumptions) -> Scalar:
    """Mean time of a token of one user in steps that decode only [s]."""
    step = mixed_step(design, model, request, assumptions=assumptions).time
    return step / design.accepted(assumptions.relaxation)


def static_batching(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None = None,
) -> Served:
    """A batch of prompts, then its answers; arguments as in `serve`."""
    design, assumptions = with_defaults(design, model, request, assumptions)
    ttft = prefill(design, model, request, lengths, assumptions).time
    tpot = _token_time(design, model, request, assumptions)
    e2e = ttft + (lengths.osl - 1) * tpot
    users = design.mapping.pp * design.batch
    return Served(
        ttft=ttft,
        tpot=tpot,
        e2e=e2e,
        tokens_per_second_per_chip=users * lengths.osl / e2e / design.mapping.chips(),
        users=users,
        prefill_share=ttft / e2e,
    )


def continuous_batching(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None = None,
) -> Served:
    r"""The steady state in which a prompt takes the place of every answer that ends.

    A user decodes OSL - 1 tokens, A in a step, so with B users prompts = B ISL A/(OSL - 1) tokens
    of prompts come in a step, on average. They come in chunks: a share min(1, prompts/chunk) of the
    steps passes chunks of max(1, prompts/chunk) prompts, the others decode only, and

        TPOT = ((1 - share) T_decode + share T_mixed)/A        TTFT = ISL/chunk T_mixed

    Where the prompts exceed the budget, fewer users decode: as many as the budget feeds. An answer
    of one token counts as one step. Arguments as in `serve`.

    References:
        Yu et al. (2022), Orca, OSDI; Agrawal et al. (2024), Sarathi-Serve, arXiv:2403.02310.
    """
    design, assumptions = with_defaults(design, model, request, assumptions)
    relaxation = assumptions.relaxation
    later = jnp.maximum(lengths.osl - 1, 1.0)
    accepted = design.accepted(relaxation)
    wanted = design.batch * lengths.isl * accepted / later
    passed = wanted
    if lengths.budget is not None:
        passed = relaxation.minimum(wanted, lengths.budget)
    batch = design.batch * (passed / wanted)
    chunks = passed / lengths.chunk
    decoding = _with_batch(design, batch)
    together = relaxation.maximum(1.0, chunks)
    mixed = _mean_step(decoding, model, request, together, lengths, assumptions).time
    alone = mixed_step(decoding, model, request, assumptions=assumptions).time
    share = relaxation.minimum(1.0, chunks)
    step = (1 - share) * alone + share * mixed
    tpot = step / accepted
    ttft = lengths.chunks() * mixed
    users = design.mapping.pp * batch
    finished = users / (later * tpot)
    return Served(
        ttft=ttft,
        tpot=tpot,
        e2e=ttft + (lengths.osl - 1) * tpot,
        tokens_per_second_per_chip=finished * lengths.osl / design.mapping.chips(),
        users=users,
        prefill_share=share * (mixed - alone) / step,
    )


def disaggregated(
    design: Design,
    model: Model,
    request: Request,
    lengths: Lengths,
    assumptions: Assumptions | None = None,
) -> Served:
    """Two pools of instances of one design, in the ratio that keeps both busy.

    One pool passes prompts, one in each micro-batch; the other decodes for the design's batch.
    Moving the cache between them takes no time. Arguments as in `serve`.

    References:
        Zhong et al. (2024), DistServe, arXiv:2401.09670.
    """
    design, assumptions = with_defaults(design, model, request, assumptions)
    single = _with_batch(design, jnp.ones_like(design.batch))
    ttft = prefill(single, model, request, lengths, assumptions).time
    tpot = _token_time(design, model, request, assumptions)
    answering = (lengths.osl - 1) * tpot / design.batch
    chip_time = (ttft + answering) / design.mapping.pp * design.mapping.chips()
    return Served(
        ttft=ttft,
        tpot=tpot,
        e2e=ttft + (lengths.osl - 1) * tpot,
        tokens_per_second_per_chip=lengths.osl / chip_time,
        users=design.mapping.pp * design.batch,
        prefill_share=ttft / (ttft + answering),
    )


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
        Times [s] and tokens of answers a second and chip [1/s].

    Raises:
        ValueError: a number has several values, which `jax.vmap` is for.
    """
    design, assumptions = with_defaults(design, model, request, assumptions)
    given = (design, model, request, lengths, assumptions)
    return Serving(
        static=static_batching(*given),
        continuous=continuous_batching(*given),
        disaggregated=disaggregated(*given),
    )
