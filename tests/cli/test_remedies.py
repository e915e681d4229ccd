"""Whatever is wrong, what is printed ends with what to do about it."""

import re
from pathlib import Path

import pytest

from tests.cli.terminal import exit_code

STUDY = """name = "mine"
[workload]
model = "llama-3-8b"
context = 4096
[objective]
maximise = "utps"
[design]
system = "h200"
tp = { choices = [1, 2] }
"""
FILES = {
    "ok.toml": STUDY,
    "list.json": "[]",
    "broken.json": "{",
    "other.json": '{"a": 1}',
    "broken.toml": "a = ",
    "path.toml": STUDY + '[design.numbers]\n"system.chip.memory.bandwith" = "4 TB/s"\n',
    "model.toml": STUDY.replace("llama-3-8b", "llama-3-9b"),
    "field.toml": STUDY.replace("context", "contxt"),
    "goal.toml": STUDY.replace('"utps"', '"upts"'),
    "unit.toml": STUDY + '[[constraints]]\nquantity = "power"\nat_most = "10 kg"\n',
    "limits.toml": STUDY + '[constraints]\npower = "10 kW"\n',
    "more.toml": STUDY + "[more]\npower = 1\n",
    "aimless.toml": STUDY.replace('[objective]\nmaximise = "utps"\n', ""),
    "config.json": '{"model_type": "nothing"}',
    "rows.csv": "a,b\n1,2\n",
    "full/file": "",
}

DESIGN = "predict -m llama-3-8b --system h200"
SWEEP = "sweep -m llama-3-8b --system h200"
BAD = f"""
predct
predict
predict -m llama-3-9b --system h200
predict -m llama-3-8b --system h20
predict -m llama-3-8b --system none.toml
predict -m llama-3-8b --system broken.toml
predict -m none.json --system h200
predict -m broken.json --system h200
predict -m config.json --system h200
{DESIGN} --tp 0
{DESIGN} --tp 5
{DESIGN} --modl x
{DESIGN} --kv-bits x
{DESIGN} --weight-bits fp8
{DESIGN} --context 128K
predict llama-3-8b h200
predict -m ok.toml --system h200
{DESIGN} --isl 5
{DESIGN} --set system.chip.memory.bandwith=1e12
{DESIGN} --set system.chip.memory.bandwidth
{DESIGN} --set system.chip.memory.bandwidth=fast
{DESIGN} --calibration measurd
{DESIGN} --calibration zzz
{DESIGN} --engine vllm
{DESIGN} --calibration measured --engine vlm
predict -c none.toml
predict -c broken.toml
predict -c ok.toml
predict -c full
predict -c ok.toml --tp 2
optimize none
optimize none.toml
optimize broken.toml
optimize full
optimize path.toml
optimize model.toml
optimize field.toml
optimize goal.toml
optimize unit.toml
optimize aimless.toml
optimize limits.toml
optimize more.toml
optimize -m llama-3-8b
optimize ok.toml -o full
optimize ok.toml --starts 0
optimize ok.toml --robust maen
optimize ok.toml --method guess
optimize eight-models-one-chip --method gradients
optimize eight-models-one-chip --calibration measured
pareto ok.toml --maximise upts --maximise utps
pareto ok.toml --maximise utps --minimise utps
pareto ok.toml --maximise utps
pareto eight-models-one-chip
sensitivity ok.toml --change 0
uncertainty ok.toml --samples 3
compare h200
compare h200 zzz
compare full h200
compare h200 b200 -m llama-3-8b --tp 3
compare h200 b20 -m llama-3-8b
compare h200 b200
reach -m deepseek-v3
reach --utps 100 -m deepsek-v3
reach --utps 100 -m llama-3-8b --system h200 --levers zzz
ceiling
report
report nothing
report list.json
report broken.json
report other.json
report ok.toml
report full
app --port 0
app none
{SWEEP}
{SWEEP} --axis tp
{SWEEP} --axis tp=x
{SWEEP} --axis tpp=1,2
{SWEEP} --axis zzz=1,2
{SWEEP} --axis bandwidth=1e12,2e12
{SWEEP} --axis model=zzz
{SWEEP} --axis tp=1,2 --points 5
{SWEEP} --axis tp=1,2 --maximise upts
{SWEEP} --axis tp=1,2 --sample sobol
{SWEEP} --axis tp=1,2 -o full
calibrate none.json -o mine.toml --system h100
calibrate rows.csv -o mine.toml
calibrate rows.csv -o nowhere/mine.toml
validate none.json
validate rows.csv
validate rows.csv --system zzz
validate --system h100
validate full
models show llama-3-9b
models import none.json
models import config.json
models import full
models list
models compare llama-3-8b llama-3-9b
systems show h201
systems new mine --like h201
systems new mine --like h200 --set chip.memory.bandwith=1
systems new mine --like h200 --set chip.memory.bandwidth
systems new mine --like h200 --set zzz=1
systems h200
experiments run bandwith
studies extra
"""

REMEDY = re.compile(
    r"did you mean|such as|\bthere (?:is|are)\b .*,|must (?:be|divide|lie)|is required"
    r"|liminal \w+|`[^`]+`|--[a-z]|(?:[;:,]|\bor) (?:\w+ )?(?:check|choose|describe|give|leave|mend"
    r"|name|save|state|take|try|write|find|fetch)\b|Expected one of"
)
"""What to give, a command, or something to do."""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize("line", BAD.strip().splitlines())
def test_what_is_wrong_comes_with_what_to_do(line: str, capsys: pytest.CaptureFixture) -> None:
    assert exit_code(line.split()) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    if "For full helptext" in err:  # A flag that the parser refuses, which tells the command.
        return
    told = [it for it in err.splitlines() if ": " in it] or err.splitlines()
    assert [it for it in told if not REMEDY.search(without_place(it))] == []


def without_place(line: str) -> str:
    """What is said of a mistake, without where it is: options there are no remedy."""
    return re.sub(r"^liminal(?: \w+)*: (?:--[\w-]+: )?", "", line)


def test_a_bare_complaint_is_no_remedy() -> None:
    for line in (
        "liminal predict: --tp: is wrong",
        "mine.toml: cannot be read: No such file or directory",
        "mine.toml: is not UTF-8 text",
        "config.json: model_type: model_type 'nothing' is not modelled",
        "mine.toml: objective: is not there",
        "mine.toml: more: unknown field",
        "zzz: is neither a run folder, a design file, a system nor a model",
        "liminal sweep: --axis: there is no number 'zzz' to vary",
    ):
        assert not REMEDY.search(without_place(line)), line


@pytest.mark.slow
def test_what_flags_of_a_comparison_get_wrong_is_told_with_the_flags(
    capsys: pytest.CaptureFixture,
) -> None:
    assert exit_code(["compare", "h200", "b200", "-m", "llama-3-8b", "--tp", "3"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(it.startswith("liminal compare: --tp: must divide") for it in lines)
