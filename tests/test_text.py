"""Sentences, terms and figures."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import blocks, figure, figures, sentences, terms


def cut(text: str) -> list[str]:
    return [text[a:b] for a, b in sentences(text)]


@given(st.text(max_size=400))
def test_sentences_lie_in_order_inside_the_text_and_hold_every_word(text: str) -> None:
    spans = sentences(text)
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert all(not text[a].isspace() and not text[b - 1].isspace() for a, b in spans)


@given(
    st.lists(
        st.sampled_from(["Mexico has 300 centers.", "Paga 1.5 veces más.", "Who pays?"]),
        min_size=1,
        max_size=6,
    )
)
def test_sentences_of_a_paragraph_come_back_as_they_were_joined(parts: list[str]) -> None:
    assert cut(" ".join(parts)) == parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Opera en EE. UU. y México. Crece.", ["Opera en EE. UU. y México.", "Crece."]),
        ("Telvista S.A. de C.V. creció. Contrata.", ["Telvista S.A. de C.V. creció.", "Contrata."]),
        ("It serves the U.S. market. It grows.", ["It serves the U.S. market.", "It grows."]),
        ("Sitel Inc. and Co. Ltd. merged. Done.", ["Sitel Inc. and Co. Ltd. merged.", "Done."]),
        ("It sells to the U.S. The firm grew.", ["It sells to the U.S.", "The firm grew."]),
        (
            "Creció 1.5% y llegó a 85.000 plazas. Paga bien.",
            ["Creció 1.5% y llegó a 85.000 plazas.", "Paga bien."],
        ),
        ("Dr. Ruiz spoke at 9 a.m. on Monday. He left.", ["Dr. Ruiz spoke at 9 a.m. on Monday.", "He left."]),
        ("J. R. Oros counted 75 firms. He knows.", ["J. R. Oros counted 75 firms.", "He knows."]),
        ("Véase art. 27 de la LFT. Rige.", ["Véase art. 27 de la LFT.", "Rige."]),
        ("# Heading\nBody one. Body two.", ["Body one.", "Body two."]),
        (
            "- First item.\n- Second item without end\n1. Third.",
            ["First item.", "Second item without end", "Third."],
        ),
        ("¿Cuánto paga? ¡Mucho! Sí.", ["¿Cuánto paga?", "¡Mucho!", "Sí."]),
        ('He said "No." Then he left.', ['He said "No."', "Then he left."]),
        ("Wait... and see. Good.", ["Wait... and see.", "Good."]),
        ("line one\r\nline two. End.\r\n\r\nNew block", ["line one\r\nline two.", "End.", "New block"]),
        ("", []),
        ("—  …", []),
    ],
)
def test_sentence_ends(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_a_megabyte_without_a_sentence_end_is_read_in_linear_time() -> None:
    for text in ("a" * 1_000_000, "a. b " * 200_000, "(" * 500_000, "1." * 300_000):
        assert sum(b - a for a, b in sentences(text)) <= len(text)


@given(st.text(max_size=300))
def test_blocks_do_not_overlap(text: str) -> None:
    spans = blocks(text)
    assert all(one.end <= other.start for one, other in pairwise(spans))


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("call centres", "call centers", "en"),
        ("labour", "labor", "en"),
        ("salaries", "wages", "en"),
        ("CDMX", "Mexico City", "en"),
        ("the U.S.", "United States", "en"),
        ("México", "mexico", "es"),
        ("sueldos", "salario", "es"),
        ("EE. UU.", "Estados Unidos", "es"),
        ("CDMX", "Ciudad de México", "es"),
        ("T-MEC", "tmec", "es"),
        ("Canadian", "Canada", "en"),
        ("gringas", "Estados Unidos", "es"),
        ("85,000", "85.000", "es"),
        ("contact centres", "call-center", "en"),
        ("centros de contacto", "call centers", "es"),
        ("un centro de atención telefónica", "centro de llamadas", "es"),
        ("working from home", "telework", "en"),
        ("trabajan desde su casa", "home office", "es"),
        ("the LFT", "the Federal Labor Law", "en"),
    ],
)
def test_words_that_mean_the_same_are_one_term(one: str, other: str, language: str) -> None:
    assert terms(one, language) == terms(other, language) != []  # type: ignore[arg-type]


def test_a_bare_center_still_matches_a_call_center() -> None:
    assert set(terms("247 centers", "en")) - {"247"} <= set(terms("contact centers", "en"))
    assert set(terms("247 centros", "es")) - {"247"} <= set(terms("call centers", "es"))


def test_latin_american_is_not_of_the_united_states() -> None:
    assert "state" not in terms("Latin American centers", "en")
    assert "state" in terms("American centers", "en")


def test_tell_us_is_not_about_the_united_states() -> None:
    assert terms("tell us", "en") == []


@given(st.integers(min_value=0, max_value=10**12))
def test_a_number_is_one_figure_however_it_is_grouped(number: int) -> None:
    assert figure(f"{number:,}") == figure(f"{number:,}".replace(",", ".")) == figure(str(number))


def test_figures_of_a_sentence() -> None:
    assert figures("De 3,000 a 3.500 pesos, 1.5% en 2021") == {"3000", "3500", "1.5", "2021"}
