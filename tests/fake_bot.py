"""A chatbot that can be computed by hand: it quotes the sentences that share most words with the question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from langchain_core.documents import Document

from rag.answer import Answer
from rag.chat import Turn
from rag.corpus import Article
from rag.evidence import Citation, Claim, Conflict, Statement
from rag.filter import EVERYTHING, Filter
from rag.language import detect
from rag.retrieve import Hit
from rag.text import Language, terms

NOTES: Mapping[Language, str] = {
    "en": "The sources do not answer this question.",
    "es": "Las fuentes no responden esta pregunta.",
}


class FakeBot:
    """The attributes of `rag.chat.Chatbot` that the page uses, without models and without an index."""

    version = "fake"

    def __init__(self, articles: Sequence[Article], *, claims: int = 4) -> None:
        self.articles = {a.id: a for a in articles}
        self.claims = claims
        self.asked: list[tuple[str, tuple[Turn, ...]]] = []

    def article(self, identity: str) -> Article | None:
        return self.articles.get(identity)

    def _ranked(self, question: str, language: Language) -> list[tuple[float, Citation]]:
        wanted = set(terms(question, language))
        found = [
            (
                len(wanted & set(terms(a.quote(s), language))) / (len(wanted) or 1),
                Citation.of(a, s.start, s.end),
            )
            for a in self.articles.values()
            if a.language == language
            for s in a.sentences
            if s.sources
        ]
        return sorted(found, key=lambda pair: -pair[0])

    def ask(self, question: str, history: Sequence[Turn] = (), *, language: Language | None = None) -> Answer:
        self.asked.append((question, tuple(history)))
        chosen = language or detect(question)
        ranked = self._ranked(question, chosen)
        good = [c for score, c in ranked if score >= 0.3][: self.claims]
        if not good:
            return Answer(question, chosen, note=NOTES[chosen], closest=tuple(c for _, c in ranked[:2]))
        conflicts = ()
        if len(good) > 2 and ("disagree" in question or "coinciden" in question):
            sides = tuple(Statement(c.quote, c.sources[0].issued if c.sources else "", c) for c in (good[0], good[-1]))
            conflicts = (Conflict("employment", "different years, different scope", sides),)
        return Answer(
            question,
            chosen,
            claims=tuple(Claim(c.quote, (c,)) for c in good),
            conflicts=conflicts,
            missing=("Mérida",) if "Mérida" in question else (),
            sides=(("Tijuana", good[0]), ("Mérida", None)) if "ompar" in question else (),
            suggestions=self.examples(chosen)[:3],
            passages=tuple(self.search(question)),
            confidence=0.9,
        )

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        language: Language | None = None,
        within: Filter = EVERYTHING,
    ) -> Iterator[Answer]:
        self.within = within
        answer = self.ask(question, history, language=language)
        kept = tuple(c for c in answer.claims if self._lets_through(within, c.citations[0]))
        if within:
            note = "" if kept else f"The filters keep out {len(answer.claims)}."
            answer = replace(answer, claims=kept, note=note, within=within, excluded=len(answer.claims) - len(kept))
        yield answer

    def _lets_through(self, within: Filter, citation: Citation) -> bool:
        return within.lets_through(self.articles[citation.article], citation.start, citation.end)

    def search(self, question: str, k: int = 10) -> list[Hit]:
        language = detect(question)
        return [
            Hit(
                Document(
                    c.quote,
                    metadata={
                        "article": c.article,
                        "start": c.start,
                        "end": c.end,
                        "heading": c.heading,
                        "language": c.language,
                    },
                ),
                score,
            )
            for score, c in self._ranked(question, language)[:k]
        ]

    def examples(self, language: Language) -> tuple[str, ...]:
        if language == "es":
            return (
                "¿Cuánto se paga por las horas extra?",
                "¿Cuántos centros de contacto hay en México?",
                "¿Qué pausas y descansos da la ley?",
                "¿Cuánto ganan los agentes en Guadalajara?",
                "¿Quiénes son los operadores más grandes?",
                "¿Qué cambia con la semana de 40 horas?",
            )
        return (
            "How is overtime paid?",
            "How many contact centers are there in Mexico?",
            "Which breaks and days off does the law give?",
            "What do agents earn in Guadalajara?",
            "Who are the largest operators?",
            "What does the 40-hour week change?",
        )

    def describe(self) -> dict[str, object]:
        issued = sorted(s.issued for a in self.articles.values() for s in a.sources if s.issued)
        return {
            "articles": len(self.articles),
            "sources": len({s.id for a in self.articles.values() for s in a.sources}),
            "oldest": issued[0][:4] if issued else "",
            "newest": issued[-1][:7] if issued else "",
        }
