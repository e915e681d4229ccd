"""`liminal studies`: the bundled studies."""

import json as json_format


def studies_list(json: bool = False) -> None:
    """List the studies that come with the package.

    Args:
        json: Print one JSON object, from name to what it asks.
    """
    from rich.table import Table

    from liminal_jax.study.bundled import study_abouts
    from liminal_jax.view.console import results

    studies = study_abouts()
    if json:
        print(json_format.dumps({name: it.strip() for name, it in studies.items()}, indent=2))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column("study", no_wrap=True)
    table.add_column("question")
    for name, about in studies.items():
        table.add_row(name, " ".join(about.split()))
    results().print(table)
