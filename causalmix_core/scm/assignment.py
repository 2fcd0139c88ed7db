"""Choosing and fitting the mechanism of one node: linear first, trees only where clearly better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from causalmix_core.scm.classification import (
    BoostedClassifier,
    Classifier,
    Shares,
    calibrate,
    calibration,
    fit_logistic,
    grow_classifier,
)
from causalmix_core.scm.columns import Array, ColumnCodec, Columns, gaps
from causalmix_core.scm.diagnostics import NodeDiagnostics
from causalmix_core.scm.features import ParentFeatures, learn_features
from causalmix_core.scm.mechanism import (
    Classified,
    Levels,
    Link,
    Marginal,
    Mechanism,
    Regressed,
    Roots,
    Value,
)
from causalmix_core.scm.noise import (
    Noise,
    fit_additive,
    fit_local,
    fit_scaled,
)
from causalmix_core.scm.regression import (
    Fit,
    LinearRegression,
    fit_boosted,
    fit_linear,
    grow_trees,
)

Quality = Literal["good", "better", "best"]


@dataclass(frozen=True)
class Effort:
    """How hard to look for a node's mechanism.

    Attributes:
        trial_rows: rows that decide between kinds of classifiers, and whether trees are tried.
        folds: folds of the out-of-fold score.
        rounds: trees of a boosted model.
        screen: whether trees must pass a quick trial before they are fitted on every fold.
    """

    trial_rows: int
    folds: int
    rounds: int
    screen: bool


EFFORTS: Mapping[str, Effort] = {
    "good": Effort(trial_rows=2_000, folds=3, rounds=60, screen=True),
    "better": Effort(trial_rows=20_000, folds=5, rounds=150, screen=False),
}

_FEWEST_ROWS = 8  # below this a node's marginal says as much as a regression
_FEWEST_ROWS_FOR_BENDS = 60
_FEWEST_ROWS_FOR_TREES = 150
_CLEARLY = 0.02  # relative gain in loss that a more complex model must bring
_MOST_CLASSES = 30
_FEWEST_ROWS_OF_A_CLASS = 3
_MOST_CLASSES_FOR_TREES = 10
_QUANTILES = np.arange(1, 10) / 10
_DRAWS_TO_MATCH_SPREAD = 10_000
_SQUARED_SIZE = (0.5, 1.3)
_MOST_ROWS_TO_CHOOSE_NOISE = 4_000


def assign(
    node: str,
    parents: Sequence[str],
    columns: Columns,
    codecs: Mapping[str, ColumnCodec],
    *,
    quality: str = "good",
    roots: Roots = "smoothed",
) -> Mechanism:
    """Choose and fit the mechanism of `node` given its parents.

    Args:
        columns: the training rows, encoded.
    """
    codec, y = codecs[node], columns[node]
    effort = EFFORTS[quality]
    parents = tuple(sorted(parents))
    inputs = {name: columns[name] for name in parents}
    known = [codecs[name] for name in parents if not codecs[name].is_constant]
    if codec.is_category:
        value, diagnostics = _assign_category(codec, inputs, known, y, effort)
        low, high = value.interval(inputs, y)
        return Mechanism(
            node, codec, parents, value, None, diagnostics(node, parents), Levels(low, high), None
        )
    present = ~np.isnan(y)
    seen = {name: values[present] for name, values in inputs.items()}
    number, diagnostics = _assign_number(codec, seen, known, y[present], effort, roots)
    low, high = np.full(len(y), np.nan), np.full(len(y), np.nan)
    if present.any():
        low[present], high[present] = number.interval(seen, y[present])
    absence, absence_levels = None, None
    if not present.all():
        gone = (~present).astype(np.float64)
        absence = _assign_absence(inputs, known, gone.astype(np.int64))
        absence_levels = Levels(*absence.interval(inputs, gone))
    return Mechanism(
        node,
        codec,
        parents,
        number,
        absence,
        diagnostics(node, parents, missing=float(1 - present.mean())),
        Levels(low, high),
        absence_levels,
    )


class _Draft:
    """Diagnostics that still lack the node's name."""

    def __init__(self, **known: object) -> None:
        self.known = known

    def __call__(
        self, node: str, parents: tuple[str, ...], missing: float = 0.0
    ) -> NodeDiagnostics:
        return NodeDiagnostics(node=node, parents=parents, missing=missing, **self.known)  # type: ignore[arg-type]


# Numbers


def _assign_number(
    codec: ColumnCodec,
    inputs: Columns,
    known: Sequence[ColumnCodec],
    y: Array,
    effort: Effort,
    roots: Roots,
) -> tuple[Value, _Draft]:
    rows = len(y)
    spread = float(y.std()) if rows else 0.0
    if not known or rows < _FEWEST_ROWS or spread == 0.0:
        return _assign_marginal(codec, bool(known), y, roots)
    features = learn_features(inputs, known)
    matrix = features(inputs)
    link, fit = _choose_link(codec, features, matrix, y)
    z = link.forward(y)
    fit = _choose_regression(inputs, known, features, matrix, z, fit, effort)
    telling = _telling(inputs, known, rows)
    noise = _choose_noise(
        codec,
        {name: values[telling] for name, values in inputs.items()},
        features,
        y[telling],
        z[telling],
        Fit(fit.model, fit.held_out[telling], fit.order[telling]),
        link,
    )
    value = _match_spread(
        Regressed(fit.model, noise, link, codec.low, codec.high),
        {name: values[telling] for name, values in inputs.items()},
        y[telling],
    )
    residual = z - fit.held_out
    score = 1 - float(np.mean(residual**2)) / float(z.var())
    shown = slice(None, None, max(1, rows // 500))
    u = (np.arange(rows)[np.random.default_rng(0).permutation(rows)] + 0.5) / rows
    drawn = value.draw(inputs, u)
    return value, _Draft(
        mechanism=fit.model.words + (" on the log scale" if link.log_shift is not None else ""),
        noise=noise.words,
        score_name="R²",
        score=score,
        baseline=0.0,
        rows=rows,
        spread=float(drawn.std()) / spread,
        predicted=fit.held_out[shown],
        residual=residual[shown],
    )


def _assign_marginal(
    codec: ColumnCodec, has_parents: bool, y: Array, roots: Roots
) -> tuple[Value, _Draft]:
    ordered = np.sort(y) if len(y) else np.zeros(1)
    repeated = 1 - len(np.unique(ordered)) / len(ordered)
    # a column that mostly repeats its values has no values in between
    smooth = roots == "smoothed" and (repeated < 0.5 or (codec.step is not None and repeated < 0.9))
    words = "constant" if ordered[0] == ordered[-1] else "its own distribution"
    warnings = ()
    if has_parents and words != "constant":
        warnings = (f"Only {len(y)} rows have a value, too few to learn from the parents.",)
    return Marginal(ordered, smooth), _Draft(
        mechanism=words,
        noise="smoothed values" if smooth else "observed values",
        score_name=None,
        score=None,
        baseline=None,
        rows=len(y),
        spread=1.0,
        warnings=warnings,
    )


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
            if _clearly_better((z - curved.held_out) ** 2, (z - best.held_out) ** 2):
                best = curved
    if rows >= _FEWEST_ROWS_FOR_TREES and _trees_promise(matrix, z - best.held_out, effort):
        folds = _folds(rows, effort.folds)
        boosted = fit_boosted(best, features, matrix, z, folds, rounds=effort.rounds)
        if _clearly_better((z - boosted.held_out) ** 2, (z - best.held_out) ** 2):
            best = boosted
    return best


def _trees_promise(matrix: Array, rest: Array, effort: Effort) -> bool:
    if not effort.screen:
        return True
    chosen = _sample(len(rest), effort.trial_rows)
    cut = 2 * len(chosen) // 3
    train, test = chosen[:cut], chosen[cut:]
    trees = grow_trees(matrix[train], rest[train], rounds=25)
    return _clearly_better((rest[test] - trees.predict(matrix[test])) ** 2, rest[test] ** 2, 1.0)


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


def _choose_noise(
    codec: ColumnCodec,
    inputs: Columns,
    features: ParentFeatures,
    y: Array,
    z: Array,
    fit: Fit,
    link: Link,
) -> Noise:
    """Choose the form of the noise by its score on the other half of the rows (pinball loss)."""
    matrix = features(inputs)
    rows, f = len(z), fit.held_out
    half = _folds(rows, 2)
    half[_sample(rows, rows)[_MOST_ROWS_TO_CHOOSE_NOISE:]] = -1
    _, counts = np.unique(y, return_counts=True)
    repeats = len(counts) <= 12 or counts.max() / rows > 0.1
    smooth = len(counts) / rows > 0.5

    def fitted(form: str, part: NDArray[np.bool_]) -> Noise:
        if form == "additive":
            return fit_additive(f[part], z[part])
        if form == "scaled":
            size = np.log(np.abs(z[part] - f[part]) + 0.01 * float(np.std(z - f)))
            scale = fit_linear(features, matrix[part], size).model
            assert isinstance(scale, LinearRegression)
            return fit_scaled(f[part], z[part], matrix[part], scale)
        if form == "matched":
            return fit_local(fit.order[part], z[part], levels=True, smooth=smooth)
        return fit_local(fit.order[part], (z - f)[part], levels=False, smooth=smooth)

    forms = ["additive"]
    if rows >= 100:
        forms.append("local")
        if matrix.shape[1] <= rows / 10:
            forms.append("scaled")
    if rows >= 40 and not smooth:
        # zeros and few distinct values are kept by taking over values: the form to beat there
        forms.insert(0 if repeats else len(forms), "matched")
    best, least = forms[0], np.empty(0)
    for form in forms if len(forms) > 1 else ():
        loss = np.zeros(rows)
        for side in (0, 1):
            train, test = half == 1 - side, half == side
            noise = fitted(form, train)
            part = {name: values[test] for name, values in inputs.items()}
            for level in _QUANTILES:
                guess = link.backward(
                    noise.quantile(fit.order[test], part, np.full(test.sum(), level))
                )
                error = y[test] - np.clip(guess, codec.low, codec.high)
                loss[test] += np.maximum(level * error, (level - 1) * error)
        if not len(least) or _clearly_better(loss[half >= 0], least[half >= 0], share=0.002):
            best, least = form, loss
    return fitted(best, np.ones(rows, dtype=bool))


def _match_spread(value: Regressed, inputs: Columns, y: Array) -> Regressed:
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
        drawn = value.draw(repeated, u)
        given = drawn.reshape(copies, rows)
        inside = float(given.var(axis=0).mean()) if copies > 1 else float(np.var(drawn - y))
        if inside <= 1e-9 * wanted:
            break
        square *= float(np.clip(1 + (wanted - float(drawn.var())) / inside, 0.5, 2.0))
        square = float(np.clip(square, *_SQUARED_SIZE))
        value = replace(value, noise=noise.resized(float(np.sqrt(square))))
    return value


# Categories


def _assign_category(
    codec: ColumnCodec,
    inputs: Columns,
    known: Sequence[ColumnCodec],
    y: Array,
    effort: Effort,
) -> tuple[Classified, _Draft]:
    codes = y.astype(np.int64)
    classes, spread = _pool(codes, max(codec.codes, 1))
    shares = spread.sum(axis=1)
    spread = spread / shares[:, None]
    shares = shares / shares.sum()
    baseline = float(-(shares * np.log(shares)).sum())
    rows = len(y)
    if len(shares) == 1 or not known or rows < _FEWEST_ROWS:
        single = codec.codes <= 1
        return Classified(Shares(shares[None, :]), spread), _Draft(
            mechanism="constant" if single else "its own distribution",
            noise="observed shares",
            score_name=None,
            score=None,
            baseline=None,
            rows=rows,
        )
    model, score = _choose_classifier(inputs, known, classes, len(shares), effort)
    if score >= baseline:
        model = _shrunk(model)
    return Classified(model, spread), _Draft(
        mechanism=model.words,
        noise="class probabilities",
        score_name="log loss",
        score=score,
        baseline=baseline,
        rows=rows,
    )


def _shrunk(model: Classifier) -> Classifier:
    return model


def _pool(codes: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], Array]:
    """Return each row's class, and how many rows of each class have which code.

    Levels with few rows are pooled, so that a level of one row neither stops the fit nor vanishes.
    """
    counts = np.bincount(codes, minlength=size)
    ranked = np.argsort(-counts, kind="stable")
    own = [code for code in ranked[:_MOST_CLASSES] if counts[code] >= _FEWEST_ROWS_OF_A_CLASS]
    rest = [code for code in range(size) if code not in own and counts[code] > 0]
    if len(rest) == 1:
        own, rest = [*own, *rest], []
    slot = np.full(size, len(own), dtype=np.int64)
    slot[own] = np.arange(len(own))
    spread = np.zeros((len(own) + int(bool(rest)), size))
    for code in [*own, *rest]:
        spread[slot[code], code] = counts[code]
    return slot[codes], spread


def _choose_classifier(
    inputs: Columns,
    known: Sequence[ColumnCodec],
    classes: NDArray[np.int64],
    size: int,
    effort: Effort,
) -> tuple[Classifier, float]:
    features = learn_features(inputs, known)
    matrix = features(inputs)
    trial = _sample(len(classes), effort.trial_rows)
    target, X = classes[trial], matrix[trial]
    folds = _folds(len(trial), min(effort.folds, len(trial)))
    rows = len(trial)

    def losses(fit: "_Fitter", X: Array) -> tuple[Array, Array]:
        held_out = np.zeros((rows, size))
        for fold in range(int(folds.max()) + 1):
            inside, outside = folds != fold, folds == fold
            held_out[outside] = _predict_unseen(fit, X[inside], target[inside], X[outside], size)
        return _log_loss(held_out, target), held_out

    best, _ = losses(_logistic_probabilities, X)
    choice = "linear"
    wide, bent = X, features
    if rows >= _FEWEST_ROWS_FOR_BENDS:
        bent = learn_features(inputs, known, bends=True)
        wide = bent({name: values[trial] for name, values in inputs.items()})
        if X.shape[1] < wide.shape[1] <= rows / 8:
            loss, _ = losses(_logistic_probabilities, wide)
            if _clearly_better(loss, best):
                best, choice = loss, "curved"
    if (
        rows >= _FEWEST_ROWS_FOR_TREES
        and size <= _MOST_CLASSES_FOR_TREES
        and _classifier_trees_promise(X, target, best, size, effort)
    ):
        grow = _boosted_probabilities(effort.rounds)
        _, held_out = losses(grow, X)
        sharpness, shifts = calibration(held_out, target)
        loss = _log_loss(calibrate(held_out, sharpness, shifts), target)
        if _clearly_better(loss, best):
            trees = grow_classifier(matrix, classes, effort.rounds)
            model = BoostedClassifier(features, trees, sharpness, shifts)
            return model, float(loss.mean())
    if choice == "curved":
        words = "curved logistic regression"
        return fit_logistic(bent, bent(inputs), classes, words), float(best.mean())
    return fit_logistic(features, matrix, classes), float(best.mean())


class _Fitter:
    """Fits on some rows and returns a function of others; classes are 0..k-1, all present."""

    def __call__(self, X: Array, classes: NDArray[np.int64], unseen: Array) -> Array:
        raise NotImplementedError


class _LogisticFitter(_Fitter):
    def __call__(self, X: Array, classes: NDArray[np.int64], unseen: Array) -> Array:
        return fit_logistic(ParentFeatures(()), X, classes).apply(unseen)


class _BoostedFitter(_Fitter):
    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def __call__(self, X: Array, classes: NDArray[np.int64], unseen: Array) -> Array:
        result: Array = grow_classifier(X, classes, self.rounds).predict_proba(unseen)
        return result


_logistic_probabilities = _LogisticFitter()
_boosted_probabilities = _BoostedFitter


def _predict_unseen(
    fit: _Fitter, X: Array, classes: NDArray[np.int64], unseen: Array, size: int
) -> Array:
    """Predict held-out rows; a class that this fold has not seen gets a small probability."""
    found, compact = np.unique(classes, return_inverse=True)
    result = np.full((len(unseen), size), 0.5 / (len(classes) + 1.0))
    if len(found) > 1:
        result[:, found] = fit(X, compact, unseen)
    else:
        result[:, found] = 1.0
    normalised: Array = result / result.sum(axis=1, keepdims=True)
    return normalised


def _classifier_trees_promise(
    X: Array, target: NDArray[np.int64], loss: Array, size: int, effort: Effort
) -> bool:
    if not effort.screen:
        return True
    cut = 2 * len(target) // 3
    probabilities = _predict_unseen(_BoostedFitter(20), X[:cut], target[:cut], X[cut:], size)
    return _clearly_better(_log_loss(probabilities, target[cut:]), loss[cut:], 0.0)


def _log_loss(probabilities: Array, classes: NDArray[np.int64]) -> Array:
    return -np.log(probabilities[np.arange(len(classes)), classes] + 1e-12)


def _assign_absence(
    inputs: Columns, known: Sequence[ColumnCodec], gone: NDArray[np.int64]
) -> Classified:
    """Fit P(missing | parents); with few rows on either side, the plain share."""
    few = min(int(gone.sum()), int(len(gone) - gone.sum()))
    share = float(gone.mean())
    if few < 5 or not known:
        return Classified(Shares(np.array([[1 - share, share]])), np.eye(2))
    features = learn_features(inputs, known)
    return Classified(fit_logistic(features, features(inputs), gone), np.eye(2))


# Shared


def _clearly_better(loss: Array, than: Array, errors: float = 2.0, share: float = _CLEARLY) -> bool:
    """Whether `loss` is lower by a clear share and by some standard errors, row by row."""
    gain = than - loss
    if float(gain.mean()) <= share * float(np.abs(than).mean()):
        return False
    return float(gain.mean()) > errors * float(gain.std()) / np.sqrt(len(gain))


def _folds(rows: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).permutation(np.arange(rows) % max(count, 2))


def _sample(rows: int, most: int) -> NDArray[np.int64]:
    return np.random.default_rng(1).permutation(rows)[:most]
