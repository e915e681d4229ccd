"""Routed experts that work in a space narrower than the residual stream."""

from liminal_jax._arrays import Scalar


def latent_projection_weights(*, hidden: Scalar, latent: Scalar) -> Scalar:
    r"""Weights of the projections into the space of the experts and out of it.

    All experts share them; each token passes both once.

        weights = 2 d latent

    Args:
        hidden: Width d of the residual stream.
        latent: Width of the experts' space.

    Returns:
        Number of weights.

    References:
        NVIDIA (2025), Nemotron 3, arXiv:2512.20856 (LatentMoE).

    Examples:
        >>> latent_projection_weights(hidden=10, latent=4)
        80
    """
    return 2 * hidden * latent
