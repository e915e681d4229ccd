"""The site can be read on light and on dark, fits a phone, and is searched from disk."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import ROOT
from tests.view.browser import CHROMIUM, DRIVER, MISSING, THEMES, browser, waited
from tests.view.contrast import FAINT_WORDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING),
]

PAGES = (
    "index",
    "start",
    "claims",
    "data/systems/h200",
    "model/step",
    "search",
    "reference/index",
    "notebooks/01_first_prediction",
    "notebooks/02_gradients",
)

DRAWN = {
    "search": ["search"],
    "start": ["package", "system"],
    "data/systems/h200": ["package"],
    "notebooks/01_first_prediction": ["package", "system"],
    "notebooks/03_design_a_chip": ["package", "system", "memory"],
}
"""Pictures by the page that has them."""

WIDE = """
return [...document.querySelectorAll(".equation")]
    .filter(it => it.scrollWidth > it.clientWidth)
    .map(it => [it.textContent.trim(), getComputedStyle(it).overflowX]);
"""
"""Equations that are wider than their page, and what becomes of the rest of them."""

SEARCHED = """
const field = document.querySelector("[data-md-component=search-query]");
document.getElementById("__search").click();
field.value = "roofline";
field.dispatchEvent(new Event("keyup", {bubbles: true}));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600)
    return folder


@pytest.mark.parametrize("theme", THEMES)
def test_words_can_be_read(site: Path, theme: str, tmp_path: Path) -> None:
    with browser(tmp_path, more=THEMES[theme]) as window:
        for page in PAGES:
            window.open((site / f"{page}.html").as_uri())
            assert window.run(FAINT_WORDS) == [], page


@pytest.mark.parametrize("width", [400, 1400])
def test_pictures_are_drawn(site: Path, width: int, tmp_path: Path) -> None:
    found = (
        "return [...document.querySelectorAll('svg[data-figure]')]"
        ".filter(it => it.getBoundingClientRect().width > 250).map(it => it.dataset.figure)"
    )
    with browser(tmp_path, width) as window:
        for page, figures in DRAWN.items():
            window.open((site / f"{page}.html").as_uri())
            assert window.run(found) == figures, page


@pytest.mark.parametrize("width", [400, 1400])
def test_equations_wrap_on_a_wide_page_and_scroll_on_a_narrow_one(
    site: Path, width: int, tmp_path: Path
) -> None:
    with browser(tmp_path, width) as window:
        for page in sorted((site / "model").glob("*.html")):
            window.open(page.as_uri())
            wide = window.run(WIDE)
            assert {it for _, it in wide} <= ({"auto"} if width == 400 else set()), (page, wide)
            spread = window.run("return document.documentElement.scrollWidth - window.innerWidth")
            assert spread <= 0, page


def test_a_page_opened_from_disk_can_be_searched(site: Path, tmp_path: Path) -> None:
    found = "return document.querySelectorAll('.md-search-result__item').length"
    with browser(tmp_path) as window:
        for page in ("start", "data/systems/h200"):
            window.open((site / f"{page}.html").as_uri())
            window.run(SEARCHED)
            assert waited(lambda: window.run(found)) > 2
            assert [it["message"] for it in window.log("browser")] == [], page
