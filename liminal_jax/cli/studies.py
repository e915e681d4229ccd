"""`liminal studies`: the questions that come with the package."""

import json as json_format


def studies_list(json: bool = False) -> None:
    """List the studies that come with the package.

    Args:
        json: Print one JSON object, from name to what it asks.
    """
    from rich.table import Table

    from liminal_jax.study.file import load_question, study_names
    from liminal_jax.view.console import results

    studies = [load_question(name) for name in study_names()]
    if json:
        print(json_format.dumps({it.name: it.about.strip() for it in studies}, indent=2))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column("study", no_wrap=True)
    table.add_column("question")
    for study in studies:
        table.add_row(study.name, " ".join(study.about.split()))
    results().print(table)
