"""The talk's claims with their verdicts and figures, from saved runs of the experiments.

    python -m experiments.gallery FOLDER

FOLDER holds full runs of experiments that the first table of README.md lists, in a folder of its
name each. What was saved is drawn into `figures` and told in `CLAIMS.md`; nothing is computed. What
the page tells of other experiments stays.
"""

import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from experiments.record import load_record
from experiments.runner import drawn

HERE = Path(__file__).parent

PAGE = HERE / "CLAIMS.md"

NO_RUN = "No full run is kept of"
"""What is said of an experiment whose folder is not there."""

_COLOURS = 128
"""Of a figure, which has few: a fourth of the size."""

_TOP = """# The talk's claims, one by one

Each verdict is computed by an experiment; [experiments](README.md) says how to run it. This page is
written by `python -m experiments.gallery` from saved runs.
"""


def claims(readme: str) -> dict[str, str]:
    """What each experiment of the first table is about, by its name.

    Args:
        readme: The text of README.md.
    """
    table = readme.split("| experiment | claim |")[1].split("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE))


def sections(page: str) -> dict[str, str]:
    """The sections of a page by their titles.

    Args:
        page: Its text.
    """
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]
    return {it.partition("\n")[0].removeprefix("## "): it.rstrip("\n") + "\n" for it in parts}


def _title(about: str) -> str:
    return about[0].upper() + about[1:]


def told(name: str, about: str, results: Mapping[str, Any], origin: Mapping[str, Any]) -> str:
    """The section of one experiment.

    Args:
        name: Its name.
        about: What it is about.
        results: What it found.
        origin: When, and at which commit.
    """
    return "\n".join(_lines(name, about, results, origin))


def _lines(
    name: str, about: str, results: Mapping[str, Any], origin: Mapping[str, Any]
) -> Iterator[str]:
    yield f"## {_title(about)}\n"
    yield f"![{about}](figures/{name}.png)\n"
    yield "| claim | verdict | why |\n|---|---|---|"
    for it in results["verdicts"]:
        of = f" ({it['population']})" if "population" in it else ""
        yield f"| {_cell(it['claim'])}{of} | {it['verdict']} | {_cell(it['sentence'])} |"
    commit = (origin["commit"] or "unknown")[:10]
    yield f"\n`liminal experiments run {name}`, {origin['utc'][:10]}, commit {commit}.\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(folder: Path) -> None:
    """Draw and tell the runs of a folder."""
    kept = sections(PAGE.read_text("utf-8")) if PAGE.exists() else {}
    parts = [_TOP]
    for name, about in claims((HERE / "README.md").read_text("utf-8")).items():
        run, title = folder / name, _title(about)
        if not (run / "results.json").exists():
            parts.append(kept.get(title, f"## {title}\n\n{NO_RUN} `{name}`.\n"))
            continue
        drawn(importlib.import_module(f"experiments.{name}").EXPERIMENT, run)
        _smaller(run / f"{name}.png", HERE / "figures" / f"{name}.png")
        results, origin = (load_record(run / f"{it}.json") for it in ("results", "provenance"))
        parts.append(told(name, about, results, origin))
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def _smaller(source: Path, target: Path) -> None:
    """A figure with fewer colours, where that can be done."""
    from PIL import Image

    with Image.open(source) as picture:
        picture.convert("RGB").quantize(_COLOURS).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
