"""What lies in which memory of an instance, to scale of its capacity."""

from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import in_units, per_cent, with_prefix
from liminal_jax.drawing.svg import WIDTH, Row, Sheet, changed, outline

KINDS = {
    "weights": "weights that every token uses",
    "tables": "embedding and head",
    "experts": "routed experts",
    "cache": "KV cache and states of users",
}
"""What memories hold."""

BAR = 30.0

LEAST = 1e-6
"""Share of a memory below which what it holds is a rounding of sums."""


def memory_sheet(memory: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> Sheet:
    """The picture of the memories of an instance.

    Args:
        memory: What they hold, as `hardware.memory` of a record.
        beside: Those of another design, from which differences are marked.
    """
    rows, others = list(_rows(memory)), None if beside is None else list(_rows(beside))
    sheet = Sheet("memory", _title(memory), changed(rows, others))
    for it in _parts(memory):
        _bar(sheet, it)
    sheet.height += 4
    sheet.rows(rows, others)
    return sheet


def _title(memory: Mapping[str, Any]) -> str:
    full = memory["fullest"]
    told = "" if full is None else f"; the fullest chip is {per_cent(full)} full"
    return f"Memory of an instance{told}"


def _parts(memory: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The memories, without what rounding leaves in them."""
    for it in memory["parts"]:
        least = LEAST * max(it["capacity"] or 0.0, sum(it["holds"].values()))
        yield {**it, "holds": {kind: size for kind, size in it["holds"].items() if size > least}}


def _bar(sheet: Sheet, it: Mapping[str, Any]) -> None:
    """A memory as a bar as long as its capacity; what exceeds it sticks out of its outline."""
    held, capacity = sum(it["holds"].values()), it["capacity"]
    sheet.words(8, sheet.height + 14, _name(it), WIDTH - 16)
    top, left, whole = sheet.height + 20, 8.0, WIDTH - 16
    points = whole / max(held, capacity or held or 1.0)
    x = left
    for kind in KINDS:
        size = it["holds"].get(kind, 0.0)
        if size:
            told = f"{KINDS[kind]}: {in_units(size, 'B')}"
            sheet.shape(x, top, size * points, BAR, kind, told)
            x += size * points
    if capacity:
        sheet.shape(left, top - 2, capacity * points, BAR + 4, "outline", style=outline("outline"))
        if held > capacity:
            over = left + capacity * points
            sheet.shape(over, top, (held - capacity) * points, BAR, "beyond", "beyond its capacity")
    sheet.height = top + BAR + 8


def _name(it: Mapping[str, Any]) -> str:
    speed = "" if it["bandwidth"] is None else f" at {with_prefix(it['bandwidth'], 'B/s')}"
    size = "capacity unknown" if it["capacity"] is None else in_units(it["capacity"], "B")
    return f"{it['name']}: {size}{speed}"


def _rows(memory: Mapping[str, Any]) -> Iterator[Row]:
    for it in _parts(memory):
        place, several = it["name"], len(memory["parts"]) > 1
        for kind, words in KINDS.items():
            size = it["holds"].get(kind)
            if size:
                where = f", in {place}" if several else ""
                share = f", {per_cent(size / it['capacity'])} of it" if it["capacity"] else ""
                value = f"{in_units(size, 'B')}{share}"
                yield Row(f"{kind} {it['role']}", f"{words}{where}", value, kind)
        if it["capacity"]:
            free = it["capacity"] - sum(it["holds"].values())
            words = "free" if free >= 0 else "beyond its capacity"
            colour = "" if free >= 0 else "beyond"
            where = f" in {place}" if several else ""
            yield Row(f"free {it['role']}", f"{words}{where}", in_units(abs(free), "B"), colour)
