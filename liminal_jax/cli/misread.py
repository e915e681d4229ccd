"""What is said of words that a command does not take."""

import re
from collections.abc import Sequence

from liminal_jax._files import Problem, did_you_mean

_OPTION = re.compile(r"--?[A-Za-z]")


def misread(
    command: str, words: Sequence[str], options: Sequence[str], examples: Sequence[str]
) -> list[Problem]:
    """Each option that there is not, and all words that stand for nothing.

    Args:
        command: The command, without `liminal`.
        words: What the parser could not place.
        options: The options that there are.
        examples: Command lines that could have been meant, without `liminal`.

    Examples:
        >>> misread("predict", ["--batch", "32"], ["--batch-size"], [])
        [Problem(path='--batch', message="is no option here; did you mean '--batch-size'?")]
        >>> misread("models", ["list"], [], ["models", "models show deepseek-v3"])[0].message
        "does not take 'list'; try `liminal models` or `liminal models show deepseek-v3`"
    """
    long = [it.removeprefix("--") for it in options if it.startswith("--")]
    problems, before = [], ""
    loose = []
    for word in words:
        option = word.partition("=")[0]
        if _OPTION.match(word):
            meant = did_you_mean(option.lstrip("-"), long).replace("'", "'--", 1)
            hint = meant or f"; `liminal {command} --help-all` lists those there are"
            problems.append(Problem(option, f"is no option here{hint}"))
        elif not _OPTION.match(before):  # Else it is the value of that option.
            loose.append(word)
        before = word
    if loose:
        tried = " or ".join(f"`liminal {it}`" for it in examples)
        problems.append(Problem("", f"does not take {', '.join(map(repr, loose))}; try {tried}"))
    return problems
