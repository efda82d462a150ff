"""What a sentence must carry: its figures, its year, its source; and the numbers that it says."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from rag.corpus import Article, Sentence
from rag.text import figures, fold

RELATED = ("Related articles", "Artículos relacionados")

# Numbers that name something and measure nothing: they need no year.
_NAMES = re.compile(
    r"""
      “[^”]*”                                                        # the title of an article
    | \bNOM-\d+(?:-\w+-\d+)?
    | \b(?:ISO|IEC|SOC|SCIAN|NAICS|Tier|Windows)(?:[ /]+(?:IEC))?[ -]?\d+(?:[:-]\d+)*
    | \b(?:S|H\.?\s?R|HB|SB|HF|SF|Res)\.?\s?\d+
    | \b(?:articles?|artículos?|arts?\.|sections?|secciones|sección|fracci(?:ón|ones)|chapters?|capítulos?|
          rules?|reglas?|title|título|annex|anexo)\s\d+[A-Z]?(?:[-.]\w+)?(?:\s?Bis)?
          (?:(?:,\s|\s(?:to|and|or|a|y|e|o|al)\s)\d+[A-Z]?(?:-[A-Z])?(?:\s?Bis)?\b(?!%))*
    | \b(?:occupation|ocupación|class|clase|code|clave|levels?|nivel(?:es)?|page|página|phase|fase)\s\d+
    | \b(?:years?|año|años)\s\d{1,2}\b
    | \b24/7(?:/365)?\b | \b\d{2}/\d{2}\b
    | \b\d{1,2}:\d{2}\b | \b\d{1,2}\s?[ap]\.?\s?m\b
    | \bCOVID-19\b | \b[2-5]G\b | \bIPv[46]\b | \bCobertura\s360\b | \bCanal\s1[13]\b | \b24[ -]7\sPress\b
    | \d+\s?°
    """,
    re.VERBOSE,
)
_YEAR = re.compile(r"\b(?:19[4-9]\d|20[0-4]\d)(?:s\b|\b)")
_UNDATED = re.compile(
    r"\bundated\b|\bsin fecha\b|\bwithout (?:a )?date\b|\bunreliable dates\b|\bfechas poco confiables\b",
    re.IGNORECASE,
)
_GAP = re.compile(r"(?:No|None|Neither|Ning[uú]n[ao]?)\b")


def related(article: Article) -> set[int]:
    """Return the numbers of the sections that only link to other articles."""
    return {i for i, section in enumerate(article.sections) if section.heading in RELATED}


def states(article: Article) -> list[Sentence]:
    """List its sentences, without the links to other articles."""
    links = related(article)
    return [s for s in article.sentences if s.section not in links]


def is_gap(article: Article, sentence: Sentence) -> bool:
    """Whether a sentence says what no source was found to say ("No source seen gives ...").

    Such a sentence has no source of its own.
    """
    return not sentence.sources and bool(_GAP.match(article.quote(sentence)))


def measures(text: str) -> set[str]:
    """Find the figures of a sentence that measure something: no years, names of laws, hours of the day.

    >>> sorted(measures("As of May 2026, article 47 of the LFT and NOM-035 give 5 days and 2.5%."))
    ['2.5', '5']
    """
    return figures(_YEAR.sub(" ", _NAMES.sub(" ", text)))


def has_year(text: str) -> bool:
    """Whether a sentence says of when it speaks, or that its source is undated."""
    return bool(_YEAR.search(text) or _UNDATED.search(text))


def states_figure(text: str) -> bool:
    """Whether a sentence states a figure or a year, for which it needs a source."""
    return bool(measures(text) or _YEAR.search(_NAMES.sub(" ", text)))


def says_undated(text: str) -> bool:
    """Whether a sentence says that its source is undated."""
    return bool(_UNDATED.search(text))


_SCALES = {
    "thousand": 10**3,
    "mil": 10**3,
    "million": 10**6,
    "millones": 10**6,
    "millon": 10**6,
    "billion": 10**9,
    "mil millones": 10**9,
    "trillion": 10**12,
    "billones": 10**12,
}
_SCALE = re.compile(r"\b(mil millones|thousand|million|billion|trillion|millones|millon|billones|mil)\b")
_WORDS = {
    **dict.fromkeys(("one", "un", "una", "uno", "first", "primer", "primero", "primera", "primeros"), 1),
    **dict.fromkeys(("two", "dos", "second", "segundo", "segunda"), 2),
    **dict.fromkeys(("three", "tres", "third", "tercer", "tercero", "tercera"), 3),
    **dict.fromkeys(("four", "cuatro", "fourth", "cuarto", "cuarta"), 4),
    **dict.fromkeys(("five", "cinco", "fifth", "quinto", "quinta"), 5),
    **dict.fromkeys(("six", "seis", "sixth", "sexto", "sexta"), 6),
    **dict.fromkeys(("seven", "siete"), 7),
    **dict.fromkeys(("eight", "ocho"), 8),
    **dict.fromkeys(("nine", "nueve"), 9),
    **dict.fromkeys(("ten", "diez"), 10),
    **dict.fromkeys(("eleven", "once"), 11),
    **dict.fromkeys(("twelve", "doce"), 12),
    **dict.fromkeys(("half", "mitad"), 50),
}
_RAW = re.compile(r"\d+(?:[.,]\d+)*")


def says_value(text: str, value: Decimal, unit: str = "") -> bool:
    """Whether a sentence says a number: in digits, in words up to twelve, or scaled (`1.4 billion`).

    Years count for months where the unit is months; a half is 50 percent.

    >>> says_value("Revenue was 1.3 to 1.4 mil millones de dólares.", Decimal(1_300_000_000))
    True
    >>> says_value("Half of the staff left.", Decimal(50)), says_value("About 85,000 jobs.", Decimal(85))
    (True, False)
    """
    folded = fold(text)
    numbers = {Decimal(f) for f in figures(text)}
    for token in _RAW.findall(text):
        try:
            numbers.add(Decimal(token.replace(",", "")))
        except InvalidOperation:
            continue
    numbers.update(Decimal(_WORDS[w]) for w in re.findall(r"\w+", folded) if w in _WORDS)
    scales = {1} | {_SCALES[m] for m in _SCALE.findall(folded)}
    if unit == "months":
        scales.add(12)
    return any(number * scale == value for number in numbers for scale in scales)
