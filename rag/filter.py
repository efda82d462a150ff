"""What an asker lets answers rest on: kinds of source, dates, a language, a place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rag.corpus import KINDS, Article, Source
from rag.text import LANGUAGES, fold

_DATE = re.compile(r"(?:19|20)\d{2}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
_PLACE = re.compile(r"[\w-]{1,60}")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sentences may be evidence; empty, it lets every one through.

    One source of a sentence must be of one of the `kinds`, of the `language` (that of the publication, else of its
    article) and dated between `since` and `until`, ISO dates of any precision, compared as far as both are known;
    what is undated fits no date. The sentence must be on the `place` (see `is_on`), written as articles write places.
    """

    kinds: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    language: str = ""
    place: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Filter:
        """The filter that plain data describe; what it cannot be is left out.

        >>> Filter.read({"kinds": ["press", "rumor"], "since": "2020", "until": "soon"})
        Filter(kinds=('press',), since='2020', until='', language='', place='')
        """
        kinds = given.get("kinds")
        wanted = kinds if isinstance(kinds, list | tuple) else ()
        text = {name: str(given.get(name) or "") for name in ("since", "until", "language", "place")}
        return cls(
            tuple(k for k in KINDS if k in wanted),
            text["since"] if _DATE.fullmatch(text["since"]) else "",
            text["until"] if _DATE.fullmatch(text["until"]) else "",
            text["language"] if text["language"] in LANGUAGES else "",
            text["place"] if _PLACE.fullmatch(text["place"]) else "",
        )

    def __bool__(self) -> bool:
        """Whether it keeps anything out."""
        return self != EVERYTHING

    def to_json(self) -> dict[str, Any]:
        """Plain data of what is set, read back by `read`."""
        plain = {"kinds": list(self.kinds), "since": self.since, "until": self.until}
        return {k: v for k, v in {**plain, "language": self.language, "place": self.place}.items() if v}

    def sentences(self, article: Article) -> frozenset[int]:
        """The numbers of an article's sentences that may be evidence."""
        if not self:
            return frozenset(range(len(article.sentences)))
        fits = {s.id for s in article.sources if self._fits(s, article)}
        of_sources = bool(self.kinds or self.since or self.until or self.language)
        return frozenset(
            number
            for number, sentence in enumerate(article.sentences)
            if (not of_sources or not fits.isdisjoint(sentence.sources))
            and (not self.place or is_on(self.place, article, number))
        )

    def lets_through(self, article: Article, start: int, end: int) -> bool:
        """Whether a range of an article lies in sentences that may be evidence."""
        allowed = self.sentences(article)
        touched = [n for n, s in enumerate(article.sentences) if s.start < end and start < s.end]
        return bool(touched) and allowed.issuperset(touched)

    def _fits(self, source: Source, article: Article) -> bool:
        issued = source.issued
        until = not self.until or issued[: len(self.until)] <= self.until[: len(issued)]
        dated = bool(issued) and issued[: len(self.since)] >= self.since[: len(issued)] and until
        return (
            (not self.kinds or source.kind in self.kinds)
            and (not self.language or self.language == (source.language or article.language))
            and (dated or not (self.since or self.until))
        )


EVERYTHING = Filter()


# --- places --------------------------------------------------------------------------------------

# Names that are not the words of the place's own name, on folded text.
_NAMES = {
    "mexico": r"mexico|mexican[oa]?s?",
    "mexico-city": r"mexico city|ciudad de mexico|cdmx",
    "state-of-mexico": r"state of mexico|estado de mexico|edomex",
    "philippines": r"philippines?|filipin[oa]s?",
    "usa": r"united states|estados unidos|usa|u\.s\.|ee\. ?uu\.|american|estadounidenses?",
}


def is_on(place: str, article: Article, number: int) -> bool:
    """Whether a sentence is on a place: the whole article is, or sentence or heading name it, or the title names it
    and no other of the article's places.
    """
    if article.places == (place,):
        return True
    sentence = article.sentences[number]
    heading = article.sections[sentence.section].heading if article.sections else ""
    if _names(place, f"{article.quote(sentence)}\n{heading}"):
        return True
    return _names(place, article.title) and not any(_names(p, article.title) for p in article.places if p != place)


def _names(place: str, text: str) -> bool:
    return bool(_pattern(place).search(fold(text)))


@lru_cache(maxsize=256)
def _pattern(place: str) -> re.Pattern[str]:
    named = _NAMES.get(place) or "[ -]".join(map(re.escape, fold(place).split("-")))
    return re.compile(rf"\b(?:{named})(?!\w)")
