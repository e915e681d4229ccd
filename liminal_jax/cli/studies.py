"""`liminal studies`: the bundled studies."""

from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed
from liminal_jax.results.studies import page, studies_record


def studies_list(
    study: Annotated[tyro.conf.Positional[Maybe[str]], tyro.conf.arg(metavar="[NAME]")] = None,
    json: bool = False,
) -> None:
    """List the studies that come with the package, or tell all that one of them asks.

    Args:
        study: The one; all where left out.
        json: Print one JSON object, from name to what it asks (about), and whether its answer is
            proven or bounded (class).
    """
    from liminal_jax.study.bundled import study_abouts, study_class

    abouts = study_abouts()
    if study is not None and study not in abouts:
        problem = Problem(
            "", f"there is no study {study!r}; `liminal studies` lists those there are"
        )
        raise InputError("liminal studies", [problem])
    names = abouts if study is None else [study]
    record = studies_record(
        {name: abouts[name] for name in names}, {name: study_class(name) for name in names}
    )
    printed(record, page, json)
