"""Two runs case by case: what got better, what got worse, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from rag.evaluate import intervals
from rag.evaluate.definitions import METRICS
from rag.evaluate.intervals import Interval
from rag.evaluate.scoring import Score

Verdict = Literal["better", "worse", "no difference found"]
LEVEL = 0.05
# What a figure of the whole set is called in the score of a case.
IN_A_CASE = {"conflict.recall": "conflict.shown", "over_refusal": "refused", "refusal.recall": "refused"}
COMPARED = (
    "utility", "right", "article.recall@5", "article.ndcg@10", "sentence.recall@5", "sentence.recall@10",
    "sentence.ndcg@10", "groups", "figures", "f1", "answer.recall", "quotes_exact", "sources_right",
    "cited.precision", "cited.recall", "supported", "refusal.recall", "over_refusal", "conflict.recall",
    "language",
)  # fmt: skip


class Difference(NamedTuple):
    """A metric in two runs, over the cases that have it in both."""

    name: str
    before: float
    after: float
    n: int
    interval: Interval | None
    p: float
    adjusted: float
    wins: int
    losses: int
    detectable: float | None

    @property
    def change(self) -> float:
        """How much was gained (negative: lost), as the figure goes."""
        return self.after - self.before

    @property
    def verdict(self) -> Verdict:
        """Whether the change is more than chance, after adjusting for the number of metrics compared."""
        if self.adjusted >= LEVEL or self.wins == self.losses == 0:
            return "no difference found"
        gained = self.change > 0 if METRICS[self.name].better != "lower" else self.change < 0
        return "better" if gained else "worse"

    @property
    def ties(self) -> int:
        """Cases with the same value in both runs."""
        return self.n - self.wins - self.losses

    def to_json(self) -> dict[str, Any]:
        """Give the comparison as plain data."""
        return {**self._asdict(), "change": self.change, "ties": self.ties, "verdict": self.verdict}


class Comparison(NamedTuple):
    """What two runs say of each other; `worse` and `better`: pairs (before, after), largest change first."""

    differences: tuple[Difference, ...]
    worse: tuple[tuple[Score, Score], ...]
    better: tuple[tuple[Score, Score], ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]

    @property
    def newly_wrong(self) -> tuple[tuple[Score, Score], ...]:
        """Cases that were right before and are not now."""
        return tuple(pair for pair in self.worse if pair[0].right == 1 and pair[1].right == 0)

    @property
    def new_errors(self) -> tuple[tuple[Score, Score], ...]:
        """Cases that failed now and did not before."""
        return tuple(p for p in self.worse if p[1].label == "error" != p[0].label)


def compare(before: Sequence[Score], after: Sequence[Score], names: Sequence[str] = COMPARED) -> Comparison:
    """Join two runs by the id of their cases (with another question it is another case) and compare.

    p-values: exact McNemar for verdicts (0 or 1) that change each in a group of its own; sign flips by group
    for scores, and for verdicts that change together (of single ones that is the same test). Adjusted by Holm
    over `names`. A case with a value in one run only (a citation figure of a question now refused) is no pair
    for that metric.
    """
    earlier = {s.id: s for s in before}
    pairs = [(earlier[s.id], s) for s in after if s.id in earlier and earlier[s.id].question == s.question]
    joined = {s.id for _, s in pairs}
    found = [d for d in (_difference(name, pairs) for name in names) if d is not None]
    adjusted = intervals.holm([d.p for d in found])
    gains = sorted(((_gain(pair), pair[1].id, pair) for pair in pairs), key=lambda row: row[:2])
    return Comparison(
        differences=tuple(d._replace(adjusted=p) for d, p in zip(found, adjusted, strict=True)),
        worse=tuple(pair for gain, _, pair in gains if gain < 0),
        better=tuple(pair for gain, _, pair in reversed(gains) if gain > 0),
        only_before=tuple(s.id for s in before if s.id not in joined),
        only_after=tuple(s.id for s in after if s.id not in joined),
    )


def _gain(pair: tuple[Score, Score]) -> float:
    """Tell how much utility a case gained; a new failure is a loss whatever it was before."""
    before, after = pair
    if after.label == "error" != before.label:
        return -3.0
    return after.values.get("utility", 0.0) - before.values.get("utility", 0.0)


def _difference(name: str, pairs: Sequence[tuple[Score, Score]]) -> Difference | None:
    key = IN_A_CASE.get(name, name)
    answerable = {"refusal.recall": False, "over_refusal": True}.get(name)
    held = [
        (b.values[key], a.values[key], a.group)
        for b, a in pairs
        if key in b.values and key in a.values and answerable in (None, a.answerable)
    ]
    if not held:
        return None
    changes = [after - before for before, after, _ in held]
    groups = [group for _, _, group in held]
    higher, lower = sum(c > 0 for c in changes), sum(c < 0 for c in changes)
    verdicts = all(v in (0.0, 1.0) for before, after, _ in held for v in (before, after))
    changed = [group for group, change in zip(groups, changes, strict=True) if change]
    alone = len(set(changed)) == len(changed)
    p = intervals.mcnemar(higher, lower) if verdicts and alone else intervals.sign_flip(changes, groups)
    wins, losses = (lower, higher) if METRICS[name].better == "lower" else (higher, lower)
    n = len(held)
    return Difference(
        name=name,
        before=sum(b for b, _, _ in held) / n,
        after=sum(a for _, a, _ in held) / n,
        n=n,
        interval=intervals.bca(changes, groups),
        p=p,
        adjusted=p,
        wins=wins,
        losses=losses,
        detectable=intervals.smallest_detectable(changes, groups),
    )
