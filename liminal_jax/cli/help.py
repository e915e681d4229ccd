"""`--help` shows the options that most people need and an example, `--help-all` every option."""

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

import tyro

SHORT, ALL = ("-h", "--help"), "--help-all"


def without(function: Callable[..., Any], rare: Collection[str]) -> Callable[..., Any]:
    """A command whose help leaves out some options, and of its text all but the first line."""
    hints = inspect.get_annotations(inspect.unwrap(function), eval_str=True)
    shown = {
        name: Annotated[hint, tyro.conf.Suppress] if name in rare else hint
        for name, hint in hints.items()
    }
    signature = inspect.signature(function)
    parameters = [it.replace(annotation=shown[it.name]) for it in signature.parameters.values()]
    text, arguments = inspect.cleandoc(function.__doc__ or "").split("\n\nArgs:", 1)
    described = {
        "__annotations__": shown,
        "__name__": function.__name__,
        "__module__": function.__module__,
        "__doc__": f"{text.splitlines()[0]}\n\nArgs:{arguments}",
        "__signature__": signature.replace(parameters=parameters),
    }
    return _with(lambda *positional, **named: function(*positional, **named), described)


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
