"""Quality is what the study says, never a guess: its losses, its limit, and its mistakes."""

import jax.numpy as jnp
import pytest

import liminal_jax as ll
from liminal_jax._files import InputError
from liminal_jax._smooth import Exact
from liminal_jax.study.file import StudyFile, design_of
from liminal_jax.study.quality import StatedLoss
from liminal_jax.study.read import problem_of

TABLES = {
    "name": "quality",
    "workload": {"model": "llama-3-8b", "context": 8192},
    "design": {"system": "h200", "tp": 8, "batch": 4, "numbers": {"kv_bits": [4, 8, 16]}},
    "algorithm": {"delay": [0, 0.5, 1]},
    "quality": {
        "unit": "points of MMLU-Pro",
        "losses": {
            "delay": {"settings": [0, 0.5, 1], "losses": [0, 1.2, 3]},
            "kv_bits": {"settings": [4, 8, 16], "losses": [2, 0.5, 0]},
        },
    },
    "objective": {"maximise": "utps"},
    "constraints": [{"quantity": "quality_loss", "at_most": 1.8}],
}


def study_of(**changes):
    return StudyFile.model_validate({**TABLES, **changes})


def test_losses_are_summed_and_lie_on_lines_between_settings():
    problem = problem_of(study_of())
    by_hand = {(0.0, 16.0): 0.0, (0.5, 8.0): 1.7, (1.0, 4.0): 5.0}
    order = [it.path for it in problem.variables]
    for (delay, bits), loss in by_hand.items():
        values = {"algorithm.reductions.delay": delay, "request.kv_bits": bits}
        case = problem.region.at([values[path] for path in order], jnp.asarray(0))
        assert float(case.fleet(Exact()).quality_loss) == pytest.approx(loss)
    line = StatedLoss("x", [0, 2], [1, 2])
    assert [float(line.at(it)) for it in (-1.0, 1.0, 5.0)] == [1.0, 1.5, 2.0]


@pytest.mark.slow
def test_a_limit_on_quality_decides():
    def best(most):
        limits = [{"quantity": "quality_loss", "at_most": most}]
        return ll.find(problem_of(study_of(constraints=limits)), seed=0)

    free, bound, none = best(9.0), best(1.8), best(0.1)
    assert free.solution.values["kv_bits"] == 4
    assert bound.solution.values == {"kv_bits": 8, "algorithm.delay": 0.5}
    assert none.solution.values == {"kv_bits": 16, "algorithm.delay": 0}
    assert free.objective > bound.objective > none.objective
    assert float(bound.fleet.quality_loss) == pytest.approx(1.7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quality": None}, "quality: is required where quality_loss is limited"),
        (
            {
                "quality": {
                    "unit": "points",
                    "losses": {"dely": TABLES["quality"]["losses"]["delay"]},
                }
            },
            "quality.losses.dely",
        ),
        (
            {
                "quality": {
                    "unit": "points",
                    "losses": {"delay": {"settings": [0, 0.5], "losses": [0, 1]}},
                }
            },
            "is stated from 0 to 0.5, and the design may have 0 to 1",
        ),
    ],
)
def test_what_is_missing_of_quality_is_told(changes, message):
    with pytest.raises(InputError) as error:
        problem_of(study_of(**changes))
    assert message in "\n".join(error.value.lines())


@pytest.mark.parametrize(
    ("settings", "losses"), [([0, 1], [0]), ([1], [0]), ([1, 1], [0, 0]), ([2, 1], [0, 1])]
)
def test_a_loss_needs_ascending_settings_and_a_loss_for_each(settings, losses):
    tables = {key: it for key, it in TABLES.items() if key not in ("objective", "constraints")}
    tables["quality"] = {
        "unit": "points",
        "losses": {"delay": {"settings": settings, "losses": losses}},
    }
    with pytest.raises(InputError, match=r"quality\.losses\.delay"):
        design_of(tables, "design.toml")


def test_a_study_that_says_nothing_of_quality_has_none():
    file = study_of(quality=None, constraints=[])
    fleet = problem_of(file).first().fleet(Exact())
    assert fleet.quality_loss != fleet.quality_loss  # unknown
