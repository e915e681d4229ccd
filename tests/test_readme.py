"""README and docs do what they say: their commands and programs run, in order, page by page."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from liminal_jax.cli.main import COMMANDS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PAGES = sorted(path for path in ROOT.rglob("README.md") if not {".git", "runs"} & set(path.parts))
RUN = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = {
    str(path.relative_to(ROOT)): blocks
    for path in RUN
    if (
        blocks := re.findall(
            r"^```(sh|python)\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE
        )
    )
}
WRITTEN = {
    "README.md": ["mine.html", "runs/mine/design.toml"],
    "docs/start.md": ["mine.toml", "mychip.toml", "mine.png", "mine.html", "runs/mine/design.toml"],
    "docs/extending.md": ["runs/own-memory/design.toml"],
}
ENDLESS = "liminal app"


def environment():
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shown = {"MPLBACKEND": "agg", "BROWSER": "true"}
    return {**os.environ, "PATH": tools, "PYTHONPATH": str(ROOT), **shown}


def ran(command, folder):
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)


def served(command, folder):
    """Starts what goes on until it is stopped, and stops it once its page can be had."""
    with subprocess.Popen(
        command.split(), cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            address = process.stdout.readline().strip()
            patience = time.monotonic() + 60
            while not answers(address):
                assert process.poll() is None
                assert time.monotonic() < patience
                time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        finally:
            process.terminate()


def answers(address):
    try:
        with urllib.request.urlopen(address) as page:
            return page.status == 200
    except urllib.error.URLError:
        return False


@pytest.mark.parametrize("page", BLOCKS)
def test_every_command_and_program_runs_in_order(page, tmp_path):
    for path in ROOT.iterdir():
        if path.name not in {".git", "runs"}:
            (tmp_path / path.name).symlink_to(path)
    for language, text in BLOCKS[page]:
        if language == "python":
            ran([sys.executable, "-W", "error", "-c", text], tmp_path)
        elif not text.startswith("pip install"):  # these make the environment of the tests
            lines = text.splitlines(keepends=True)
            finite = "".join(it for it in lines if not it.startswith(ENDLESS))
            ran(["bash", "-euo", "pipefail", "-c", finite], tmp_path)
            for line in lines:
                if line.startswith(ENDLESS):
                    served(line, tmp_path)
    for name in WRITTEN.get(page, []):
        assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_files_and_commands_that_there_are(page):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (page.parent / target).exists(), target
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for command in re.findall(r"^(?:srun )?liminal ([a-z]+)", block, re.MULTILINE):
            assert command in COMMANDS, command
        for module in re.findall(r"python -m ([\w.]+)", block):
            assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module
