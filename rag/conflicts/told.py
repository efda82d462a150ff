"""A sentence as a statement: the values in it, what it is about, who stands behind it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rag.corpus import Article, Sentence
from rag.evidence import Citation
from rag.facts import amounts, dates
from rag.text import Language, terms
from rag.text import words as language_words

# What a sentence says of its source rather than of its subject.
_REPORTING: dict[Language, str] = {
    "en": "according data report reported reports article says said say put puts wrote undated text page press "
    "estimate estimated figure figures count counts source sources vendor study interview note told gave gives quotes "
    "year years",
    "es": "segun datos reporte reporto articulo dice dijo pone puso escribio fecha texto pagina prensa estimacion "
    "estimo cifra cifras conteo fuente fuentes proveedor estudio entrevista nota dio da cita ano anos",
}


class Told(NamedTuple):
    """A sentence of an article: what a conflict opposes."""

    article: Article
    number: int

    def __hash__(self) -> int:
        """Its place, so that no article is read through for it."""
        return hash((self.article.id, self.number))

    @property
    def sentence(self) -> Sentence:
        """Its place in the article."""
        return self.article.sentences[self.number]

    @property
    def quote(self) -> str:
        """Its words."""
        return self.article.quote(self.sentence)

    def cite(self) -> Citation:
        """The citation that opens it."""
        return Citation.of(self.article, self.sentence.start, self.sentence.end)


@lru_cache(maxsize=8192)
def values_of(told: Told) -> frozenset[str]:
    """What a sentence states that another may deny: amounts, ranges whole, and days; no years, which say when."""
    found = {_key(a.low, a.high) for a in amounts(told.quote, told.article.language)}
    return frozenset(found | {d[-5:] for d in dates(told.quote) if len(d) > 7 or d.startswith("--")})


def _key(low: float, high: float) -> str:
    return f"{low:.10g}" if low == high else f"{low:.10g}-{high:.10g}"


def common_values(values: frozenset[str], told: Told) -> frozenset[str]:
    """Those of some values that a sentence states; the end of a range counts for the range, and the other way round."""
    own = values_of(told) | {_SMALL[w] for w in language_words(told.quote) if w in _SMALL}
    ends = {end for value in own for end in value.split("-")} if own else set()
    return frozenset(v for v in values if v in own or v in ends or ("-" in v and set(v.split("-")) & own))


# Small numbers are often written out; "one" and "un" are articles and pronouns more often than numbers.
_SMALL = {
    word: str(number)
    for number, pair in enumerate(
        (
            "two dos", "three tres", "four cuatro", "five cinco", "six seis", "seven siete", "eight ocho",
            "nine nueve", "ten diez", "eleven once", "twelve doce",
        ),
        2,
    )
    for word in pair.split()
}  # fmt: skip


@lru_cache(maxsize=4096)
def reporting_terms(language: Language) -> frozenset[str]:
    """The terms of what a sentence says of its source."""
    return frozenset(terms(_REPORTING[language], language))


def publishers_of(told: Told) -> frozenset[str]:
    """The terms of the names of those who stand behind a sentence."""
    behind = (s for s in told.article.sources if s.id in told.sentence.sources)
    return frozenset(t for s in behind for t in terms(s.publisher, told.article.language))


@lru_cache(maxsize=8192)
def subject_of(told: Told) -> frozenset[str]:
    """The terms of a sentence that say what it is about: no figures, nothing about its source."""
    publishers = publishers_of(told)
    found = {t for t in terms(told.quote, told.article.language) if not t[0].isdecimal()}
    return frozenset(found - reporting_terms(told.article.language) - publishers)


def containment(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of the smaller set that lies in the other (0..1)."""
    return len(one & other) / max(1, min(len(one), len(other)))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of all that two sets have in common (0..1)."""
    return len(one & other) / max(1, len(one | other))
