"""Types of options."""

from typing import Optional, TypeAlias, TypeVar

Value = TypeVar("Value")

Maybe: TypeAlias = Optional[Value]  # noqa: UP045
"""An option that may be left out.

`Value | None` says the same, but tyro asks typeguard about its default, and to import that takes a
tenth of the time of a prediction.
"""
