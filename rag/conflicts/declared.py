"""Sentences of the articles that say themselves that sources disagree: on what, and who stands on which side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from rag.conflicts.told import Told, common_values, containment, likeness, subject_of, values_of
from rag.corpus import Article
from rag.evidence import Citation, Statement
from rag.facts import amounts, as_of, dates
from rag.question import Question
from rag.text import Language, fold, terms

MOST_SIDES = 5
# How near the best sentence another one must be, as a share of its probability, to be held against it.
NEAR = 0.35
NEAR_IN_DOUBT = 0.1  # the same for a question that asks what really holds
# Share of the terms of the shorter of a declaration and a sentence that both must have for this to be a side of it.
_SIDE = 0.25  # where it states one of the values opposed
_SIDE_WITHOUT_VALUE = 0.35
_OWN_ARTICLE = 0.2  # what a side gains by standing in the article that declares it
# A declaration must meet this part of what the answer's sentence meets of the question: less where that is a side.
_AS_APT = 0.5
_AS_APT_WITH_SIDE = 0.4
_SIDE_NEAR = 0.2  # how near the best sentence one of the sides must be where the answer states none
_NOT_ONE_THING = ("definition", "list", "manner", "reason")
_DOUBTS = re.compile(
    r"\b(?:really|actually|in fact|truth|disagree\w*|conflicting|(?:can't|cannot|do not|don't) agree|"
    r"different (?:dates|numbers|figures)|which (?:one|date|number|figure)? ?is (?:it|right)|realmente|en realidad|"
    r"de verdad|en verdad|si o no|\w+ o no|contradic\w+|de acuerdo|cual es l[ao] buen[ao]|"
    r"(?:fechas|cifras|numeros) (?:distint|diferente)\w+)\b"
)
_DECLARES = re.compile(
    r"\b(?:disagree|disagrees|contradicts?|conflict|at odds|(?:do|does) not (?:agree|match)|differ"
    r"|no (?:coinciden?|concuerdan?)|discrepan|difieren|se contradicen?|contradice)\b",
    re.IGNORECASE,
)
# Where a declaration goes over to what it opposes, and where one side ends and the other begins.
_OPENS = re.compile(r":\s|, (?:since|pues|with|con) | (?:because|porque) ")
_TURNS = re.compile(r"(?:,? (?:against|versus|while|whereas|contra|frente a|mientras(?: que)?) |; )")
_PARTS = re.compile(
    r"(?:,? (?:against|versus|while|whereas|and|contra|frente a|mientras(?: que)?|y) |[:;] |, (?!\d{4}))(?:with |con )?"
)
_ASIDE = re.compile(r"(?:after|before|tras|después|antes)\b")
_WHICH = re.compile(r"\b(?:which disagrees|lo que no coincide|contradicts the|contradice a)\b")
# What a source got wrong, by the articles' own word: corrected, not disputed.
_WRONG = re.compile(r"\bwhich (?:contradicts|does not match)\b|\blo que contradice\b|lo que no coincide con las cifras")


def is_declaration(article: Article, number: int) -> bool:
    """Whether a sentence says that sources disagree.

    "Differ" alone also tells things apart that nobody disputes: what it opposes decides, see `sides_of`.
    """
    sentence = article.sentences[number]
    found = _DECLARES.search(article.text, sentence.start, sentence.end)
    return bool(sentence.sources and found and not _WRONG.search(article.text, sentence.start, sentence.end))


def doubts(question: Question) -> bool:
    """Whether a question asks what really holds."""
    return bool(_DOUBTS.search(fold(question.text)))


# --- its sides ---


def sides_of(declaration: Told, articles: Sequence[Article]) -> list[Told]:
    """The sentences that state what a declaration opposes, one for each value, or for each source."""
    values, own = values_of(declaration), subject_of(declaration)
    behind = frozenset(declaration.sentence.sources)
    scored: list[tuple[float, int, Told, frozenset[str]]] = []
    for rank, article in enumerate(sorted(articles, key=lambda a: a.id != declaration.article.id)):
        for number, sentence in enumerate(article.sentences):
            told = Told(article, number)
            if not behind.intersection(sentence.sources) or is_declaration(article, number):
                continue
            covers = common_values(values, told) if values else behind.intersection(sentence.sources)
            alike = containment(own, subject_of(told))
            if covers and covers != values and alike >= (_SIDE if values else _SIDE_WITHOUT_VALUE):
                closeness = alike + likeness(own, subject_of(told)) + (_OWN_ARTICLE if rank == 0 else 0.0)
                scored.append((-closeness, rank, told, covers))
    sides: list[Told] = []
    covered: frozenset[str] = frozenset()
    for *_, told, covers in sorted(scored, key=lambda row: (row[:2], row[2].number)):
        if covers - covered and len(sides) < MOST_SIDES:
            sides.append(told)
            covered |= covers
    return sides


def clauses_of(declaration: Told) -> list[Statement]:
    """The parts of a declaration that state one side each, for want of sentences that do.

    The parts with a value of their own, when there are several; else what stands on each side of "while" or
    "against"; else, where one sentence says that it denies another, the sentence before it.
    """
    quote = declaration.quote
    parts = [p for p in _split(quote, 0, _PARTS) if _states_value(quote[p[0] : p[1]], declaration.article.language)]
    if len(parts) < 2:
        opening = _OPENS.search(quote)
        start = opening.end() if opening else 0
        parts = _split(quote, start, _TURNS)
        if len(parts) < 2 and opening:
            parts = _split(quote, start, _PARTS)
    if len(parts) > 1 and all(len(quote[a:b].split()) > 1 for a, b in parts):
        begin = declaration.sentence.start
        cited = [Citation.of(declaration.article, begin + a, begin + b) for a, b in parts]
        return [Statement(c.quote, as_of(c.quote), c) for c in cited]
    before = declaration.number - 1
    if _WHICH.search(quote) and before >= 0:
        other = Told(declaration.article, before)
        if other.sentence.sources and other.sentence.section == declaration.sentence.section:
            return [Statement(t.quote, as_of(t.quote), t.cite()) for t in (declaration, other)]
    return []


def _split(quote: str, start: int, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    """The ranges between the matches of a pattern, without the full stop."""
    end = len(quote.rstrip(" ."))
    cuts = [(start, start), *(m.span() for m in pattern.finditer(quote, start, end)), (end, end)]
    return [(a, b) for (_, a), (b, _) in pairwise(cuts) if quote[a:b].strip() and not _ASIDE.match(quote, a)]


def _states_value(clause: str, language: Language) -> bool:
    return bool(amounts(clause, language)) or any(len(d) > 7 or d.startswith("--") for d in dates(clause))


# --- whether it was asked about ---


def is_asked_about(
    question: Question, lead: Told, declaration: Told, sides: Sequence[Told], near: Mapping[Told, float]
) -> bool:
    """Whether a question is on what a declaration opposes; `near` has each candidate's share of the best one's."""
    in_doubt = doubts(question)
    if not in_doubt and asks_for_one(question, sides, declaration):
        return False
    if declaration == lead:
        return True
    as_apt = _apt(question, declaration) / max(_apt(question, lead), 0.01)
    if lead in sides:
        return as_apt >= _AS_APT_WITH_SIDE
    if question.kind in _NOT_ONE_THING or as_apt < _AS_APT:
        return False
    if in_doubt:
        return near.get(declaration, 0.0) >= NEAR_IN_DOUBT
    return near.get(declaration, 0.0) >= NEAR and max((near.get(t, 0.0) for t in sides), default=0.0) >= _SIDE_NEAR


def _apt(question: Question, told: Told) -> float:
    """The part of the question's terms that a sentence has."""
    asked = set(question.terms)
    return len(asked & set(terms(told.quote, told.article.language))) / max(1, len(asked))


def asks_for_one(question: Question, sides: Sequence[Told], declared: Told | None) -> bool:
    """Whether a question says which of the sides it wants: by a year or a name that others of them lack.

    What a declaration says before its first value holds for all sides ("dismissed around the 2022 vote: 22, 25").
    """
    if len(sides) < 2:
        return False
    common = _common_part(declared) if declared else ""
    asked = (
        (question.years | question.names) - set(re.findall(r"\d{4}", common)) - set(terms(common, question.language))
    )
    short = [set(_ACRONYM.findall(t.quote)) for t in sides]
    if any(a in o.quote for own, t in zip(short, sides, strict=True) for a in own for o in sides if o != t):
        asked -= question.names  # "the Mexican Teleservices Institute (IMT)" here is "the IMT" there
    meeting = [bool(asked & (set(terms(t.quote, t.article.language)) | set(_YEARS.findall(t.quote)))) for t in sides]
    return 0 < sum(meeting) < len(sides)


_ACRONYM = re.compile(r"\(([A-ZÁÉÍÓÚ]{2,})\)")
_DAY = re.compile(
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december) \d{1,2}\b"
    r"|\b\d{1,2} (?:de |o )",
    re.IGNORECASE,
)
_YEARS = re.compile(r"\b(?:19|20)\d{2}\b")


def _common_part(declared: Told) -> str:
    """What a declaration says before it comes to the sides."""
    quote, language = declared.quote, declared.article.language
    opening = _OPENS.search(quote)
    starts = [a.start for a in amounts(quote, language)][:1] + ([opening.start()] if opening else [])
    days = [m.start() for m in _DAY.finditer(quote)][:1]
    return quote[: min([*starts, *days], default=len(quote))]
