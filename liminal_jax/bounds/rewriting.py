"""Results written so that each axis enters as few times as it can.

Interval arithmetic takes the operands of a step as independent. Where two of them depend on one
axis, the range is too wide: users over the time of a step, which grows with them. So

    a (x + y) = a x + a y,   a max(x, y) = max(a x, a y)   where a joins a table of x and one of y,
    a x + b x = (a + b) x                                  where a and b are tables of few axes,

and products, sums and maxima of several tables become one table. Ranges get no wider: nothing that
could cancel is distributed. The result is equal over the real numbers, and differs by rounding; so
whatever jumps, such as a ceiling or a comparison, keeps the operands that were traced.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from liminal_jax.bounds.program import (
    ROUNDING,
    Entries,
    Entry,
    Step,
    Table,
    finite,
    joined_axes,
)

_CONTINUOUS = ("exp", "expm1", "integer_pow", "log", "log1p", "neg", "pow", "sqrt", "square", "sub")
"""Operations that do not jump, and are kept as they are."""

_CHAINS = ("add", "max", "min")
"""Operations that can be done in any order, and that a positive factor is distributed over."""

_NEUTRAL = {"add": 0.0, "mul": 1.0}
"""Operands that change nothing."""

MOST_NODES = 500_000
"""Numbers that are kept of a table that is joined of others, to tell its extremes over any box."""

_ONE = Table((), np.asarray(1.0))
_ZERO = Table((), np.asarray(0.0))


class _Product(NamedTuple):
    """A product of entries that are no products.

    Attributes:
        tables: Factors that are tables.
        above: Other factors.
        below: Divisors; tables only where their inverses would be too large to keep.
    """

    tables: tuple[Table, ...]
    above: tuple[Entry, ...] = ()
    below: tuple[Entry, ...] = ()


def rewritten(results: Sequence[Entry], shape: tuple[int, ...], largest: int) -> list[Entry]:
    """Results whose ranges are narrower, and take fewer steps to find.

    Args:
        results: Scalar results.
        shape: Number of values of each axis.
        largest: Entries up to which a result is kept as a table.
    """
    rewriting = _Rewriting(Entries(shape, largest))
    return [rewriting.entry(it) for it in results]


class _Rewriting:
    """Rewrites entries, each distinct one once."""

    def __init__(self, entries: Entries):
        self._entries = entries
        self._known: dict[int, tuple[Entry, Entry]] = {}
        self._multiples: dict[tuple[int, int], tuple[Entry, Table, Entry]] = {}
        self._takers: dict[tuple[int, tuple[int, ...]], bool] = {}

    def entry(self, entry: Entry) -> Entry:
        """A rewritten entry."""
        if id(entry) not in self._known:
            # The entry is stored too, so that its `id` is not reused.
            self._known[id(entry)] = entry, self._written(entry)
        return self._known[id(entry)][1]

    def _written(self, entry: Entry) -> Entry:
        if isinstance(entry, Table):
            return entry
        name, operands = entry.operation, entry.operands
        if name == "mul":
            return self._product(self._joined(*map(self.entry, operands)))
        if name == "div":
            above, below = map(self.entry, operands)
            return self._product(self._over(self._factors(above), self._factors(below)))
        if name in _CHAINS:
            return self._chain(name, [*map(self.entry, operands)])
        if name == "select_n":
            which, *cases = operands
            return self._chosen(which, [*map(self.entry, cases)])
        if name in _CONTINUOUS:
            return self._entries.of(name, tuple(map(self.entry, operands)), entry.parameters)
        return entry

    def _made(self, name: str, *operands: Entry) -> Entry:
        return self._entries.of(name, operands, {})

    def _table(self, name: str, *operands: Table) -> Table:
        """A table of others that fit together."""
        made = self._made(name, *operands)
        assert isinstance(made, Table)
        return made

    def _folded(self, name: str, entries: Sequence[Entry]) -> Entry:
        first, *others = entries
        for other in others:
            first = self._entries.step(name, (first, other))
        return first

    def _merged(self, name: str, tables: Sequence[Table]) -> list[Table]:
        """As few tables as fit, each joined with the one that it enlarges least."""
        merged: list[Table] = []
        for table in tables:
            if _is(table, _NEUTRAL.get(name)):
                continue
            for other in sorted(merged, key=lambda it: self._growth(it, table)):
                joined = self._join(name, other, table)
                if joined is not None:
                    merged[merged.index(other)] = joined
                    break
            else:
                merged.append(table)
        return merged

    def _growth(self, one: Table, other: Table) -> int:
        """Entries that a table gains as it is joined with another one."""
        size = self._entries.size
        return size(joined_axes((one, other))) - size(one.axes)

    def _join(self, name: str, one: Table, other: Table) -> Table | None:
        """Two tables as one; None where it would be too large."""
        if not self._entries.fits(joined_axes((one, other))):
            return None
        joined = self._table(name, one, other)
        return joined if _nodes(joined) <= MOST_NODES else None

    # Products.

    def _factors(self, entry: Entry) -> _Product:
        if isinstance(entry, Table):
            return _Product((entry,))
        if entry.operation == "mul":
            return self._joined(*entry.operands)
        if entry.operation == "div":
            above, below = map(self._factors, entry.operands)
            return self._over(above, below)
        return _Product((), (entry,))

    def _joined(self, *entries: Entry) -> _Product:
        parts = [*map(self._factors, entries)]
        return _Product(*(sum(its, ()) for its in zip(*parts, strict=True)))

    def _over(self, above: _Product, below: _Product) -> _Product:
        small = [it for it in below.tables if self._entries.fits(it.axes)]
        inverse = tuple(self._table("div", _ONE, it) for it in small)
        large = tuple(it for it in below.tables if not self._entries.fits(it.axes))
        return _Product(
            above.tables + inverse, above.above + below.below, above.below + large + below.above
        )

    def _product(self, product: _Product) -> Entry:
        tables = self._merged("mul", product.tables)
        above, below = _cancelled(product.above, product.below)
        axes = joined_axes((*above, *below))
        for table in filter(self._may_be_distributed, tables):
            others = tuple(it for it in tables if it is not table)
            for factor, *rest in ((table,), *_apart(table, axes)):
                distributed = self._distributed(factor, above, below)
                if distributed is not None:
                    inner, above, below = distributed
                    return self._product(_Product((*others, *rest, *inner), above, below))
        return self._quotient(tables, above, below)

    def _may_be_distributed(self, table: Table) -> bool:
        positive = table.everywhere.low > 0 and finite(table)
        return bool(positive) and self._entries.fits(table.axes)

    def _distributed(
        self, table: Table, above: tuple[Entry, ...], below: tuple[Entry, ...]
    ) -> _Product | None:
        """A table times a quotient of steps, one of which takes it in; None where none does."""
        for steps, factor in ((below, self._table("div", _ONE, table)), (above, table)):
            for step in steps:
                if _shared(step, factor) and self._takes_in(step, factor):
                    others = tuple(it for it in steps if it is not step)
                    inner = self._factors(self._times(step, factor))
                    if steps is below:
                        return self._over(_Product((), above, others), inner)
                    return _Product(inner.tables, others + inner.above, below + inner.below)
        return None

    def _quotient(
        self, tables: Sequence[Table], above: Sequence[Entry], below: Sequence[Entry]
    ) -> Entry:
        factors = [*tables, *above]
        zero = any(not np.any(it.values) for it in tables)
        if zero and all(map(finite, factors)) and all(it.everywhere.low > 0 for it in below):
            return _ZERO
        top = self._folded("mul", factors or [_ONE])
        return self._entries.step("div", (top, self._folded("mul", below))) if below else top

    # A positive table, distributed.

    def _takes_in(self, entry: Entry, table: Table) -> bool:
        """Whether a factor of some axes becomes part of a table of each operand."""
        key = id(entry), table.axes
        if key not in self._takers:
            self._takers[key] = self._would_take(entry, table)
        return self._takers[key]

    def _would_take(self, entry: Entry, table: Table) -> bool:
        if isinstance(entry, Table):
            return self._entries.fits(joined_axes((entry, table)))
        if entry.operation in _CHAINS:
            signed = entry.operation == "add" and not all(
                it.everywhere.positive for it in entry.operands
            )
            return not signed and all(self._takes_in(it, table) for it in entry.operands)
        if entry.operation == "select_n":
            return all(self._takes_in(it, table) for it in entry.operands[1:])
        if entry.operation in ("mul", "div"):
            tables, above, _ = self._factors(entry)
            return any(self._takes_in(it, table) for it in (*tables, *above))
        return False

    def _times(self, entry: Entry, table: Table) -> Entry:
        """An entry times a factor that it takes in."""
        key = id(entry), id(table)
        if key not in self._multiples:
            self._multiples[key] = entry, table, self._multiple(entry, table)
        return self._multiples[key][-1]

    def _multiple(self, entry: Entry, table: Table) -> Entry:
        if isinstance(entry, Table):
            return self._product(_Product((entry, table)))
        if entry.operation in _CHAINS:
            return self._chain(entry.operation, [self._times(it, table) for it in entry.operands])
        if entry.operation == "select_n":
            which, *cases = entry.operands
            return self._chosen(which, [self._times(it, table) for it in cases])
        tables, above, below = self._factors(entry)
        if any(self._takes_in(it, table) for it in tables):
            return self._product(_Product((*tables, table), above, below))
        step = next(it for it in above if self._takes_in(it, table))
        inner = self._factors(self._times(step, table))
        others = tuple(it for it in above if it is not step)
        return self._product(
            _Product(tables + inner.tables, others + inner.above, below + inner.below)
        )

    # Sums, maxima and choices.

    def _chain(self, name: str, operands: Sequence[Entry]) -> Entry:
        terms = [term for it in operands for term in _terms(name, it)]
        tables = self._merged(name, [it for it in terms if isinstance(it, Table)])
        steps = [it for it in terms if isinstance(it, Step)]
        if name == "add":
            return self._folded(name, [*self._collected(steps), *tables] or [_ZERO])
        return self._largest(name, [*dict.fromkeys(steps), *tables])

    def _largest(self, name: str, terms: list[Entry]) -> Entry:
        """A maximum or minimum of the terms that may decide it."""
        end = {"max": lambda it: it.everywhere.low, "min": lambda it: -it.everywhere.high}[name]
        far = {"max": lambda it: it.everywhere.high, "min": lambda it: -it.everywhere.low}[name]
        first = max(terms, key=end)
        return self._folded(name, [it for it in terms if it is first or not far(it) <= end(first)])

    def _collected(self, steps: Sequence[Step]) -> list[Entry]:
        """Terms of which those that differ in one table are one."""
        collected: list[Entry] = []
        for step in steps:
            for place, other in enumerate(collected):
                together = self._together(other, step)
                if together is not None:
                    collected[place] = together
                    break
            else:
                collected.append(step)
        return collected

    def _together(self, one: Entry, other: Entry) -> Entry | None:
        """The sum of two products as one product; None where they differ in too much."""
        first, second = self._factors(one), self._factors(other)
        if _same(first.above, second.above) and _same(first.below, second.below):
            common = tuple(it for it in first.tables if any(it is each for each in second.tables))
            mine, its = (
                [it for it in each.tables if not any(it is shared for shared in common)] or [_ONE]
                for each in (first, second)
            )
            table = self._join("add", *mine, *its) if len(mine) == len(its) == 1 else None
            if table is not None:
                return self._product(_Product((*common, table), first.above, first.below))
        return None

    def _chosen(self, which: Entry, cases: Sequence[Entry]) -> Entry:
        if all(it is cases[0] for it in cases):
            return cases[0]
        return self._made("select_n", which, *cases)


def _terms(name: str, entry: Entry) -> list[Entry]:
    """The operands of a chain of one operation; an entry that is none by itself."""
    if isinstance(entry, Step) and entry.operation == name:
        return [term for it in entry.operands for term in _terms(name, it)]
    return [entry]


def _cancelled(
    above: tuple[Entry, ...], below: tuple[Entry, ...]
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Factors and divisors without those that are both."""
    left = [*below]
    kept = []
    for it in above:
        if it in left and it.everywhere.low > 0 and finite(it):
            left.remove(it)
        else:
            kept.append(it)
    return tuple(kept), tuple(left)


def _same(some: Sequence[Entry], others: Sequence[Entry]) -> bool:
    return sorted(map(id, some)) == sorted(map(id, others))


def _shared(one: Entry, other: Entry) -> bool:
    """Whether two entries depend on a common axis."""
    return not {*one.axes}.isdisjoint(other.axes)


def _apart(table: Table, axes: Collection[int]) -> Iterator[tuple[Table, Table]]:
    """Ways to write a positive table as a product of one of a single axis and one of the others.

    Args:
        table: The table.
        axes: Axes that may be taken apart.
    """
    for place, axis in enumerate(table.axes if len(table.axes) > 1 else ()):
        if axis not in axes:
            continue
        rows = np.moveaxis(table.values, place, 0)
        row = rows.reshape(len(rows), -1)[:, 0] / rows.flat[0]
        product = np.multiply.outer(row, rows[0])
        if np.all(np.abs(product - rows) <= ROUNDING * rows):
            yield (
                Table((axis,), row),
                Table((*table.axes[:place], *table.axes[place + 1 :]), rows[0]),
            )


def _nodes(table: Table) -> int:
    """Numbers that are kept of a table: for each run of values of an axis on which it turns."""
    lengths = zip(table.values.shape, table.ways, strict=True)
    return math.prod(2 * length - 1 if way == "both" else length for length, way in lengths)


def _is(table: Table, value: float | None) -> bool:
    """Whether a table is a constant of that value."""
    return not table.axes and float(table.values) == value
