"""What engines reach of a prediction, with an interval: how far the ideal bound is from it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from liminal_jax._display import with_prefix
from liminal_jax.drawing.interval import Interval, interval_sheet
from liminal_jax.results.page import Drawings, Line, Section, Sentences, section
from liminal_jax.results.values import named, seconds

_PATH = "calibrated"


def reached(record: Mapping[str, Any], bound: float) -> Section:
    """What a calibration says of a design; nothing where none was asked for.

    Args:
        record: A record that may hold `calibrated`.
        bound: Ideal tokens a second of one user [1/s].
    """
    title, it = "what engines reach", record.get(_PATH)
    if it is None:
        return section(title)
    drawn = Interval(it["utps_low"], it["utps"], it["utps_high"], bound, "tokens/s")
    words = f"One user: 90 % between {it['utps_low']:.3g} and {it['utps_high']:.3g} tokens/s"
    sheet = interval_sheet(drawn, words)
    return section(title, Sentences((_told(it), (_whom(it),))), Drawings((sheet.svg(),)))


def _told(it: Mapping[str, Any]) -> Line:
    first: Line = ()
    if "ttft" in it:
        first = ", first token after ", seconds(f"{_PATH}.ttft", it["ttft"])
    return (
        "Calibrated: ",
        named("utps", f"{_PATH}.utps", it["utps"]),
        " for each user, 90 % interval ",
        named("utps", f"{_PATH}.utps_low", it["utps_low"]),
        " to ",
        named("utps", f"{_PATH}.utps_high", it["utps_high"]),
        "; STPS ",
        named("stps", f"{_PATH}.stps", it["stps"]),
        f" of an instance, in steps of {with_prefix(it['step_time'], 's')}",
        *first,
        ".",
    )


def _whom(it: Mapping[str, Any]) -> str:
    engine = it["engine"] or "a typical engine"
    if (years := it.get("release")) is not None:
        day = date(int(years), 1, 1) + timedelta(days=years % 1 * 365.25)
        engine += f" of {day:%B %Y}"
    chip = f"chips of the {it['family']} family" if it["family"] else "chips that were not measured"
    return (
        f"{it['calibration']}: {engine} on {chip}, attention {it['attention']}; all other numbers"
        " are of the bound."
    )
