"""The sheet of paper: every term in the order in which it is worked out."""

from typing import NamedTuple


class Term(NamedTuple):
    """One number.

    Attributes:
        section: What it belongs to.
        name: What it is.
        value: Its value in SI, or USD.
        unit: Its unit.
        how: How it comes about.
    """

    section: str
    name: str
    value: float
    unit: str
    how: str


class Sheet:
    """Terms under headings.

    Examples:
        >>> sheet = Sheet()
        >>> sheet.head("step")
        >>> sheet.put("T_mem", 6 / 3, "s", "bytes / bandwidth")
        2.0
        >>> sheet.value("step", "T_mem")
        2.0
    """

    def __init__(self):
        self.terms: list[Term] = []
        self._section = ""

    def head(self, section: str) -> None:
        """Begin a section."""
        self._section = section

    def put(self, name: str, value: float, unit: str = "", how: str = "") -> float:
        """Write a term down, and go on with its value."""
        self.terms.append(Term(self._section, name, float(value), unit, how))
        return value

    def value(self, section: str, name: str) -> float:
        """The value of a term.

        Raises:
            KeyError: there is none.
        """
        for term in self.terms:
            if (term.section, term.name) == (section, name):
                return term.value
        raise KeyError(f"{section}: {name}")
