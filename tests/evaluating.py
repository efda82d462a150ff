"""Three tiny articles, six cases and a chatbot small enough to compute by hand: doubles for evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import settings
from langchain_core.documents import Document

from rag.answer import Answer, Hit
from rag.corpus import Article, read_corpus
from rag.evaluate.cases import Case, case_of
from rag.evaluate.scoring import Score
from rag.evidence import Citation, Claim
from rag.language import detect
from rag.text import terms

laws = settings(deadline=None)  # no speed is asserted

TEXTS = {
    "size": "Mexico has 300 call centers. They employ 160,000 people. Most agents are young.",
    "pay": "Agents earn 9,500 pesos a month. Overtime is paid double. Bonuses are common.",
    "tamano": "México tiene 300 centros de llamadas. Emplean a 160 mil personas. La mayoría son jóvenes.",
}
ROWS: list[dict[str, Any]] = [
    {
        "id": "centers-en",
        "question": "How many call centers has Mexico?",
        "answer_groups": [["300"]],
        "gold": [{"doc": "size.txt", "quote": "Mexico has 300 call centers."}],
        "tags": {"pair": "centers", "kind": "figure"},
    },
    {
        "id": "centers-es",
        "question": "¿Cuántos centros de llamadas tiene México?",
        "answer_groups": [["300"]],
        "gold": [{"doc": "tamano.txt", "quote": "México tiene 300 centros de llamadas."}],
        "tags": {"pair": "centers", "kind": "figure"},
    },
    {
        "id": "overtime",
        "question": "How is overtime paid?",
        "answers": ["double"],
        "gold": [{"doc": "pay.txt", "quote": "Overtime is paid double."}],
        "tags": {"kind": "fact"},
    },
    {
        "id": "earn",
        "question": "What do agents earn a month?",
        "answer_groups": [["9,500"], ["net"]],
        "gold": [{"doc": "pay.txt", "quote": "Agents earn 9,500 pesos a month."}],
        "tags": {"kind": "figure"},
    },
    {"id": "moon", "question": "Who walked on the Moon?", "answerable": False, "tags": {"kind": "off"}},
    {
        "id": "cheese",
        "question": "Which call centers does Mexico close?",
        "answerable": False,
        "tags": {"kind": "near"},
    },
]


def articles() -> dict[str, Article]:
    """The three articles, as a user's files would give them."""
    return {f"{name}.txt": _article(name) for name in TEXTS}


def _article(name: str) -> Article:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.txt"
        file.write_text(TEXTS[name], encoding="utf-8")
        return read_corpus([Path(folder)]).articles[0]


def cases() -> list[Case]:
    """The six cases: two right, one right and cited, one incomplete, two unanswerable."""
    return [case_of(row) for row in ROWS]


class WordBot:
    """Quotes the sentence with the largest share of the question's words, from half of them on."""

    version = "words-1"

    def __init__(self, known: Mapping[str, Article], fails_on: str = "", pause: float = 0.0) -> None:
        self.articles = known
        self.fails_on = fails_on
        self.pause = pause

    def ask(self, question: str, history: Sequence[Any] = ()) -> Answer:
        if self.pause:
            import time

            time.sleep(self.pause)
        if self.fails_on and self.fails_on in question:
            raise RuntimeError("the engine broke")
        language = detect(question)
        wanted = set(terms(question, language))
        ranked = sorted(
            (-len(wanted & set(terms(a.quote(s), a.language))) / (len(wanted) or 1), a.id, s.start, s.end)
            for a in self.articles.values()
            for s in a.sentences
        )
        passages = tuple(
            Hit(Document("", metadata={"article": doc, "start": start, "end": end}), -score)
            for score, doc, start, end in ranked[:10]
        )
        score, doc, start, end = ranked[0]
        if score > -0.5:
            return Answer(question, language, note="not said", passages=passages, confidence=-score)
        citation = Citation.of(self.articles[doc], start, end)
        claim = Claim(citation.quote, (citation,))
        return Answer(
            question,
            language,
            claims=(claim,),
            passages=passages,
            confidence=-score,
            index_version=self.version,
        )


def open_word_bot(fails_on: str = "", pause: float = 0.0) -> WordBot:
    """Open the double; picklable, so that processes can open their own."""
    return WordBot(articles(), fails_on, pause)


def opener(fails_on: str = "", pause: float = 0.0) -> Callable[[], WordBot]:
    """An `open_bot` for `run`."""
    return partial(open_word_bot, fails_on, pause)


def scored(
    id: str = "a",  # noqa: A002
    right: float | None = 1.0,
    *,
    label: str = "",
    group: str = "",
    confidence: float | None = 0.5,
    refused: bool = False,
    answerable: bool | None = True,
    language: str = "en",
    turn: int = 1,
    tags: Mapping[str, str] | None = None,
    values: Mapping[str, float] | None = None,
) -> Score:
    """A score by hand."""
    known = {**({} if right is None else {"right": right, "utility": 2 * right - 1}), **(values or {})}
    return Score(
        id=id,
        label=label or ("right" if right else "wrong"),
        values=known,
        reasons=_Reasons(),
        question=f"question {id}",
        language=language,
        group=group or id,
        turn=turn,
        answerable=answerable,
        refused=refused,
        confidence=confidence,
        tags=tags or {},
    )


class _Reasons(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "not given"
