"""The bundled models, and the one way to load a model from wherever it is described."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.data.validation import validated
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.record import Spec
from liminal_jax.workload.spec import ModelSpec

_FOLDER = files("liminal_jax.data") / "models"


def model_names() -> list[str]:
    """Names of the bundled models, in alphabetical order."""
    names = (entry.name for entry in _FOLDER.iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_model_spec(name_or_path: str) -> ModelSpec:
    """The model that a name or a file stands for.

    Args:
        name_or_path: A bundled name, a model file (`.toml`), a Hugging Face config (`.json`), or
            a folder that holds a `config.json`.

    Returns:
        The model.

    Raises:
        InputError: For an unknown name, or with every mistake of the file.

    Examples:
        >>> load_model_spec("llama-3-8b").hidden
        4096
    """
    if name_or_path in model_names():
        text = (_FOLDER / f"{name_or_path}.toml").read_text(encoding="utf-8")
        return _spec_of_toml(text, f"{name_or_path}.toml")
    path = Path(name_or_path)
    if path.suffix == ".toml":
        return _spec_of_toml(_text(path), name_or_path)
    if path.suffix == ".json" or path.is_dir():
        return read_config(name_or_path)[0]
    hint = did_you_mean(name_or_path.lower(), model_names())
    known = ", ".join(model_names())
    message = f"is neither a bundled model nor a .toml, a .json or a folder; bundled: {known}"
    raise InputError(name_or_path, [Problem("", message + hint)])


def spec_to_toml(spec: ModelSpec) -> str:
    """The model file that describes a model; what equals its default is left out.

    Examples:
        >>> spec_to_toml(load_model_spec("llama-3-8b")).splitlines()[0]
        'name = "llama-3-8b"'
    """
    return tomli_w.dumps(_table(spec))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        problem = Problem("", f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError:
        problem = Problem("", "is not UTF-8 text")
    raise InputError(str(path), [problem])


def _spec_of_toml(text: str, source: str) -> ModelSpec:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(source, [Problem("", f"is not valid TOML: {error}")]) from None
    return validated(ModelSpec, table, source)


def _table(record: Spec) -> dict[str, Any]:
    fields = type(record).model_fields
    return {
        name: _plain(value)
        for name, value in record
        if name == "kind" or value != fields[name].default
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return _table(value)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value
