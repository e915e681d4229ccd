"""Several workloads as problems that share a lattice."""

import json
from pathlib import Path

import pytest

from liminal_jax._files import InputError
from liminal_jax.study.file import PortfolioFile, StudyFile
from liminal_jax.study.numbers import of_hardware
from liminal_jax.study.portfolio import portfolio_of
from liminal_jax.study.questions import load_question, load_study
from liminal_jax.study.read import problem_of
from liminal_jax.study.variables import PATHS
from tests.optimization.brute import STUDIES, study
from tests.workload.configs import LLAMA_2_7B

MEMBERS = [
    {"model": "llama-3-8b", "context": 8192},
    {
        "model": "qwen3-30b-a3b",
        "name": "chat",
        "context": 16384,
        "kv_bits": 4,
        "weight": 3,
        "constraints": [{"quantity": "utps", "at_least": 50}],
    },
]

ATTENTION = ("attention", "attention_ranks", "shared_expert_ranks")


def portfolio(folder, members=MEMBERS, **changes):
    path = study(folder, "planned", workloads=members, **changes)
    text = path.read_text()
    begin, end = text.index("[workload]"), text.index("[objective]")
    path.write_text(text[:begin] + text[end:])
    return path


def test_each_workload_is_a_problem_of_its_own(tmp_path):
    limits = [{"quantity": "power", "at_most": "9 kW"}]
    file = load_question(str(portfolio(tmp_path, constraints=limits)))
    assert isinstance(file, PortfolioFile)
    one, two = portfolio_of(file).members
    assert (one.name, two.name) == ("llama-3-8b", "chat")
    assert (one.weight, two.weight) == (0.25, 0.75)
    assert [it.name for it in one.problem.limits][-1:] == ["power"]
    assert [it.name for it in two.problem.limits][-2:] == ["power", "utps"]
    assert two.problem.file.workload.kv_bits == 4
    assert one.problem.variables == two.problem.variables
    plain = load_study(str(STUDIES / "planned.toml"))
    same = plain.model_copy(update={"workload": one.problem.file.workload})
    assert one.problem.lattice == problem_of(same).lattice


def test_hardware_is_shared_and_mappings_are_not(tmp_path):
    whole = portfolio_of(load_question(str(portfolio(tmp_path))))
    hardware = [name for name, path in PATHS.items() if of_hardware(path)]
    assert [*hardware, "tp", "cp", "pp", "ep", *ATTENTION, "batch"] == list(PATHS)
    free = [it.name for it in whole.hardware]
    assert free == [it for it in hardware if it not in ("tier_units", "domain", "clock")]
    # memory, stacks, dies, area, sram, links, chips; tp, cp, pp, ep, batch
    assert whole.lattice == 3 * 4 * 2 * 5 * 2 * 2 * 4
    assert whole.mappings == 4 * 2 * 3 * 4 * 10
    assert whole.lattice * whole.mappings == whole.members[0].problem.lattice


def test_one_workload_where_one_is_wanted(tmp_path):
    path = portfolio(tmp_path)
    with pytest.raises(InputError, match="workloads: one workload is wanted here"):
        load_study(str(path))
    assert isinstance(load_question(str(STUDIES / "planned.toml")), StudyFile)


def test_models_beside_the_file_and_their_names(tmp_path):
    folder = tmp_path / "Mine B"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA_2_7B))
    members = [{"model": "Mine B/config.json", "context": 4096}, MEMBERS[0]]
    file = load_question(str(portfolio(tmp_path, members)))
    assert [it.name for it in file.workloads] == ["mine-b", "llama-3-8b"]
    assert Path(file.workloads[0].model) == folder / "config.json"


def test_mistakes_that_show_late_are_told_at_their_place(tmp_path):
    talk = {"model": "kimi-linear-48b-a3b", "context": 8192, "accounting": "talk"}
    file = load_question(str(portfolio(tmp_path, [MEMBERS[0], talk])))
    with pytest.raises(InputError) as error:
        portfolio_of(file)
    assert [it.path for it in error.value.problems] == ["workloads.1.accounting"]
