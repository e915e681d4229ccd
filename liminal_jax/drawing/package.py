"""The package of a chip, drawn to scale: dies and what they hold, memory, interposer, reticle."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from liminal_jax._display import in_units, plain, with_prefix
from liminal_jax.drawing.svg import (
    WIDTH,
    Length,
    Row,
    Sheet,
    changed,
    frame,
    outline,
    vague,
    width_of,
)

MOST_DIES, MOST_STACKS = 16, 8
"""Dies that are drawn one by one, and stacks along one edge of a die; more are drawn as one."""

MARGIN, MOST_HEIGHT = 18.0, 400.0

NOMINAL = 0.028
"""Side of a die of unknown area [m]: about the largest that a reticle exposes. It is drawn as
unknown, and said to be."""

WAFER_SCALE = 4.0
"""A die of more reticles than this is cut from a wafer as a whole."""

PARTS = {
    "compute": "cores",
    "sram": "SRAM",
    "embedded_memory": "memory inside the die",
    "memory_interface": "memory interface",
    "links": "links to other chips",
    "die_links": "links between dies",
    "tier_interface": "interface of the capacity tier",
    "overhead": "crossbar, control and the rest",
}
"""What a die is made of."""

_SIDES = ("links", "die_links", "tier_interface")
"""What lies along the edges without memory."""


@dataclass(frozen=True)
class Block:
    """A rectangle of a package [m].

    Attributes:
        x: Left edge.
        y: Upper edge.
        width: From left to right.
        height: From top to bottom.
        colour: Name of its colour.
        told: What it is.
        style: How it is drawn where it is no tinted rectangle.
        label: Words for it, where they fit.
    """

    x: Length
    y: Length
    width: Length
    height: Length
    colour: str
    told: str = ""
    style: str = ""
    label: str = ""


def extent(package: Mapping[str, Any]) -> tuple[Length, Length]:
    """Width and height of what is drawn [m]."""
    _, _, width, height = _bounds(list(_blocks(package)), package)
    return width, height


def scale_of(packages: Sequence[Mapping[str, Any]]) -> Length:
    """Points per metre at which each of some packages fits, so that they can be compared."""
    sizes = [extent(it) for it in packages]
    return min(
        (WIDTH - 2 * MARGIN) / max(it[0] for it in sizes), MOST_HEIGHT / max(it[1] for it in sizes)
    )


def package_sheet(
    package: Mapping[str, Any],
    *,
    scale: Length | None = None,
    beside: Mapping[str, Any] | None = None,
) -> Sheet:
    """The picture of a package.

    Args:
        package: What it is made of, as `hardware.package` of a record.
        scale: Points per metre; as large as fits where left out.
        beside: Another package, from which differences are marked.
    """
    rows, others = _rows(package), None if beside is None else _rows(beside)
    sheet = Sheet("package", _title(package), changed(rows, others))
    points = scale_of([package]) if scale is None else scale
    blocks = list(_blocks(package))
    left, top, width, height = _bounds(blocks, package)
    x0, y0 = (WIDTH - width * points) / 2, sheet.height + 6

    def place(x: Length, y: Length) -> tuple[Length, Length]:
        return x0 + (x - left) * points, y0 + (y - top) * points

    wafer = _wafer(package)
    if wafer:
        middle = place(blocks[0].x + blocks[0].width / 2, blocks[0].y + blocks[0].height / 2)
        sheet.circle(*middle, wafer / 2 * points, f"wafer, {in_mm(wafer)} across")
    for it in blocks:
        at, wide, high = place(it.x, it.y), it.width * points, it.height * points
        sheet.shape(*at, wide, high, it.colour, it.told, style=it.style)
        if it.label and width_of(it.label) + 8 <= wide and high >= 18:
            middle = (at[0] + wide / 2, at[1] + high / 2 + 4)
            sheet.words(*middle, it.label, wide - 8, "middle")
    sheet.height = y0 + height * points + 8
    _ruler(sheet, points)
    if beside is None:
        sheet.rows(rows, None)
    else:
        sheet.rows(rows, others, (_lacking(package), _lacking(beside)))
    for note in _notes(package):
        sheet.note(note)
    return sheet


def _lacking(package: Mapping[str, Any]) -> str:
    """What a package has of something that only another one tells."""
    return "none" if package["planned"] else "not published"


def in_mm(length: Length) -> str:
    """A length.

    Examples:
        >>> in_mm(0.026)
        '26 mm'
    """
    return f"{plain(length * 1e3)} mm"


def _title(package: Mapping[str, Any]) -> str:
    dies = package["dies"] or 1
    area = "" if package["die_area"] is None else f" of {in_units(package['die_area'], 'm2')}"
    count = f"{plain(dies)} die{'' if dies == 1 else 's'}"
    name = package["names"]["chip"]
    return f"{name + ': ' if name else ''}{count}{area}, {_stacks(package)}"


def _stacks(package: Mapping[str, Any]) -> str:
    memory, name = package["memory"], package["names"]["memory"] or "memory"
    if memory["in_die"]:
        return f"{name} inside"
    if memory["stacks"] is None:
        return name
    return f"{plain(memory['stacks'])} x {name}"


def _die_size(package: Mapping[str, Any]) -> tuple[Length, Length]:
    """Width and height of a die: memory stands along its longer edges, above and below."""
    area, edge = package["die_area"], package["die_edge"]
    if area is None:
        return (NOMINAL, NOMINAL)
    return edge, area / edge


def _drawn_dies(package: Mapping[str, Any]) -> int:
    dies = max(1, round(package["dies"] or 1))
    return dies if dies <= MOST_DIES else 1


def _blocks(package: Mapping[str, Any]) -> Iterator[Block]:
    """All rectangles, the lower ones first."""
    above = list(_dies_and_memory(package))
    if package["interposer"]:
        yield _interposer(package["interposer"], above)
    yield from above
    if package["reticle"] and package["die_area"] is not None:
        short, long = package["reticle"]
        told = f"reticle, {in_mm(short)} by {in_mm(long)}: the largest die that can be exposed"
        first = next(it for it in above if it.colour in ("die", "logic"))
        yield Block(first.x, first.y, long, short, "outline", told, outline("outline"))


def _interposer(area: Length, above: Sequence[Block]) -> Block:
    """What dies and memory stand on: as large as it is, or as what is drawn on it."""
    left, top, right, bottom = _edges(above)
    width, height = right - left, bottom - top
    # (width + 2 m)(height + 2 m) = area.
    more = max(area - width * height, 0.0)
    margin = (math.sqrt((width + height) ** 2 + 4 * more) - (width + height)) / 4
    told = f"interposer: {in_units(area, 'm2')}"
    size = (width + 2 * margin, height + 2 * margin)
    return Block(left - margin, top - margin, *size, "interposer", told, vague("interposer"))


def _dies_and_memory(package: Mapping[str, Any]) -> Iterator[Block]:
    """Dies, and the memory beside or on them."""
    width, height = _die_size(package)
    drawn = _drawn_dies(package)
    shares = _per_die(package, drawn)
    stack = _stack_size(package)
    columns = drawn if drawn <= 3 else math.ceil(math.sqrt(drawn))
    beside = not (package["memory"]["on_die"] or package["memory"]["in_die"])
    rooms = [_edge_cells(count, package, stack) if beside else ((), ()) for count in shares]
    wide = max([width, *(sum(w for w, *_ in row) for both in rooms for row in both)])
    above = max([0.0, *(cell[2] for both in rooms for cell in both[0])])
    below = max([0.0, *(cell[2] for both in rooms for cell in both[1])])
    for at in range(drawn):
        x, y = (at % columns) * wide, (at // columns) * (above + height + below)
        die = (x + (wide - width) / 2, y)
        for side, cells in enumerate(rooms[at]):
            yield from _memory_blocks(cells, x + wide / 2, y if side == 0 else y + height, side)
        yield from _die(package, *die, width, height)
        if package["memory"]["on_die"] and package["memory"]["footprint"]:
            yield from _on_top(package, shares[at], *die, width, height)


def _per_die(package: Mapping[str, Any], drawn: int) -> list[int]:
    """Stacks of each die that is drawn."""
    stacks, dies = package["memory"]["stacks"] or 0, max(1, round(package["dies"] or 1))
    total = round(stacks) if drawn == dies else round(stacks / dies)
    return [total // drawn + (at < total % drawn) for at in range(drawn)]


def _stack_size(package: Mapping[str, Any]) -> tuple[Length, Length, Length] | None:
    """Edge, depth and depth with its interposer of a stack; none where it is not known."""
    memory = package["memory"]
    if not memory["footprint"] or memory["stacks"] is None:
        return None
    edge = memory["edge"] or math.sqrt(memory["footprint"])
    depth = memory["footprint"] / edge
    return edge, depth, max(depth, (memory["interposer_area"] or 0.0) / edge)


Cell = tuple[Length, Length, Length, str, str]
"""Edge, depth, depth with interposer, colour and what it is."""


def _edge_cells(
    count: int, package: Mapping[str, Any], stack: tuple[Length, Length, Length] | None
) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """What stands above and below a die: memory stacks, then the capacity tier's."""
    rows: tuple[list[Cell], list[Cell]] = ([], [])  # Above and below.
    name = package["names"]["memory"] or "memory"
    if stack is not None:
        for side, number in enumerate(((count + 1) // 2, count // 2)):
            several = number > MOST_STACKS
            told = f"{number} stacks of {name}" if several else f"a stack of {name}"
            size = (stack[0] * (number if several else 1), *stack[1:])
            rows[side].extend([(*size, "stack", told)] * (1 if several else number))
    tier = package["tier"]
    if tier is not None and tier["in_package"] and tier["edge"] and tier["interposer_area"]:
        depth = tier["interposer_area"] / tier["edge"]
        each = math.ceil(tier["units"] / max(1, round(package["dies"] or 1)))
        told = f"a unit of {package['names']['tier'] or 'the capacity tier'}"
        for _ in range(min(each, 2 * MOST_STACKS)):
            shorter = min(rows, key=lambda row: sum(it[0] for it in row))
            shorter.append((tier["edge"], depth, depth, "tier", told))
    return tuple(rows[0]), tuple(rows[1])


def _memory_blocks(cells: Sequence[Cell], middle: Length, y: Length, side: int) -> Iterator[Block]:
    """Stacks along an edge of a die, each in the middle of the interposer that it takes."""
    x = middle - sum(it[0] for it in cells) / 2
    for edge, depth, whole, colour, told in cells:
        gap = (whole - depth) / 2
        inset = edge * 0.03
        top = y - whole + gap if side == 0 else y + gap
        yield Block(x + inset, top, edge - 2 * inset, depth, colour, told)
        x += edge


def _on_top(
    package: Mapping[str, Any], count: int, x: Length, y: Length, width: Length, height: Length
) -> Iterator[Block]:
    """Memory bonded to a die, to scale in area."""
    if not count:
        return
    shown = min(count, MOST_STACKS)
    share = math.sqrt(count * package["memory"]["footprint"] / (width * height))
    wide, high = width * share, height * share
    told = f"{count} stack{'' if count == 1 else 's'} of {package['names']['memory'] or 'memory'}"
    for at in range(shown):
        left = x + (width - wide) / 2 + at * wide / shown
        top = y + (height - high) / 2
        yield Block(
            left,
            top,
            wide / shown,
            high,
            "stack",
            f"{told}, on top",
            vague("stack"),
            "memory on top",
        )


def _die(
    package: Mapping[str, Any], x: Length, y: Length, width: Length, height: Length
) -> Iterator[Block]:
    """A die: interfaces of memory along its long edges, links along the others, cores between."""
    parts, total = package["parts"], width * height
    if parts is None:
        known = package["die_area"] is not None
        label = "plan not published" if known else "area not published"
        style = "" if known else vague("logic")
        yield Block(x, y, width, height, "logic", f"a die, {label}", style, label)
        return

    def told(name: str) -> str:
        return f"{PARTS[name]}: {in_units(parts[name], 'm2')}"

    strip = parts.get("memory_interface", 0.0) / 2 / width
    if strip:
        for top in (y, y + height - strip):
            yield Block(x, top, width, strip, "memory_interface", told("memory_interface"))
    high = height - 2 * strip
    left, right = x, x + width
    for name in _SIDES:
        each = parts.get(name, 0.0) / 2 / high
        if each:
            yield Block(left, y + strip, each, high, name, told(name))
            yield Block(right - each, y + strip, each, high, name, told(name))
            left, right = left + each, right - each
    top, wide = y + strip, right - left
    for name in ("compute", "embedded_memory", "sram", "overhead"):
        deep = parts.get(name, 0.0) / wide
        if deep:
            label = "" if package["memory"]["on_die"] else PARTS[name]
            yield Block(left, top, wide, deep, name, told(name), label=label)
            top += deep
    if not math.isclose(top, y + height - strip, rel_tol=1e-6, abs_tol=1e-9 + total * 1e-6):
        raise ValueError("the parts of a die must sum to its area")
    yield Block(x, y, width, height, "die", style=frame())


def _wafer(package: Mapping[str, Any]) -> Length:
    """Diameter of the wafer that a die is cut from as a whole; 0 for smaller dies."""
    area, reticle, wafer = package["die_area"], package["reticle"], package["wafer"]
    if area is None or reticle is None or wafer is None or package["planned"]:
        return 0.0
    return wafer if area > WAFER_SCALE * reticle[0] * reticle[1] else 0.0


def _bounds(
    blocks: Sequence[Block], package: Mapping[str, Any]
) -> tuple[Length, Length, Length, Length]:
    """Left, top, width and height of all [m]."""
    left, top, right, bottom = _edges(blocks)
    wafer = _wafer(package)
    if wafer:
        middle = ((left + right) / 2, (top + bottom) / 2)
        half = max(wafer, right - left, bottom - top) / 2
        return middle[0] - half, middle[1] - half, 2 * half, 2 * half
    return left, top, right - left, bottom - top


def _edges(blocks: Sequence[Block]) -> tuple[Length, Length, Length, Length]:
    """Left, top, right and bottom of some rectangles [m]."""
    left, top = min(it.x for it in blocks), min(it.y for it in blocks)
    right = max(it.x + it.width for it in blocks)
    return left, top, right, max(it.y + it.height for it in blocks)


def _ruler(sheet: Sheet, points: Length) -> None:
    """A bar of a round length."""
    longest = (WIDTH / 4) / points
    decade = 10.0 ** math.floor(math.log10(longest))
    length = max(it * decade for it in (1, 2, 5) if it * decade <= longest)
    sheet.shape(8, sheet.height + 2, length * points, 3, "outline")
    sheet.words(16 + length * points, sheet.height + 9, in_mm(length), 90)
    sheet.height += ROW_OF_RULER


ROW_OF_RULER = 20.0


def _rows(package: Mapping[str, Any]) -> list[Row]:
    return [*_die_rows(package), *_memory_rows(package), *_package_rows(package)]


def _die_rows(package: Mapping[str, Any]) -> Iterator[Row]:
    parts, area = package["parts"], package["die_area"]
    dies = plain(package["dies"] or 1)
    whole = "area not published" if area is None else in_units(area, "m2")
    yield Row("die", "dies", f"{dies} x {whole}", "" if parts else "logic")
    for name, words in PARTS.items():
        if parts and name in parts:
            share, size = f"{100 * parts[name] / area:.3g} %", in_units(parts[name], "m2")
            yield Row(name, words, f"{size}, {share} of a die", name, size)


def _memory_rows(package: Mapping[str, Any]) -> Iterator[Row]:
    memory, names, tier = package["memory"], package["names"], package["tier"]
    size = _amounts(memory)
    if memory["in_die"]:
        yield Row("memory", f"{names['memory'] or 'memory'}, inside the dies", size)
    else:
        count = "" if memory["stacks"] is None else f"{plain(memory['stacks'])} x "
        where = ", on the dies" if memory["on_die"] else ""
        yield Row("memory", f"{count}{names['memory'] or 'main memory'}{where}", size, "stack")
    if package["sram"]:
        yield Row("resident", "of the SRAM, for data that stay", in_units(package["sram"], "B"))
    if tier is not None:
        count = "" if tier["units"] is None else f"{plain(tier['units'])} x "
        name = f"{count}{names['tier'] or 'capacity tier'}"
        yield Row("tier", name, _amounts(tier), "tier" if tier["in_package"] else "")


def _package_rows(package: Mapping[str, Any]) -> Iterator[Row]:
    if package["interposer"] is not None:
        most = in_units(package["interposer_limit"], "m2")
        value = f"{in_units(package['interposer'], 'm2')} of at most {most}"
        yield Row("interposer", "interposer", value, "interposer")
    if package["reticle"] is not None:
        short, long = package["reticle"]
        yield Row("reticle", "reticle, dashed", f"{in_mm(short)} x {in_mm(long)}")
    if package["names"]["process"] is not None:
        yield Row("process", "process", package["names"]["process"])
    if package["link_bandwidth"] is not None:
        value = f"{with_prefix(package['link_bandwidth'], 'B/s')} each way"
        yield Row("link_bandwidth", "links to other chips", value)
    for bits in (16, 8, 4):
        if package[f"tensor_{bits}bit"] is not None:
            value = with_prefix(package[f"tensor_{bits}bit"], "FLOP/s")
            yield Row(f"tensor_{bits}bit", f"matrix products of {bits} bits", value)
    if package["tdp"] is not None:
        yield Row("tdp", "power at full use", with_prefix(package["tdp"], "W"))


def _amounts(memory: Mapping[str, Any]) -> str:
    known = (("capacity", "B"), ("bandwidth", "B/s"))
    return ", ".join(in_units(memory[it], unit) for it, unit in known if memory[it] is not None)


def _notes(package: Mapping[str, Any]) -> Iterator[str]:
    """What the picture does not show, and why."""
    if package["die_area"] is None:
        yield "The area of its dies is not published: they are drawn dashed, and not to scale."
    elif not package["planned"]:
        shape = "" if _wafer(package) else ", as if they were square up to the width of a reticle"
        yield f"What its dies hold is not published: their area is drawn to scale{shape}."
    memory = package["memory"]
    outside = not memory["in_die"]
    if outside and (memory["stacks"] is None or memory["footprint"] is None):
        yield "How many stacks of memory it has, or their area, is not known: none are drawn."
    tier = package["tier"]
    if tier is not None and not tier["in_package"]:
        yield "The capacity tier stands outside the package, or is not known to stand in it."
    dies = round(package["dies"] or 1)
    if dies > MOST_DIES:
        yield f"One of {dies:,} equal dies is drawn."
