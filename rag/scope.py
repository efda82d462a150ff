"""Whether sentences speak of the places and years that a question asks about.

A true sentence on Monterrey is no answer to a question about Mérida, nor one on 2026 to a question about 2031. The
scores see such a miss as one sign among many; here it decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.evidence import Candidate, leant_on
from rag.features import years
from rag.markers import ABROAD, WIDE
from rag.particulars import places_in
from rag.places import is_elsewhere, meet, places_of
from rag.question import Question
from rag.text import fold

# A law of the whole country holds in each of its places.
_NATIONAL = re.compile(
    r"\b(?:laws?|ley(?:es)?|lft|(?:article|articulo)s? \d+|decrees?|decretos?|constitution\w*|constitucion\w*|"
    r"statutory|imss|repse|ptu|nom-\d+)\b"
)
# What stands before the country whose customers are served, or whose companies buy.
_SERVED = r"\b(?:to|for|from|serv\w*|with|a|para|hacia|con|atiend\w*) (?:the |los |las )?"


def absent(question: Question, shown: Sequence[Candidate], newest: int) -> tuple[str, ...]:
    """The places and years that a question asks about and none of the sentences is on; `newest` is the year of the
    newest source.
    """
    return (*absent_places(question, shown), *absent_years(question, shown, newest))


def absent_places(question: Question, shown: Sequence[Candidate]) -> tuple[str, ...]:
    """The places that a question asks about, as written, when none of the sentences speaks of any of them; else ().

    A city stands for its state and the other way round; Mexico goes without saying; a sentence on the law of the
    country speaks of all its places.
    """
    asked = places_in(question.asking)
    narrow = {key: written for key, written in asked.items() if key not in WIDE}
    us = asked.get("united states", "")
    if len(asked) > 1 or (us and re.search(_SERVED + re.escape(fold(us)), fold(question.asking))):
        narrow.pop("united states", None)  # whom Mexico serves, more often than what is asked about
    if not narrow or any(_speaks_of(c, frozenset(narrow)) for c in shown):
        return ()
    if not any(key in ABROAD for key in narrow) and any(_NATIONAL.search(fold(c.quote)) for c in shown[:1]):
        return ()
    return tuple(re.sub(r"['’]s?$", "", written) for written in narrow.values())


def on_place(question: Question, shown: Sequence[Candidate]) -> list[Candidate]:
    """The sentences without those on other places than the one asked about; all of them where none is on it.

    A question that names Mexico does not ask about another country, nor about the world.
    """
    asked = frozenset(places_in(question.asking))
    narrow = asked - WIDE
    told = list(shown)
    if narrow and any(_speaks_of(c, narrow) for c in told):
        told = [c for c in told if not _own_places(c) or _speaks_of(c, narrow)]
    elif asked and not narrow:
        told = [c for c in told if not is_elsewhere(places_of(c.quote), asked)]
    return told or list(shown)


def absent_years(question: Question, shown: Sequence[Candidate], newest: int) -> tuple[str, ...]:
    """The years that a question asks about, when the first sentence states others and none of the sentences is on one:
    by its words, by what frames it, or by the date of its source. Between two years lie those in between. What lies
    after the newest source must stand in the words of a sentence.

    >>> from rag.question import read_question
    >>> absent_years(read_question("What is the minimum wage in 2031?"), [], 2026)
    ('2031',)
    """
    asked = sorted(question.years)
    to_come = bool(asked) and int(asked[0]) > newest
    if not asked or not (to_come or any(years(c.quote) for c in shown[:1])):
        return ()
    told = (years(c.quote) if to_come else _years_of(c) for c in shown)
    return () if any(asked[0] <= year <= asked[-1] for own in told for year in own) else tuple(asked)


def _years_of(candidate: Candidate) -> set[str]:
    article, sentence = candidate.article, candidate.sentence
    heading = article.sections[sentence.section].heading if article.sections else ""
    before = leant_on(article, candidate.number)
    framed = f"{candidate.quote} {article.title} {heading} {article.quote(before) if before else ''}"
    return years(framed) | {s.issued[:4] for s in article.sources_of(sentence.start, sentence.end) if s.issued}


def _speaks_of(candidate: Candidate, asked: frozenset[str]) -> bool:
    """Whether a sentence is on one of some places: by its own words and what frames it; one that names no place at all
    by its section, if that is on nothing else.
    """
    article, own = candidate.article, _own_places(candidate)
    section = candidate.sentence.section
    heading = article.sections[section].heading if article.sections else ""
    before = leant_on(article, candidate.number)
    lent = [article.title, heading, article.quote(before) if before else ""]
    here = own.union(*(places_of(text) for text in lent))
    if not places_of(candidate.quote):
        around = [places_of(article.quote(s)) - WIDE for s in article.sentences if s.section == section]
        here |= frozenset().union(*around) if all(meet(asked, places) for places in around if places) else frozenset()
    return meet(asked, here)


def _own_places(candidate: Candidate) -> frozenset[str]:
    return places_of(candidate.quote) - WIDE
