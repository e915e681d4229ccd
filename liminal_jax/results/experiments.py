"""The experiments of a checkout, and the question of each; it loads no JAX."""

from collections.abc import Mapping
from typing import Any

from liminal_jax.results.page import Page, listing, section
from liminal_jax.study.kind import kind_record


def experiments_record(questions: Mapping[str, str]) -> dict[str, Any]:
    """The object of `liminal experiments --json`: questions by the names of experiments."""
    return {**kind_record("experiments"), **questions}


def page(record: Mapping[str, Any]) -> Page:
    """The page of a list of experiments.

    Args:
        record: The object of `liminal experiments --json`.
    """
    rows = [(name, it) for name, it in record.items() if name not in kind_record("")]
    return Page(
        "experiments",
        (),
        (f"{len(rows)} experiments; liminal experiments run NAME runs one",),
        (section("what each asks", listing(rows, ("experiment", "question"))),),
    )
