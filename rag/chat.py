"""The conversation: one question through one method, whichever face asks."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

from rag import words
from rag.answer import Answer, Answerer
from rag.corpus import Article
from rag.evidence import Evidence
from rag.index import Index
from rag.question import Question, read_question
from rag.retrieve import Hit, HybridRetriever
from rag.text import Language, detect, fold, is_foreign, terms

MAX_CHARACTERS = 4000
_PASSAGES = 12


class Turn(NamedTuple):
    """A question that was asked and the text of its answer."""

    question: str
    answer: str


def turns_of(messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
    """Turns of a history given as messages `{"role", "content"}`; raises ValueError when it is none.

    `content` may be Gradio's and OpenAI's list of parts, of which the text is taken.
    """
    turns: list[Turn] = []
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        raise ValueError("expected a list of messages")
    for message in messages:
        content = message["content"]
        if not isinstance(content, str):
            content = " ".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
        if message["role"] == "user":
            turns.append(Turn(content, ""))
        elif message["role"] == "assistant" and turns:
            turns[-1] = Turn(turns[-1].question, content)
    return turns


class Chatbot:
    """Answers questions from one published version of the index. Shared between threads; holds no conversation."""

    def __init__(self, index: Index, retriever: HybridRetriever, evidence: Evidence, answerer: Answerer) -> None:
        self._index = index
        self._retriever = retriever
        self._evidence = evidence
        self._answerer = answerer

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

    def ask(self, question: str, history: Sequence[Turn] = (), *, language: Language | None = None) -> Answer:
        """Answer a question, asked alone or after others. Never raises for what a person may type."""
        began = time.perf_counter()
        asked = _clean(question)
        spoken = language or _language(asked, history)
        said = _small_talk(asked, spoken)
        if said is not None:
            return replace(said, question=question, index_version=self.version, timings_ms=_timings(began))
        standalone = standalone_question(asked, history, spoken, self._evidence.names[spoken])
        read = self._read(standalone, spoken)
        hits = self._retriever.search(read.text, _PASSAGES, language=spoken)
        retrieved = time.perf_counter()
        answer = self._answerer(read, self._retriever.question_vector(read.text), hits)
        return replace(
            answer,
            question=question,
            standalone_question=standalone,
            index_version=self.version,
            timings_ms=_timings(began, retrieved),
        )

    def explain(
        self, question: str, history: Sequence[Turn] = (), *, language: Language | None = None
    ) -> dict[str, Any]:
        """Why an answer is what it is: the question as it was read, every candidate with what was measured of it."""
        asked = _clean(question)
        spoken = language or _language(asked, history)
        read = self._read(standalone_question(asked, history, spoken, self._evidence.names[spoken]), spoken)
        hits = self._retriever.search(read.text, _PASSAGES, language=spoken)
        found = self._evidence.candidates(read, self._retriever.question_vector(read.text), hits)
        judged = self._evidence.judge(read, found)
        return {
            "question": read.text,
            "kind": read.kind,
            "wanted": read.wanted,
            "terms": list(read.terms),
            "names": sorted(read.names),
            "years": sorted(read.years),
            "answerable": round(judged.answerable, 3),
            "right": round(judged.right, 3),
            "signs": {n: round(v, 3) for n, v in self._evidence.signs(read, found).items()} if found else {},
            "candidates": [
                {
                    "article": c.article.id,
                    "quote": c.quote,
                    "score": round(c.score, 3),
                    "share": round(c.share, 3),
                    "features": {n: round(v, 3) for n, v in c.features.items() if v},
                }
                for c in found
            ],
        }

    def search(self, question: str, k: int = 10) -> list[Hit]:
        """Retrieval alone: the k best passages, best first."""
        asked = _clean(question)[:MAX_CHARACTERS]
        if not asked:
            return []
        spoken = detect(asked)
        return self._retriever.search(self._read(asked, spoken).text, k, language=spoken)

    def examples(self, language: Language) -> tuple[str, ...]:
        """Questions to start with."""
        return _EXAMPLES[language] if self._is_shipped else ()

    def describe(self) -> dict[str, Any]:
        """What the answers rest on: numbers of articles and sources, oldest and newest publication date."""
        sources = {s.id: s for a in self.articles.values() for s in a.sources}
        dates = sorted(s.issued for s in sources.values() if s.issued)
        return {
            "articles": len(self.articles),
            "sources": len(sources),
            "oldest": dates[0] if dates else "",
            "newest": dates[-1] if dates else "",
        }

    @cached_property
    def _is_shipped(self) -> bool:
        return "en/size-of-the-sector" in self.articles

    def _read(self, question: str, language: Language) -> Question:
        spelled = self._retriever.lexical.respell(question, language)
        return read_question(spelled, language=language, known_names=self._evidence.names[language])


# --- follow-ups ----------------------------------------------------------------------------------

_OPENS_FOLLOW_UP: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"(?:and|but|so|or|then|also|what about|how about|what else|same for|now)\b"),
    "es": re.compile(r"(?:y|e|pero|entonces|o|tambien|que hay de|que tal|que mas|lo mismo|ahora)\b"),
}
_POINTS_BACK: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:it|its|they|them|their|those|these|that|this|there|he|she|his|her|one|ones|former|latter|same)\b"
    ),
    "es": re.compile(
        r"\b(?:eso|esa|ese|esos|esas|esto|esta|este|estos|estas|ello|ellos|ellas|ahi|alli|alla|su|sus|lo|le|les|mismo|"
        r"misma)\b"
    ),
}
_BARE: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"(?:why|why not|how|how so|when|where|who|more|tell me more|go on|yes|ok|okay|sure|continue|and)\b[\s?.!]*$"
    ),
    "es": re.compile(
        r"(?:por que(?: no)?|porque|como|cuando|donde|quien|mas|dime mas|cuentame mas|sigue|si|ok|claro|continua|y)\b"
        r"[\s?.!]*$"
    ),
}
_SHORT = 3


def standalone_question(question: str, history: Sequence[Turn], language: Language, known_names: frozenset[str]) -> str:
    """A follow-up as a question that can be understood alone; any other question as it is.

    A new name takes the place of the names asked about before ("And in Tijuana?"); a new subject keeps them
    ("What about wages?"); what only points back ("And what is done about it?") brings the last question along.
    """
    if not history:
        return question
    folded = fold(question).strip(" ¿¡?!.\"'")
    content = terms(question, language)
    opens = bool(_OPENS_FOLLOW_UP[language].match(folded))
    bare = bool(_BARE[language].match(folded))
    points = bool(_POINTS_BACK[language].search(folded)) and len(content) <= 6
    if not (opens or bare or points or (len(content) <= _SHORT and not _is_whole(folded, language))):
        return question
    before = _last_whole(history, language, known_names)
    if not before or fold(before).strip(" ¿?") == folded:
        return question
    names = {t for t in content if t in known_names}
    rest = [t for t in content if t not in names]
    if names and not rest and not bare:
        return _with_names(before, question, language, known_names)
    if bare or points or not rest:
        return f"{question} ({before.strip(' ¿?')})"
    kept = _names_of(before, language, known_names) if not names else []
    return f"{question} ({', '.join(kept)})" if kept else question


def _is_whole(folded: str, language: Language) -> bool:
    """Whether a short question has a verb of its own, so that it need not be a follow-up."""
    asks = r"what is|what are|how many|how much|who is|when did|where is|define" if language == "en" else (
        r"que es|que son|cuantos?|cuantas?|quien es|cuando|donde esta|define"
    )  # fmt: skip
    return bool(re.match(rf"(?:{asks})\b", folded))


def _last_whole(history: Sequence[Turn], language: Language, known_names: frozenset[str]) -> str:
    """The last question as it was understood: follow-ups in the history are resolved one after the other."""
    question = ""
    for number, turn in enumerate(history[-6:]):
        past = history[-6:][:number]
        cleaned = _clean(turn.question)
        if cleaned and _small_talk(cleaned, language) is None:
            question = standalone_question(cleaned, past, language, known_names)
    return question


def _names_of(question: str, language: Language, known_names: frozenset[str]) -> list[str]:
    found = []
    for word in re.findall(r"[^\W\d_][\w.-]*|\b(?:19|20)\d{2}\b", question):
        own = terms(word, language)
        if own and all(t in known_names or t.isdigit() for t in own):
            found.append(word.strip(".,"))
    return list(dict.fromkeys(found))


def _with_names(before: str, question: str, language: Language, known_names: frozenset[str]) -> str:
    """The question before, about the names of the new one."""
    old = [n for n in _names_of(before, language, known_names) if not n.isdigit()]
    new = [n for n in _names_of(question, language, known_names) if not n.isdigit()]
    years = [n for n in _names_of(question, language, known_names) if n.isdigit()]
    changed = before
    # Only as many names give way as come in: in "agents in Tijuana, Mexico" the place nearest to the end.
    if new:
        replaced = [n for n in old if fold(n) not in ("mexico", "bpo")][-len(new) :]
        if replaced:
            start = changed.find(replaced[0])
            end = changed.find(replaced[-1], start) + len(replaced[-1])
            changed = f"{changed[:start]}{' '.join(new)}{changed[end:]}"
        else:
            changed = f"{changed.rstrip(' ?')} {'in' if language == 'en' else 'en'} {' '.join(new)}?"
    if years:
        stripped = re.sub(r"\b(?:19|20)\d{2}\b", years[-1], changed)
        changed = stripped if stripped != changed else f"{changed.rstrip(' ?')} {years[-1]}?"
    return changed


# --- what is not a question ----------------------------------------------------------------------

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
