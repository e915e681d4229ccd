import json

import pytest

from liminal_jax._files import InputError
from liminal_jax.cli.models import models_import, models_list, models_show
from liminal_jax.data.models import model_names
from liminal_jax.workload.counts import Counts
from tests.workload.configs import LLAMA_2_7B, written


def test_the_list_names_every_model_within_100_columns(capsys):
    models_list()
    lines = capsys.readouterr().out.splitlines()
    assert all(any(line.startswith(name) for line in lines) for name in model_names())
    assert max(map(len, lines)) <= 100


def test_the_list_as_json(capsys):
    models_list(json=True)
    table = json.loads(capsys.readouterr().out)
    assert list(table) == model_names()
    assert table["llama-3-8b"]["total"] == 8_030_261_248


def test_an_import_tells_what_it_did(capsys, tmp_path):
    models_import(written(tmp_path, {**LLAMA_2_7B, "bos_token_id": 1}))
    out = capsys.readouterr().out
    assert all(
        word in out for word in ("read as llama", "default", "bos_token_id", "6,738,415,616")
    )
    assert max(map(len, out.splitlines())) <= 100 + len(str(tmp_path))


@pytest.mark.parametrize("show", [models_import, models_show])
def test_one_model_as_json(capsys, tmp_path, show):
    show(written(tmp_path, LLAMA_2_7B, "Llama-2-7B.json"), json=True)
    table = json.loads(capsys.readouterr().out)
    assert list(table) == ["name", *Counts._fields]
    assert table["name"] == "llama-2-7b"


def test_showing_a_bundled_model(capsys):
    models_show("llama-4-maverick")
    out = capsys.readouterr().out
    assert "chunked 8192" in out
    assert "MoE 1/128" in out


def test_a_refusal_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="is not modelled"):
        models_import(written(tmp_path, {"model_type": "mamba2"}))
