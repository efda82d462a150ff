"""Intervals hold what they promise, and tests reject no oftener than they may."""

from __future__ import annotations

import numpy as np
import pytest
from evaluating import laws
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, bootstrap, chi2, t

from rag.evaluate import intervals

values = st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0]), min_size=2, max_size=40)


@laws
@given(st.integers(1, 500), st.data())
def test_wilson_equals_scipy_but_near_the_ends(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    theirs, ours = binomtest(k, n).proportion_ci(method="wilson"), intervals.wilson(k, n)
    few = 3 if n >= 50 else 2
    low = chi2.ppf(0.05, 2 * k) / 2 / n if 0 < k <= few else theirs.low  # where it is mended
    high = 1 - chi2.ppf(0.05, 2 * (n - k)) / 2 / n if 0 < n - k <= few else theirs.high
    assert ours == pytest.approx((min(low, theirs.low), max(high, theirs.high)), abs=1e-6)


@laws
@given(st.integers(0, 80), st.integers(0, 80))
def test_mcnemar_is_the_exact_binomial_test(gained: int, lost: int) -> None:
    theirs = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert intervals.mcnemar(gained, lost) == pytest.approx(theirs, abs=1e-9)


def test_mcnemar_of_many_cases_continues_that_of_few() -> None:
    assert intervals.mcnemar(480, 521) == pytest.approx(intervals.mcnemar(480, 520), rel=0.06)


def test_bca_agrees_with_scipy_up_to_the_draw() -> None:
    sample = np.random.default_rng(1).exponential(size=60)
    theirs = bootstrap((sample,), np.mean, n_resamples=20_000, random_state=1).confidence_interval
    ours = intervals.bca(sample.tolist())
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.03)


@laws
@given(values)
def test_bca_holds_the_mean_and_does_not_care_for_order_or_names(sample: list[float]) -> None:
    found = intervals.bca(sample)
    assert found is not None
    assert min(sample) <= found.low <= found.high <= max(sample)
    assert intervals.bca(sample[::-1]) == found
    names = [f"g{i}" for i in range(len(sample))]
    assert intervals.bca(sample, names) == intervals.bca(sample, names[::-1]) == found


def test_groups_that_err_together_widen_the_interval() -> None:
    sample = [float(i // 10 % 2) for i in range(100)]
    alone = intervals.bca(sample)
    together = intervals.bca(sample, [str(i // 10) for i in range(100)])
    assert alone is not None
    assert together is not None
    assert together.high - together.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize("n", [50, 100, 300, 1000])
def test_95_of_100_intervals_hold_a_rate_also_near_the_ends(n: int) -> None:
    """Exact: over every number of successes. A discrete count cannot do it for every rate (Brown et al. 2001)."""
    ends = np.array([intervals.wilson(k, n) for k in range(n + 1)])
    rates = np.linspace(0.5, 1 - 1 / n, 300)
    chances = binom.pmf(np.arange(n + 1), n, rates[:, None])
    held = (chances * ((ends[:, 0] <= rates[:, None]) & (rates[:, None] <= ends[:, 1]))).sum(axis=1)
    assert 0.94 <= held.mean() <= 0.96
    assert held.min() > 0.925
    assert ((held >= 0.93) & (held <= 0.97)).mean() >= 0.93


@pytest.mark.parametrize(("share", "together"), [(0.6, 0.8), (0.8, 0.8), (0.9, 0.5), (0.8, 0.0)])
def test_95_of_100_intervals_hold_a_rate_of_questions_that_err_in_pairs(share: float, together: float) -> None:
    random, rounds, pairs = np.random.default_rng(5), 1000, 100
    groups = [str(i // 2) for i in range(2 * pairs)]
    held = 0
    for _ in range(rounds):
        one = random.random(pairs) < share
        other = np.where(random.random(pairs) < together, one, random.random(pairs) < share)
        found = intervals.rate(np.column_stack([one, other]).ravel().astype(float).tolist(), groups)
        held += found.low <= share <= found.high
    assert 0.93 <= held / rounds <= 0.97


def test_a_rate_without_groups_is_that_of_groups_of_one() -> None:
    sample = [1.0] * 30 + [0.0] * 7
    alone = intervals.rate(sample, [str(i) for i in range(37)])
    assert intervals.rate(sample) == alone == intervals.wilson(30, 37)
    assert intervals.rate([1.0] * 8, ["a", "b", "c", "d"] * 2) == intervals.wilson(4, 4)


@pytest.mark.parametrize("freedom", [2, 5, 10, 50, 1000])
def test_students_t_equals_scipy(freedom: int) -> None:
    assert intervals._student(freedom) == pytest.approx(t.ppf(0.975, freedom), rel=0.01 if freedom > 2 else 0.06)


@pytest.mark.parametrize("kind", ["mean", "median"])
def test_95_of_100_intervals_hold_the_truth(kind: str) -> None:
    random = np.random.default_rng(7)
    rounds, held = 1000, 0
    for _ in range(rounds):
        if kind == "mean":
            found, truth = intervals.bca(random.beta(2, 1, 80).tolist()), 2 / 3
        else:
            found, truth = intervals.quantile_interval(random.exponential(size=101).tolist(), 0.5), np.log(2)
        assert found is not None
        held += found.low <= truth <= found.high
    assert 0.93 <= held / rounds <= 0.97


@laws
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_a_value_with_its_share_at_or_below(sample: list[float], q: float) -> None:
    found = intervals.quantile(sample, q)
    assert found in sample
    assert sum(v <= found for v in sample) >= q * len(sample) - 1e-9
    assert sum(v < found for v in sample) < q * len(sample)


def test_too_few_values_have_no_interval_of_a_high_quantile() -> None:
    assert intervals.quantile_interval(list(range(50)), 0.99) is None
    assert intervals.quantile_interval(list(range(1000)), 0.95) is not None
    assert intervals.bca([1.0]) is None


@laws
@given(values)
def test_flipping_every_sign_changes_no_p_value(sample: list[float]) -> None:
    p = intervals.sign_flip(sample)
    assert 0 < p <= 1
    assert intervals.sign_flip([-v for v in sample]) == pytest.approx(p, abs=1e-12)


def test_sign_flips_by_hand() -> None:
    assert intervals.sign_flip([1.0, 1.0, 1.0, 1.0]) == pytest.approx(2 / 16)
    assert intervals.sign_flip([1.0, 1.0, 1.0, 1.0], ["a", "a", "b", "b"]) == pytest.approx(2 / 4)
    assert intervals.sign_flip([0.0, 0.0]) == 1
    assert intervals.sign_flip([0.1] * 30) < 0.001


def test_without_a_difference_5_of_100_p_values_are_below_5_percent() -> None:
    random = np.random.default_rng(3)
    small = [intervals.sign_flip(random.normal(size=25).tolist()) < 0.05 for _ in range(200)]
    assert 0.01 <= np.mean(small) <= 0.1


@laws
@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_raises_p_values_and_keeps_their_order(ps: list[float]) -> None:
    adjusted = intervals.holm(ps)
    assert all(a >= p for a, p in zip(adjusted, ps, strict=True))
    assert max(adjusted) <= 1
    assert sorted(range(len(ps)), key=lambda i: (ps[i], i)) == sorted(
        range(len(ps)), key=lambda i: (adjusted[i], ps[i], i)
    )


def test_the_smallest_difference_is_that_of_the_design_page() -> None:
    flipped = [1.0] * 5 + [-1.0] * 5 + [0.0] * 90
    assert intervals.smallest_detectable(flipped) == pytest.approx(2.8 * (0.1 / 100) ** 0.5)
    assert intervals.smallest_detectable([0.0] * 100) is None
    pairs = [str(i // 2) for i in range(100)]
    assert intervals.smallest_detectable([*[1.0] * 10, *[0.0] * 90], pairs) == pytest.approx(2.8 * 20**0.5 / 100)
