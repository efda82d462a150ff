"""The conversation: one question through one method, whichever face asks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

from rag import words
from rag.answer import Answer, Answerer, Growing
from rag.conversation import Conversation, Turn, Understood, place_names, turns_of
from rag.corpus import Article
from rag.evidence import Candidate, Citation, Claim, Evidence
from rag.filter import EVERYTHING, Filter
from rag.index import Index
from rag.language import detect, is_foreign
from rag.models import Vectors
from rag.premise import Correction, correct
from rag.question import Question, as_written, instead_of_a_question, parts, read_question
from rag.retrieve import Hit, HybridRetriever, top
from rag.settings import shipped_corpus
from rag.suggest import FILE, MOST, Suggestions
from rag.text import Language, fold, terms

__all__ = ["MAX_CHARACTERS", "Chatbot", "Turn", "turns_of"]

MAX_CHARACTERS = 4000
_PASSAGES = 12
# Score of the best passage under which a refused question is far from everything: of the `tune` questions without an
# answer more than 90 % of those off the topic lie below, and of the near misses less than 10 %, in either language.
_FAR = 0.35
_MOST_MORE = 3  # further sentences for "tell me more"
_SAME = 0.6  # share of terms from which on two sentences say the same
_TOPIC_FROM, _TOPIC_IN = 2, 4  # articles that tell what a question is about, and in how many the topic is sought


class Chatbot:
    """Answers questions from one published version of the index. Shared between threads; holds no conversation."""

    def __init__(self, index: Index, retriever: HybridRetriever, evidence: Evidence, answerer: Answerer) -> None:
        self._index = index
        self._retriever = retriever
        self._evidence = evidence
        self._answerer = answerer
        self._goes_on = lru_cache(maxsize=4096)(self._same_topic)

    @property
    def version(self) -> str:
        """The index version that answers."""
        return self._index.version

    @property
    def articles(self) -> Mapping[str, Article]:
        """Every article, by id."""
        return self._index.articles

    def article(self, identity: str) -> Article | None:
        """An article by its id."""
        return self._index.articles.get(identity)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        language: Language | None = None,
        within: Filter = EVERYTHING,
    ) -> Answer:
        """Answer a question, asked alone or after others. Never raises for what a person may type.

        Nothing that is shown rests on a sentence that `within` keeps out.
        """
        *_, answer = self.stream(question, history, language=language, within=within)
        return answer

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        language: Language | None = None,
        within: Filter = EVERYTHING,
    ) -> Iterator[Answer]:
        """The answer of `ask` as it grows: each holds the sentences of the one before, the last is the whole answer.

        A sentence appears when it was checked and is never taken back. Without a chat model there is one answer.
        """
        began = time.perf_counter()
        asked = _clean(question)
        spoken = language or _language(asked, history)
        said = _small_talk(asked, spoken) or self._declined(asked, spoken)
        if said is not None:
            yield replace(said, question=question, index_version=self.version, timings_ms=_timings(began))
            return
        standalone, more = self.understand(asked, history, spoken)
        read, vector, hits = self.look(standalone, spoken, within)
        if standalone != asked and not more:
            read = _after(read, history)
        retrieved = time.perf_counter()
        if instead_of_a_question(asked) == "contact" and not any(_CONTACT.search(h.passage.page_content) for h in hits):
            answers = iter((self._without(asked, spoken, "contact", hits),))
        elif more:
            answers = iter((self._more(read, vector, hits, history),))
        elif isinstance(self._answerer, Growing):
            answers = self._answerer.stream(read, vector, hits, asked=asked, history=history)
        else:
            answers = iter((self.in_parts(read, vector, hits),))
        correction = self._correction(read, hits)
        for answer in answers:
            finished = self._corrected(self._one_line(answer), correction)
            if within:
                finished = self._within(finished, read)
            yield replace(
                finished,
                question=question,
                standalone_question=answer.standalone_question or standalone,
                suggestions=finished.suggestions or self._suggested(finished, standalone, history),
                index_version=self.version,
                timings_ms=_timings(began, retrieved),
            )

    def look(
        self, question: str, language: Language, within: Filter = EVERYTHING
    ) -> tuple[Question, Vectors, list[Hit]]:
        """A question that stands alone, read and looked up: what an answerer takes."""
        read = replace(self._read(question, language), within=within)
        hits = self._retriever.search(read.text, _PASSAGES, language=language, within=within)
        return read, self._retriever.question_vector(read.text), hits

    def in_parts(self, read: Question, vector: Vectors, hits: Sequence[Hit]) -> Answer:
        """The answer to a question, or to the questions that it puts together: what has none is named as missing."""
        pieces = parts(read.text, read.language)
        if len(pieces) == 1:
            return self._answerer(read, vector, hits)
        asked: list[str] = []
        for piece in pieces:  # "who regulates them" is understood after the part before it
            asked.append(self._conversation.understand(piece, asked[-1:], read.language).text)
        answers = [self._answerer(*self.look(question, read.language, read.within)) for question in asked]
        if not any(a.answered for a in answers):
            return self._answerer(read, vector, hits)
        missing = [m for a, p in zip(answers, pieces, strict=True) for m in (a.missing if a.answered else (p,))]
        claims = {c.citations: c for a in answers for c in a.claims}
        return replace(
            next(a for a in answers if a.answered),
            question=read.text,
            claims=tuple(claims.values()),
            note=" ".join(dict.fromkeys(a.note for a in answers if a.answered and a.note)),
            conflicts=tuple(dict.fromkeys(c for a in answers for c in a.conflicts)),
            missing=tuple(dict.fromkeys(missing)),
            passages=tuple(hits),
            confidence=min(a.confidence for a in answers if a.answered),
        )

    def _more(self, read: Question, vector: Vectors, hits: list[Hit], history: Sequence[Turn]) -> Answer:
        """What the articles say beyond what was said: the next sentences of those that answer."""
        answer = self._answerer(read, vector, hits)
        told = " ".join(turn.answer for turn in history)
        if not answer.answered or not any(c.text in told for c in answer.claims):
            return answer
        fresh = [c for c in answer.claims if c.text not in told]
        for candidate in (c for c in self._evidence.candidates(read, vector, hits) if c.stated):
            known = (told, *(c.text for c in fresh))
            if len(fresh) < _MOST_MORE and not _is_told(candidate, known) and not candidate.features.get("asks"):
                fresh.append(Claim(candidate.quote, (candidate.cite(),)))
        return replace(answer, claims=tuple(fresh))

    def _declined(self, asked: str, language: Language) -> Answer | None:
        """The reply to an instruction, a request for harm or what only the asker can know; None for a question."""
        why = instead_of_a_question(asked)
        return self._without(asked, language, why, ()) if why and why != "contact" else None

    def _without(self, asked: str, language: Language, why: str, hits: Sequence[Hit]) -> Answer:
        return Answer(
            asked,
            language,
            note=words.not_a_question(language, why),
            suggestions=self.examples(language)[:MOST],
            passages=tuple(hits),
            standalone_question=asked,
            confidence=1.0,
            mode="chat",
        )

    def _one_line(self, answer: Answer) -> Answer:
        """A refusal of what is far from everything in the articles says so, and shows nothing as near."""
        if answer.answered or answer.mode == "chat" or not answer.passages or answer.passages[0].score >= _FAR:
            return answer
        titles = [] if self._is_shipped else [a.title for a in self.articles.values()][:3]
        note = words.off_topic(answer.language, titles)
        return replace(answer, note=note, closest=(), missing=(), suggestions=self.examples(answer.language)[:MOST])

    def _within(self, answer: Answer, read: Question) -> Answer:
        """An answer without what rests on sentences that the asker's filter keeps out; says so where nothing is left.

        A filter is set aside for what is no question to the articles.
        """
        if answer.mode == "chat":
            return answer
        within = read.within
        nearest = self._retriever.search(read.text, _PASSAGES, language=read.language)
        excluded = sum(not self._retriever.leaves(hit, within) for hit in nearest)

        def left(citation: Citation) -> bool:
            return within.lets_through(self.articles[citation.article], citation.start, citation.end)

        kept = []
        for claim in answer.claims:
            cited = tuple(c for c in claim.citations if left(c))
            # the words of a quote are its first citation; what a model wrote may rest on each of them
            if cited == claim.citations or (cited and claim.text == cited[0].quote):
                kept.append(replace(claim, citations=cited))
        conflicts = tuple(c for c in answer.conflicts if all(left(s.citation) for s in c.statements))
        filtered = replace(
            answer,
            claims=tuple(kept),
            closest=tuple(c for c in answer.closest if left(c)),
            conflicts=conflicts if kept else (),
            sides=tuple((name, c if c and left(c) else None) for name, c in answer.sides) if kept else (),
            within=within,
            excluded=excluded,
        )
        if kept or not excluded:
            return filtered
        note = words.filtered(answer.language, excluded, len(nearest))
        return replace(
            filtered, note=note, confidence=1.0 - answer.confidence if answer.answered else answer.confidence
        )

    def _correction(self, read: Question, hits: Sequence[Hit]) -> Correction | None:
        if not read.years:
            return None
        near = dict.fromkeys(str(h.passage.metadata["article"]) for h in hits)
        articles = [self.articles[name] for name in near]
        return correct(read.text, read.language, articles, self._evidence.names[read.language])

    def _corrected(self, answer: Answer, correction: Correction | None) -> Answer:
        """An answer that begins with the sentence that corrects the question."""
        if correction is None or answer.mode == "chat":
            return answer
        first = Claim(correction.citation.quote, (correction.citation,))
        rest = [c for c in answer.claims if c.citations[0] != correction.citation]
        said = words.corrected(answer.language, correction.asked, correction.said)
        return replace(
            answer,
            claims=(first, *rest),
            closest=(),
            note=f"{said} {answer.note}".strip() if answer.answered else said,
            confidence=answer.confidence if answer.answered else 1.0 - answer.confidence,
        )

    def _suggested(self, answer: Answer, standalone: str, history: Sequence[Turn]) -> tuple[str, ...]:
        asked = [*(turn.question for turn in history), answer.question, standalone]
        return self.suggestions.after(answer, asked)

    @cached_property
    def suggestions(self) -> Suggestions:
        """The questions that the engine was seen to answer: those shipped and those found for this index."""
        files = (shipped_corpus() / FILE, self._index.folder.parent.parent / FILE)
        return Suggestions.read(files, self.articles)

    def explain(
        self, question: str, history: Sequence[Turn] = (), *, language: Language | None = None
    ) -> dict[str, Any]:
        """Why an answer is what it is: the question as it was read, every candidate with what was measured of it."""
        asked = _clean(question)
        spoken = language or _language(asked, history)
        instead = instead_of_a_question(asked)
        understood = self.understand(asked, history, spoken)
        read, vector, hits = self.look(understood.text, spoken)
        if understood.text != asked and not understood.more:
            read = _after(read, history)
        found = self._evidence.candidates(read, vector, hits)
        judged = self._evidence.judge(read, found)
        answer = self.ask(question, history, language=language)
        shown = {claim.text for claim in answer.claims}
        best = max((c.score for c in found), default=0.0)
        return {
            "question": read.text,
            "more": understood.more,
            "parts": list(parts(read.text, spoken)),
            "instead_of_a_question": instead,
            "kind": read.kind,
            "wanted": read.wanted,
            "terms": list(read.terms),
            "names": sorted(read.names),
            "years": sorted(read.years),
            "answerable": round(judged.answerable, 3),
            "right": round(judged.right, 3),
            "signs": {n: round(v, 3) for n, v in self._evidence.signs(read, found).items()} if found else {},
            "answered": answer.answered,
            "why": _why(answer, judged.answerable),
            "passages": [
                {"article": at["article"], "heading": at["heading"], "score": round(score, 3)}
                for at, score in ((h.passage.metadata, h.score) for h in hits)
            ],
            "candidates": [
                {
                    "article": c.article.id,
                    "quote": c.quote,
                    "taken": c.quote in shown,
                    "why": _why_left(c, shown, best, answered=answer.answered),
                    "score": round(c.score, 3),
                    "share": round(c.share, 3),
                    "features": {n: round(v, 3) for n, v in c.features.items() if v},
                }
                for c in found
            ],
        }

    def understand(self, question: str, history: Sequence[Turn], language: Language) -> Understood:
        """A question of a conversation as one that can be understood alone; see `rag.conversation`."""
        past = [_clean(turn.question) for turn in history]
        asked = [q for q in past if q and _small_talk(q, language) is None and not instead_of_a_question(q)]
        return self._conversation.understand(question, asked, language)

    def search(self, question: str, k: int = 10) -> list[Hit]:
        """Retrieval alone: the k best passages, best first."""
        asked = _clean(question)[:MAX_CHARACTERS]
        if not asked:
            return []
        spoken = detect(asked)
        return self._retriever.search(self._read(asked, spoken).text, k, language=spoken)

    def examples(self, language: Language) -> tuple[str, ...]:
        """Questions to start with."""
        return _EXAMPLES[language] if self._is_shipped else self.suggestions.some(language, len(_EXAMPLES[language]))

    def describe(self) -> dict[str, Any]:
        """What the answers rest on: numbers of articles and sources, oldest and newest publication date; where a
        language model words them, its name and the server it is at.
        """
        sources = {s.id: s for a in self.articles.values() for s in a.sources}
        dates = sorted(s.issued for s in sources.values() if s.issued)
        return {
            "articles": len(self.articles),
            "sources": len(sources),
            "oldest": dates[0] if dates else "",
            "newest": dates[-1] if dates else "",
            **(self._answerer.describe() if isinstance(self._answerer, Growing) else {}),
        }

    @cached_property
    def _conversation(self) -> Conversation:
        places = place_names(self.articles.values())
        return Conversation(self._evidence.names, lambda name: fold(name) in places, self._goes_on)

    def _same_topic(self, question: str, before: str, language: Language) -> bool:
        """Whether an article that has most of the words of the question before has those of this one too.

        By words alone: it takes a millisecond, and a question without a name says little else.
        """
        first, found = (self._articles_with(q, language) for q in (before, question))
        return bool(set(first[:_TOPIC_FROM]) & set(found[:_TOPIC_IN]))

    def _articles_with(self, question: str, language: Language) -> list[str]:
        """The articles of the passages that share most of a question's words, best first."""
        passages = self._index.passages
        scores = self._retriever.lexical.scores(question)
        best = [p for r in top(scores, 4 * _PASSAGES) if scores[r] > 0 and (p := passages[r])]
        own = [str(p.metadata["article"]) for p in best if p.metadata["language"] == language]
        return list(dict.fromkeys(own[:_PASSAGES]))

    @cached_property
    def _is_shipped(self) -> bool:
        return "en/size-of-the-sector" in self.articles

    def _read(self, question: str, language: Language) -> Question:
        spelled = self._retriever.lexical.respell(as_written(question, language), language)
        return read_question(spelled, language=language, known_names=self._evidence.names[language])


def _after(read: Question, history: Sequence[Turn]) -> Question:
    """A question that follows others, with what their answers told."""
    return replace(read, told="\n".join(turn.answer for turn in history))


# --- more, and why ------------------------------------------------------------------------------


def _is_told(candidate: Candidate, told: Sequence[str]) -> bool:
    """Whether a sentence was said, or says what one of those says."""
    language = candidate.article.language
    own = set(terms(candidate.quote, language))
    return any(candidate.quote in text or len(own & set(terms(text, language))) >= _SAME * len(own) for text in told)


def _why(answer: Answer, answerable: float) -> str:
    """Why a question was answered or refused, in a line."""
    if answer.mode == "chat" or (not answer.answered and not answer.closest):
        return answer.note
    verdict = "answered" if answer.answered else "refused"
    return f"{verdict}: the chance that the articles answer it was put at {answerable:.2f}"


def _why_left(candidate: Candidate, shown: set[str], best: float, *, answered: bool) -> str:
    """Why a sentence is shown or not, in a line."""
    if candidate.quote in shown:
        return "shown"
    if not answered:
        return "the question was refused"
    if candidate.features.get("asks"):
        return "it states nothing"
    if _is_told(candidate, sorted(shown)):
        return "it says what a shown sentence says"
    return f"its score is {best - candidate.score:.2f} below the best; enough was said before it"


# --- what is not a question ----------------------------------------------------------------------

# A number to call, an address to write to.
_CONTACT = re.compile(r"\b(?:\d{2,4}[ -]){2,}\d{2,4}\b|\b\d{10}\b|\S+@\S+\.\w+|https?://|\bwww\.")
_GREETING = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|hola|buen[oa]s?(?: (?:dias?|tardes|noches))?|que tal)"
    r"(?: there| bot| todos)?[\s!.,?]*$"
)
_THANKS = re.compile(
    r"(?:(?:ok|okay|great|perfect|perfecto|muy bien|excelente)[\s,.!]*)?"
    r"(?:thanks?(?: you)?(?: (?:so|very) much| a lot)?|thx|(?:muchas |mil )?gracias|bye|goodbye|adios|hasta luego)"
    r"[\s!.,]*$"
)


def _small_talk(question: str, language: Language) -> Answer | None:
    """The reply to what asks nothing of the articles; None for a question."""
    folded = fold(question).strip(" ¡¿")
    if not any(c.isalnum() for c in question):
        note = words.EMPTY[language]
    elif len(question) > MAX_CHARACTERS:
        note = words.TOO_LONG[language].format(len(question), MAX_CHARACTERS)
    elif len(folded) < 60 and _GREETING.match(folded):
        note = words.GREETING[language]
    elif len(folded) < 60 and _THANKS.match(folded):
        note = words.THANKS[language]
    elif is_foreign(question):
        note = words.FOREIGN[language]
    else:
        return None
    return Answer(question, language, note=note, standalone_question=question, mode="chat", confidence=1.0)


def _language(question: str, history: Sequence[Turn]) -> Language:
    """The language of a question; a bare follow-up that does not tell has that of the question before."""
    for text in (question, *(turn.question for turn in reversed(history))):
        default: Language = "es"
        if detect(text, "en") == detect(text, default):
            return detect(text)
    return "en"


def _clean(question: str) -> str:
    """One line, without control characters."""
    kept = "".join(c if c.isprintable() else " " for c in question)
    return re.sub(r"\s+", " ", kept).strip()


def _timings(began: float, retrieved: float | None = None) -> dict[str, float]:
    now = time.perf_counter()
    if retrieved is None:
        return {"total": 1000 * (now - began)}
    return {
        "retrieve": 1000 * (retrieved - began),
        "answer": 1000 * (now - retrieved),
        "total": 1000 * (now - began),
    }


_EXAMPLES: dict[Language, tuple[str, ...]] = {
    "en": (
        "How many call centers are there in Mexico?",
        "How much does a bilingual agent earn in Tijuana?",
        "Which languages do Mexican call centers offer?",
        "What changed with the 2021 subcontracting reform?",
        "Why is attrition high in Mexican contact centers?",
        "How is the 40-hour week phased in?",
    ),
    "es": (
        "¿Cuántos centros de contacto hay en México?",
        "¿Cuánto gana un agente bilingüe en Tijuana?",
        "¿Qué idiomas ofrecen los call centers mexicanos?",
        "¿Qué cambió con la reforma de subcontratación de 2021?",
        "¿Por qué es alta la rotación en los centros de contacto?",
        "¿Cómo se aplica la semana de 40 horas?",
    ),
}
