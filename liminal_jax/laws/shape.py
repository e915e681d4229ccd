"""Other shapes of a model with as many parameters, and layers that are not run.

What they do to quality is unknown above some 7B parameters: published laws of depth and width
disagree there (Bian et al. 2025, arXiv:2501.18107; arXiv:2601.20994).
"""

from liminal_jax._arrays import Scalar


def width_of_equal_weights(*, hidden: Scalar, layers: Scalar, changed: Scalar) -> Scalar:
    r"""Width that leaves the parameters of all layers as they are where their number changes.

        width = d (L / changed)^(1/2)

    Matrices of a layer grow with the square of the width where all its parts grow alike.

    Args:
        hidden: Width d of the residual stream.
        layers: Layers L of the model.
        changed: Layers that it is to have.

    Returns:
        Width, relaxed to a real number.

    References:
        Counted: 24 layers of 2048, 16 of 2560 and 12 of 3072 of Bian et al. have parameters within
        13 % of each other.

    Examples:
        >>> width_of_equal_weights(hidden=100.0, layers=32.0, changed=8.0)
        200.0
    """
    return hidden * (layers / changed) ** 0.5


def layers_run(*, layers: Scalar, skipped: Scalar) -> Scalar:
    r"""Layers that a token passes where some are skipped.

        run = L (1 - skipped)

    Args:
        layers: Layers L of the model.
        skipped: Share of them that a token skips on average, between 0 and 1.

    Returns:
        Layers, relaxed to a real number.

    References:
        FlexiDepth skips 8 of 32 layers of Llama-3-8B at equal accuracy (abstract, second-hand);
        nothing is published for large models. A batch skips only what all of its tokens skip.

    Examples:
        >>> layers_run(layers=32.0, skipped=0.25)
        24.0
    """
    return layers * (1 - skipped)
