"""Question + evidence -> Answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rag import words
from rag.evidence import Candidate, Citation, Claim, Conflict, Evidence, years
from rag.models import Vectors
from rag.question import Question
from rag.retrieve import Hit
from rag.text import Language
from rag.weights import THRESHOLD


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question gets. A refusal is an answer without claims; its `note` says so in the asker's language."""

    question: str
    language: Language
    claims: tuple[Claim, ...] = ()
    note: str = ""
    closest: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    missing: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    passages: tuple[Hit, ...] = ()
    standalone_question: str = ""
    confidence: float = 0.0
    mode: str = "quotes"
    index_version: str = ""
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether anything is stated."""
        return bool(self.claims)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Every citation once, in order of first use; the first is number 1."""
        cited = [c for claim in self.claims for c in claim.citations]
        cited += [s.citation for conflict in self.conflicts for s in conflict.statements]
        return tuple(dict.fromkeys(cited))

    def number(self, citation: Citation) -> int:
        """The number under which a citation of this answer is shown."""
        return self.citations.index(citation) + 1

    @property
    def text(self) -> str:
        """The answer as plain text, each sentence followed by its marks: `… [1] … [2]`."""
        if not self.claims:
            return self.note
        return " ".join(claim.text + "".join(f" [{self.number(c)}]" for c in claim.citations) for claim in self.claims)

    def to_json(self) -> dict[str, Any]:
        """The contract that page, command line, API, MCP and evaluation share."""
        return {
            "question": self.question,
            "standalone_question": self.standalone_question or self.question,
            "language": self.language,
            "answered": self.answered,
            "confidence": round(self.confidence, 4),
            "text": self.text,
            "claims": [
                {"text": c.text, "citations": [self.number(x) for x in c.citations], "verdict": c.verdict}
                for c in self.claims
            ],
            "citations": [{"n": n, **_citation(c)} for n, c in enumerate(self.citations, 1)],
            "closest": [_citation(c) for c in self.closest],
            "conflicts": [
                {
                    "about": c.about,
                    "reason": c.reason,
                    "statements": [
                        {"text": s.text, "as_of": s.as_of, "citation": self.number(s.citation)} for s in c.statements
                    ],
                }
                for c in self.conflicts
            ],
            "missing": list(self.missing),
            "suggestions": list(self.suggestions),
            "passages": [
                {
                    "article": h.passage.metadata["article"],
                    "start": h.passage.metadata["start"],
                    "end": h.passage.metadata["end"],
                    "score": round(h.score, 4),
                }
                for h in self.passages
            ],
            "mode": self.mode,
            "index_version": self.index_version,
            "timings_ms": {name: round(ms, 1) for name, ms in self.timings_ms.items()},
        }


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "article": citation.article,
        "title": citation.title,
        "language": citation.language,
        "heading": citation.heading,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "sources": [
            {
                "id": s.id,
                "publisher": s.publisher,
                "title": s.title,
                "issued": s.issued,
                "url": s.url,
                "kind": s.kind,
            }
            for s in citation.sources
        ],
    }


# --- quoting -------------------------------------------------------------------------------------


class Answerer(Protocol):
    """Question and evidence -> answer: by quoting, or through a chat model."""

    def __call__(self, question: Question, vector: Vectors, hits: Sequence[Hit]) -> Answer:
        """Answer, or refuse: never raise for want of evidence."""
        ...


# Kinds of question that want one sentence; the others take several, from different places.
_ONE_SENTENCE = ("figure", "fact", "yesno", "definition")
_MOST_CLAIMS = 5
_MOST_FOR_ONE = 3
_ENOUGH = 0.5  # share of the probability at which a fact needs no further sentence
# What a second sentence may lack to be shown for a fact: on the `tune` questions 1.5 meets 2 points more of what is
# expected, 0.8 has 5 points fewer sentences that are beside the point.
_MARGIN_FOR_ONE = 0.8
_MARGIN = 1.5  # how far below the best score a sentence may be (a factor of e^1.5 in probability)
_SAME = 0.6  # share of terms that two sentences have in common from which on the second says nothing new
_CLOSEST = 3


class Quoter:
    """Answers with sentences of the articles, word for word; refuses when none of them answers."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def __call__(self, question: Question, vector: Vectors, hits: Sequence[Hit]) -> Answer:
        """The best sentence for a figure or a fact, several for which, why and how; else a refusal."""
        found = self._evidence.candidates(question, vector, hits)
        judged = self._evidence.judge(question, found)
        missing = self._evidence.unknown_names(question)
        if judged.answerable < THRESHOLD:
            closest = _different((c for c in found if not c.features["asks"]), self._evidence, _CLOSEST)
            return Answer(
                question.text,
                question.language,
                note=words.refusal(question.language, missing, [c.quote for c in closest]),
                closest=tuple(c.cite() for c in closest),
                missing=missing,
                passages=tuple(hits),
                confidence=1.0 - judged.answerable,
            )
        return Answer(
            question.text,
            question.language,
            claims=tuple(Claim(c.quote, (c.cite(),)) for c in self._choose(question, found)),
            missing=missing,
            passages=tuple(hits),
            confidence=judged.right,
        )

    def _choose(self, question: Question, found: Sequence[Candidate]) -> list[Candidate]:
        """The sentences to show, best first.

        For one fact: the best alone when it stands out, else the few that together hold most of the probability.
        For lists, reasons, manners and comparisons: all that come near the best, from different places.
        """
        usable = [c for c in found if not c.features["asks"]] or list(found)
        if question.latest:
            usable = _newest_first(usable)
        best = usable[0]
        one = question.kind in _ONE_SENTENCE
        near = [c for c in usable if c is best or c.score >= best.score - (_MARGIN_FOR_ONE if one else _MARGIN)]
        if not one:
            return _different(near, self._evidence, _MOST_CLAIMS)
        held, few = 0.0, []
        for candidate in _different(near, self._evidence, _MOST_FOR_ONE):
            few.append(candidate)
            held += candidate.share
            if held >= _ENOUGH:
                break
        return few


def _newest_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """For a question about now: among those that come near the best, the one that speaks of the latest year first."""
    best = candidates[0].score
    near = [c for c in candidates if c.score >= best - _MARGIN / 2]
    rest = candidates[len(near) :]
    return [*sorted(near, key=lambda c: -max((int(y) for y in years(c.quote)), default=0)), *rest]


def _different(candidates: Iterable[Candidate], evidence: Evidence, most: int) -> list[Candidate]:
    """The first of some candidates, leaving out those that repeat one before."""
    chosen: list[Candidate] = []
    seen: list[frozenset[str]] = []
    for candidate in candidates:
        own = frozenset(evidence.terms_of(candidate.article, candidate.number))
        if all(len(own & other) < _SAME * max(1, min(len(own), len(other))) for other in seen):
            chosen.append(candidate)
            seen.append(own)
        if len(chosen) == most:
            break
    return chosen
