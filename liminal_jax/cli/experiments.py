"""`liminal experiments`: list the questions of a checkout, and run one."""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import tyro

from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.cli.options import Maybe
from liminal_jax.cli.printed import printed
from liminal_jax.results.experiments import experiments_record, page

PACKAGE = "experiments"
"""The package beside this one that holds them."""

ABSENT = (
    "the experiments are not part of the installed package: clone the repository, install it with"
    " pip install -e '.[plot]', and run this command in its folder"
)

MARK = "EXPERIMENT"
"""What a module that answers a question assigns."""


def _folder() -> Path:
    """Where the experiments are.

    Raises:
        InputError: There are none: the package was installed without them.
    """
    # Beside the package in an editable install; else in the folder of a clone.
    for folder in (Path(__file__).parents[2] / PACKAGE, Path.cwd() / PACKAGE):
        if (folder / "runner.py").exists():
            return folder
    raise InputError("liminal experiments", [Problem("", ABSENT)])


def _assigns(tree: ast.Module, name: str) -> bool:
    targets = [it.targets for it in tree.body if isinstance(it, ast.Assign)]
    return any(isinstance(it, ast.Name) and it.id == name for group in targets for it in group)


def questions(folder: Path) -> dict[str, str]:
    """The first paragraph of what each experiment says of itself, by its name.

    Files are parsed, not imported, so that a list needs no JAX.

    Args:
        folder: The package.
    """
    found = {}
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if _assigns(tree, MARK):
            found[path.stem] = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())
    return found


def experiments_list(json: bool = False) -> None:
    """List the experiments and the question of each.

    Args:
        json: Print one JSON object, from name to question.
    """
    printed(experiments_record(questions(_folder())), page, json)


def experiments_run(
    name: Annotated[str, tyro.conf.Positional],
    smoke: bool = False,
    measured: Annotated[Maybe[Path], tyro.conf.arg(metavar="FILE")] = None,
    records: Annotated[Maybe[Path], tyro.conf.arg(metavar="FILE")] = None,
    design: Maybe[str] = None,
    output: Annotated[Maybe[Path], tyro.conf.arg(aliases=["-o"])] = None,
    overwrite: bool = False,
) -> int:
    """Run one experiment: compute, save, draw, print; the last line is one JSON object.

    Args:
        name: Its name, as `liminal experiments` lists it.
        smoke: Run the small setting, to see that all works.
        measured: Measurements to compare with, in the columns that `liminal calibrate --help-all`
            tells; those that come with the package where left out.
        records: Records to model, in the columns of experiments/records.csv; those where left out.
        design: One design of the experiment, of which every term is printed; all where left out.
        output: Folder of the run; runs/NAME-K by default.
        overwrite: Write into a folder that holds a run already.
    """
    folder = _folder()
    found = questions(folder)
    if name not in found:
        hint = did_you_mean(name, found) or f"; there are {', '.join(found)}"
        raise InputError("liminal experiments run", [Problem("", f"no experiment {name!r}{hint}")])
    experiment, main = _loaded(folder, name)
    arguments = ["--smoke"] if smoke else []
    arguments += ["--overwrite"] if overwrite else []
    arguments += [] if measured is None else ["--measured", str(measured)]
    arguments += [] if records is None else ["--records", str(records)]
    arguments += [] if design is None else ["--design", design]
    arguments += [] if output is None else ["-o", str(output)]
    return main(experiment, arguments)


def _loaded(folder: Path, name: str) -> tuple[object, Callable[[object, Sequence[str]], int]]:
    """An experiment of the package in a folder, and the runner that they share."""
    if importlib.util.find_spec(PACKAGE) is None:
        sys.path.append(str(folder.parent))
    experiment = importlib.import_module(f"{PACKAGE}.{name}")
    return getattr(experiment, MARK), importlib.import_module(f"{PACKAGE}.runner").main
