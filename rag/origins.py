"""Who says it: how many sources there really are behind an answer, and which of them speak of themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

from rag.corpus import Source
from rag.evidence import Citation, Claim
from rag.text import figures, fold, terms

Interest = Literal["", "vendor", "own"]

# Share of the terms of the shorter of two quotes that the other one has too.
_COPY = 0.85  # word for word, give or take a name: one text, whoever prints it
# From here two quotes tell one thing in other words; where nobody knows who published them, that is one source.
_SAME_STATEMENT = 0.3


def independent_sources(citations: Sequence[Citation]) -> int:
    """How many sources stand behind some citations, each origin counted once.

    Sources are one when they have one publisher, or one site; when their quotes copy each other; and, where neither
    publisher nor site is known, when their quotes state the same thing in other words, as the five poisoned passages
    of PoisonedRAG do (Zou et al. 2024, arXiv:2402.07867).
    """
    voices = [(source, citation) for citation in citations for source in citation.sources]
    groups: list[list[tuple[Source, Citation]]] = []
    for voice in voices:
        joined = [g for g in groups if any(_is_one(voice, other) for other in g)]
        groups = [g for g in groups if g not in joined] + [[voice, *(v for g in joined for v in g)]]
    return len(groups)


def interest(claim: Claim) -> Interest:
    """Whose word a claim rests on: "own" where a vendor speaks of itself, "vendor" where only vendors say it."""
    sources = [s for c in claim.citations for s in c.sources]
    if not sources or any(s.kind != "vendor" for s in sources):
        return ""
    language = claim.citations[0].language
    said = set(terms(claim.text, language))
    named = any(set(terms(s.publisher, language)[:1]) & said for s in sources)
    return "own" if named and _OF_ITSELF.search(fold(claim.text)) else "vendor"


_SAYS = (
    r"(?:says?|said|claim\w*|stat(?:es|ed)|report(?:s|ed)|announc\w+|dice|dijo|afirm\w+|declar\w+|inform\w+|anunci\w+)"
)
_OF_ITSELF = re.compile(
    rf"\b(?:describes itself|its own (?!state)|su propi[oa] (?!estado)|sus propi[oa]s"
    rf"|{_SAYS}\b[^.;]*? (?:that it|of its staff|that its|que sus?|que (?:ella|el) misma?))\b"
)


def _is_one(voice: tuple[Source, Citation], other: tuple[Source, Citation]) -> bool:
    (one, a), (two, b) = voice, other
    if one.id == two.id:
        return True
    mine, theirs = _origin(one), _origin(two)
    if mine and mine == theirs:
        return True
    if a == b:
        return False  # two sources named behind one sentence
    alike = _alike(a, b)
    numbers, others = figures(a.quote), figures(b.quote)
    agree = not numbers or not others or bool(numbers & others)
    return agree and (alike >= _COPY or (not mine and not theirs and alike >= _SAME_STATEMENT))


def _origin(source: Source) -> str:
    """Who published: the publisher, else the site, else nobody that is known."""
    try:
        site = urlsplit(source.url).hostname or ""
    except ValueError:
        site = ""
    return fold(source.publisher).strip() or site.removeprefix("www.")


def _alike(one: Citation, other: Citation) -> float:
    a, b = set(terms(one.quote, one.language)), set(terms(other.quote, other.language))
    return len(a & b) / max(1, min(len(a), len(b)))
