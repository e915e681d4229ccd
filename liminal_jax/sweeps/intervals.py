"""Sets of block numbers as disjoint intervals."""

from collections.abc import Iterable
from typing import TypeAlias

Intervals: TypeAlias = tuple[tuple[int, int], ...]
"""Half-open intervals [first, last), ascending and disjoint."""


def union(intervals: Iterable[tuple[int, int]]) -> Intervals:
    """The union of intervals that may touch or overlap.

    Examples:
        >>> union([(4, 6), (0, 2), (2, 3)])
        ((0, 3), (4, 6))
    """
    joined: list[tuple[int, int]] = []
    for first, last in sorted(it for it in intervals if it[0] < it[1]):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return tuple(joined)


def missing(intervals: Intervals, total: int) -> Intervals:
    """The complement of intervals within [0, total).

    Examples:
        >>> missing(((0, 3), (4, 6)), 8)
        ((3, 4), (6, 8))
    """
    starts = [0, *(last for _, last in intervals)]
    ends = [*(first for first, _ in intervals), total]
    return tuple((a, b) for a, b in zip(starts, ends, strict=True) if a < b)


def covered(intervals: Intervals) -> int:
    """Total length of the intervals."""
    return sum(last - first for first, last in intervals)


def share(intervals: Intervals, part: int, parts: int) -> Intervals:
    """One of n parts of about the same length, in order.

    Examples:
        >>> share(((0, 4), (6, 8)), 1, 2)
        ((3, 4), (6, 8))
    """
    total = covered(intervals)
    low, high = total * part // parts, total * (part + 1) // parts
    kept, passed = [], 0
    for first, last in intervals:
        begin, end = max(low - passed, 0), min(high - passed, last - first)
        if begin < end:
            kept.append((first + begin, first + end))
        passed += last - first
    return tuple(kept)
