"""The table of models that lists read instead of computing."""

import pytest

from liminal_jax.data.models import load_model_spec, model_names, spec_to_toml
from liminal_jax.data.summaries import TABLE, bundled_summaries, load_summary, table_text
from liminal_jax.workload.counts import counts
from liminal_jax.workload.summarised import summarised

REMEDY = "write the table again: python -m liminal_jax.data.summaries"


def test_every_model_has_a_row():
    assert list(bundled_summaries()) == model_names(), REMEDY


@pytest.mark.parametrize("name", model_names())
def test_a_row_is_what_the_classes_count(name):
    spec = load_model_spec(name)
    assert bundled_summaries()[name] == summarised(spec), REMEDY
    assert bundled_summaries()[name].counts == counts(spec)


def test_the_table_is_as_the_command_writes_it():
    assert TABLE.read_text(encoding="utf-8") == table_text(), REMEDY


def test_a_model_of_ones_own_is_counted(tmp_path):
    spec = load_model_spec("llama-3-8b")
    path = tmp_path / "llama-3-8b.toml"
    path.write_text(spec_to_toml(spec.model_copy(update={"vocabulary": 10})))
    own = load_summary(str(path)).counts
    assert own.lm_head == 10 * spec.hidden
    assert load_summary("llama-3-8b").counts.lm_head == spec.vocabulary * spec.hidden
