"""How long a prompt waits for other prompts."""

import jax.numpy as jnp

from liminal_jax._arrays import Scalar


def closed_loop_response(*, service: Scalar, away: Scalar, users: Scalar) -> Scalar:
    r"""Time that a prompt takes where some users send the next one when their answer has ended.

        response = (excess + sqrt(excess^2 + 4 service away)) / 2
        excess = users service - away

    One server passes prompts, and each user is away for a while between two of them. It solves the
    approximate mean value analysis, in which a new prompt finds the share response / (response +
    away) of the other users before it. A single user waits for nobody, and where users are many
    the response is the excess.

    Args:
        service: Time of one prompt alone [s].
        away: Time that an answer takes once its first token is there [s].
        users: Users in the loop.

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

        wait = service busy / (2 (1 - busy))
        busy = rate service

    Args:
        service: Time of one prompt, each the same [s].
        rate: Prompts that come in a second [1/s], fewer than are served.

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
