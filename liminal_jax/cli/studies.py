"""`liminal studies`: the bundled studies."""

from liminal_jax.cli.printed import printed
from liminal_jax.results.studies import page, studies_record


def studies_list(json: bool = False) -> None:
    """List the studies that come with the package.

    Args:
        json: Print one JSON object, from name to what it asks (about), and whether its answer is
            proven or bounded (class).
    """
    from liminal_jax.study.bundled import study_abouts, study_class

    abouts = study_abouts()
    printed(studies_record(abouts, {name: study_class(name) for name in abouts}), page, json)
