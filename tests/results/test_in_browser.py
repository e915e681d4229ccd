"""The page of a prediction in a browser: it fits phone and desk, and everything drawn has words."""

import json
import re
import subprocess

import pytest

from tests.cli.terminal import exit_code
from tests.view.browser import CHROMIUM, FLAGS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium"),
]

WIDTHS = (400, 1400)
FRAMES = """<!doctype html><pre id="found"></pre>
<iframe src="mine.html" width="400" height="900"></iframe>
<iframe src="mine.html" width="1400" height="900"></iframe>
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
    };
  });
  document.getElementById("found").textContent = JSON.stringify(found);
}, 500));
</script>
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


def test_the_page_fits_and_everything_drawn_has_words(folder, capsys):
    flags = ["-m", "llama-3-8b", "--system", "h200", "--tp", "2", "--json"]
    assert exit_code(["predict", *flags]) == 0
    (folder / "mine.json").write_text(capsys.readouterr().out)
    assert exit_code(["report", str(folder / "mine.json")]) == 0
    page = folder / "mine.html"
    assert page.stat().st_size < 6_000_000
    (folder / "frames.html").write_text(FRAMES)
    done = subprocess.run(
        [
            CHROMIUM,
            *FLAGS,
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            "--virtual-time-budget=8000",
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            (folder / "frames.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (told,) = re.findall(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    found = json.loads(told)
    assert len(found) == len(WIDTHS)
    for it in found:
        assert it["wide"] <= it["room"], it
        assert it["figures"] == ["package", "system", "memory", "time", "roofline", "limits"]
        assert it["nameless"] == 0
        assert it["outside"] == []
    errors = [
        it for it in done.stderr.splitlines() if "CONSOLE" in it and re.search("rror|violates", it)
    ]
    assert errors == []
