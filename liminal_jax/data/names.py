"""Names of models, chips and engines as others write them, and what they stand for.

A name is matched word by word after words that say nothing of the shape are dropped (vendor,
instruction tuning, date), and the format of weights with all that follows it; the words left
must be exactly those of a file's name or of an alias in names.toml. What matches none stands for
nothing.
"""

import datetime
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from liminal_jax.data.catalogue import measured_system_names, system_names
from liminal_jax.data.models import model_names
from liminal_jax.data.systems import load_system_file

_FILE = Path(__file__).parent / "names.toml"
_SIZE = re.compile(r"(\d+) ?gi?b$")
_SIZE_TOLERANCE = 0.1
_CACHED = re.compile(r"models--[^/]*--([^/]+)")
"""A model in the cache of the hub, by its folder."""
_DAY = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?")
_MIDDLE = 15
"""Day of the month of what is known to the month."""
_DATED = re.compile(r"dated (\d{4})-(\d\d)-(\d\d)")
_DAYS = 365.25
_DATE = re.compile(r"2[0-9]\d\d|0[1-9]\d\d|1[0-2]\d\d")


def _words(text: str) -> list[str]:
    """Lower-case words, sizes such as 80GB in one."""
    text = re.sub("[\u2010-\u2015]", "-", text.lower())
    text = re.sub(r"(\d) (gi?b)\b", r"\1\2", text)
    return [word for word in re.split(r"[^a-z0-9.]+", text) if word]


def _key(words: list[str]) -> str:
    """Words in one form: `llama3` and `llama-3` are the same, and so are `sxm4` and `sxm`."""
    text = re.sub(r"\bsxm\d\b", "sxm", " ".join(words))
    return re.sub(r"([a-z])(?=\d)", r"\1 ", text)


def _model_key(text: str) -> str:
    cached = _CACHED.search(text)
    words = _words(cached[1] if cached else text.rstrip("/").rsplit("/", 1)[-1])
    first = (at for at, it in enumerate(words) if at and it.split(".")[0] in _idle("formats"))
    words = words[: next(first, None)]
    return _key([it for it in words if it not in _idle("models") and not _DATE.fullmatch(it)])


def _system_words(text: str) -> list[str]:
    words = [it for it in _words(text) if it not in _idle("systems")]
    return [it for it in words if not re.fullmatch(r"\d+x|x\d+", it)]


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def _idle(kind: str) -> frozenset[str]:
    """Words that tell nothing apart."""
    return frozenset(_aliases(_tables()["idle-words"], kind))


def _aliases(table: Mapping[str, Any], key: str = "aliases") -> list[str]:
    found = table.get(key, [])
    return [str(it) for it in found] if isinstance(found, list) else []


@cache
def _models() -> dict[str, str]:
    known = {_model_key(name): name for name in model_names()}
    for name, table in _tables()["models"].items():
        known |= {_model_key(alias): name for alias in _aliases(table)}
    return known


@cache
def _systems() -> dict[str, str]:
    names = (*system_names(), *measured_system_names())
    known = {_key(_system_words(name)): name for name in names}
    for name, table in _tables()["systems"].items():
        known |= {_key(_system_words(alias)): name for alias in _aliases(table)}
    return known


def model_named(text: str) -> str | None:
    """The bundled model that a name stands for; None where there is none.

    Examples:
        >>> model_named("meta-llama/Llama-3.1-8B-Instruct")
        'llama-3-8b'
        >>> model_named("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic")
        'llama-3.3-70b'
        >>> model_named("DeepSeek-R1-Distill-Qwen-1.5B")
    """
    return _models().get(_model_key(text))


def system_named(text: str) -> str | None:
    """The system whose chip a name stands for; None where there is none, or its memory differs.

    Examples:
        >>> system_named("NVIDIA H100 80GB HBM3")
        'h100'
        >>> system_named("H100 640GB")
    """
    words = _system_words(text)
    if found := _systems().get(_key(words)):
        return found
    sizes = [match for word in words if (match := _SIZE.match(word))]
    found = _systems().get(_key([word for word in words if not _SIZE.match(word)]))
    if found is None or len(sizes) != 1:
        return None
    capacity = (load_system_file(found).chip.memory.capacity.value or 0.0) / 2**30
    printed = float(sizes[0][1])
    return found if abs(printed - capacity) <= _SIZE_TOLERANCE * capacity else None


@cache
def _engines() -> dict[str, str]:
    tables = _tables()["engines"]
    return {it.lower(): name for name, table in tables.items() for it in (name, *_aliases(table))}


def engine_named(text: str) -> str:
    """The engine that a name stands for; itself where it is no alias.

    Examples:
        >>> engine_named("Dynamo+SGLang"), engine_named("vllm")
        ('SGLang', 'vLLM')
        >>> engine_named("my own")
        'my own'
    """
    return _engines().get(text.strip().lower(), text)


def is_engine(text: str) -> bool:
    """Whether a name stands for an engine that was measured.

    Examples:
        >>> is_engine("sglang"), is_engine("openai-chat")
        (True, False)
    """
    return text.strip().lower() in _engines()


def chip_family(name: str) -> str:
    """The family of the chip of a system: chips whose units and caches are of one design."""
    return str(_tables()["systems"].get(name, {}).get("family", name))


def family_vendor(family: str) -> str:
    """The maker of a family of chips; empty where the family is not known.

    Examples:
        >>> family_vendor("hopper"), family_vendor("nonesuch")
        ('nvidia', '')
    """
    vendors = _tables()["vendors"].items()
    return next((vendor for vendor, families in vendors if family in families), "")


def released(engine: str, version: str, note: str = "") -> float | None:
    """When the release of an engine was out, in years; None where nothing tells.

    Args:
        engine: The engine.
        version: Its release, as a measurement names it.
        note: What else is said of the measurement: the date of a run is that of what it ran.

    Examples:
        >>> round(released("SGLang", "v0.5.9", note="run dated 2026-07-02; no drafts"), 1)
        2026.5
        >>> released("vLLM", "0.7.3+local") == released("vLLM", "0.7.3")
        True
    """
    if found := _DATED.search(note):
        day = datetime.date(*(int(it) for it in found.groups()))
    else:
        known = _tables()["releases"].items()
        names = (version, f"{engine} {version.partition('+')[0]}")
        day = next((day for name, day in known if name in names), None)
    return None if day is None else _years(day)


def dated(engine: str, release: str) -> float | None:
    """When a release that a user names was out, in years; None where it is not known.

    Args:
        engine: The engine.
        release: Its release, or the month or day when it was out, such as 2025-02.

    Examples:
        >>> dated("vLLM", "0.7.3") == dated("vLLM", "2025-02") == dated("vLLM", "2025-02-15")
        True
        >>> dated("vLLM", "0.0.7")
    """
    if found := _DAY.fullmatch(release):
        year, month, day = (int(it or _MIDDLE) for it in found.groups())
        with suppress(ValueError):
            return _years(datetime.date(year, month, day))
    return released(engine, release)


def _years(day: datetime.date) -> float:
    return day.year + round((day - datetime.date(day.year, 1, 1)).days / _DAYS, 3)
