"""Which language a text is in."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.language import detect, is_foreign

ROWS = [
    json.loads(line) for line in (Path(__file__).parent.parent / "corpus" / "questions.jsonl").open(encoding="utf-8")
]
ASKED = [(r["question"], r["language"]) for r in ROWS if r["tags"]["split"] == "tune"]
SPANISH = [q for q, language in ASKED if language == "es" and len(q.split()) > 4]
LOANS = st.lists(st.sampled_from(["call center", "contact centers", "BPO", "outsourcing", "nearshore", "home office"]))


def plain(text: str) -> str:
    """As it is typed in a hurry: no capitals, accents or marks."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c)).strip("¿? ")


@given(st.sampled_from(SPANISH), LOANS)
def test_spanish_stays_spanish_however_many_loan_words_are_in_it(question: str, loans: list[str]) -> None:
    assert detect(" ".join([plain(question), *loans])) == "es"


@given(LOANS, st.sampled_from(["en", "es"]))
def test_loan_words_alone_tell_nothing(loans: list[str], default: str) -> None:
    assert detect(" ".join(loans), default) == default  # type: ignore[arg-type]


@pytest.mark.parametrize("typed", [str, plain], ids=["written", "in a hurry"])
def test_the_language_of_nearly_every_question_is_told(typed: type[str]) -> None:
    wrong = [q for q, language in ASKED if detect(typed(q)) != language]
    assert len(wrong) <= 0.003 * len(ASKED), wrong


def test_no_question_of_ours_is_taken_for_a_foreign_one() -> None:
    assert [q for q, _ in ASKED if is_foreign(q) or is_foreign(plain(q))] == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many call centers are there in Mexico?", "en"),
        ("¿Cuántos centros de contacto hay?", "es"),
        ("cuantos call centers hay en tijuana", "es"),
        ("sueldo agente bilingue", "es"),
        ("sueldo de supervisor en call center", "es"),
        ("call center con home office", "es"),
        ("tarifa por hora call center Polonia", "es"),
        ("call center jobs tijuana", "en"),
        ("Who runs the Cámara de Diputados?", "en"),
        ("What does the Ley Federal del Trabajo say?", "en"),
        ("attrition rate", "en"),
        ("Telvista", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "Combien de centres d'appels y a-t-il au Mexique ?",
        "Wie viele Callcenter gibt es?",
        "墨西哥有多少呼叫中心",
        "Сколько центров?",
    ],
)
def test_other_languages_are_noticed(text: str) -> None:
    assert is_foreign(text)


@pytest.mark.parametrize(
    "text",
    [
        "REPSE",
        "What is a call centre?",
        "¿Qué es el REPSE?",
        "Tijuana salarios 2021",
        "Konecta Atento Telvista",
    ],
)
def test_ours_are_not_taken_for_others(text: str) -> None:
    assert not is_foreign(text)
