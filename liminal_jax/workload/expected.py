"""An expected number of parameters beside those counted by each convention; it loads no JAX."""

from typing import Any, NamedTuple

from liminal_jax._display import per_cent, plain
from liminal_jax.workload.summary import Counts

_CONVENTIONS = {
    "total": "all parameters",
    "total_without_embeddings": "all without embedding and head",
    "active": "active",
    "active_without_input_embedding": "active without input embedding",
    "active_without_embeddings": "active without embedding and head",
}
"""Counts that are published as the parameters of a model, and their names."""

_WITH_TOWERS = "all parameters and towers that are not read"

_TOLERANCE = 0.01
"""Relative difference up to which a count fits a published figure, which is rounded."""


class Fit(NamedTuple):
    """A convention of counting beside an expected number.

    Attributes:
        convention: A field of `Counts`, or `total_with_towers`.
        counted: The parameters by that convention.
        difference: By how much they exceed the expected number, relative to it.
        towers: Of them, those of towers, which are known roughly.
    """

    convention: str
    counted: int
    difference: float
    towers: int = 0

    def holds(self) -> bool:
        """Whether the two agree within 1 %, or within what towers hold."""
        return abs(self.difference) <= max(_TOLERANCE, self._slack())

    def _slack(self) -> float:
        return (1 + self.difference) * self.towers / self.counted

    def words(self) -> str:
        """The convention in words."""
        if self.towers:
            return f"{_WITH_TOWERS} ({plain(self.towers / 1e9, 2)} B by their config)"
        return _CONVENTIONS[self.convention]


class Expectation(NamedTuple):
    """An expected number of parameters beside those counted.

    Attributes:
        number: The expected number.
        fits: The conventions, the nearest first.
    """

    number: float
    fits: tuple[Fit, ...]

    def fitting(self) -> bool:
        """Whether any convention fits."""
        return self.fits[0].holds()

    def record(self) -> dict[str, Any]:
        """The same as plain values, with the name of the convention that fits best, or none."""
        return {
            "parameters": self.number,
            "fits": self.fits[0].convention if self.fitting() else None,
            "differences": {fit.convention: fit.difference for fit in self.fits},
            "conventions": [
                {
                    "convention": fit.convention,
                    "about": fit.words(),
                    "parameters": fit.counted,
                    "difference": fit.difference,
                    "fits": fit.holds(),
                }
                for fit in self.fits
            ],
        }

    def sentence(self) -> str:
        """Which convention fits, and how well."""
        best = self.fits[0]
        words, difference = best.words(), per_cent(best.difference, signed=True, decimals=2)
        expected = f"{plain(self.number / 1e9, 4)} B expected"
        if self.fitting():
            return f"{expected}: fits {words}, {difference}"
        return (
            f"{expected}: fits no convention within 1 %; nearest {words}, {difference}"
            " (vision towers and multi-token-prediction heads are never read)"
        )


def expectation(statistics: Counts, number: float, towers: int = 0) -> Expectation:
    """How an expected number of parameters compares with each convention of counting.

    Args:
        statistics: The counts of the text model.
        number: The expected number.
        towers: About what towers beside the text model hold. The page of a multimodal model counts
            them: its number fits where it exceeds the text model's by up to twice as much.

    Examples:
        >>> from liminal_jax.data.summaries import load_summary
        >>> expectation(load_summary("deepseek-v3").counts, 671e9).sentence()
        '671 B expected: fits all parameters, +0.00 %'
    """
    table = statistics._asdict()
    fits = [
        Fit(name, table[name], (table[name] - number) / number)
        for solution, name in enumerate(_CONVENTIONS)
        if table[name] not in [table[earlier] for earlier in list(_CONVENTIONS)[:solution]]
    ]
    if towers:
        whole = statistics.total + towers
        fits.append(Fit("total_with_towers", whole, (whole - number) / number, towers))
    nearest = sorted(fits, key=lambda fit: (not fit.holds(), abs(fit.difference)))
    return Expectation(number, tuple(nearest))
