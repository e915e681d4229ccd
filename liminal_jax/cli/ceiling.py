"""`liminal ceiling`: the most tokens a second for one user that each technology reaches."""

from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.options import Maybe, with_flags
from liminal_jax.cli.printed import printed
from liminal_jax.cli.runtime import prepare_jax

NAME = "liminal ceiling"

_FLAGS = {"workload.model": "--model", "context": "--context"}
"""What the user wrote for what is wrong."""


def ceiling(
    model: Annotated[Maybe[str], tyro.conf.arg(aliases=["-m"])] = None,
    context: Maybe[int] = None,
    json: bool = False,
) -> None:
    """Show the most tokens a second for one user that each technology reaches, and what binds.

    Systems that come with the package, and planned chips within the limits of the built-in study.

    Each as it is, and with every lever of software that leaves results as they are.

    Beside the speed: the energy of a token over its floor, bytes and multiply-adds once.

    Args:
        model: A bundled model (see `liminal models`), or a path to a config.json or model file.
        context: Tokens of context; those of the built-in study, 131072, by default.
        json: Print one JSON object in SI units.
    """
    if model is None:
        raise InputError(NAME, [Problem("--model", "is required; see `liminal models`")])
    prepare_jax()

    from liminal_jax.cli.progress import ProgressBar
    from liminal_jax.optimization.reach.ceiling import ceiling as found_by
    from liminal_jax.results.ceiling import page

    try:
        with ProgressBar() as progress:
            record = found_by(model, context=context, progress=progress).to_dict()
    except InputError as error:
        raise InputError(NAME, with_flags(error.problems, _FLAGS)) from None
    printed(record, page, json)
