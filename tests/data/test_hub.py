"""Models of the hub: what is asked of its library, and what each failure reads like."""

import importlib
import json
from types import SimpleNamespace

import pytest

from liminal_jax._files import InputError
from liminal_jax.data import hub
from liminal_jax.data.models import load_model_config, load_model_spec
from tests.cli.terminal import exit_code
from tests.workload.configs import LLAMA_2_7B, written


@pytest.fixture
def answer(monkeypatch, tmp_path):
    """Answers every download with a config, or raises what it is given; notes what was asked."""
    asked: list[tuple[str, str]] = []
    replies: list[object] = [LLAMA_2_7B]

    def download(hub_id, name):
        asked.append((hub_id, name))
        if isinstance(replies[-1], Exception):
            raise replies[-1]
        return written(tmp_path, replies[-1])

    library = SimpleNamespace(hf_hub_download=download)
    real = importlib.import_module
    monkeypatch.setattr(
        importlib, "import_module", lambda name: library if "hub" in name else real(name)
    )
    return SimpleNamespace(asked=asked, replies=replies)


def test_a_config_is_fetched_and_named_after_its_id(answer):
    spec, report = load_model_config("hf:meta-llama/Llama-2_7b.HF")
    assert answer.asked == [("meta-llama/Llama-2_7b.HF", "config.json")]
    assert spec.name == "llama-2-7b.hf"
    assert spec.source == "config.json of meta-llama/Llama-2_7b.HF"
    assert report.source == "hf:meta-llama/Llama-2_7b.HF"
    assert load_model_spec("hf:meta-llama/Llama-2_7b.HF") == spec
    assert load_model_config("meta-llama/Llama-2_7b.HF")[0] == spec


def test_a_path_goes_before_an_id(answer, tmp_path, monkeypatch):
    folder = tmp_path / "org" / "name"
    folder.mkdir(parents=True)
    written(folder, LLAMA_2_7B)
    monkeypatch.chdir(tmp_path)
    assert load_model_config("org/name")[0].source == "org/name"
    with pytest.raises(InputError, match="cannot be read"):
        load_model_config("org/absent.json")
    assert answer.asked == []


def test_mistakes_of_a_fetched_config_name_the_id(answer):
    answer.replies.append({**LLAMA_2_7B, "hidden_size": -1, "odd": 1})
    with pytest.raises(InputError) as caught:
        load_model_spec("hf:org/name")
    first, second = caught.value.lines()
    assert first == "hf:org/name: hidden_size: must be greater than 0, got -1"
    assert second.startswith("hf:org/name: odd: unknown field")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionError("no route to host\nmore"), "cannot be fetched: no route to host"),
        (RuntimeError(), "cannot be fetched: RuntimeError"),
        (ValueError("gated"), "cannot be fetched: gated"),
    ],
)
@pytest.mark.parametrize(
    "arguments",
    [
        ["models", "import", "org/name"],
        ["models", "show", "hf:org/name"],
        ["models", "compare", "llama-3-8b", "hf:org/name", "--json"],
    ],
)
def test_without_a_network_the_cause_is_told(answer, error, words, arguments, capsys):
    answer.replies.append(error)
    assert exit_code(arguments) == 2
    assert capsys.readouterr() == ("", f"hf:org/name: config.json {words}\n")


def test_what_lay_behind_a_failure_is_told(answer):
    error = OSError("cannot find the file")
    error.__cause__ = ConnectionError("name not known")
    answer.replies.append(error)
    with pytest.raises(InputError, match="cannot find the file: name not known"):
        hub.config_file("org/name")


def test_without_the_extra_one_line_tells_how_to_get_it(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(InputError) as caught:
        hub.load_hub_config("org/name")
    assert caught.value.lines() == [
        "hf:org/name: a hub id needs the extra hub: pip install -e '.[hub]'"
    ]


@pytest.mark.parametrize("text", ["", "name", "/name", "org/", "a/b/c", "org/na me", "../name"])
def test_what_is_no_id(answer, text):
    with pytest.raises(InputError, match="must have the form hf:org/name"):
        load_model_spec(f"hf:{text}")
    assert answer.asked == []


def test_an_id_without_its_prefix_gets_a_hint():
    with pytest.raises(InputError, match="did you mean 'hf:some-org/Some-Thing'"):
        load_model_spec("some-org/Some-Thing")


@pytest.mark.usefixtures("answer")
def test_a_fetched_model_predicts(capsys):
    arguments = ["predict", "-m", "hf:meta-llama/Llama-2-7b", "--system", "h200", "--json"]
    assert exit_code(arguments) == 0
    assert json.loads(capsys.readouterr().out)["parameters_total"] == 6_738_415_616
