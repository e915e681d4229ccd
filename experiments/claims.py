"""What is claimed, whether the results bear it out, and the sentence that tells their numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

HOLDS, LIMITED, FAILS = "holds", "holds with these limits", "does not hold"  # the three verdicts

Record = Mapping[str, Any]
"""Saved results, or a part of them."""

Form = str | Callable[[Any], str]
"""How a value is shown: a template such as `{:.1f}x`, in which none is a dash, or a function."""


def shown(value: Any, form: Form) -> str:
    """A value in some form.

    Examples:
        >>> shown(1.25, "{:.1f}x"), shown(None, "{:.1f}x"), shown([1, 2], lambda it: str(it[0]))
        ('1.2x', '-', '1')
    """
    if not isinstance(form, str):
        return form(value)
    return "-" if value is None else form.format(value)


def listed(names: Mapping[str, Any] | list[str], separator: str = ", ") -> str:
    """Names in a sentence.

    Examples:
        >>> listed(["a", "b"]), listed([])
        ('a, b', 'none')
    """
    return separator.join(names) or "none"


def judged(cases: Mapping[str, bool]) -> str:
    """The verdict on a claim about several cases; without a case it does not hold.

    Examples:
        >>> judged({"a": True}), judged({"a": True, "b": False}), judged({"a": False}), judged({})
        ('holds', 'holds with these limits', 'does not hold', 'does not hold')
    """
    if not any(cases.values()):
        return FAILS
    return HOLDS if all(cases.values()) else LIMITED


class Cases(dict[str, str]):
    """Cases by name, each with its number as it is shown.

    In a template `{held}` lists them with their numbers, `{held:names}` without, and `{held:; }`
    with another separator.
    """

    def __format__(self, form: str) -> str:
        """The cases in one line."""
        if form == "names":
            return listed(self)
        return listed([f"{name} {number}" for name, number in self.items()], form or ", ")


def cases_of(numbers: Record, form: Form) -> Cases:
    """Cases by name, for a template.

    Examples:
        >>> "{0}; {0:names}".format(cases_of({"a": 1.25, "b": None}, "{:.1f}x"))
        'a 1.2x, b -; a, b'
    """
    return Cases({name: shown(it, form) for name, it in numbers.items()})


@dataclass(frozen=True)
class Claim:
    """A claim about several cases, of each of which a number tells whether it holds.

    Both templates know the words that `of` is given. The sentence knows as well how many cases
    hold (`{yes}`) of how many (`{count}`), all cases (`{all}`), those that hold (`{held}`) and the
    others (`{others}`), the least and the largest number (`{least}`, `{most}`) and whose they are
    (`{least_of}`, `{most_of}`).

    Attributes:
        words: The claim, as a template.
        holds: Whether it holds of a number.
        sentence: What the numbers say of it, as a template without a full stop.
        form: How a number is shown.
    """

    words: str
    holds: Callable[[Any], bool]
    sentence: str
    form: Form = "{:,.0f}"

    def of(self, numbers: Record, *, also: Record | None = None, **words: Any) -> dict[str, Any]:
        """The verdict on some numbers, for a record.

        Args:
            numbers: A number for each case, by its name.
            also: Further numbers behind the verdict.
            words: What the templates name.
        """
        cases = {name: bool(self.holds(it)) for name, it in numbers.items()}
        told = cases_of(numbers, self.form)
        sizes = {name: it for name, it in numbers.items() if it is not None}
        least = min(sizes, key=sizes.__getitem__, default="")
        most = max(sizes, key=sizes.__getitem__, default="")
        known: dict[str, Any] = {
            "yes": sum(cases.values()),
            "count": len(cases),
            "all": told,
            "held": Cases({name: told[name] for name, it in cases.items() if it}),
            "others": Cases({name: told[name] for name, it in cases.items() if not it}),
            "least": told.get(least),
            "least_of": least,
            "most": told.get(most),
            "most_of": most,
            **words,
        }
        return verdict(
            self.words.format(**words),
            judged(cases),
            {**numbers, **(also or {})},
            self.sentence.format(**known),
        )


def verdict(claim: str, judgement: str, numbers: Record, sentence: str) -> dict[str, Any]:
    """A claim, what is said of it, the numbers behind it, and a sentence that tells them."""
    return {"claim": claim, "verdict": judgement, "numbers": dict(numbers), "sentence": sentence}


def told(results: Record) -> list[RenderableType]:
    """Every verdict of saved results, as text."""
    return [
        Text(
            f"{it['claim']}{', ' * ('population' in it)}{it.get('population', '')}:"
            f" {it['verdict']}.\n  {it['sentence']}.\n"
        )
        for it in results.get("verdicts", ())
    ]


def summary(results: Record) -> dict[str, Any]:
    """Every verdict by its claim, for the last line."""
    return {it["claim"]: it["verdict"] for it in results["verdicts"]}
