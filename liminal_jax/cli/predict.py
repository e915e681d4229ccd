"""`liminal predict`: one design, one screen."""

import inspect
from typing import Annotated, Any, Literal

import tyro

from liminal_jax._files import InputError, Problem
from liminal_jax.cli.calibration import Asked, calibration_asked
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed
from liminal_jax.cli.runtime import prepare_jax
from liminal_jax.cli.waiting import waiting

_FLAGS = {
    "system": "design.system",
    "tp": "design.tp",
    "cp": "design.cp",
    "pp": "design.pp",
    "ep": "design.ep",
    "attention": "design.attention",
    "attention_ranks": "design.attention_ranks",
    "shared_expert_ranks": "design.shared_expert_ranks",
    "batch_size": "design.batch",
    "clock": "design.clock",
    "model": "workload.model",
    "context": "workload.context",
    "weight_bits": "workload.weight_bits",
    "kv_bits": "workload.kv_bits",
    "kv_format": "workload.kv_format",
    "attention_bits": "workload.attention_bits",
    "routing": "workload.routing",
    "accounting": "workload.accounting",
}
"""Flags, and the fields of a design file that they stand for."""

COMMAND = "liminal predict"

_LENGTHS = ("isl", "osl", "prefix_hit_rate")
"""Numbers of whole requests."""


def predict(
    model: Annotated[Maybe[str], tyro.conf.arg(aliases=["-m"])] = None,
    system: Maybe[str] = None,
    tp: int = 1,
    cp: int = 1,
    pp: int = 1,
    ep: int = 1,
    attention: Maybe[
        Literal["split-sequence", "copied-heads", "data-parallel", "padded-heads"]
    ] = None,
    attention_ranks: Maybe[int] = None,
    shared_expert_ranks: Maybe[int] = None,
    batch_size: int = 1,
    clock: float = 1.0,
    context: Maybe[int] = None,
    weight_bits: Annotated[str, tyro.conf.arg(metavar="FLOAT|published")] = "8",
    kv_bits: float = 8.0,
    kv_format: Literal["plain", "blocked-fp8"] = "plain",
    attention_bits: Maybe[float] = None,
    routing: Literal["random", "balanced"] = "random",
    accounting: Literal["model", "talk"] = "model",
    isl: Maybe[int] = None,
    osl: Maybe[int] = None,
    chunk: Maybe[int] = None,
    prefix_hit_rate: Maybe[float] = None,
    stated: Annotated[tuple[str, ...], tyro.conf.arg(name="set", metavar="PATH=VALUE")] = (),
    config: Annotated[Maybe[str], tyro.conf.arg(aliases=["-c"], metavar="FILE")] = None,
    calibration: Maybe[str] = None,
    engine: Maybe[str] = None,
    json: bool = False,
) -> None:
    """Predict the decode step of a model on a system: speed, fit, power, cost, and why.

    Give a model and a system, or a design file that `liminal optimize` wrote.

    With --isl and --osl, time to the first token and throughput are predicted too, and energy and
    cost are those of whole requests.

    Args:
        model: A bundled model (see `liminal models`), or a path to a config.json or model file.
        system: A bundled system (see `liminal systems`), or a path to a system file.
        tp: Tensor-parallel ranks.
        cp: Context-parallel ranks.
        pp: Pipeline stages, each with its own micro-batch in flight.
        ep: Ranks over which whole experts are spread; divides tp x cp.
        attention: How the ranks of a stage share attention: beyond the KV heads they hold parts of
            a sequence, or copies; or each rank has users of its own, and experts are spread. Where
            left out a sequence is split; with --calibration it is as engines do.
        attention_ranks: Ranks that share one user's attention; all of a stage by default.
        shared_expert_ranks: Ranks over which a shared expert is split; those that share a user's
            attention by default, 1 keeps it whole.
        batch_size: Users in one micro-batch.
        clock: Clock of the chips over the nominal one, 0.35 to 1.1; the voltage follows.
        context: Tokens of each user's context; 8192, or isl + osl/2, by default. 128K is 131072.
        weight_bits: Bits of a weight; `published` takes those of each part of the checkpoint.
        kv_bits: Bits of a cache element.
        kv_format: How latents are cached: `blocked-fp8` has scales and a rotary key of 16 bits, 656
            bytes a token and layer of DeepSeek-V3.2.
        attention_bits: Bits of attention's operands; 16 by default, as engines multiply.
        routing: How tokens choose experts: at random, or balanced over all ranks.
        accounting: `model` counts everything the model does; `talk` counts as the published
            tables do.
        isl: Tokens of a prompt; goes with --osl.
        osl: Tokens of an answer; goes with --isl.
        chunk: Tokens of prompts that pass in one step; whole prompts by default.
        prefix_hit_rate: Share of a prompt that is cached already, from 0 to 1; goes with --isl.
        stated: Any other number by its path in Python, such as algorithm.speculation.drafts=3 or
            system.chip.memory.bandwidth="8 TB/s"; may be repeated.
        config: A design file, instead of the flags above.
        calibration: Also predict what engines reach, with a 90 % interval: `measured`, an engine of
            it, or a file of `liminal calibrate`. Ranks share attention as engines do.
        engine: The engine that the calibration should speak of, such as vllm, or vllm:2025-02 for
            its release of that month; a typical one where left out.
        json: Print one JSON object in SI units.
    """
    flags = {name: value for name, value in locals().items() if name in _FLAGS}
    numbers = _numbers(stated)
    lengths = _lengths({"isl": isl, "osl": osl, "chunk": chunk}, prefix_hit_rate, numbers)
    from liminal_jax.study.file import load_design

    usual = {name: it.default for name, it in inspect.signature(predict).parameters.items()}
    given = {name: value for name, value in flags.items() if value != usual[name]}
    source = COMMAND if config is None else config
    if config is not None:
        if given:
            problem = Problem("", "give either --config or the flags of a design, not both")
            raise InputError(COMMAND, [problem])
        file = load_design(config, numbers)
        if lengths is not None:
            # What the flags say of requests stands in the place of what the file says.
            mean = {"context": lengths.mean_context(), **dict.fromkeys(_LENGTHS)}
            work = file.workload.model_copy(update=mean)
            file = file.model_copy(update={"workload": work})
    else:
        if context is None:
            flags["context"] = 8192 if lengths is None else lengths.mean_context()
        file = _file(flags, numbers)
    asked = calibration_asked(COMMAND, calibration, engine)
    prepare_jax()
    try:
        _answer(file, lengths, asked, json)
    except InputError as error:
        raise InputError(source, _flagged(error) if config is None else error.problems) from None


def _lengths(given: dict[str, Any], hit_rate: float | None, numbers: dict[str, Any]) -> Any:
    """Lengths of prompts and answers, by flags or among the numbers that --set states, if any."""
    from liminal_jax.study.lengths import RequestLengths

    for written in [it for it in numbers if it.rpartition(".")[2] in _LENGTHS]:
        name, value = written.rpartition(".")[2], numbers.pop(written)
        if name == "prefix_hit_rate":
            hit_rate = value
        else:
            given[name] = value
    stated = {**given, "prefix-hit-rate": hit_rate}
    if all(value is None for value in stated.values()):
        return None
    problems = [
        Problem(f"--{name}", f"is required beside {' and '.join(others)}")
        for name in ("isl", "osl")
        if given[name] is None
        and (others := [f"--{other}" for other, value in stated.items() if value is not None])
    ]
    problems += [
        Problem(f"--{name}", f"must be at least 1, got {value}")
        for name, value in given.items()
        if value is not None and not (isinstance(value, int | float) and value >= 1)
    ]
    isl, osl, chunk = given["isl"], given["osl"], given["chunk"]
    if hit_rate is not None and not (isinstance(hit_rate, int | float) and 0 <= hit_rate <= 1):
        problems.append(Problem("--prefix-hit-rate", f"must be from 0 to 1, got {hit_rate}"))
    if problems:
        raise InputError(COMMAND, problems)
    lengths = RequestLengths(isl, osl, chunk, float(hit_rate or 0.0))
    if chunk is not None and chunk > lengths.prefill():
        message = f"must be at most {lengths.prefill():g}, the prompt, got {chunk}"
        raise InputError(COMMAND, [Problem("--chunk", message)])
    return lengths


def _numbers(stated: tuple[str, ...]) -> dict[str, Any]:
    """Values by path, as --set has them: numbers, and anything else as text."""
    found: dict[str, Any] = {}
    problems = []
    for it in stated:
        path, sign, value = it.partition("=")
        if not (path and sign and value):
            problems.append(Problem("--set", f"must be PATH=VALUE, got {it!r}"))
        found[path] = _number(value)
    if problems:
        raise InputError(COMMAND, problems)
    return found


def _number(text: str) -> float | str:
    """A number, or the text that is none."""
    try:
        return float(text)
    except ValueError:
        return text


def _file(given: dict[str, Any], numbers: dict[str, Any]) -> Any:
    """The design file that some flags stand for."""
    from liminal_jax.study.file import design_of, stating

    missing = [
        Problem(f"--{name}", f"is required; see `liminal {name}s`, or give --config DESIGN.toml")
        for name in ("model", "system")
        if given[name] is None
    ]
    bits = _number(given["weight_bits"])
    if isinstance(bits, str) and bits != "published":
        message = f"must be a number such as 4, or `published`, got {bits!r}"
        missing.append(Problem("--weight-bits", message))
    if missing:
        raise InputError(COMMAND, missing)
    tables: dict[str, Any] = {"workload": {}, "design": {}}
    for name, value in given.items():
        table, field = _FLAGS[name].split(".")
        if value is not None:
            tables[table][field] = bits if name == "weight_bits" else value
    try:
        return design_of(stating(tables, numbers), COMMAND)
    except InputError as error:
        raise InputError(error.source, _flagged(error)) from None


def _flagged(error: InputError) -> list[Problem]:
    """The problems of a design that flags stand for, with flags in place of its fields."""
    names = {field: f"--{flag.replace('_', '-')}" for flag, field in _FLAGS.items()}
    return [Problem(names.get(it.path) or _set(it.path), it.message) for it in error.problems]


def _set(path: str) -> str:
    """How a number is stated that has no flag of its own."""
    number = path.removeprefix("design.numbers.")
    return f"--set {number}" if number != path or path.startswith("algorithm.") else path


def _answer(file: Any, lengths: Any, calibration: Asked | None, json: bool) -> None:
    from dataclasses import replace

    from liminal_jax.results.prediction import page
    from liminal_jax.study.folder import provenance
    from liminal_jax.study.kind import PROVENANCE
    from liminal_jax.study.predicted import predicted, record_of

    with waiting("compiling and predicting"):
        if calibration is None:
            record = record_of(predicted(file, lengths))
        else:
            from liminal_jax.study.calibrated import calibrated_step
            from liminal_jax.study.engine_attention import engine_attention

            file, sentences = engine_attention(file, *calibration)
            answer = predicted(file, lengths)
            answer = replace(answer, basis=[*sentences, *answer.basis])
            step = calibrated_step(file, *calibration, lengths)
            record = {**record_of(answer), "calibrated": step.record()}
    printed({**record, PROVENANCE: provenance(None)} if json else record, page, json)
