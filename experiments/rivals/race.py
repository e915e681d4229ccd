"""How a search is timed and counted, and when it has to stop."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

REACHED = 1e-9  # logarithm to which a search has to come near the proven optimum to have found it
ENDLESS = 1e12  # stands for no limit, as a number that JSON can hold


@dataclass(frozen=True)
class Caps:
    """What a search may spend.

    Attributes:
        seconds: Processor time.
        evaluations: Designs evaluated.
    """

    seconds: float = ENDLESS
    evaluations: float = ENDLESS


class Step(NamedTuple):
    """When a search knew a better design than before.

    Attributes:
        evaluations: Evaluations until then.
        seconds: Seconds until then.
        score: Logarithm of the objective of that design; more is better.
    """

    evaluations: int
    seconds: float
    score: float


class Race:
    """One search, from its start until it is out of budget or has found the optimum.

    Its seconds are those of the processor, of all threads together, so that it makes no difference
    what else the machine does.

    Attributes:
        evaluations: Evaluations so far.
        steps: When it knew a better design than before.
        proof: Seconds until it knew that no design is better; none for a search without proof.
        bound: Score that no design exceeds, as far as the search knows.
        clock: Seconds from some origin.
    """

    def __init__(self, optimum: float, caps: Caps, clock: Callable[[], float] = time.process_time):
        """Start the clock.

        Args:
            optimum: Score of the best design.
            caps: What may be spent.
            clock: Seconds from some origin.
        """
        self.evaluations = 0
        self.steps: list[Step] = []
        self.proof: float | None = None
        self.bound = math.inf
        self.clock = clock
        self._optimum = optimum
        self._caps = caps
        self._begin = clock()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self.clock() - self._begin

    @property
    def best(self) -> float:
        """Score of the best design so far."""
        return self.steps[-1].score if self.steps else -math.inf

    @property
    def open(self) -> bool:
        """Whether to go on."""
        spent = self.evaluations >= self._caps.evaluations or self.seconds >= self._caps.seconds
        return not spent and self.best < self._optimum - REACHED

    @property
    def left(self) -> float:
        """Seconds left."""
        return max(self._caps.seconds - self.seconds, 0.0)

    def note(self, evaluations: int, score: float, seconds: float | None = None) -> None:
        """Take note of more evaluations.

        Args:
            evaluations: How many.
            score: Score of the best feasible design among them; minus infinity if there is none.
            seconds: Since the start until then; until now where left out.
        """
        self.evaluations += evaluations
        if score > self.best:
            moment = self.seconds if seconds is None else seconds
            self.steps.append(Step(self.evaluations, moment, score))
