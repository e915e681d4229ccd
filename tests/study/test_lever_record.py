"""What is said of the quality of each lever: lossless, published, assumed by the user, unknown."""

import pytest

from liminal_jax.data.quality import published_costs
from liminal_jax.study.file import design_of
from liminal_jax.study.lever_record import levers_of
from liminal_jax.study.read import problem_of

TABLES = {
    "workload": {"model": "deepseek-v3", "context": 8192},
    "design": {"system": "h200", "tp": 8, "ep": 8, "batch": 4},
}


def told(quality=None, **levers):
    tables = {**TABLES, "algorithm": levers}
    if quality is not None:
        tables["quality"] = quality
    case = problem_of(design_of(tables, "design.toml")).region.case
    return {it["lever"]: it for it in levers_of(case, published_costs())}


def test_levers_that_are_off_are_not_told():
    assert told() == {}
    assert told(drafts=0, **{"prefetch.buffer": 0, "micro_batches": 1, "depth": 1}) == {}


@pytest.mark.parametrize(
    ("levers", "name", "words"),
    [
        ({"drafts": 3}, "speculation", "lossless"),
        ({"prefetch.buffer": 1e6}, "prefetch", "lossless"),
        ({"fused": 0.5}, "overlap", "lossless"),
        ({"lasting": 0.8}, "expert cache", "lossless"),
        ({"delay": 0.5}, "fewer collectives", "ladder"),
        ({"dropped": 0.5}, "fewer collectives", "sync-point drop"),
        ({"sparse": 1}, "sparse attention", "published: "),
        ({"canvas": 64, "tokens_per_pass": 4}, "parallel decoding", "LLaDA-8B"),
        ({"skipped": 0.25}, "early exit", "published: "),
        ({"sharing": 2}, "KV sharing", "unknown"),
    ],
)
def test_each_lever_says_what_is_known_of_its_quality(levers, name, words):
    found = told(**levers)
    assert list(found) == [name]
    assert words in found[name]["quality"]


def test_what_the_user_states_comes_first():
    quality = {
        "unit": "points of MMLU-Pro",
        "losses": {"delay": {"settings": [0, 1], "losses": [0, 2]}},
    }
    assert told(quality, delay=0.5)["fewer collectives"]["quality"] == (
        "assumed by the user: 1 points of MMLU-Pro"
    )
    assert told(quality, drafts=2)["speculation"]["quality"] == "lossless"
