"""`liminal studies`: the bundled studies."""

import json as json_format


def studies_list(json: bool = False) -> None:
    """List the studies that come with the package.

    Args:
        json: Print one JSON object, from name to what it asks (about), and whether its answer is
            proven or bounded (class).
    """
    from rich.table import Table

    from liminal_jax.study.bundled import study_abouts, study_class
    from liminal_jax.view.console import results

    studies = study_abouts()
    if json:
        told = {
            name: {"about": it.strip(), "class": study_class(name)} for name, it in studies.items()
        }
        print(json_format.dumps(told, indent=2))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column("study", no_wrap=True)
    table.add_column("class")
    table.add_column("question")
    for name, about in studies.items():
        table.add_row(name, study_class(name), " ".join(about.split()))
    results().print(table)
