"""The bundled models, and the one way to load a model from wherever it is described."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli_w

from liminal_jax._files import InputError, Problem, binary, did_you_mean, unreadable, unwritable
from liminal_jax.data.hub import HUB, is_hub_id, load_hub_config
from liminal_jax.data.validation import validated
from liminal_jax.workload.reading.report import ReadReport
from liminal_jax.workload.record import Spec
from liminal_jax.workload.spec import ModelSpec

_FOLDER = files("liminal_jax.data") / "models"
_TAKEN = Problem("", "exists already; save under another name")


def model_names() -> list[str]:
    """Names of the bundled models, in alphabetical order."""
    names = (entry.name for entry in _FOLDER.iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_model_spec(name_or_path: str) -> ModelSpec:
    """The model that a name or a file stands for.

    Args:
        name_or_path: A bundled name, a model file (`.toml`), a Hugging Face config (`.json`), a
            folder that holds a `config.json`, or a hub id (`hf:org/name`).

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
    if is_config(name_or_path):
        return load_model_config(name_or_path)[0]
    if path.is_file():
        message = f"must end in .toml or .json, got a file that ends in {path.suffix!r}"
        raise InputError(name_or_path, [Problem("", _wrong(path) or message)])
    known = model_names()
    if is_hub_id(name_or_path):
        known = [*known, HUB + name_or_path]
    hint = did_you_mean(name_or_path.lower(), known) or did_you_mean(name_or_path, known)
    message = "is neither a bundled model nor a .toml, a .json, a folder or hf:org/name"
    listed = "; `liminal models` lists the bundled ones"
    raise InputError(name_or_path, [Problem("", f"{message}{listed}{hint}")])


def is_config(name_or_path: str) -> bool:
    """Whether a name stands for a Hugging Face config."""
    path = Path(name_or_path)
    if path.suffix == ".toml":
        return False
    if path.suffix == ".json" or name_or_path.startswith(HUB):
        return True
    return path.is_dir() and name_or_path not in model_names()


def load_model_config(path_or_id: str) -> tuple[ModelSpec, ReadReport]:
    """The model that a Hugging Face config describes, and what was read of it.

    Args:
        path_or_id: A config (`.json`), a folder that holds a `config.json`, or a hub id:
            `hf:org/name`, or `org/name` where there is no such path.

    Returns:
        The model and the report.

    Raises:
        InputError: With every mistake of the file, or why it cannot be had.
    """
    if path_or_id.startswith(HUB):
        return load_hub_config(path_or_id.removeprefix(HUB))
    if is_hub_id(path_or_id) and not Path(path_or_id).exists():
        return load_hub_config(path_or_id)
    from liminal_jax.workload.huggingface import read_config

    return read_config(path_or_id)


def model_file(name: str) -> Path:
    """The model file that a name of one's own stands for: NAME.toml in the current folder.

    Raises:
        InputError: The name is not lower case with hyphens, or the file exists already.
    """
    if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name) or name.endswith(".toml"):
        suggestion = re.sub(r"[^a-z0-9.]+", "-", name.lower().removesuffix(".toml")).strip("-.")
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        raise InputError(name, [Problem("", f"must be lower case with hyphens{hint}")])
    path = Path(f"{name}.toml")
    if path.exists():
        raise InputError(str(path), [_TAKEN])
    return path


def save_model_spec(spec: ModelSpec, name: str) -> Path:
    """The path of the model file that was written for a model under a name of one's own.

    Raises:
        InputError: What `model_file` refuses; or the file cannot be written.
    """
    path = model_file(name)
    text = spec_to_toml(spec.model_copy(update={"name": name}))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(f"# A model of your own: edit it and give {path} as the model.\n\n{text}")
    except FileExistsError:
        raise InputError(str(path), [_TAKEN]) from None
    except OSError as error:
        raise InputError(str(path), [Problem("", unwritable(error))]) from None
    return path


def spec_to_toml(spec: ModelSpec) -> str:
    """The model file that describes a model; what equals its default is left out.

    Examples:
        >>> spec_to_toml(load_model_spec("llama-3-8b")).splitlines()[0]
        'name = "llama-3-8b"'
    """
    return tomli_w.dumps(_table(spec))


def _wrong(path: Path) -> str:
    """What is wrong with a file that is no text; empty where it is, or cannot be read."""
    try:
        with path.open("rb") as file:
            return binary(file.read(512), "a config.json")
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), [Problem("", unreadable(error))]) from None


def _spec_of_toml(text: str, source: str) -> ModelSpec:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(source, [Problem("", unreadable(error))]) from None
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
