"""What a search tells while it runs."""

from liminal_jax.design.branch import Tally


class Progress:
    """What a search tells while it runs; this one tells nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; a proof covers so many designs."""

    def proven(self, tally: Tally, best: float | None, seconds: float) -> None:
        """A proof has come so far since its stage began; `best` is the best objective, if any."""

    def swept(self, tally: Tally, points: int, seconds: float) -> None:
        """A front has come so far since its stage began, and has so many points."""
