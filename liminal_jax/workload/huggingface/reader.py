"""From a Hugging Face `config.json` to the model it describes, or to what is wrong with it."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.workload.huggingface.families import FAMILIES, WRAPPERS
from liminal_jax.workload.huggingface.features import feature, foreign_features, is_off
from liminal_jax.workload.huggingface.harmless import ENDLESS, harmless_reason, multimodal_reason
from liminal_jax.workload.reading.fields import Fields, shown, with_inner
from liminal_jax.workload.reading.report import ReadReport, Use
from liminal_jax.workload.spec import ModelSpec


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
    outer = Fields(values)
    inner = _text_fields(outer, source)
    model_type = _model_type(outer, inner, source)
    family = FAMILIES[model_type]
    table = family.read(inner)
    holder = inner if inner.values.get("tie_word_embeddings") is not None else outer
    table["tied"] = holder.flag(
        "tie_word_embeddings", note="whether the head is the embedding", default=family.tied
    )
    outer.ignore("tie_word_embeddings", "text_config decides")
    text = with_inner(inner)
    everywhere = text if inner is outer else [outer, *text]
    for fields in everywhere:
        _settle(fields, model_type)
    problems = [problem for fields in everywhere for problem in fields.problems]
    if problems:
        raise InputError(source, dict.fromkeys(problems))
    order = list(Use)
    rows = [row for fields in reversed(everywhere) for row in fields.rows]
    report = ReadReport(
        source, model_type, tuple(sorted(rows, key=lambda row: order.index(row.use)))
    )
    return ModelSpec.model_validate({"name": _name(file), "source": source, **table}), report


def _config_file(path: Path, source: str) -> Path:
    if not path.is_dir():
        return path
    if not (path / "config.json").is_file():
        raise InputError(source, [Problem("", "is a folder without a config.json")])
    return path / "config.json"


def _object(file: Path, source: str) -> dict[str, Any]:
    """The JSON object in a file; every number in it is finite."""
    try:
        values = json.loads(file.read_text(encoding="utf-8-sig"))
        endless = [Problem(path, "must be a finite number") for path in _endless(values, "")]
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise InputError(source, [Problem("", message)]) from None
    except UnicodeDecodeError:
        raise InputError(source, [Problem("", "is not UTF-8 text")]) from None
    except RecursionError:
        raise InputError(source, [Problem("", "is nested too deeply")]) from None
    except ValueError as error:
        raise InputError(source, [Problem("", f"is not valid JSON: {error}")]) from None
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
    """The fields of the text model: those of `text_config` where the config has one."""
    if "text_config" not in outer.values:
        return outer
    text = outer.values["text_config"]
    outer.accept("text_config", "the text model")
    if not isinstance(text, dict):
        message = f"must be an object, got {shown(text)}"
        raise InputError(source, [Problem("text_config", message)])
    return Fields(text, "text_config.")


def _model_type(outer: Fields, inner: Fields, source: str) -> str:
    """The modelled family of the text model; all that is foreign is refused at once."""
    named = _text(outer, "model_type", source)
    if named is None:
        raise InputError(source, [Problem("model_type", "is required")])
    architecture = _architecture(outer, source)
    if named == "minimax" and architecture == FAMILIES["minimax_m2"].architecture:
        named = "minimax_m2"
    if inner is outer:
        return _family(outer, named, architecture, source)
    wrapper = WRAPPERS.get(named)
    if wrapper is None or architecture not in (None, wrapper.architecture):
        raise _refusal(source, outer, inner, named, architecture)
    text_type = _text(inner, "model_type", source) or wrapper.texts[0]
    text_architecture = _architecture(inner, source)
    if text_type not in wrapper.texts:
        raise _refusal(source, inner, inner, text_type, text_architecture)
    return _family(inner, text_type, text_architecture, source)


def _family(fields: Fields, named: str, architecture: str | None, source: str) -> str:
    if named in WRAPPERS and named not in FAMILIES:
        raise InputError(source, [Problem("text_config", f"is required by model_type {named!r}")])
    family = FAMILIES.get(named)
    if family is None or architecture not in (None, family.architecture):
        raise _refusal(source, fields, fields, named, architecture)
    return named


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
    source: str, fields: Fields, text: Fields, named: str, architecture: str | None
) -> InputError:
    """What to say of a model that is not modelled: its name, and the features it announces."""
    modelled = sorted({*FAMILIES, *WRAPPERS})
    which = f"model_type {named!r}"
    if architecture is not None:
        which = f"architecture {architecture!r} (model_type {named!r})"
    hint = "" if named in modelled else did_you_mean(named, modelled)
    message = f"{which} is not modelled; modelled: {', '.join(modelled)}{hint}"
    features = {
        holder.prefix + name: sentence
        for holder in (fields, text)
        for name, sentence in foreign_features(holder.values).items()
    }
    problems = [Problem(name, sentence) for name, sentence in features.items()]
    return InputError(source, [Problem(f"{fields.prefix}model_type", message), *problems])


def _settle(fields: Fields, model_type: str) -> None:
    """Ignore, with a reason, or refuse each key that the family did not ask for."""
    for name in fields.left():
        value = fields.values[name]
        reason = harmless_reason(name) or (None if fields.prefix else multimodal_reason(name))
        announced = feature(name)
        if value is None:
            fields.ignore(name, "unset")
        elif reason is not None:
            fields.ignore(name, reason)
        elif announced is None:
            hint = did_you_mean(name, fields.known())
            fields.refuse(name, f"unknown field of model_type {model_type!r}{hint}")
        elif is_off(value):
            fields.ignore(name, f"off: no {announced}")
        else:
            fields.refuse(name, f"not modelled for model_type {model_type!r}: {announced}")


def _name(file: Path) -> str:
    """A lower-case name from the file's, or from its folder's where the file is config.json."""
    stem = file.resolve().parent.name if file.name == "config.json" else file.stem
    words = re.sub(r"[^a-z0-9.]+", "-", stem.split("__")[-1].lower())
    return words.strip("-") or "model"
