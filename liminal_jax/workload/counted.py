"""Records of model files that follow from the classes they become, and count by their laws."""

import dataclasses
from collections.abc import Collection
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    Optional,
    TypeVar,
    get_args,
    get_type_hints,
)

import equinox as eqx
import jax
from pydantic import create_model

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax.workload.record import Count, MaybeNone, Spec

Part = TypeVar("Part", bound=eqx.Module)


class CountedSpec(Spec):
    """A record of whole numbers, which the laws of a class of pytrees count exactly."""

    pytree: ClassVar[type[eqx.Module]]

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """A number, whose name is known from the class of pytrees alone."""
            ...

    def derived(self) -> dict[str, Any]:
        """Fields of the pytree that the file says in other words."""
        return {}

    def counted(self) -> Any:
        """The same as a pytree of whole numbers."""
        stated = {name: getattr(self, name) for name in type(self).model_fields}
        return exactly(self.pytree, **{**stated, **self.derived()})

    def arrays(self) -> Any:
        """The same as a pytree of arrays."""
        return jax.tree.map(as_leaf, self.counted())


_Spec = TypeVar("_Spec", bound=CountedSpec)


def spec_of(
    base: type[_Spec],
    pytree: type[eqx.Module],
    *,
    kind: str | None = None,
    without: Collection[str] = (),
    none: Collection[str] = (),
) -> type[_Spec]:
    """A record with a whole number for each leaf of a class of pytrees.

    Args:
        base: What it is a record of.
        pytree: The class; a leaf that may be None is a number that may be left out.
        kind: What tells it from other records of that base.
        without: Leaves that files do not state, or in other words.
        none: Numbers that may be 0, and are where they are left out.

    Examples:
        >>> class Disk(eqx.Module):
        ...     sides: Leaf = eqx.field(converter=as_leaf)
        ...     def tracks(self):
        ...         return 40 * self.sides
        >>> disk = spec_of(CountedSpec, Disk)(sides=2)
        >>> disk.counted().tracks(), float(disk.arrays().tracks())
        (80, 80.0)
    """
    hints = get_type_hints(pytree)
    rows: dict[str, Any] = {} if kind is None else {"kind": (Literal[kind], kind)}
    for name in (it.name for it in dataclasses.fields(pytree) if it.name not in without):
        if hints[name] is Leaf:
            rows[name] = (MaybeNone, 0) if name in none else (Count, ...)
        elif Leaf in get_args(hints[name]):
            rows[name] = (Optional[Count], None)  # noqa: UP045 - of a type that is annotated
    made = create_model(base.__name__, __base__=base, **rows)
    made.pytree = pytree
    return made


def exactly(kind: type[Part], /, **fields: Any) -> Part:
    """A pytree whose whole numbers stay as they are, so that its laws count exactly.

    Args:
        kind: Its class, whose converters would make arrays of them.
        fields: Its fields, and perhaps others, which are left out.
    """
    made = object.__new__(kind)
    for field in dataclasses.fields(kind):
        if field.name in fields:
            value = fields[field.name]
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        else:
            value = field.default
        object.__setattr__(made, field.name, value)
    return made
