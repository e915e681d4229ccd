"""What people asked in public reports, what is right, and what the commands say today."""

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liminal_jax.cli.main import main
from liminal_jax.data.names import engine_named
from liminal_jax.fit.formats.given import Given
from liminal_jax.fit.formats.reading import read_rows

_TESTS = Path(__file__).resolve().parent.parent / "tests"
CONFIGS = _TESTS / "workload" / "cases"  # published configs, shapes only, and their exact counts
RESULT = _TESTS / "fit" / "formats" / "samples" / "vllm.json"
"""A result as `vllm bench serve` writes it."""

GIB = 2.0**30


@dataclass(frozen=True)
class Answer:
    """What a command says.

    Attributes:
        code: Its exit code.
        record: Its JSON; empty where it refuses.
        text: What it says where it refuses.
    """

    code: int
    record: dict[str, Any]
    text: str


def asked(command: str) -> Answer:
    """Run `liminal COMMAND --json`."""
    out, wrong = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(wrong):
        code = main([*command.split(), "--json"])
    return Answer(code, json.loads(out.getvalue()) if code == 0 else {}, wrong.getvalue())


@dataclass(frozen=True)
class Case:
    """One report.

    Attributes:
        asked: What was asked.
        right: What is right, as a sentence.
        command: The command that answers it, without `liminal` and `--json`.
        says: Its answer in words.
        holds: Whether that is right.
    """

    asked: str
    right: str
    command: str
    says: Callable[[Answer], str]
    holds: Callable[[Answer], bool]


def _kept_per_chip(it: Answer) -> float:
    footprint = it.record["memory_footprint"]
    return footprint["cache"] / it.record["chips"] / GIB


def _weights(it: Answer) -> float:
    kinds = ("weights", "experts", "tables")
    return sum(it.record["memory_footprint"][kind] for kind in kinds) / GIB


def _per_chip(it: Answer) -> str:
    needed, there = (
        it.record[name] / it.record["chips"] / GIB
        for name in ("memory_required", "memory_capacity")
    )
    fits = "fits" if it.record["fits"] else "does not fit"
    return f"{fits}: {needed:.1f} GiB of {there:.1f} a chip"


def _says(it: Answer, words: str) -> str:
    return next((line for line in it.record["basis"] if words in line), "nothing")


CASES = (
    Case(
        "cost of a million output tokens where prompts have 8,192 tokens and answers 1,024",
        "0.988 USD: prompts take their share of the time",
        "predict -m llama-3-70b --system h200 --tp 8 --isl 8192 --osl 1024 --batch-size 32",
        lambda it: f"{it.record['usd_per_million_tokens']:.3f} USD",
        lambda it: abs(it.record["usd_per_million_tokens"] - 0.988) < 0.05,
    ),
    Case(
        "does DeepSeek-V3 fit on 8 H200 with a 16-bit cache, 128K and 8 users, in vLLM?",
        "no: each rank holds the whole latent, 146.7 GiB of 141",
        "predict -m deepseek-v3 --system h200 --tp 8 --kv-bits 16 --context 131072 --batch-size 8"
        " --calibration measured --engine vLLM",
        _per_chip,
        lambda it: not it.record["fits"],
    ),
    Case(
        "the same where the mapping of attention is stated",
        "no, as above",
        "predict -m deepseek-v3 --system h200 --tp 8 --kv-bits 16 --context 131072 --batch-size 8"
        " --attention copied-heads",
        _per_chip,
        lambda it: not it.record["fits"],
    ),
    Case(
        "cache of Llama-3-70B at TP16, 128K and 32 users, heads copied",
        "80 GiB a chip",
        "predict -m llama-3-70b --system h200 --tp 16 --attention copied-heads --context 131072"
        " --batch-size 32",
        lambda it: f"{_kept_per_chip(it):.1f} GiB a chip",
        lambda it: abs(_kept_per_chip(it) - 80) < 0.5,
    ),
    Case(
        "the same, the sequence split",
        "40 GiB a chip, and the answer says which",
        "predict -m llama-3-70b --system h200 --tp 16 --context 131072 --batch-size 32",
        lambda it: f"{_kept_per_chip(it):.1f} GiB a chip; {_says(it, 'Attention:')}",
        lambda it: abs(_kept_per_chip(it) - 40) < 0.5 and _says(it, "Attention:") != "nothing",
    ),
    Case(
        "28 heads at TP8",
        "engines refuse it",
        "predict -m qwen2.5-7b --system h100 --tp 8",
        lambda it: "refused" if it.code == 2 else "accepted",
        lambda it: it.code == 2 and "must divide the heads" in it.text,
    ),
    Case(
        "gpt-oss-120b as published, one user on one H100",
        "60.77 GiB of weights",
        "predict -m gpt-oss-120b --system h100 --weight-bits published --context 1",
        lambda it: f"{_weights(it):.2f} GiB, {it.record['memory_time'] * 1e3:.2f} ms of reading",
        lambda it: abs(_weights(it) - 60.77) < 0.01,
    ),
    Case(
        "a context beyond the model's positions",
        "a sentence",
        "predict -m llama-3-70b --system h200 --tp 8 --context 200000",
        lambda it: _says(it, "states a context"),
        lambda it: _says(it, "states a context") != "nothing",
    ),
)


def _configs() -> dict[str, Any]:
    expected = json.loads((CONFIGS / "expected.json").read_text(encoding="utf-8"))
    exact = 0
    for it in expected:
        found = asked(f"models import {CONFIGS / it['name']}.json")
        exact += all(found.record.get(key) == it[key] for key in it if key != "name")
    return {
        "asked": "published configs of families and forms that were refused",
        "right": f"{len(expected)} read, every count exact",
        "command": "models import FILE",
        "says": f"{exact} of {len(expected)} exact",
        "holds": exact == len(expected),
    }


def _result() -> dict[str, Any]:
    rows, refused = read_rows(RESULT, Given(system="h100", tp=4, weight_bits=8.0))
    return {
        "asked": "a result as `vllm bench serve` writes it",
        "right": "read as it is; what it does not say is given by flags",
        "command": "validate result.json --system h100 --tp 4 --weight-bits 8",
        "says": f"{len(rows)} read, {len(refused)} refused",
        "holds": bool(rows) and not refused,
    }


def _engines() -> dict[str, Any]:
    names = ("vllm", "sglang", "tensorrt_llm", "trtllm")
    found = [engine_named(it) for it in names]
    return {
        "asked": "engines as tools spell them: " + ", ".join(names),
        "right": "vLLM, SGLang, TensorRT-LLM",
        "command": "validate FILE",
        "says": ", ".join(found),
        "holds": found == ["vLLM", "SGLang", "TensorRT-LLM", "TensorRT-LLM"],
    }


def answers() -> list[dict[str, Any]]:
    """Each report with today's answer."""
    found = []
    for case in CASES:
        it = asked(case.command)
        found.append(
            {
                "asked": case.asked,
                "right": case.right,
                "command": case.command,
                "says": case.says(it),
                "holds": case.holds(it),
            }
        )
    return [*found, _configs(), _result(), _engines()]
