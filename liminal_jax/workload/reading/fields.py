"""One object of a config file: hands out checked values and keeps account of every key."""

import json
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from liminal_jax._files import Problem, did_you_mean
from liminal_jax.workload.reading.report import Row, Use


class Fields:
    """The keys of one JSON object, each of which is read, defaulted, ignored or refused.

    A bad value is noted as a problem and answered with a harmless stand-in, so that reading goes
    on and the user sees every mistake at once; nothing may be built while there are problems.

    Attributes:
        values: The object, its fields under the names that readers ask for.
        prefix: Dotted path of the object, ending in a dot unless empty.
        rows: What became of the keys so far.
        problems: The mistakes found so far.
        inner: The objects inside this one that were asked for, each with an account of its own.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        prefix: str = "",
        aliases: Mapping[str, str] = MappingProxyType({}),
    ):
        self.values = dict(values)
        self.prefix = prefix
        self.rows: list[Row] = []
        self.problems: list[Problem] = []
        self.inner: list[Fields] = []
        self._taken: set[str] = set()
        self._known: list[str] = []
        self._unsound: set[str] = set()
        self._filled: set[str] = set()
        self._written: dict[str, str] = {}
        self._aliases = aliases
        for alias in values.keys() & aliases.keys():
            self._rename(alias, aliases[alias])

    def count(
        self, *names: str, note: str, default: int | None = None, least: int = 1, most: int = 10**18
    ) -> int:
        """A whole number under the first of `names` that is present.

        Without a default the field is required; null counts as absent.
        """
        name = self._present(names)
        value = self.values.get(name)
        if value is None:
            return self._default(name, default, note, least)
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(name, f"must be a whole number, got {shown(value)}")
        elif value < least:
            bound = "greater than 0" if least == 1 else f"at least {least}"
            self.refuse(name, f"must be {bound}, got {value}")
        elif value > most:
            self.refuse(name, f"must be at most {most}, got {shown(value)}")
        else:
            return self._read(name, value, note)
        return least

    def flag(self, name: str, *, note: str, default: bool | None = None) -> bool:
        """True or false; required without a default."""
        value = self.values.get(self._present((name,)))
        if value is None:
            return self._default(name, default, note, False)
        if not isinstance(value, bool):
            self.refuse(name, f"must be true or false, got {shown(value)}")
            return False
        return self._read(name, value, note)

    def choice(self, name: str, allowed: Sequence[str], *, note: str, default: str) -> str:
        """One of some words; any other is refused as not modelled."""
        value = self.values.get(self._present((name,)))
        if value is None:
            return self._default(name, default, note, default)
        if not isinstance(value, str):
            self.refuse(name, f"must be text, got {shown(value)}")
        elif value not in allowed:
            words = ", ".join(repr(word) for word in allowed)
            hint = did_you_mean(value, allowed)
            self.refuse(name, f"{value!r} is not modelled here; modelled: {words}{hint}")
        else:
            return self._read(name, value, note)
        return default

    def indices(self, name: str, *, note: str, below: int, first: int = 0) -> frozenset[int] | None:
        """A list of layer numbers, or none where the field is absent, null or wrong.

        Args:
            name: The field.
            note: What the layers are.
            below: The number after that of the last layer.
            first: The number of the first layer.
        """
        value = self._list(name)
        if value is None:
            return None
        for place, entry in enumerate(value):
            if isinstance(entry, bool) or not isinstance(entry, int) or not first <= entry < below:
                problem = f"must be a layer from {first} to {below - 1}, got {shown(entry)}"
                self.refuse(name, problem, inside=f".{place}")
        if name in self._unsound:
            return None
        return frozenset(self._read(name, value, note))

    def per_layer(
        self, name: str, meanings: Mapping[Any, Any], *, note: str, layers: int
    ) -> list[Any] | None:
        """The meaning of one entry a layer, or none where the field is absent or null."""
        value = self._list(name)
        if value is None:
            return None
        if len(value) != layers:
            self.refuse(name, f"must have one entry for each of {layers} layers, got {len(value)}")
        odd = {shown(entry): entry for entry in value if not _among(entry, meanings)}
        for text in odd:
            allowed = ", ".join(shown(meaning) for meaning in meanings)
            self.refuse(name, f"holds {text}, which is not modelled here; modelled: {allowed}")
        if name in self._unsound:
            return None
        return [meanings[entry] for entry in self._read(name, value, note)]

    def table(self, name: str, *, note: str) -> "Fields":
        """The keys of an object inside this one, all of which must be accounted for too.

        Required; where it is missing or no object, the problem is noted and all that is read from
        the empty stand-in goes unheard.
        """
        value = self.values.get(self._present((name,)))
        if isinstance(value, dict):
            self._read(name, value, note)
            self.inner.append(Fields(value, f"{self.prefix}{name}."))
            return self.inner[-1]
        if value is None:
            self._default(name, None, note, None)
        else:
            self.refuse(name, f"must be an object, got {shown(value)}")
        return Fields({}, f"{self.prefix}{name}.")

    def accept(self, name: str, note: str) -> None:
        """Account for a key that has been read without a check of this class."""
        self._present((name,))
        self._read(name, self.values[name], note)

    def ignore(self, name: str, reason: str) -> None:
        """Account for a key that may be present and changes nothing."""
        if name in self.values and name not in self._taken:
            self._taken.add(name)
            reason = "unset" if self.values[name] is None else reason
            self.rows.append(Row(self.path(name), self.values[name], Use.IGNORED, reason))

    def demand(self, name: str, allowed: Collection[Any], reason: str) -> None:
        """Refuse a key, where present and set, whose value is not one of `allowed`."""
        value = self.values.get(name)
        if value is None or _among(value, allowed):
            self.ignore(name, reason)
            return
        self._present((name,))
        wanted = " or ".join(shown(entry) for entry in allowed)
        self.refuse(name, f"{shown(value)} is not modelled here; modelled: {wanted}")

    def refuse(self, name: str, message: str, inside: str = "") -> None:
        """Note a problem with a key."""
        self._unsound.add(name)
        self.problems.append(Problem(f"{self.path(name)}{inside}", message))

    def sound(self, *names: str) -> bool:
        """Whether none of the keys has a problem so far, so that they can be compared."""
        return not self._unsound.intersection(names)

    def path(self, name: str) -> str:
        """Dotted path of a key, as the file writes it."""
        return self.prefix + self._written.get(name, name)

    def fill(self, usual: Mapping[str, Any]) -> None:
        """Take what a class has by default for keys that are not there; they count as defaulted."""
        missing = {name: value for name, value in usual.items() if name not in self.values}
        self._filled.update(missing)
        self.values |= missing

    def default(self, name: str, value: Any, note: str) -> None:
        """Say that a key that the file lacks is taken as `value`."""
        self._known.append(name)
        self._default(name, value, note, value)

    def left(self) -> list[str]:
        """Keys that nothing has accounted for."""
        return [name for name in self.values if name not in self._taken]

    def known(self) -> list[str]:
        """Keys that were asked for."""
        return self._known

    def _rename(self, alias: str, name: str) -> None:
        """File an alias under its usual name, where that is not there."""
        if self.values.get(name) is None:
            self._written[name] = alias
            self.values = {
                name if key == alias else key: value
                for key, value in self.values.items()
                if key != name
            }

    def _present(self, names: Sequence[str]) -> str:
        """The first name with a value, else the first name; all count as accounted for."""
        names = [*names, *(name for name in self.values if self._aliases.get(name) in names)]
        self._known.extend(names)
        self._taken.update(names)
        found = [name for name in names if self.values.get(name) is not None]
        for other in found[1:]:
            if self.values[other] == self.values[found[0]]:
                note = f"as {found[0]}"
                self.rows.append(Row(self.path(other), self.values[other], Use.READ, note))
            else:
                value = shown(self.values[found[0]])
                self.refuse(other, f"contradicts {found[0]}, which is {value}")
        return found[0] if found else names[0]

    def _default(self, name: str, default: Any, note: str, stand_in: Any) -> Any:
        if default is None:
            got = ", got null" if name in self.values else ""
            self.refuse(name, f"is required{got}")
            return stand_in
        self._account(Row(self.path(name), default, Use.DEFAULT, note))
        return default

    def _read(self, name: str, value: Any, note: str) -> Any:
        use = Use.DEFAULT if name in self._filled else Use.READ
        self._account(Row(self.path(name), value, use, note))
        return value

    def _account(self, row: Row) -> None:
        """Note what became of a key, once however often it is asked for."""
        if row not in self.rows:
            self.rows.append(row)

    def _list(self, name: str) -> list[Any] | None:
        value = self.values.get(self._present((name,)))
        if value is not None and not isinstance(value, list):
            self.refuse(name, f"must be a list, got {shown(value)}")
            return None
        if value is None:
            self._taken.discard(name)
        return value


def with_inner(fields: Fields) -> list[Fields]:
    """An object and those inside it, however deep."""
    return [fields, *(found for inner in fields.inner for found in with_inner(inner))]


def shown(value: Any) -> str:
    """A value as the file writes it, cut where long."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _among(value: Any, allowed: Collection[Any]) -> bool:
    """Membership that tells true from 1 and takes lists and tables for what they are."""
    return any(type(value) is type(entry) and value == entry for entry in allowed)
