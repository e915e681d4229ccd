"""The chips of a system: instances, stages, groups and domains, and the links between them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from liminal_jax._display import per_cent, plain, with_prefix
from liminal_jax.drawing.svg import WIDTH, Length, Row, Sheet, changed, full, outline, vague

MOST_INSTANCES, MOST_STAGES, MOST_CHIPS = 12, 6, 64
"""What is drawn one by one; of more, some with a count."""

FIRST_STAGES, LAST_STAGES = 3, 1
"""Stages that are drawn of a longer pipeline."""

THINNEST, THICKEST = 1.5, 11.0
"""Widths of a link that is idle and of one that is full."""


STRIP = 0.25
"""Share of a chip's square that tells its expert group."""

LEAST_SHARE = 0.0005
"""Shares below this would be rounded to nothing."""


def system_sheet(system: Mapping[str, Any], beside: Mapping[str, Any] | None = None) -> Sheet:
    """The picture of a system.

    Args:
        system: Its counts and traffic, as `hardware.system` of a record; without degrees of
            parallelism nothing runs on it, and one domain is drawn.
        beside: Another system, from which differences are marked.
    """
    rows, others = list(_rows(system)), None if beside is None else list(_rows(beside))
    # Their number shows how many chips there are: to outline every one would add nothing.
    sheet = Sheet("system", _title(system), changed(rows, others) - {"chip", "chip_beside"})
    if system.get("instances", 1) > 1:
        _instances(sheet, system)
    _stages(sheet, system)
    sheet.rows(rows, others)
    for note in _notes(system):
        sheet.note(note)
    return sheet


def _count(number: Length, one: str, several: str = "") -> str:
    return f"{plain(number, 12)} {one if number == 1 else several or one + 's'}"


def _title(system: Mapping[str, Any]) -> str:
    if "pp" not in system:
        return f"One scale-up domain: {_count(system['chips'], 'chip')}"
    inside = f"{_count(system['instances'], 'instance')} of {_count(system['pp'], 'stage')}"
    return f"{_count(system['chips'], 'chip')}: {inside} of {_count(_stage_chips(system), 'chip')}"


def _stage_chips(system: Mapping[str, Any]) -> Length:
    return system["tp"] * system["cp"] if "pp" in system else system["chips"]


def _instances(sheet: Sheet, system: Mapping[str, Any]) -> None:
    """A small square for each instance; the first is drawn large below."""
    total = round(system["instances"])
    shown = total if total <= MOST_INSTANCES else MOST_INSTANCES
    side, gap, top = 18.0, 6.0, sheet.height + 4
    for at in range(shown):
        told = f"instance {at + 1}"
        style = "" if at == 0 else outline("chip")
        sheet.shape(8 + at * (side + gap), top, side, side, "chip", told, style=style)
    after = 8 + shown * (side + gap) + 4
    more = f"and {total - shown:,} more; " if total > shown else ""
    sheet.words(after, top + 14, f"{more}the first is drawn below", WIDTH - after - 8)
    sheet.height = top + side + 8


def _stages(sheet: Sheet, system: Mapping[str, Any]) -> None:
    """The stages of an instance beside each other, and the networks below them."""
    stages = round(system.get("pp", 1))
    chips = _stage_chips(system)
    shown = list(range(stages))
    if stages > MOST_STAGES:
        shown = [*range(FIRST_STAGES), -1, *range(stages - LAST_STAGES, stages)]
    gap = 26.0 if len(shown) > 1 else 0.0
    wide = (WIDTH - 40 - gap * (len(shown) - 1)) / len(shown)
    top, each = sheet.height + 10, unit(chips)
    squares = math.ceil(chips / each)
    columns = _columns(squares, wide - 12)
    side = min(34.0, (wide - 12) / columns)
    rows = math.ceil(squares / columns)
    inner = rows * side
    bottom = top + 20 + inner + 8
    flow = _width(system.get("passed_on"), system["link_bandwidth"])
    for at, stage in enumerate(shown):
        x = 20 + at * (wide + gap)
        if at:
            middle = top + 20 + inner / 2
            sheet.line((x - gap + 2, middle), (x - 2, middle), flow)
        if stage < 0:
            middle = (x + wide / 2, top + 24 + inner / 2)
            sheet.words(*middle, f"{stages - len(shown) + 1:,} more", wide, "middle")
            continue
        name = f"stage {stage + 1:,}" if stages > 1 else "all chips"
        sheet.words(x + wide / 2, top + 12, name, wide, "middle")
        left = x + (wide - min(squares, columns) * side) / 2
        for place in range(squares):
            corner = left + place % columns * side + 1, top + 20 + place // columns * side + 1
            _chip(sheet, system, place * each, corner, side - 2)
        sheet.line(
            (x + wide / 2, bottom),
            (x + wide / 2, bottom + 16),
            _width(system.get("sent"), system["link_bandwidth"]),
        )
    _domains(sheet, system, shown, (top, bottom, wide, gap))
    sheet.height = bottom + 16
    _bar(sheet, _up(system))
    if _beyond(system):
        _joined_bar(sheet, _out(system))
    if system["host_power"] is not None:
        _joined_bar(sheet, "hosts, whose number is not modelled", "host", vague("host"))
    sheet.height += 6


def _chip(
    sheet: Sheet, system: Mapping[str, Any], first: int, corner: tuple[Length, Length], side: Length
) -> None:
    """A square of the colour of its attention group, with a strip of that of its expert group."""
    chips = _stage_chips(system)
    told = _count(unit(chips), "chip")
    other = int(first // system.get("attention_ranks", chips)) % 2
    sheet.shape(*corner, side, side, "chip_beside" if other else "chip", told)
    spread = system.get("ep", 1)
    if spread > 1:
        x, y, high = corner[0], corner[1] + (1 - STRIP) * side, STRIP * side
        colour = "experts_beside" if int(first // spread) % 2 else "experts"
        sheet.shape(x, y, side, high, colour, "experts", style=full(colour))


def unit(chips: Length) -> int:
    """Chips that one square stands for.

    Examples:
        >>> unit(64.0), unit(72.0), unit(100_000.0)
        (1, 2, 2000)
    """
    least = max(1.0, chips / MOST_CHIPS)
    decade = 10 ** math.floor(math.log10(least))
    return next(it * decade for it in (1, 2, 4, 5, 8, 10) if it * decade >= least)


def _columns(squares: int, wide: Length) -> int:
    """Columns of a grid that leaves few places empty and is about twice as wide as high."""
    most = max(1, int(wide // 14))

    def misfit(columns: int) -> Length:
        rows = math.ceil(squares / columns)
        return 8 * (rows * columns - squares) / squares + abs(math.log(columns / (2 * rows)))

    return min(range(1, min(most, squares) + 1), key=misfit)


def _domains(
    sheet: Sheet,
    system: Mapping[str, Any],
    shown: list[int],
    place: tuple[Length, Length, Length, Length],
) -> None:
    """Dashed lines around the stages that share a domain; none where a stage is larger."""
    domain, chips = system["domain"], _stage_chips(system)
    if not domain or chips > domain:
        return
    each = max(1, int(domain // chips))
    top, bottom, wide, gap = place
    groups: dict[int, list[int]] = {}
    for at, stage in enumerate(shown):
        if stage >= 0:
            groups.setdefault(stage // each, []).append(at)
    for members in groups.values():
        x = 20 + members[0] * (wide + gap) - 8
        end = 20 + members[-1] * (wide + gap) + wide + 8
        told = f"a scale-up domain of {_count(domain, 'chip')}"
        sheet.shape(
            x, top - 6, end - x, bottom - top + 6, "outline", told, style=outline("outline")
        )


def _bar(sheet: Sheet, text: str, colour: str = "links", style: str = "") -> None:
    sheet.shape(20, sheet.height, WIDTH - 40, 22, colour, style=style)
    sheet.words(WIDTH / 2, sheet.height + 15, text, WIDTH - 56, "middle")
    sheet.height += 22


def _joined_bar(sheet: Sheet, text: str, colour: str = "links", style: str = "") -> None:
    """A bar that a thin link joins to what is above it."""
    sheet.line((WIDTH / 2, sheet.height), (WIDTH / 2, sheet.height + 8), THINNEST)
    sheet.height += 8
    _bar(sheet, text, colour, style)


def _up(system: Mapping[str, Any]) -> str:
    kind = system["topology"] or "topology not stated"
    speed = _speed(system["link_bandwidth"])
    return f"scale-up network: {kind}, {speed}"


def _out(system: Mapping[str, Any]) -> str:
    return f"scale-out network: {_speed(system['scale_out_bandwidth'])}"


def _speed(bandwidth: Length | None) -> str:
    return "bandwidth unknown" if bandwidth is None else f"{with_prefix(bandwidth, 'B/s')} a chip"


def _beyond(system: Mapping[str, Any]) -> bool:
    """Whether anything leaves a domain."""
    if not system["domain"]:
        return False
    return system["chips"] > system["domain"]


def _width(sent: Length | None, bandwidth: Length | None) -> Length:
    """Width of a link by the share of its bandwidth that is used."""
    if not sent or not bandwidth:
        return THINNEST
    return THINNEST + (THICKEST - THINNEST) * math.sqrt(min(1.0, sent / bandwidth))


def _rows(system: Mapping[str, Any]) -> Iterator[Row]:
    each = unit(_stage_chips(system))
    yield Row("chips", "chips", plain(system["chips"], 12), "" if each > 1 else "chip")
    if each > 1:
        yield Row("unit", "one square", _count(each, "chip"), "chip")
    if "pp" in system:
        yield from _mapping_rows(system)
    if system["domain"]:
        yield Row("domain", "chips of a scale-up domain, dashed", plain(system["domain"], 12))
    yield Row("link", "scale-up bandwidth", _speed(system["link_bandwidth"]), "links")
    yield from _traffic_rows(system)
    if system["scale_out_bandwidth"] is not None:
        yield Row("scale_out", "scale-out bandwidth", _speed(system["scale_out_bandwidth"]))
    if system["host_power"] is not None:
        power = with_prefix(system["host_power"], "W")
        yield Row("host", "power of hosts", f"{power} for each chip", "host")


def _mapping_rows(system: Mapping[str, Any]) -> Iterator[Row]:
    yield Row("instances", "instances of the model", plain(system["instances"], 12))
    used = system["instances"] * system["pp"] * _stage_chips(system)
    if used < system["chips"]:
        yield Row("spare", "chips in no instance", plain(system["chips"] - used, 12))
    yield Row("pp", "pipeline stages", plain(system["pp"], 12))
    yield Row("tp", "tensor-parallel ranks of a stage", plain(system["tp"], 12))
    if system["cp"] > 1:
        yield Row("cp", "context-parallel ranks", plain(system["cp"], 12))
    if system["ep"] > 1:
        name = "ranks that experts are spread over, strips"
        yield Row("ep", name, plain(system["ep"], 12), "experts")
    groups = 1 < system["attention_ranks"] < _stage_chips(system)
    yield Row(
        "attention",
        "chips that share a user's attention",
        plain(system["attention_ranks"], 12),
        "chip_beside" if groups else "",
    )


def _traffic_rows(system: Mapping[str, Any]) -> Iterator[Row]:
    for key, name in (("sent", "a chip sends, width"), ("passed_on", "of it to the next stage")):
        sent, bandwidth = system.get(key), system["link_bandwidth"]
        if sent:
            share = sent / bandwidth if bandwidth else 0.0
            of = f", {per_cent(share)} of it" if share >= LEAST_SHARE else ""
            yield Row(key, name, f"{with_prefix(sent, 'B/s')}{of}", "links")


def _notes(system: Mapping[str, Any]) -> Iterator[str]:
    domain, chips = system["domain"], _stage_chips(system)
    if domain and chips > domain:
        yield f"A stage is larger than a domain: it spans {math.ceil(chips / domain):,} of them."
