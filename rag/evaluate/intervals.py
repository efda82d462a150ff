"""How far a figure could be off by chance, and whether two runs differ.

Every function is deterministic: the random numbers come from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, comb, exp, lgamma, log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 2_000
FLIPS = 10_000
_SEED = 20_260_101
_CELLS = 4_000_000  # of a resampling matrix held at once
_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(0.975)


class Interval(NamedTuple):
    """A range that holds the true figure in 95 of 100 samples like this one."""

    low: float
    high: float


# Smallest mean of a Poisson variable that reaches 1, 2, 3 with a chance of 5%.
_POISSON = (0.0, 0.051293, 0.355362, 0.817691)


def wilson(successes: float, n: float) -> Interval:
    """Give the 95% interval of a rate (Wilson 1927), mended near 0 and 1.

    `(p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)`; with one to three successes (below 50 cases: one or
    two) the lower end is Poisson's, with as few failures the upper one: the modified Wilson interval of Brown,
    Cai and DasGupta (2001, section 4.1.1). Wilson's own holds a rate of 0.98 in 92.2% of samples of 50, one of
    0.99 in 91.1%; so mended in 98.2% and 98.6%. `n` may be an effective size, not whole.

    >>> [round(x, 3) for x in wilson(5, 5)]
    [0.566, 1.0]
    """
    p = successes / n
    middle = p + _Z * _Z / (2 * n)
    spread = _Z * sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
    scale = 1 + _Z * _Z / n
    low, high = max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
    few = 3 if n >= 50 else 2
    if 0 < successes < few + 1:
        low = min(low, _POISSON[int(successes)] / n)
    if 0 < n - successes < few + 1:
        high = max(high, 1 - _POISSON[int(n - successes)] / n)
    return Interval(low, high)


def rate(values: Sequence[float], groups: Sequence[str] | None = None) -> Interval:
    """Give the interval of a share of ones among zeros, by group: Wilson's at the effective size.

    Questions of one group (a question in two languages) err together, so that n of them say less than n. The
    effective size is n / deff, deff the variance of the share over groups by that of n independent cases
    (Kish 1965; Korn and Graubard 1998), at least 1. Where all values are equal, each group counts once.
    """
    n, total = len(values), sum(values)
    sums, counts = _by_group(values, groups)
    if len(sums) == n:
        return wilson(total, n)
    p, size = total / n, float(len(sums))
    if 0 < p < 1 and size > 1:
        spread = size / (size - 1) * float(((sums - p * counts) ** 2).sum())
        size = n / max(1.0, spread / (n * p * (1 - p)))
    return wilson(p * size, size)


def bca(values: Sequence[float], groups: Sequence[str] | None = None) -> Interval | None:
    """Give the 95% interval of a mean by the BCa bootstrap over groups (Efron 1987).

    Its levels are widened to those of Student's t, for which a bootstrap of few is too narrow (Hesterberg 2015).
    Groups are drawn whole, since questions of one group (a question in two languages) err together.
    None below two groups. When all values are equal there is nothing to resample: the interval is that value.
    """
    import numpy as np

    sums, counts = _by_group(values, groups)
    size = len(sums)
    if size < 2:
        return None
    mean = float(sums.sum() / counts.sum())
    if min(values) == max(values):
        return Interval(mean, mean)
    means = _resampled(sums, counts)
    below = float((means < mean).mean() + (means == mean).mean() / 2)
    bias = _NORMAL.inv_cdf(min(max(below, 1 / (2 * RESAMPLES)), 1 - 1 / (2 * RESAMPLES)))
    left_out = (sums.sum() - sums) / (counts.sum() - counts)
    lean = left_out.mean() - left_out
    spread = float((lean**2).sum()) ** 1.5
    acceleration = float((lean**3).sum()) / (6 * spread) if spread else 0.0
    ends = []
    wide = sqrt(size / (size - 1)) * _student(size - 1)
    for z in (-wide, wide):
        ends.append(_NORMAL.cdf(bias + (bias + z) / (1 - acceleration * (bias + z))))
    low, high = np.quantile(means, ends)
    return Interval(float(low), float(high))


def quantile_interval(values: Sequence[float], q: float, level: float = 0.95) -> Interval | None:
    """Give the interval of a quantile from order statistics (Conover 1999, section 3.2).

    Ranks r, s with `P(X_(r) ≤ quantile ≤ X_(s)) ≥ level`, from the binomial distribution; None when
    n is too small.
    """
    ranked = sorted(values)
    n = len(ranked)
    cumulative: list[float] = []
    total = 0.0
    for k in range(n + 1):
        total += _binomial(k, n, q)
        cumulative.append(total)
    tail = (1 - level) / 2
    low = sum(c <= tail for c in cumulative)
    high = next((k for k, c in enumerate(cumulative) if c >= 1 - tail), n) + 1
    if low < 1 or high > n:
        return None
    return Interval(ranked[low - 1], ranked[high - 1])


def quantile(values: Sequence[float], q: float) -> float:
    """Give the nearest-rank quantile: the smallest value with a share `q` of the values at or below it.

    >>> quantile([1, 2, 3, 4], 0.5), quantile([1, 2, 3, 4], 0.95)
    (2, 4)
    """
    ranked = sorted(values)
    return ranked[max(0, min(len(ranked) - 1, ceil(q * len(ranked)) - 1))]


def stratified(
    figure: Callable[[Sequence[float], Sequence[float]], float | None],
    one: Sequence[float],
    other: Sequence[float],
    resamples: int = 400,
) -> Interval | None:
    """Give the percentile interval of a figure of two samples (AUROC), each resampled within itself."""
    import numpy as np

    if len(one) < 2 or len(other) < 2:
        return None
    random = np.random.default_rng(_SEED)
    a, b = np.asarray(one), np.asarray(other)
    found = [figure(random.choice(a, len(a)).tolist(), random.choice(b, len(b)).tolist()) for _ in range(resamples)]
    low, high = np.quantile([f for f in found if f is not None], [0.025, 0.975])
    return Interval(float(low), float(high))


def mcnemar(gained: int, lost: int) -> float:
    """Give the exact two-sided p-value that gains and losses are equally likely (McNemar, binomial form).

    >>> mcnemar(0, 5)
    0.0625
    """
    n, k = gained + lost, min(gained, lost)
    if n == 0:
        return 1.0
    if n <= 1000:
        return min(1.0, float(2 * sum(comb(n, i) for i in range(k + 1)) / 2**n))
    return min(1.0, 2 * sum(_binomial(i, n, 0.5) for i in range(k + 1)))


def sign_flip(differences: Sequence[float], groups: Sequence[str] | None = None) -> float:
    """Give the two-sided p-value of a mean difference by flipping the signs of whole groups.

    Fisher's randomisation: `(1 + #{|flipped sum| ≥ |sum|}) / (1 + flips)`, 10,000 flips; every flip once
    when there are at most 2¹³.
    """
    import numpy as np

    sums, _ = _by_group(differences, groups)
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    observed = abs(float(sums.sum())) - 1e-12
    sums = np.sort(np.abs(sums))  # which runs are called before and after does not change the draw
    if len(sums) <= 13:
        every = (np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1
        return float((np.abs((1 - 2 * every) @ sums) >= observed).mean())
    random = np.random.default_rng(_SEED)
    hits = done = 0
    while done < FLIPS:
        rows = min(FLIPS - done, max(1, _CELLS // len(sums)))
        signs = random.integers(0, 2, (rows, len(sums)), dtype=np.int8) * 2 - 1
        hits += int((np.abs(signs @ sums) >= observed).sum())
        done += rows
    return (1 + hits) / (1 + FLIPS)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979): ordered, the i-th times what is left, never falling.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = highest
    return adjusted


def smallest_detectable(differences: Sequence[float], groups: Sequence[str] | None = None) -> float | None:
    """Give the smallest difference that this many cases would have shown with 80% power at the 5% level.

    `2.8 · √(Σ s²) / n`, s the sum of the differences of a group; for verdicts that flip in a share d of cases,
    each on its own, it is `2.8 · √(d / n)`. None when nothing differs: then nothing is known of the noise.
    """
    if not differences:
        return None
    sums, _ = _by_group(differences, groups)
    square = float((sums**2).sum())
    return 2.8 * sqrt(square) / len(differences) if square else None


def _student(freedom: int) -> float:
    """Give the 97.5% quantile of Student's t, by its expansion (Abramowitz and Stegun 26.7.5)."""
    z = _Z
    terms = (z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    return sum((term / float(freedom) ** power for power, term in enumerate(terms)), 0.0)


def _by_group(values: Sequence[float], groups: Sequence[str] | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    data = np.asarray(values, dtype=np.float64)
    if groups is None:
        return np.sort(data), np.ones_like(data)
    _, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    sums = np.bincount(index, weights=data).astype(np.float64)
    counts = np.bincount(index).astype(np.float64)
    # Neither the names of the groups nor the order of the cases changes the draw.
    order = np.lexsort((counts, sums))
    return sums[order], counts[order]


def _resampled(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    random = np.random.default_rng(_SEED)
    size, means = len(sums), []
    rows = max(1, _CELLS // size)
    for start in range(0, RESAMPLES, rows):
        drawn = random.integers(0, size, (min(rows, RESAMPLES - start), size))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    return np.concatenate(means)


def _binomial(k: int, n: int, p: float) -> float:
    if p in (0.0, 1.0):
        return float(k == n * p)
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log(1 - p))
