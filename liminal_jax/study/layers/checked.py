"""What a search needs of a function of losses: one for each layer, with a slope, and by itself."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._files import InputError, Problem
from liminal_jax.study.layers.loss import Combination, FunctionLoss, LossFunction

NAMES = ("weight_bits", "kv_bits", "window")
"""Numbers of a layer that a loss may depend on, in the order of a function's arguments."""

PLACE = "loss"
"""What messages call the function."""

DRAWN = 32
"""Pairs of losses at which a combination is tried."""


def checked_loss(
    function: LossFunction, grids: Mapping[str, Sequence[float]], layers: int
) -> FunctionLoss:
    """A function of losses, tried at every value that layers choose among.

    Args:
        function: Losses of all layers, of their weight bits, bits of the cache, and windows.
        grids: Values of each among which layers choose.
        layers: Layers of the model.

    Raises:
        InputError: it cannot be traced, is not of one number for each layer, is no number or has
            no slope at some layer, moves in steps, or the loss of one layer depends on another.
    """
    _refuse_untraceable(function, layers)
    choices = np.asarray(list(itertools.product(*(grids[name] for name in NAMES))), float)

    def at(choice: Any) -> Any:
        return function(*(jnp.broadcast_to(it, layers) for it in choice))

    def slopes(choice: Any) -> Any:
        """Slope of each layer's loss along each number, all layers moved at once."""
        return jax.vmap(lambda way: jax.jvp(at, (choice,), (way,))[1])(jnp.eye(len(NAMES)))

    values = np.asarray(jax.lax.map(at, jnp.asarray(choices)))
    _refuse_unknown("is", values, choices)
    found = np.asarray(jax.lax.map(slopes, jnp.asarray(choices)))
    _refuse_unknown("has a slope of", found.swapaxes(1, 2), choices)
    _refuse_steps(values, found, choices)
    _refuse_coupled(function, choices, layers)
    return FunctionLoss(function, layers)


def checked_combination(combination: Combination, layers: int) -> Combination:
    """How losses of layers combine, tried at random losses.

    Raises:
        InputError: it falls with the loss of a layer, or is not convex: no bound would hold.
    """
    random = np.random.default_rng(0)
    left, right = jnp.asarray(random.uniform(size=(2, DRAWN, layers)))
    place = "over_layers"
    try:
        each = jax.vmap(combination)
        ends, middle = (each(left), each(right)), each((left + right) / 2)
        falling = np.asarray(jax.vmap(jax.grad(combination))(left)).min(axis=0)
    except Exception as error:
        raise _refusal(place, f"cannot be differentiated: {_first_line(error)}") from None
    if (falling < 0).any():
        layer = int(np.argmin(falling))
        raise _refusal(place, f"falls with the loss of layer {layer}; it must not fall with any")
    mean = np.asarray((ends[0] + ends[1]) / 2)
    if (np.asarray(middle) > mean + 1e-9 * np.abs(mean)).any():
        raise _refusal(place, "is not convex in the losses of layers, so that no bound would hold")
    return combination


def _refusal(place: str, message: str) -> InputError:
    return InputError("", [Problem(place, message)])


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def _refuse_untraceable(function: LossFunction, layers: int) -> None:
    given = [jax.ShapeDtypeStruct((layers,), jnp.result_type(float))] * len(NAMES)
    try:
        found = jax.eval_shape(function, *given)
        jax.eval_shape(jax.jacfwd(function, argnums=(0, 1, 2)), *given)
    except Exception as error:
        message = f"is not differentiable: write it with jax.numpy ({_first_line(error)})"
        raise _refusal(PLACE, message) from None
    shape = getattr(found, "shape", None)
    if shape != (layers,):
        message = (
            f"must have a loss for each of {layers} layers, got shape {shape}; say how they"
            " combine with over_layers if not by their sum"
        )
        raise _refusal(PLACE, message)


def _choice_words(choice: np.ndarray) -> str:
    return ", ".join(f"{name} {it:g}" for name, it in zip(NAMES, choice, strict=True))


def _refuse_unknown(what: str, values: np.ndarray, choices: np.ndarray) -> None:
    """Refuse what is no finite number, by layer; further axes are of one layer."""
    unknown = ~np.isfinite(values).reshape(*values.shape[:2], -1).all(axis=2)
    if unknown.any():
        row, layer = np.argwhere(unknown)[0].tolist()
        here = values[row, layer].ravel()
        value = here[~np.isfinite(here)][0]
        message = f"{what} {value:g} at layer {layer} with {_choice_words(choices[row])}"
        raise _refusal(PLACE, message)


def _refuse_steps(values: np.ndarray, slopes: np.ndarray, choices: np.ndarray) -> None:
    """Refuse losses that differ between values of a number, and have no slope along it anywhere."""
    for axis, name in enumerate(NAMES):
        others = np.delete(choices, axis, axis=1)
        same = (others == others[0]).all(axis=1)
        moves = np.ptp(values[same], axis=0) > 0
        flat = (slopes[:, axis] == 0).all(axis=0)
        if (moves & flat).any():
            layer = int(np.argmax(moves & flat))
            message = (
                f"is not differentiable: at layer {layer} it moves in steps with {name}, its slope"
                " is 0 at every value"
            )
            raise _refusal(PLACE, message)


def _refuse_coupled(function: LossFunction, choices: np.ndarray, layers: int) -> None:
    """Refuse a loss of one layer that depends on what another chooses."""
    middle = [jnp.full(layers, it) for it in choices.mean(axis=0)]
    for name, slopes in zip(NAMES, jax.jacfwd(function, argnums=(0, 1, 2))(*middle), strict=True):
        apart = np.asarray(slopes) * (1 - np.eye(layers))
        if apart.any():
            layer, other = np.argwhere(apart)[0].tolist()
            message = (
                f"of layer {layer} depends on {name} of layer {other}; the loss of a layer may"
                " depend on its own numbers alone"
            )
            raise _refusal(PLACE, message)
