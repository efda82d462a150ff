"""Questions to ask next: made from the articles, answered by the engine, never those just asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answer import Answer
from rag.anticipated import Anticipated
from rag.chat import Chatbot, Turn
from rag.corpus import Article, read_corpus
from rag.errors import WorkError
from rag.evidence import Citation, Claim
from rag.settings import shipped_corpus
from rag.suggest import FILE, MOST, Suggestions, candidates, verified
from rag.text import Language

HARBOR = (
    "---\ntitle: The harbor of Alden\npublisher: Port office\nissued: 2019-05\n---\n\n"
    "The harbor of Alden is a port on the west coast. The harbor has 14 cranes and a lighthouse. It has 3 gates.\n\n"
    "## Who pays the fees?\n\nShip owners pay the fees before they leave.\n\n"
    "## Opening hours\n\nThe gates open at 6 a.m. on weekdays.\n"
)
PUENTE = (
    "---\ntitle: El puente de Alden\nlanguage: es\npublisher: Municipio\nissued: 2019-05\n---\n\n"
    "El puente de Alden es una obra de acero. El puente tiene 310 metros y dos carriles.\n\n"
    "## ¿Cuándo se abrió el puente?\n\nEl puente se abrió al público en 1884.\n"
)


@pytest.fixture
def own(tmp_path: Path) -> dict[str, Article]:
    (tmp_path / "harbor.md").write_text(HARBOR, encoding="utf-8")
    (tmp_path / "puente.md").write_text(PUENTE, encoding="utf-8")
    return {a.id: a for a in read_corpus([tmp_path]).articles}


def quoting(article: Article) -> Answer:
    sentence = article.sentences[0]
    cited = Citation.of(article, sentence.start, sentence.end)
    return Answer("?", article.language, claims=(Claim(cited.quote, (cited,)),))


def test_an_article_suggests_what_it_asks_defines_and_counts(own: dict[str, Article]) -> None:
    english, spanish = (next(a for a in own.values() if a.language == code) for code in ("en", "es"))
    assert candidates(english) == [
        "The harbor of Alden: who pays the fees?",
        "What is the harbor of Alden?",
        "How many cranes does the harbor have?",
        "What does “The harbor of Alden” say about “Opening hours”?",
    ]
    assert candidates(spanish) == [
        "¿Cuándo se abrió el puente?",
        "¿Qué es el puente de Alden?",
        "¿Cuántos metros tiene el puente?",
    ]


def test_what_is_anticipated_is_suggested_first_and_only_what_is_written_out(own: dict[str, Article]) -> None:
    spanish = next(a for a in own.values() if a.language == "es")
    expected = (
        Anticipated(0, ("¿De quién es el puente?", "largo del puente", "¿Vale la pena verlo?")),
        Anticipated(1, ("¿Vale la pena verlo?", "Is it long?")),
    )
    assert candidates(replace(spanish, anticipated=expected))[:3] == [
        "¿Vale la pena verlo?",
        "¿De quién es el puente?",
        "¿Cuándo se abrió el puente?",
    ]


def test_only_what_the_engine_answers_from_that_article_is_kept(own: dict[str, Article]) -> None:
    some = list(own.values())

    def ask(question: str, language: Language) -> Answer:
        if "fees" in question:
            return quoting(next(a for a in some if a.language == "es"))  # answered from elsewhere
        if "cranes" in question:
            return Answer(question, language, note="The articles do not answer this.")
        return quoting(next(a for a in some if a.language == language))

    kept = verified(some, ask)
    english = kept.some("en", 9) + kept.after(quoting(next(a for a in some if a.language == "en")), [])
    assert "What is the harbor of Alden?" in english
    assert not any("fees" in q or "cranes" in q for q in english)


def test_what_was_asked_is_not_suggested_again(own: dict[str, Article]) -> None:
    harbor = next(a for a in own.values() if a.language == "en")
    kept = Suggestions({harbor.id: candidates(harbor)})
    offered = kept.after(quoting(harbor), ["How many cranes has the harbor?", "what is the harbor of Alden"])
    assert offered[0] == "The harbor of Alden: who pays the fees?"
    assert not any("cranes" in q or q.startswith("What is") for q in offered)


def test_suggestions_are_kept_while_their_article_stays_as_it_was(own: dict[str, Article], tmp_path: Path) -> None:
    kept = Suggestions({a.id: candidates(a) for a in own.values()})
    file = tmp_path / FILE
    kept.write(file, own)
    assert len(Suggestions.read([file, tmp_path / "none"], own)) == len(kept) > 0
    harbor = next(a for a in own.values() if a.language == "en")
    changed = {**own, harbor.id: Article(harbor.id, harbor.title, "en", harbor.text + " More.")}
    assert len(Suggestions.read([file], changed)) == len(
        candidates(next(a for a in own.values() if a.language == "es"))
    )
    with pytest.raises(WorkError, match="cannot be written"):
        kept.write(tmp_path / "no" / "where" / FILE, own)


def test_what_is_offered_fits_the_conversation(chatbot: Chatbot) -> None:
    asked = "How much do call center agents earn in Tijuana?"
    if not len(chatbot.suggestions):
        pytest.skip("the shipped articles have no suggestions yet")
    answer = chatbot.ask("And the minimum wage there?", [Turn(asked, "")])
    assert 1 <= len(answer.suggestions) <= MOST
    assert asked not in answer.suggestions
    assert all("¿" not in q for q in answer.suggestions)
    assert all("¿" in q for q in chatbot.ask("¿Cuánto gana un agente en Tijuana?").suggestions)


@pytest.mark.long
def test_every_shipped_suggestion_is_answered(chatbot: Chatbot) -> None:
    file = shipped_corpus() / FILE
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []
    failed = [
        question
        for row in rows
        for question in row["questions"]
        if not chatbot.ask(question, language=chatbot.articles[row["article"]].language).answered
    ]
    assert failed == []
