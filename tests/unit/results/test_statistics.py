import itertools
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from scipy import stats

from seedwise.results.statistics import (
    P_ERROR,
    bootstrap_interval,
    holm,
    sign_flip_p_value,
    student_interval,
)


def test_student_interval_is_scipys_and_the_one_from_the_table():
    low, high = student_interval([0.80, 0.815, 0.835])
    reference = stats.ttest_1samp([0.80, 0.815, 0.835], 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((reference.low, reference.high))
    # By hand: t(0.975, 2) = 4.3027, sample standard deviation 0.017559, n = 3.
    assert high - low == pytest.approx(2 * 4.3027 * 0.017559 / 3**0.5, rel=1e-3)


def test_student_interval_of_one_value_is_empty_and_of_equal_values_a_point():
    assert np.isnan(student_interval([0.8])).all()
    assert student_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


def test_sign_flip_is_the_share_of_all_sign_changes():
    differences = np.array([3, 0, -1, 2, 2, -1, 3, 1])
    sums = [
        np.dot(signs, differences) for signs in itertools.product([-1, 1], repeat=len(differences))
    ]
    expected = np.mean([abs(s) >= abs(differences.sum()) for s in sums])
    assert sign_flip_p_value(differences) == pytest.approx(expected)
    assert sign_flip_p_value(-differences) == pytest.approx(expected)


def test_sign_flip_is_scipys_exact_permutation_test():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 4, size=(2, 12))
    reference = stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    # scipy doubles the smaller tail; this null distribution is symmetric, so both agree.
    assert sign_flip_p_value(a - b) == pytest.approx(min(1.0, reference.pvalue))


def exact_p_value(differences):
    """Return the share of sign changes by counting them all, in whole numbers."""
    ways = {0: 1}
    for size in map(int, np.abs(differences)):
        moved = {}
        for total, count in ways.items():
            for end in (total - size, total + size):
                moved[end] = moved.get(end, 0) + count
        ways = moved
    observed = abs(int(differences.sum()))
    return Fraction(
        sum(n for total, n in ways.items() if abs(total) >= observed), sum(ways.values())
    )


@settings(max_examples=60, deadline=None)
@given(strategies.lists(strategies.integers(-10, 10), min_size=1, max_size=120))
def test_sign_flip_is_exact_but_for_rounding(differences):
    values = np.array(differences)
    exact = float(exact_p_value(values))
    assert sign_flip_p_value(values) == pytest.approx(max(exact, P_ERROR), abs=P_ERROR, rel=0)


@pytest.mark.parametrize("lead", [0.0, 0.005, 0.02, 0.05, 0.3])
def test_sign_flip_of_2000_texts_is_the_convolution_to_1e_12(lead):
    rng = np.random.default_rng(3)
    differences = rng.binomial(10, 0.7 + lead, 2000) - rng.binomial(10, 0.7, 2000)
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    distribution = np.ones(1)
    for size, count in zip(sizes, counts, strict=True):
        part = np.zeros(2 * size * count + 1)
        part[:: 2 * size] = stats.binom.pmf(np.arange(count + 1), count, 0.5)
        distribution = np.convolve(distribution, part)
    sums = np.abs(np.arange(len(distribution)) - len(distribution) // 2)
    exact = distribution[sums >= abs(differences.sum())].sum()
    assert sign_flip_p_value(differences) == pytest.approx(max(exact, P_ERROR), abs=P_ERROR, rel=0)


def test_statistics_of_a_million_texts_take_no_time():
    rng = np.random.default_rng(0)
    differences = rng.integers(-10, 11, 1_000_000)
    started = time.process_time()
    p_value = sign_flip_p_value(differences)
    low, high = bootstrap_interval(differences / 10)
    assert time.process_time() - started < 10  # 0.3 s
    z = differences.sum() / np.sqrt((differences**2).sum())
    assert p_value == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-3)
    assert low < differences.mean() / 10 < high


def test_sign_flip_of_one_seed_is_mcnemars_exact_test():
    differences = np.repeat([1, -1, 0], [31, 17, 400])
    assert sign_flip_p_value(differences) == pytest.approx(stats.binomtest(31, 48).pvalue)


def test_sign_flip_without_any_difference_is_one():
    assert sign_flip_p_value(np.zeros(5, dtype=int)) == 1.0


def test_bootstrap_interval_is_near_the_normal_one_and_repeatable():
    values = np.random.default_rng(0).choice([-1, 0, 1], p=[0.1, 0.7, 0.2], size=2000)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std() / len(values) ** 0.5
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=2e-3)
    assert bootstrap_interval(values) == (low, high)


def test_bootstrap_interval_of_equal_values_is_a_point():
    assert bootstrap_interval(np.zeros(10)) == (0.0, 0.0)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
