"""Levers of software in a search: the answer is the best of all, each predicted by itself."""

import itertools

import pytest

import liminal_jax as ll
from experiments.listed import in_numpy
from liminal_jax._files import InputError
from liminal_jax.optimization.answer import optimize
from liminal_jax.study.file import StudyFile, design_of
from liminal_jax.study.read import problem_of

MODEL = ll.load_model("llama-3-8b")
REQUEST = ll.Request(context=8192)
FREE = {
    "mapping.tp": [1, 2, 4, 8],
    "batch": [1, 4, 16, 64, 256],
    "algorithm.speculation.drafts": [0, 1, 2, 3, 5, 7],
    "algorithm.reductions.delay": [0, 0.5],
    "expert_bits": [8],
}


@pytest.mark.slow
def test_the_best_design_with_levers_is_that_of_enumeration():
    algorithm = ll.Algorithm(speculation=ll.Speculation(acceptance=0.7, decay=0.9))
    design = ll.Design(ll.load_system("h200"), algorithm=algorithm)
    space = ll.Space(design, FREE, model=MODEL, request=REQUEST)
    found = ll.optimize(space, maximise="stps", limits=[ll.at_least("utps", 150)])
    best = None
    predict = in_numpy(ll.predict)
    for tp, batch, drafts, delay in itertools.product(*list(FREE.values())[:4]):
        levers = ll.Algorithm(
            speculation=ll.Speculation(drafts=drafts, acceptance=0.7, decay=0.9),
            reductions=ll.Reductions(delay=delay),
        )
        one = ll.Design(design.system, ll.Mapping(tp=tp), batch=batch, algorithm=levers)
        it = predict(one, MODEL, REQUEST)
        if float(it.utps) >= 150 and bool(it.fits):
            best = max(best or 0.0, float(it.stps))
    assert found.certificate.method == "bound"
    assert found.certificate.relative_gap == 0
    assert found.objective == pytest.approx(best, rel=1e-6)
    assert float(found.design.algorithm.speculation.drafts) in (1, 2, 3, 5, 7)


TABLES = {
    "workload": {"model": "deepseek-v3", "context": 8192},
    "design": {"system": "h200", "tp": 8, "ep": 8, "batch": 4},
}


def case_of(**levers):
    file = design_of({**TABLES, "algorithm": levers}, "design.toml")
    return problem_of(file).region.case


def test_a_file_states_levers_by_their_names():
    levers = case_of(drafts=3, **{"prefetch.buffer": "10 MB"}).algorithm
    assert float(levers.speculation.drafts) == 3
    # as published for the model's own drafter
    assert float(levers.speculation.acceptance) == pytest.approx(0.93)
    assert float(levers.prefetch.buffer) == 1e7
    assert isinstance(levers.speculation.drafter, ll.RecurrentHead)
    small = case_of(drafts=3, drafter="llama-3.2-1b", acceptance=0.5).algorithm.speculation
    assert isinstance(small.drafter, ll.SmallModel)
    assert float(small.acceptance) == 0.5


@pytest.mark.parametrize(
    ("levers", "message"),
    [
        ({"drafts": -1}, "algorithm.drafts: must be at least 0"),
        ({"acceptance": 0}, "algorithm.acceptance: must be greater than 0"),
        ({"decay": 1.5}, "algorithm.decay: must be at most 1"),
        ({"tokens_per_pass": 0.5}, "algorithm.tokens_per_pass: must be at least 1"),
        ({"drafts": 2, "canvas": 8}, "leave out either it or"),
        ({"draft": 2}, "did you mean"),
        ({"drafts": 2, "drafter": "no-such-model"}, "algorithm.drafter: no-such-model"),
        ({"drafter": 3}, "algorithm"),
    ],
)
def test_a_wrong_lever_is_told_with_its_path(levers, message):
    with pytest.raises(InputError) as error:
        case_of(**levers)
    assert message in "\n".join(error.value.lines())


def test_halves_of_one_user_are_refused():
    one = {**TABLES, "design": {**TABLES["design"], "batch": 1}}
    file = design_of({**one, "algorithm": {"micro_batches": 2}}, "design.toml")
    with pytest.raises(InputError, match="two users at least"):
        problem_of(file)


def test_drafts_of_a_model_without_a_drafter_are_refused():
    tables = {**TABLES, "workload": {"model": "llama-3-8b", "context": 8192}}
    tables["design"] = {"system": "h200", "tp": 8}
    file = design_of({**tables, "algorithm": {"drafts": 2}}, "design.toml")
    with pytest.raises(InputError, match="give one"):
        problem_of(file)


@pytest.mark.slow
def test_an_answer_with_levers_is_explained():
    tables = {
        **TABLES,
        "name": "levers",
        "design": {**TABLES["design"], "batch": {"choices": [1, 4, 16, 64]}},
        "algorithm": {"drafts": {"choices": [0, 1, 2, 3]}, "fused": 0.0},
        "objective": {"maximise": "stps"},
    }
    answer = optimize(problem_of(StudyFile.model_validate(tables)))
    told = {it.parameter: it.elasticity for it in answer.sensitivities}
    assert told["algorithm.speculation.acceptance"] > 0
    assert told.get("algorithm.overlap.fused", 0.0) == 0.0
