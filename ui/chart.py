"""Values over time: taken from quotes only where each names one value of the same thing in one year; drawn as bars."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from rag.answer import Answer
from rag.evidence import Citation
from rag.text import MONTHS, figure, fold

FEWEST = 3
WIDEST = 16
_YEAR = re.compile(
    rf"(?:\b(?:{'|'.join(MONTHS['en'])}) \d{{1,2}}, |\b\d{{1,2}} de (?:{'|'.join(MONTHS['es'])}) del? )?"
    r"\b(?P<year>(?:19|20)\d{2})\b"
)
_VALUE = re.compile(
    r"(?P<before>US\$|MX\$|\$|€)?\s?(?P<number>\d+(?:[.,]\d+)*)\s?(?P<after>%|[^\W\d_]+)?(?:\s(?P<next>[^\W\d_]+))?"
)
_SCALES = {"thousand": 1e3, "mil": 1e3, "million": 1e6, "millones": 1e6, "millon": 1e6, "billion": 1e9}


class Value(NamedTuple):
    """One value of a series: its year, its size, its words, and where it is quoted."""

    year: int
    size: float
    words: str
    citation: Citation


def values_over_time(given: Answer) -> list[Value]:
    """The values of an answer's sentences, oldest first, when three or more years have one of the same unit.

    A sentence that names two years or two values could be read in two ways, so it gives none.
    """
    series: dict[tuple[str, str], dict[int, Value]] = defaultdict(dict)
    for claim in given.claims:
        read = _read(claim.text)
        if read is not None:
            unit, year, size, words = read
            series[unit].setdefault(year, Value(year, size, words, claim.citations[0]))
    longest = max(series.values(), key=len, default={})
    return [longest[year] for year in sorted(longest)] if len(longest) >= FEWEST else []


def _read(sentence: str) -> tuple[tuple[str, str], int, float, str] | None:
    years = {m["year"] for m in _YEAR.finditer(sentence)}
    rest = _YEAR.sub(" ", sentence)
    found = list(_VALUE.finditer(rest))
    if len(years) != 1 or len(found) != 1:
        return None
    one = found[0]
    after = fold(one["after"] or "")
    scale = _SCALES.get(after, 1.0)
    unit = fold(one["next"] or "") if after in _SCALES else after
    if not unit and not one["before"]:
        return None
    size = float(figure(one["number"])) * scale
    words = one.group() if after in _SCALES else one.group()[: one.end("after") - one.start()]
    return (one["before"] or "", unit), int(years.pop()), size, words.strip()


def bars(series: Sequence[Value]) -> list[str]:
    """Draw each value of a series from zero, with characters that no sanitiser takes away.

    >>> bars([Value(2012, 4.0, "4", None), Value(2020, 8.0, "8", None)])
    ['████████', '████████████████']
    """
    most = max(abs(v.size) for v in series) or 1.0
    return ["█" * max(1, round(WIDEST * abs(v.size) / most)) for v in series]
