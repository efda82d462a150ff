"""Which of the candidates are shown, and in what order: by what kind of answer the question wants.

Everything is decided on shares of probability and on what the sentences state, never on the scale of a score.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from rag.evidence import Candidate
from rag.facts import Figures, as_of
from rag.question import Question
from rag.text import fold, terms

# Kinds of question that want one sentence; the others take several, from different places.
ONE_SENTENCE = ("figure", "fact", "yesno", "definition")
_MOST = {"list": 6, "comparison": 5}
_MOST_CLAIMS = 5
_MOST_FOR_ONE = 3
_ENOUGH = 0.5  # share of the probability at which a fact needs no further sentence
# How probable a further sentence must be, as a part of what the best one is. On the `tune` questions 0.22 meets for a
# fact 2 points more of what is expected than 0.45, which has 5 points fewer sentences that are beside the point.
_NEAR_FOR_ONE = 0.45
_NEAR = 0.22
_NEAR_IN_TIME = 0.47  # the same for a sentence that may go before the best one because its date is the one asked for
_NEAR_SIDE = 0.05  # the same for the one sentence on a side of a comparison
_SAME = 0.6  # share of terms that two sentences have in common from which on the second says nothing new
_COPY = 0.85  # the same where each counts for itself: a list, a comparison, a sequence of events
_OVER_TIME = re.compile(
    r"\b(?:timeline|chronolog\w*|history of|over (?:time|the years)|evolution|evolved|year by year|milestones?|"
    r"cronologia|historia de|a lo largo de|evolucion|evolucionado|ano por ano|linea del tiempo|hitos)\b"
)


class Chosen(NamedTuple):
    """The sentences to show, best first, and the sides of a comparison on which there is none."""

    sentences: list[Candidate]
    sides: tuple[Side, ...] = ()


class Side(NamedTuple):
    """One of the things that a question compares: as the asker wrote it, and the sentence on it."""

    name: str
    candidate: Candidate | None


def choose(question: Question, found: Sequence[Candidate], figures: Figures) -> Chosen:
    """The sentences to show for a question; `found` are all candidates, best first, at least one."""
    usable = [c for c in found if not c.features["asks"]] or list(found)
    if question.kind == "comparison" and len(sides := _sides(question, usable)) > 1:
        told = [s.candidate for s in sides if s.candidate]
        return Chosen(list({id(c): c for c in [*told, *_around(usable, told)]}.values()), sides)
    if _OVER_TIME.search(fold(question.text)):
        events = different(_near(usable, _NEAR), _MOST_CLAIMS, _COPY)
        return Chosen(sorted(events, key=lambda c: _date(c, figures) or "9999"))
    if question.latest:
        usable = newest_first(usable, figures)
    elif question.kind == "figure" and not question.years:
        usable = newest_of_a_kind_first(usable, figures)
    if question.kind not in ONE_SENTENCE:
        most = _MOST.get(question.kind, _MOST_CLAIMS)
        return Chosen(different(_near(usable, _NEAR), most, _COPY if question.kind == "list" else _SAME))
    usable = counted_first(usable)
    held, few = 0.0, []
    for candidate in different(_near(usable, _NEAR_FOR_ONE), _MOST_FOR_ONE):
        few.append(candidate)
        held += candidate.share
        if held >= _ENOUGH:
            break
    return Chosen(few)


def newest_first(candidates: Sequence[Candidate], figures: Figures) -> list[Candidate]:
    """For a question about now: among those near the best, the one whose fact is the latest; nothing still to come."""
    near = _near(candidates, _NEAR_IN_TIME)
    rest = [c for c in candidates if c not in near]
    today = max((s.issued for c in candidates for s in c.article.sources), default="") or date.today().isoformat()
    dates = {id(c): _date(c, figures) for c in near}
    return [*sorted(near, key=lambda c: dates[id(c)] if dates[id(c)][:4] <= today[:4] else "", reverse=True), *rest]


def newest_of_a_kind_first(candidates: Sequence[Candidate], figures: Figures) -> list[Candidate]:
    """For a figure as of no year: among those near the best that give the same figure of the same place, the latest."""

    def given(candidate: Candidate) -> set[tuple[str, str]]:
        return {(row.metric, row.place) for row in figures.of(candidate.article.id, candidate.number)}

    asked = given(candidates[0])
    same = [c for c in _near(candidates, _NEAR_FOR_ONE) if asked and asked <= given(c)]
    first = newest_first(same, figures)[:1] if len(same) > 1 else []
    return [*first, *(c for c in candidates if c not in first)]


def counted_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """For "how many": among those near the best, one whose figure counts just that before all others.

    >>> counted_first([])
    []
    """
    exact = [c for c in _near(candidates, _NEAR_FOR_ONE) if c.features.get("counted") == 1.0]
    return [*exact, *(c for c in candidates if c not in exact)]


def different(candidates: Iterable[Candidate], most: int, same: float = _SAME) -> list[Candidate]:
    """The first of some candidates, leaving out those that repeat one before."""
    chosen: list[Candidate] = []
    seen: list[frozenset[str]] = []
    for candidate in candidates:
        own = frozenset(terms(candidate.quote, candidate.article.language))
        if all(len(own & other) < same * max(1, min(len(own), len(other))) for other in seen):
            chosen.append(candidate)
            seen.append(own)
        if len(chosen) == most:
            break
    return chosen


def _near(candidates: Sequence[Candidate], part: float) -> list[Candidate]:
    """Those whose share is at least a part of the first one's, the first one always."""
    return [c for n, c in enumerate(candidates) if n == 0 or c.share >= part * candidates[0].share]


def _date(candidate: Candidate, figures: Figures) -> str:
    return as_of(candidate.quote, figures.of(candidate.article.id, candidate.number))


# --- comparisons ---------------------------------------------------------------------------------

_BETWEEN = re.compile(
    r"\b(?:or|and|vs|versus|against|than|with|to|o|u|y|e|contra|que|con|frente a|comparad[oa] con)\b|,"
)


def _sides(question: Question, candidates: Sequence[Candidate]) -> tuple[Side, ...]:
    """The names that a question sets against each other, each with the best sentence that speaks of it.

    Of those near the best on a side, one on that side alone comes before one that names several, which would say the
    same in both places.
    """
    names: dict[frozenset[str], str] = {}
    for part in _BETWEEN.split(question.text):
        named = re.findall(r"[A-ZÁÉÍÓÚÑ][\w.'&-]*(?:(?: (?:de|del|la|of|the))* [A-ZÁÉÍÓÚÑ][\w.'&-]*)*", part)
        for name in named:
            own = frozenset(terms(name, question.language)) & question.names
            if own:
                names.setdefault(own, name.rstrip(".,?"))
    if len(names) < 2:
        return ()
    least = _NEAR_SIDE * candidates[0].share
    sides = []
    for own, name in names.items():
        others = frozenset().union(*(o for o in names if o != own)) - own
        of_it = [(c, frozenset(terms(c.quote, question.language))) for c in candidates if c.share >= least]
        about = _near([c for c, t in of_it if own <= t], _NEAR)
        shared = {id(c) for c, t in of_it if t & others}
        sides.append(Side(name, min(about, key=lambda c: id(c) in shared, default=None)))
    return tuple(sides)


def _around(candidates: Sequence[Candidate], told: Sequence[Candidate]) -> list[Candidate]:
    """The best sentence of all, where it says more than those of the sides."""
    return different([*told, *_near(candidates, _NEAR)[:2]], _MOST["comparison"])[len(told) :]
