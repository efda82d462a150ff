"""Scores of cases -> the figures of a run, each with its interval and the number of cases behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rag.evaluate import intervals, refusals
from rag.evaluate.definitions import METRICS
from rag.evaluate.intervals import Interval
from rag.evaluate.scoring import LABELS, Score

SLICE_MINIMUM = 20  # cases below which a slice says too little to be shown
_P95_MINIMUM, _P99_MINIMUM = 40, 200


class Figure(NamedTuple):
    """A figure: its value and interval (None with a reason), the cases behind it, and why others are not."""

    value: float | None
    interval: Interval | None
    n: int
    missing: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Give the figure as an entry of `metrics.json`."""
        return {
            "value": _rounded(self.value),
            "interval": [_rounded(end) for end in self.interval] if self.interval else None,
            "n": self.n,
            "missing": self.missing,
        }


def summarise(scores: Sequence[Score]) -> dict[str, Figure]:
    """Compute every metric over the scores, in the order of METRICS."""
    special: dict[str, Callable[[Sequence[Score]], Figure]] = {
        "refusal.precision": _refusal_precision,
        "refusal.recall": lambda s: _refused(s, "answerable", answerable=False),
        "over_refusal": lambda s: _refused(s, "not answerable", answerable=True),
        "refusal.auroc": _refusal_auroc,
        "confidence.auroc": _auroc,
        "confidence.aurc": lambda s: _of_confidence(s, lambda p: refusals.area_under(refusals.risk_coverage(p))),
        "confidence.error": lambda s: _of_confidence(
            s, lambda p: refusals.calibration_error([(c, 1 - e) for c, e in p])
        ),
        "conflict.recall": lambda s: mean(s, "conflict.shown"),
        "followup.right": lambda s: _among(s, lambda x: x.turn > 1, "right", "no history"),
        "language.gap": _gap,
        "latency.p50": lambda s: _latency(s, 0.5, 1),
        "latency.p95": lambda s: _latency(s, 0.95, _P95_MINIMUM),
        "latency.p99": lambda s: _latency(s, 0.99, _P99_MINIMUM),
    }
    return {name: special[name](scores) if name in special else mean(scores, name) for name in METRICS}


def mean(scores: Sequence[Score], name: str) -> Figure:
    """Average a metric over the cases that have it: Wilson's interval for rates, BCa else, both by group."""
    held = [s for s in scores if name in s.values]
    values = [s.values[name] for s in held]
    missing = _reasons(scores, name)
    return Figure(*_averaged(values, [s.group for s in held]), len(values), missing)


def labels(scores: Sequence[Score]) -> dict[str, int]:
    """Count the labels, in the order of LABELS; those that did not occur are left out."""
    count = Counter(s.label for s in scores)
    return {label: count[label] for label in LABELS if count[label]}


def slices(scores: Sequence[Score], name: str = "utility") -> list[tuple[str, str, Figure]]:
    """Average a metric over language, turn and each tag: (tag, value, figure), most utility lost first.

    Slices of fewer than 20 cases, and tags with more than 40 values, are left out.
    """
    parts: dict[tuple[str, str], list[Score]] = {}
    for s in scores:
        for tag, value in {**s.tags, "language": s.language, "turn": str(s.turn)}.items():
            parts.setdefault((tag, value), []).append(s)
    width = Counter(tag for tag, _ in parts)
    shown = [
        (tag, value, mean(part, name))
        for (tag, value), part in sorted(parts.items())
        if len(part) >= SLICE_MINIMUM and 1 < width[tag] <= 40
    ]
    known = [(tag, value, f) for tag, value, f in shown if f.value is not None]
    return sorted(known, key=lambda row: -((1 - (row[2].value or 0.0)) * row[2].n))


def answered(scores: Sequence[Score]) -> list[tuple[float, float]]:
    """List (confidence, error) of the answers that were judged."""
    return [
        (s.confidence, 1 - s.right)
        for s in scores
        if s.confidence is not None and s.right is not None and not s.refused
    ]


def _averaged(values: Sequence[float], groups: Sequence[str]) -> tuple[float | None, Interval | None]:
    if not values:
        return None, None
    total = sum(values)
    if set(values) <= {0.0, 1.0}:
        return total / len(values), intervals.rate(values, groups)
    return total / len(values), intervals.bca(values, groups)


def _refused(scores: Sequence[Score], why: str, *, answerable: bool) -> Figure:
    asked = [s for s in scores if s.answerable is answerable]
    return _rate([float(s.refused) for s in asked], asked, len(scores), why)


def _rate(values: Sequence[float], behind: Sequence[Score], of: int, why: str) -> Figure:
    missing = {why: of - len(values)} if of > len(values) else {}
    return Figure(*_averaged(values, [s.group for s in behind]), len(values), missing)


def _among(scores: Sequence[Score], holds: Callable[[Score], bool], name: str, why: str) -> Figure:
    inside = mean([s for s in scores if holds(s)], name)
    outside = sum(not holds(s) for s in scores)
    return inside._replace(missing={**inside.missing, **({why: outside} if outside else {})})


def _refusal_precision(scores: Sequence[Score]) -> Figure:
    refused = [s for s in scores if s.refused and s.answerable is not None]
    return _rate([float(s.answerable is False) for s in refused], refused, len(scores), "not refused")


def _refusal_auroc(scores: Sequence[Score]) -> Figure:
    sure = [
        (s.confidence if s.refused else 1 - s.confidence, s.answerable)
        for s in scores
        if s.confidence is not None and s.answerable is not None
    ]
    why = {"failed, or not said whether answerable": len(scores) - len(sure)} if len(scores) > len(sure) else {}
    unanswerable = [confidence for confidence, answerable in sure if not answerable]
    others = [confidence for confidence, answerable in sure if answerable]
    value = refusals.auroc(unanswerable, others)
    if value is None:
        return Figure(None, None, 0, {**why, "only one kind of question": len(sure)} if sure else why)
    return Figure(value, intervals.stratified(refusals.auroc, unanswerable, others), len(sure), why)


def _auroc(scores: Sequence[Score]) -> Figure:
    pairs = answered(scores)
    right = [c for c, error in pairs if error == 0]
    wrong = [c for c, error in pairs if error == 1]
    value = refusals.auroc(right, wrong)
    why = {"not answered or not judged": len(scores) - len(pairs)} if len(scores) > len(pairs) else {}
    if value is None:
        return Figure(None, None, 0, {**why, "only one kind of answer": len(pairs)})
    return Figure(value, intervals.stratified(refusals.auroc, right, wrong), len(pairs), why)


def _of_confidence(scores: Sequence[Score], figure: Callable[[Sequence[tuple[float, float]]], float | None]) -> Figure:
    """Compute a figure of (confidence, error); its interval by the percentile bootstrap."""
    import numpy as np

    pairs = answered(scores)
    missing = {"not answered or not judged": len(scores) - len(pairs)} if len(scores) > len(pairs) else {}
    value = figure(pairs)
    if value is None or len(pairs) < 2:
        return Figure(value, None, len(pairs), missing)
    random = np.random.default_rng(len(pairs))
    ranked = sorted(pairs)
    draws = [figure([ranked[i] for i in random.integers(0, len(ranked), len(ranked))]) for _ in range(200)]
    low, high = np.quantile([d for d in draws if d is not None], [0.025, 0.975])
    return Figure(value, Interval(float(low), float(high)), len(pairs), missing)


def _gap(scores: Sequence[Score]) -> Figure:
    pairs: dict[str, dict[str, float]] = {}
    for s in scores:
        if s.right is not None:
            pairs.setdefault(s.group, {})[s.language] = s.right
    both = {group: p["en"] - p["es"] for group, p in pairs.items() if len(p) == 2}
    alone = len(scores) - 2 * len(both)
    missing = {"not in both languages": alone} if alone else {}
    if not both:
        return Figure(None, None, 0, missing)
    values = list(both.values())
    return Figure(sum(values) / len(values), intervals.bca(values), len(values), missing)


def _latency(scores: Sequence[Score], q: float, minimum: int) -> Figure:
    times = [s.values["latency"] for s in scores if "latency" in s.values]
    missing = _reasons(scores, "latency")
    if len(times) < minimum or not times:
        return Figure(None, None, 0, {**missing, f"fewer than {minimum} cases": len(times)})
    return Figure(intervals.quantile(times, q), intervals.quantile_interval(times, q), len(times), missing)


def _reasons(scores: Sequence[Score], name: str) -> dict[str, int]:
    """Why cases have no value; a run that was kept before there was such a metric does not say."""
    return dict(sorted(Counter(s.reasons.get(name, "not measured") for s in scores if name not in s.values).items()))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
