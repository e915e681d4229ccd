"""From a Hugging Face `config.json` to the model it describes, or to what is wrong with it."""

import difflib
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from liminal_jax._files import InputError, Problem, binary, did_you_mean, unreadable
from liminal_jax.workload.huggingface.aliases import ALIASES
from liminal_jax.workload.huggingface.families import FAMILIES, WRAPPERS
from liminal_jax.workload.huggingface.features import feature, foreign_features, is_off
from liminal_jax.workload.huggingface.harmless import ENDLESS, harmless_reason, multimodal_reason
from liminal_jax.workload.huggingface.nested import USUAL
from liminal_jax.workload.huggingface.others import other_kind
from liminal_jax.workload.huggingface.towers import tower_parameters
from liminal_jax.workload.huggingface.unknown import harmless_by_rule
from liminal_jax.workload.reading.family import Wrapper
from liminal_jax.workload.reading.fields import Fields, shown, with_inner
from liminal_jax.workload.reading.quantization import contradictions, published_widths
from liminal_jax.workload.reading.report import ReadReport, Use
from liminal_jax.workload.spec import ModelSpec

_TEXTS = ("text_config", "language_config", "llm_config")
"""Names under which a multimodal config holds its text model."""

_THINKER = "thinker_config"

_CONTEXTS = (
    *("max_position_embeddings", "max_sequence_length", "max_seq_len", "seq_length"),
    "n_positions",
)
"""Names under which configs state their context."""

_ARCHITECTURES = {it for family in FAMILIES.values() for it in family.architectures()}

_NEAR = 0.85
"""How alike two names must be for one to pass for a slip in the other; of difflib's ratio."""


def read_config(path: str | Path) -> tuple[ModelSpec, ReadReport]:
    """The model that a config describes, and what was read, defaulted and ignored.

    Args:
        path: A `config.json`, under any name, or a folder that holds one.

    Returns:
        The model, named after the file or folder, and the report.

    Raises:
        InputError: With every mistake of the file, or every feature that is not modelled.
    """
    source = str(path)
    file = _config_file(Path(path), source)
    values = _object(file, source)
    outer = Fields(values, aliases=ALIASES)
    inner = _text_fields(outer, source)
    model_type = _model_type(outer, inner, source)
    family = FAMILIES[model_type]
    if inner is not outer:
        inner.fill(USUAL.get(model_type, {}))
    table = family.read(inner)
    holder = inner if inner.values.get("tie_word_embeddings") is not None else outer
    table["tied"] = holder.flag(
        "tie_word_embeddings", note="whether the head is the embedding", default=family.tied
    )
    outer.ignore("tie_word_embeddings", "text_config decides")
    table["stated_context"] = _stated_context(inner)
    text = with_inner(inner)
    everywhere = text if inner is outer else [outer, *text]
    for fields in text:
        _settle(fields, model_type)
    if inner is not outer:
        _settle_wrapper(outer, inner)
    problems = [problem for fields in everywhere for problem in fields.problems]
    problems += [Problem(*it) for it in contradictions(values).items()]
    if problems:
        raise InputError(source, dict.fromkeys(problems))
    widths = published_widths(values)
    order = list(Use)
    rows = [row for fields in reversed(everywhere) for row in fields.rows]
    report = ReadReport(
        source,
        model_type,
        tuple(sorted(rows, key=lambda row: order.index(row.use))),
        tower_parameters(values),
        widths,
    )
    return ModelSpec.model_validate({"name": _name(file), "source": source, **table}), report


def _config_file(path: Path, source: str) -> Path:
    if not path.is_dir():
        return path
    if not (path / "config.json").is_file():
        raise InputError(source, [Problem("", "is a folder without a config.json; name another")])
    return path / "config.json"


def _object(file: Path, source: str) -> dict[str, Any]:
    """The JSON object in a file; every number in it is finite."""
    try:
        data = file.read_bytes()
        if wrong := binary(data[:512], "a config.json"):
            raise InputError(source, [Problem("", wrong)])
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(source, [Problem("", unreadable(error))]) from None
    try:
        values = json.loads(text)
        endless = [Problem(path, "must be a finite number") for path in _endless(values, "")]
    except RecursionError:
        raise InputError(source, [Problem("", "is nested too deeply")]) from None
    except ValueError as error:
        at = error.pos if isinstance(error, json.JSONDecodeError) else 0
        ends = at >= len(text.rstrip()) or "Unterminated" in str(error)
        remedy = "it ends in the middle, so fetch it again" if ends else "mend it there"
        message = f"is not valid JSON: {error}; {remedy}"
        raise InputError(source, [Problem("", message)]) from None
    if not isinstance(values, dict):
        message = f"must be a JSON object, got {shown(values)}"
        raise InputError(source, [Problem("", message)])
    if endless:
        raise InputError(source, endless)
    return values


def _endless(value: Any, path: str) -> Iterator[str]:
    """Paths of the numbers that are infinite, where no field may be, or not numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key in ENDLESS:
                continue
            yield from _endless(entry, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield from _endless(entry, f"{path}.{place}" if path else str(place))


def _text_fields(outer: Fields, source: str) -> Fields:
    """The fields of the text model: those of `text_config` where the config has one.

    A config of a thinker and a talker (Qwen2.5-Omni) has it in that of the thinker.
    """
    holder, path = outer.values, ""
    if isinstance(holder.get(_THINKER), dict):
        outer.accept(_THINKER, "the text model, beside its towers")
        holder, path = holder[_THINKER], f"{_THINKER}."
    name = next((name for name in _TEXTS if name in holder), None)
    if name is None:
        return outer
    text = holder[name]
    if not path:
        outer.accept(name, "the text model")
    if not isinstance(text, dict):
        message = f"must be an object, got {shown(text)}"
        raise InputError(source, [Problem(path + name, message)])
    return Fields(text, f"{path}{name}.", ALIASES)


def _model_type(outer: Fields, inner: Fields, source: str) -> str:
    """The modelled family of the text model; all that is foreign is refused at once."""
    named = _text(outer, "model_type", source)
    architecture = _architecture(outer, source)
    if named is None and architecture is None:
        kind = other_kind(outer.values)
        problem = Problem("", f"is {kind}") if kind else Problem("model_type", "is required")
        raise InputError(source, [problem])
    wrapper = _wrapper(named, architecture)
    if inner is outer and wrapper is not None and named not in FAMILIES:
        if outer.values.get("hidden_size") is None:
            message = f"is required by model_type {named!r}"
            raise InputError(source, [Problem("text_config", message)])
        return _flat(wrapper, source)
    if inner is outer:
        return _family(outer, named, architecture, source)
    if wrapper is None:
        raise _refusal(source, outer, inner, named, architecture)
    text_type = _text(inner, "model_type", source)
    text_architecture = _architecture(inner, source)
    if text_type in (None, named):
        text_type = next(iter(wrapper.texts), None)
    if text_type in FAMILIES and text_architecture not in _ARCHITECTURES:
        text_architecture = None  # the wrapper's own, or a name that only its code knows
    if wrapper.texts and text_type not in wrapper.texts:
        raise _refusal(source, inner, inner, text_type, text_architecture)
    return _family(inner, text_type, text_architecture, source)


def _wrapper(named: str | None, architecture: str | None) -> Wrapper | None:
    """The multimodal config of that name, or of that architecture where the name is not known."""
    if named in WRAPPERS:
        found = WRAPPERS[named]
        return found if architecture in (None, *found.architectures()) else None
    if named in FAMILIES:
        return None
    return next((it for it in WRAPPERS.values() if architecture in it.architectures()), None)


def _flat(wrapper: Wrapper, source: str) -> str:
    """The family of a multimodal config whose text fields stand beside the others."""
    if not wrapper.texts:
        raise InputError(source, [Problem("text_config", "is required")])
    return wrapper.texts[0]


def _family(fields: Fields, named: str | None, architecture: str | None, source: str) -> str:
    """The family by its name, or by its architecture where the name is not known.

    A name that is a second one of another family (MiniMax-M2 was first published as `minimax`)
    gives way to the architecture.
    """
    family = FAMILIES.get(named or "")
    if named is not None and family is not None:
        if architecture in (None, *family.architectures()):
            return named
        if family.shares_its_name_with:
            other = FAMILIES[family.shares_its_name_with]
            if architecture in other.architectures():
                return family.shares_its_name_with
    elif architecture is not None:
        for name, candidate in FAMILIES.items():
            if architecture in candidate.architectures():
                return name
    raise _refusal(source, fields, fields, named, architecture)


def _text(fields: Fields, name: str, source: str) -> str | None:
    value = fields.values.get(name)
    if value is not None and not isinstance(value, str):
        message = f"must be text, got {shown(value)}"
        raise InputError(source, [Problem(fields.prefix + name, message)])
    if value is not None:
        fields.accept(name, "family")
    return value


def _architecture(fields: Fields, source: str) -> str | None:
    """The first of `architectures`; none where the config does not say."""
    value = fields.values.get("architectures")
    if value in (None, []):
        return None
    if not isinstance(value, list) or not isinstance(value[0], str):
        message = f"must be a list of names, got {shown(value)}"
        raise InputError(source, [Problem(fields.prefix + "architectures", message)])
    fields.accept("architectures", "family")
    return value[0]


def _refusal(
    source: str, fields: Fields, text: Fields, named: str | None, architecture: str | None
) -> InputError:
    """What to say of a model that is not modelled: its name, and the features it announces."""
    which = f"model_type {named!r}"
    if architecture is not None:
        which = f"architecture {architecture!r} (model_type {named!r})"
    near = _near(named or "")
    own = "; import a config like it with `liminal models import --save NAME`, and edit that file"
    inner = text.values.get("model_type") if text is not fields else None
    if inner in FAMILIES:
        name = text.prefix.rstrip(".")
        own = f"; its {name} is of {inner!r}, which is: save that object as a file of its own"
    hint = f"; did you mean {near!r}?" if near else own
    path = f"{fields.prefix}model_type"
    problems = [Problem(path, f"{which} is not modelled{hint}")]
    features: dict[str, str] = {}
    for holder in (fields, text):
        for name, words in foreign_features(holder.values).items():
            features.setdefault(words, holder.path(name))
    if features:
        said = "; ".join(f"{words} ({name})" for words, name in features.items())
        problems.append(Problem(path, f"it announces {said}"))
    return InputError(source, problems)


_NAMES_OF_OTHERS = ("gemma3n", "gemma3n_text", "gpt_neo", "molmo2", "olmo", "pixtral")
"""Families that are not modelled, and are named almost as others that are."""


def _near(named: str) -> str | None:
    """The family of which a name is a slip; none where it may be the name of another family.

    Families are told apart by numbers and by words of their names (`qwen` and `qwen3`,
    `deepseek_v2` and `deepseek_vl_v2`), so that these must agree.
    """
    if named in FAMILIES or named in WRAPPERS or named in _NAMES_OF_OTHERS:
        return None
    plain = {re.sub(r"[^a-z0-9]", "", it): it for it in sorted({*FAMILIES, *WRAPPERS})}
    joined = re.sub(r"[^a-z0-9]", "", named.lower())
    if joined in plain:
        return plain[joined]
    found = difflib.get_close_matches(named, plain.values(), 1, _NEAR)
    alike = [it for it in found if _parts(it) == _parts(named)]
    return alike[0] if alike else None


def _parts(name: str) -> tuple[list[str], int]:
    """Numbers of a name, and how many words it has."""
    return re.findall(r"\d+", name), len(re.split(r"[^a-z0-9]+", name.lower()))


def _stated_context(fields: Fields) -> int:
    """Tokens of context that a config states; 0 where it does not, or where they are learned."""
    for name in _CONTEXTS:
        value = fields.values.get(name)
        if name in fields.left() and isinstance(value, int) and not isinstance(value, bool):
            fields.accept(name, "context that the model is made for")
            return max(value, 0)
    return 0


def _settle(fields: Fields, model_type: str) -> None:
    """Ignore, with a reason, or refuse each key that the family did not ask for."""
    for name in fields.left():
        value = fields.values[name]
        reason = harmless_reason(name) or (None if fields.prefix else multimodal_reason(name))
        announced = feature(name)
        hint = did_you_mean(name, fields.known())
        typo = difflib.get_close_matches(name, fields.known(), 1, _NEAR)
        if value is None:
            fields.ignore(name, "unset")
        elif reason is not None:
            fields.ignore(name, reason)
        elif announced is not None and is_off(value):
            fields.ignore(name, f"off: no {announced}")
        elif announced is not None:
            fields.refuse(name, f"not modelled for model_type {model_type!r}: {announced}")
        elif not typo and (rule := harmless_by_rule(name, value)):
            fields.ignore(name, rule)
        else:
            message = f"unknown field of model_type {model_type!r} that may change a count{hint}"
            fields.refuse(name, message)


def _settle_wrapper(outer: Fields, text: Fields) -> None:
    """Ignore what stands beside the text model; what it says again must agree."""
    for name in outer.left():
        value = outer.values[name]
        again = text.values.get(name)
        words = feature(name)
        reason = harmless_reason(name) or harmless_by_rule(name, value)
        if reason or again == value or multimodal_reason(name):
            outer.ignore(name, reason or "beside the text model")
        elif again is not None:
            outer.refuse(name, f"contradicts {text.path(name)}, which is {shown(again)}")
        elif words and not is_off(value):
            outer.refuse(name, f"not modelled beside a text model: {words}")
        else:
            outer.ignore(name, "beside the text model")


def _name(file: Path) -> str:
    """A lower-case name from the file's, or from its folder's where the file is config.json."""
    stem = file.resolve().parent.name if file.name == "config.json" else file.stem
    words = re.sub(r"[^a-z0-9.]+", "-", stem.split("__")[-1].lower())
    return words.strip("-") or "model"
