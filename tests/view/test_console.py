"""Text comes out as it stands."""

import pytest

from liminal_jax.view.console import messages, results


@pytest.mark.parametrize("kind", ["out", "err"])
def test_brackets_are_kept_and_a_pipe_has_a_width(kind, capsys):
    {"out": results, "err": messages}[kind]().print(f"widen [design], in study.toml {'x' * 80}")
    found = getattr(capsys.readouterr(), kind).splitlines()
    assert [it.rstrip() for it in found] == ["widen [design], in study.toml", "x" * 80]
