"""How long a prompt waits for other prompts."""

import jax.numpy as jnp

from liminal_jax._arrays import Scalar


def closed_loop_response(*, service: Scalar, away: Scalar, users: Scalar) -> Scalar:
    r"""Time that a prompt takes where some users send the next one when their answer has ended.

        W = (n S - Z + sqrt((n S - Z)^2 + 4 S Z)) / 2

    One server passes prompts in S, and each of n users is away for Z between two of them: the
    approximate mean value analysis W = S (1 + (n - 1) W / (W + Z)), solved. It is S for a single
    user, and n S - Z where users are many.

    Args:
        service: Time S of one prompt alone [s].
        away: Time Z that an answer takes once its first token is there [s].
        users: Users n in the loop.

    Returns:
        Time from sending a prompt to its end, waiting included [s].

    References:
        Reiser and Lavenberg (1980), Mean-value analysis of closed multichain queuing networks,
        JACM 27(2), 313-322; Schweitzer (1979), Approximate analysis of multiclass closed networks
        of queues: the users that a new one finds are (n - 1)/n of the mean.

    Examples:
        >>> float(closed_loop_response(service=2.0, away=6.0, users=1.0))
        2.0
        >>> float(closed_loop_response(service=2.0, away=3.0, users=2.0))
        3.0
    """
    excess = users * service - away
    return (excess + jnp.sqrt(excess**2 + 4 * service * away)) / 2


def open_loop_wait(*, service: Scalar, rate: Scalar) -> Scalar:
    r"""Time that a prompt waits for those before it where they come by themselves.

        W = S r / (2 (1 - r))        r = lambda S

    Args:
        service: Time S of one prompt, each the same [s].
        rate: Prompts lambda that come in a second [1/s]; less than 1/S.

    Returns:
        Mean time in the queue [s].

    References:
        Pollaczek and Khinchine, for equal times of service (M/D/1).

    Examples:
        >>> open_loop_wait(service=2.0, rate=0.25)
        1.0
    """
    busy = rate * service
    return service * busy / (2 * (1 - busy))
