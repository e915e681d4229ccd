"""`liminal models`: list, show, import and compare models."""

import json as json_format
import math
import re
import sys

import tyro
from rich.console import Console

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.options import Maybe

_ZEROS = {"": 0, "K": 3, "M": 6, "B": 9, "T": 12}


def models_list(json: bool = False) -> None:
    """List the bundled models.

    Args:
        json: Print one JSON object, from name to counts.
    """
    from liminal_jax.data.summaries import bundled_summaries
    from liminal_jax.view.models import models_legend, models_table

    models = bundled_summaries()
    if json:
        _print_record({name: model.counts._asdict() for name, model in models.items()})
        return
    _print(models_table(models.values()), "", models_legend())


def models_import(
    path: tyro.conf.Positional[str],
    expect_parameters: Maybe[str] = None,
    save: Maybe[str] = None,
    json: bool = False,
) -> int:
    """Read a Hugging Face config and show what was read, defaulted and ignored.

    Args:
        path: A config.json, a folder that holds one, or an id of the hub: hf:org/name, or
            org/name where there is no such path.
        expect_parameters: Parameters that the model should have, such as 671B, 1.03T or 8.03e9;
            exit code 1, and nothing is saved, where no way of counting comes within 1 %. The
            number of a page that counts a vision tower may exceed the text model's by up to twice
            what the tower holds by its config.
        save: Write the model to SAVE.toml, to edit and to give as a model; a name in lower case
            with hyphens.
        json: Print one JSON object: the name and the counts.
    """
    from liminal_jax.data.models import load_model_config, model_file, save_model_spec
    from liminal_jax.view.models import expectation, expectation_view, model_view, report_view
    from liminal_jax.workload.summarised import summarised

    number = None if expect_parameters is None else parameter_number(expect_parameters)
    if save is not None:
        model_file(save)
    spec, report = load_model_config(path)
    model = summarised(spec)
    found = None if number is None else expectation(model.counts, number, report.towers)
    failed = found is not None and not found.fitting()
    saved = None if save is None or failed else save_model_spec(spec, save)
    if json:
        extra: dict[str, object] = {} if found is None else {"expected": found.record()}
        if save is not None:
            extra["saved"] = None if saved is None else str(saved)
        _print_record({"name": model.name, **model.counts._asdict(), **extra})
    else:
        view = [] if found is None else [expectation_view(found)]
        _print(report_view(report), model_view(model), *view)
    for line in (report.defaults(), report.widths):
        if line:
            print(line, file=sys.stderr)
    if found is not None:
        print(found.sentence(), file=sys.stderr)
    if saved is not None:
        print(f"{saved} written; try: liminal models show {saved}", file=sys.stderr)
    elif save is not None:
        print(f"{save}.toml is not written", file=sys.stderr)
    return int(failed)


def models_show(name: tyro.conf.Positional[str], json: bool = False) -> None:
    """Show one model.

    Args:
        name: A bundled model, a model file, a config.json, a folder that holds one, or
            hf:org/name.
        json: Print one JSON object: the name and the counts.
    """
    from liminal_jax.data.summaries import load_summary
    from liminal_jax.view.models import model_view

    model = load_summary(name)
    if json:
        _print_record({"name": model.name, **model.counts._asdict()})
        return
    _print(model_view(model))


def models_compare(
    first: tyro.conf.Positional[str], second: tyro.conf.Positional[str], json: bool = False
) -> None:
    """Show two models side by side: parameters, and what they keep and read for a token.

    Args:
        first: A bundled model, a model file, a config.json, a folder that holds one, or
            hf:org/name.
        second: The model to compare it with.
        json: Print one JSON object: `models`, a list of two; bytes with 8-bit weights and cache.
    """
    from liminal_jax.cli.runtime import prepare_jax
    from liminal_jax.data.models import load_model_spec
    from liminal_jax.view.models_compared import comparison_table, traits

    specs = [load_model_spec(name) for name in (first, second)]
    prepare_jax()
    if json:
        _print_record({"models": [traits(spec) for spec in specs]})
        return
    _print(comparison_table(*specs))


def parameter_number(text: str) -> float:
    """A number of parameters as people write it.

    Args:
        text: Such as `671B`, `1.03T`, `671e9` or `8_030_261_248`.

    Raises:
        InputError: It is none.

    Examples:
        >>> parameter_number("1.03T"), parameter_number("671e9")
        (1030000000000.0, 671000000000.0)
    """
    match = re.fullmatch(r"(\d[\d_]*(?:\.\d+)?(?:e\+?\d+)?) ?([kmbt]?)", text.strip(), re.I | re.A)
    if match is not None:
        number = float(match[1].replace("_", "")) * 10.0 ** _ZEROS[match[2].upper()]
        if 0 < number < math.inf:
            return number
    message = f"must be a number of parameters such as 671B, 1.03T or 8.03e9, got {text!r}"
    raise InputError("--expect-parameters", [Problem("", message)])


def _print_record(record: dict[str, object]) -> None:
    print(json_format.dumps(record, indent=2))


def _print(*parts: object) -> None:
    """Print to a terminal of any width; at 100 columns where there is none."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=100)
    console.print(*parts, sep="\n", highlight=False)
