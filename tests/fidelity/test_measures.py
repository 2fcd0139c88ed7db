"""Every measure against a hand computation or an independent library."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from causalmix_core.fidelity import shift
from causalmix_core.fidelity.copies import copy_share, distance_to_closest
from causalmix_core.fidelity.estimate import Estimate, NotApplicable, bootstrap_weights
from causalmix_core.fidelity.ranking import estimate_roc_auc, roc_auc
from causalmix_core.fidelity.samples import encode
from causalmix_core.fidelity.shape import column_distances, shape
from causalmix_core.fidelity.trend import Pairs, trend
from causalmix_core.fidelity.two_sample import TwoSample, repeat_share, two_sample, without_repeats
from causalmix_core.fidelity.utility import train_synthetic_test_real
from causalmix_core.table import Kind
from causalmix_core.table.table import Table


def table_of(target=None, **columns):
    frame, kinds = {}, {}
    for name, values in columns.items():
        is_text = any(isinstance(value, str) for value in values)
        frame[name] = pd.Series(values, dtype="str" if is_text else "float64")
        kinds[name] = Kind.CATEGORICAL if is_text else Kind.NUMERIC
    return Table(pd.DataFrame(frame), kinds, target)


def pair_of(real, synthetic):
    first, second = encode(real, [real], [synthetic])
    return first, second


def random_table(rows, seed, shift_by=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(shift_by, 1, rows)
    group = np.where(rng.random(rows) < 0.5, "p", np.where(x > 0, "q", "r"))
    y = np.round(x + rng.normal(size=rows), 1)
    y[rng.random(rows) < 0.1] = np.nan
    return table_of(x=x.tolist(), y=y.tolist(), g=group.tolist())


def test_a_numbers_distance_is_the_kolmogorov_smirnov_statistic():
    real, made = random_table(300, 0), random_table(200, 1, 0.3)
    distances = column_distances(*pair_of(real, made))[0]
    expected = stats.ks_2samp(real.frame["x"], made.frame["x"]).statistic
    assert distances[0] == pytest.approx(expected)
    present = real.frame["y"].dropna(), made.frame["y"].dropna()
    assert distances[1] == pytest.approx(stats.ks_2samp(*present).statistic)


def test_a_categorys_distance_is_the_total_variation():
    real = table_of(g=["a"] * 5 + ["b"] * 5, x=[1.0] * 10)
    made = table_of(g=["a"] * 2 + ["b"] * 6 + ["c"] * 2, x=[1.0] * 10)
    assert column_distances(*pair_of(real, made))[0].tolist() == pytest.approx([0.0, 0.3])


def test_missing_values_count():
    gap = float("nan")
    real = table_of(x=[1.0, 2.0, 3.0, 4.0], g=["a", "a", "b", "b"])
    made = table_of(x=[1.0, gap, gap, 4.0], g=["a", None, None, "b"])
    assert column_distances(*pair_of(real, made))[0].tolist() == pytest.approx([0.5, 0.5])
    gone = table_of(x=[gap] * 4, g=["a", "a", "b", "b"])
    assert column_distances(*pair_of(real, gone))[0].tolist() == pytest.approx([1.0, 0.0])
    assert column_distances(*pair_of(gone, gone))[0].tolist() == pytest.approx([0.0, 0.0])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1_000))
def test_a_weight_counts_a_row_that_often(seed):
    real, made = random_table(40, seed), random_table(40, seed + 1)
    rng = np.random.default_rng(seed)
    w, v = bootstrap_weights(40, 1, rng), bootstrap_weights(40, 1, rng)
    one, two = pair_of(real, made)
    repeated = (
        one.take(np.repeat(np.arange(40), w[0].astype(int))),
        two.take(np.repeat(np.arange(40), v[0].astype(int))),
    )
    assert column_distances(one, two, w, v)[0] == pytest.approx(column_distances(*repeated)[0])
    x, y = shift.encode_pair(one, two)
    x_repeated, y_repeated = (
        np.repeat(x, w[0].astype(int), axis=0),
        np.repeat(y, v[0].astype(int), axis=0),
    )
    assert shift.coral_distance(x, y, w[0], v[0]) == pytest.approx(
        shift.coral_distance(x_repeated, y_repeated)
    )


def test_shape_is_perfect_for_the_same_rows_and_nothing_for_disjoint_ones():
    real = random_table(100, 0)
    w = bootstrap_weights(100, 10, np.random.default_rng(0))
    assert shape(*pair_of(real, real), w, w).value == pytest.approx(1.0)
    far = table_of(x=[99.0] * 100, y=[99.0] * 100, g=["z"] * 100)
    assert shape(*pair_of(real, far), w, w).value == pytest.approx(0.0)


def test_pairs_of_numbers_are_scored_by_spearman():
    real, made = random_table(300, 0), random_table(300, 1)
    made = made.with_frame(made.frame.assign(x=made.frame["x"].to_numpy()[::-1]))
    scores = Pairs(*pair_of(table_of_xy(real), table_of_xy(made))).scores()
    expected = 1 - abs(rho(real) - rho(made)) / 2
    assert scores[0, 1] == pytest.approx(expected, abs=1e-12)


def table_of_xy(table):
    frame = table.frame[["x", "y"]].fillna(0.0)
    return table_of(x=frame["x"].tolist(), y=frame["y"].tolist())


def rho(table):
    frame = table.frame[["x", "y"]].fillna(0.0)
    return stats.spearmanr(frame["x"], frame["y"]).statistic


def test_other_pairs_are_scored_by_the_joint_table_in_bins_of_the_real_rows():
    real, made = random_table(300, 0), random_table(300, 5)
    scores = Pairs(*pair_of(real, made)).scores()
    edges = np.unique(np.quantile(real.frame["x"], np.arange(1, 10) / 10))

    def joint(table):
        bins = np.searchsorted(edges, table.frame["x"], side="left")
        return pd.crosstab(bins, table.frame["g"].to_numpy(), normalize=True)

    gap = joint(real).sub(joint(made), fill_value=0.0).fillna(0.0)
    assert scores[0, 2] == scores[2, 0] == pytest.approx(1 - gap.abs().to_numpy().sum() / 2)


def test_trend_sees_what_shape_does_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    real = table_of(x=x.tolist(), y=(x + 0.1 * rng.normal(size=400)).tolist())
    alone = real.with_frame(real.frame.assign(y=rng.permutation(real.frame["y"])))
    w = bootstrap_weights(400, 20, rng)
    assert shape(*pair_of(real, alone), w, w).value == pytest.approx(1.0)
    assert trend(*pair_of(real, alone), w, w).value == pytest.approx(0.5, abs=0.06)


def test_a_column_that_became_constant_has_no_correlation_left():
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    real = table_of(x=x.tolist(), y=x.tolist())
    flat = table_of(x=x.tolist(), y=[1.0] * 100)
    assert Pairs(*pair_of(real, flat)).scores()[0, 1] == pytest.approx(0.5)


def test_the_trend_of_very_many_columns_is_that_of_a_hundred():
    rng = np.random.default_rng(0)

    def wide(seed):
        r = np.random.default_rng(seed)
        shared = r.normal(size=(80, 1))
        numbers = shared + r.normal(size=(80, 110))
        columns = {f"x{k}": numbers[:, k].tolist() for k in range(110)}
        return table_of(**columns, g=np.where(shared[:, 0] > 0, "p", "q").tolist())

    real, made = pair_of(wide(0), wide(1))
    w = bootstrap_weights(80, 2, rng)
    few = trend(real, made, w, w, seed=0).value
    assert few != trend(real, made, w, w, seed=1).value
    assert few == pytest.approx(Pairs(real, made).mean_score(), abs=0.02)


def test_one_column_has_no_trend():
    one = table_of(x=[1.0, 2.0, 3.0])
    w = bootstrap_weights(3, 2, np.random.default_rng(0))
    with pytest.raises(NotApplicable, match="two columns"):
        trend(*pair_of(one, one), w, w)


def test_rows_of_one_source_cannot_be_told_apart_and_shuffled_ones_can():
    real, fresh = random_table(600, 0), random_table(600, 1)
    rng = np.random.default_rng(0)
    frame = random_table(600, 2).frame
    shuffled = real.with_frame(frame.assign(x=rng.permutation(frame["x"])))
    same = two_sample(*pair_of(real, fresh), seed=0).auc(50, rng)
    assert same.value == pytest.approx(0.5, abs=0.06)
    assert same.deviation < 0.03
    assert two_sample(*pair_of(real, shuffled), seed=0).auc(50, rng).value > 0.65


def test_repeated_rows_do_not_give_themselves_away():
    real, train = random_table(500, 0), random_table(500, 1)
    rng = np.random.default_rng(0)
    repeated = train.take(rng.integers(0, 500, 500))
    first, second = pair_of(real, repeated)
    assert repeat_share(second) > 0.3
    assert len(without_repeats(second)) == len(repeated.frame.drop_duplicates())
    assert two_sample(first, second, seed=0).auc(10, rng).value == pytest.approx(0.5, abs=0.07)


def test_tables_of_few_categories_may_repeat():
    rng = np.random.default_rng(0)
    real, made = (
        table_of(a=rng.choice(["p", "q"], 200).tolist(), b=rng.choice(["p", "q"], 200).tolist())
        for _ in range(2)
    )
    found = two_sample(*pair_of(real, made), seed=0)
    assert len(found.score) == 400


def test_sides_are_of_equal_size_and_too_few_rows_are_refused():
    found = two_sample(*pair_of(random_table(80, 0), random_table(50, 1)), seed=0)
    assert np.bincount(found.is_synthetic).tolist() == [50, 50]
    with pytest.raises(NotApplicable, match="only 8 different rows"):
        two_sample(*pair_of(random_table(80, 0), random_table(8, 1)), seed=0)


def test_auc_and_proxy_a_distance_come_from_the_predictions():
    is_synthetic = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    score = np.array([0.1, 0.2, 0.6, 0.3, 0.4, 0.7, 0.8, 0.9])
    found = TwoSample(is_synthetic, score)
    auc = found.auc(20, np.random.default_rng(0))
    assert auc.value == roc_auc_score(is_synthetic, score)
    # two of eight rows are on the wrong side: 2 (1 − 2 · 0.25) = 1
    assert found.proxy_a_distance().value == pytest.approx(1.0)
    share = (2 + 2) / (8 + 4)
    spread = 4 * np.sqrt(share * (1 - share) / (8 + 4))
    assert found.proxy_a_distance().deviation == pytest.approx(spread)


def test_mmd_is_the_unbiased_estimate():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.normal(0.5, 1, size=(9, 3))
    pooled = np.vstack([x, y])
    squared = ((pooled[:, None] - pooled[None]) ** 2).sum(axis=2)
    scale = np.median(squared[np.triu_indices(21, 1)])

    def k(a, b):
        return np.exp(-((a - b) ** 2).sum() / scale)

    xx = sum(k(x[i], x[j]) for i in range(12) for j in range(12) if i != j) / (12 * 11)
    yy = sum(k(y[i], y[j]) for i in range(9) for j in range(9) if i != j) / (9 * 8)
    xy = sum(k(a, b) for a in x for b in y) / (12 * 9)
    assert shift.Kernel(x, y).mmd2() == pytest.approx(xx + yy - 2 * xy)


def test_mmd_is_about_nothing_for_one_source_and_grows_with_the_gap():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    values = [shift.Kernel(x, rng.normal(gap, 1, size=(300, 4))).mmd2() for gap in (0.0, 0.5, 1.0)]
    assert abs(values[0]) < 0.01
    assert values[0] < values[1] < values[2]


def test_mmd_does_not_depend_on_the_order_of_the_file():
    rng = np.random.default_rng(0)
    group = np.repeat([0.0, 9.0], 1_000)
    x = group[:, None] + rng.normal(size=(2_000, 3))
    mixed = rng.permutation(2_000)
    y = x[mixed] + 0.1 * rng.normal(size=(2_000, 3))
    groups = np.array([group == 0, group == 9]).astype(float)  # each resample is one group

    estimate = shift.mmd2(x, y, groups, groups[:, mixed])

    assert abs(estimate.value) < 0.01
    assert estimate.deviation < 0.01


def test_coral_is_the_distance_of_covariances():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 4)), rng.normal(size=(40, 4)) * 2
    gap = np.cov(x.T) - np.cov(y.T)
    expected = np.linalg.norm(gap, "fro") ** 2 / (4 * 16)
    assert shift.coral_distance(x, y) == pytest.approx(expected)


def test_rows_are_encoded_on_the_scale_of_the_real_ones():
    gap = float("nan")
    real = table_of(x=[0.0, 2.0, 4.0, gap], g=["a", "a", "b", None])
    made = table_of(x=[2.0, gap], g=["c", "b"])
    x, y = shift.encode_pair(*pair_of(real, made))
    spread = np.std([0, 2, 4])
    assert x[:, 0] == pytest.approx([-2 / spread, 0, 2 / spread, 0])
    assert x[:, 1].tolist() == [0, 0, 0, 1]
    assert x[:, 2:].tolist() == [[1, 0], [1, 0], [0, 1], [0, 0]]
    assert y.tolist() == [[0, 0, 0, 0], [0, 1, 0, 1]]


def test_distance_to_the_closest_row_is_the_mean_over_columns():
    gap = float("nan")
    train = table_of(x=[0.0, 10.0], z=[1.0, gap], g=["a", "b"])
    rows = table_of(x=[0.0, 5.0, 10.0, 40.0], z=[1.0, 1.0, gap, 1.0], g=["a", "a", "b", "b"])
    first, second = pair_of(train, rows)
    # z has one value in the training rows, so its range counts as 1
    expected = [0.0, 0.5 / 3, 0.0, (1 + 1 + 0) / 3]
    assert distance_to_closest(second, first) == pytest.approx(expected)


def test_copies_are_counted_beyond_what_held_out_rows_do():
    train, holdout = random_table(400, 0), random_table(400, 1)
    copies = train.take(np.random.default_rng(0).integers(0, 400, 200))
    fresh = random_table(200, 2)
    a, b, c, d = encode(train, [train, holdout], [copies, fresh])
    bar = distance_to_closest(b, a)
    assert copy_share(distance_to_closest(c, a), bar).value == pytest.approx(0.99, abs=0.01)
    assert copy_share(distance_to_closest(d, a), bar).value == pytest.approx(0.0, abs=0.03)


def test_copies_in_tables_of_few_categories_are_measured_against_chance():
    rng = np.random.default_rng(0)
    train, holdout, fresh = (
        table_of(**{name: rng.choice(["p", "q"], 300).tolist() for name in "abc"}) for _ in range(3)
    )
    a, b, c = encode(train, [train, holdout], [fresh])
    assert copy_share(distance_to_closest(c, a), distance_to_closest(b, a)).value == 0.0


def test_utility_is_the_score_on_real_rows():
    def labelled(rows, strength, seed):
        r = np.random.default_rng(seed)
        x = r.normal(size=rows)
        y = np.where(x * strength + r.normal(size=rows) > 0, "yes", "no")
        return table_of("y", x=x.tolist(), y=y.tolist())

    holdout, good, random = labelled(400, 2.0, 0), labelled(400, 2.0, 1), labelled(400, 0.0, 2)
    h, g, r = encode(holdout, [holdout], [good, random])
    best = roc_auc_score(holdout.frame["y"] == "yes", holdout.frame["x"])
    score = train_synthetic_test_real(g, h, "y", 30, 0)
    assert best - 0.08 < score.value <= best
    assert 0 < score.deviation < 0.05
    assert train_synthetic_test_real(r, h, "y", 5, 0).value == pytest.approx(0.5, abs=0.15)
    one = holdout.with_frame(holdout.frame.assign(y=pd.Series(["yes"] * 400, dtype="str")))
    _, o = encode(holdout, [holdout], [one])
    with pytest.raises(NotApplicable, match="one class of 'y' only"):
        train_synthetic_test_real(o, h, "y", 5, 0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(1, 3)), min_size=2))
def test_roc_auc_is_scikit_learns_also_with_ties_and_weights(rows):
    positive = np.array([row[0] for row in rows])
    score = np.array([row[1] for row in rows], dtype="float64")
    weights = np.array([row[2] for row in rows], dtype="float64")
    if positive.all() or not positive.any():
        return
    assert roc_auc(positive, score) == pytest.approx(roc_auc_score(positive, score))
    expected = roc_auc_score(positive, score, sample_weight=weights)
    assert roc_auc(positive, score, weights) == pytest.approx(expected)


def test_roc_auc_of_several_classes_is_the_mean_of_one_against_the_rest():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 100)
    probabilities = rng.dirichlet([1, 1, 1], 100)
    expected = roc_auc_score(truth, probabilities, multi_class="ovr", average="macro")
    assert estimate_roc_auc(truth, probabilities, 5, rng).value == pytest.approx(expected)


def test_intervals_are_centred_and_bounded():
    estimate = Estimate.of(0.99, np.array([0.9, 0.95, 1.0]))
    assert estimate.deviation == pytest.approx(0.05)
    assert estimate.interval(0.0, 1.0) == pytest.approx((0.892, 1.0))


def test_the_shape_interval_covers_the_figure_of_many_rows():
    """Of 20 pairs of small samples, most intervals hold what large samples give."""
    large = column_distances(*pair_of(random_table(50_000, 1), random_table(50_000, 2, 0.5)))
    truth = 1 - large[0].mean()
    held = 0
    for seed in range(20):
        real, made = random_table(400, 100 + seed), random_table(400, 200 + seed, 0.5)
        w = bootstrap_weights(400, 60, np.random.default_rng(seed))
        low, high = shape(*pair_of(real, made), w, w[::-1]).interval(0, 1)
        held += low <= truth <= high
    assert held >= 15
