"""Every law's equation can be drawn, and is drawn as it is meant."""

import ast
import doctest
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs" / "_site"))

import mathematics  # noqa: E402
import written  # noqa: E402
from mathematics import equations, inline, mathml  # noqa: E402

LAWS = sorted(it for it in (ROOT / "liminal_jax" / "laws").glob("*.py") if it.stem != "__init__")
SECTION = r"\n(?:Args|Returns|Raises|References|Examples):\n"


def docstrings(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    found = [ast.get_docstring(it) for it in nodes if isinstance(it, ast.FunctionDef | ast.Module)]
    return [re.split(SECTION, it)[0] for it in found if it]


def drawn(equation):
    tree = ElementTree.fromstring(mathml(equation).replace("&#160;", " "))
    return "".join(shown(it) for it in tree)


def shown(part):
    """MathML as a line: fractions and powers in braces."""
    inner = [shown(it) for it in part]
    if part.tag == "mfrac":
        return f"{{{inner[0]}}}/{{{inner[1]}}}"
    if part.tag in ("msup", "msub", "munder"):
        return f"{inner[0]}{'^' if part.tag == 'msup' else '_'}{{{inner[1]}}}"
    if part.tag == "msqrt":
        return f"√{{{''.join(inner)}}}"
    return (part.text or "") + "".join(inner)


@pytest.mark.parametrize("path", LAWS, ids=lambda it: it.stem)
def test_every_equation_is_drawn(path):
    for text in docstrings(path):
        for block in re.findall(r"(?:^    .*\n?)+", text, re.MULTILINE):
            for equation in equations(block):
                assert drawn(equation)


@pytest.mark.parametrize("path", LAWS, ids=lambda it: it.stem)
def test_no_file_of_laws_has_two_pages(path):
    pages = [it.read_text() for it in (ROOT / "docs" / "model").glob("*.md")]
    assert sum(f"::: liminal_jax.laws.{path.stem}\n" in it for it in pages) <= 1


@pytest.mark.parametrize(
    ("equation", "meant"),
    [
        ("T = max(T_mem, 1) + beta", "T=max(T_{mem},1)+β"),
        ("t = work / (n F)", "t={work}/{n\u2062F}"),
        ("t = (n - 1)/n m / beta", "t={{n\N{MINUS SIGN}1}/{n}⋅m}/{β}"),
        ("t = a / (1 + b) / c", "t={{a}/{1+b}}/{c}"),
        ("y = (1 + a/b)^(-c)", "y=(1+{a}/{b})^{\N{MINUS SIGN}c}"),
        ("y = rank^-s", "y=rank^{\N{MINUS SIGN}s}"),
        ("y = sum(x, i = 1 .. n)", "y=∑_{i=1…n}(x)"),
        ("y = sqrt(2 key)", "y=√{2⋅key}"),
        ("y = log2(n/8)", "y=log_{2}({n}/{8})"),
        ("s <- s key'", "s←s⋅key^{\N{PRIME}}"),
        ("a = -b - c", "a=\N{MINUS SIGN}b\N{MINUS SIGN}c"),
    ],
)
def test_how_an_equation_is_drawn(equation, meant):
    assert drawn(equation) == meant


@pytest.mark.parametrize(
    ("equation", "pieces"),
    [
        ("w = d (q + r) + 2 h", ["w=d\u2062(q+r)", "+2\u2062h"]),
        (
            "w = -b - c at c = x + 1",
            ["w=\N{MINUS SIGN}b", "\N{MINUS SIGN}c\u00a0at\u00a0c=x", "+1"],
        ),
    ],
)
def test_an_equation_wraps_before_a_term_of_its_sums(equation, pieces):
    tree = ElementTree.fromstring(mathml(equation))
    assert [shown(it) for it in tree if it.tag == "math"] == pieces
    assert all(it[0].get("form") == "infix" for it in tree.findall("math/mrow")[1:])


@pytest.mark.parametrize("equation", ["a = b / c d", "a = (b", "a = ", "a = b ]", "a = b)"])
def test_what_is_no_equation_is_refused(equation):
    with pytest.raises(ValueError, match=r"equation|parentheses|left over"):
        mathml(equation)


def test_a_symbol_has_an_index_and_a_word_has_none():
    assert inline("d_h") == "<math><msub><mi>d</mi><mtext>h</mtext></msub></math>"
    assert "kv_rank" in inline("kv_rank")


@pytest.mark.parametrize("module", [mathematics, written])
def test_examples(module):
    done = doctest.testmod(module)
    assert done.attempted
    assert not done.failed
