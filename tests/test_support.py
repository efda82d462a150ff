"""The support check: what quotes carry, what they do not, and which check says so."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.support import support

ROOT = Path(__file__).resolve().parent.parent
PAIRS = [
    (row["sentence_en"], row["sentence_es"])
    for row in list(csv.DictReader((ROOT / "corpus" / "figures.csv").open(encoding="utf-8")))[::9]
]
SENTENCES = [sentence for pair in PAIRS for sentence in pair]


# --- laws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("quote", SENTENCES[::8])
def test_a_quote_carries_itself(quote: str) -> None:
    assert support(quote, [quote]).verdict == "supported"


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(SENTENCES), st.integers(1, 9))
def test_a_changed_digit_is_never_carried(quote: str, shift: int) -> None:
    digits = [m.start() for m in re.finditer(r"(?<![\w.,-])[1-9]", quote)]
    if digits:
        at = digits[0]
        changed = f"{quote[:at]}{(int(quote[at]) - 1 + shift) % 9 + 1}{quote[at + 1 :]}"
        if changed != quote:
            assert support(changed, [quote]).verdict != "supported"


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_is_given_is_judged(claim: str, quote: str) -> None:
    found = support(claim, [quote])
    assert (found.verdict == "supported") == (not found.failed)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(SENTENCES), st.sampled_from(SENTENCES))
def test_more_quotes_take_no_number_away(quote: str, other: str) -> None:
    alone = {f.said for f in support(f"So: {quote}", [quote]).failed if f.check == "numbers" and not f.quoted}
    both = {f.said for f in support(f"So: {quote}", [quote, other]).failed if f.check == "numbers" and not f.quoted}
    assert both <= alone


def test_both_languages_are_measured() -> None:
    """Of translations of quotes nine in ten pass, and hardly one with another number does."""
    carried = [support(es, [en]).verdict == "supported" for en, es in PAIRS]
    assert sum(carried) >= 0.85 * len(carried)
    lies = [(re.sub(r"\d", "7", es, count=1), en) for en, es in PAIRS if re.search(r"\d", es)]
    caught = [support(lie, [en]).verdict != "supported" for lie, en in lies if not re.search(r"7", en)]
    assert sum(caught) >= 0.95 * len(caught)


# --- examples -------------------------------------------------------------------------------------

WAGES = "Wages in Tijuana rose 13% in 2025, according to the IMT."
CENTERS = "In July 2012, IMT data gave Mexico at least 247 outsourced contact centers with 95,636 employees."
LAW = "Employers in Mexico must register teleworkers, who may not change their address without notice."
FORECAST = "Se esperaba que el sector generara ingresos de 1.4 mil millones de dólares para 2025, según CallZent."
COUNTS = "The IMT counts 780,000 jobs and El Financiero 700,000."
CITIES = "Monterrey scored 53.59, Mexico City 53.03, Tijuana 51.27 and Guadalajara 50.52 in 2015."


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("In 2025 pay rose by 13% in Tijuana.", WAGES),
        ("Los salarios en Tijuana subieron 13% en 2025.", WAGES),
        ("In 2012 Mexico had at least 247 outsourced contact centers.", CENTERS),
        ("247 outsourced contact centers employed 95,636 people in July 2012, says the IMT.", CENTERS),
        ("Employers must register teleworkers in Mexico.", LAW),
        ("Teleworkers may not change their address without notice.", LAW),
        ("Para 2025 se esperaban ingresos de 1,400 millones de dólares en el sector.", FORECAST),
        ("The sector was expected to earn revenue of US$1.4 billion by 2025.", FORECAST),
        ("Tijuana scored 51.27 and Guadalajara 50.52 in 2015.", CITIES),
        ("The counts differ by 780,000 - 700,000 = 80,000 jobs.", COUNTS),
    ],
)  # fmt: skip
def test_what_quotes_carry(claim: str, quote: str) -> None:
    assert support(claim, [quote]).failed == ()


@pytest.mark.parametrize(
    ("claim", "quote", "check"),
    [
        ("Wages in Tijuana rose 31% in 2025.", WAGES, "numbers"),
        ("Wages in Tijuana rose 13% in 2024.", WAGES, "dates"),
        ("Wages in Monterrey rose 13% in 2025.", WAGES, "places"),
        ("Wages in Tijuana fell 13% in 2025.", WAGES, "direction"),
        ("Wages in Tijuana rose 13% in 2025, according to Atento.", WAGES, "names"),
        ("Los salarios en Tijuana bajaron 13% en 2025.", WAGES, "direction"),
        ("Los salarios en Tijuana no subieron 13% en 2025.", WAGES, "negation"),
        ("Mexico had at most 247 outsourced contact centers in 2012.", CENTERS, "bound"),
        ("Mexico had 95,636 outsourced contact centers with 247 employees.", CENTERS, "numbers"),
        ("In May 2012 IMT data gave Mexico at least 247 outsourced contact centers.", CENTERS, "dates"),
        ("Employers in Mexico need not register teleworkers.", LAW, "duty"),
        ("Teleworkers may change their address without notice.", LAW, "negation"),
        ("El sector generó ingresos de 1.4 mil millones de dólares en 2025, según CallZent.", FORECAST, "modality"),
        ("Se esperaba que el sector generara ingresos de 1.4 mil millones de pesos para 2025.", FORECAST, "numbers"),
        ("Guadalajara scored 53.59 and Monterrey 50.52 in 2015.", CITIES, "places"),
        ("The counts differ by 780,000 - 700,000 = 90,000 jobs.", COUNTS, "numbers"),
        ("Pets are welcome in most offices of the coast.", WAGES, "words"),
    ],
)
def test_what_quotes_do_not_carry(claim: str, quote: str, check: str) -> None:
    assert check in {f.check for f in support(claim, [quote]).failed}


def test_a_frame_lends_names_and_no_numbers() -> None:
    quote, frame = "It has 14 cranes.", ["The harbor of Alden in 1884"]
    assert support("The harbor of Alden has 14 cranes.", [quote], frame=frame).verdict == "supported"
    assert support("The harbor of Alden has 14 cranes.", [quote]).verdict != "supported"
    assert support("In 1884 the harbor of Alden had 14 cranes.", [quote], frame=frame).verdict != "supported"


def test_a_frame_does_not_move_a_statement_to_another_place() -> None:
    quote = "Guadalajara has 19 contact centers."
    assert support("Tijuana has 19 contact centers.", [quote], frame=["Call centers in Tijuana"]).verdict != "supported"


def test_a_trained_scorer_can_overrule() -> None:
    low = support("In 2025 pay rose by 13% in Tijuana.", [WAGES], scorer=lambda claim, quotes: 0.1)
    assert [f.check for f in low.failed] == ["scorer"]


def test_a_finding_says_what_was_said_and_what_is_quoted() -> None:
    (found,) = support("Wages in Tijuana fell 13% in 2025.", [WAGES]).failed
    assert (found.check, found.said, found.quoted) == ("direction", "fell", "rose")


@pytest.mark.parametrize(
    ("said", "quote"),
    [
        ("Nine in ten agents stay.", "90% of the agents stay."),
        ("Uno de cada cinco agentes se queda.", "El 20% de los agentes se queda."),
        (
            "In Q1 2025, 53,700 people sold by telephone.",
            "In the first quarter of 2025, 53,700 people sold by telephone.",
        ),
        ("Atento tenía 10 mil 500 posiciones en 2018.", "Atento tenía 10,500 posiciones en 2018."),
        ("Close to 300 firms sell calls.", "Nearly 300 firms sell calls."),
        ("Some 10% of the staff leave every month.", "About 10% of the staff leave a month."),
        ("Una nota no fechada cuenta 45 municipios.", "Una nota sin fecha cuenta 45 municipios."),
    ],
)
def test_the_same_written_otherwise_is_the_same(said: str, quote: str) -> None:
    assert support(said, [quote]).verdict == "supported", support(said, [quote]).failed
