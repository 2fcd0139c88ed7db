"""Kernel estimates between the observed values."""

import numpy as np
import pytest
from scipy import stats

from causalmix_core.scm.smoothing import smoothed


def test_mean_and_variance_stay_and_the_distance_to_the_truth_falls():
    gaps = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        ordered = np.sort(rng.normal(50, 10, size=200).round())
        found = smoothed(ordered, 1.0)
        assert found.mean() == pytest.approx(ordered.mean(), abs=0.05)
        assert found.std() == pytest.approx(ordered.std(), rel=0.02)
        truth = np.diff(stats.norm(50, 10).cdf(np.arange(9.5, 92)))

        def distance(values, truth=truth):
            shares = np.histogram(np.rint(values), np.arange(9.5, 92))[0] / len(values)
            return np.abs(shares - truth).sum() / 2

        gaps.append((distance(found), distance(ordered)))
    after, before = np.mean(gaps, axis=0)
    assert after < 0.7 * before


def test_two_peaks_are_not_blurred_into_one():
    rng = np.random.default_rng(0)
    ordered = np.sort(np.r_[rng.normal(-20, 1, 150), rng.normal(20, 1, 150)])

    assert not (np.abs(smoothed(ordered)) < 10).any()


def test_bounds_are_kept_where_asked():
    ordered = np.sort(np.random.default_rng(0).exponential(size=300))

    inside = smoothed(ordered, bounded=True)

    assert inside.min() >= ordered.min()
    assert inside.max() <= ordered.max()


@pytest.mark.parametrize(
    "ordered",
    [
        np.arange(10.0),
        np.sort(np.random.default_rng(0).integers(0, 8, size=200)).astype(float),
        np.sort(np.r_[np.zeros(60), np.random.default_rng(0).gamma(2.0, size=140)]),
        np.ones(50),
    ],
    ids=["few rows", "few values", "a heap of zeros", "one value"],
)
def test_what_must_not_be_blurred_stays_as_it_is(ordered):
    assert smoothed(ordered) is ordered


def test_very_many_values_are_thinned_to_as_many_as_there_were():
    ordered = np.sort(np.random.default_rng(0).normal(size=30_000))

    assert len(smoothed(ordered)) == 30_000
