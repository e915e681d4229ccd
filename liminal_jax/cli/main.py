"""`liminal`: the commands, and the exit codes.

Exit codes: 0 good; 1 failed or infeasible; 2 wrong usage or bad input; 130 interrupted.
"""

import gc
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from liminal_jax import __version__
from liminal_jax._files import InputError, Problem, did_you_mean
from liminal_jax.cli.help import ABOUT, ALL, SHORT, description, example_lines, options, page, told
from liminal_jax.cli.misread import misread


class Command(NamedTuple):
    """A command.

    Attributes:
        module: Where it is, in this package.
        function: Its function there.
        about: One line of help.
        example: A command line that shows it, without `liminal`.
        rare: Options that its `--help` leaves to `--help-all`.
    """

    module: str
    function: str
    about: str
    example: str
    rare: tuple[str, ...] = ()


COMMANDS = {
    "predict": Command(
        "predict",
        "predict",
        "speed, fit, power and cost of one design",
        "predict -m llama-3-70b --system h200 --tp 8 --batch-size 32",
        (
            "accounting",
            "attention",
            "attention_bits",
            "attention_ranks",
            "chunk",
            "clock",
            "cp",
            "engine",
            "kv_format",
            "prefix_hit_rate",
            "routing",
            "shared_expert_ranks",
        ),
    ),
    "optimize": Command(
        "optimize",
        "optimize",
        "the best design of a study, with its proof",
        "optimize dram-or-sram-at-equal-cost -o runs/mine",
        ("overwrite", "reliability", "samples", "seed", "starts"),
    ),
    "pareto": Command(
        "pareto",
        "pareto",
        "the Pareto front of a study, with its proof",
        "pareto memory-under-a-power-limit",
    ),
    "sensitivity": Command(
        "sensitivity",
        "sensitivity",
        "elasticities, shadow prices and a tornado of a study",
        "sensitivity memory-under-a-power-limit",
    ),
    "uncertainty": Command(
        "uncertainty",
        "uncertainty",
        "how the optimum varies with uncertain numbers",
        "uncertainty memory-under-a-power-limit",
        ("overwrite", "reliability", "seed"),
    ),
    "compare": Command(
        "compare",
        "compare",
        "runs, designs, systems or models: how and why they differ",
        "compare h200 b200 -m llama-3-70b --tp 8",
    ),
    "reach": Command(
        "reach",
        "reach",
        "the least change that reaches a speed, or why none does",
        "reach --utps 10000 -m deepseek-v3",
    ),
    "ceiling": Command(
        "ceiling",
        "ceiling",
        "the most that each technology reaches for one user",
        "ceiling -m deepseek-v3",
    ),
    "report": Command(
        "report",
        "report",
        "one HTML page for a run, which needs no network",
        "report runs/mine -o mine.html",
    ),
    "app": Command(
        "app",
        "app",
        "sliders in the browser: drag a number, see the effect",
        "app -m deepseek-v3 --system h200",
    ),
    "sweep": Command(
        "sweep",
        "sweep",
        "every point of a grid or sample, on all devices",
        "sweep -m llama-3-8b --system h200 --axis tp=1,2,4,8",
        (
            "by",
            "coordinator",
            "distributed",
            "float32",
            "histogram",
            "overwrite",
            "parquet",
            "process",
            "processes",
            "seed",
            "top",
        ),
    ),
    "calibrate": Command(
        "calibrate",
        "calibrate",
        "fit losses to your own measurements",
        "calibrate result.json -o mine.toml --system h100 --tp 4",
        ("about", "base"),
    ),
    "validate": Command(
        "validate",
        "validate",
        "how far predictions are from measurements",
        "validate result.json --system h100 --tp 4",
    ),
    "studies": Command(
        "studies",
        "studies_list",
        "list the studies that come with the package, or tell one",
        "studies dram-or-sram-at-equal-cost",
    ),
    "models": Command(
        "models", "models_list", "list the models that come with the package", "models"
    ),
    "models show": Command("models", "models_show", "show one model", "models show deepseek-v3"),
    "models import": Command(
        "models",
        "models_import",
        "read a config.json and show what it says",
        "models import config.json --save mine",
    ),
    "models compare": Command(
        "models",
        "models_compare",
        "show two models side by side",
        "models compare llama-3-70b gpt-oss-120b",
    ),
    "systems": Command(
        "systems", "systems_list", "list the systems that come with the package", "systems"
    ),
    "systems show": Command(
        "systems", "systems_show", "show every number of a system", "systems show h200"
    ),
    "systems new": Command(
        "systems",
        "systems_new",
        "copy a system as a start for your own",
        "systems new mychip --like h200",
    ),
    "experiments": Command(
        "experiments", "experiments_list", "list the experiments of a checkout", "experiments"
    ),
    "experiments run": Command(
        "experiments", "experiments_run", "run one experiment", "experiments run bandwidth --smoke"
    ),
}

FIRST = (
    ("predict", "Predict one design"),
    ("optimize", "Find the best design, and prove it"),
    ("app", "Drag a number, see the effect"),
)
"""Three commands to begin with."""

FAILED, MISUSED, INTERRUPTED = 1, 2, 130

NEW_OBJECTS = 1_000_000
"""New objects after which Python looks for unused cycles.

At its default of 700 that takes an eighth of a command's time, since modules and traces make many
objects and drop few.
"""


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
            "liminal COMMAND --help tells the options of a command, --version the version.",
        ]
    )


def _first() -> str:
    """What `liminal` says that is given no command."""
    rows = [f"{about}:\n  liminal {COMMANDS[name].example}\n" for name, about in FIRST]
    return "\n".join(["Three things to try.", "", *rows, "liminal --help lists all commands."])


def _command(words: Sequence[str]) -> str:
    """The longest name of a command that the words begin with.

    Raises:
        InputError: there is no such command.
    """
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS:
            return name
    longer = [f"'{it}'" for it in COMMANDS if words[0] in it.split()]
    meant = f"; did you mean {' or '.join(longer)}?" if longer else did_you_mean(words[0], COMMANDS)
    hint = meant or f"; there are {', '.join(COMMANDS)}"
    raise InputError("liminal", [Problem("", f"there is no command {words[0]!r}{hint}")])


def _run(arguments: Sequence[str]) -> int:
    import tyro

    from liminal_jax.cli.values import VALUES

    name = _command(arguments)
    command = COMMANDS[name]
    function = getattr(
        importlib.import_module(f"liminal_jax.cli.{command.module}"), command.function
    )
    words = list(arguments[len(name.split()) :])
    asked = {ALL, *SHORT} & set(words)
    hidden = () if not asked or ALL in asked else command.rare
    if asked:
        words = [SHORT[1]]

    def parsed() -> tuple[Callable[[], Any], list[str]]:
        with VALUES:
            return tyro.cli(
                told(function, hidden),
                args=words,
                prog=f"liminal {name}",
                description=ABOUT,
                return_unknown_args=True,
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.UseAppendAction),
            )

    if asked:
        print(page(parsed, description(function, first=bool(hidden))))
        print("\n".join(example_lines(name, command.example, len(hidden))))
        return 0
    call, unknown = parsed()
    if unknown:
        kin = [
            it.example for key, it in COMMANDS.items() if key == name or key.startswith(f"{name} ")
        ]
        raise InputError(f"liminal {name}", misread(name, unknown, options(function), kin))
    return call() or 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not words:
        print(_first())
        return MISUSED
    if words[0] == "help" and len(words) > 1:
        words = [*words[1:], SHORT[1]]
    if words[0] in (*SHORT, "help"):
        print(_help())
        return 0
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
    gc.set_threshold(NEW_OBJECTS)
    code = main()
    # Memory ends with the process: to look for cycles in it takes a fifth of a short command.
    gc.freeze()
    sys.exit(code)
