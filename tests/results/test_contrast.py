"""Words and shapes of pages stand out from them as WCAG AA asks, on light, on dark and on paper."""

import re
from importlib.resources import files

import pytest

from liminal_jax.drawing.svg import COLOURS
from liminal_jax.results.page import PALETTE
from tests.view.contrast import GRAPHICS, TEXT, over, ratio

STYLE = (files("liminal_jax.results") / "templates" / "style.css").read_text("utf-8")
LIGHT, DARK, PAPER = (
    dict(re.findall(r"--(\w+): (#\w+)", it)) for it in re.findall(r":root \{(.*?)\}", STYLE, re.S)
)
TINT = 0.38


@pytest.mark.parametrize("theme", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])
def test_words_stand_out_from_the_page_and_from_bands(theme):
    assert set(theme) == {"ink", "page", "faint", "rule", "band"}
    for ink in ("ink", "faint"):
        for ground in ("page", "band"):
            assert ratio(theme[ink], theme[ground]) >= TEXT, (ink, ground)


@pytest.mark.parametrize("theme", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])
@pytest.mark.parametrize("name", [*COLOURS, *map(str, range(len(PALETTE)))])
def test_what_is_drawn_stands_out_and_words_on_it_too(theme, name):
    colour = PALETTE[int(name)] if name.isdigit() else COLOURS[name]
    page = long(theme["page"])
    assert ratio(colour, page) >= GRAPHICS
    assert ratio(long(theme["ink"]), over(colour, page, TINT)) >= TEXT


def long(colour):
    """#rgb as #rrggbb."""
    return colour if len(colour) == 7 else "#" + "".join(it * 2 for it in colour[1:])


def test_the_tint_is_the_one_that_is_drawn():
    from liminal_jax.drawing.svg import solid

    assert f'fill-opacity="{TINT}"' in solid("compute")


def test_contrast_is_that_of_the_standard():
    assert ratio("#000", "#fff") == pytest.approx(21)
    assert ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert over("#000000", "#ffffff", 0.5) == "#808080"
