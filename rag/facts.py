"""What a sentence states: its amounts with their units, the dates it names, its rows of figures.csv."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from rag.corpus import Article, Problem, is_corpus_folder
from rag.text import LANGUAGES, MONTHS, Language, figure, fold, terms

FIGURES = "figures.csv"
COLUMNS = (
    "metric", "low", "high", "unit", "place", "scope", "as_of", "source", "article",
    "sentence_en", "sentence_es",
)  # fmt: skip
UNDATED = "undated"

# --- amounts -------------------------------------------------------------------------------------


class Amount(NamedTuple):
    """A number, or a range, with what it counts: `unit` is "percent", a currency, or "" with the terms of `noun`.

    `bound` says how it is meant: "" as it stands, "about", "more" (more than), "less" (less than, up to).
    """

    low: float
    high: float
    unit: str
    noun: frozenset[str]
    bound: str
    start: int
    end: int


_NUMBER = r"\d+(?:[.,]\d+)*"
_SCALES: Mapping[str, float] = {
    "thousand": 1e3, "mil": 1e3, "million": 1e6, "millon": 1e6, "millones": 1e6, "billion": 1e9,
    "mil millones": 1e9, "trillion": 1e12, "billones": 1e12,
}  # fmt: skip
_AMOUNT = re.compile(
    r"(?P<sign>US\$|MX\$|[$€£])?\s?"
    rf"(?<![\w.,-])(?P<low>{_NUMBER})"
    rf"(?:\s?(?:-|–|to|a)\s?(?:US\$|[$€£])?(?P<high>{_NUMBER}))?(?![\d-])"
    r"(?:\s(?P<scale>mil millones|thousand|million|billion|trillion|millones|mill[oó]n|billones|mil)\b)?"
    r"(?:\s(?:de\s)?(?P<word>percent|per cent|por ciento|pesos?|d[oó]lares|dollars?|usd|mxn|euros?|uma)\b"
    r"|\s?(?P<percent>%))?",
    re.IGNORECASE,
)
_CURRENCIES: Mapping[str, str] = {
    "us$": "usd", "$": "usd", "mx$": "mxn", "€": "eur", "£": "gbp", "peso": "mxn", "pesos": "mxn", "mxn": "mxn",
    "dolares": "usd", "dollar": "usd", "dollars": "usd", "usd": "usd", "euro": "eur", "euros": "eur", "uma": "uma",
    "percent": "percent", "per cent": "percent", "por ciento": "percent",
}  # fmt: skip
_BOUNDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("more", re.compile(r"\b(?:more than|over|at least|above|upwards of|mas de|al menos|por lo menos|arriba de)\s*$")),
    ("less", re.compile(r"\b(?:less than|fewer than|under|up to|below|at most|menos de|hasta|a lo mas)\s*$")),
    (
        "about",
        re.compile(
            r"\b(?:about|around|almost|nearly|roughly|close to|approximately|some|near|cerca de|unos|unas|casi|"
            r"alrededor de|aproximadamente|cercan\w a)\s*$"
        ),
    ),
)
# A number after one of these names a thing and counts nothing: NOM-035, article 15, Level 3.
_NAMES = re.compile(
    r"\b(?:nom|article|articles|art|articulos?|section|fraction|fraccion|level|nivel|tier|title|title|chapter|"
    r"capitulo|version|act of|sector|occupation|ocupacion|no)\.?[\s-]*$"
)
_ENDS_NOUN = re.compile(
    r"[,;:.()]|\d|\b(?:in|of|at|by|for|from|to|on|with|and|or|de|del|en|a|por|para|con|y|o|que|who|that|were|was|is|"
    r"are|had|has|fueron|era|eran|son|tenia|habia)\b"
)
_YEAR = re.compile(r"\b(?:1[89]|20)\d{2}\b")


@lru_cache(maxsize=8192)
def amounts(quote: str, language: Language) -> tuple[Amount, ...]:
    """The amounts of a sentence, in order; years, dates and numbers that are names are left out.

    >>> [(a.low, a.high, a.unit, a.bound) for a in amounts("Over 1.4 million people earn US$5-6 in 2024.", "en")]
    [(1400000.0, 1400000.0, '', 'more'), (5.0, 6.0, 'usd', '')]
    """
    plain = _without_dates(quote)
    found: list[Amount] = []
    for match in _AMOUNT.finditer(plain):
        before = fold(plain[max(0, match.start() - 28) : match.start()])
        unit = _unit(match)
        if _NAMES.search(before) or (not unit and not match["scale"] and _is_year(match)):
            continue
        scale = _SCALES[fold(match["scale"])] if match["scale"] else 1.0
        low = float(figure(match["low"])) * scale
        high = float(figure(match["high"])) * scale if match["high"] else low
        if high < low:  # "fell from 19.44 to 16.80", or "1.2 to 3 million"
            low, high = (low / scale, high) if low / scale <= high else (high, low)
        bound = next((name for name, pattern in _BOUNDS if pattern.search(before)), "")
        found.append(Amount(low, high, unit, _noun(plain, match.end(), language), bound, match.start(), match.end()))
    return tuple(found)


def differ(one: Amount, other: Amount) -> bool:
    """Whether two amounts cannot both be right: not a range that holds the other, not one number rounded.

    >>> a, b, c = amounts("34,230, about 34,000 and 36,000", "en")
    >>> differ(a, b), differ(a, c)
    (False, True)
    """
    if one.low <= other.high and other.low <= one.high:
        return False
    below, above = (one, other) if one.high < other.low else (other, one)
    gap = above.low - below.high
    return gap > max(_slack(below, below.high), _slack(above, above.low))


def same_unit(one: Amount, other: Amount) -> bool:
    """Whether two amounts are of one kind: both percentages, one currency, or counts of one thing."""
    if one.unit or other.unit:
        return one.unit == other.unit
    return not one.noun or not other.noun or bool(one.noun & other.noun)


def _slack(amount: Amount, value: float) -> float:
    """How far another number may lie from this one to be the same number told more exactly."""
    if value != int(value):
        decimals = len(f"{value:.6f}".rstrip("0").partition(".")[2])
        return 0.5 * 10.0**-decimals
    digits = str(int(value))
    zeros = len(digits) - len(digits.rstrip("0"))
    if amount.bound or zeros >= 2:
        return 0.5 * 10.0**zeros
    return 0.5 if amount.unit == "percent" else 0.0


def _unit(match: re.Match[str]) -> str:
    if match["percent"]:
        return "percent"
    return _CURRENCIES.get(fold(match["word"] or match["sign"] or ""), "")


def _is_year(match: re.Match[str]) -> bool:
    return all(bool(_YEAR.fullmatch(match[g])) for g in ("low", "high") if match[g])


def _noun(quote: str, after: int, language: Language) -> frozenset[str]:
    rest = quote[after : after + 60]
    stop = _ENDS_NOUN.search(fold(rest)) if fold(rest).isascii() and len(fold(rest)) == len(rest) else None
    stop = stop or _ENDS_NOUN.search(rest)
    if stop and not rest[: stop.start()].strip():
        of = re.match(r"\s(?:of|de)\s", rest)
        if not of:
            return frozenset()
        rest = rest[of.end() :]
        stop = _ENDS_NOUN.search(rest)
    return frozenset(terms(rest[: stop.start()] if stop else rest, language)[:4])


# --- dates ---------------------------------------------------------------------------------------

_MONTHS = {fold(name): n for names in MONTHS.values() for n, name in enumerate(names, 1)} | {"setiembre": 9}
_MONTH = "|".join(_MONTHS)
_DATE = re.compile(
    rf"\b(?:(?P<month>{_MONTH}) (?P<day>\d{{1,2}})(?:,? (?P<year>\d{{4}}))?"
    rf"|(?P<day2>\d{{1,2}})(?: de)? (?P<month2>{_MONTH})(?:,?(?: de| del)? (?P<year2>\d{{4}}))?"
    rf"|(?P<month3>{_MONTH})(?: de| del)? (?P<year3>\d{{4}}))\b",
    re.IGNORECASE,
)


def dates(quote: str) -> tuple[str, ...]:
    """The dates of a sentence, each once, in order: `YYYY-MM-DD`, `YYYY-MM`, `--MM-DD` (no year), `YYYY`.

    >>> dates("On December 4 or 5 de diciembre de 2023, as of May 2026, since 2019")
    ('--12-04', '2023-12-05', '2026-05', '2019')
    """
    found: list[tuple[int, str]] = []
    for match in _DATE.finditer(quote):
        month = _MONTHS[fold(match["month"] or match["month2"] or match["month3"])]
        year, day = match["year"] or match["year2"] or match["year3"], match["day"] or match["day2"]
        found.append((match.start(), "-".join([year or "-", f"{month:02d}", *([f"{int(day):02d}"] if day else [])])))
    found += [(m.start(), m.group()) for m in _YEAR.finditer(_without_dates(quote))]
    return tuple(dict.fromkeys(text for _, text in sorted(found)))


def _without_dates(quote: str) -> str:
    """The sentence with its dates blanked out, so that offsets stay."""
    return _DATE.sub(lambda m: " " * len(m.group()), quote)


# --- the rows of figures.csv -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of figures.csv: one number of the sector, its scope and date, and the sentences that state it."""

    metric: str
    low: Decimal
    high: Decimal
    unit: str
    place: str
    scope: str
    as_of: str
    source: str
    article: str
    sentences: Mapping[Language, str]
    line: int


def read_figures(file: Path) -> tuple[list[Figure], list[Problem]]:
    """Read a figures.csv: the rows that can be read, and what is wrong with the others."""
    rows: list[Figure] = []
    problems: list[Problem] = []
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            return [], [Problem(str(file), 1, f"expected the columns {','.join(COLUMNS)}")]
        for row in reader:
            if None in row or None in row.values():
                problems.append(Problem(str(file), reader.line_num, f"expected {len(COLUMNS)} columns"))
                continue
            try:
                low, high = Decimal(row["low"]), Decimal(row["high"])
            except InvalidOperation:
                message = f"low {row['low']!r}, high {row['high']!r}: expected plain numbers"
                problems.append(Problem(str(file), reader.line_num, message))
                continue
            texts: dict[Language, str] = {language: row[f"sentence_{language}"] for language in LANGUAGES}
            plain = {c: row[c] for c in COLUMNS if c not in ("low", "high") and not c.startswith("sentence_")}
            rows.append(Figure(**plain, low=low, high=high, sentences=texts, line=reader.line_num))
    return rows, problems


class Figures:
    """The rows of figures.csv, by the sentences that state them.

    A row counts only where its sentence stands, word for word, in an article that is served: a table that
    belongs to other articles, or to other words, says nothing.
    """

    def __init__(self, rows: Iterable[Figure] = (), articles: Mapping[str, Article] | None = None) -> None:
        self._of: dict[tuple[str, int], tuple[Figure, ...]] = {}
        self._alike: dict[tuple[str, str, str], dict[int, Figure]] = defaultdict(dict)
        self._place: dict[tuple[int, str], tuple[str, int]] = {}
        by_slug: dict[str, list[Figure]] = defaultdict(list)
        for row in rows:
            by_slug[row.article].append(row)
        for article in (articles or {}).values():
            own = by_slug.get(article.id.rpartition("/")[2])
            if own:
                self._bind(article, own)

    @classmethod
    def read(cls, paths: Iterable[Path], articles: Mapping[str, Article]) -> Figures:
        """The tables of the corpus folders among some paths; none where there is none, or none can be read."""
        rows: list[Figure] = []
        for path in paths:
            file = path / FIGURES
            if is_corpus_folder(path) and file.is_file():
                try:
                    rows += read_figures(file)[0]
                except (OSError, UnicodeDecodeError):
                    continue  # the articles answer without their table
        return cls(rows, articles)

    def of(self, article: str, number: int) -> tuple[Figure, ...]:
        """The rows that a sentence states."""
        return self._of.get((article, number), ())

    def alike(self, row: Figure) -> list[Figure]:
        """Every row of the same metric, unit and place."""
        return list(self._alike[row.metric, row.unit, row.place].values())

    def place(self, row: Figure, language: Language) -> tuple[str, int] | None:
        """The article and the number of the sentence that states a row in a language, where it is served."""
        return self._place.get((row.line, language))

    def _bind(self, article: Article, rows: Iterable[Figure]) -> None:
        numbers = {article.quote(s): n for n, s in enumerate(article.sentences)}
        for row in rows:
            number = numbers.get(row.sentences[article.language])
            if number is None:
                continue
            key = (article.id, number)
            self._of[key] = (*self._of.get(key, ()), row)
            self._place[row.line, article.language] = key
            self._alike[row.metric, row.unit, row.place][row.line] = row


def as_of(quote: str, rows: Iterable[Figure] = ()) -> str:
    """The date for which a sentence holds: that of its rows, else the latest that it names; "" when undated."""
    told = {row.as_of for row in rows}
    if len(told) == 1:
        (only,) = told
        return "" if only == UNDATED else only
    full = [d for d in dates(quote) if not d.startswith("--")]
    return max(full, key=lambda d: (d[:4], d), default="")
