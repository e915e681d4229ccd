"""Which blocks are done: runs of whole numbers."""

from collections.abc import Iterable
from typing import TypeAlias

Spans: TypeAlias = tuple[tuple[int, int], ...]
"""Runs of numbers, each from its first up to before its last, ascending and apart."""


def united(spans: Iterable[tuple[int, int]]) -> Spans:
    """Runs that may touch or overlap as runs that do not.

    Examples:
        >>> united([(4, 6), (0, 2), (2, 3)])
        ((0, 3), (4, 6))
    """
    joined: list[tuple[int, int]] = []
    for first, last in sorted(it for it in spans if it[0] < it[1]):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return tuple(joined)


def missing(spans: Spans, total: int) -> Spans:
    """What lies between the runs, of so many numbers.

    Examples:
        >>> missing(((0, 3), (4, 6)), 8)
        ((3, 4), (6, 8))
    """
    starts = [0, *(last for _, last in spans)]
    ends = [*(first for first, _ in spans), total]
    return tuple((a, b) for a, b in zip(starts, ends, strict=True) if a < b)


def covered(spans: Spans) -> int:
    """How many numbers the runs hold."""
    return sum(last - first for first, last in spans)


def share(spans: Spans, part: int, parts: int) -> Spans:
    """One of several parts of about the same length, in order.

    Examples:
        >>> share(((0, 4), (6, 8)), 1, 2)
        ((3, 4), (6, 8))
    """
    total = covered(spans)
    low, high = total * part // parts, total * (part + 1) // parts
    kept, passed = [], 0
    for first, last in spans:
        begin, end = max(low - passed, 0), min(high - passed, last - first)
        if begin < end:
            kept.append((first + begin, first + end))
        passed += last - first
    return tuple(kept)
