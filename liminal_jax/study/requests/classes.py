"""Classes of requests: a trace sorted into quantiles of its prompts, and of the answers in each."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from liminal_jax.data.traces import Trace

ROUNDING = 1e-12
"""Shares of requests that are nearer to each other are the same but for rounding."""


class RequestClasses(NamedTuple):
    """Classes of like requests.

    What decodes at a time is drawn by the length of its answer, so that the mean context of a class
    weighs each request by that.

    Attributes:
        weights: Share of the requests; all are 1 together.
        prompts: Mean tokens of a prompt.
        answers: Mean tokens of an answer.
        contexts: Mean context of a step that decodes.
        requests: The requests; where some that are alike are in several classes, in several rows.
        rows: For each row of them the number of its class.
    """

    weights: Float[np.ndarray, " classes"]
    prompts: Float[np.ndarray, " classes"]
    answers: Float[np.ndarray, " classes"]
    contexts: Float[np.ndarray, " classes"]
    requests: Trace
    rows: Int[np.ndarray, " rows"]

    def names(self) -> tuple[str, ...]:
        """Names by number and by mean lengths.

        Examples:
            >>> one = np.ones(1)
            >>> classes_at(Trace(900 * one, 70 * one, one), np.zeros(1, int)).names()
            ('1: 900+70',)
        """
        lengths = zip(self.prompts, self.answers, strict=True)
        return tuple(f"{number}: {p:.0f}+{a:.0f}" for number, (p, a) in enumerate(lengths, start=1))

    def mean_answer(self) -> float:
        """Mean tokens of an answer over all requests."""
        return float(self.weights @ self.answers)

    def squares(self) -> float:
        """Share of the mean square of prompts that the means of classes keep.

        Attention of a prompt grows with its square, and all else in proportion.

        Examples:
            >>> trace = Trace(np.array([1.0, 3.0]), np.ones(2), np.ones(2))
            >>> classes_at(trace, np.zeros(2, int)).squares()
            0.8
        """
        every = self.requests.counts / self.requests.counts.sum() @ self.requests.prompts**2
        return float(self.weights @ self.prompts**2 / every)


def classes_of(trace: Trace, count: int) -> RequestClasses:
    """Classes of a trace, of equal weights.

    Requests are sorted by prompt and cut into about the root of `count` parts, each of which is
    sorted by answer and cut again. There are no more classes than requests of different lengths.

    Args:
        trace: The requests.
        count: Classes, 1 at least.

    Examples:
        >>> from liminal_jax.data.traces import shipped_trace
        >>> found = classes_of(shipped_trace("azure-conversation"), 32)
        >>> len(found.weights), round(found.mean_answer())
        (32, 211)
    """
    # Requests alike are one, so that the order of rows does not matter.
    lengths, alike = np.unique(
        np.stack([trace.prompts, trace.answers], axis=1), axis=0, return_inverse=True
    )
    every = Trace(lengths[:, 0], lengths[:, 1], np.bincount(alike.ravel(), trace.counts))
    count = min(count, len(lengths))
    parts = math.isqrt(count - 1) + 1
    # So many classes in each part: as equal as whole numbers are.
    sizes = np.diff(np.round(np.linspace(0, count, parts + 1)).astype(int))
    pieces, classes = [], []
    for part, size in zip(_cut(every, every.prompts, sizes), sizes, strict=True):
        for piece in _cut(part, part.answers, np.ones(size, int)):
            classes.append(np.full(len(piece.counts), len(pieces)))
            pieces.append(piece)
    joined = Trace(*(np.concatenate(it) for it in zip(*pieces, strict=True)))
    return classes_at(joined, np.concatenate(classes))


def _cut(
    trace: Trace, lengths: Float[np.ndarray, " rows"], sizes: Int[np.ndarray, " parts"]
) -> list[Trace]:
    """Parts of a trace, sorted by some lengths, whose weights are as their sizes."""
    order = np.argsort(lengths, kind="stable")
    reached = np.cumsum(trace.counts[order])
    ends = reached[-1] * np.cumsum(sizes) / sizes.sum()
    # Where a row or a part ends: between two such places all is of one row and of one part.
    places = np.unique(np.concatenate([[0.0], reached, ends[:-1]]))
    places = places[np.diff(places, prepend=-np.inf) > ROUNDING * reached[-1]]
    middles, counts = (places[1:] + places[:-1]) / 2, np.diff(places)
    rows = order[np.searchsorted(reached, middles)]
    part = np.searchsorted(ends[:-1], middles, side="right")
    return [
        Trace(trace.prompts[rows[inside]], trace.answers[rows[inside]], counts[inside])
        for inside in (part == number for number in range(len(sizes)))
    ]


def classes_at(requests: Trace, rows: Int[np.ndarray, " rows"]) -> RequestClasses:
    """The classes of requests that are sorted into them.

    Args:
        requests: The requests.
        rows: For each row of them the number of its class, from 0 on, each taken.
    """

    def summed(numbers: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " classes"]:
        return np.bincount(rows, requests.counts * numbers)

    counted = summed(np.ones(len(rows)))
    tokens = summed(requests.answers)
    return RequestClasses(
        weights=counted / counted.sum(),
        prompts=summed(requests.prompts) / counted,
        answers=tokens / counted,
        contexts=summed(requests.answers * (requests.prompts + requests.answers / 2)) / tokens,
        requests=requests,
        rows=rows,
    )
