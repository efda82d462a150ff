"""What an asker lets answers rest on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chat import Chatbot
from rag.corpus import KINDS, Article, Section, Sentence, Source
from rag.filter import EVERYTHING, Filter

DATES = st.sampled_from(["", "2012", "2012-07", "2012-07-08", "2020", "2020-01-31", "soon", "2020-13"])
FILTERS = st.builds(
    Filter,
    st.lists(st.sampled_from(KINDS), unique=True).map(lambda kinds: tuple(k for k in KINDS if k in kinds)),
    st.sampled_from(["", "2012", "2012-07-08"]),
    st.sampled_from(["", "2020", "2020-01-31"]),
    st.sampled_from(["", "en", "es"]),
    st.sampled_from(["", "mexico", "tijuana"]),
)
SOURCES = st.builds(
    Source,
    st.uuids().map(str),
    st.just("P"),
    st.just("T"),
    st.sampled_from(["", "2011", "2012", "2012-07", "2012-07-09", "2020", "2021-05"]),
    language=st.sampled_from(["", "en", "es"]),
    kind=st.sampled_from(KINDS),
)


def of(
    *sources: Source, places: tuple[str, ...] = (), title: str = "T", heading: str = "", quote: str = "Words."
) -> Article:
    """An article of one sentence."""
    ids = tuple(s.id for s in sources)
    sections = (Section(heading, 0),) if heading else ()
    return Article("a", title, "en", quote, sections, (Sentence(0, len(quote), 0, ids),), sources, places=places)


@given(FILTERS)
def test_a_filter_is_read_back_as_it_was_written(chosen: Filter) -> None:
    assert Filter.read(chosen.to_json()) == chosen
    assert bool(chosen) == bool(chosen.to_json())


@given(st.dictionaries(st.sampled_from(["kinds", "since", "until", "language", "place", "x"]),
                       st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()), st.just(["press"]), DATES)))  # fmt: skip
def test_whatever_is_read_is_a_filter(plain: dict[str, object]) -> None:
    read = Filter.read(plain)
    assert Filter.read(read.to_json()) == read
    read.sentences(of(Source("s", "P", "T", "2012")))


@given(FILTERS, st.lists(SOURCES, max_size=3))
def test_more_conditions_never_let_more_through(chosen: Filter, sources: list[Source]) -> None:
    article = of(*sources)
    assert EVERYTHING.sentences(article) == {0}
    for name in ("kinds", "since", "until", "language", "place"):
        wider = replace(chosen, **{name: getattr(EVERYTHING, name)})
        assert chosen.sentences(article) <= wider.sentences(article)


@pytest.mark.parametrize(
    ("chosen", "issued", "through"),
    [
        (Filter(since="2012"), "2012-07-08", True),
        (Filter(since="2012-08"), "2012", True),  # as far as both are known
        (Filter(since="2012-08"), "2012-07-31", False),
        (Filter(until="2012"), "2012-12-31", True),
        (Filter(until="2012-06-30"), "2012-07", False),
        (Filter(since="2012", until="2014"), "2015", False),
        (Filter(until="2014"), "", False),
        (Filter(), "", True),
    ],
)
def test_dates_are_compared_as_far_as_they_are_known(chosen: Filter, issued: str, through: bool) -> None:
    assert bool(chosen.sentences(of(Source("s", "P", "T", issued)))) == through


def test_one_source_must_meet_every_condition() -> None:
    article = of(Source("a", "P", "T", "2012", kind="press"), Source("b", "P", "T", "2020", kind="vendor"))
    assert not Filter(kinds=("press",), since="2020").sentences(article)
    assert Filter(kinds=("vendor",), since="2020").sentences(article)


@pytest.mark.parametrize(
    ("place", "article", "through"),
    [
        ("tijuana", of(places=("mexico", "tijuana"), title="Pay in Mexico", quote="In Tijuana it is 9."), True),
        ("tijuana", of(places=("mexico", "tijuana"), title="Pay in Mexico", quote="In Monterrey it is 9."), False),
        ("tijuana", of(places=("tijuana", "baja-california"), title="Call centers in Tijuana"), True),
        ("mexico", of(places=("mexico", "tijuana"), title="Pay in Mexico", quote="In Tijuana it is 9."), True),
        ("leon", of(places=("queretaro", "leon"), title="Querétaro and León"), False),
        ("leon", of(places=("queretaro", "leon"), title="Querétaro and León", heading="Who works in León?"), True),
        ("mexico-city", of(title="Sueldos", quote="En la Ciudad de México son 9."), True),
        ("usa", of(title="Law", quote="The U.S. plan passed."), True),
        ("hermosillo", of(places=("hermosillo",)), True),
    ],
)  # fmt: skip
def test_a_sentence_is_on_the_place_that_it_is_about(place: str, article: Article, through: bool) -> None:
    assert bool(Filter(place=place).sentences(article)) == through


@pytest.mark.parametrize(
    ("question", "chosen"),
    [
        ("How much do agents earn in Mexico?", Filter(kinds=("press",), since="2020")),
        ("Compare pay in Tijuana and Monterrey", Filter(place="tijuana")),
        ("How many call centers are there in Mexico?", Filter(until="2008")),
        ("¿Cuántos centros de contacto hay en México y qué dice la ley de las horas extra?", Filter(language="en")),
    ],
)
def test_nothing_shown_rests_on_what_a_filter_keeps_out(chatbot: Chatbot, question: str, chosen: Filter) -> None:
    answer = chatbot.ask(question, within=chosen)
    assert answer.answered
    assert answer.within == chosen
    for cited in (*answer.citations, *answer.closest):
        assert chosen.lets_through(chatbot.articles[cited.article], cited.start, cited.end)
    assert len(answer.passages) == 12  # the filter leaves more than enough, and does not starve the search


def test_a_filter_that_leaves_nothing_says_how_much_it_keeps_out(chatbot: Chatbot) -> None:
    for question, start in (
        ("How many call centers are there in Mexico?", "Nothing that your filters let through answers this. They keep"),
        (
            "¿Cuántos centros de contacto hay en México?",
            "Nada de lo que dejan pasar sus filtros responde a esto. Dejan",
        ),
    ):
        answer = chatbot.ask(question, within=Filter(kinds=("job-board",)))
        assert not answer.answered
        assert (answer.excluded, len(answer.passages)) == (12, 0)
        assert answer.text.startswith(start)
        assert "12" in answer.text
        assert answer.to_json()["filter"] == {"kinds": ["job-board"]}


def test_without_a_filter_an_answer_is_what_it_was(chatbot: Chatbot) -> None:
    plain = chatbot.ask("How is overtime paid?").to_json()
    same = chatbot.ask("How is overtime paid?", within=Filter.read({})).to_json()
    assert "filter" not in plain
    assert {**same, "timings_ms": 0} == {**plain, "timings_ms": 0}
