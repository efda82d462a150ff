"""A sentence on another place or year than the one asked about is no answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chat import Chatbot
from rag.corpus import read_corpus
from rag.evidence import Candidate
from rag.markers import ABROAD, PLACES
from rag.particulars import places_in
from rag.question import read_question
from rag.scope import absent, absent_places, absent_years, on_place

TOO_WIDE = {"mexico", "the world", "latin america", "north america"}
NARROW = sorted({row.partition("|")[0] for row in PLACES} - TOO_WIDE)


def shown(folder: Path, *texts: str, title: str = "Wages") -> list[Candidate]:
    """The first sentence of each of some documents, as if it were to be shown."""
    file = folder / "documents.jsonl"
    rows = [{"id": f"d{n}", "title": title, "text": text} for n, text in enumerate(texts)]
    file.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    articles = read_corpus([file]).articles
    return [Candidate(a, 0, a.sentences[0], {"asks": 0.0}, 1.0, 1.0) for a in articles]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where documents of this module are written."""
    return tmp_path_factory.mktemp("scope")


@given(place=st.sampled_from(NARROW), other=st.sampled_from(NARROW))
def test_a_sentence_on_the_place_answers_and_its_company_does_no_harm(folder: Path, place: str, other: str) -> None:
    question = read_question(f"What do agents earn in {place.title()}?", language="en")
    told = shown(folder, f"Agents in {other.title()} earn 3 dollars.", f"Agents in {place.title()} earn 4 dollars.")
    assert absent_places(question, told) == absent_places(question, told[::-1]) == ()


@given(st.text(alphabet="abcdefghij ", max_size=40))
def test_a_question_without_a_place_or_year_asks_for_none(folder: Path, text: str) -> None:
    assert absent(read_question(text, language="en"), shown(folder, "Agents in Tijuana earn 4 dollars."), 2026) == ()


@pytest.mark.parametrize(
    ("question", "sentence", "missing"),
    [
        ("What do agents earn in Mérida?", "Agents in Monterrey earn 4 dollars.", ("Mérida",)),
        ("What is Bolivia's minimum wage?", "The minimum wage in Mexico is 315 pesos.", ("Bolivia",)),
        ("What do agents earn in Baja California?", "Agents in Tijuana earn 4 dollars.", ()),
        ("What do agents earn in Tijuana?", "Agents in Baja California earn 4 dollars.", ()),
        ("Must I pay severance in Tijuana?", "The Federal Labor Law asks for 3 months of wage in Mexico.", ()),
        ("Must I pay severance in Chile?", "The Federal Labor Law asks for 3 months of wage in Mexico.", ("Chile",)),
        ("What do agents earn in Mérida?", "Agents in Mexico earn 4 dollars, says an undated article.", ("Mérida",)),
        ("Which Mexican cities serve the United States?", "Tijuana and Monterrey are the main ones.", ()),
        ("What do agents earn in Mexico?", "Agents in Monterrey earn 4 dollars.", ()),
    ],
)
def test_the_place_that_is_asked_about(folder: Path, question: str, sentence: str, missing: tuple[str, ...]) -> None:
    assert absent_places(read_question(question, language="en"), shown(folder, sentence)) == missing


def test_a_sentence_that_names_no_place_is_on_those_of_its_section(folder: Path) -> None:
    question = read_question("What do agents earn in Poland?", language="en")
    assert absent_places(question, shown(folder, "Agents earn 4 dollars. This is what we found in Poland.")) == ()
    assert absent_places(question, shown(folder, "Agents earn 4 dollars. In Poland and Peru.")) == ()
    assert absent_places(question, shown(folder, "Agents earn 4 dollars. So in Poland. Not in Peru.")) == ("Poland",)
    assert absent_places(question, shown(folder, "Agents in Peru earn 4 dollars. Poland is next.")) == ("Poland",)
    assert absent_places(question, shown(folder, "Agents earn 4 dollars.", title="Wages in Poland")) == ()


def test_sentences_on_other_places_are_left_out_where_one_is_on_the_place(folder: Path) -> None:
    tijuana, monterrey, abroad, country, neither = shown(
        folder,
        "Agents in Tijuana earn 4 dollars.",
        "Agents in Monterrey earn 5 dollars.",
        "Agents in the United States earn 17 dollars.",
        "Agents in Mexico earn less than in the United States.",
        "Agents with English earn more.",
    )
    everything = [tijuana, monterrey, abroad, country, neither]
    on_tijuana = on_place(read_question("What do agents earn in Tijuana?", language="en"), everything)
    on_mexico = on_place(read_question("What do Mexican agents earn?", language="en"), everything)
    assert on_tijuana == [tijuana, neither]
    assert on_mexico == [tijuana, monterrey, country, neither]
    assert on_place(read_question("What do agents earn?", language="en"), everything) == everything
    assert on_place(read_question("What do agents earn in Poland?", language="en"), everything) == everything


def test_a_year_that_no_sentence_is_on_is_missed(folder: Path) -> None:
    def missed(question: str, *sentences: str, title: str = "Wages") -> tuple[str, ...]:
        return absent_years(read_question(question, language="en"), shown(folder, *sentences, title=title), 2026)

    now = "The minimum wage of 2026 is 315 pesos."
    assert (
        missed("Minimum wage in 2031?", now) == missed("Minimum wage in 2031?", "The wage is 315 pesos.") == ("2031",)
    )
    assert missed("Minimum wage in 2009?", now) == ("2009",)
    assert missed("Minimum wage in 2009?", now, "It was 55 pesos in 2009.") == ()
    assert missed("Minimum wage in 2009?", now, title="Wages of 2009") == ()
    assert missed("Minimum wage in 2009?", "The minimum wage is 315 pesos.") == ()  # it states no other year
    assert missed("Minimum wage from 2009 to 2026?", "It was 88 pesos in 2018.") == ()
    assert missed("Will 2026 be as 2031?", now) == ()


def test_where_the_asker_is_is_not_what_is_asked_about(folder: Path) -> None:
    told = shown(folder, "Agents in Mexico earn 4 dollars.")
    for question in (
        "We're a bank in Dallas with 40 agents, what would we pay in Mexico?",
        "I run a shop in Toronto. What do Mexican agents earn?",
        "What do Mexican agents earn who sell to the US?",
    ):
        assert absent_places(read_question(question, language="en"), told) == ()
    spanish = read_question("Somos una empresa de 60 agentes en Lima: ¿qué ganan los de México?", language="es")
    assert absent_places(spanish, told) == ()
    assert absent_places(read_question("I wonder, what do agents earn in Lima?", language="en"), told) == ("Lima",)


def test_every_name_of_a_place_is_read_as_that_place() -> None:
    for row in PLACES:
        for spelling in row.split("|"):
            written = spelling.upper() if len(spelling) < 5 else spelling.title()
            assert row.partition("|")[0] in places_in(f"x {written} x")


def test_mexico_is_not_abroad() -> None:
    assert not ABROAD & {"mexico", "tijuana", "bajio", "northern border"}


@pytest.mark.parametrize(
    ("question", "place", "note"),
    [
        ("What does a call center agent earn per hour in Hungary?", "Hungary", "nothing about Hungary"),
        ("¿Cuánto gana un agente de call center en Bulgaria?", "Bulgaria", "nada de Bulgaria"),
        ("What will the minimum wage in Mexico be in 2035?", "2035", "not about 2035"),
    ],
)
def test_the_refusal_names_what_it_lacks_and_shows_the_nearest(
    chatbot: Chatbot, question: str, place: str, note: str
) -> None:
    answer = chatbot.ask(question)
    assert not answer.answered
    assert place in answer.missing
    assert note in answer.text
    assert answer.closest
