"""The time to the first token: each loss does what it is named for, and waiting has its limits."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import liminal_jax as ll
from liminal_jax.calibration.prompts import PROMPT_TERMS, FirstToken, Load, PromptLosses
from liminal_jax.performance.step_terms import step_terms

LOSSLESS = {
    **dict.fromkeys(("prompt_weight_share", "prompt_matrix_share", "prompt_core_share"), 1.0),
    **dict.fromkeys(("small_products", "prompt_collective_factor", "waiting", "together"), 1.0),
    **dict.fromkeys(("request_time", "launch_time", "mixture_launch_time", "decode_steps"), 0.0),
    "prompt_overlap": 200.0,
    "apart": 0.3,
}
DESIGN = ll.Design(ll.load_system("h200"), ll.Mapping(tp=8), ll.Placement(), batch=0)


def terms(name="llama-3-70b", isl=4096):
    prompts = ll.Prompts(count=1, chunk=ll.Chunk(tokens=isl))
    return step_terms(DESIGN, ll.load_model(name), ll.Request(context=1), prompts=prompts)


def load(**changes):
    usual = {"users": 1, "rate": 0, "answer": 10.0, "step": 0.01, "others": 0, "alike": 0}
    return Load(**{**usual, **changes})


def losses(**changes):
    return PromptLosses(**{**LOSSLESS, **changes})


@pytest.fixture(scope="module", autouse=True)
def _precise():
    with jax.enable_x64(True):
        yield


def test_without_losses_a_lone_prompt_takes_its_bound_and_collectives():
    it = terms()
    expected = max(float(it.matrix + it.core), float(it.weights)) + float(it.exchanged)
    assert float(losses().time(FirstToken(it, load()))) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("loss", "added"),
    [("request_time", 1.0), ("launch_time", 80.0), ("decode_steps", 0.01)],
)
def test_times_are_added_or_last_the_longest(loss, added):
    """80 layers are launched in a second each; a step of 10 ms is waited for."""
    it = FirstToken(terms(), load(others=1, users=2, answer=1e9))
    without = float(losses().time(it))
    with_it = float(losses(**{loss: 1.0}).time(it))
    exchanged = float(it.prompt.exchanged)
    expected = max(without, added + exchanged) if loss == "launch_time" else without + added
    assert with_it == pytest.approx(expected, rel=0.01)


def test_prompts_of_many_users_pass_one_after_the_other():
    it = terms()
    service = float(it.matrix + it.core + it.exchanged)
    users, answer = 50, 10 * service
    crowded = load(others=1, users=users, answer=answer)
    meanwhile = float(losses().prompts_meanwhile(jnp.asarray(service), crowded))
    # 50 users of one server that is always busy: n S - Z until their prompt has passed
    assert (1 + meanwhile) * service == pytest.approx(users * service - answer, rel=0.02)


def test_prompts_of_one_length_come_together():
    service = jnp.asarray(0.01)
    apart = losses().prompts_meanwhile(service, load(others=1, users=9, answer=1e6))
    together = losses().prompts_meanwhile(service, load(others=1, users=9, answer=1e6, alike=1))
    assert float(together - apart) == pytest.approx(8, rel=1e-4)
    alone = losses().prompts_meanwhile(service, load(users=9, alike=1))
    assert float(alone) == 0


def test_half_have_come_apart_where_all_prompts_take_the_stated_part_of_an_answer():
    service, share = jnp.asarray(0.01), losses().apart
    lengths = {"others": 1.0, "users": 9.0, "answer": 9 * 0.01 / float(share)}
    apart = losses().prompts_meanwhile(service, load(**lengths))
    together = losses().prompts_meanwhile(service, load(**lengths, alike=1.0))
    assert float(together - apart) == pytest.approx(4, rel=1e-6)


def test_an_open_queue_never_holds_more_than_its_busiest():
    service = jnp.asarray(0.1)
    waits = [
        float(losses().prompts_meanwhile(service, load(others=1, rate=rate)))
        for rate in (1.0, 5.0, 9.0, 90.0)
    ]
    assert waits[0] == pytest.approx(0.1 / (2 * 0.9))
    assert waits[1] == pytest.approx(0.5)
    assert waits[2] == waits[3] == pytest.approx(4.5)


def test_every_loss_has_a_slope():
    it = FirstToken(terms("deepseek-v3"), load(others=1, users=8, alike=1))
    given = losses(request_time=0.01, launch_time=1e-4, mixture_launch_time=1e-4,
                   decode_steps=1.0, prompt_overlap=2.0, small_products=2.0)  # fmt: skip
    slopes = eqx.filter_grad(lambda each: each.time(it))(given)
    for term in PROMPT_TERMS:
        slope = float(getattr(slopes, term))
        assert np.isfinite(slope)
        assert slope != 0
