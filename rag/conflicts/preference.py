"""Why statements differ, and which of them to use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from rag.conflicts.told import Told
from rag.evidence import Citation, Statement
from rag.text import fold

Why = Literal["superseded", "year", "scope", "estimates", "contradiction"]

_ON_SCOPE = re.compile(
    r"\b(?:scopes?|areas? and units?|cover|covers|narrower|different (?:start|origins?|bases?)|both count|"
    r"counts?\b.*\bsecond|"
    r"(?:en|su|el|cambia el) alcance(?! de)|alcances|abarcan?|areas? y unidades|"
    r"distint[oa]s? (?:origen|origenes|bases?)|la segunda|poblaciones)\b"
)
_ESTIMATED = re.compile(
    r"\b(?:about|around|almost|nearly|roughly|over|more than|estimat\w+|forecast\w*|unofficial|undated|at least|"
    r"survey|opinion|cerca|unos|unas|alrededor|casi|mas de|estim\w+|pronostic\w+|extraoficial\w*|sin fecha|"
    r"al menos|encuesta)\b"
)
_REPLACED = re.compile(
    r"\b(?:amend\w+|reform\w*|decree|replaced|repealed|formerly|no longer|older|old amounts|before the|"
    r"decreto|sustitu\w+|derog\w+|ya no|antes de la)\b"
)
# Whose word weighs more where nothing else decides.
_WEIGHT = {"government": 0, "statistics": 0, "law-firm": 1, "association": 1, "analyst": 1, "press": 1}
_LIGHT = 2


def why_they_differ(statements: Sequence[Statement], declared: Told | None) -> Why:
    """Why they differ, as far as their words and the sentence that declares it tell."""
    said = fold(declared.quote if declared else "")
    quotes = fold(" ".join(s.text for s in statements))
    if _ON_SCOPE.search(said):
        return "scope"
    if len({s.as_of[:4] for s in statements if s.as_of}) > 1:
        newest = max(statements, key=lambda s: s.as_of)
        official = _weight(newest.citation) == 0
        return "superseded" if official and _REPLACED.search(f"{said} {quotes}") else "year"
    return "estimates" if _ESTIMATED.search(quotes) else "contradiction"


def _weight(citation: Citation) -> int:
    return min((_WEIGHT.get(s.kind, _LIGHT) for s in citation.sources), default=_LIGHT)


def preferred(statements: Sequence[Statement], why: Why) -> tuple[Statement | None, str]:
    """The side to use, and what for: "newest", "official", "independent", or none and ""."""
    if why in ("superseded", "year"):
        return max(statements, key=lambda s: s.as_of), "newest"
    weights = [_weight(s.citation) for s in statements]
    lightest = min(weights)
    if why == "scope" or weights.count(lightest) > 1:
        return None, ""
    return statements[weights.index(lightest)], "official" if lightest == 0 else "independent"
