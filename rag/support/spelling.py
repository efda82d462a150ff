"""Other usual ways of writing what a sentence states: shares in words, quarters, Spanish thousands, initials.

What is compared is written one way first, so that "nine in ten" is "90%" and "Q1" is the first quarter.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.markers import NUMBER_WORDS
from rag.text import Language, fold

_COUNT = (
    r"\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|un[oa]?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez"
)
_ONE = {"one": 1, "un": 1, "uno": 1, "una": 1, "a": 1, "an": 1}
_PARTS = {
    **dict.fromkeys(("quarter", "cuarta"), 25),
    **dict.fromkeys(("fifth", "quinta"), 20),
    **dict.fromkeys(("tenth", "decima"), 10),
    **dict.fromkeys(("half", "mitad"), 50),
}
_QUARTERS = {
    "en": ("first quarter", "second quarter", "third quarter", "fourth quarter"),
    "es": ("primer trimestre", "segundo trimestre", "tercer trimestre", "cuarto trimestre"),
}
_Into = Callable[[re.Match[str]], str]
_QUARTER = re.compile(r"\bQ([1-4])\b|\b([1-4])T(?= (?:de )?20\d\d)")


def _number(word: str) -> int:
    plain = fold(word)
    return int(plain) if plain.isdecimal() else _ONE.get(plain) or NUMBER_WORDS[plain]


def _share(match: re.Match[str]) -> str:
    part, whole = _number(match[1]), _number(match[2])
    return f"{100 * part / whole:g}%" if 0 < part < whole else match[0]


def _part(match: re.Match[str]) -> str:
    return f"{_PARTS[fold(match[1])]}% {match[2].strip()}"


def _rule(pattern: str, into: str | _Into) -> tuple[re.Pattern[str], _Into]:
    return re.compile(pattern, re.IGNORECASE), (lambda match: match.expand(into)) if isinstance(into, str) else into


_RULES = (
    _rule(r"\b(\d{1,3}) mil (\d{3})\b", r"\1,\2"),
    _rule(rf"\b({_COUNT}) (?:in|out of|of every|de cada) (?:every )?({_COUNT})\b", _share),
    _rule(r"\b(?:an?|one|una|la|un) (quarter|fifth|tenth|cuarta|quinta|d[eé]cima) (?:parte )?((?:of|de|del)\b)", _part),
    _rule(r"\b(?:la )?(half|mitad)( (?:of|de|del|the)\b)", _part),
    _rule(r"\bthe first three months of (?=20\d\d)", "the first quarter of "),
    _rule(r"\bJanuary (?:to|through|and) March\b", "first quarter"),
    _rule(r"\b(?:entre )?enero (?:a|y) marzo\b", "primer trimestre"),
    _rule(r"\bno fechad(?:o|a|os|as)\b", "sin fecha"),
    _rule(r"\b(?:without a date|that (?:carries|has|bears) no date|with no date)\b", "undated"),
    _rule(r"\bFederal Labor Law\b(?: \(LFT\))?|\bLey Federal del Trabajo\b(?: \(LFT\))?", "LFT"),
    _rule(r"\bsoftware as a service\b|\bsoftware como servicio\b", "SaaS"),
    _rule(r"\btecnolog[ií]as de la informaci[oó]n\b", "TI"),
    _rule(r"\binformation technology\b", "IT"),
)


def one_way(text: str, language: Language) -> str:
    """Write a text so that what is the same reads the same.

    >>> one_way("Nine in ten agents, a fifth of them in Q1 2025.", "en")
    '90% agents, 20% of them in first quarter 2025.'
    """
    for pattern, into in _RULES:
        text = pattern.sub(into, text)
    return _QUARTER.sub(lambda match: _QUARTERS[language][int(match[1] or match[2]) - 1], text)
