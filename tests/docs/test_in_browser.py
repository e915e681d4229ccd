"""The site can be read on light and on dark, and fits a phone."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import ROOT
from tests.view.browser import CHROMIUM, DRIVER, THEMES, browser
from tests.view.contrast import FAINT_WORDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and chromedriver"),
]

PAGES = ("index", "start", "claims", "model/step", "reference/index", "notebooks/02_gradients")


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
