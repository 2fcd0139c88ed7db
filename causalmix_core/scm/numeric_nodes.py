"""The mechanism of a node of numbers: a prediction from its parents, and noise."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from causalmix_core.scm.category_nodes import assign_category
from causalmix_core.scm.columns import Array, ColumnCodec, Columns, gaps
from causalmix_core.scm.diagnostics import Findings, independence
from causalmix_core.scm.features import ParentFeatures, learn_features
from causalmix_core.scm.mechanism import Link, Listed, Marginal, Regressed, Roots, Value
from causalmix_core.scm.noise import Additive
from causalmix_core.scm.noise_choice import FEW_VALUES, Rest, takes_over
from causalmix_core.scm.regression import Fit, fit_linear, fit_trees
from causalmix_core.scm.selection import Effort, choose_rows, clearly_better, make_folds
from causalmix_core.scm.smoothing import smoothed
from causalmix_core.scm.trees import boosted_regressor, forest_regressor

_FEWEST_ROWS = 8  # below this a node's marginal says as much as a regression
_FEWEST_ROWS_FOR_BENDS = 60
_FEWEST_ROWS_FOR_TREES = 150
_DRAWS_TO_MATCH_SPREAD = 10_000
_SHOWN = 500
_DAY = 86_400_000_000.0  # microseconds
_DEPENDENT = 0.001


def assign_number(
    codec: ColumnCodec,
    inputs: Columns,
    known: Sequence[ColumnCodec],
    y: Array,
    effort: Effort,
    roots: Roots,
) -> tuple[Value, Findings]:
    """Choose and fit the mechanism of a numeric node.

    Args:
        inputs: encoded parents of the rows where the node's value is there.
        known: the parents that tell rows apart.
        y: the node's encoded values, none missing.
    """
    rows = len(y)
    if not known or rows < _FEWEST_ROWS or y.max() == y.min():
        return _assign_marginal(codec, bool(known), y, roots)
    features = learn_features(inputs, known)
    matrix = features(inputs)
    link, fit = _choose_link(codec, features, matrix, y)
    z = link.forward(y)
    fit = _choose_regression(inputs, known, features, matrix, z, fit, effort)
    telling = _telling(inputs, known, rows)
    told = {name: values[telling] for name, values in inputs.items()}
    told_fit = Fit(fit.model, fit.held_out[telling], fit.order[telling])
    rest = Rest(codec, told, features, y[telling], z[telling], told_fit, link)
    form = rest.choose()
    few = len(np.unique(y)) <= FEW_VALUES
    if few:
        listed, found = _assign_listed(inputs, known, y, effort)
        if codec.step is None or (found.score is not None and found.score < rest.log_loss(form)):
            return listed, found
    noise = rest.fitted(form, np.ones(len(rest.y), dtype=bool))
    # values that are taken over need no way back from the scale of the prediction
    scale = Link() if takes_over(noise) else link
    # few values are a scale cut off at its ends: what leads beyond an end is that end
    slack = np.inf if few else (codec.step or 0.0) / 2
    value = _match_spread(
        Regressed(fit.model, noise, scale, codec.low, codec.high, slack),
        codec,
        told,
        y[telling],
    )
    return value, _findings(codec, value, inputs, known, y, z, fit, link)


def _assign_listed(
    inputs: Columns, known: Sequence[ColumnCodec], y: Array, effort: Effort
) -> tuple[Listed, Findings]:
    """Fit a node of few numbers as if they were classes."""
    numbers, places = np.unique(y, return_inverse=True)
    codes: Array = places.astype(np.float64)
    classes, found = assign_category(len(numbers), inputs, known, codes, effort)
    return Listed(classes, numbers), replace(found, noise="probabilities of its few values")


def _assign_marginal(
    codec: ColumnCodec, has_parents: bool, y: Array, roots: Roots
) -> tuple[Value, Findings]:
    ordered = np.sort(y) if len(y) else np.zeros(1)
    smooth = roots == "smoothed" and is_smooth(ordered, codec)
    constant = bool(ordered[0] == ordered[-1])
    warnings: tuple[str, ...] = ()
    if has_parents and not constant:
        warnings = (f"Only {len(y)} rows have a value, too few to learn from the parents.",)
    if smooth:
        ordered = smoothed(ordered, codec.step, bounded=True)
    return Marginal(ordered, smooth), Findings(
        mechanism="constant" if constant else "its own distribution",
        noise="smoothed values" if smooth else "observed values",
        rows=len(y),
        spread=1.0,
        warnings=warnings,
    )


def is_smooth(ordered: Array, codec: ColumnCodec) -> bool:
    """Whether there may be values between the observed ones: most are not repeated."""
    repeated = 1 - len(np.unique(ordered)) / len(ordered)
    return repeated < 0.5 or (codec.step is not None and repeated < 0.9)


def _choose_link(
    codec: ColumnCodec, features: ParentFeatures, matrix: Array, y: Array
) -> tuple[Link, Fit]:
    """Choose between the plain and the log scale by the likelihood (Box and Cox 1964)."""
    plain = fit_linear(features, matrix, y)
    real = y + codec.origin
    positive = real[real > 0]
    if codec.kind == "datetime" or real.min() < 0 or len(positive) < len(y) / 2:
        return Link(), plain
    skew = float(np.mean((y - y.mean()) ** 3)) / float(y.std()) ** 3
    if skew < 1.0:
        return Link(), plain
    shift = float(codec.origin)
    if real.min() == 0:
        shift += float(np.quantile(positive, 0.05))
    link = Link(shift)
    z = link.forward(y)
    logged = fit_linear(features, matrix, z)
    gain = _log_error(y, plain) - _log_error(z, logged) - 2 * float(z.mean())
    return (link, logged) if gain > 0 else (Link(), plain)


def _log_error(y: Array, fit: Fit) -> float:
    return float(np.log(np.mean((y - fit.held_out) ** 2) + 1e-300))


def _choose_regression(
    inputs: Columns,
    known: Sequence[ColumnCodec],
    features: ParentFeatures,
    matrix: Array,
    z: Array,
    linear: Fit,
    effort: Effort,
) -> Fit:
    rows = len(z)
    best = linear
    if rows >= _FEWEST_ROWS_FOR_BENDS:
        bent = learn_features(inputs, known, bends=True)
        wide = bent(inputs)
        if matrix.shape[1] < wide.shape[1] <= rows / 4:
            curved = fit_linear(bent, wide, z, "curved regression")
            if clearly_better((z - curved.held_out) ** 2, (z - best.held_out) ** 2):
                best = curved
    if rows < _FEWEST_ROWS_FOR_TREES or not _trees_promise(matrix, z - best.held_out, effort):
        return best
    candidates = {"boosted trees": boosted_regressor(effort.rounds)}
    if effort.forest:
        candidates["random forest"] = forest_regressor
    if effort.autogluon:
        from causalmix_core.scm import _autogluon

        candidates["AutoGluon"] = _autogluon.regressor
    base, folds = best, make_folds(rows, effort.folds)
    for words, grow in candidates.items():
        grown = fit_trees(base, features, matrix, z, folds, grow, words)
        if clearly_better((z - grown.held_out) ** 2, (z - best.held_out) ** 2):
            best = grown
    return best


def _trees_promise(matrix: Array, rest: Array, effort: Effort) -> bool:
    """Try a few trees on some rows: whether it is worth growing them on every fold."""
    if not effort.screen:
        return True
    chosen = choose_rows(len(rest), effort.trial_rows)
    cut = 2 * len(chosen) // 3
    train, test = chosen[:cut], chosen[cut:]
    trees = boosted_regressor(25)(matrix[train], rest[train])
    return clearly_better((rest[test] - trees.predict(matrix[test])) ** 2, rest[test] ** 2, 1.0)


def _telling(inputs: Columns, known: Sequence[ColumnCodec], rows: int) -> NDArray[np.bool_]:
    """Return the rows that tell about the noise.

    What a missing parent would have explained is in the residual: such rows are left out where
    enough others are there.
    """
    complete = np.ones(rows, dtype=bool)
    for codec in known:
        if not codec.is_category:
            complete &= ~gaps(inputs, codec.name)
    enough = int(complete.sum()) >= max(30, rows // 4)
    return complete if enough else np.ones(rows, dtype=bool)


def _match_spread(value: Regressed, codec: ColumnCodec, inputs: Columns, y: Array) -> Regressed:
    """Size the noise so that drawn values spread as the real ones do, given the real parents.

    Out-of-fold residuals are a little too wide, prediction on rows that were fitted too, and the
    bounds take some away; here it is settled by drawing.
    """
    noise, rows = value.noise, len(y)
    copies = max(1, _DRAWS_TO_MATCH_SPREAD // rows)
    repeated = {name: np.tile(values, copies) for name, values in inputs.items()}
    rng = np.random.default_rng(2)
    strata = rng.permuted(np.tile(np.arange(copies), (rows, 1)), axis=1).T.ravel()
    u = (strata + rng.random(rows * copies)) / copies
    wanted, square = float(y.var()), 1.0
    for _ in range(3):
        drawn = codec.snap(value.draw(repeated, u))
        given = drawn.reshape(copies, rows)
        inside = float(given.var(axis=0).mean()) if copies > 1 else float(np.var(drawn - y))
        if inside <= 1e-9 * wanted:
            break
        # where noise is a small part, it cannot be what the spread lacks
        part = min(1.0, inside / (square * wanted))
        square *= 1 + (wanted - float(drawn.var())) / inside
        square = float(np.clip(square, max(0.5, 1 - part), 1 + 0.3 * part))
        value = replace(value, noise=noise.resized(float(np.sqrt(square))))
    return value


def _findings(
    codec: ColumnCodec,
    value: Regressed,
    inputs: Columns,
    known: Sequence[ColumnCodec],
    y: Array,
    z: Array,
    fit: Fit,
    link: Link,
) -> Findings:
    rows = len(y)
    residual = z - fit.held_out
    # what the noise itself does not explain: uniform, hence normal, and independent if all is well
    level = value.noise.rank(fit.held_out, inputs, value.link.forward(y))
    level = np.clip(level, 0.5 / rows, 1 - 0.5 / rows)
    tests = independence(special.ndtri(level), inputs, known)
    u = (np.random.default_rng(0).permutation(rows) + 0.5) / rows
    drawn = codec.snap(value.draw(inputs, u))
    warnings: list[str] = []
    if not isinstance(value.noise, Additive):
        warnings.append(
            "Rows do not scatter alike everywhere around their prediction: each draws "
            f"{value.noise.words}."
        )
    dependent = [name for name, p in tests.items() if p < _DEPENDENT / max(len(tests), 1)]
    if dependent:
        warnings.append(
            f"What is left still depends on {', '.join(dependent)}: the mechanism misses some of "
            "it, or a cause is missing."
        )
    shown = slice(None, None, max(1, -(-rows // _SHOWN)))
    start, unit = (0.0, _DAY) if codec.kind == "datetime" else (float(codec.origin), 1.0)
    if link.log_shift is not None:
        start = 0.0
    on_log = " on the log scale" if link.log_shift is not None else ""
    return Findings(
        mechanism=fit.model.words + on_log,
        noise=value.noise.words,
        rows=rows,
        score_name="R²",
        score=1 - float(np.mean(residual**2)) / float(z.var()),
        baseline=0.0,
        spread=float(drawn.std()) / float(y.std()),
        independence=tests,
        predicted=(fit.order[shown] + start) / unit,
        residual=residual[shown] / unit,
        warnings=tuple(warnings),
    )
