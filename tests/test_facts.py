"""Amounts, dates and the table of figures: what a sentence states."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.corpus import Article, read_corpus
from rag.facts import FIGURES, Amount, Figures, amounts, as_of, dates, differ, read_figures, same_unit
from rag.text import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "corpus"


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    """The shipped articles, read without an index."""
    return {a.id: a for a in read_corpus([CORPUS]).articles}


def amount(low: float, high: float) -> Amount:
    return Amount(low, high, "", frozenset(), "", 0, 0)


values = st.integers(0, 10**7)


@settings(deadline=None, max_examples=50)
@given(values, values, values, values)
def test_amounts_differ_both_ways_or_neither(a: int, b: int, c: int, d: int) -> None:
    one, other = amount(min(a, b), max(a, b)), amount(min(c, d), max(c, d))
    assert differ(one, other) == differ(other, one)
    assert not differ(one, one)


@settings(deadline=None, max_examples=50)
@given(values, st.integers(0, 1000), st.integers(0, 1000))
def test_a_range_never_differs_from_what_it_holds(value: int, below: int, above: int) -> None:
    assert not differ(amount(value - below, value + above), amount(value, value))


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_any_text_can_be_read(text: str, language: str) -> None:
    for found in amounts(text, language):  # type: ignore[arg-type]
        assert found.low <= found.high
        assert any(c.isdigit() for c in text[found.start : found.end])
    assert all(d == d.strip() for d in dates(text))


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("16 countries", "17 countries", True),
        ("34,230 people", "about 36,000 people", True),
        ("34,230 people", "about 34,000 people", False),
        ("US$5-6", "US$5.5", False),
        ("18.2%", "18%", False),
        ("43%", "32%", True),
        ("525,000 employees", "more than 700,000 jobs", True),
    ],
)
def test_spread_and_rounding_are_no_difference(one: str, other: str, apart: bool) -> None:
    assert differ(amounts(one, "en")[0], amounts(other, "en")[0]) is apart


def test_amounts_of_different_things_are_not_held_against_each_other() -> None:
    people, sites, share = (amounts(t, "en")[0] for t in ("300 people work", "12 sites opened", "5% left"))
    assert not same_unit(people, sites)
    assert not same_unit(people, share)
    assert same_unit(people, amounts("340 people stayed", "en")[0])


def test_names_and_years_are_no_amounts() -> None:
    assert amounts("Under NOM-035 and article 15 of 2019, since May 3, 2021", "en") == ()


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("From 5 de diciembre de 2023 on", "2023-12-05"),
        ("In May 2026, against 2019", "2026-05"),
        ("Nothing is dated here", ""),
        ("Introduced on July 24", ""),
    ],
)
def test_a_sentence_holds_for_the_latest_date_that_it_names(quote: str, expected: str) -> None:
    assert as_of(quote) == expected


def test_the_rows_are_bound_to_the_sentences_that_state_them(articles: dict[str, Article]) -> None:
    figures = Figures.read([CORPUS], articles)
    rows, problems = read_figures(CORPUS / FIGURES)
    assert not problems
    for row in rows:
        for language in LANGUAGES:
            article, number = figures.place(row, language) or ("", -1)
            assert articles[article].quote(articles[article].sentences[number]) == row.sentences[language]
            assert row in figures.of(article, number)


def test_a_table_says_nothing_of_other_words(articles: dict[str, Article], tmp_path: Path) -> None:
    other = {"en/agent-pay": Article("en/agent-pay", "Other", "en", "Something else. Two.")}
    assert not Figures.read([CORPUS], other).of("en/agent-pay", 0)
    assert not Figures.read([tmp_path], articles).of("en/agent-pay", 0)
