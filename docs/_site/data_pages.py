"""Pages that follow from the rows of data: every number with its source."""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel

from drawn import package
from liminal_jax._display import billions
from liminal_jax.data.catalogue import (
    capacity_technology_names,
    process_names,
    system_names,
    technology_names,
)
from liminal_jax.data.files import load_sources
from liminal_jax.data.formats import number_formats
from liminal_jax.data.levers import lever_ranges
from liminal_jax.data.parts import (
    load_capacity_technology_file,
    load_facility_file,
    load_packaging_file,
    load_process_file,
    load_technology_file,
)
from liminal_jax.data.quality import published_costs
from liminal_jax.data.summaries import bundled_summaries
from liminal_jax.data.systems import load_system_file
from liminal_jax.results.system import numbers_in, printed_range
from liminal_jax.workload.summary import pattern
from written import table

_PARTS: dict[str, tuple[str, Callable[[], tuple[str, ...]], Callable[[str], Any]]] = {
    "systems": ("Systems", system_names, load_system_file),
    "technologies": ("Memory technologies", technology_names, load_technology_file),
    "capacity": ("Tiers of capacity", capacity_technology_names, load_capacity_technology_file),
    "processes": ("Silicon processes", process_names, load_process_file),
}
"""Files of numbers: what they are, their names, and how one is read."""


def data_pages() -> dict[str, str]:
    """One page for each file of numbers, and one for each table."""
    pages = {
        "data/models.md": _models(),
        "data/levers.md": _rows("Ranges of the levers of software", lever_ranges()),
        "data/quality.md": _rows("What levers cost in quality, as published", published_costs()),
        "data/formats.md": _rows("Number formats", number_formats().values()),
        "data/facility.md": _numbers("Facility", "", load_facility_file()),
        "data/packaging.md": _numbers("Packaging", "", load_packaging_file()),
        "data/sources.md": _sources(),
    }
    for folder, (title, names, load) in _PARTS.items():
        files = {name: load(name) for name in names()}
        rows = [[f"[{name}]({folder}/{name}.md)", it.title] for name, it in files.items()]
        pages[f"data/{folder}.md"] = f"# {title}\n\n" + table(["name", "what it is"], rows)
        for name, it in files.items():
            drawing = package(name) if folder == "systems" else ""
            pages[f"data/{folder}/{name}.md"] = _numbers(it.title, "../", it, drawing)
    return pages


def _numbers(title: str, up: str, file: BaseModel, drawing: str = "") -> str:
    """Every number of a file, as its source prints it, below a drawing where it has one."""
    rows = [
        [
            f"`{path}`",
            number["printed"],
            printed_range(number),
            number["kind"],
            f"[{source}]({up}sources.md#{source})" if (source := number["source"]) else "",
            number["note"] or number["unknown"],
        ]
        for path, number in numbers_in(file.model_dump())
    ]
    head = ["number", "value", "range", "kind", "source", "note"]
    about = getattr(file, "about", "")
    above = filter(None, (f"# {title}", about, drawing))
    return "\n\n".join((*above, table(head, rows)))


def _rows(title: str, records: Iterable[BaseModel]) -> str:
    """A table of records, one line for each."""
    lines = [it.model_dump() for it in records]
    shown = [["" if it is None else it for it in line.values()] for line in lines]
    return f"# {title}\n\n" + table(list(lines[0]), shown)


def _sources() -> str:
    """Every source, with an anchor of its name."""
    rows = [
        [f'<a id="{name}"></a>{name}', it.title, it.where, it.accessed]
        for name, it in load_sources().items()
    ]
    return "# Sources\n\n" + table(["name", "title", "where", "read in"], rows)


def _models() -> str:
    rows = [
        [
            f"`{name}`",
            billions(it.counts.total),
            billions(it.counts.active),
            f"{it.counts.kv_elements_per_token_growing:,.0f}",
            pattern(it),
        ]
        for name, it in bundled_summaries().items()
    ]
    head = ["model", "parameters", "active", "cached elements of a token", "layers"]
    return "# Models\n\nCounted from their configs, by the laws.\n\n" + table(head, rows)
