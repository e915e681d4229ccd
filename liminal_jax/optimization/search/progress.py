"""What a search tells while it runs."""

from liminal_jax.optimization.search.branch_and_bound import Statistics


class Progress:
    """What a search tells while it runs; this one tells nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; a proof covers so many designs."""

    def proven(self, statistics: Statistics, best: float | None, seconds: float) -> None:
        """A proof has come so far since its stage began; `best` is the best objective, if any."""

    def swept(self, statistics: Statistics, points: int, seconds: float) -> None:
        """A front has come so far since its stage began, and has so many points."""
