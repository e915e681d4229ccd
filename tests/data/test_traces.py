"""Traces: files of several kinds, what is wrong with them, and those that come with the package."""

import json
from pathlib import Path

import numpy as np
import pytest

from liminal_jax._files import InputError
from liminal_jax.data.traces import FOLDER, read_trace, shipped_trace, trace_rows


def _file(folder: Path, text: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n0:00,374,44\n0:01,396,109\n",
            "a.csv",
        ),
        (
            "Model,Request tokens,Response tokens\nA,374,44\nA,396,109\n",
            "b.csv",
        ),
        ("isl,osl\n374,44\n396,109\n", "c.csv"),
        ("\ufeffprompt_tokens,completion_tokens\r\n374,44\r\n396,109\r\n", "d.csv"),
        (
            '{"timestamp": 0, "input_length": 374, "output_length": 44, "hash_ids": [1]}\n\n'
            '{"timestamp": 9, "input_length": 396, "output_length": 109}\n',
            "e.jsonl",
        ),
    ],
)
def test_columns_are_known_as_public_traces_call_them(tmp_path: Path, text: str, name: str) -> None:
    trace = read_trace(_file(tmp_path, text, name))
    assert trace.prompts.tolist() == [374, 396]
    assert trace.answers.tolist() == [44, 109]
    assert trace.counts.tolist() == [1, 1]


def test_rows_count_as_often_as_they_say(tmp_path: Path) -> None:
    trace = read_trace(_file(tmp_path, "isl,osl,count\n10,2,3\n20,4,1\n"))
    assert trace.counts.tolist() == [3, 1]
    # 3 x 2 steps at a mean of 11 tokens, 4 at 22.
    assert trace.mean_context() == (6 * 11 + 4 * 22) / 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompts,osl\n1,2\n3,4\n", "no column of tokens of the prompt: it has prompts, osl"),
        ("isl\n1\n3\n", "no column of tokens of the answer: it has isl; name one output_tokens"),
        ("", "it has none"),
        ("isl,osl\n5,5\n", "a trace needs two requests at least, this one has 1"),
        ("isl,osl\n5,5\n-3,5\n-4,5\n", "isl: a prompt must have one token at least; 2 rows"),
        ("isl,osl\n5,5\n5,0\n", "osl: an answer must have one token at least; leave out requests"),
        ("isl,osl\n5,5\n5,many\n", "first request 2: no number"),
        ("isl,osl\n5,5\n5\n", "osl: an answer"),
        ("isl,osl,count\n5,5,0\n5,5,1\n", "count: a row must count more than 0"),
        ("isl,osl\n5,5\n5,inf\n", "first request 2: no number"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_trace(_file(tmp_path, text))
    assert message in str(caught.value)
    assert "mine.csv" in str(caught.value)


@pytest.mark.parametrize("text", ["{not json\n", "[1, 2]\n"])
def test_lines_that_are_no_objects_are_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_trace(_file(tmp_path, text, "mine.jsonl"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_trace(tmp_path / "none.csv")


def test_a_name_that_is_not_there_is_told() -> None:
    with pytest.raises(InputError, match="did you mean 'azure-code'"):
        shipped_trace("azure-cod")


def test_every_shipped_trace_has_its_source_and_all_its_requests() -> None:
    assert {it.stem for it in FOLDER.glob("*.csv")} == set(trace_rows())
    for name, row in trace_rows().items():
        assert shipped_trace(name).counts.sum() == row.requests
        assert row.licence
        assert row.source


def test_conversations_are_as_long_as_at_the_source() -> None:
    """Means of AzureLLMInferenceTrace_conv.csv: 1154.70 tokens of prompts, 211.13 of answers."""
    trace = shipped_trace("azure-conversation")
    means = [float(trace.counts @ it / trace.counts.sum()) for it in (trace.prompts, trace.answers)]
    assert means == pytest.approx([1154.6974, 211.1259], rel=1e-4)


def test_numbers_of_objects_are_read_as_those_of_tables(tmp_path: Path) -> None:
    lines = [{"isl": 7, "osl": 3.0, "count": "2"}, {"isl": 9, "osl": 1, "count": 1}]
    path = _file(tmp_path, "\n".join(map(json.dumps, lines)), "mine.jsonl")
    assert np.array_equal(read_trace(path).counts, [2, 1])
