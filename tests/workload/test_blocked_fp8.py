"""A cache of latents in blocked FP8: 656 bytes a token and layer of DeepSeek's models."""

from typing import Any

import jax
import pytest

import liminal_jax as ll
from liminal_jax._files import InputError
from liminal_jax._smooth import Exact
from liminal_jax.performance.memory_footprint import memory_footprint
from liminal_jax.performance.operators import layer_operators
from liminal_jax.study.assemble import workload_of
from liminal_jax.study.basis import _workload_sentences
from liminal_jax.study.file import WorkloadTable, design_of
from liminal_jax.study.problem import Problem
from liminal_jax.study.read import problem_of
from liminal_jax.sweeps.leaves import leaves_of
from liminal_jax.workload.mixer.latent import Latent
from liminal_jax.workload.mixer.sparse_latent import SparseLatent
from liminal_jax.workload.request import Request

EXACT = Exact()
TOKEN = 512 + 4 * 4 + 2 * 64
PLAIN = 512 + 64
LAYERS = 61
CONTEXT = 5000
USERS = 3.0
REQUEST = Request(context=CONTEXT)


def held(model: ll.Model) -> tuple[float, float]:
    """Bytes of one user's cache, and of its index."""
    it = memory_footprint(model, REQUEST, ll.Mapping(), 1.0, ll.Assumptions())
    return float(it.cache), float(it.index)


def moved(model: ll.Model) -> tuple[float, float]:
    """Bytes of cache and of index that a step moves for three users."""
    operators = layer_operators(model, REQUEST, USERS, EXACT)
    return sum(float(it.cache) for it in operators), sum(float(it.index) for it in operators)


def test_deepseek_v3_by_hand() -> None:
    plain = ll.load_model("deepseek-v3")
    blocked = ll.blocked_fp8(plain)
    assert TOKEN == 656
    assert held(plain) == (PLAIN * LAYERS * CONTEXT, 0)
    assert held(blocked) == (656 * LAYERS * CONTEXT, 0)
    assert moved(blocked) == (USERS * 656 * LAYERS * CONTEXT, 0)


def test_deepseek_v32_keeps_its_index() -> None:
    plain = ll.load_model("deepseek-v3.2")
    blocked = ll.blocked_fp8(plain)
    index = 128 * LAYERS * CONTEXT
    assert held(plain) == (PLAIN * LAYERS * CONTEXT, index)
    assert held(blocked) == (656 * LAYERS * CONTEXT, index)
    # 2048 of the tokens are read
    assert moved(blocked) == (USERS * 656 * LAYERS * 2048, USERS * index)


def test_work_and_queries_stay_as_they_are() -> None:
    for name in ("deepseek-v3", "deepseek-v3.2", "kimi-linear-48b-a3b"):
        plain = ll.load_model(name)
        pairs = zip(plain.layers, ll.blocked_fp8(plain).layers, strict=True)
        for one, other in pairs:
            if isinstance(one.attention, Latent | SparseLatent):
                assert other.attention is not None
                assert other.attention.work(9.0, EXACT) == one.attention.work(9.0, EXACT)
                assert other.attention.query_width() == one.attention.query_width()
            else:
                assert other.attention is one.attention


def test_states_of_other_mixers_stay_as_they_are() -> None:
    plain = ll.load_model("kimi-linear-48b-a3b")
    both = [
        memory_footprint(it, REQUEST, ll.Mapping(), 1.0, ll.Assumptions())
        for it in (plain, ll.blocked_fp8(plain))
    ]
    assert float(both[0].state) == float(both[1].state) > 0
    assert float(both[1].cache) / float(both[0].cache) == pytest.approx(656 / 576)


def test_a_step_has_slopes_in_the_width_of_latents() -> None:
    model = ll.blocked_fp8(ll.load_model("deepseek-v3"))

    def cached(it: ll.Model) -> jax.Array:
        return memory_footprint(it, REQUEST, ll.Mapping(), 1.0, ll.Assumptions()).cache

    slopes = [it.attention for it in jax.grad(cached)(model).layers]
    ranks = [it for it in slopes if isinstance(it, Latent)]
    # a byte, and a 128th of a scale of four; two bytes of the rotary key
    assert sum(float(it.kv_rank) for it in ranks) == (1 + 4 / 128) * LAYERS * CONTEXT
    assert sum(float(it.rope_dim) for it in ranks) == 2 * LAYERS * CONTEXT


def test_a_study_chooses_it_and_its_basis_says_so() -> None:
    tables = {"model": "deepseek-v3", "context": 8192.0}
    formats = ({}, {"kv_format": "blocked-fp8"})
    plain, blocked = (WorkloadTable.model_validate({**tables, **it}) for it in formats)
    spec = ll.load_model_spec("deepseek-v3")
    assert held(workload_of(plain, spec).model) == held(ll.load_model("deepseek-v3"))
    assert held(workload_of(blocked, spec).model) == (656 * LAYERS * CONTEXT, 0)
    said = [
        [it for it in _workload_sentences(design(**words).first(), spec) if "656 bytes" in it]
        for words in formats
    ]
    assert said[0] == []
    assert len(said[1]) == 1


def design(**workload: Any) -> Problem:
    tables = {
        "workload": {"model": "deepseek-v3", "context": 8192, **workload},
        "design": {"system": "h200"},
    }
    return problem_of(design_of(tables, "mine.toml"))


@pytest.mark.parametrize(
    ("workload", "message"),
    [
        (
            {"model": "llama-3-8b"},
            "workload.kv_format: 'blocked-fp8' is a cache of latents, and llama-3-8b has none",
        ),
        (
            {"kv_bits": 16.0},
            "workload.kv_format: 'blocked-fp8' has latents of 8 bits, kv_bits is 16",
        ),
        (
            {"accounting": "talk"},
            "workload.kv_format: the talk's accounting counts plain caches only",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(workload: dict, message: str) -> None:
    with pytest.raises(InputError) as caught:
        design(kv_format="blocked-fp8", **workload)
    assert message in str(caught.value)


def test_a_format_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"mine.toml: workload.kv_format: "):
        design(kv_format="fp8")


def test_in_python_a_model_without_latents_is_refused() -> None:
    with pytest.raises(ValueError, match="no mixer of the model caches latents"):
        ll.blocked_fp8(ll.load_model("llama-3-8b"))


def test_a_sweep_does_not_vary_what_the_format_fixes() -> None:
    tables: dict[str, Any] = {
        "workload": {"model": "deepseek-v3", "context": 8192},
        "design": {"system": "h200"},
    }
    found = []
    for name in ("plain", "blocked-fp8"):
        tables["workload"]["kv_format"] = name
        found.append("kv_bits" in leaves_of(problem_of(design_of(tables, "mine.toml"))))
    assert found == [True, False]
