"""What is compared: run folders, design files, systems and models, each as a design to predict."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.data.catalogue import system_names
from liminal_jax.data.files import tables_of
from liminal_jax.data.models import model_names
from liminal_jax.mapping.attention import attention_name
from liminal_jax.study.file import DesignFile, design_of, load_design, stating
from liminal_jax.study.predicted import Predicted, predicted

COMMAND = "liminal compare"

DESIGN = "design.toml"
"""The design of a run folder."""

MOST_RANKS = 64
"""Tensor-parallel ranks at most that are tried until a model fits."""

_DEGREES = ("tp", "cp", "pp", "ep", "batch")


class Side(NamedTuple):
    """One of what is compared.

    Attributes:
        name: What it was called.
        answer: Its prediction.
        about: What was chosen for it; empty where it states all.
    """

    name: str
    answer: Predicted
    about: str


class Common(NamedTuple):
    """What all share that do not state it themselves.

    Attributes:
        model: The model that systems run; that of the first run or design where left out.
        system: The hardware that models run on; that of the first run or design where left out.
        context: Tokens of context.
        stated: Degrees of parallelism and batch, by the names that designs have for them.
    """

    model: str | None = None
    system: str | None = None
    context: float | None = None
    stated: Mapping[str, float] = MappingProxyType({})


def sides(items: Sequence[str], common: Common) -> list[Side]:
    """Each of what is compared, predicted.

    A system takes the workload, the degrees of parallelism and the batch of the first run or design
    among them, but as many tensor-parallel ranks as hold them. Where there is none it takes the
    fewest ranks that hold the model.

    Args:
        items: A run folder, a design file, a system or a model each; two at least.
        common: What they share.

    Raises:
        InputError: what is missing or cannot be read.
    """
    if len(items) < 2:
        raise InputError(
            COMMAND, [Problem("", f"compares two or more, got {len(items)}; name another")]
        )
    kinds = [_kind(it) for it in items]
    base = next((it.path for it in kinds if it.name == "design"), None)
    problems = _missing(kinds, base, common)
    if problems:
        raise InputError(COMMAND, problems)
    return [_side(item, kind, base, common) for item, kind in zip(items, kinds, strict=True)]


class _Kind(NamedTuple):
    """What an item is: a design with the path of its file, a system, or a model."""

    name: str
    path: str


def _kind(item: str) -> _Kind:
    path = Path(item)
    if item in system_names():
        return _Kind("system", item)
    if item in model_names():
        return _Kind("model", item)
    if path.is_dir():
        return _folder(path)
    if path.suffix == ".json" and path.is_file():
        return _Kind("model", item)
    if path.suffix == ".toml" and path.is_file():
        tables = tables_of(path)
        if "chip" in tables:
            return _Kind("system", item)
        return _Kind("design" if {"design", "workload"} & set(tables) else "model", item)
    hint = did_you_mean(item, [*system_names(), *model_names()])
    hint = hint or "; `liminal systems` and `liminal models` list those there are"
    message = "is neither a run folder, a design file, a system nor a model"
    raise InputError(item, [Problem("", f"{message}{hint}")])


def _folder(path: Path) -> _Kind:
    if (path / DESIGN).is_file():
        return _Kind("design", str(path / DESIGN))
    if (path / "config.json").is_file() and not (path / "result.json").is_file():
        return _Kind("model", str(path))
    designs = sorted(str(it) for it in path.glob("**/*.toml"))[:3]
    remedy = (
        f"; name one of its designs, such as {designs[0]}"
        if designs
        else "; give a folder that `liminal optimize` wrote, such as runs/NAME-1"
    )
    raise InputError(str(path), [Problem("", f"holds no {DESIGN} of a run{remedy}")])


def _missing(kinds: Sequence[_Kind], base: str | None, common: Common) -> list[Problem]:
    """What nobody states."""
    problems = []
    systems = [it.path for it in kinds if it.name == "system"]
    models = [it.path for it in kinds if it.name == "model"]
    if systems and base is None and common.model is None:
        message = f"is required, for {', '.join(systems)} to run; or compare with a run or a design"
        problems.append(Problem("--model", message))
    if models and base is None and common.system is None:
        message = f"is required, for {', '.join(models)} to run on; or compare with a run"
        problems.append(Problem("--system", message))
    return problems


def _side(item: str, kind: _Kind, base: str | None, common: Common) -> Side:
    context = {} if common.context is None else {"context": float(common.context)}
    numbers = {**context, **common.stated}
    if kind.name == "design":
        return Side(item, predicted(load_design(kind.path, context)), "")
    if base is not None and kind.name == "model" and common.system is None:
        file = load_design(base, {"model": kind.path, **numbers})
        return Side(item, predicted(file), f"{item} runs on the hardware of {base}")
    model, system = (
        (common.model, kind.path) if kind.name == "system" else (kind.path, common.system)
    )
    if base is not None:
        tables = stating(_like(load_design(base), str(system), model), numbers)
        about = f"{item} takes workload, degrees of parallelism and batch of {base}"
        answer = predicted(design_of(tables, item))
        if answer.prediction.fits or "tp" in common.stated:
            return Side(item, answer, about)
        answer, ranks = _fewest_ranks(tables, item, 2 * round(tables["design"]["tp"]))
        told = "the fewest that hold them" if answer.prediction.fits else "the most that are tried"
        return Side(item, answer, f"{about}, and {ranks} tensor-parallel ranks, {told}")
    work = {"model": model, "context": 8192.0, **context}
    tables = {"workload": work, "design": {"system": system, **common.stated}}
    if "tp" in common.stated:
        return Side(item, predicted(design_of(tables, item)), "")
    answer, ranks = _fewest_ranks(tables, item, 1)
    fits = "fewest that hold" if answer.prediction.fits else "most that are tried for"
    taken = "a single chip for each stage" if ranks == 1 else f"{ranks} tensor-parallel ranks"
    return Side(item, answer, f"{item} takes {taken}, the {fits} the model")


def _like(file: DesignFile, system: str, model: str | None) -> dict[str, Any]:
    """A system with workload, levers, degrees and batch of a design, and the facility around it."""
    work = file.workload.model_dump(exclude_none=True)
    design = {name: getattr(file.design, name).value for name in _DEGREES}
    attention = {"attention": attention_name(file.design.attention.value)}
    for name in ("attention_ranks", "shared_expert_ranks"):
        if getattr(file.design, name) is not None:
            design[name] = getattr(file.design, name).value
    numbers = {
        path: value
        for path, value in file.design.numbers.stated.items()
        if not path.startswith("system.")
    }
    tables: dict[str, Any] = {
        "workload": work if model is None else {**work, "model": model},
        "design": {"system": system, **design, **attention},
        "assumptions": {"facility": dict(file.assumptions.facility)},
    }
    if file.algorithm.stated:
        tables["algorithm"] = dict(file.algorithm.stated)
    return stating(tables, numbers)


def _fewest_ranks(tables: dict[str, Any], source: str, ranks: int) -> tuple[Predicted, int]:
    """The prediction with the fewest ranks that hold the model, doubled from some number on."""
    while True:
        answer = predicted(design_of(stating(tables, {"tp": float(ranks)}), source))
        if answer.prediction.fits or 2 * ranks > MOST_RANKS:
            return answer, ranks
        ranks *= 2
