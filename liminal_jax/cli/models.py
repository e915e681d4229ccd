"""`liminal models`: list, show, import and compare models."""

import math
import re
import sys
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed

_ZEROS = {"": 0, "K": 3, "M": 6, "B": 9, "T": 12}


def models_list(json: bool = False) -> None:
    """List the bundled models.

    Args:
        json: Print one JSON object, from name to counts and layers.
    """
    from liminal_jax.data.summaries import bundled_summaries
    from liminal_jax.results.models import models_record, page

    printed(models_record(bundled_summaries().values()), page, json)


def models_import(
    path: tyro.conf.Positional[str],
    expect_parameters: Annotated[Maybe[str], tyro.conf.arg(metavar="COUNT")] = None,
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
        json: Print one JSON object: the name, the counts and the layers.
    """
    from liminal_jax.data.models import load_model_config, model_file, save_model_spec
    from liminal_jax.results.model import model_record, page
    from liminal_jax.workload.expected import expectation
    from liminal_jax.workload.summarised import summarised

    number = None if expect_parameters is None else parameter_number(expect_parameters)
    if save is not None:
        model_file(save)
    spec, report = load_model_config(path)
    if save is not None:
        spec = spec.model_copy(update={"name": save})
    model = summarised(spec)
    found = None if number is None else expectation(model.counts, number, report.towers)
    failed = found is not None and not found.fitting()
    saved = None if save is None or failed else save_model_spec(spec, save)
    record = {**model_record(model), "config": report.record()}
    if found is not None:
        record["expected"] = found.record()
    if save is not None:
        record["saved"] = None if saved is None else str(saved)
    printed(record, page, json)
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
        json: Print one JSON object: the name, the counts and the layers.
    """
    from liminal_jax.data.summaries import load_summary
    from liminal_jax.results.model import model_record, page

    printed(model_record(load_summary(name)), page, json)


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
    from liminal_jax.results.model_comparison import comparison_record, page

    specs = [load_model_spec(name) for name in (first, second)]
    prepare_jax()
    printed(comparison_record(*specs), page, json)


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
