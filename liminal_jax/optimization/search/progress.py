"""Callbacks of a search."""

from liminal_jax.optimization.search.branch_and_bound import Statistics


class Progress:
    """Callbacks of a search; these do nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; `total` is the number of designs that a proof is to cover."""

    def step(self, done: int, total: int, found: str = "") -> None:
        """One of the steps of a stage ends: how many are done, of how many, and what it found."""

    def proven(self, statistics: Statistics, best: float | None, seconds: float) -> None:
        """A round of a proof ends: its statistics, best objective and seconds since its stage."""

    def swept(self, statistics: Statistics, points: int, seconds: float) -> None:
        """A round of a Pareto search ends: its statistics, points and seconds since its stage."""
