"""Whether two sentences deny each other: one thing, two amounts or days of which not both can be right."""

from __future__ import annotations

import re
from functools import lru_cache

from rag.conflicts.declared import is_declaration
from rag.conflicts.told import Told, containment, likeness, publishers_of, reporting_terms, subject_of
from rag.facts import Amount, Figure, Figures, amounts, dates, differ, same_unit
from rag.question import Question
from rag.text import terms

# Share of the terms of the shorter sentence that the other one has too: from there they speak of one thing.
_SAME_THING = 0.7
_LIKE = 0.3  # share of all subject terms of two sentences that they have in common
_PLAUSIBLE = 10  # two values further apart than by this factor count different things
_SAME_SCOPE = 0.5


def is_opposed(question: Question, one: Told, other: Told, figures: Figures) -> bool:
    """Whether two sentences deny each other, by their rows among the figures or, without any, by their words."""
    if one == other or one.article.language != other.article.language:
        return False
    if set(one.sentence.sources) & set(other.sentence.sources):
        return False  # one source told twice
    rows = [
        (f, g)
        for f in figures.of(one.article.id, one.number)
        for g in figures.of(other.article.id, other.number)
        if (f.metric, f.unit, f.place) == (g.metric, g.unit, g.place)
    ]
    same = [(f, g) for f, g in rows if _same_scope(f, g)]
    if same:
        return all(_rows_differ(f, g) for f, g in same)
    return _sentences_differ(question, one, other)


_BOUND_OF_SCOPE = re.compile(r"\b(?:more than|at least|about|almost|up to|less than|forecast|around|over)\b")


def _scope(row: Figure) -> frozenset[str]:
    return frozenset(terms(_BOUND_OF_SCOPE.sub(" ", re.sub(r"\([^)]*\)", " ", row.scope)), "en"))


def _same_scope(one: Figure, other: Figure) -> bool:
    a, b = _scope(one), _scope(other)
    return len(a & b) >= _SAME_SCOPE * max(1, len(a | b))


def _rows_differ(one: Figure, other: Figure) -> bool:
    return differ(_amount(one), _amount(other))


def _amount(row: Figure) -> Amount:
    bound = "about" if _BOUND_OF_SCOPE.search(row.scope) else ""
    unit = "percent" if row.unit.startswith("percent") else row.unit
    return Amount(float(row.low), float(row.high), unit, frozenset(), bound, 0, 0)


def _sentences_differ(question: Question, one: Told, other: Told) -> bool:
    """Whether two sentences on the same thing state amounts, or days, of which not both can be right."""
    if is_declaration(one.article, one.number) or is_declaration(other.article, other.number):
        return False
    mine, theirs = subject_of(one), subject_of(other)
    asked = set(question.terms)
    if containment(mine, theirs) < _SAME_THING or (asked & mine) != (asked & theirs) or not asked & mine:
        return False
    if likeness(mine, theirs) < _LIKE:
        return False  # a short sentence is contained in many
    if not _named_alike(one, other):
        return False
    if question.wanted == "date":
        days, others = _days(one), _days(other)
        return bool(days and others) and not days & others and {len(d) for d in days} == {len(d) for d in others}
    pairs = [
        (a, b)
        for a in amounts(one.quote, one.article.language)
        for b in amounts(other.quote, other.article.language)
        if same_unit(a, b)
    ]
    return bool(pairs) and all(differ(a, b) and _comparable(a, b) for a, b in pairs)


def _comparable(one: Amount, other: Amount) -> bool:
    smaller, larger = sorted((one.high, other.high))
    return larger <= _PLAUSIBLE * smaller


def _days(told: Told) -> set[str]:
    return set(dates(told.quote)) - {""}


def _named_alike(one: Told, other: Told) -> bool:
    """Whether two sentences name the same things: a sentence on Mérida denies nothing about Monterrey."""
    a, b = _names(one), _names(other)
    return a <= b or b <= a


_NAME = re.compile(r"(?<=[^\s.!?:]\s)[A-ZÁÉÍÓÚÑ][\w&-]*")


@lru_cache(maxsize=8192)
def _names(told: Told) -> frozenset[str]:
    language = told.article.language
    months = {"january february march april may june july august september october november december", "mexico"}
    ignored = frozenset(terms(" ".join(months), "en")) | reporting_terms(language)
    publishers = publishers_of(told)
    return frozenset(t for m in _NAME.findall(told.quote) for t in terms(m, language)) - ignored - publishers
