"""`--help` shows the options that most people need and an example, `--help-all` every option."""

import contextlib
import dataclasses
import functools
import inspect
import io
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

import tyro

_MOST_COLUMNS = 100
"""Columns beyond which lines are hard to read."""

ABOUT = "ABOUT"
"""What stands for the description of a command, whose lines the parser would join."""

SHORT, ALL = ("-h", "--help"), "--help-all"


def told(function: Callable[..., Any], rare: Collection[str]) -> Callable[..., Any]:
    """A command whose help fits any terminal, and leaves out some options; it only binds a call.

    Args:
        function: The command.
        rare: Options that are left out.
    """
    text, _, arguments = inspect.cleandoc(function.__doc__ or "").partition("\n\nArgs:\n")
    parameters, groups = [], {}
    for it in _parameters(function):
        group = _group(it.annotation)
        if group is None:
            parameters.append(it)
            continue
        groups[it.name] = group
        parameters += _parameters(group)
        arguments += "\n" + inspect.cleandoc(group.__doc__ or "").partition("\n\nAttributes:\n")[2]
    shown = [it.replace(annotation=_hinted(it, hidden=it.name in rare)) for it in parameters]

    def called(*positional: Any, **named: Any) -> Any:
        for name, group in groups.items():
            fields = {it.name: named.pop(it.name) for it in dataclasses.fields(group)}
            named[name] = group(**fields)
        return functools.partial(function, *positional, **named)

    described = {
        "__annotations__": {it.name: it.annotation for it in shown},
        "__name__": function.__name__,
        "__module__": function.__module__,
        "__doc__": f"{text}\n\nArgs:\n{reflowed(arguments)}",
        "__signature__": inspect.Signature(shown),
    }
    return _with(called, described)


def options(function: Callable[..., Any]) -> list[str]:
    """The options of a command as they are written, short ones too.

    Args:
        function: The command.
    """
    found = []
    for it in _parameters(function):
        group = _group(it.annotation)
        settings = getattr(it.annotation, "__metadata__", ())
        if group is not None:
            found += options(group)
        elif tyro.conf.Positional not in settings:
            names = [name for it in settings if (name := getattr(it, "name", None))]
            found.append(f"--{(names or [it.name])[0].replace('_', '-')}")
            found += [name for it in settings for name in getattr(it, "aliases", None) or ()]
    return found


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """What a function or a class takes, with its types."""
    hints = inspect.get_annotations(inspect.unwrap(function), eval_str=True)
    signature = inspect.signature(function)
    return [it.replace(annotation=hints[it.name]) for it in signature.parameters.values()]


def _group(hint: Any) -> type | None:
    """The class of a parameter that stands for several options, one for each of its fields."""
    return hint if isinstance(hint, type) and dataclasses.is_dataclass(hint) else None


def _hinted(parameter: inspect.Parameter, *, hidden: bool) -> Any:
    """The type of an option, as its help shows it: a default only where it says something."""
    hint, default = parameter.annotation, parameter.default
    if hidden:
        return Annotated[hint, tyro.conf.Suppress]
    shown: dict[str, Any] = {}
    if default is None or default is False or default in ("", ()):
        shown["help_behavior_hint"] = ""
    settings = getattr(hint, "__metadata__", ())
    named = any(getattr(it, "metavar", None) is not None for it in settings)
    if tyro.conf.Positional in settings and not named:
        name = parameter.name.upper()
        shown["metavar"] = name if default is inspect.Parameter.empty else f"[{name}]"
    return Annotated[hint, tyro.conf.arg(**shown)] if shown else hint


def page(shown: Callable[[], Any], about: str) -> str:
    """The help of a command, in lines that fit the terminal.

    Args:
        shown: Prints usage, `ABOUT` and the options, and leaves.
        about: What the command does, which stands in the place of `ABOUT`.
    """
    written = _Written()
    with contextlib.redirect_stdout(written), contextlib.suppress(SystemExit):
        shown()
    usage, _, options = written.getvalue().partition(ABOUT)
    usage = textwrap.fill(usage.strip(), _columns(), subsequent_indent="  ")
    return "\n".join([usage, "", about, "", options.strip("\n")])


class _Written(io.StringIO):
    """Standard output that is kept, and can show what the terminal can."""

    encoding = sys.stdout.encoding


def description(function: Callable[..., Any], *, first: bool) -> str:
    """What a command does, in lines that fit the terminal.

    Args:
        function: The command.
        first: Whether to leave out all but the first line.
    """
    text = inspect.cleandoc(function.__doc__ or "").partition("\n\nArgs:\n")[0]
    return broken(reflowed(text.splitlines()[0] if first else text), _columns())


def reflowed(text: str) -> str:
    r"""Text in which each paragraph, item and argument is one line, for terminals to break.

    Examples:
        >>> reflowed("One\nline.\n\n- an\n  item\n- another")
        'One line.\n\n- an item\n- another'
        >>> reflowed("    name: What\n        it is.\n    other: More.")
        '    name: What it is.\n    other: More.'
    """
    lines: list[str] = []
    for line in text.splitlines():
        begins = not lines or not line.strip() or not lines[-1].strip() or _begins(line, lines[-1])
        if begins:
            lines.append(line)
        else:
            lines[-1] = f"{lines[-1]} {line.strip()}"
    return "\n".join(lines)


def broken(text: str, columns: int) -> str:
    r"""Text whose lines are broken where the terminal ends, below what they are about.

    Examples:
        >>> broken("- an item of a list", 11)
        '- an item\n  of a list'
        >>> broken("  tp=1,2  a list", 14)
        '  tp=1,2  a\n          list'
    """
    lines = (
        textwrap.fill(line, columns, subsequent_indent=" " * _hang(line))
        for line in text.splitlines()
    )
    return "\n".join(lines)


def _hang(line: str) -> int:
    """Columns before the text of an item, or of a row of two columns."""
    before = re.match(r"- |  \S+ {2,}", line)
    return before.end() if before else 0


def _columns() -> int:
    return min(shutil.get_terminal_size().columns, _MOST_COLUMNS)


def _begins(line: str, before: str) -> bool:
    """Whether a line begins an item or an argument rather than going on with the one before."""
    deep, before_deep = (len(it) - len(it.lstrip()) for it in (line, before))
    item = line.lstrip().startswith("- ")
    return item or (deep > 0 and deep <= before_deep and not before.lstrip().startswith("- "))


def _with(function: Callable[..., Any], described: Mapping[str, Any]) -> Callable[..., Any]:
    """A function with other descriptions of itself."""
    for name, value in described.items():
        setattr(function, name, value)
    return function


def example_lines(name: str, example: str, hidden: int) -> list[str]:
    """What stands below the options of a command.

    Examples:
        >>> example_lines("report", "report runs/mine", 0)
        ['', 'example: liminal report runs/mine']
    """
    more = [f"{hidden} more options: liminal {name} {ALL}"] if hidden else []
    return ["", f"example: liminal {example}", *more]
