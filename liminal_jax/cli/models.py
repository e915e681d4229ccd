"""The models that are known, and what a config describes."""

import json as json_format

import tyro
from rich.console import Console


def models_list(json: bool = False) -> None:
    """List the bundled models.

    Args:
        json: Print one JSON object, from name to counts.
    """
    from liminal_jax.data.models import load_model_spec, model_names
    from liminal_jax.view.models import models_legend, models_table
    from liminal_jax.workload.counts import counts

    specs = [load_model_spec(name) for name in model_names()]
    if json:
        print(json_format.dumps({spec.name: counts(spec)._asdict() for spec in specs}, indent=2))
        return
    _print(models_table(specs), "", models_legend())


def models_import(path: tyro.conf.Positional[str], json: bool = False) -> None:
    """Read a Hugging Face config and show what was read, defaulted and ignored.

    Args:
        path: A config.json, or a folder that holds one.
        json: Print one JSON object: the name and the counts.
    """
    from liminal_jax.view.models import model_view, report_view
    from liminal_jax.workload.counts import counts
    from liminal_jax.workload.huggingface import read_config

    spec, report = read_config(path)
    if json:
        print(json_format.dumps({"name": spec.name, **counts(spec)._asdict()}, indent=2))
        return
    _print(report_view(report), model_view(spec))


def models_show(name: tyro.conf.Positional[str], json: bool = False) -> None:
    """Show one model.

    Args:
        name: A bundled model, a model file, a config.json or a folder that holds one.
        json: Print one JSON object: the name and the counts.
    """
    from liminal_jax.data.models import load_model_spec
    from liminal_jax.view.models import model_view
    from liminal_jax.workload.counts import counts

    spec = load_model_spec(name)
    if json:
        print(json_format.dumps({"name": spec.name, **counts(spec)._asdict()}, indent=2))
        return
    _print(model_view(spec))


def _print(*parts: object) -> None:
    """Print to a terminal of any width; at 100 columns where there is none."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=100)
    console.print(*parts, sep="\n", highlight=False)
