"""Each figure against a reference implementation or a case small enough to compute by hand."""

from __future__ import annotations

import math

import ir_measures
import pytest
from evaluating import laws
from hypothesis import example, given
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG

from rag.evaluate import expected, ranking, refusals
from rag.evaluate.grounds import Ground
from rag.evaluate.support import answer_support, support

grades = st.lists(st.integers(0, 3), min_size=1, max_size=20)
scored = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 1.0])), min_size=1, max_size=30)


# --- retrieval ----------------------------------------------------------------------------------


@laws
@given(st.lists(grades, min_size=1, max_size=25), st.integers(0, 3))
def test_ndcg_mrr_and_recall_equal_those_of_trec_eval(rankings: list[list[int]], unfound: int) -> None:
    qrels, run, ours = [], [], {}
    for number, ranked in enumerate(rankings):
        query = f"q{number}"
        ideal = [*ranked, unfound]
        if not any(ideal):
            continue
        for rank, grade in enumerate(ranked):
            qrels.append(ir_measures.Qrel(query, f"d{rank}", grade))
            run.append(ir_measures.ScoredDoc(query, f"d{rank}", -float(rank)))
        qrels.append(ir_measures.Qrel(query, "unfound", unfound))
        relevant = sum(g > 0 for g in ideal)
        ours[query, nDCG @ 10] = ranking.ndcg(ranked, ideal, 10)
        ours[query, RR] = ranking.reciprocal_rank(ranked)
        ours[query, R @ 5] = ranking.recall(ranked, relevant, 5)
    theirs = {(m.query_id, m.measure): m.value for m in ir_measures.iter_calc([nDCG @ 10, RR, R @ 5], qrels, run)}
    for key, value in ours.items():
        assert value == pytest.approx(theirs[key], abs=1e-9), key


def test_a_sentence_cut_in_two_is_found_once_half_of_it_is_held() -> None:
    expected_ = [Ground("a", 0, 100), Ground("a", 100, 120)]
    passages = [("b", 0, 120), ("a", 0, 40), ("a", 40, 110), ("a", 110, 200)]
    assert ranking.newly_found(passages, expected_) == [[], [], [0, 1], []]
    assert ranking.sentence_grades([[], [], [0, 1], []], expected_) == [0, 0, 1, 1, 0]
    assert ranking.found_within([[], [], [0, 1], []], 2) == 0


@laws
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.integers(1, 50)), max_size=8))
def test_no_ranking_of_sentences_is_better_than_the_ideal_one(places: list[tuple[str, int, int]]) -> None:
    expected_ = [Ground("a", 0, 10), Ground("a", 10, 30), Ground("b", 5, 25, 2)]
    passages = [(doc, start, start + length) for doc, start, length in places]
    found = ranking.newly_found(passages, expected_)
    assert len({n for here in found for n in here}) == sum(len(here) for here in found)
    marked = ranking.sentence_grades(found, expected_)
    assert 0 <= ranking.ndcg(marked, [g.grade for g in expected_], 10) <= 1


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "references", "exact", "f1"),
    [
        ("The  Eiffel-Tower!", ["eiffeltower"], 1, 1),
        ("in the 10th and 11th centuries", ["10th and 11th centuries"], 0, 2 * (4 / 5) / (1 + 4 / 5)),
        ("France", ["Germany", "the France"], 1, 1),
        ("a cat", ["cat cat"], 0, 2 * 1 * 0.5 / 1.5),
        ("", [""], 1, 1),
        ("something", [""], 0, 0),
        ("the", ["a"], 1, 1),
        ("the", ["a", "word"], 0, 0),
        ("", ["word", "."], 0, 0),
        ("", ["word"], 0, 0),
    ],
)
def test_squad_scores_are_those_computed_by_hand(said: str, references: list[str], exact: float, f1: float) -> None:
    assert expected.exact_match(said, references) == exact
    assert expected.token_f1(said, references) == pytest.approx(f1, abs=1e-12)


@laws
@given(st.text("ab the,. ", max_size=20), st.text("ab the,. ", max_size=20))
def test_f1_is_symmetric_bounded_and_1_on_itself(one: str, other: str) -> None:
    assert expected.token_f1(one, [one]) == 1
    assert expected.token_f1(one, [other]) == pytest.approx(expected.token_f1(other, [one]))
    assert expected.exact_match(one, [other]) <= expected.token_f1(one, [other]) <= 1


def test_spanish_articles_are_dropped_in_spanish_only() -> None:
    assert expected.exact_match("la rotación", ["rotación"], "es") == 1
    assert expected.exact_match("la rotación", ["rotación"], "en") == 0


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("unas 160 mil personas", "160,000"),
        ("about 160 thousand people", "160.000"),
        ("US$1.4 billion by 2025", "1,400 million"),
        ("1,400 millones de dólares", "1.4 billion"),
        ("creció 3.70 por ciento", "3.7%"),
        ("thirty days", "30 days"),
        ("México", "mexico"),
        ("three hundred centers", "300"),
        ("in Mérida, Yucatán", "merida yucatan"),
    ],
)
def test_one_figure_written_two_ways_is_one_figure(text: str, wording: str) -> None:
    assert expected.says(text, wording)


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("a party", "art"),
        ("1,300 centers", "300"),
        ("30 thousand jobs", "30"),
        ("US$1.4 billion", "1.4 million"),
    ],
)
def test_another_figure_or_a_part_of_a_word_is_not_said(text: str, wording: str) -> None:
    assert not expected.says(text, wording)


def test_groups_and_figures_are_counted() -> None:
    groups = [["300", "three hundred"], ["160,000"], ["young"]]
    assert expected.groups_met("It has 300 centers and young agents.", groups) == pytest.approx(2 / 3)
    assert expected.figures_met("300 centers, 160 mil personas", groups)
    assert not expected.figures_met("300 centers, 150 mil personas", groups)


@laws
@given(st.lists(st.lists(st.text("abc 123", min_size=1), min_size=1), min_size=1, max_size=4))
def test_saying_more_never_meets_fewer_groups(groups: list[list[str]]) -> None:
    text = groups[0][0]
    assert expected.groups_met(text, groups) <= expected.groups_met(f"{text} . {groups[-1][-1]}", groups)


# --- support ------------------------------------------------------------------------------------


@laws
@given(st.text(min_size=1).filter(lambda t: t.strip()), st.text())
@example("¹:K", "")  # a digit that is no decimal
def test_support_is_bounded_and_1_for_a_quote(sentence: str, rest: str) -> None:
    assert 0 <= support(sentence, [rest]) <= 1
    assert support(sentence, [sentence + " " + rest]) == 1
    assert support("word", []) == 0


def test_a_changed_figure_loses_half_of_the_support_that_its_words_have() -> None:
    evidence = ["Real wages of workers rose 13% in 2025."]
    assert support("Real wages of workers rose 13% in 2025 [1]", evidence) == 1
    # Terms real, wage, employe, rose, 14, 2025: 5 of 6; figures 2025 of 14 and 2025.
    assert support("Real wages of workers rose 14% in 2025.", evidence) == pytest.approx(5 / 6 * (1 + 1 / 2) / 2)


def test_support_of_an_answer_is_the_mean_of_its_sentences() -> None:
    evidence = ["Wages rose. Jobs fell."]
    assert answer_support("Wages rose. Giraffes sleep.", evidence) == pytest.approx(0.5)


# --- confidence ---------------------------------------------------------------------------------


@laws
@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9]), min_size=1),
    st.lists(st.sampled_from([0.1, 0.5]), min_size=1),
)
def test_auroc_is_the_share_of_pairs_in_order(positive: list[float], negative: list[float]) -> None:
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    assert refusals.auroc(positive, negative) == pytest.approx(sum(pairs) / len(pairs))


@laws
@given(scored)
def test_the_curve_ends_with_everything_answered(pairs: list[tuple[float, float]]) -> None:
    points = refusals.risk_coverage(pairs)
    assert points[-1].coverage == 1
    assert points[-1].risk == pytest.approx(sum(e for _, e in pairs) / len(pairs))
    assert [p.coverage for p in points] == sorted(p.coverage for p in points)
    area = refusals.area_under(points)
    assert area is not None
    assert -1e-12 <= area <= 1 + 1e-12


def test_areas_by_hand() -> None:
    perfect = [(0.9, 0.0), (0.8, 0.0), (0.2, 1.0), (0.1, 1.0)]
    assert refusals.area_under(refusals.risk_coverage(perfect)) == pytest.approx((1 / 3 + 1 / 2) / 4)
    assert refusals.area_under([]) is None
    assert refusals.auroc([], [1.0]) is None


@laws
@given(scored)
def test_bins_hold_every_case_once(pairs: list[tuple[float, float]]) -> None:
    bins = refusals.calibration(pairs)
    assert sum(n for _, _, n in bins) == len(pairs)
    whole = sum(r for _, r in pairs) / len(pairs)
    assert math.isclose(sum(r * n for _, r, n in bins) / len(pairs), whole, abs_tol=1e-9)


def test_a_perfectly_calibrated_run_has_no_calibration_error() -> None:
    assert refusals.calibration_error([(1.0, 1.0), (0.0, 0.0)], bins=2) == 0
    assert refusals.calibration_error([]) is None
