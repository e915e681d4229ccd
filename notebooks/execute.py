"""Execute the notebooks and write what they show beside their sources, or in another folder.

python -m notebooks.execute [FOLDER]
"""

import sys
from pathlib import Path
from typing import Any

import jupytext
import nbclient
import nbformat

FOLDER = Path(__file__).resolve().parent
"""Where notebooks lie: numbered py:percent sources, each with its executed twin."""

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
"""Which kernel a reader's Jupyter is to start."""


def sources() -> list[Path]:
    """The sources of all notebooks, in the order in which to read them."""
    return sorted(FOLDER.glob("[0-9]*.py"))


def executed(source: Path) -> Any:
    """A notebook, run from top to bottom in a fresh kernel from the folder above this one.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell raises.
    """
    notebook = jupytext.read(source)
    nbclient.NotebookClient(
        notebook,
        kernel_name=KERNEL["name"],
        timeout=300,
        resources={"metadata": {"path": str(FOLDER.parent)}},
        record_timing=False,
        coalesce_streams=True,
    ).execute()
    return notebook


def main(folder: Path | None = None) -> None:
    """Execute the notebooks, into a folder or beside their sources."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    for source in sources():
        twin = (source.parent if folder is None else folder) / f"{source.stem}.ipynb"
        notebook = executed(source)
        # What the kernel says of itself, and random names of cells, would change with every run.
        notebook.metadata.pop("language_info", None)
        notebook.metadata["kernelspec"] = KERNEL
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"
        nbformat.write(notebook, twin)
        print(twin)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
