"""The calibration that a command is asked to apply, and what it says of a design that was found."""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.cli.found import Found


class Asked(NamedTuple):
    """A calibration, and the engine of which it is to speak.

    Attributes:
        calibration: The calibration.
        engine: The engine.
    """

    calibration: Any
    engine: Any


def calibration_asked(command: str, name: str | None, engine: str | None) -> Asked | None:
    """What was asked for; None without a name.

    Args:
        command: The command, as messages call it.
        name: A calibration, its file, or an engine of the package's own.
        engine: An engine, as users name it.

    Raises:
        InputError: there is no such calibration, an engine without one, or a release of it that
            nobody dates.
    """
    if name is None and engine is not None:
        problem = Problem("--engine", "speaks of a calibration: give --calibration too")
        raise InputError(command, [problem])
    if name is None:
        return None
    from liminal_jax.data.calibrations import DEFAULT, calibration_names, load_calibration
    from liminal_jax.study.calibrated import Engine, engine_of, measured_engine

    found = None if engine is not None else measured_engine(name)
    if found is not None:
        return Asked(load_calibration(DEFAULT), Engine(found))
    if not (name in calibration_names() or Path(name).exists()):
        known = [*calibration_names(), *load_calibration(DEFAULT).groups("engine")]
        hint = (
            did_you_mean(name.lower(), map(str.lower, known)) or f"; there are {', '.join(known)}"
        )
        message = f"{name!r} is no calibration, file or engine{hint}"
        raise InputError(command, [Problem("--calibration", message)])
    try:
        calibration = load_calibration(name)
        return Asked(calibration, engine_of(engine, calibration))
    except InputError as error:
        raise InputError(error.source if engine is None else command, error.problems) from None


def with_interval(found: Found, asked: Asked) -> Found:
    """The result of a study, with what its calibration says of the best design.

    Args:
        found: The result of a study of one workload.
        asked: The calibration.
    """
    from liminal_jax.results.optimum import page
    from liminal_jax.study.calibrated import calibrated_step
    from liminal_jax.study.file import design_of

    ((name, text),) = found.designs.items()
    step = calibrated_step(design_of(tomllib.loads(text), name), *asked)
    record = {**found.record, "calibrated": step.record()}
    return found._replace(record=record, page=page(record))
