"""`liminal`: the commands, and the exit codes.

Exit codes: 0 good; 1 failed or infeasible; 2 wrong usage or bad input; 130 interrupted.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from liminal_jax import __version__
from liminal_jax._files import InputError, Problem, did_you_mean


class Command(NamedTuple):
    """A command: module and function, and one line of help."""

    module: str
    function: str
    about: str


COMMANDS = {
    "predict": Command("predict", "predict", "speed, fit, power and cost of one design"),
    "optimize": Command("optimize", "optimize", "the best design of a study, with its proof"),
    "pareto": Command("pareto", "pareto", "the Pareto front of a study, with its proof"),
    "sensitivity": Command(
        "sensitivity", "sensitivity", "elasticities, shadow prices and a tornado of a study"
    ),
    "uncertainty": Command(
        "uncertainty", "uncertainty", "how the optimum varies with uncertain numbers"
    ),
    "compare": Command(
        "compare", "compare", "runs, designs, systems or models side by side, and why they differ"
    ),
    "reach": Command("reach", "reach", "the least change that reaches a speed, or why none does"),
    "ceiling": Command("ceiling", "ceiling", "the most that each technology reaches for one user"),
    "report": Command("report", "report", "one HTML page for a run, which needs no network"),
    "app": Command("app", "app", "sliders in the browser: drag a number, see the effect"),
    "sweep": Command("sweep", "sweep", "every point of a grid or sample, on all devices"),
    "calibrate": Command("calibrate", "calibrate", "fit losses to your own measurements"),
    "validate": Command("validate", "validate", "how far predictions are from measurements"),
    "studies": Command("studies", "studies_list", "list the studies that come with the package"),
    "models": Command("models", "models_list", "list the models that come with the package"),
    "models show": Command("models", "models_show", "show one model"),
    "models import": Command("models", "models_import", "read a config.json and show what it says"),
    "models compare": Command("models", "models_compare", "show two models side by side"),
    "systems": Command("systems", "systems_list", "list the systems that come with the package"),
    "systems show": Command("systems", "systems_show", "show every number of a system"),
    "systems new": Command("systems", "systems_new", "copy a system as a start for your own"),
    "experiments": Command("experiments", "experiments_list", "list the experiments of a checkout"),
    "experiments run": Command("experiments", "experiments_run", "run one experiment"),
}

FAILED, MISUSED, INTERRUPTED = 1, 2, 130


def _help() -> str:
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {command.about}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: liminal COMMAND [OPTIONS]",
            "",
            "LLM decode on hardware that may not exist yet: predict it, or find the best.",
            "",
            *rows,
            "",
            "liminal COMMAND --help tells the options of a command; --version tells the version.",
        ]
    )


def _command(words: Sequence[str]) -> str:
    """The longest name of a command that the words begin with.

    Raises:
        InputError: there is no such command.
    """
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS:
            return name
    hint = did_you_mean(words[0], COMMANDS) or f"; there are {', '.join(COMMANDS)}"
    raise InputError("liminal", [Problem("", f"there is no command {words[0]!r}{hint}")])


def _run(arguments: Sequence[str]) -> int:
    import tyro

    name = _command(arguments)
    command = COMMANDS[name]
    module = importlib.import_module(f"liminal_jax.cli.{command.module}")
    code = tyro.cli(
        getattr(module, command.function),
        args=arguments[len(name.split()) :],
        prog=f"liminal {name}",
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.UseAppendAction),
    )
    return code or 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if words else MISUSED
    if words[0] == "--version":
        print(f"liminal-jax {__version__}")
        return 0
    try:
        return _run(words)
    except InputError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED


def run() -> None:
    """The entry point of the `liminal` program."""
    sys.exit(main())
