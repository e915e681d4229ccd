"""Calibrations as files: each number with its spread, whom it holds for, and what it rests on.

The logarithm of a loss is a sum: of the loss's typical value, of what fitting all measurements
moved it by, of what sets one engine, one maker and one family of chips apart, and of how much older
than the newest an engine's release is. Each addend is a number in units of its prior spread: 0 is
the prior, and an addend with spread 1 was not learned from data.
"""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import tomli_w
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Bounded

from liminal_jax._files import InputError, Problem, did_you_mean, unreadable
from liminal_jax.calibration.fitted import TERMS, Fitted
from liminal_jax.calibration.prompts import PROMPT_TERMS, PromptLosses
from liminal_jax.data.names import engine_named, family_vendor
from liminal_jax.data.validation import validated

_FOLDER = Path(__file__).parent / "calibrations"
DEFAULT = "measured"
"""The calibration that comes with the package."""

Level = Literal["all", "engine", "vendor", "family", "release"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Prior(_Table):
    """What is believed of one loss before any measurement.

    Attributes:
        typical: Its value, in SI.
        all: Spread of its logarithm for hardware and engines at large; 0 where the value stands.
        engine: Spread among engines; 0 where none is set apart.
        vendor: Spread among makers of chips; 0 where none is set apart.
        family: Spread among families of one maker's chips; 0 where none is set apart.
        release: Spread of its change with each year that a release is older; 0 for none.
        why: Where the value comes from.
    """

    typical: float = Bounded(gt=0)
    all: float = Bounded(ge=0)
    engine: float = Bounded(ge=0)
    vendor: float = Bounded(default=0.0, ge=0)
    family: float = Bounded(ge=0)
    release: float = Bounded(default=0.0, ge=0)
    why: str


class Addend(_Table):
    """One number that was fitted.

    Attributes:
        term: The loss.
        level: Whom it sets apart: all, an engine, a maker or a family of chips, or older releases.
        group: The engine, the maker or the family; empty for all and for releases.
        value: In units of its prior spread.
        spread: Standard deviation that the measurements leave it, in the same units.
    """

    term: str
    level: Level
    group: str
    value: float
    spread: float


Levels = Sequence[tuple[Level, str, float]]
"""Level, group and how often its addend counts: of releases, years."""


def _levels(engine: str | None, family: str | None, age: float = 0.0) -> Levels:
    return (
        ("all", "", 1.0),
        ("engine", engine_named(engine or ""), 1.0),
        ("vendor", family_vendor(family or ""), 1.0),
        ("family", family or "", 1.0),
        ("release", "", age),
    )


def _losses(
    terms: Sequence[str], priors: dict[str, Prior], addends: Sequence[Addend], levels: Levels
) -> dict[str, jax.Array]:
    """The losses of an engine on a family; typical ones where either was not measured."""
    known = {(it.term, it.level, it.group): it.value for it in addends}
    losses = {}
    for term in terms:
        prior = priors[term]
        log = np.log(prior.typical)
        for level, group, times in levels:
            log += times * getattr(prior, level) * known.get((term, level, group), 0.0)
        losses[term] = jnp.asarray(np.exp(log), float)
    return losses


class PromptCalibration(_Table):
    """What engines lose up to the first token, as fitted.

    Attributes:
        rows: Measured rows that it was fitted to.
        sources: Their sources.
        cells: Which cells they belong to.
        noise: Spread of the logarithm of a measured time around the fit.
        priors: What was believed before, by loss.
        addends: What was fitted.
    """

    rows: int
    sources: list[str]
    cells: list[str]
    noise: float
    priors: dict[str, Prior]
    addends: list[Addend]

    def losses(self, engine: str | None = None, family: str | None = None) -> PromptLosses:
        """The losses of an engine on a family; typical ones where either was not measured."""
        levels = _levels(engine, family)
        return PromptLosses(**_losses(PROMPT_TERMS, self.priors, self.addends, levels))


class Calibration(_Table):
    """A fitted calibration.

    Attributes:
        name: Its name.
        about: What it rests on.
        rows: Measured rows that it was fitted to.
        sources: Their sources.
        cells: Which cells (source, model, gpu, count, bits, engine) they belong to.
        noise: Spread of the logarithm of a measured time around the fit.
        interval: Factor on the spread of a prediction whose intervals cover 90 % of the rows, in
            the mean over rows whose cells, chips and models were left out, and 87.5 % in each.
        priors: What was believed before, by loss.
        addends: What was fitted.
        covariance: Of the addends for all, in the order of the losses that move.
        newest: When the newest measured release of each engine was out, in years.
        prompts: The same of the time to the first token, where that was measured.
    """

    name: str
    about: str
    rows: int
    sources: list[str]
    cells: list[str]
    noise: float
    interval: float
    priors: dict[str, Prior]
    addends: list[Addend]
    covariance: list[list[float]]
    newest: dict[str, float] = {}
    prompts: PromptCalibration | None = None

    def groups(self, level: Level) -> list[str]:
        """Engines or families that were measured."""
        return sorted({it.group for it in self.addends if it.level == level})

    def age(self, engine: str, release: float | None) -> float:
        """Years by which a release is older than the engine's newest one that was measured.

        Args:
            engine: The engine.
            release: When the release was out, in years; None, or later, for the newest.
        """
        newest = self.newest.get(engine)
        return 0.0 if newest is None or release is None else max(0.0, newest - release)

    def fitted(
        self, engine: str | None = None, family: str | None = None, release: float | None = None
    ) -> Fitted:
        """The losses of an engine on a family; typical ones where either was not measured.

        Args:
            engine: The engine.
            family: The family of the chip.
            release: When the engine's release was out, in years, such as 2025.5; the newest that
                was measured where it is left out.
        """
        age = self.age(engine_named(engine or ""), release)
        return Fitted(**_losses(TERMS, self.priors, self.addends, _levels(engine, family, age)))

    def spread(
        self,
        slopes: dict[str, float],
        engine: str | None = None,
        family: str | None = None,
        release: float | None = None,
    ) -> float:
        """Spread of the logarithm of a predicted time.

        Args:
            slopes: Change of its logarithm for each logarithm of a loss.
            engine: The engine, None or another one where it was not measured.
            family: The family of the chip, the same.
            release: When the engine's release was out, in years; None for the newest.
        """
        age = self.age(engine_named(engine or ""), release)
        left = {(it.term, it.level, it.group): it.spread for it in self.addends}
        variance = self.noise**2
        for term, slope in slopes.items():
            for level, group, times in _levels(engine, family, age):
                scale = getattr(self.priors[term], level) * left.get((term, level, group), 1.0)
                variance += (slope * times * scale) ** 2
        return float(np.sqrt(variance))

    def save(self, path: Path) -> None:
        """Write the file that `load_calibration` reads."""
        with path.open("wb") as file:
            tomli_w.dump(self.model_dump(exclude_none=True), file)


def calibration_names() -> list[str]:
    """Calibrations that come with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def _priors(file: str, terms: Sequence[str]) -> dict[str, Prior]:
    path = _FOLDER.parent / file
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {term: validated(Prior, tables[term], str(path)) for term in terms}


@cache
def load_priors() -> dict[str, Prior]:
    """What is believed of each loss of decode before any measurement."""
    return _priors("priors.toml", TERMS)


@cache
def load_prompt_priors() -> dict[str, Prior]:
    """What is believed of each loss up to the first token before any measurement."""
    return _priors("prompt_priors.toml", PROMPT_TERMS)


def load_calibration(name: str) -> Calibration:
    """A calibration by name, or a user's own by path.

    Raises:
        InputError: there is no such calibration, or its file has mistakes.
    """
    bundled = _FOLDER / f"{name}.toml"
    path = bundled if bundled.is_file() else Path(name)
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = calibration_names()
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise InputError(name, [Problem("", f"is no calibration and no file{hint}")]) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(name, [Problem("", unreadable(error))]) from None
    found = validated(Calibration, tables, str(path))
    missing = [f"priors.{term}" for term in TERMS if term not in found.priors]
    if found.prompts is not None:
        told = found.prompts.priors
        missing += [f"prompts.priors.{term}" for term in PROMPT_TERMS if term not in told]
    if missing:
        raise InputError(str(path), [Problem(it, "is missing") for it in missing])
    return found
