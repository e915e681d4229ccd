"""The studies that come with the package, and what each asks; it loads no JAX."""

from collections.abc import Mapping
from typing import Any

from liminal_jax.results.page import Page, listing, section
from liminal_jax.study.kind import kind_record


def studies_record(abouts: Mapping[str, str], classes: Mapping[str, str]) -> dict[str, Any]:
    """The object of `liminal studies --json`.

    Args:
        abouts: What each study asks, by its name.
        classes: Whether its answer is proven or bounded.
    """
    told = {name: {"about": it.strip(), "class": classes[name]} for name, it in abouts.items()}
    return {**kind_record("studies"), **told}


def page(record: Mapping[str, Any]) -> Page:
    """The page of a list of studies.

    Args:
        record: The object of `liminal studies --json`.
    """
    studies = {name: it for name, it in record.items() if isinstance(it, Mapping)}
    rows = [(name, it["class"], " ".join(it["about"].split())) for name, it in studies.items()]
    return Page(
        "studies",
        (),
        (f"{len(studies)} studies come with the package",),
        (section("what each asks", listing(rows, ("study", "answer", "question"))),),
    )
