"""Types of options, and mistakes in what they stand for."""

from collections.abc import Iterable, Mapping
from typing import Optional, TypeAlias, TypeVar

from liminal_jax._files import Problem

Value = TypeVar("Value")

Maybe: TypeAlias = Optional[Value]  # noqa: UP045
"""An option that may be left out.

`Value | None` says the same, but tyro asks typeguard about its default, and to import that takes a
tenth of the time of a prediction.
"""


def with_flags(problems: Iterable[Problem], flags: Mapping[str, str]) -> list[Problem]:
    """Mistakes in fields that options state, each with its option in place of the field.

    Args:
        problems: The mistakes.
        flags: Options by field; other fields keep their names.
    """
    return [Problem(flags.get(it.path, it.path), it.message) for it in problems]
