"""Callbacks of work that takes some seconds."""


class Steps:
    """Callbacks of work in stages; these do nothing."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; `total` is the number of designs that a proof is to cover."""

    def step(self, done: int, total: int, found: str = "") -> None:
        """One of the steps of a stage ends: how many are done, of how many, and what it found."""


SILENT = Steps()
"""Nobody listens."""
