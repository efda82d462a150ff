"""What a sentence states that can be checked one by one: quantities, dates, names, and the words that turn it round.

Both languages give the same keys, so that a Spanish sentence can be held to an English quote.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rag.language import detect
from rag.markers import CONCEPTS, FRACTIONS, MARKERS, MONTH_KEYS, NUMBER_WORDS, PLACES, SCALES, SPANISH_NUMBERS, Marker
from rag.text import Language, figure, fold, terms

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[%$€£]|[Tt]-[Mm][Ee][Cc]|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]", re.UNICODE)
_YEAR = re.compile(r"(?:1[89]|20)\d\d\Z")
_COGNATE = 5  # letters that a word of one language and its cousin in the other have in common from the start


class Token(NamedTuple):
    """A word, figure or sign: as written, folded, its stem ("" for a word without content), its clause."""

    raw: str
    folded: str
    stem: str
    concept: str
    clause: int


class Quantity(NamedTuple):
    """A number that is said: the values it may mean (`1.3 to 1.4 million`), its unit, the token it stands at."""

    values: frozenset[str]
    unit: str
    at: int
    year: bool
    written: str


class Mark(NamedTuple):
    """A word that turns a statement: its class (direction, negation …), what it says, the token it stands at."""

    kind: str
    value: str
    at: int
    until: int
    firm: bool
    written: str


class Name(NamedTuple):
    """A place or another name, by its key in both languages."""

    key: str
    place: bool
    at: int
    written: str


@dataclass(frozen=True, slots=True)
class Particulars:
    """A text, read. `months` are dates' months as `2012`-less keys; `frame` tokens are those of no statement."""

    text: str
    language: Language
    tokens: tuple[Token, ...]
    quantities: tuple[Quantity, ...]
    months: tuple[Name, ...]
    names: tuple[Name, ...]
    marks: tuple[Mark, ...]

    def of(self, kind: str) -> list[Mark]:
        """Its marks of one class."""
        return [m for m in self.marks if m.kind == kind]


@lru_cache(maxsize=8192)
def read(text: str, language: Language | None = None) -> Particulars:
    """Read a sentence or several.

    >>> p = read("In Tijuana, wages rose 13% to US$1.4 billion in 2025.")
    >>> [(sorted(q.values)[0], q.unit) for q in p.quantities], [n.key for n in p.names], p.of("direction")[0].value
    ([('13', 'percent'), ('1400000000', 'usd'), ('2025', '')], ['tijuana'], 'up')
    """
    spoken = language or detect(text)
    tokens = tuple(_tokens(text, spoken))
    joined, starts = _joined(tokens)
    places = tuple(_places(tokens))
    taken = {i for name in places for i in range(name.at, name.at + name.key.count(" ") + 1)}
    marks = tuple(m for m in _marks(joined, starts, spoken, tokens) if m.at not in taken)
    return Particulars(
        text,
        spoken,
        tokens,
        tuple(_quantities(tokens, spoken)),
        tuple(
            Name(MONTH_KEYS[t.folded], place=False, at=i, written=t.raw)
            for i, t in enumerate(tokens)
            if t.folded in MONTH_KEYS and (t.folded != "may" or (t.raw[:1].isupper() and _near_number(tokens, i)))
        ),
        (*places, *_other_names(tokens, taken)),
        marks,
    )


def places_in(text: str) -> dict[str, str]:
    """The places that a text names: their keys, equal in both languages, and how they are written.

    >>> places_in("¿Cuánto ganan en la CDMX y en Polonia?")
    {'mexico city': 'CDMX', 'poland': 'Polonia'}
    """
    tokens = [Token(raw, _folded(raw), "", "", 0) for raw in _TOKEN.findall(text) if raw[0].isalnum() or raw in "%$€£"]
    return {name.key: name.written for name in _places(tokens)}


def is_year(written: str) -> bool:
    """Whether a number is written as years are."""
    return bool(_YEAR.match(written))


def _near_number(tokens: tuple[Token, ...], at: int) -> bool:
    return any(t.raw[0].isdecimal() for t in tokens[max(0, at - 2) : at + 3])


# --- tokens --------------------------------------------------------------------------------------


def _tokens(text: str, language: Language) -> Iterator[Token]:
    clause = 0
    for match in _TOKEN.finditer(text):
        raw = match.group()
        if not (raw[0].isalnum() or raw in "%$€£"):
            clause += raw in ",;:.()—–[]"
            continue
        folded = _folded(raw)
        if raw[0].isdecimal():
            yield Token(raw, folded, figure(raw), figure(raw), clause)
            continue
        stem = _stem(raw, language)
        yield Token(raw, folded, stem, _concept(folded, stem), clause)


@lru_cache(maxsize=65_536)
def _folded(raw: str) -> str:
    return re.sub(r"['’]s?$", "", fold(raw).replace("’", "'").replace("t-mec", "tmec"))


@lru_cache(maxsize=65_536)
def _stem(word: str, language: Language) -> str:
    found = terms(word, language)
    return found[0] if found else ""


@lru_cache(maxsize=65_536)
def _concept(folded: str, stem: str) -> str:
    """What a word of either language is known by across both: its group in the table, else its first letters."""
    if not stem:
        return ""
    found = _concepts().get(stem) or _concepts().get(folded)
    return found or (folded[:_COGNATE] if len(folded) > _COGNATE else folded)


@lru_cache(maxsize=1)
def _concepts() -> Mapping[str, str]:
    table: dict[str, str] = {}
    for number, row in enumerate(CONCEPTS):
        for language, words in zip(("en", "es"), row.split("|"), strict=True):
            for word in words.split():
                table.setdefault(fold(word), f"#{number}")
                table.setdefault(_stem(word, "en" if language == "en" else "es"), f"#{number}")
    table.pop("", None)
    return table


def _joined(tokens: tuple[Token, ...]) -> tuple[str, list[int]]:
    starts, at = [], 0
    for token in tokens:
        starts.append(at)
        at += len(token.folded) + 1
    return " ".join(t.folded for t in tokens), starts


# --- quantities ----------------------------------------------------------------------------------

_UNITS = {
    "%": "percent", "percent": "percent", "percentage": "percent", "porcentual": "percent", "porcentuales": "percent",
    "peso": "mxn", "pesos": "mxn", "mxn": "mxn", "mx": "mxn", "dollar": "usd", "dollars": "usd", "dolar": "usd",
    "dolares": "usd", "usd": "usd", "us": "usd", "dls": "usd", "euro": "eur", "euros": "eur", "eur": "eur", "€": "eur",
    "hour": "hour", "hours": "hour", "hora": "hour", "horas": "hour", "day": "day", "days": "day", "dia": "day",
    "dias": "day", "week": "week", "weeks": "week", "semana": "week", "semanas": "week", "month": "month",
    "months": "month", "mes": "month", "meses": "month", "minute": "minute", "minutes": "minute", "minuto": "minute",
    "minutos": "minute", "seconds": "second", "segundos": "second", "years": "years", "anos": "years",
}  # fmt: skip
_JOINS = {"to", "and", "or", "a", "y", "o", "through", "hasta", "e", "u"}


def _quantities(tokens: tuple[Token, ...], language: Language) -> Iterator[Quantity]:
    for at, token in enumerate(tokens):
        digits = token.raw[0].isdecimal()
        word = NUMBER_WORDS.get(token.folded)
        if not digits and (word is None or not _counts(tokens, at, language)):
            continue
        base = figure(token.raw) if digits else str(word)
        after, unit_at = _scale(tokens, at)
        values = {_times(base, after)} if after else {base}
        if not after:  # "1.3 to 1.4 million", "de 5 a 6 mil pesos": the scale of the second is the first one's too
            follows = _range_end(tokens, at)
            if follows is not None:
                shared, unit_at = _scale(tokens, follows)
                if shared:
                    values.add(_times(base, shared))
        unit = _unit(tokens, at, unit_at)
        year = bool(_YEAR.match(token.raw)) and not after and not unit
        yield Quantity(frozenset(values), unit, at, year, token.raw)


def _counts(tokens: tuple[Token, ...], at: int, language: Language) -> bool:
    """Whether a number word counts here: "once" and "quince" do in Spanish only, "third" only before "of"."""
    folded = tokens[at].folded
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if folded in SPANISH_NUMBERS:
        return language == "es"
    if folded in FRACTIONS:
        return following is not None and following.folded in FRACTIONS[folded]
    return True


def _scale(tokens: tuple[Token, ...], at: int) -> tuple[int, int]:
    """The factor that follows a number, and the token after it."""
    factor, following = 1, at + 1
    while following < len(tokens) and tokens[following].folded in SCALES and following <= at + 2:
        factor *= SCALES[tokens[following].folded]
        following += 1
    return (factor if factor > 1 else 0), following


def _range_end(tokens: tuple[Token, ...], at: int) -> int | None:
    following = at + 1
    if following < len(tokens) and tokens[following].folded in _JOINS:
        following += 1
    if following < len(tokens) and tokens[following].raw in ("$", "us"):
        following += 1
    if following < len(tokens) and tokens[following].raw[0].isdecimal() and following > at:
        return following
    return None


def _unit(tokens: tuple[Token, ...], at: int, after: int) -> str:
    before = tokens[at - 1].folded if at else ""
    before2 = tokens[at - 2].folded if at > 1 else ""
    following = [t.folded for t in tokens[after : after + 3]]
    if following[:2] in (["per", "cent"], ["por", "ciento"]):
        return "percent"
    if following and following[0] == "de":
        following = following[1:]
    if following and following[0] in ("mexican", "us", "u", "american"):
        following = following[1:]
    if before == "$":
        if before2 in ("us", "usd", "u"):
            return "usd"
        if before2 in ("mx", "mxn"):
            return "mxn"
        return _UNITS.get(following[0], "money") if following else "money"
    if before in ("usd", "mxn", "eur"):
        return before
    return _UNITS.get(following[0], "") if following else ""


def _times(base: str, factor: int) -> str:
    whole, _, decimals = base.partition(".")
    scaled = int(whole + decimals) * factor
    if not decimals:
        return str(scaled)
    quotient, rest = divmod(scaled, 10 ** len(decimals))
    return figure(f"{quotient}.{rest:0{len(decimals)}d}") if rest else str(quotient)


# --- names ---------------------------------------------------------------------------------------


_MONEY_WORDS = {"$", "dollar", "dollars", "cents"}


@lru_cache(maxsize=1)
def _spellings() -> Mapping[str, Sequence[tuple[tuple[str, ...], str]]]:
    """How places are written and their keys, by the first word, the longest first."""
    table: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for row in PLACES:
        spelled = [tuple(fold(s).split()) for s in row.split("|")]
        for words in spelled:
            table.setdefault(words[0], []).append((words, " ".join(spelled[0])))
    return {first: sorted(found, key=lambda s: -len(" ".join(s[0]))) for first, found in table.items()}


def _places(tokens: Sequence[Token]) -> Iterator[Name]:
    at, table = 0, _spellings()
    folded = [t.folded for t in tokens]
    while at < len(tokens):
        match = next((s for s in table.get(folded[at], ()) if tuple(folded[at : at + len(s[0])]) == s[0]), None)
        if match is None:
            at += 1
            continue
        words, key = match
        first, last = at, at + len(words)
        raw, at = tokens[first].raw, last
        # "us", "leon", "union": a word of every day unless it is written as a name.
        if (len(" ".join(words)) <= 4 and not raw[:1].isupper()) or (words == ("us",) and not raw.isupper()):
            continue
        if words == ("us",) and last < len(tokens) and folded[last] in _MONEY_WORDS:
            continue
        yield Name(key, place=True, at=first, written=" ".join(t.raw for t in tokens[first:last]))


_NO_NAMES = frozenset(
    "i january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday us usd mxn peso".split()
)


def _other_names(tokens: tuple[Token, ...], taken: set[int]) -> Iterator[Name]:
    for at, token in enumerate(tokens):
        raw = token.raw
        if at in taken or not raw[0].isupper() or not token.stem or token.folded in _NO_NAMES:
            continue
        opens = at == 0
        acronym = len(raw) > 1 and raw.isupper()
        if opens and not acronym and not (at + 1 < len(tokens) and tokens[at + 1].raw[0].isupper()):
            continue
        yield Name(token.stem, place=False, at=at, written=raw)


# --- marks ---------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _compiled(language: Language) -> tuple[tuple[Marker, re.Pattern[str]], ...]:
    return tuple(
        (marker, re.compile(rf"(?<!\S)(?:{pattern})(?!\S)"))
        for marker in MARKERS
        if (pattern := marker.en if language == "en" else marker.es)
    )


def _marks(joined: str, starts: list[int], language: Language, tokens: tuple[Token, ...]) -> Iterator[Mark]:
    for marker, pattern in _compiled(language):
        for match in pattern.finditer(joined):
            if not match.group():
                continue
            at = bisect_right(starts, match.start()) - 1
            last = bisect_right(starts, match.end() - 1) - 1
            if at and tokens[at].raw[0].isupper() and not tokens[at].raw.isupper():
                continue  # part of a name: "La Izquierda Diario", "Best Buy"
            yield Mark(marker.kind, marker.value, at, last, marker.firm, match.group())
