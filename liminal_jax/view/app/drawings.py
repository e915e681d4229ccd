"""What one sees: the answer, where the time goes, the roof, the front, power, money and limits."""

import math
from collections.abc import Callable, Sequence
from html import escape as text
from typing import NamedTuple

import numpy as np

from liminal_jax._display import dollars, gibibytes, in_units, per_cent, plain, with_prefix
from liminal_jax.performance.prediction import BOTTLENECKS, CapitalShares, PowerShares, Prediction
from liminal_jax.results.html import cell as html_of
from liminal_jax.results.page import PALETTE, known
from liminal_jax.view.app import svg
from liminal_jax.view.app.judged import Judged, Used
from liminal_jax.view.app.scene import Picture, Roofline, best_of

NOW, MEMORY, COMPUTE, WAITING = PALETTE[0], PALETTE[0], PALETTE[1], PALETTE[5]
"""Colours of what is dragged, and of the parts of a step: those of the pages of runs."""


FAINT = "opacity:.8"
"""Style of words that stand back; they keep the colour of the page around."""


def marked(colour: str) -> str:
    """Style of words with a colour below them, which can be read on light and on dark.

    Examples:
        >>> marked("#D55E00")
        'border-bottom:3px solid #D55E00'
    """
    return f"border-bottom:3px solid {colour}"


TERA = 1e-12
"""Rates are drawn in TFLOP/s."""


def _total(shares: PowerShares | CapitalShares) -> np.ndarray:
    """All shares together; they were fetched from the device, and stay in NumPy."""
    return np.asarray(sum(getattr(shares, name) for name in type(shares).__dataclass_fields__))


class Efficiency(NamedTuple):
    """Something that throughput is divided by.

    Attributes:
        unit: Of the quotient.
        of: The quotient.
    """

    unit: str
    of: Callable[[Prediction], np.ndarray]


EFFICIENCIES = {
    "a chip": Efficiency("tokens/s a chip", lambda it: np.asarray(it.stps / it.chips)),
    "a kilowatt": Efficiency(
        "tokens/s a kW", lambda it: np.asarray(1e3 * it.stps / _total(it.power))
    ),
    "a dollar": Efficiency(
        "tokens for 1 USD", lambda it: np.asarray(1e6 / it.usd_per_million_tokens)
    ),
}
"""What the front may be drawn in."""


def answer(picture: Picture) -> str:
    """The answer in one line of HTML, and what it takes below."""
    it = picture.now
    rows = [
        ("one step", "step_time", it.step_time, lambda value: with_prefix(value, "s")),
        ("power", "power", _total(it.power), lambda value: with_prefix(value, "W")),
        ("a token", "energy_per_token", it.energy_per_token, lambda value: with_prefix(value, "J")),
        ("capital", "capital_cost", _total(it.capital), dollars),
        ("a million tokens", "usd_per_million_tokens", it.usd_per_million_tokens, dollars),
        ("memory needed", "memory_required", it.memory_required, gibibytes),
    ]
    cells = [
        ("what limits it", text(BOTTLENECKS[int(it.bottleneck)].replace("_", " "))),
        *(
            (name, _number(say(float(value)), path, float(value)))
            for name, path, value, say in rows
        ),
        ("fullest chip", _fit(it)),
    ]
    utps = _number(plain(float(it.utps), 4), "utps", float(it.utps))
    stps = _number(plain(float(it.stps), 4), "stps", float(it.stps))
    told = "".join(
        f'<div><span style="{FAINT}">{text(name)}</span><br>{cell}</div>' for name, cell in cells
    )
    return (
        f'<p style="font-size:1.35rem;margin:0 0 .5rem"><b>{utps} tokens/s</b> for each user,'
        f" {stps} for all {plain(float(it.users), 5)},"
        f" {plain(float(it.stps / it.chips), 4)} a chip</p>"
        f'<div style="display:flex;flex-wrap:wrap;gap:.4rem 1.8rem;font-size:.93rem">{told}</div>'
    )


def _fit(it: Prediction) -> str:
    fill = _number(per_cent(float(it.memory_fill)), "memory_fill", float(it.memory_fill))
    if it.fits:
        return f"{fill} full"
    return f'<b style="{marked(WAITING)}">does not fit: {fill} of its memory</b>'


def time_split(picture: Picture, start: Picture) -> str:
    """Memory and compute beside each other, and the waiting after the longer of both."""
    x = svg.linear(1.02 * max(float(picture.now.step_time), 1e-12))
    parts = [svg.frame(x, None, "time into the step", unit="s")]
    before = _spans(start.now)
    for row, (name, (begin, length), colour) in enumerate(
        zip(
            ("memory", "compute", "waiting"),
            _spans(picture.now),
            (MEMORY, COMPUTE, WAITING),
            strict=True,
        )
    ):
        top = 44.0 + 70 * row
        share = per_cent(length / float(picture.now.step_time))
        told = f"{name}: {with_prefix(length, 's')}, {share} of the step"
        parts.append(
            svg.bar((x.at(begin), top + 18, x.at(begin + length) - x.at(begin), 26.0), colour, told)
        )
        was = f" (was {with_prefix(before[row][1], 's')})" if before[row][1] != length else ""
        parts.append(svg.words(svg.LEFT, top + 12, f"{told}{was}"))
    return svg.drawing("where the time of a step goes", "the parts of a step", parts)


def _spans(it: Prediction) -> list[tuple[float, float]]:
    """Beginning and length of each part of a step [s]."""
    memory, compute, exposed = (
        float(t) for t in (it.memory_time, it.compute_time, it.exposed_time)
    )
    return [(0.0, memory), (0.0, compute), (max(memory, compute), exposed)]


def roofline(picture: Picture, start: Picture) -> str:
    """The roof of a chip, and where it stands under it; along the front, and before."""
    roof, was = picture.roofline, start.roofline
    ridge = float(roof.peak / roof.bandwidth)
    reached, was_reached = [*map(float, roof.rate)], [*map(float, was.rate)]
    along, was_along = [*map(float, roof.intensity)], [*map(float, was.intensity)]
    x = svg.across([*along, *was_along, ridge * 3, ridge / 30])
    y = svg.upward(TERA * it for it in (*reached, *was_reached, float(roof.peak), float(was.peak)))
    points = [(x.at(i), y.at(TERA * r)) for i, r in zip(along, reached, strict=True)]
    told = [with_prefix(it, "FLOP/s") for it in reached]
    begin = (x.at(was_along[0]), y.at(TERA * was_reached[0]))
    below = "operations for each byte that memory could move [FLOP/B]"
    parts = [
        svg.frame(x, y, below, "rate of a chip [TFLOP/s]"),
        svg.line(_roof(x, y, was), svg.GREY, "4 4"),
        svg.line(_roof(x, y, roof), svg.INK),
        *(
            svg.dot(*solution, 2.2, PALETTE[4], f"{users:g} users: {rate}")
            for solution, users, rate in zip(points[1:], picture.batches, told[1:], strict=True)
        ),
        svg.dot(*begin, 6.0, svg.GREY, "where the sliders began", "white"),
        svg.dot(*points[0], 6.0, NOW, f"now: {told[0]}"),
    ]
    share = per_cent(float(picture.now.tensor_utilisation))
    return svg.drawing(f"under the roof: {share} of the peak", "the roofline of a chip", parts)


def _roof(x: svg.Scale, y: svg.Scale, roof: Roofline) -> list[tuple[float, float]]:
    """Corners of the roof, within the axes."""
    peak, bandwidth = TERA * float(roof.peak), TERA * float(roof.bandwidth)
    first = max(x.low, y.low / bandwidth)
    ridge = min(peak / bandwidth, x.high)
    return [
        (x.at(first), y.at(min(first * bandwidth, peak))),
        (x.at(max(ridge, first)), y.at(min(max(ridge, first) * bandwidth, peak))),
        (x.at(x.high), y.at(min(x.high * bandwidth, peak))),
    ]


def front(picture: Picture, start: Picture, efficiency: Efficiency) -> str:
    """Throughput for what it takes against the speed of a user, over the batch."""
    curves = [_curve(it, efficiency) for it in (start, picture)]
    now = (float(picture.now.utps), float(efficiency.of(picture.now)))
    x = svg.across([now[0], *(value for curve in curves for value, _, _ in curve)])
    y = svg.upward([now[1], *(value for curve in curves for _, value, _ in curve)])
    before, after = ([(x.at(u), y.at(v)) for u, v, _ in curve] for curve in curves)
    parts = [
        svg.frame(x, y, "tokens/s of one user (UTPS)", efficiency.unit),
        svg.line(before, svg.GREY, "4 4"),
        svg.line(after, NOW),
    ]
    for solution, (user, all_of_it, users) in zip(after, curves[1], strict=True):
        told = f"{users:g} users: {plain(user)} tokens/s each, {plain(all_of_it)} {efficiency.unit}"
        parts.append(svg.dot(*solution, 2.6, NOW, told))
    for solution, (*_, users) in [*zip(after, curves[1], strict=True)][:: max(len(after) - 1, 1)]:
        parts.append(svg.words(solution[0] + 7, solution[1] - 5, f"{users:g}"))
    if all(math.isfinite(it) for it in now):
        told = f"now: {plain(now[0])} tokens/s each, {plain(now[1])} {efficiency.unit}"
        mark = NOW if picture.now.fits else WAITING
        parts.append(
            svg.dot(
                x.at(now[0]), y.at(now[1]), 6.0, mark, told, NOW if picture.now.fits else "white"
            )
        )
    if not curves[1]:
        parts.append(
            svg.words((x.first + x.last) / 2, 60.0, _why_empty(picture, efficiency), "middle")
        )
    return svg.drawing("the front, over users in a micro-batch", "the front over the batch", parts)


def _curve(picture: Picture, efficiency: Efficiency) -> list[tuple[float, float, float]]:
    """Points of the front: speed of a user, efficiency, users; the quickest last."""
    across, up = np.asarray(picture.front.utps), efficiency.of(picture.front)
    kept = best_of(across, up, np.asarray(picture.front.fits))
    points = zip(across[kept], up[kept], picture.batches[kept], strict=True)
    return sorted((float(u), float(v), float(users)) for u, v, users in points)


def _why_empty(picture: Picture, efficiency: Efficiency) -> str:
    if not np.isfinite(efficiency.of(picture.front)).any():
        return "its power or price is not known"
    return "no batch fits in memory"


def power_and_money(picture: Picture, start: Picture) -> str:
    """What draws the power, and what the capital buys, in shares."""
    parts = []
    kinds = (
        ("power", picture.now.power, start.now.power, lambda value: with_prefix(value, "W")),
        ("capital", picture.now.capital, start.now.capital, dollars),
    )
    for row, (name, shares, before, say) in enumerate(kinds):
        top, total, was = 50.0 + 122 * row, float(_total(shares)), float(_total(before))
        was_told = f" (was {say(was)})" if not math.isclose(was, total, rel_tol=1e-9) else ""
        told = "not known of this hardware" if math.isnan(total) else f"{say(total)}{was_told}"
        parts.append(svg.words(4.0, top, f"{name}: {told}"))
        parts += _stacked(shares, total, top + 10, say) if total > 0 else []
    return svg.drawing("power and capital of an instance", "shares of power and capital", parts)


def _stacked(
    shares: PowerShares | CapitalShares, total: float, top: float, say: Callable[[float], str]
) -> list[str]:
    """A bar of shares, and what each is below it."""
    parts, left, width = [], 4.0, svg.WIDTH - 8.0
    for solution, (colour, name) in enumerate(
        zip(PALETTE, type(shares).__dataclass_fields__, strict=False)
    ):
        value = float(getattr(shares, name))
        told = f"{name}: {say(value)}, {per_cent(value / total)}"
        parts.append(svg.bar((left, top, width * value / total, 26.0), colour, told))
        left += width * value / total
        x, y = 4.0 + 166 * (solution % 3), top + 42 + 18 * (solution // 3)
        parts.append(svg.bar((x, y - 9, 10.0, 10.0), colour, told))
        parts.append(svg.words(x + 15, y, f"{name} {say(value)}"))
    return parts


def limits(judged: Judged, start: Judged) -> str:
    """How far each limit is used, the fullest first; those of the study before those of physics."""
    # Degrees that go together use their limits wholly, and tell nothing by it.
    telling = (it for it in judged.limits if not (it.physical and it.share == 1))
    kept = sorted(telling, key=lambda it: (it.holds, it.physical, -it.share))[:_MOST_LIMITS]
    before = {(it.name, it.at_least): it for it in start.limits}
    full, parts = 0.62 * svg.WIDTH, []
    for row, it in enumerate(kept):
        top = 40.0 + _LIMIT_STEP * row
        share = min(it.share, 1.5) if math.isfinite(it.share) else 1.5
        told = _told_limit(it)
        colour = NOW if it.holds else WAITING
        parts.append(svg.words(4.0, top, told if it.holds else f"{told}: exceeded"))
        parts.append(svg.bar((4.0, top + 5, full * share, 9.0), colour, told))
        was = before[it.name, it.at_least].share
        if math.isfinite(was):
            x = 4.0 + full * min(was, 1.5)
            parts.append(svg.line([(x, top + 3), (x, top + 16)], svg.GREY))
    bottom = 40.0 + _LIMIT_STEP * len(kept) - 8
    parts.append(svg.line([(4.0 + full, 24.0), (4.0 + full, bottom)], svg.INK, "2 3"))
    return svg.drawing("limits, full at the dotted line", "how far each limit is used", parts)


_MOST_LIMITS, _LIMIT_STEP = 8, 32.0
"""Limits that are drawn, and room for each."""


def _told_limit(it: Used) -> str:
    if it.physical:
        return f"{it.name.replace('_', ' ')} {per_cent(it.share)} used"
    side = "at least" if it.at_least else "at most"
    value, bound = (in_units(number, it.unit) for number in (it.value, it.bound))
    return f"{it.name.replace('_', ' ')} {value}, {side} {bound}"


def objective(judged: Judged) -> str:
    """What the study asks for, in one line of HTML."""
    value = _number(in_units(judged.value, judged.unit), "objective", judged.value)
    keeps = "every limit holds" if judged.feasible else "a limit is exceeded"
    colour = NOW if judged.feasible else WAITING
    return (
        f'<p style="margin:0 0 .4rem">{text(judged.name.replace("_", " "))} <b>{value}</b> of'
        f" {judged.replicas:g} instance{'' if judged.replicas == 1 else 's'} on {judged.chips:g}"
        f' chip{"" if judged.chips == 1 else "s"}; <b style="{marked(colour)}">{keeps}</b></p>'
    )


class Told(NamedTuple):
    """Words around the drawings.

    Attributes:
        heading: What is computed on what.
        notes: What has to be known of it.
        found: What a search found; empty where none was asked for.
        link: The address of the page as it is.
    """

    heading: str
    notes: Sequence[str]
    found: str
    link: str


def page(
    picture: Picture,
    start: Picture,
    efficiency: str,
    told: Told,
    hardware: str = "",
    judged: tuple[Judged, Judged] | None = None,
) -> str:
    """All that is redrawn, as HTML.

    Args:
        picture: What is drawn now.
        start: What was drawn where all sliders began.
        efficiency: What the front is drawn in, of `EFFICIENCIES`.
        told: Words around the drawings.
        hardware: Package and instance to scale, as HTML.
        judged: What the study says now, and where all sliders began; none of a design.
    """
    panels = (
        time_split(picture, start),
        *(() if judged is None else (limits(*judged),)),
        roofline(picture, start),
        front(picture, start, EFFICIENCIES[efficiency]),
        power_and_money(picture, start),
    )
    grid = "".join(f"<div>{it}</div>" for it in panels)
    below = " ".join(
        [
            "Grey: where the sliders began. Speeds are the ideal bound; liminal predict tells what"
            " it leaves out.",
            *told.notes,
        ]
    )
    asked = "" if judged is None else objective(judged[0])
    found = f'<p id="found" style="margin:.2rem 0">{text(told.found)}</p>' if told.found else ""
    return (
        '<div id="liminal" style="font-family:system-ui,sans-serif;max-width:76rem">'
        f'<p style="margin:0;{FAINT}">{text(told.heading)}</p>{found}{asked}{answer(picture)}'
        '<div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(21rem,1fr));'
        f'gap:1.2rem 2rem;margin-top:1.2rem">{grid}</div>'
        f'<div id="hardware" style="margin-top:1.2rem">{hardware}</div>'
        f'<p style="font-size:.85rem"><span style="{FAINT}">{text(below)}</span>'
        f' <a id="link" href="{text(told.link)}">Link to what you see.</a></p></div>'
    )


def refused(lines: str) -> str:
    """Why there is nothing to draw, as HTML."""
    return (
        '<pre id="refused" style="white-space:pre-wrap;font:1rem system-ui,sans-serif;'
        f'border-left:4px solid {WAITING};padding:.6rem 1rem">{text(lines)}</pre>'
    )


def _number(shown: str, path: str, value: float) -> str:
    """A number as HTML, which carries its value."""
    return html_of(known(shown, path, value))
