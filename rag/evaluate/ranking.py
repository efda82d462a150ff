"""How well passages were retrieved. Formulas as trec_eval has them, so that figures can be compared.

A ranking is given as the grades of its items, best rank first: 0 for what is not expected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

from rag.evaluate.grounds import Ground, overlap

COVERED = 0.5  # of a sentence's characters, for a passage to have found it


def reciprocal_rank(grades: Sequence[int]) -> float:
    """Give 1 / rank of the first expected item, 0 without one (trec_eval `recip_rank`; its mean is MRR).

    >>> reciprocal_rank([0, 0, 2])
    0.3333333333333333
    """
    return next((1 / rank for rank, grade in enumerate(grades, 1) if grade > 0), 0.0)


def recall(grades: Sequence[int], expected: int, k: int) -> float:
    """Give the share of the expected items that stand among the first k (trec_eval `recall_k`)."""
    return sum(grade > 0 for grade in grades[:k]) / expected


def ndcg(grades: Sequence[int], ideal: Sequence[int], k: int) -> float:
    """Give the discounted gain of the first k ranks by that of the best ranking (trec_eval `ndcg_cut_k`).

    `Σ grade / log2(rank + 1)`, divided by the same sum over `ideal`, the grades of everything expected
    (Järvelin and Kekäläinen 2002, gain = grade).

    >>> ndcg([0, 1], [1], 10)
    0.6309297535714575
    """
    best = _gain(sorted(ideal, reverse=True), k)
    return _gain(grades, k) / best if best else 0.0


def article_grades(docs: Sequence[str], expected: Mapping[str, int]) -> list[int]:
    """Grade the articles of a ranking of passages, each article once, at its best rank.

    >>> article_grades(["a", "b", "a", "c"], {"a": 1, "c": 2})
    [1, 0, 2]
    """
    return [expected.get(doc, 0) for doc in dict.fromkeys(docs)]


def newly_found(passages: Sequence[tuple[str, int, int]], expected: Sequence[Ground]) -> list[list[int]]:
    """List, rank by rank, the expected sentences that a passage is the first to have found.

    A sentence is found once the passages so far hold half of its characters; passages do not overlap.
    """
    held = [0] * len(expected)
    found: list[list[int]] = []
    for doc, start, end in passages:
        here = []
        for number, ground in enumerate(expected):
            needed = (ground.end - ground.start) * COVERED
            if ground.doc == doc and held[number] < needed:
                held[number] += overlap(start, end, ground.start, ground.end)
                if held[number] >= needed:
                    here.append(number)
        found.append(here)
    return found


def sentence_grades(found: Sequence[Sequence[int]], expected: Sequence[Ground]) -> list[int]:
    """Grade the ranking of expected sentences: a passage stands for those it newly found, else for a 0.

    So a passage with two expected sentences takes two ranks, and no ranking is better than the ideal one.
    """
    return [grade for here in found for grade in ([expected[n].grade for n in here] or [0])]


def found_within(found: Sequence[Sequence[int]], k: int) -> int:
    """Count the expected sentences found by the first k passages."""
    return sum(len(here) for here in found[:k])


def _gain(grades: Sequence[int], k: int) -> float:
    return sum(grade / log2(rank + 1) for rank, grade in enumerate(grades[:k], 1))
