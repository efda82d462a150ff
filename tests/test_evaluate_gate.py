"""Two runs side by side, and whether the gate lets the second through."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from evaluating import cases, laws, opener, scored
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import UserError
from rag.evaluate.comparison import compare
from rag.evaluate.gate import hold, read_policy
from rag.evaluate.run import Run, keep, read_run, run
from rag.evaluate.scoring import Score
from rag.evaluate.summary import summarise

verdicts = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def of(*rights: float, **values: Any) -> list[Score]:
    return [scored(f"c{i}", right, **values) for i, right in enumerate(rights)]


def a_run(scores: list[Score]) -> Run:
    return Run(Path("run"), {}, tuple(scores), summarise(scores))


@laws
@given(verdicts)
def test_turned_round_gains_are_losses(pairs: list[tuple[bool, bool]]) -> None:
    before, after = of(*[float(b) for b, _ in pairs]), of(*[float(a) for _, a in pairs])
    there = {d.name: d for d in compare(before, after).differences}
    back = {d.name: d for d in compare(after, before).differences}
    for name, one in there.items():
        other = back[name]
        assert (one.wins, one.losses, one.ties) == (other.losses, other.wins, other.ties)
        assert one.change == pytest.approx(-other.change)
        assert one.adjusted == pytest.approx(other.adjusted)
        turned = {"better": "worse", "worse": "better"}
        assert one.verdict == turned.get(other.verdict, other.verdict)


@laws
@given(verdicts)
def test_a_run_does_not_differ_from_itself(pairs: list[tuple[bool, bool]]) -> None:
    run = of(*[float(a) for a, _ in pairs])
    found = compare(run, run)
    assert not found.worse
    assert not found.better
    assert {d.verdict for d in found.differences} == {"no difference found"}


def test_twelve_questions_that_got_worse_are_named_and_are_not_chance() -> None:
    found = compare(of(*[1] * 100), of(*[0] * 12, *[1] * 88), ("right",))
    (right,) = found.differences
    assert (right.before, right.after, right.losses, right.wins) == (1, 0.88, 12, 0)
    assert right.p == pytest.approx(2 / 2**12)
    assert right.verdict == "worse"
    assert sorted(after.id for _, after in found.newly_wrong) == sorted(f"c{i}" for i in range(12))
    assert right.detectable == pytest.approx(2.8 * (0.12 / 100) ** 0.5)


def test_lower_is_better_where_it_is() -> None:
    kept = [scored(f"c{i}", values={"refused": 0.0}) for i in range(12)]
    refused = [scored(f"c{i}", values={"refused": 1.0}) for i in range(12)]
    (found,) = compare(kept, refused, ("over_refusal",)).differences
    assert (found.before, found.after, found.losses, found.verdict) == (0, 1, 12, "worse")


def test_cases_in_one_run_only_are_listed_and_a_changed_question_is_another_case() -> None:
    before, after = of(1, 1, 1), of(1, 1, 1, 1)
    after[1] = Score(**{**{n: getattr(after[1], n) for n in Score.__slots__}, "question": "another"})
    found = compare(before, after)
    assert found.only_before == ("c1",)
    assert found.only_after == ("c1", "c3")


def test_a_new_failure_is_the_worst_of_all() -> None:
    after = of(1, 0)
    after[0] = scored("c0", 0, label="error")
    found = compare(of(0, 1), after)
    assert [pair[1].id for pair in found.worse] == ["c0", "c1"]
    assert [pair[1].id for pair in found.new_errors] == ["c0"]


# --- the gate -----------------------------------------------------------------------------------

GOOD = of(*[1] * 90, *[0] * 10)
BAD = of(*[1] * 78, *[0] * 22)


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"absolute": {"right": {"min": 0.9}}}, 0),
        ({"absolute": {"right": {"min": 0.91}}}, 1),
        ({"absolute": {"right": {"min": 0.9, "bound": "lower"}}}, 1),
        ({"absolute": {"right": {"min": 0.8, "bound": "lower"}}}, 0),
        ({"absolute": {"right": {"max": 0.9}, "f1": {"min": 0.0}}}, 1),
        ({"rows": {"must_pass": ["c1"]}}, 0),
        ({"rows": {"must_pass": ["c99"]}}, 1),
        ({"rows": {"must_pass": ["nobody"]}}, 1),
        ({}, 0),
    ],
)
def test_a_run_by_itself(policy: dict[str, Any], code: int) -> None:
    assert hold(a_run(GOOD), policy).code == code


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"relative": {"right": {"max_drop": 0.0}}}, 1),
        ({"relative": {"right": {"max_drop": 0.02}}}, 1),
        ({"relative": {"right": {"max_drop": 0.1}}}, 0),
        ({"relative": {"right": {"max_drop": 0.1}}, "strict": True}, 4),
        ({"relative": {"right": {"max_drop": 0.2}}}, 0),
        ({"rows": {"max_newly_wrong": 11}}, 1),
        ({"rows": {"max_newly_wrong": 12}}, 0),
        ({"relative": {"right": {"max_drop": 0.0}}, "max_error_rate": 1.0}, 1),
    ],
)
def test_a_worse_run_against_its_baseline(policy: dict[str, Any], code: int) -> None:
    assert hold(a_run(BAD), policy, a_run(GOOD)).code == code


def test_the_same_run_passes_whatever_is_compared() -> None:
    policy = {"relative": {"right": {"max_drop": 0.0}}, "rows": {"max_newly_wrong": 0, "no_new_errors": True}}
    assert hold(a_run(GOOD), {**policy, "strict": True}, a_run(GOOD[::-1])).code == 0


def test_failed_cases_make_the_run_incomplete_whatever_else_holds() -> None:
    run = a_run([*GOOD, scored("broken", 0, label="error")])
    assert hold(run, {}).code == 3
    assert hold(run, {"max_error_rate": 0.05}).code == 0
    assert hold(run, {"max_error_rate": 0.05, "rows": {"no_new_errors": True}}, a_run(GOOD)).code == 0
    again = a_run([scored("c0", 0, label="error"), *GOOD[1:]])
    assert hold(again, {"max_error_rate": 0.05, "rows": {"no_new_errors": True}}, a_run(GOOD)).code == 1


def test_cases_that_are_no_longer_asked_leave_the_gate_undecided() -> None:
    policy = {"rows": {"max_newly_wrong": 0}, "strict": True}
    assert hold(a_run(GOOD[1:]), policy, a_run(GOOD)).code == 4


def test_a_part_that_was_meant_to_be_asked_is_no_open_question() -> None:
    part = a_run(GOOD[:50])._replace(record={"of": 100})
    policy = {"rows": {"max_newly_wrong": 0}, "strict": True}
    assert hold(part, policy, a_run(GOOD)).code == 0


def test_evidence_that_left_the_corpus_closes_the_gate() -> None:
    gone = [*GOOD[:-1], dataclasses.replace(GOOD[-1], lost=1)]
    policy = {"rows": {"no_lost_evidence": True}}
    assert (hold(a_run(GOOD), policy).code, hold(a_run(gone), policy).code) == (0, 1)


def test_questions_that_fall_together_in_two_languages_count_once() -> None:
    before = [scored(f"c{i}", 1.0, group=f"g{i // 2}") for i in range(100)]
    after = [scored(f"c{i}", float(i >= 8), group=f"g{i // 2}") for i in range(100)]
    (alone,) = compare(of(*[1] * 100), of(*[float(i >= 8) for i in range(100)]), ("right",)).differences
    (together,) = compare(before, after, ("right",)).differences
    assert (alone.p, together.p) == (pytest.approx(2 / 2**8), pytest.approx(2 / 2**4))


def test_a_kept_run_is_compared_like_the_whole_one(tmp_path: Path) -> None:
    whole = run(cases(), tmp_path / "whole", opener(), settings={"corpus": "/somewhere", "embedder": "e"})
    worse = run(cases(), tmp_path / "worse", opener(fails_on="overtime"))
    keep(whole, tmp_path / "kept")
    kept = read_run(tmp_path / "kept")
    assert compare(kept.scores, worse.scores) == compare(whole.scores, worse.scores)._replace(
        worse=compare(kept.scores, worse.scores).worse, better=()
    )
    assert {f.name for f in (tmp_path / "kept").iterdir()} == {"run.json", "scores.csv"}
    assert kept.record["identity"]["settings"] == {"embedder": "e"}
    policy = {"relative": {"right": {"max_drop": 0.0}}, "rows": {"no_new_errors": True}, "max_error_rate": 1.0}
    assert hold(whole, policy, kept).code == 0
    assert hold(worse, policy, kept).code == 1


def test_rules_that_compare_need_a_baseline() -> None:
    with pytest.raises(UserError, match="--baseline"):
        hold(a_run(GOOD), {"relative": {"right": {"max_drop": 0.0}}})


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[absolute]\nrihgt = {min = 1}", "rihgt"),
        ("[absolute]\nright = {minimum = 1}", "right"),
        ("[absolute]\nright = {min = 1, bound = 'middle'}", "middle|bound"),
        ("[relative]\nright = 0.5", "right"),
        ("[rows]\nmust_pas = []", "must_pas"),
        ("strict = 'yes'", "strict"),
        ("[absolute", "not TOML"),
    ],
)
def test_a_mistake_in_the_policy_is_named(tmp_path: Path, content: str, named: str) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=named):
        read_policy(file)


def test_the_example_in_the_documentation_is_a_policy(tmp_path: Path) -> None:
    from rag.evaluate import gate

    file = tmp_path / "gate.toml"
    file.write_text((gate.__doc__ or "").split("```")[1].removeprefix("toml"), encoding="utf-8")
    assert set(read_policy(file)) == {"strict", "max_error_rate", "absolute", "relative", "rows"}
