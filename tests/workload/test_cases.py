"""Configs that people brought, each counted as it was derived twice beside this package.

`cases/` holds the configs, shapes only, and `expected.json` their counts: by closed form, and by
the modelling code of transformers 5.24 on a meta device.
"""

import json
from pathlib import Path

import pytest

from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import Use, read_config

FOLDER = Path(__file__).parent / "cases"
EXPECTED = {row["name"]: row for row in json.loads((FOLDER / "expected.json").read_text())}


def test_every_config_has_counts():
    assert {path.stem for path in FOLDER.glob("[!e]*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_config_is_counted_as_expected(name):
    spec, report = read_config(FOLDER / f"{name}.json")
    tally = counts(spec)._asdict()
    expected = {key: value for key, value in EXPECTED[name].items() if key != "name"}
    assert {key: tally[key] for key in expected} == expected
    written = json.loads((FOLDER / f"{name}.json").read_text())
    assert set(written) <= {row.field for row in report.rows}
    assert not set(written) & {row.field for row in report.having(Use.DEFAULT)}
