"""Models of the Hugging Face hub: their `config.json`, fetched where there is a network.

It needs the extra `hub`. What has been fetched once is read from the hub's cache afterwards.
"""

import importlib
import re
from pathlib import Path

from liminal_jax._files import InputError, Problem
from liminal_jax.workload.reading.report import ReadReport
from liminal_jax.workload.spec import ModelSpec

HUB = "hf:"
"""What a hub id begins with wherever a model's name is taken: `hf:org/name`."""

_ID = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
_OF_FILES = (".json", ".toml")


def is_hub_id(text: str) -> bool:
    """Whether a text has the form `org/name`, and is no path of a file by its ending.

    Examples:
        >>> is_hub_id("meta-llama/Meta-Llama-3-8B"), is_hub_id("configs/mine.json")
        (True, False)
    """
    return re.fullmatch(_ID, text, re.ASCII) is not None and not text.endswith(_OF_FILES)


def load_hub_config(hub_id: str) -> tuple[ModelSpec, ReadReport]:
    """The model that the `config.json` of a hub id describes, and what was read of it.

    Args:
        hub_id: `org/name`.

    Returns:
        The model, named after the id, and the report.

    Raises:
        InputError: The id is none, the extra is not installed, the file cannot be fetched, or
            with every mistake of the file; all name `hf:org/name` as their source.
    """
    source = HUB + hub_id
    if not is_hub_id(hub_id):
        raise InputError(source, [Problem("", "is no hub id: it must have the form hf:org/name")])
    from liminal_jax.workload.huggingface import read_config

    try:
        spec, report = read_config(config_file(hub_id))
    except InputError as error:
        raise InputError(source, error.problems) from None
    name = re.sub(r"[^a-z0-9.]+", "-", hub_id.partition("/")[2].lower()).strip("-.")
    own = {"name": name, "source": f"config.json of {hub_id}"}
    return spec.model_copy(update=own), report._replace(source=source)


def config_file(hub_id: str) -> Path:
    """The local copy of the `config.json` of a hub id, fetched if need be.

    Raises:
        InputError: The extra is not installed, or the file cannot be fetched.
    """
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError:
        message = "a hub id needs the extra hub: pip install -e '.[hub]'"
        raise InputError(HUB + hub_id, [Problem("", message)]) from None
    try:
        return Path(hub.hf_hub_download(hub_id, "config.json"))
    except Exception as error:  # the library and its HTTP client share no narrower class
        raise InputError(HUB + hub_id, [Problem("", _why(error))]) from None


def _why(error: Exception) -> str:
    """What kept a file from being fetched, in a line, with what lay behind it."""
    reasons = [str(found).strip() for found in (error, error.__cause__) if found is not None]
    first = [reason.splitlines()[0].rstrip(".") for reason in reasons if reason]
    return ": ".join(["config.json cannot be fetched", *(first or [type(error).__name__])])
