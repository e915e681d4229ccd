"""Parallel decoding: a canvas of tokens is refined over several passes (diffusion models).

How many tokens a pass settles, and at what quality, is not known from a law: it is given.
"""

from liminal_jax._arrays import Scalar


def canvas_passes(*, canvas: Scalar, settled: Scalar) -> Scalar:
    r"""Passes over a canvas until all its tokens are settled.

        passes = canvas / settled

    Args:
        canvas: Tokens of the canvas.
        settled: Tokens that a pass settles, on average, between 1 and the canvas.

    Returns:
        Passes, relaxed to a real number.

    References:
        Definition. One token a pass is the best quality of LLaDA (NVlabs/Fast-dLLM, README).

    Examples:
        >>> canvas_passes(canvas=256.0, settled=4.0)
        64.0
    """
    return canvas / settled


def canvas_token_time(*, canvas: Scalar, settled: Scalar, time: Scalar, commit: Scalar) -> Scalar:
    r"""Time of a token where a canvas of them is decoded together.

        token = (passes time + commit) / canvas
        passes = canvas / settled

    Args:
        canvas: Tokens of the canvas.
        settled: Tokens that a pass settles, on average, between 1 and the canvas.
        time: Time of a pass, which computes every token of the canvas [s].
        commit: Time of the pass that leaves the finished canvas in the cache, 0 where the last one
            does so [s].

    Returns:
        Time [s]. A canvas reads nearly all experts and computes as a batch of its tokens does.

    References:
        Counted. DiffusionGemma-26B-A4B, canvas of 256: 1008 tokens/s on an H100 for one user, so
        254 ms a canvas, where 197 come one by one (vLLM blog of 2026-06-10).

    Examples:
        >>> canvas_token_time(canvas=256.0, settled=4.0, time=2.0, commit=128.0)
        1.0
    """
    return (canvas_passes(canvas=canvas, settled=settled) * time + commit) / canvas
