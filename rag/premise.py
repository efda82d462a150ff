"""What a question takes for granted: the year it gives to a law, a reform or a ruling, against that of the articles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag.corpus import Article
from rag.evidence import Citation
from rag.text import Language, fold, terms

# What has one year of its own. Anything else may well have happened again.
_DATED: dict[Language, str] = {
    "en": r"(?:law|act|reform|rules?|regulation|registry|register|standard|decree|ban|bill|treaty|agreement|ruling|tax|"
    r"incentive|acquisition|merger)",
    "es": r"(?:ley|reforma|reglas?|reglamento|registro|norma|decreto|prohibicion|iniciativa|tratado|acuerdo|fallo|"
    r"impuesto|estimulo|compra|fusion)",
}
_YEAR = r"(?P<year>(?:19|20)\d{2})"
_GIVEN: dict[Language, tuple[re.Pattern[str], ...]] = {
    "en": (
        re.compile(rf"\b{_YEAR} (?P<thing>(?:[\w-]+ ){{0,3}}?{_DATED['en']})\b"),
        re.compile(rf"\b(?P<thing>(?:[\w-]+ ){{1,3}}{_DATED['en']}) (?:of|from|in) {_YEAR}\b"),
    ),
    "es": (re.compile(rf"\b(?P<thing>{_DATED['es']}(?: [\w-]+){{1,4}}?) (?:de|del|en)(?: (?:ano|el))? {_YEAR}\b"),),
}
# How articles date a thing: "the reform of April 2021", "the law took effect in 2021", "the 2021 reform".
_DATES = re.compile(
    r"^[^.;]{0,60}?\b(?:of|from|took effect|in force since|entered into force|enacted|approved|published|passed|"
    r"created|since|del?|desde|entro en vigor|vigente desde|publico|publicada?|aprobo|aprobada?|creo|creada?|son)\b"
    r"[^.;]{0,30}?\b(?P<year>(?:19|20)\d{2})\b"
)
_JUST_BEFORE = re.compile(r"\b(?P<year>(?:19|20)\d{2}) (?:[\w-]+ ){0,2}$")
# Not the date of the thing but of what is said of it.
_AS_OF = re.compile(
    r"\b(?:as of|as in force|text|report|guide|article of|note of|a (?:mayo|junio|diciembre|enero)|texto|guia|nota|"
    r"articulos?|reformad\w+|amended|modific\w+)\b"
)


class Correction(NamedTuple):
    """A year that a question gives to a thing, the year that the articles give, and where."""

    asked: str
    said: str
    citation: Citation


def correct(
    question: str, language: Language, articles: Sequence[Article], names: frozenset[str] = frozenset()
) -> Correction | None:
    """The correction of a year, or None where there is none to make. `names` are terms that name something.

    Made only when a sentence on the same thing dates it otherwise and none on it has the year that was asked.
    """
    flat = fold(question)
    for pattern in _GIVEN[language]:
        for given in pattern.finditer(flat):
            found = _dated(given["thing"], given["year"], language, articles, names)
            if found:
                return found
    return None


def _dated(
    thing: str, asked: str, language: Language, articles: Sequence[Article], names: frozenset[str]
) -> Correction | None:
    head = re.compile(rf"^{_DATED[language]}$")
    wanted = {t for word in thing.split() if not head.match(word) for t in terms(word, language)}
    kind = {t for word in thing.split() if head.match(word) for t in terms(word, language)}
    named = wanted <= names
    found: Correction | None = None
    for article in articles if wanted else ():
        for sentence in article.sentences if article.language == language else ():
            quote = article.quote(sentence)
            own = set(terms(quote, language))
            if not sentence.sources or not wanted <= own or not (named or kind & own):
                continue
            if asked in quote:
                return None  # the articles know the thing in that year: nothing to correct
            said = _year_of(fold(quote), wanted, language)
            if found is None and said not in ("", asked):
                found = Correction(asked, said, Citation.of(article, sentence.start, sentence.end))
    return found


def _year_of(flat: str, wanted: set[str], language: Language) -> str:
    """The year that a sentence gives to the thing it names, else ""."""
    ends = [m.end() for m in re.finditer(r"[\w-]+", flat) if wanted & set(terms(m.group(), language))]
    starts = [m.start() for m in re.finditer(r"[\w-]+", flat) if wanted & set(terms(m.group(), language))]
    if not ends:
        return ""
    before = _JUST_BEFORE.search(flat[: starts[0]])
    if before:
        return before["year"]
    after = _DATES.match(flat[max(ends) :])
    if after and not _AS_OF.search(flat[max(ends) : max(ends) + after.end()]):
        return after["year"]
    return ""
