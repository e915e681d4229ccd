"""Speculative decoding: a drafter proposes tokens, and the model checks all of them in one step.

A step checks drafts + 1 tokens of a user and keeps the drafts up to the first that is wrong, and
one token of its own in any case.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from liminal_jax._arrays import Scalar

MOST_DRAFTS = 16
"""Drafts beyond which no more are counted. Curves of acceptance are published up to 8 drafts of a
chain, and block drafters propose 16 at most (DFlash, vLLM speculators v0.5.0)."""


def chain_acceptance(*, drafts: Scalar, acceptance: Scalar, decay: Scalar) -> Scalar:
    r"""Chance that a whole chain of drafts is accepted.

    The first is accepted with some chance, and each next one, if those before it were, with a
    chance lower by the same factor, because a drafter goes on from its own guesses:

        chance = acceptance^drafts decay^(drafts (drafts - 1)/2)

    Args:
        drafts: Drafts in the chain, 0 or more.
        acceptance: Chance that the first draft is accepted, above 0, at most 1.
        decay: Factor on the chance from one draft to the next, above 0, at most 1.

    Returns:
        Chance between 0 and 1.

    References:
        Fitted to nine curves of accepted tokens over 1 to 8 drafts in SemiAnalysisAI/InferenceX,
        golden_al_distribution (data read at the source; the form is this project's inference): off
        by 0.01 to 0.10 tokens a step, the chance without decay by up to 0.25. Block drafters keep
        1 up to the end of a block, where they fall faster.

    Examples:
        >>> chain_acceptance(drafts=3, acceptance=0.5, decay=1.0)
        0.125
        >>> chain_acceptance(drafts=3, acceptance=1.0, decay=0.5)  # 1 x 1/2 x 1/4
        0.125
    """
    return acceptance**drafts * decay ** (drafts * (drafts - 1) / 2)


def accepted_tokens(*, drafts: Scalar, acceptance: Scalar, decay: Scalar) -> Scalar:
    r"""Tokens that a step yields one user: the accepted drafts, and one of the model itself.

        tokens = 1 + sum(acceptance^place decay^(place (place - 1)/2))
        place = 1 .. drafts

    Between whole numbers of drafts it is linear, so that it is concave in the drafts; those beyond
    `MOST_DRAFTS` add nothing.

    Args:
        drafts: Drafts that a step checks, a real number, 0 or more.
        acceptance: Chance that the first draft is accepted, above 0, at most 1.
        decay: Factor on the chance from one draft to the next, above 0, at most 1.

    Returns:
        Tokens a step, between 1 and drafts + 1.

    References:
        Leviathan et al. (2023), Fast Inference from Transformers via Speculative Decoding,
        arXiv:2211.17192, where nothing decays: (1 - acceptance^(drafts + 1))/(1 - acceptance). The
        decay is that of `chain_acceptance`.

    Examples:
        >>> float(accepted_tokens(drafts=2, acceptance=0.5, decay=1.0))  # 1 + 1/2 + 1/4
        1.75
        >>> float(accepted_tokens(drafts=1.5, acceptance=0.5, decay=1.0))
        1.625
    """
    # The first draft has no lower end, so that its worth shows in the slope where there is none.
    tokens = 1.0 + jnp.minimum(drafts, 1.0) * acceptance
    for place in range(2, MOST_DRAFTS + 1):
        checked = jnp.clip(drafts - (place - 1.0), 0.0, 1.0)
        # Whole exponents, of which powers of zero have slopes.
        tokens += checked * acceptance**place * decay ** (place * (place - 1) // 2)
    return tokens


def draft_gain(
    *, drafts: Scalar, acceptance: Scalar, decay: Scalar, time: Scalar, added: Scalar
) -> Scalar:
    r"""By how much one more draft makes a user faster; negative where it does not pay.

        gain = (1 + chance / tokens) / (1 + added / time) - 1
        chance = chance(drafts + 1, acceptance, decay)
        tokens = tokens(drafts, acceptance, decay)

    with `chain_acceptance` and `accepted_tokens`. A draft pays where it adds a larger share of
    tokens than of time.

    Args:
        drafts: Drafts of a step without the new one.
        acceptance: Chance that the first draft is accepted.
        decay: Factor on the chance from one draft to the next.
        time: Time of a step without the new draft, drafting included [s].
        added: Time that drafting and checking one more adds [s].

    Returns:
        Relative gain of tokens a second.

    References:
        The rule of DSpark, most expected tokens over profiled time: vLLM blog of 2026-08-14.

    Examples:
        >>> # 1.5 tokens in 3 s become 1.75 tokens in 3.5 s
        >>> float(draft_gain(drafts=1.0, acceptance=0.5, decay=1.0, time=3.0, added=0.5))
        0.0
    """
    tokens = accepted_tokens(drafts=drafts, acceptance=acceptance, decay=decay)
    chance = chain_acceptance(drafts=drafts + 1, acceptance=acceptance, decay=decay)
    return (1 + chance / tokens) / (1 + added / time) - 1


def best_drafts(
    *, times: Float[Array, " counts"], acceptance: Scalar, decay: Scalar
) -> Int[Array, ""]:
    r"""The number of drafts with which a user has the most tokens a second.

        drafts = argmax(tokens / times)
        tokens = tokens(drafts, acceptance, decay)

    with `accepted_tokens`.

    Args:
        times: Time of a step with no draft, one, two and so on, drafting included [s]. It grows
            with users and drafts, so the best number falls with the batch.
        acceptance: Chance that the first draft is accepted.
        decay: Factor on the chance from one draft to the next.

    Returns:
        Number of drafts, from 0 to one less than there are times.

    References:
        The rule of DSpark, most expected tokens over profiled time: vLLM blog of 2026-08-14.

    Examples:
        >>> times = jnp.array([1.0, 1.1, 1.3, 2.0])  # 1, 1.5, 1.75 and 1.875 tokens
        >>> int(best_drafts(times=times, acceptance=0.5, decay=1.0))
        1
    """
    counts = range(times.shape[0])
    tokens = [accepted_tokens(drafts=it, acceptance=acceptance, decay=decay) for it in counts]
    return jnp.argmax(jnp.stack(tokens) / times)


def checked_experts(*, first: Scalar, independent: Scalar, fresh: Scalar) -> Scalar:
    r"""Experts that a step with drafts reads: those of the first tokens, and new ones of drafts.

        distinct = first + fresh (independent - first)

    Neighbouring tokens share experts, so drafts touch fewer new ones than independent tokens would.

    Args:
        first: Distinct experts of one token of each user.
        independent: Distinct experts of all tokens of the step, routed independently.
        fresh: Share of the new ones that are in fact read, between 0 and 1.

    Returns:
        Expected number of experts whose weights are read.

    References:
        27 experts of 512 measured in a window of 4 tokens that are sent to 10 each, of one user
        (Qwen3.8-Flash-Next, public note, second-hand); independent tokens touch 38.8, so that the
        share is 0.59. Measured for one user only; between users of a batch routing stays as it is.

    Examples:
        >>> round(checked_experts(first=10.0, independent=38.8, fresh=0.59), 1)
        27.0
    """
    return first + fresh * (independent - first)
