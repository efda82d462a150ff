"""What confidence is worth: which questions to refuse, and what refusing would buy.

All functions take one entry a case and are undefined (None) where one side is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Point(NamedTuple):
    """One point of the risk–coverage curve: answering the share `coverage` has the error rate `risk`."""

    coverage: float
    risk: float
    threshold: float


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Give the chance that a positive scores above a negative, ties half (Mann–Whitney U / (n·m)).

    >>> auroc([0.9, 0.8], [0.1, 0.8])
    0.875
    """
    if not positive or not negative:
        return None
    ranked = sorted([(score, True) for score in positive] + [(score, False) for score in negative])
    total, below, index = 0.0, 0, 0
    while index < len(ranked):
        tied = index
        while tied < len(ranked) and ranked[tied][0] == ranked[index][0]:
            tied += 1
        wins = sum(is_positive for _, is_positive in ranked[index:tied])
        losses = tied - index - wins
        total += wins * (below + losses / 2)
        below += losses
        index = tied
    return total / (len(positive) * len(negative))


def risk_coverage(scored: Sequence[tuple[float, float]]) -> list[Point]:
    """Draw the curve: answer the most confident first, count the errors (El-Yaniv and Wiener 2010).

    `scored` holds (confidence, error 0..1). Cases of equal confidence are taken together, since no threshold
    parts them.
    """
    ranked = sorted(scored, reverse=True)
    points: list[Point] = []
    errors = 0.0
    for number, (confidence, error) in enumerate(ranked, 1):
        errors += error
        if number == len(ranked) or ranked[number][0] != confidence:
            points.append(Point(number / len(ranked), errors / number, confidence))
    return points


def area_under(points: Sequence[Point]) -> float | None:
    """Give the area under the curve as steps (AURC): the mean risk over all coverages, lower is better.

    >>> area_under(risk_coverage([(0.9, 0), (0.5, 1)]))
    0.25
    """
    if not points:
        return None
    area = before = 0.0
    for point in points:
        area += (point.coverage - before) * point.risk
        before = point.coverage
    return area


def calibration(scored: Sequence[tuple[float, float]], bins: int = 10) -> list[tuple[float, float, int]]:
    """Cut cases, by rising confidence, into bins of equal size: (mean confidence, share right, n) for each.

    `scored` holds (confidence, right 0..1).
    """
    ranked = sorted(scored)
    cuts = [round(i * len(ranked) / bins) for i in range(bins + 1)]
    parts = [ranked[a:b] for a, b in pairwise(cuts) if b > a]
    return [(sum(c for c, _ in p) / len(p), sum(r for _, r in p) / len(p), len(p)) for p in parts]


def calibration_error(scored: Sequence[tuple[float, float]], bins: int = 10) -> float | None:
    """Give the mean distance of confidence from the share right, by bin (ECE, Naeini et al. 2015).

    >>> calibration_error([(0.8, 1.0), (0.8, 0.0)], bins=1)
    0.30000000000000004
    """
    if not scored:
        return None
    return sum(abs(c - r) * n for c, r, n in calibration(scored, bins)) / len(scored)
