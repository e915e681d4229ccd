"""Pages of runs in a browser: they fit phone, desk and paper, and can be read on light and dark."""

import json
import re
import subprocess
from html import unescape
from pathlib import Path

import pytest

from tests.cli.terminal import exit_code
from tests.optimization.brute import study
from tests.optimization.small import FINISHED, PLANNED
from tests.view.browser import CHROMIUM, DRIVER, FLAGS, MISSING, THEMES, browser
from tests.view.contrast import FAINT_WORDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason=MISSING),
]

WIDTHS = (400, 1400)
MOST_OF_A_PHONE = 240
"""Pixels of a chart that its labels leave to it."""

TALL = 260
"""Pixels of a row that is no longer read at a glance."""

FRAMES = """<!doctype html><pre id="found"></pre>
<iframe src="PAGE" width="400" height="900"></iframe>
<iframe src="PAGE" width="1400" height="900"></iframe>
<script>
addEventListener("load", () => setTimeout(() => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    const named = it => it.getAttribute("aria-label") || it.getAttribute("alt");
    const drawn = [...page.querySelectorAll("svg[data-figure], img, figure")];
    return {
      wide: root.scrollWidth, room: root.clientWidth, drawn: drawn.length,
      nameless: drawn.filter(it => !named(it)).length,
      figures: [...page.querySelectorAll("svg[data-figure]")].map(it => it.dataset.figure),
      outside: [...page.querySelectorAll("svg[data-figure]")].filter(it => {
        const frame = it.getBoundingClientRect();
        return [...it.querySelectorAll("text")].some(text => {
          const box = text.getBoundingClientRect();
          return box.left < frame.left - 1 || box.right > frame.right + 1;
        });
      }).map(it => it.dataset.figure),
      cut: [...page.querySelectorAll("figure")].flatMap(it => {
        const frame = it.firstElementChild.getBoundingClientRect();
        return [...it.querySelectorAll(".main-svg text")].filter(text => {
          const box = text.getBoundingClientRect();
          return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1
                               || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
        }).map(text => `${it.getAttribute("aria-label")}: ${text.textContent}`);
      }),
      overlapping: [...page.querySelectorAll("figure")].flatMap(it => {
        const kinds = "[class*=title] > text, .xtick > text, .ytick > text, .axis-title, .axis"
          + " .tick text, .legendtext, [class*=-title], .annotation-text";
        const words = [...it.querySelectorAll(kinds)].filter(text => text.textContent.trim());
        const boxes = words.map(text => text.getBoundingClientRect());
        const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
          && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
        return boxes.flatMap((box, at) => boxes.slice(0, at).map((other, row) => [box, other, row])
          .filter(([box, other, row]) => words[row] !== words[at] && meet(box, other))
          .map(([, , row]) => `${words[row].textContent} and ${words[at].textContent}`));
      }),
      chart: Math.min(...[...page.querySelectorAll("figure .nsewdrag")].map(
        it => it.getBoundingClientRect().width)),
      tallest: Math.max(...[...page.querySelectorAll("tr")].map(
        it => it.getBoundingClientRect().height)),
    };
  });
  document.getElementById("found").textContent = JSON.stringify(found);
}, 500));
</script>
"""

OF_PREDICTIONS = ["package", "system", "time", "roofline", "limits", "memory"]
DRAWN = {
    "prediction": OF_PREDICTIONS,
    "optimum": OF_PREDICTIONS,
    "whole": OF_PREDICTIONS,
    "front": OF_PREDICTIONS,
    "sweep": [],
    "comparison": [it for it in ("package", "system", "memory") for _ in range(2)],
}
"""Pictures of each kind of page, in their order."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    design = {**FINISHED["design"], "system": "h200"}
    asked = str(study(folder, "finished", **{**FINISHED, "design": design}))
    planned = str(study(tmp_path_factory.mktemp("planned"), "planned", **PLANNED))
    pair = ["-m", "llama-3-8b", "--system", "h200"]
    commands = {
        "optimum": ["optimize", asked],
        "whole": ["optimize", planned],
        "whole/front": ["pareto", planned],
        "whole/sensitivity": ["sensitivity", planned],
        "whole/uncertainty": ["uncertainty", planned, "--samples", "16"],
        "front": ["pareto", asked],
        "sweep": ["sweep", *pair, "--axis", "tp=1,2", "--axis", "batch=1:64:9"],
    }
    commands["sweep"] += ["--maximise", "stps", "--maximise", "utps"]
    for name, command in commands.items():
        assert exit_code([*command, "-o", str(folder / name)]) == 0
    for name in ("optimum", "whole", "front", "sweep"):
        assert exit_code(["report", str(folder / name), "-o", str(folder / f"{name}.html")]) == 0
    return folder


@pytest.fixture
def page(pages: Path, kind: str, capsys: pytest.CaptureFixture) -> Path:
    """The page of a kind; those that are printed are made here, where it can be read."""
    printed = {
        "prediction": ["predict", "-m", "llama-3-8b", "--system", "h200", "--tp", "2"],
        "comparison": ["compare", "h100", "h200", "-m", "llama-3-8b"],
    }
    path = pages / f"{kind}.html"
    if kind in printed and not path.exists():
        capsys.readouterr()
        assert exit_code([*printed[kind], "--json"]) == 0
        record = pages / f"{kind}.json"
        record.write_text(capsys.readouterr().out)
        assert exit_code(["report", str(record)]) == 0
    return path


def shown(address: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """What a headless browser makes of a page."""
    flags = [*FLAGS, *more, "--virtual-time-budget=8000", f"--user-data-dir={folder / 'profile'}"]
    return subprocess.run(
        [CHROMIUM, *flags, "--enable-logging=stderr", address],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Errors on the console; what the page's policy forbids, every request, is one."""
    lines = done.stderr.splitlines()
    return [it for it in lines if "CONSOLE" in it and re.search("rror|violates", it)]


@pytest.mark.parametrize("kind", DRAWN)
def test_the_page_fits_and_everything_drawn_has_words(
    page: Path, kind: str, tmp_path: Path
) -> None:
    assert page.stat().st_size < 6_000_000
    frames = page.with_name(f"frames-{kind}.html")
    frames.write_text(FRAMES.replace("PAGE", page.name))
    flags = ("--allow-file-access-from-files", "--dump-dom")
    done = shown(frames.as_uri(), tmp_path, *flags)
    (told,) = re.findall(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    found = json.loads(unescape(told))
    assert len(found) == len(WIDTHS)
    for it in found:
        assert it["wide"] <= it["room"], it
        assert it["figures"] == DRAWN[kind]
        assert it["drawn"] > len(DRAWN[kind])
        assert it["nameless"] == 0
        assert it["outside"] == []
        assert it["cut"] == []
        assert it["overlapping"] == []
        assert it["chart"] > MOST_OF_A_PHONE
        assert it["tallest"] < TALL
    assert complaints(done) == []


@pytest.mark.skipif(not DRIVER, reason=MISSING)
@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("theme", THEMES)
def test_words_can_be_read(page: Path, theme: str, tmp_path: Path) -> None:
    with browser(tmp_path, more=THEMES[theme]) as window:
        window.open(page.as_uri())
        asked = "return matchMedia('(prefers-color-scheme: dark)').matches"
        assert window.run(asked) == (theme == "dark")
        assert window.run(FAINT_WORDS) == []


@pytest.mark.skipif(not DRIVER, reason=MISSING)
@pytest.mark.parametrize("kind", ["prediction"])
def test_faint_words_would_be_seen(page: Path, tmp_path: Path) -> None:
    faint = tmp_path / "faint.html"
    faint.write_text(page.read_text().replace('class="answer"', 'style="opacity:.5"'))
    with browser(tmp_path, more=THEMES["light"]) as window:
        window.open(faint.as_uri())
        found = window.run(FAINT_WORDS)
    assert found
    assert all("UTPS" in it or "STPS" in it or "tokens" in it or "step" in it for it in found[:3])


@pytest.mark.parametrize("kind", DRAWN)
def test_it_is_printed_dark_on_light(page: Path, tmp_path: Path) -> None:
    """Also where a reader prefers dark: ink is costly, and grey paper is hard to read."""
    paper = tmp_path / "page.pdf"
    done = shown(page.as_uri(), tmp_path, *THEMES["dark"], f"--print-to-pdf={paper}")
    assert paper.read_bytes().startswith(b"%PDF")
    assert complaints(done) == []
    with browser(tmp_path, more=THEMES["dark"]) as window:
        window.open(page.as_uri())
        print_media = {"cmd": "Emulation.setEmulatedMedia", "params": {"media": "print"}}
        window.ask("/goog/cdp/execute", print_media)
        ink, ground = window.run(
            "const it = getComputedStyle(document.body); return [it.color, it.backgroundColor]"
        )
        assert (ink, ground) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
        assert window.run(FAINT_WORDS) == []
