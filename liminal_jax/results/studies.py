"""The studies that come with the package, and what each asks; it loads no JAX."""

import re
from collections.abc import Mapping
from typing import Any

from liminal_jax.results.page import Page, listing, section, sentences
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
    abouts = {name: " ".join(it["about"].split()) for name, it in studies.items()}
    if len(studies) == 1:
        ((name, about),) = abouts.items()
        run = sentences([f"liminal optimize {name}"])
        return Page(name, (), (about,), (section(f"its answer is {studies[name]['class']}", run),))
    rows = [(name, studies[name]["class"], _question(it)) for name, it in abouts.items()]
    return Page(
        "studies",
        (),
        (f"{len(studies)} studies come with the package; liminal studies NAME tells more of one",),
        (section("what each asks", listing(rows, ("study", "answer", "question"))),),
    )


def _question(about: str) -> str:
    """The question in what a study says of itself; its first sentence where it has none.

    Examples:
        >>> _question("A rack has 60 kW. Which memory? HBM4."), _question("As. Is.")
        ('Which memory?', 'As.')
    """
    said = re.split(r"(?<=[.?]) ", about)
    return next((it for it in said if it.endswith("?")), said[0])
