import json
from pathlib import Path

import pytest

from liminal_jax._files import InputError
from liminal_jax.cli.systems import systems_list, systems_new, systems_show
from liminal_jax.data.catalogue import system_names
from liminal_jax.data.files import load_sources
from liminal_jax.data.system_outlines import system_outlines
from liminal_jax.data.systems import load_system_file
from liminal_jax.results.system import numbers_in


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def leaves(record, path=""):
    """Every entry of a record with its path."""
    if not isinstance(record, dict):
        return {(path, record)}
    return {it for key, value in record.items() for it in leaves(value, f"{path}.{key}")}


def test_the_list_names_every_system(capsys):
    systems_list()
    lines = capsys.readouterr().out.splitlines()
    first = [line.split()[0] for line in lines if line.strip()]
    assert [it for it in first if it in system_names()] == 2 * list(system_names())


def test_the_list_says_what_the_files_say_once_they_are_checked():
    assert list(system_outlines()) == list(system_names())
    for name, outline in system_outlines().items():
        whole = load_system_file(name).model_dump()
        assert leaves(outline) <= leaves(whole)
        assert len(leaves(outline)) == 10


def test_the_list_as_json_is_in_si(capsys):
    systems_list(json=True)
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["kind", "schema", *system_names()]
    assert answer["h100"]["chip"]["memory"]["bandwidth"]["value"] == 3.35e12


@pytest.mark.parametrize("name", system_names())
def test_every_number_and_source_of_a_system_is_shown_whole(name, capsys):
    systems_show(name)
    words = capsys.readouterr().out
    flat = " ".join(words.split())
    system = load_system_file(name)
    for path, number in numbers_in(system.model_dump()):
        assert path in words
        assert number["printed"] in words
        if source := number["source"]:
            assert source in words
            assert " ".join(load_sources()[source].title.split()) in flat
    assert "…" not in words


def test_a_system_as_json_comes_with_what_it_refers_to(capsys):
    systems_show("b200", json=True)
    answer = json.loads(capsys.readouterr().out)
    assert answer["system"]["chip"]["tdp"]["value"] == 1000
    assert answer["memory_technology"]["access_energy"]["value"] == pytest.approx(56e-12)
    assert answer["process"]["name"] == "n4p"
    assert answer["sources"]["epoch-b200"]["title"]


@pytest.mark.parametrize("like", system_names())
def test_a_copy_is_the_same_machine(like, capsys):
    systems_new("mine", like)
    assert "liminal predict -m llama-3-70b --system mine.toml" in capsys.readouterr().out
    copy, original = load_system_file("mine.toml"), load_system_file(like)
    assert (copy.name, copy.status) == ("mine", "hypothetical")
    assert (copy.chip, copy.network) == (original.chip, original.network)
    assert "idle_fraction" in Path("mine.toml").read_text()


def test_a_copy_takes_changes():
    systems_new(
        "mine",
        "b200",
        output="other.toml",
        set=(
            'chip.memory.bandwidth="8.5 TB/s"',
            "chip.tdp=1.2 kW",
            "chip.memory.stacks=10",
            "chip.memory.technology=hbm4",
            "chip.sram.capacity=1 GB",
            "chip.sram.bandwidth=100 TB/s",
            "chip.sram.energy=0.25 pJ/bit",
        ),
    )
    chip = load_system_file("other.toml").chip
    assert chip.memory.bandwidth.value == 8.5e12
    assert chip.tdp.value == 1200
    assert chip.memory.stacks == 10
    assert chip.memory.technology == "hbm4"
    assert chip.sram is not None
    assert chip.sram.capacity.value == 1e9


def test_a_copy_of_a_copy_keeps_what_was_given():
    systems_new("one", "h100", set=('chip.memory.bandwidth="5 TB/s"',))
    systems_new("two", "one.toml")
    assert load_system_file("two.toml").chip == load_system_file("one.toml").chip


def test_a_file_is_never_overwritten():
    Path("mine.toml").write_text("precious")
    with pytest.raises(InputError, match=r"mine.toml: exists already; .* --output"):
        systems_new("mine", "h100")
    assert Path("mine.toml").read_text() == "precious"


def test_wrong_changes_are_all_named_and_nothing_is_written():
    with pytest.raises(InputError) as caught:
        systems_new("mine", "h100", set=("chip.memory.bandwith=1 TB/s", "chip.tdp", "a=1"))
    text = str(caught.value)
    assert "chip.memory.bandwith: there is no such field; did you mean 'chip.memory" in text
    assert "chip.tdp: must be written FIELD=VALUE" in text
    assert "--set: a: there is no such field" in text
    with pytest.raises(InputError, match=r"--set: chip.tdp: 'TB' where a quantity in W"):
        systems_new("mine", "h100", set=("chip.tdp=1 TB",))
    assert not Path("mine.toml").exists()


def test_a_folder_that_is_not_there_is_reported():
    with pytest.raises(InputError, match="cannot be written"):
        systems_new("mine", "h100", output="nowhere/mine.toml")


def test_a_system_is_drawn_into_a_folder_that_is_not_overwritten(capsys):
    systems_show("tpu7x", output="drawn")
    assert "drawn into drawn/package.svg, drawn/system.svg" in capsys.readouterr().err
    package = Path("drawn/package.svg").read_text()
    assert package.startswith("<svg ")
    assert "area not published" in package
    with pytest.raises(InputError, match=r"package\.svg: exists; choose another folder"):
        systems_show("tpu7x", output="drawn")
    systems_show("h200", output="drawn", overwrite=True)
    assert "814 mm2" in Path("drawn/package.svg").read_text()
    Path("file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        systems_show("h200", output="file")
