"""Where sources disagree, which sentences are chosen, and who stands behind them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.choose import choose, newest_first
from rag.conflicts import Disagreements, Found, is_declaration
from rag.corpus import Article, Source, read_corpus
from rag.evidence import Candidate, Citation, Claim
from rag.facts import Figures
from rag.origins import independent_sources, interest
from rag.question import read_question

CORPUS = Path(__file__).resolve().parent.parent / "corpus"


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    """The shipped articles, read without an index."""
    return {a.id: a for a in read_corpus([CORPUS]).articles}


@pytest.fixture(scope="module")
def shipped(articles: dict[str, Article]) -> Disagreements:
    """What finds the conflicts of the shipped corpus."""
    return Disagreements(Figures.read([CORPUS], articles))


def documents(folder: Path, *texts: str) -> list[Article]:
    """One document a text, each of a publisher of its own, as a user would give them."""
    rows = [{"id": f"d{n}", "text": t, "publisher": f"House {n}"} for n, t in enumerate(texts)]
    file = folder / "documents.jsonl"
    file.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    return list(read_corpus([file]).articles)


def candidates(*told: tuple[Article, str], shares: tuple[float, ...] = ()) -> list[Candidate]:
    """Candidates in this order, each the sentence of an article that has some words."""
    found = []
    for rank, (article, words) in enumerate(told):
        number = next(n for n, s in enumerate(article.sentences) if words in article.quote(s))
        share = shares[rank] if shares else 1 / len(told)
        found.append(Candidate(article, number, article.sentences[number], {"asks": 0.0}, share, share))
    return found


def find(disagreements: Disagreements, question: str, found: list[Candidate]) -> Found | None:
    return disagreements.find(read_question(question), found[:1], found)


# --- declared ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "article", "words", "values"),
    [
        ("How many people work in call centers in Tijuana?", "en/call-centers-tijuana", "20,000", ("30,000", "20,000")),
        ("¿Cuántos empleos hay en call centers de Tijuana?", "es/call-centers-tijuana", "20,000", ("30,000", "20,000")),
        (
            "When did NOM-037, the telework standard, start?",
            "en/telework-law-and-nom-037",
            "December 4, 2023 as",
            ("December 4", "December 5"),
        ),
        ("How many firms has the IMT advised?", "en/quality-certifications", "378 firms", ("378", "320")),
    ],
)
def test_both_sides_of_what_the_articles_call_disputed_are_shown(
    articles: dict[str, Article],
    shipped: Disagreements,
    question: str,
    article: str,
    words: str,
    values: tuple[str, ...],
) -> None:
    found = find(shipped, question, candidates((articles[article], words)))
    assert found is not None
    assert found.declared is not None
    said = [s.text for s in found.conflict.statements]
    assert all(any(v in text for text in said) for v in values)
    assert found.conflict.reason
    for statement in found.conflict.statements:
        source = articles[statement.citation.article]
        assert source.text[statement.citation.start : statement.citation.end] == statement.text


def test_most_of_what_the_articles_declare_can_be_shown(articles: dict[str, Article], shipped: Disagreements) -> None:
    declared = [(a, n) for a in articles.values() for n in range(len(a.sentences)) if is_declaration(a, n)]
    shown = 0
    for article, number in declared:
        quote = article.quote(article.sentences[number])
        found = find(shipped, quote.split(":")[0], candidates((article, quote)))
        shown += found is not None and len(found.conflict.statements) > 1
    assert len(declared) > 150
    assert shown / len(declared) > 0.85


def test_a_question_for_one_side_raises_no_alarm(articles: dict[str, Article], shipped: Disagreements) -> None:
    article = articles["en/call-centers-tijuana"]
    for question in ("How many call center jobs were there in Tijuana in 2021?", "How many jobs did Oros count?"):
        assert find(shipped, question, candidates((article, "Jorge Oros, a leader"))) is None


def test_the_one_to_use_is_said(articles: dict[str, Article], shipped: Disagreements) -> None:
    article = articles["en/call-centers-tijuana"]
    found = find(shipped, "How many people work in call centers in Tijuana?", candidates((article, "30,000 people")))
    assert found is not None
    assert found.conflict.statements[0].as_of == "2021-01"
    assert "most recent, January 2021" in found.conflict.reason
    assert found.conflict.reason.startswith("Different years")


# --- opposed by what they state --------------------------------------------------------------------

OPPOSED = [
    ("The harbor of Alden has 14 cranes.", "The harbor of Alden has 19 cranes.", True),
    ("The harbor of Alden has 14 cranes.", "The harbor of Alden has 14 cranes and a light.", False),
    ("The harbor of Alden has 14 cranes.", "The harbor of Bruma has 19 cranes.", False),
    ("The harbor of Alden has 14 cranes.", "The harbor of Alden has 12 to 16 cranes.", False),
    ("The harbor of Alden has 14 cranes.", "The harbor of Alden has 300 workers.", False),
    ("The harbor of Alden moved 52,300 tons.", "The harbor of Alden moved about 52,000 tons.", False),
]


@pytest.mark.parametrize(("one", "other", "opposed"), OPPOSED)
def test_sentences_oppose_each_other_on_one_thing_only(tmp_path: Path, one: str, other: str, opposed: bool) -> None:
    first, second = documents(tmp_path, one, other)
    question = (
        "How many tons moved through the harbor of Alden?" if "tons" in one else "How many cranes has the harbor?"
    )
    found = find(Disagreements(), question, candidates((first, one), (second, other)))
    assert (found is not None) is opposed


def test_one_source_told_twice_is_no_conflict(tmp_path: Path) -> None:
    (only,) = documents(tmp_path, "The harbor of Alden has 14 cranes. In spring the harbor of Alden has 19 cranes.")
    told = candidates((only, "14 cranes"), (only, "19 cranes"))
    assert find(Disagreements(), "How many cranes has the harbor of Alden?", told) is None


# --- which sentences -------------------------------------------------------------------------------


def test_each_side_of_a_comparison_gets_its_sentence(tmp_path: Path) -> None:
    both = documents(tmp_path, "An agent in Alden earns 5 dollars.", "An agent in Bruma earns 7 dollars.")
    told = candidates((both[0], "Alden"), (both[1], "Bruma"), shares=(0.9, 0.1))
    chosen = choose(read_question("Compare what an agent earns in Alden, Bruma or Corvo"), told, Figures())
    assert [(s.name, s.candidate.article.id if s.candidate else "") for s in chosen.sides] == [
        ("Alden", "d0"),
        ("Bruma", "d1"),
        ("Corvo", ""),
    ]
    assert chosen.sentences == told


@pytest.mark.parametrize(("shares", "side"), [((0.6, 0.4), "d1"), ((0.93, 0.07), "d0")])
def test_a_sentence_on_one_side_alone_goes_before_one_on_both_unless_it_is_far_off(
    tmp_path: Path, shares: tuple[float, float], side: str
) -> None:
    texts = ("Agents in Alden earn 5 dollars, in Bruma 7.", "Alden has a harbor with 14 cranes.")
    told = candidates(*zip(documents(tmp_path, *texts), texts, strict=True), shares=shares)
    alden, bruma = choose(read_question("Compare what an agent earns in Alden and Bruma"), told, Figures()).sides
    assert (alden.candidate, bruma.candidate) == (told[int(side[1])], told[0])


def test_now_is_told_by_the_date_of_the_fact_and_not_by_what_is_still_to_come(tmp_path: Path) -> None:
    texts = ("The fee was 5 dollars in 2019.", "The fee was 6 dollars in 2022.", "A fee of 9 dollars is due in 2090.")
    told = candidates(*((a, "fee") for a in documents(tmp_path, *texts)))
    assert newest_first(told, Figures())[0].quote == texts[1]


def test_a_fact_that_stands_out_needs_no_second_sentence(tmp_path: Path) -> None:
    one, other = documents(tmp_path, "The bridge is 310 meters long.", "The bridge was painted green last year.")
    told = candidates((one, "310"), (other, "green"), shares=(0.8, 0.2))
    assert choose(read_question("How long is the bridge?"), told, Figures()).sentences == told[:1]


# --- who says it -----------------------------------------------------------------------------------


def cited(identity: str, quote: str, publisher: str = "", kind: str = "other") -> Citation:
    return Citation(identity, "", "en", "", 0, len(quote), quote, (Source(identity, publisher, "", kind=kind),))


COPIES = [
    "The fourth season of the drama Chicago Fire has 24 episodes in all.",
    "Chicago Fire, a popular drama, released its fourth season with 24 episodes.",
    "In its fourth season the drama series Chicago Fire contains 24 episodes.",
    "Chicago Fire's fourth season comprises a total of 24 episodes.",
    "Fans of Chicago Fire saw 24 episodes in the fourth season of the drama.",
]


def test_five_copies_of_one_passage_are_one_source() -> None:
    assert independent_sources([cited(f"c{n}", text) for n, text in enumerate(COPIES)]) == 1


def test_publishers_of_their_own_count_each_unless_they_copy() -> None:
    quotes = ["Atento ran 95 centers in 2024.", "Its rival closed two sites."]
    assert independent_sources([cited("a", quotes[0], "Press A"), cited("b", quotes[1], "Press B")]) == 2
    assert independent_sources([cited("a", quotes[0], "Press A"), cited("b", quotes[0], "Press B")]) == 1
    assert independent_sources([cited("a", quotes[0], "Press A"), cited("b", quotes[1], "Press A")]) == 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(COPIES), min_size=1, max_size=6), st.randoms())
def test_sources_are_counted_alike_in_any_order(quotes: list[str], random: object) -> None:
    told = [cited(f"c{n}", q, f"House {n % 3}") for n, q in enumerate(quotes)]
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert independent_sources(told) == independent_sources(shuffled)
    assert 1 <= independent_sources(told) <= len(told)


@pytest.mark.parametrize(
    ("quote", "kind", "expected"),
    [
        ("Atpoint, a nearshore vendor, claimed in 2021 that its own attrition was below 9%.", "vendor", "own"),
        ("Mexico has over 300 call centers, according to an undated page of Atpoint.", "vendor", "vendor"),
        ("Mexico has over 300 call centers, according to Atpoint.", "press", ""),
    ],
)
def test_a_vendors_word_is_marked(quote: str, kind: str, expected: str) -> None:
    assert interest(Claim(quote, (cited("a", quote, "Atpoint Group", kind),))) == expected
