"""A record on standard output, as JSON or as its page; it loads no JAX."""

import json as json_format
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from liminal_jax.results.page import Page
from liminal_jax.results.terminal import terminal
from liminal_jax.view.console import messages, results


def printed(
    record: Mapping[str, Any], page: Callable[[Mapping[str, Any]], Page], json: bool
) -> None:
    """Print a record.

    Args:
        record: What a command found.
        page: The page that is drawn from it.
        json: Whether the record itself is asked for.
    """
    if json:
        print(json_format.dumps(record, indent=2))
    else:
        results().print(terminal(page(record)))


def printed_run(
    record: Mapping[str, Any],
    page: Callable[[Mapping[str, Any]], Page],
    json: bool,
    folder: Path | str,
    *steps: str,
) -> None:
    """Print the record of a run, and where it was written.

    Args:
        record: What a command found.
        page: The page that is drawn from it.
        json: Whether the record itself is asked for.
        folder: Where it was written.
        steps: What to do next, before a page is made of it.
    """
    printed(record, page, json)
    if json:
        messages().print(f"written to {folder}", soft_wrap=True)
        return
    steps = (*steps, f"liminal report {folder}")
    told = (f"\nwritten to {folder}", *(f"next: {it}" for it in steps))
    results().print(*told, sep="\n", soft_wrap=True)
