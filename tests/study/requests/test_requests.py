"""Requests in Python: the same problems as files state, and what is wrong with questions."""

from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax._files import InputError
from tests.study.requests.cases import TRACE, problem


def space(**free: Any) -> ll.Space:
    numbers = {"system": ["h100", "h200"], "tp": [1, 2, 4], "batch": [1, 4, 16, 64]}
    design = ll.Design(ll.load_system("h100"))
    return ll.Space(design, {**numbers, **free}, model="qwen3-8b")


def requests(folder: Path, **asked: Any) -> ll.Requests:
    path = folder / "trace.csv"
    path.write_text(TRACE)
    return ll.Requests.from_csv(path, **asked)


def test_python_and_files_state_the_same_problem(tmp_path: Path) -> None:
    limits = [ll.at_least("utps", 600, percentile=70), ll.at_most("e2e", "250 ms")]
    mine = requests(tmp_path, classes=4).on(
        space(), minimise="usd_per_million_tokens", limits=limits
    )
    tables = [
        {"quantity": "utps", "percentile": 70, "at_least": 600},
        {"quantity": "e2e", "at_most": "250 ms"},
    ]
    read = problem(tmp_path, {"constraints": tables})
    for name in ("goal", "maximise", "categories", "totals", "limits", "members"):
        assert getattr(mine, name) == getattr(read, name), name
    assert mine.size == read.size
    for name in ("used", "costs"):
        assert eqx.tree_equal(getattr(mine, name), getattr(read, name)), name
    assert eqx.tree_equal(mine.group.parts, read.group.parts)
    assert eqx.tree_equal(mine.group.everyone, read.group.everyone)
    np.testing.assert_array_equal(mine.group.contexts, read.group.contexts)


def test_a_shipped_trace_is_opened_by_name() -> None:
    found = ll.Requests.shipped("azure-code", classes=8, rate=20.0).on(space(), minimise="chips")
    assert len(found.members) == 8
    assert float(found.group.rate or 0) == 20


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"minimise": "price"}, "there is no quantity 'price' of a trace"),
        ({"maximise": "stps"}, "'stps' is as much as limits on chips, power, capital_cost allow"),
        ({"minimise": "chips"}, "chips depends on how many requests come"),
        ({}, "give either maximise or minimise, one is required"),
        (
            {"minimise": "energy_per_token", "limits": [ll.at_least("utps", 5, percentile=200)]},
            "constraints.0.percentile: must be above 0 and at most 100",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        requests(tmp_path).on(space(), **asked)
    assert message in str(caught.value)


@pytest.mark.parametrize("free", [{"request.context": [1, 2]}, {"chips": [8, 16]}])
def test_what_requests_state_is_not_free(tmp_path: Path, free: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="requests"):
        requests(tmp_path).on(space(**free), minimise="energy_per_token")


def test_classes_are_counted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="classes"):
        requests(tmp_path, classes=0).on(space(), minimise="energy_per_token")


def test_percentiles_are_of_requests_alone() -> None:
    limits = [ll.at_least("utps", 50, percentile=95)]
    with pytest.raises(InputError, match=r"utps: percentiles are of many requests"):
        ll.optimize(space(), maximise="stps", limits=limits)
