"""Cases with their answers: every figure there or explained, one label each, and the right one."""

from __future__ import annotations

from typing import Any

import pytest
from evaluating import ROWS, articles, cases, laws, open_word_bot, scored
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluate.asking import answer
from rag.evaluate.cases import Gold, case_of
from rag.evaluate.definitions import METRICS
from rag.evaluate.grounds import grounds, locate
from rag.evaluate.scoring import LABELS, RIGHT, Score, score, unmet
from rag.evaluate.summary import labels, slices, summarise

ARTICLES = articles()


def given_answer(*quotes: str, doc: str = "size.txt", retrieved: bool = True, **more: Any) -> dict[str, Any]:
    """An answer in the contract's JSON that quotes sentences of an article."""
    article = ARTICLES[doc]
    citations = [
        {
            "n": n,
            "article": doc,
            "start": article.text.index(q),
            "end": article.text.index(q) + len(q),
            "quote": q,
            "sources": [{"id": s.id} for s in article.sources],
        }
        for n, q in enumerate(quotes, 1)
    ]
    passages = [{"article": doc, "start": 0, "end": len(article.text), "score": 1.0}] if retrieved else []
    return {
        "language": "en",
        "answered": bool(quotes),
        "confidence": 0.9,
        "claims": [{"text": q, "citations": [n], "verdict": "supported"} for n, q in enumerate(quotes, 1)],
        "citations": citations,
        "conflicts": [],
        "passages": passages,
        "timings_ms": {"total": 5.0},
        **more,
    }


CENTERS, PEOPLE = "Mexico has 300 call centers.", "They employ 160,000 people."
ASKS_CENTERS = {
    "question": "How many centers?",
    "answer_groups": [["300"]],
    "gold": [{"doc": "size.txt", "quote": CENTERS}],
}
BOTH = {**ASKS_CENTERS, "answer_groups": [["300"], ["160 thousand"]]}


@pytest.mark.parametrize(
    ("case", "said", "label", "utility"),
    [
        (ASKS_CENTERS, given_answer(CENTERS), "right", 1),
        (
            ASKS_CENTERS,
            given_answer("México tiene 300 centros de llamadas.", doc="tamano.txt"),
            "right but uncited",
            1,
        ),
        ({"question": "Moon?", "answerable": False}, given_answer(), "right refusal", 1),
        (BOTH, given_answer(CENTERS), "incomplete", 0.5),
        (ASKS_CENTERS, given_answer(), "should have answered", 0),
        (ASKS_CENTERS, given_answer(retrieved=False), "not retrieved", 0),
        (ASKS_CENTERS, given_answer(PEOPLE), "wrong sentence", -1),
        (ASKS_CENTERS, given_answer("Bonuses are common.", doc="pay.txt"), "not retrieved", -1),
        (
            ASKS_CENTERS,
            {**given_answer("Bonuses are common.", doc="pay.txt"), "passages": given_answer()["passages"]},
            "retrieved, not used",
            -1,
        ),
        ({"question": "q", "answers": ["seven"]}, given_answer(CENTERS), "wrong", -1),
        ({**ASKS_CENTERS, "not_answers": ["160,000"]}, given_answer(PEOPLE), "wrong value", -1),
        ({"question": "q", "gold": [{"doc": "gone.txt"}]}, given_answer(), "not in the corpus", 0),
        ({"question": "q", "answers": ["x"], "gold": [{"doc": "size.txt", "quote": "no such words"}]},
         given_answer(retrieved=False), "not in the corpus", 0),
        ({"question": "q", "answerable": False}, given_answer(CENTERS), "should have refused", -1),
        (ASKS_CENTERS, {"error": "RuntimeError: broke"}, "error", -1),
        ({"question": "q"}, given_answer(CENTERS), "not judged", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_went_wrong_has_one_name(
    case: dict[str, Any], said: dict[str, Any], label: str, utility: float | None
) -> None:
    found = score(case_of(case), said, ARTICLES)
    assert found.label == label
    assert found.values.get("utility") == utility
    assert found.right == (None if label == "not judged" else float(label in RIGHT))


def test_every_label_is_reachable() -> None:
    parameters = test_what_went_wrong_has_one_name.pytestmark[0].args[1]
    assert {row[2] for row in parameters} == set(LABELS)


@laws
@given(st.sampled_from(range(len(ROWS))), st.sampled_from(["", "error", "refused"]))
def test_every_metric_has_a_value_or_a_reason_never_both(number: int, how: str) -> None:
    case = cases()[number]
    row = answer(open_word_bot(), case)
    if how == "error":
        row = {"id": case.id, "error": "x"}
    elif how == "refused":
        row = {**row, "answered": False, "claims": [], "citations": []}
    found = score(case, row, ARTICLES)
    assert not set(found.values) & set(found.reasons)
    assert all(found.reasons.values())
    assert set(found.values) | set(found.reasons) == set(score(cases()[0], row, ARTICLES).values) | set(
        score(cases()[0], row, ARTICLES).reasons
    )
    assert all(value == value for value in found.values.values())
    assert Score.from_json(found.to_json()) == found


def test_a_failed_case_counts_as_failed_in_whatever_was_expected_of_it() -> None:
    found = score(case_of({**ASKS_CENTERS, "answers": ["300"]}), {"error": "x"}, ARTICLES)
    for name in (
        "right",
        "groups",
        "figures",
        "f1",
        "exact",
        "sentence.recall@10",
        "cited.recall",
        "cited.article",
        "first",
        "article.mrr",
    ):
        assert found.values[name] == 0, name
    assert found.reasons["quotes_exact"] == "error"


def test_citations_by_sentence_and_by_character() -> None:
    found = score(case_of(ASKS_CENTERS), given_answer(CENTERS, PEOPLE), ARTICLES).values
    assert found["cited.precision"] == 0.5
    assert found["cited.recall"] == 1
    assert found["cited.char_precision"] == pytest.approx(len(CENTERS) / (len(CENTERS) + len(PEOPLE)))
    assert found["cited.char_recall"] == 1


def test_the_first_sentence_is_expected_or_says_all_that_is() -> None:
    case = case_of(ASKS_CENTERS)
    assert score(case, given_answer(CENTERS, PEOPLE), ARTICLES).values["first"] == 1
    late = score(case, given_answer(PEOPLE, CENTERS), ARTICLES).values
    assert (late["first"], late["cited.article"], late["groups"]) == (0, 1, 1)
    elsewhere = given_answer(CENTERS)
    elsewhere["citations"] = [{**c, "article": "other"} for c in elsewhere["citations"]]
    found = score(case, elsewhere, ARTICLES).values
    assert (found["first"], found["cited.article"]) == (1, 0)  # it says all, from where it was not expected
    refusal = {**given_answer(), "answered": False}
    assert score(case, refusal, ARTICLES).values["first"] == 0


def test_a_quote_moved_by_one_character_and_a_missing_source_are_seen() -> None:
    said = given_answer(CENTERS, PEOPLE)
    said["citations"][0]["start"] += 1
    said["citations"][1]["sources"] = []
    found = score(case_of(ASKS_CENTERS), said, ARTICLES).values
    assert found["quotes_exact"] == 0.5
    assert found["sources_right"] == 0.5


def test_a_figure_shown_in_a_conflict_is_said_and_not_asserted() -> None:
    conflict = {"about": "", "reason": "", "statements": [{"text": PEOPLE, "as_of": "", "citation": 1}]}
    case = case_of({**BOTH, "not_answers": ["160,000"], "tags": {"conflict": True}})
    found = score(case, given_answer(CENTERS, PEOPLE, conflicts=[conflict]), ARTICLES)
    assert found.values["groups"] == 1
    assert found.values["wrong_value"] == 0
    assert found.values["conflict.shown"] == 1
    assert score(case, given_answer(CENTERS, PEOPLE), ARTICLES).values["conflict.shown"] == 0


def test_what_is_missing_is_told_in_words() -> None:
    assert unmet(case_of(BOTH), given_answer(CENTERS)) == ["160 thousand"]


@pytest.mark.parametrize(
    ("gold", "found"),
    [
        (Gold("a", "Second one"), (11, 21)),
        (Gold("a", "second  ONE."), (11, 21)),
        (Gold("a", "", 0, 5), (0, 5)),
        (Gold("a", "Second one", 0, 10), (11, 21)),
        (Gold("a", "Third"), None),
        (Gold("a", ""), None),
    ],
)
def test_gold_is_found_by_its_words_when_its_characters_moved(gold: Gold, found: tuple[int, int] | None) -> None:
    assert locate(gold, "First one. Second one.") == found


def test_gold_across_two_sentences_gives_both() -> None:
    found = grounds(case_of({"question": "q", "gold": [{"doc": "size.txt", "start": 5, "end": 40}]}), ARTICLES)
    assert [ARTICLES["size.txt"].text[g.start : g.end] for g in found.sentences] == [CENTERS, PEOPLE]


# --- sums ---------------------------------------------------------------------------------------


def test_a_run_by_hand() -> None:
    bot = open_word_bot()
    figures = summarise([score(c, answer(bot, c), bot.articles) for c in cases()])
    assert set(figures) == set(METRICS)
    assert figures["right"].value == pytest.approx(4 / 6)
    assert figures["utility"].value == pytest.approx((1 + 1 + 1 + 0.5 + 1 - 1) / 6)
    assert figures["refusal.recall"][::3] == (0.5, {"answerable": 4})
    assert figures["language.gap"].n == 1
    assert figures["sentence.recall@1"].value == 1
    for figure in figures.values():
        assert figure.n > 0 or (figure.value is None and figure.missing)
        if figure.interval and figure.value is not None:
            assert figure.interval.low <= figure.value <= figure.interval.high


def test_refusals_by_hand() -> None:
    run = [
        scored("a", 1, refused=True, answerable=False),
        scored("b", 0, refused=True, answerable=True),
        scored("c", 0, answerable=False),
        scored("d", 1),
        scored("e", 1),
    ]
    figures = summarise(run)
    assert figures["refusal.precision"].value == 1 / 2
    assert figures["refusal.recall"].value == 1 / 2
    assert figures["over_refusal"].value == pytest.approx(1 / 3)


def test_refusal_auroc_by_hand() -> None:
    run = [
        scored("a", 1, refused=True, answerable=False, confidence=0.9),
        scored("b", 0, answerable=False, confidence=0.4),
        scored("c", 1, confidence=0.8),
        scored("d", 0, refused=True, confidence=0.7),
        scored("e", 0, confidence=None),
    ]
    figure = summarise(run)["refusal.auroc"]
    assert (figure.value, figure.n) == (3 / 4, 4)  # 0.9 and 0.6 against 0.2 and 0.7
    assert figure.missing == {"failed, or not said whether answerable": 1}


def test_the_gap_between_languages_is_taken_over_questions_in_both() -> None:
    run = [
        scored("1", 1, group="p", language="en"),
        scored("2", 0, group="p", language="es"),
        scored("3", 1, group="q", language="en"),
        scored("4", 1, group="q", language="es"),
        scored("5", 0, group="r", language="en"),
    ]
    gap = summarise(run)["language.gap"]
    assert (gap.value, gap.n, gap.missing) == (0.5, 2, {"not in both languages": 1})


def test_latency_percentiles_need_enough_cases() -> None:
    few, many = ([scored(str(i), values={"latency": float(i)}) for i in range(n)] for n in (39, 300))
    assert summarise(few)["latency.p95"].value is None
    assert summarise(many)["latency.p95"].value == 284
    assert summarise(many)["latency.p50"].value == 149


def test_slices_show_where_utility_is_lost_and_leave_out_the_small_ones() -> None:
    run = [scored(str(i), 1, tags={"kind": "figure"}) for i in range(25)]
    run += [scored(f"l{i}", 0, tags={"kind": "list"}) for i in range(20)]
    run += [scored(f"s{i}", 0, tags={"kind": "rare"}) for i in range(19)]
    assert [(tag, value) for tag, value, _ in slices(run)] == [("kind", "list"), ("kind", "figure")]


def test_labels_are_counted_in_one_order() -> None:
    assert labels([scored(label="wrong"), scored(label="right"), scored(label="wrong")]) == {
        "right": 1,
        "wrong": 2,
    }
