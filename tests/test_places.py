"""Which places a text is on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.markers import ABROAD, AT_HOME, PLACES, WIDE
from rag.places import is_elsewhere, is_home, meet, places_of

KEYS = sorted(row.partition("|")[0] for row in PLACES)
some = st.frozensets(st.sampled_from(KEYS), max_size=4)


@given(some, some)
def test_meeting_is_mutual(one: frozenset[str], other: frozenset[str]) -> None:
    assert meet(one, other) == meet(other, one)


@given(some, some)
def test_a_text_on_what_is_asked_or_on_no_place_is_not_elsewhere(here: frozenset[str], asked: frozenset[str]) -> None:
    assert not is_elsewhere(frozenset(), asked)
    assert not is_elsewhere(here | {"mexico"}, frozenset())
    if not here <= WIDE:
        assert not is_elsewhere(here, here)


@pytest.mark.parametrize(
    ("text", "asked", "elsewhere"),
    [
        ("India's sector grew 7%.", "How much did the sector grow?", True),
        ("Mexico's sector grew 7%.", "How much did the sector grow?", False),
        ("The world market grew 7%.", "How much did the Mexican market grow?", True),
        ("The world market grew 7%.", "How much did the world market grow?", False),
        ("Agents in Monterrey earn 5 dollars.", "What do agents earn in Mérida?", True),
        ("Agents in Yucatán earn 5 dollars.", "What do agents earn in Mérida?", False),
        ("Agents in Mexico earn 5 dollars.", "What do agents earn in Mérida?", False),
        ("Tijuana has 70 centers.", "Which Mexican cities serve the United States?", False),
    ],
)
def test_elsewhere(text: str, asked: str, *, elsewhere: bool) -> None:
    assert is_elsewhere(places_of(text), places_of(asked)) is elsewhere


def test_home_is_where_most_texts_are() -> None:
    assert is_home([frozenset({"tijuana"}), frozenset({"mexico", "india"}), frozenset({"india"}), frozenset()])
    assert not is_home([frozenset({"spain"}), frozenset({"mexico"}), frozenset()])
    assert not AT_HOME & ABROAD
