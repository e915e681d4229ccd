"""Equations as the docstrings of laws write them, in MathML, which browsers draw by themselves.

equation  sum (("=" | "<-") sum)* ["at" equation]
sum       ["-"] term (("+" | "-") term)* [".." sum]
term      product (" / " tight)*
product   tight tight ...               what stands side by side is multiplied
tight     power ("/" power)*            a slash without spaces binds first
power     atom ["^" ["-"] power]
atom      number | name | name(sum, ...) | (sum)
"""

import re
from html import escape
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)(?!\.\d)|([A-Za-z]\w*'?)|(<-|\.\.|[-+/^=(),]))")

_GREEK = {
    "alpha": "\N{GREEK SMALL LETTER ALPHA}",
    "beta": "\N{GREEK SMALL LETTER BETA}",
    "pi": "\N{GREEK SMALL LETTER PI}",
}

_OPERATORS = {"-": "\N{MINUS SIGN}", "<-": "\N{LEFTWARDS ARROW}", "..": "\N{HORIZONTAL ELLIPSIS}"}

_WORDS = {"of", "at"}
"""Words between the parts of an equation, which are no names."""


class Token(NamedTuple):
    """A number, a name or a sign, and whether a space stands before it."""

    kind: str
    text: str
    spaced: bool


def tokens(line: str) -> list[Token]:
    """The tokens of one equation.

    Raises:
        ValueError: A character has no meaning in an equation.
    """
    found, place = [], 0
    line = line.rstrip()
    while place < len(line):
        match = _TOKEN.match(line, place)
        if match is None:
            raise ValueError(f"an equation has no {line[place:].strip()[0]!r}: {line.strip()}")
        kind = ("number", "name", "sign")[match.lastindex - 1]
        text = match[match.lastindex]
        found.append(Token(kind, text, match[0] != text))
        place = match.end()
    return found


def mathml(equation: str) -> str:
    """One equation in MathML, each term of its sums apart, so that a narrow page can wrap it.

    Raises:
        ValueError: The text is not an equation.

    Examples:
        >>> mathml("T = w / 2").split(">", 2)[2]
        '<mrow><mi>T</mi><mo>=</mo><mfrac><mi>w</mi><mn>2</mn></mfrac></mrow></math></div>'
    """
    parser = _Parser(tokens(equation))
    parts = parser.parts()
    if parser.token is not None:
        raise ValueError(f"{parser.token.text!r} is left over: {equation.strip()}")
    text = escape(" ".join(equation.split()), quote=True)
    # A sign that begins a line stands off as it does between two terms.
    signs = {_operator(it): _operator(it, ' form="infix"') for it in "+-"}
    lines = [[parts[0]]]
    for part in parts[1:]:
        if part in signs and not lines[-1][-1].startswith("<mo"):
            lines.append([signs[part]])
        else:
            lines[-1].append(part)
    shown = "<wbr/>".join(f'<math displaystyle="true">{_row(*it)}</math>' for it in lines)
    return f'<div class="line" role="math" aria-label="{text}">{shown}</div>'


def inline(symbol: str) -> str:
    """A symbol among words.

    Examples:
        >>> inline("d_h")
        '<math><msub><mi>d</mi><mtext>h</mtext></msub></math>'
    """
    return f"<math>{_identifier(symbol)}</math>"


def equations(block: str) -> list[str]:
    r"""The equations of an indented block; a line that is indented further continues the last.

    Examples:
        >>> equations("    a = b\n        + c\n    d = e")
        ['a = b + c', 'd = e']
    """
    lines = [it for it in block.splitlines() if it.strip()]
    margin = min(len(it) - len(it.lstrip()) for it in lines)
    found: list[str] = []
    for line in lines:
        if line[margin] == " ":
            found[-1] = f"{found[-1]} {line.strip()}"
        else:
            found.append(line.strip())
    return found


def _row(*parts: str) -> str:
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _operator(text: str, form: str = "") -> str:
    return f"<mo{form}>{_OPERATORS.get(text, text)}</mo>"


def _identifier(name: str) -> str:
    """A symbol of one letter, with an index or without, or a word as it stands in the code."""
    if name.endswith("'"):
        return f"<msup>{_identifier(name[:-1])}<mo>\N{PRIME}</mo></msup>"
    head, _, index = name.partition("_")
    symbol = _GREEK.get(head, head)
    if len(symbol) > 1:
        return f'<mi class="word">{escape(name)}</mi>'
    if index:
        return f"<msub><mi>{symbol}</mi><mtext>{escape(index)}</mtext></msub>"
    return f"<mi>{symbol}</mi>"


class _Part(NamedTuple):
    """Some MathML, whether parentheses stand round it, and whether a word is at its ends."""

    inner: str
    bracketed: bool = False
    word: bool = False

    @property
    def whole(self) -> str:
        return _row("<mo>(</mo>", self.inner, "<mo>)</mo>") if self.bracketed else self.inner


class _Parser:
    """A descent through the grammar at the top of this file."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._place = 0

    @property
    def token(self) -> Token | None:
        """The next token; None at the end."""
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _next(self) -> Token:
        token = self.token
        if token is None:
            raise ValueError("an equation ends too soon")
        self._place += 1
        return token

    def _at(self, *texts: str) -> bool:
        return self.token is not None and self.token.text in texts

    def _expect(self, text: str) -> None:
        if self._next().text != text:
            raise ValueError(f"an equation lacks {text!r}")

    def parts(self) -> list[str]:
        """The terms of an equation, and the signs between them."""
        parts = self._terms()
        while self._at("=", "<-"):
            parts += [_operator(self._next().text), *self._terms()]
        if self._at("at"):
            self._next()
            parts += ["<mtext>&#160;at&#160;</mtext>", *self.parts()]
        return parts

    def _equation(self) -> str:
        return _row(*self.parts())

    def _sum(self) -> str:
        return _row(*self._terms())

    def _terms(self) -> list[str]:
        parts = [_operator(self._next().text)] if self._at("-") else []
        parts.append(self._term())
        while self._at("+", "-", ".."):
            parts += [_operator(self._next().text), self._term()]
        return parts

    def _term(self) -> str:
        part = self._product()
        while self._at("/"):
            self._next()
            below = self._tight()
            if self.token is not None and self._begins():
                raise ValueError(f"{self.token.text!r} is above or below? write parentheses")
            part = _Part(f"<mfrac>{part.inner}{below.inner}</mfrac>")
        return part.whole

    def _product(self) -> _Part:
        factors = [self._tight()]
        while self.token is not None and self._begins():
            factors.append(self._tight())
        if len(factors) == 1:
            return factors[0]
        parts = [factors[0].whole]
        for before, factor in pairwise(factors):
            sign = "\N{DOT OPERATOR}" if before.word or factor.word else "\N{INVISIBLE TIMES}"
            parts += [f"<mo>{sign}</mo>", factor.whole]
        return _Part(_row(*parts), word=factors[-1].word)

    def _begins(self) -> bool:
        token = self.token
        assert token is not None
        return token.text == "(" or (token.kind != "sign" and token.text not in _WORDS)

    def _tight(self) -> _Part:
        part = self._power()
        while self._at("/") and self.token is not None and not self.token.spaced:
            self._next()
            part = _Part(f"<mfrac>{part.inner}{self._power().inner}</mfrac>", word=True)
        return part

    def _power(self) -> _Part:
        base = self._atom()
        if not self._at("^"):
            return base
        self._next()
        sign = [_operator(self._next().text)] if self._at("-") else []
        exponent = self._power()
        return _Part(f"<msup>{base.whole}{_row(*sign, exponent.inner)}</msup>", word=base.word)

    def _atom(self) -> _Part:
        token = self._next()
        if token.text == "(":
            inner = self._sum()
            self._expect(")")
            return _Part(inner, bracketed=True)
        if token.kind == "number":
            return _Part(f"<mn>{token.text}</mn>", word=len(token.text) > 1)
        if token.kind != "name":
            raise ValueError(f"an equation has {token.text!r} where a name should be")
        if self._at("of"):
            self._next()
            return _Part(_row(f"<mtext>{token.text} of&#160;</mtext>", self._sum()), word=True)
        if self._at("(") and self.token is not None and not self.token.spaced:
            return self._function(token.text)
        shape = _identifier(token.text)
        return _Part(shape, word='class="word"' in shape)

    def _function(self, name: str) -> _Part:
        self._expect("(")
        arguments = [self._equation()]
        while self._at(","):
            self._next()
            arguments.append(self._equation())
        self._expect(")")
        if name == "sqrt":
            return _Part(f"<msqrt>{arguments[0]}</msqrt>", word=True)
        if name == "sum":
            sign = "<mo>\N{N-ARY SUMMATION}</mo>"
            if len(arguments) == 2:
                sign = f"<munder><mo>\N{N-ARY SUMMATION}</mo>{arguments[1]}</munder>"
            return _Part(_row(sign, "<mo>(</mo>", arguments[0], "<mo>)</mo>"), word=True)
        shown = "<msub><mi>log</mi><mn>2</mn></msub>" if name == "log2" else _identifier(name)
        inside = "<mo>,</mo>".join(arguments)
        return _Part(_row(shown, "<mo>(</mo>", inside, "<mo>)</mo>"), word=True)
