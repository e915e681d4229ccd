"""Configs with fields dropped, retyped or added: each is read or refused, never half understood."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from liminal_jax._files import InputError
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config
from liminal_jax.workload.spec import ModelSpec
from tests.workload.configs import written

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 200),
    st.sampled_from([10**30, 0.5, 64.0, "64", "full_attention", [], {}, [0, 1], ["x", None, {}]]),
)


def attempted(path: str) -> ModelSpec | InputError:
    try:
        return read_config(path)[0]
    except InputError as error:
        return error


def assert_read_or_refused(
    data: st.DataObject, toys: Sequence[dict[str, Any]], extra: Sequence[str], *inner: str
) -> None:
    """Spoil a few fields of one of the toys, at any of the named places, and read it.

    Args:
        data: Where choices are drawn from.
        toys: Configs that can be read.
        extra: Fields that may be added.
        inner: Names of objects inside the text model whose fields may be spoilt as well.
    """
    config = json.loads(json.dumps(data.draw(st.sampled_from(toys))))
    text = config.get("text_config", config)
    places = [text, *(text[name] for name in inner if name in text)]
    for table in places:
        for name in data.draw(st.lists(st.sampled_from(sorted(table)), max_size=4, unique=True)):
            if data.draw(st.booleans()):
                table[name] = data.draw(VALUES)
            else:
                del table[name]
    for name in data.draw(st.lists(st.sampled_from(extra), max_size=2)):
        text[name] = data.draw(VALUES)
    with tempfile.TemporaryDirectory() as folder:
        answer = attempted(written(Path(folder), config))
    if isinstance(answer, InputError):
        assert answer.problems
        assert all(problem.message for problem in answer.problems)
    else:
        assert counts(answer).total > 0
