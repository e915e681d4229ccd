"""Files of studies of a trace: what they say, and what is wrong with them."""

from pathlib import Path
from typing import Any

import pytest

from liminal_jax._files import InputError
from liminal_jax.study.questions import load_question, load_space, load_study
from liminal_jax.study.requests.problem import requests_of
from tests.study.requests.cases import TABLES, problem, read, written


def test_the_context_is_the_mean_of_all_steps(tmp_path: Path) -> None:
    file = read(tmp_path)
    assert file.workload.context == file.trace.requests.mean_context()


def test_a_trace_that_comes_with_the_package_is_named(tmp_path: Path) -> None:
    file = read(tmp_path, {"trace": {"name": "azure-code"}})
    assert file.trace.requests.counts.sum() == 8819
    assert file.trace.classes == 32


def test_the_file_of_a_trace_lies_beside_the_study(tmp_path: Path, monkeypatch: Any) -> None:
    path = written(tmp_path)
    monkeypatch.chdir("/")
    assert load_question(str(path))


def limit(**table: Any) -> dict[str, Any]:
    return {"constraints": [table]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trace": {"name": "azure"}}, "trace: there is no trace 'azure'"),
        ({"trace": {"file": "none.csv"}}, "trace: none.csv: cannot be read"),
        ({"trace": {"classes": 3}}, "trace: give either name or file, one is required"),
        ({"trace": {"name": "azure-code", "file": "trace.csv"}}, "not both"),
        ({"trace": {"name": "azure-code", "clases": 3}}, "did you mean 'classes'"),
        ({"trace": {"name": "azure-code", "classes": 0}}, "trace.classes"),
        ({"trace": {"name": "azure-code", "rate": -1}}, "trace.rate: must be greater than 0"),
        ({"trace": {"name": "azure-code", "rate": "1 m"}}, "trace.rate"),
        ({"trace": {"name": "azure-code", "requests": 5}}, "has no field 'requests'"),
        ({"trace": 5}, "trace"),
        ({"workload": {"model": "qwen3-8b", "context": 9}}, "workload.context: the trace says"),
        (limit(quantity="utps", percentile=101, at_least=5), "constraints.0.percentile: must be"),
        (limit(quantity="utps", percentile=0, at_least=5), "above 0 and at most 100"),
        (limit(quantity="utps", percentile=-5, at_least=5), "above 0 and at most 100"),
        (limit(quantity="mean_e2e", percentile=95, at_most=5), "is not one of each request"),
        (limit(quantity="utps", at_most=5), "utps of a trace takes at_least only"),
        (limit(quantity="ttft", at_least=5), "ttft of a trace takes at_most only"),
        (limit(quantity="ttf", at_most=5), "did you mean 'ttft'"),
        (limit(quantity="ttft", at_most=0), "must be greater than 0"),
        (limit(quantity="ttft", at_most="5 W"), "constraints.0.at_most"),
        (limit(quantity="ttft"), "give either at_least or at_most"),
        (limit(quantity="power", at_most=5), "power depends on how many requests come"),
        ({"objective": {"minimise": "chips"}}, "chips depends on how many requests come"),
        ({"objective": {"maximise": "chips"}}, "chips can only be what a trace should minimise"),
        ({"objective": {"maximise": "stps"}}, "'stps' is as much as limits on chips, power"),
        ({"objective": {"maximise": "utps"}}, "there is no quantity 'utps'"),
        ({"workloads": []}, "give one of 'workloads' and 'trace'"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, changes)
    assert message in str(caught.value)
    assert "study.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("design", "message"),
    [
        ({"chips": 8}, "design.chips: how many there are follows from the requests"),
        ({"numbers": {"request.context": 9}}, "design.numbers: the trace states contexts"),
    ],
)
def test_what_a_trace_states_is_not_a_design(
    tmp_path: Path, design: dict[str, Any], message: str
) -> None:
    file = read(tmp_path, {"design": {**TABLES["design"], **design}})
    with pytest.raises(InputError) as caught:
        requests_of(file)
    assert message in str(caught.value)


@pytest.mark.parametrize("load", [load_study, load_space])
def test_analyses_of_one_workload_refuse_a_trace(tmp_path: Path, load: Any) -> None:
    with pytest.raises(InputError, match="trace: one workload is wanted here"):
        load(str(written(tmp_path)))


def test_hardware_is_shared_and_all_else_is_of_each_class(tmp_path: Path) -> None:
    clock = {"min": 0.8, "max": 1.0, "step": 0.1}
    found = problem(tmp_path, {"design": {**TABLES["design"], "clock": clock}})
    assert [it.name for it in found.variables] == ["clock"]
    assert [it.name for it in found.groups[0].variables] == ["tp", "batch"]
    assert found.categories == ("h100", "h200")
    assert found.members == ("1: 200+100", "2: 480+120", "3: 1780+78", "4: 2940+250")
    # A category and the clock; tp and batch of each class.
    assert found.count == 2 + 4 * 2
    assert found.size == 2 * 3 * 12**4
