import numpy as np
import pandas as pd
import pytest
from discovery_tables import as_text, category_table, mixed_table, numeric_table
from scipy import stats

from causalmix_core.discovery.encoding import encode
from causalmix_core.discovery.g_squared import GSquared
from causalmix_core.discovery.gaussian import DegenerateGaussian, FisherZ
from causalmix_core.discovery.independence import VACUOUS, log_p_chi2, log_p_normal
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table


def ask(test, x, y, *S):
    given = np.array([[test.names.index(s) for s in S]], dtype=np.int64).reshape(1, len(S))
    position = test.names.index
    return test.ask(np.array([position(x)]), np.array([position(y)]), given)


def log_p(test, x, y, *S):
    return float(ask(test, x, y, *S).log_p[0])


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 200))
    return {"a": a, "b": b, "c": c, "x": a + b - c + rng.normal(size=200), "y": 0.2 * a + b + c}


def residual(values, *given):
    design = np.column_stack([np.ones(len(values)), *given])
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


@pytest.mark.parametrize("given", [(), ("a",), ("a", "b"), ("a", "b", "c")])
def test_fisher_z_is_the_correlation_of_regression_residuals(numbers, given):
    numbers["y"] = numbers["y"] + np.random.default_rng(1).normal(size=200)
    test = FisherZ.of(encode(numeric_table(numbers)))
    conditions = [numbers[name] for name in given]
    r = np.corrcoef(residual(numbers["x"], *conditions), residual(numbers["y"], *conditions))[0, 1]
    z = np.arctanh(r) * np.sqrt(200 - len(given) - 3)
    assert log_p(test, "x", "y", *given) == pytest.approx(np.log(2 * stats.norm.sf(abs(z))))


def test_fisher_z_answers_in_batches_as_one_by_one(numbers):
    numbers["y"] = numbers["y"] + np.random.default_rng(1).normal(size=200)
    test = FisherZ.of(encode(numeric_table(numbers)))
    x, y, S = np.array([0, 1, 3]), np.array([4, 2, 4]), np.array([[1, 2], [3, 4], [0, 2]])
    together = test.ask(x, y, S).log_p
    alone = [test.ask(x[[k]], y[[k]], S[[k]]).log_p[0] for k in range(3)]
    assert together == pytest.approx(alone)


@pytest.mark.parametrize("given", [(), ("s",), ("s", "t")])
def test_g_squared_adds_up_the_likelihood_ratios_of_the_strata(given):
    rng = np.random.default_rng(3)
    columns = {name: rng.integers(0, k, 600) for name, k in zip("xyst", (3, 2, 2, 3), strict=True)}
    columns["y"] = np.where(rng.random(600) < 0.3, columns["x"] % 2, columns["y"])
    frame = pd.DataFrame(columns)
    statistic, dof = 0.0, 0
    groups = [g for _, g in frame.groupby(list(given))] if given else [frame]
    for group in groups:
        counts = pd.crosstab(group["x"], group["y"])
        result = stats.chi2_contingency(counts, correction=False, lambda_="log-likelihood")
        statistic, dof = statistic + result.statistic, dof + result.dof
    test = GSquared(encode(category_table(columns)))
    place = test.names.index
    found = test.ask_one(place("x"), place("y"), tuple(place(s) for s in given))
    assert found.statistic == pytest.approx(statistic)
    assert found.dof == dof
    assert found.log_p == pytest.approx(stats.chi2.logsf(statistic, dof))


def test_many_strata_are_counted_the_same_way_as_few():
    rng = np.random.default_rng(4)
    columns = {name: rng.integers(0, 19, 4000) for name in "xyst"}
    columns["y"] = np.where(rng.random(4000) < 0.4, columns["x"], columns["y"])
    test = GSquared(encode(category_table(columns)), minimum_count=0.0)
    frame = pd.DataFrame(columns)
    expected = 0.0
    for _, group in frame.groupby(["s", "t"]):
        counts = pd.crosstab(group["x"], group["y"]).to_numpy()
        outer = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True)
        filled = counts > 0
        ratio = counts[filled] * counts.sum() / outer[filled]
        expected += 2 * float((counts[filled] * np.log(ratio)).sum())
    place = test.names.index
    found = test.ask_one(place("x"), place("y"), (place("s"), place("t")))
    assert found.statistic == pytest.approx(expected)


def test_too_few_rows_per_degree_of_freedom_give_no_answer_instead_of_independence():
    rng = np.random.default_rng(5)
    columns = {"x": rng.integers(0, 5, 60), "s": rng.integers(0, 6, 60)}
    columns["y"] = columns["x"]
    columns["y"] = np.where(rng.random(60) < 0.9, columns["x"], rng.integers(0, 5, 60))
    test = GSquared(encode(category_table(columns)), minimum_count=5.0)
    assert np.isnan(log_p(test, "x", "y", "s"))


def test_a_set_that_determines_a_column_leaves_nothing_to_test():
    rng = np.random.default_rng(6)
    left, right = rng.integers(0, 2, (2, 500))
    either = left | right
    child = np.where(rng.random(500) < 0.9, either, 1 - either)
    test = GSquared(
        encode(category_table({"l": left, "r": right, "either": either, "child": child}))
    )
    assert log_p(test, "either", "child", "l", "r") == VACUOUS
    linear = numeric_table({"a": left + rng.normal(size=500), "b": rng.normal(size=500)})
    frame = linear.frame.assign(total=linear.frame["a"] + linear.frame["b"])
    frame["effect"] = frame["total"] + rng.normal(size=500)
    numeric = Table(frame, dict.fromkeys(frame.columns, Kind.NUMERIC))
    for kind in (FisherZ, DegenerateGaussian):
        assert log_p(kind.of(encode(numeric)), "total", "effect", "a", "b") == VACUOUS


def test_a_column_that_is_constant_on_the_rows_is_associated_with_nothing():
    columns = {"x": np.zeros(50, int), "y": np.arange(50) % 3, "z": np.arange(50) % 2}
    assert log_p(GSquared(encode(category_table(columns))), "x", "y") == 0.0
    assert log_p(DegenerateGaussian.of(encode(category_table(columns))), "x", "y") == 0.0


def test_degenerate_gaussian_on_two_numbers_is_bartletts_gaussian_likelihood_ratio(numbers):
    numbers["y"] = numbers["y"] + np.random.default_rng(1).normal(size=200)
    test = DegenerateGaussian.of(encode(numeric_table(numbers)))
    r = np.corrcoef(residual(numbers["x"], numbers["a"]), residual(numbers["y"], numbers["a"]))[
        0, 1
    ]
    factor = 200 - 1 - 1 - (1 + 1 + 1) / 2
    expected = stats.chi2.logsf(-factor * np.log(1 - r**2), 1)
    assert log_p(test, "x", "y", "a") == pytest.approx(expected, rel=1e-6)


def test_degenerate_gaussian_matches_determinants_of_the_indicator_covariance():
    table = mixed_table(1, n=300)
    test = DegenerateGaussian.of(encode(table))

    def block(*names):
        parts = []
        for name in names:
            column = table.frame[name]
            if table.kinds[name].is_number:
                parts.append(column.to_numpy()[:, None])
            else:
                parts.append(pd.get_dummies(column).to_numpy(float)[:, :-1])
        return np.hstack(parts)

    def logdet(*names):
        return np.linalg.slogdet(np.atleast_2d(np.cov(block(*names).T)))[1] if names else 0.0

    x, y, S = "education", "colour", ("income", "owner")
    ratio = logdet(x, *S) + logdet(y, *S) - logdet(*S) - logdet(x, y, *S)
    place = test.names.index
    found = test.ask_one(place(x), place(y), tuple(place(s) for s in S))
    factor = 300 - 1 - 2 - (2 + 3 + 1) / 2
    assert found.statistic == pytest.approx(factor * ratio, rel=1e-5)
    assert found.dof == 2 * 3


def test_the_mixed_test_rejects_true_independence_about_as_often_as_it_says():
    rejected = 0
    for seed in range(300):
        rng = np.random.default_rng([9, seed])
        z = rng.normal(size=300)
        frame = pd.DataFrame(
            {
                "x": z + rng.normal(size=300),
                "y": as_text((z + rng.normal(size=300) > 0).astype(int)),
                "z": z,
            }
        )
        kinds = {"x": Kind.NUMERIC, "y": Kind.BINARY, "z": Kind.NUMERIC}
        test = DegenerateGaussian.of(encode(Table(frame, kinds)))
        rejected += log_p(test, "x", "y", "z") < np.log(0.05)
    assert 0.02 < rejected / 300 < 0.09


@pytest.mark.parametrize("given", [(), ("k2",)])
def test_the_mixed_test_keeps_its_level_where_categories_have_many_levels(given):
    rejected = 0
    for seed in range(100):
        levels = np.random.default_rng([10, seed]).integers(0, 15, (3, 200))
        table = category_table({f"k{j}": levels[j] for j in range(3)})
        rejected += log_p(DegenerateGaussian.of(encode(table)), "k0", "k1", *given) < np.log(0.05)
    assert rejected / 100 < 0.15


@pytest.mark.parametrize("kind", [FisherZ, DegenerateGaussian])
def test_missing_values_are_left_out_test_by_test(kind):
    rng = np.random.default_rng(8)
    a, b, c = rng.normal(size=(3, 300))
    columns = {"a": a, "b": a + b, "c": c}
    columns["a"] = np.where(rng.random(300) < 0.2, np.nan, a)
    holed = kind.of(encode(numeric_table(columns)))
    complete = ~np.isnan(columns["a"])
    whole = kind.of(encode(numeric_table({k: v[complete] for k, v in columns.items()})))
    assert log_p(holed, "a", "b", "c") == pytest.approx(log_p(whole, "a", "b", "c"))
    assert holed.ask_one(0, 1, (2,)).effective_n == complete.sum()
    assert holed.ask_one(1, 2, ()).effective_n == 300


def test_missing_categories_are_left_out_and_are_no_category_of_their_own():
    rng = np.random.default_rng(8)
    x, y = rng.integers(0, 2, (2, 300))
    table = category_table({"x": x, "y": y})
    hole = rng.random(300) < 0.3
    frame = table.frame.copy()
    frame.loc[hole, "x"] = np.nan
    test = GSquared(encode(Table(frame, table.kinds)))
    found = test.ask_one(0, 1, ())
    assert found.dof == 1
    assert found.effective_n == (~hole).sum()


def test_p_values_stay_ordered_where_they_underflow():
    z = np.array([10.0, 40.0, 50.0, 200.0])
    assert log_p_normal(z)[0] == pytest.approx(np.log(2 * stats.norm.sf(10.0)))
    assert (np.diff(log_p_normal(z)) < 0).all()
    assert log_p_chi2(np.array(100.0), np.array(3.0)) == pytest.approx(stats.chi2.logsf(100, 3))
    # With two degrees of freedom the tail is exactly exp(−x/2), with four (1 + x/2) exp(−x/2).
    assert log_p_chi2(np.array(5000.0), np.array(2.0)) == pytest.approx(-2500.0)
    assert log_p_chi2(np.array(5000.0), np.array(4.0)) == pytest.approx(-2500.0 + np.log(2501.0))


def test_ordinal_columns_enter_the_mixed_test_by_their_rank():
    rng = np.random.default_rng(2)
    size = rng.integers(0, 4, 200)
    order = ("small", "medium", "large", "huge")
    frame = pd.DataFrame({"size": pd.Series([order[s] for s in size], dtype="str")})
    frame["price"] = size + rng.normal(size=200)
    table = Table(frame, {"size": Kind.ORDINAL, "price": Kind.NUMERIC}, levels={"size": order})
    data = encode(table)
    found = DegenerateGaussian.of(data).ask_one(0, 1, ())
    assert found.dof == 1
    r = np.corrcoef(size, frame["price"])[0, 1]
    assert found.strength == pytest.approx(abs(r))


def test_the_kernel_test_sees_what_correlation_does_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=150)
    table = numeric_table(
        {"x": x, "y": x**2 + 0.3 * rng.normal(size=150), "z": rng.normal(size=150)}
    )
    from causalmix_core.discovery._causallearn import Kernel

    kernel, linear = Kernel(encode(table)), FisherZ.of(encode(table))
    assert log_p(linear, "x", "y") > np.log(0.05)
    assert log_p(kernel, "x", "y") < np.log(0.001)
    assert log_p(kernel, "x", "z") > np.log(0.05)


@pytest.mark.parametrize("rows", [30, 64, 1000])
def test_every_way_of_counting_makes_the_same_tables(rows):
    rng = np.random.default_rng(rows)
    columns = {name: rng.integers(0, k, rows) for name, k in zip("wxyz", (4, 2, 3, 3), strict=True)}
    table = category_table(columns)
    frame = table.frame.copy()
    frame.loc[rng.random(rows) < 0.2, "w"] = np.nan
    test = GSquared(encode(Table(frame, table.kinds)))
    levels = test.levels
    for x, y, s in ((1, 2, 3), (3, 1, 2), (2, 3, 1)):
        at = np.array([x]), np.array([y]), np.array([[s]])
        shape = int(levels[s]), int(levels[x]), int(levels[y])
        coded = test._count_codes(*at, *shape)
        assert (test._count_bits(*at, *shape) == coded).all()
        assert (test._count_strata(*at, *shape) == coded).all()
    none = np.empty((1, 0), dtype=np.int64)
    for x, y in ((0, 1), (1, 2)):
        at = np.array([x]), np.array([y]), none
        shape = 1, int(levels[x]), int(levels[y])
        assert (test._count_pairs(*at, *shape) == test._count_codes(*at, *shape)).all()


def test_tables_of_different_sizes_in_one_batch_are_read_as_one_by_one():
    """Smaller tables of a block are padded to its largest; that changes no figure."""
    rng = np.random.default_rng(0)
    sizes = (2, 7, 3, 5, 2, 4)
    z = rng.integers(0, 2, 600)
    test = GSquared(
        encode(
            category_table(
                {f"v{k}": (rng.integers(0, size, 600) + z) % size for k, size in enumerate(sizes)}
            )
        )
    )
    for depth in (0, 1, 2):
        sets = [list(rng.permutation(6)[: depth + 2]) for _ in range(60)]
        asked = np.array(sets)
        together = test.ask(asked[:, 0], asked[:, 1], asked[:, 2:])
        for k, (x, y, *S) in enumerate(sets):
            alone = test.ask_one(y, x, tuple(S))
            assert alone.statistic[0] == pytest.approx(together.statistic[k], rel=1e-9, abs=1e-9)
            assert alone.dof[0] == together.dof[k]
            assert alone.effective_n[0] == together.effective_n[k]
