"""Whether quotes carry a sentence, and which checks say so: no model, both languages, either way round.

A sentence is read into its particulars (`rag.particulars`), and each must be found in the words quoted, at a place
that speaks of the same thing: a number or a name that the quote has, but says of something else, does not count.
What a quote denies or only expects must be denied or expected in the sentence.

What is compared, and where: places in two texts (`alignment`), `numbers` and dates, places and other `names`, and
the `statements` made of them; `spelling` writes both one way first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rag.language import detect
from rag.markers import MUST_STAY
from rag.particulars import read
from rag.support.alignment import Finding, Pair
from rag.support.names import other_names, places
from rag.support.numbers import bounds, months, numbers, turned
from rag.support.spelling import one_way
from rag.support.statements import dropped, edited, marks, speakers, words
from rag.text import Language, sentences

__all__ = ["Finding", "Scorer", "Support", "Verdict", "support"]

Verdict = Literal["supported", "contradicted", "unsupported"]
# A scorer that was trained for it: sentence and quotes -> probability that they carry it.
Scorer = Callable[[str, Sequence[str]], float]

SCORE = 0.5  # below this a trained scorer overrules the rules


@dataclass(frozen=True, slots=True)
class Support:
    """The verdict on a sentence, and every check that was made for it."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The checks that did not hold."""
        return tuple(f for f in self.findings if not f.held)


def support(
    claim: str,
    quotes: Sequence[str],
    *,
    frame: Sequence[str] = (),
    names: frozenset[str] = frozenset(),
    language: Language | None = None,
    scorer: Scorer | None = None,
) -> Support:
    """Judge whether the quotes carry a sentence.

    `frame` is what stands around the quotes (titles, headings, publishers): it can lend a name that they leave
    out, never a number or date. `names` are terms known to be names, for those that open a sentence; `language` is
    that of the sentence, told from its words when it is not given.

    >>> quote = "Wages in Tijuana rose 13% in 2025."
    >>> support("In 2025, pay rose by 13% in Tijuana.", [quote]).verdict
    'supported'
    >>> [(f.check, f.said, f.quoted) for f in support("Wages in Tijuana fell 13% in 2025.", [quote]).failed]
    [('direction', 'fell', 'rose')]
    """
    if any(_plain(claim) == _plain(part) for quote in quotes for part in (quote, *_sentences(quote))):
        return Support("supported", (Finding("quoted", held=True),))
    spoken = language or detect(claim)
    said = read(one_way(claim, spoken), spoken)
    written = [(q, detect(q)) for q in quotes]
    pair = Pair(said, tuple(read(one_way(q, x), x) for q, x in written), tuple(read(f) for f in frame))
    findings = [
        *numbers(pair),
        *turned(pair),
        *bounds(pair),
        *months(pair),
        *places(pair),
        *other_names(pair, names),
        *marks(pair),
        *speakers(pair),
        *dropped(pair),
        *edited(pair),
        words(pair),
    ]
    if scorer is not None:
        score = scorer(claim, quotes)
        findings.append(Finding("scorer", score >= SCORE, f"{score:.2f}"))
    findings = list(dict.fromkeys(findings))
    failed = [f for f in findings if not f.held]
    against = any(f.quoted or f.check in MUST_STAY for f in failed)
    return Support("contradicted" if against else "unsupported" if failed else "supported", tuple(findings))


def _plain(text: str) -> str:
    return re.sub(r"[\s\"“”'‘’*_]+", " ", text).strip(" .").casefold()


@lru_cache(maxsize=4096)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(text[a:b] for a, b in sentences(text))
