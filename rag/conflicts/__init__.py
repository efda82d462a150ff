"""Where the sources of an answer disagree: on what, who says what as of when, and why they differ.

Two signs, the surer one first: a sentence of the articles that says itself that sources disagree (its sides
are the sentences that state what it opposes), and two sentences that state different amounts of one thing.
Spread is no conflict: a range that holds the other value, one number rounded, one source told twice.

A sentence as a statement (`told`), the sentences that declare a disagreement and their sides (`declared`), those that
deny each other (`opposed`), why they do, and which to use (`preference`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag import words
from rag.conflicts.declared import (
    MOST_SIDES,
    NEAR,
    asks_for_one,
    clauses_of,
    doubts,
    is_asked_about,
    is_declaration,
    sides_of,
)
from rag.conflicts.opposed import is_opposed
from rag.conflicts.preference import Why, preferred, why_they_differ
from rag.conflicts.told import Told
from rag.corpus import Article
from rag.evidence import Candidate, Conflict, Statement
from rag.facts import Figures, as_of
from rag.question import Question
from rag.text import terms

__all__ = ["Disagreements", "Found", "is_declaration"]

_MOST_NEAR = 8
_ASKS_OF_SOURCES = re.compile(
    r"\b(?:sources?|fuentes?|claims?|disagree|coinciden|numbers so different)\b", re.IGNORECASE
)


class Found(NamedTuple):
    """A conflict, with the sentence that declares it, where there is one; it `leads` where it is what was asked."""

    conflict: Conflict
    declared: Told | None
    leads: bool = False


class Disagreements:
    """Finds what the sources of an answer disagree on."""

    def __init__(self, figures: Figures | None = None) -> None:
        self._figures = figures or Figures()
        self._declaring: dict[str, tuple[Told, ...]] = {}

    def find(self, question: Question, chosen: Sequence[Candidate], found: Sequence[Candidate]) -> Found | None:
        """The conflict behind an answer, if there is one; `found` are all candidates, best first."""
        if not chosen:
            return None
        best = max(c.share for c in found)
        near = [c for c in found[:_MOST_NEAR] if c.share >= NEAR * best]
        return self._declared(question, chosen, found) or self._opposed(question, chosen, near)

    # --- declared by a sentence ---

    def _declared(self, question: Question, chosen: Sequence[Candidate], found: Sequence[Candidate]) -> Found | None:
        lead = Told(chosen[0].article, chosen[0].number)
        best = max(c.share for c in found)
        near = {Told(c.article, c.number): c.share / best for c in found}
        articles = list({t.article.id: t.article for t in (lead, *list(near)[:_MOST_NEAR])}.values())
        declarations = [t for t in near if is_declaration(t.article, t.number)]
        declarations += [t for a in articles for t in self._declarations(a) if t not in near]
        names = question.names

        def aptness(told: Told) -> tuple[int, bool]:
            return -len(names & set(terms(told.quote, told.article.language))), told != lead

        for declaration in sorted(declarations, key=aptness):
            sides = sides_of(declaration, articles)
            if not is_asked_about(question, lead, declaration, sides, near):
                continue
            statements = self._statements(sides) if len(sides) > 1 else clauses_of(declaration)
            if len(statements) > 1:
                found_ = self._found(question, statements, why_they_differ(statements, declaration), declaration)
                in_doubt = doubts(question)
                return found_._replace(leads=in_doubt or declaration == lead or lead in sides)
        return None

    def _declarations(self, article: Article) -> tuple[Told, ...]:
        if article.id not in self._declaring:
            numbers = range(len(article.sentences))
            self._declaring[article.id] = tuple(Told(article, n) for n in numbers if is_declaration(article, n))
        return self._declaring[article.id]

    # --- opposed by their amounts ---

    def _opposed(self, question: Question, chosen: Sequence[Candidate], near: Sequence[Candidate]) -> Found | None:
        if question.kind not in ("figure", "fact", "yesno") or question.latest:
            return None
        lead = chosen[0]
        sides = [Told(lead.article, lead.number)]
        for other in near:
            told = Told(other.article, other.number)
            if all(is_opposed(question, side, told, self._figures) for side in sides) and len(sides) < MOST_SIDES:
                sides.append(told)
        if len(sides) < 2 or asks_for_one(question, sides, None):
            return None
        statements = self._statements(sides)
        return self._found(question, statements, why_they_differ(statements, None), None)

    # --- how it is shown ---

    def _statements(self, sides: Sequence[Told]) -> list[Statement]:
        return [Statement(t.quote, as_of(t.quote, self._figures.of(t.article.id, t.number)), t.cite()) for t in sides]

    def _found(self, question: Question, sides: Sequence[Statement], why: Why, declared: Told | None) -> Found:
        first, reason = preferred(sides, why)
        # The one to use first, then the newest; those that give no date last.
        newest = sorted(sides, key=lambda s: s.as_of, reverse=True)
        ordered = sorted(newest, key=lambda s: s is not first)
        heading = (declared.cite() if declared else sides[0].citation).heading
        return Found(
            Conflict(
                about=heading if heading and not _ASKS_OF_SOURCES.search(heading) else question.text,
                reason=words.conflict(question.language, why, reason, first.as_of if first else ""),
                statements=tuple(ordered),
            ),
            declared,
        )
