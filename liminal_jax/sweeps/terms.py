"""A traced function as sums of monomials, with everything that a sweep does not vary folded.

Nearly all of the model is sums, products and quotients of positive numbers. Expanded as

    c_1 x_1^a x_2^b ... + c_2 ...        with whole powers,

like terms of all layers and operators merge, and a fraction of the traced operations remains.
Anything else (a maximum, a ceiling, an exponential) is an atom: a factor whose operands have the
same form. Ranges of the inputs decide maxima and comparisons that never change within a sweep.

The form is equal over the real numbers; in floating point it differs by rounding. Two rules limit
the difference to that. A product is distributed over a sum only where the terms of the sum have one
sign, so that no new cancellation arises. The operand of a ceiling or floor keeps a single division,
as traced, so that a quotient that is a whole number stays one.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from liminal_jax._kinks import KINKS
from liminal_jax.bounds.program import Entry, Step, Table, operation_of
from liminal_jax.bounds.ranges import Range, ranged

Monomial: TypeAlias = tuple[tuple[int, int], ...]
"""Atoms by number, ascending, each with its integer power; empty for a constant."""

Terms: TypeAlias = tuple[tuple[Monomial, float], ...]
"""A sum of monomials with coefficients, in order of the monomials; empty for 0."""

TRUTHS = ("and", "eq", "ge", "gt", "le", "lt", "ne", "not", "or")
"""Operations with a boolean result."""

INPUT, SUM = "input", "sum"
"""Atoms that are no operations: an input, by its number; a sum of several terms as one factor."""

MOST_TERMS = 8
"""Largest number of terms over which a product is distributed. The value and gradient of the cost
per token take 1,069 operations with 8 and 2,975 with 16, which ran out of memory when compiled in
float64."""


def _between(low: float, high: float) -> Range:
    return Range(np.asarray([low]), np.asarray([high]), positive=low >= 0)


_ANYTHING = _between(-math.inf, math.inf)


class Atom(NamedTuple):
    """A factor.

    Attributes:
        operation: Name of the primitive, `INPUT` or `SUM`.
        operands: Its operands.
        number: Number of an input; 0 for others.
        range: Range of its values.
    """

    operation: str
    operands: tuple[Terms, ...]
    number: int
    range: Range


def constant_terms(value: float) -> Terms:
    """A constant."""
    return _sorted({(): value})


def _sorted(coefficients: dict[Monomial, float]) -> Terms:
    return tuple(sorted((key, value) for key, value in coefficients.items() if value != 0))


def value_of(terms: Terms) -> float | None:
    """The value of a constant; None for other sums."""
    if not terms:
        return 0.0
    ((monomial, value), *more) = terms
    return value if monomial == () and not more else None


def product(one: Monomial, other: Monomial) -> Monomial:
    """The product of two monomials."""
    powers = dict(one)
    for atom, power in other:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted((atom, power) for atom, power in powers.items() if power))


def inverse(monomial: Monomial) -> Monomial:
    """The inverse of a monomial."""
    return tuple((atom, -power) for atom, power in monomial)


def _common(terms: Terms) -> Monomial:
    """The largest monomial that divides each term."""
    shared = dict(terms[0][0])
    for monomial, _ in terms[1:]:
        powers = dict(monomial)
        shared = {
            atom: min(power, powers[atom], key=abs)
            for atom, power in shared.items()
            if power * powers.get(atom, 0) > 0
        }
    return tuple(sorted(shared.items()))


def _of_one_sign(terms: Terms) -> bool:
    return all(value > 0 for _, value in terms) or all(value < 0 for _, value in terms)


class Algebra:
    """Converts entries of a traced function to sums of monomials.

    Attributes:
        atoms: The factors, by number.
    """

    def __init__(self, ranges: Sequence[tuple[float, float]]):
        """Set up for inputs with closed ranges."""
        self.atoms: list[Atom] = []
        self._numbers: dict[tuple, int] = {}
        self._known: dict[int, tuple[Terms, Entry]] = {}
        self._ranges = ranges
        self._rules: dict[str, Callable[..., Terms]] = {
            "add": self._added,
            "convert_element_type": lambda one: one,
            "copy": lambda one: one,
            "div": lambda one, other: self._product(one, self._inverse(other)),
            "mul": self._product,
            "neg": lambda one: self._added((), one, -1.0),
            "select_n": self._chosen,
            "square": lambda one: self._power(one, 2),
            "sub": lambda one, other: self._added(one, other, -1.0),
        }

    def terms(self, entry: Entry) -> Terms:
        """An entry as a sum of monomials."""
        if id(entry) not in self._known:
            # The entry is stored too, so that its `id` is not reused.
            self._known[id(entry)] = self._terms(entry), entry
        return self._known[id(entry)][0]

    def _terms(self, entry: Entry) -> Terms:
        if isinstance(entry, Table):
            if not entry.axes:
                return constant_terms(float(entry.values))
            (axis,) = entry.axes
            return self._atom(Atom(INPUT, (), axis, _between(*self._ranges[axis])))
        operands = [self.terms(it) for it in entry.operands]
        if entry.operation == "integer_pow":
            return self._power(operands[0], entry.parameters["y"])
        if entry.operation in self._rules:
            return self._rules[entry.operation](*operands)
        return self._applied(entry, operands)

    def _atom(self, atom: Atom) -> Terms:
        key = (atom.operation, atom.operands, atom.number)
        if key not in self._numbers:
            self._numbers[key] = len(self.atoms)
            self.atoms.append(atom)
        return ((((self._numbers[key], 1),), 1.0),)

    def range(self, terms: Terms) -> Range:
        """The range of a sum, by interval arithmetic."""
        total = _between(0.0, 0.0)
        for monomial, value in terms:
            part = _between(value, value)
            for number, power in monomial:
                factor = self.atoms[number].range
                raised = _ranged("integer_pow", [factor], {"y": abs(power)})
                part = _ranged("mul" if power > 0 else "div", [part, raised], {})
            total = _ranged("add", [total, part], {})
        return total

    def _added(self, one: Terms, other: Terms, sign: float = 1.0) -> Terms:
        coefficients = dict(one)
        for monomial, value in other:
            coefficients[monomial] = coefficients.get(monomial, 0.0) + sign * value
        return _sorted(coefficients)

    def single(self, terms: Terms) -> tuple[Monomial, float]:
        """A sum as one monomial: the common factor of its terms, times an atom of the rest."""
        if len(terms) == 1:
            return terms[0]
        shared, scale = _common(terms), terms[0][1]
        rest = _sorted(
            {product(monomial, inverse(shared)): value / scale for monomial, value in terms}
        )
        (((atom,), _),) = self._atom(Atom(SUM, (rest,), 0, self.range(rest)))
        return product(shared, (atom,)), scale

    def _product(self, one: Terms, other: Terms) -> Terms:
        if not one or not other:
            return ()
        few, many = sorted((one, other), key=len)
        monomial, scale = self.single(few)
        if monomial and (len(many) > MOST_TERMS or not _of_one_sign(many)):
            many = (self.single(many),)
        return _sorted({product(key, monomial): value * scale for key, value in many})

    def _inverse(self, terms: Terms) -> Terms:
        if not terms:
            return constant_terms(math.inf)
        monomial, scale = self.single(terms)
        return ((inverse(monomial), 1 / scale),)

    def _power(self, terms: Terms, power: int) -> Terms:
        if not terms:
            return ()
        monomial, scale = self.single(terms)
        return ((tuple((atom, each * power) for atom, each in monomial), scale**power),)

    def _chosen(self, which: Terms, no: Terms, yes: Terms) -> Terms:
        if no == yes:
            return no
        known = value_of(which)
        if known is not None:
            return yes if known else no
        ranges = [self.range(it) for it in (which, no, yes)]
        return self._atom(Atom("select_n", (which, no, yes), 0, _ranged("select_n", ranges, {})))

    def _applied(self, step: Step, operands: list[Terms]) -> Terms:
        """Any other operation: a constant, one of its operands, or an atom."""
        name, values = step.operation, [value_of(it) for it in operands]
        if None not in values:
            with np.errstate(all="ignore"):
                return constant_terms(float(operation_of(name)(*map(np.asarray, values))))
        ranges = [self.range(it) for it in operands]
        decided = _decided(name, operands, ranges, values)
        if decided is not None:
            return decided
        ends = _ranged(name, ranges, {})
        if name in TRUTHS and ends.low == ends.high:
            return constant_terms(float(ends.low[0]))
        return self._atom(Atom(name, tuple(operands), 0, ends))


def _decided(
    name: str, operands: list[Terms], ranges: list[Range], values: list[float | None]
) -> Terms | None:
    """The result of an operation that ranges or constants decide; None where they do not."""
    if name in KINKS:
        equal = KINKS[name].equal(*map(_ends, ranges))
        return None if equal is None else operands[equal]
    if name in ("max", "min"):
        first, second = ranges
        if first.low >= second.high:
            return operands[0 if name == "max" else 1]
        if second.low >= first.high:
            return operands[1 if name == "max" else 0]
    if name in ("and", "or"):
        neutral = 1.0 if name == "and" else 0.0
        for value, other in zip(values, reversed(operands), strict=True):
            if value is not None:
                return other if value == neutral else constant_terms(value)
    return None


def _ends(it: Range) -> tuple[float, float]:
    return float(it.low[0]), float(it.high[0])


def _ranged(operation: str, operands: list[Range], parameters: dict) -> Range:
    """The range of an operation; unbounded where no rule is known."""
    if operation in KINKS:
        return _between(*KINKS[operation].ends(*map(_ends, operands)))
    try:
        low, high, _ = ranged(operation, operands, parameters)
    except NotImplementedError:
        return _between(0.0, 1.0) if operation in TRUTHS else _ANYTHING
    return _between(float(low[0]), float(high[0]))
