"""Callbacks of a search."""

from liminal_jax._progress import Steps
from liminal_jax.optimization.search.branch_and_bound import Statistics


class Progress(Steps):
    """Callbacks of a search; these do nothing."""

    def proven(self, statistics: Statistics, best: float | None, seconds: float) -> None:
        """A round of a proof ends: its statistics, best objective and seconds since its stage."""

    def swept(self, statistics: Statistics, points: int, seconds: float) -> None:
        """A round of a Pareto search ends: its statistics, points and seconds since its stage."""
