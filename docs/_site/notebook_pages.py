"""The notebooks as pages: as executed, where an executed twin lies beside the source."""

import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from written import ROOT, block, table

_FOLDERS = (ROOT / "build" / "notebooks", ROOT / "notebooks")
"""Where executed twins lie: those of this build first, then those that come along."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def notebook_pages() -> dict[str, str]:
    """Each notebook, and a list of all."""
    sources = sorted((ROOT / "notebooks").glob("[0-9]*.py"))
    pages = {f"notebooks/{it.stem}.md": _page(it) for it in sources}
    rows = [[f"[{_title(text)}]({Path(name).name})"] for name, text in pages.items()]
    return {"notebooks/index.md": "# Notebooks\n\n" + table(["notebook"], rows), **pages}


def _title(page: str) -> str:
    return page.split("\n", 1)[0].removeprefix("# ")


def _page(source: Path) -> str:
    twins = [it for folder in _FOLDERS if (it := folder / f"{source.stem}.ipynb").exists()]
    notebook = nbformat.read(twins[0], as_version=4) if twins else jupytext.read(source)
    return "\n\n".join(_cell(it) for it in notebook.cells)


def _cell(cell: Any) -> str:
    if cell.cell_type == "markdown":
        return cell.source
    shown = [block("python", cell.source), *(_output(it) for it in cell.get("outputs", []))]
    return "\n\n".join(it for it in shown if it)


def _output(output: Any) -> str:
    """What a cell shows: a picture or a table where it has one, else its text."""
    if output.output_type == "stream":
        return block("text", _COLOUR.sub("", output.text))
    data = output.get("data", {})
    if "image/png" in data:
        picture = data["image/png"].strip().replace("\n", "")
        return f'<img alt="the figure of this cell" src="data:image/png;base64,{picture}">'
    if "text/html" in data:
        return data["text/html"]
    return block("text", _COLOUR.sub("", data.get("text/plain", "")))
