"""`liminal predict`: one design, one screen."""

import json as json_format
from typing import Annotated, Any, Literal

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.runtime import prepare_jax

_FLAGS = {
    "system": "design.system",
    "tp": "design.tp",
    "cp": "design.cp",
    "pp": "design.pp",
    "ep": "design.ep",
    "batch_size": "design.batch",
    "model": "workload.model",
    "context": "workload.context",
    "weight_bits": "workload.weight_bits",
    "kv_bits": "workload.kv_bits",
    "accounting": "workload.accounting",
}
"""Flags, and the fields of a design file that they stand for."""


def predict(
    model: Annotated[str | None, tyro.conf.arg(aliases=["-m"])] = None,
    system: str | None = None,
    tp: int | None = None,
    cp: int | None = None,
    pp: int | None = None,
    ep: int | None = None,
    batch_size: int | None = None,
    context: int | None = None,
    weight_bits: float | None = None,
    kv_bits: float | None = None,
    accounting: Literal["model", "talk"] | None = None,
    config: Annotated[str | None, tyro.conf.arg(aliases=["-c"])] = None,
    json: bool = False,
) -> None:
    """Predict the decode step of a model on a system: speed, fit, power, cost, and why.

    Give a model and a system, or a design file that `liminal optimize` wrote.

    Args:
        model: A bundled model (see `liminal models`), or a path to a config.json or model file.
        system: A bundled system (see `liminal systems`), or a path to a system file.
        tp: Tensor-parallel ranks (default 1).
        cp: Context-parallel ranks (default 1).
        pp: Pipeline stages, each with its own micro-batch in flight (default 1).
        ep: Ranks over which whole experts are spread; divides tp x cp (default 1).
        batch_size: Users in one micro-batch (default 1).
        context: Tokens of each user's context (default 8192).
        weight_bits: Bits of a weight (default 8).
        kv_bits: Bits of a cache element (default 8).
        accounting: `model` counts everything the model does; `talk` counts as the published
            tables do (default model).
        config: A design file, instead of the flags above.
        json: Print one JSON object in SI units.
    """
    flags = {name: value for name, value in locals().items() if name in _FLAGS}
    from liminal_jax.study.file import load_design

    given = {name: value for name, value in flags.items() if value is not None}
    source = "liminal predict" if config is None else config
    if config is not None:
        if given:
            problem = Problem("", "give either --config or the flags of a design, not both")
            raise InputError("liminal predict", [problem])
        file = load_design(config)
    else:
        file = _file(given)
    prepare_jax()
    try:
        _answer(file, json)
    except InputError as error:
        raise InputError(source, _flagged(error) if config is None else error.problems) from None


def _file(given: dict[str, Any]) -> Any:
    """The design file that some flags stand for."""
    from liminal_jax.study.file import design_of

    missing = [
        Problem(f"--{name}", f"is required; see `liminal {name}s`, or give --config DESIGN.toml")
        for name in ("model", "system")
        if name not in given
    ]
    if missing:
        raise InputError("liminal predict", missing)
    tables: dict[str, Any] = {"workload": {"context": 8192}, "design": {}}
    for name, value in given.items():
        table, field = _FLAGS[name].split(".")
        tables[table][field] = value
    try:
        return design_of(tables, "liminal predict")
    except InputError as error:
        raise InputError(error.source, _flagged(error)) from None


def _flagged(error: InputError) -> list[Problem]:
    """The problems of a design that flags stand for, with flags in place of its fields."""
    names = {field: f"--{flag.replace('_', '-')}" for flag, field in _FLAGS.items()}
    return [Problem(names.get(it.path, it.path), it.message) for it in error.problems]


def _answer(file: Any, json: bool) -> None:
    from liminal_jax.study.predicted import predicted, record_of
    from liminal_jax.view.console import results
    from liminal_jax.view.prediction import prediction_view

    answer = predicted(file)
    if json:
        print(json_format.dumps(record_of(answer), indent=2))
    else:
        results().print(prediction_view(answer))
