"""Question + evidence -> Answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from rag import words
from rag.choose import ONE_SENTENCE, Side, choose, different
from rag.conflicts import Disagreements, Found
from rag.conversation import Turn
from rag.corpus import Article
from rag.evidence import Candidate, Citation, Claim, Conflict, Evidence, leant_on
from rag.facts import Figures
from rag.filter import EVERYTHING, Filter
from rag.models import Vectors
from rag.origins import independent_sources, interest
from rag.question import Question
from rag.retrieve import Hit
from rag.scope import absent, on_place
from rag.text import Language


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question gets. A refusal is an answer without claims; its `note` says so in the asker's language.

    `wording` is the trace of the chat model, empty without one; `note` then says in one line what became of its words.
    `sides` are the things that a comparison sets against each other, each with its citation, or None. `within` is what
    the asker let it rest on, `excluded` how many of the passages nearest to the question that kept out.
    """

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
    wording: Mapping[str, Any] = field(default_factory=dict)
    sides: tuple[tuple[str, Citation | None], ...] = ()
    within: Filter = EVERYTHING
    excluded: int = 0

    @property
    def answered(self) -> bool:
        """Whether anything is stated."""
        return bool(self.claims)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Every citation once, in order of first use; the first is number 1."""
        cited = [c for claim in self.claims for c in claim.citations]
        cited += [s.citation for conflict in self.conflicts for s in conflict.statements]
        cited += [c for _, c in self.sides if c]
        return tuple(dict.fromkeys(cited))

    @property
    def independent_sources(self) -> int:
        """How many sources stand behind it, each origin and each copied statement once."""
        return independent_sources(self.citations)

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
                {
                    "text": c.text,
                    "citations": [self.number(x) for x in c.citations],
                    "verdict": c.verdict,
                    "interest": interest(c),
                }
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
            "independent_sources": self.independent_sources,
            "table": self._table(),
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
            **({"note": self.note} if self.wording or (self.claims and self.note) else {}),
            **({"wording": dict(self.wording)} if self.wording else {}),
            **({"filter": self.within.to_json(), "excluded": self.excluded} if self.within else {}),
        }

    def _table(self) -> dict[str, Any] | None:
        """A comparison, side by side; None for any other answer."""
        if not self.sides:
            return None
        return {
            "columns": [self.standalone_question or self.question],
            "rows": [
                {"name": name, "cells": [{"text": c.quote, "citation": self.number(c)} if c else None]}
                for name, c in self.sides
            ],
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

    def __call__(self, question: Question, vector: Vectors, hits: Sequence[Hit], /) -> Answer:
        """Answer, or refuse: never raise for want of evidence."""
        ...


@runtime_checkable
class Growing(Protocol):
    """An answerer whose answer grows sentence by sentence."""

    def stream(
        self, question: Question, vector: Vectors, hits: Sequence[Hit], *, asked: str, history: Sequence[Turn]
    ) -> Iterator[Answer]:
        """Answers of which each holds the sentences of the one before; the last is whole.

        `asked` and `history` are the question as typed and the turns before it.
        """
        ...

    def describe(self) -> Mapping[str, str]:
        """What writes, and where the question goes to."""
        ...


_CLOSEST = 3
_OUTSIDE = 0.9  # how often a refusal for a place or year that no sentence is on was right on the `tune` questions


class Quoter:
    """Answers with sentences of the articles, word for word; refuses when none of them answers."""

    def __init__(self, evidence: Evidence, figures: Figures | None = None) -> None:
        self._evidence = evidence
        self._figures = figures or Figures()
        self._disagreements = Disagreements(self._figures)

    def __call__(self, question: Question, vector: Vectors, hits: Sequence[Hit]) -> Answer:
        """The best sentence for a figure or a fact, several for which, why and how; else a refusal."""
        found = self._evidence.candidates(question, vector, hits)
        judged = self._evidence.judge(question, found)
        missing = self._evidence.unknown_names(question)
        if not judged.answers:
            return self._refuse(question, found, hits, 1.0 - judged.answerable, missing)
        unsaid = self._evidence.unsaid(found)
        if unsaid and unsaid.alone:
            return self._refuse(question, [unsaid.candidate, *found], hits, 1.0 - judged.right, missing)
        found = [c for c in found if c.stated]
        chosen = choose(question, found, self._figures)
        outside = () if chosen.sides else absent(question, chosen.sentences, self._evidence.newest)
        if outside:
            return self._refuse(question, found, hits, _OUTSIDE, missing, outside)
        sentences = chosen.sentences if chosen.sides else on_place(question, chosen.sentences)
        disagreement = self._disagreements.find(question, sentences, found)
        without = [s.name for s in chosen.sides if s.candidate is None and s.name not in missing]
        return Answer(
            question.text,
            question.language,
            claims=tuple(_claims(question, sentences, disagreement)),
            note=words.unsaid(question.language, unsaid.candidate.quote) if unsaid else "",
            conflicts=(disagreement.conflict,) if disagreement else (),
            missing=(*missing, *without),
            passages=tuple(hits),
            confidence=judged.right,
            sides=tuple(_cited(s) for s in chosen.sides),
        )

    def _refuse(
        self,
        question: Question,
        found: Sequence[Candidate],
        hits: Sequence[Hit],
        confidence: float,
        missing: tuple[str, ...],
        outside: tuple[str, ...] = (),
    ) -> Answer:
        closest = different((c for c in found if not c.features["asks"]), _CLOSEST)
        outside = outside or absent(question, closest, self._evidence.newest)
        return Answer(
            question.text,
            question.language,
            note=words.refusal(question.language, missing, [c.quote for c in closest], outside),
            closest=tuple(c.cite() for c in closest),
            missing=tuple(dict.fromkeys((*missing, *outside))),
            passages=tuple(hits),
            confidence=confidence,
        )


def _claims(question: Question, chosen: Sequence[Candidate], disagreement: Found | None) -> list[Claim]:
    """The sentences to show as claims, what disagrees first.

    Where the articles say themselves what their sources disagree on, that one sentence answers a question for one
    fact: the sides stand below it. It follows the best sentence where that is on something else.
    """
    claims = [Claim(c.quote, _with_context(c.article, c.number)) for c in chosen]
    declared = disagreement.declared if disagreement else None
    if declared is None or question.kind not in ONE_SENTENCE:
        return claims
    told = Claim(declared.quote, (declared.cite(),))
    sides = {s.citation for s in disagreement.conflict.statements} if disagreement else set()
    rest = [c for c in claims if c.citations[0] not in sides and c.text != told.text]
    return [told, *rest] if disagreement and disagreement.leads else [*rest[:1], told, *rest[1:]]


def _with_context(article: Article, number: int) -> tuple[Citation, ...]:
    """The citation of a sentence, and of the one before it where it cannot be understood without."""
    before = leant_on(article, number)
    cited = [article.sentences[number], *([before] if before and before.sources else [])]
    return tuple(Citation.of(article, s.start, s.end) for s in cited)


def _cited(side: Side) -> tuple[str, Citation | None]:
    return side.name, side.candidate.cite() if side.candidate else None
