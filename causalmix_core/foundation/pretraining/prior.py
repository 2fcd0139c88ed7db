"""Simulated classification tasks: what the compact model learns from instead of real tables.

A task is made in three steps, each drawn afresh: hidden causes of the rows, a rule from causes to
the class, and the columns an analyst would see (warped, rounded, turned into categories, partly
missing). Everything is numpy and takes a `numpy.random.Generator`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rng = np.random.Generator


@dataclass(frozen=True)
class TaskShape:
    """How large and how hard a task may be.

    Attributes:
        rows: rows in all, context and query together.
        columns: visible columns.
        classes: number of classes asked for; a task may come out with fewer.
        difficulty: 0 keeps clean numeric columns and simple rules, 1 allows everything.
    """

    rows: int
    columns: int
    classes: int
    difficulty: float = 1.0


@dataclass(frozen=True)
class Task:
    """One simulated table.

    Attributes:
        X: (rows, columns) values; categories are the codes 0..levels-1, NaN is missing.
        levels: per column the number of categories, 0 for a numeric column.
        y: (rows,) classes 0..k-1.
        p: (rows, k) probabilities that y was drawn from; None where only y is known.
    """

    X: Floats
    levels: tuple[int, ...]
    y: Ints
    p: Floats | None = None


def simulate(rng: Rng, shape: TaskShape, boards: bool = False) -> Task:
    """Draw one task; at least two classes occur. `boards` asks for `_uniform_categories`."""
    uniform = boards or (shape.difficulty > 0.3 and rng.random() < UNIFORM_SHARE)
    while True:
        if uniform:
            X, levels = _uniform_categories(rng, shape)
            causes = _as_seen(rng, X, X, levels, alike=rng.random() < 0.5)
            y, p = _classes(rng, causes, shape, UNIFORM_RULES, certainty=0.75)
        else:
            hidden = _hidden_causes(rng, shape)
            X, levels = _observe(rng, hidden, shape)
            causes = _as_seen(rng, hidden, X, levels) if rng.random() < 0.5 else hidden
            y, p = _classes(rng, causes, shape, _rule_weights(shape.difficulty))
        if np.bincount(y).max() <= shape.rows - 4:
            break
    if shape.difficulty > 0.15 and rng.random() < (0.05 if uniform else 0.25):
        _hide(rng, X, X if uniform else hidden)
    if shape.difficulty > 0.15 and rng.random() < WITHHELD_SHARE:
        _withhold(rng, X, levels)
    order = rng.permutation(shape.columns)
    return Task(X[:, order], tuple(levels[j] for j in order), y, p)


# Hidden causes -----------------------------------------------------------------------------------


def _hidden_causes(rng: Rng, shape: TaskShape) -> Floats:
    """Draw (rows, columns) standardised continuous values with some dependence between columns."""
    T, d = shape.rows, shape.columns
    style = rng.choice(4, p=[0.3, 0.3, 0.25, 0.15] if shape.difficulty > 0.3 else [0, 1, 0, 0])
    if style == 0:
        rank = int(rng.integers(1, d + 1))
        loading = rng.normal(size=(rank, d)) * np.exp(rng.normal(size=(rank, 1)) * 0.7)
        Z = _noise(rng, (T, rank), shape.difficulty) @ loading
        Z = Z / (Z.std(0) + 1e-9) + rng.uniform(0.1, 1.5) * _noise(rng, (T, d), shape.difficulty)
    elif style == 1:
        Z = _noise(rng, (T, d), shape.difficulty)
    elif style == 2:
        Z = _causal_chain(rng, T, d, shape.difficulty)
    else:
        groups = int(rng.integers(2, 9))
        centres = rng.normal(size=(groups, d)) * rng.uniform(0.5, 2.5)
        spread = np.exp(rng.normal(size=(groups, d)) * 0.4)
        member = rng.choice(groups, size=T, p=rng.dirichlet(np.ones(groups) * 2))
        Z = centres[member] + spread[member] * rng.normal(size=(T, d))
    return _standardise(Z)


def _causal_chain(rng: Rng, T: int, d: int, difficulty: float) -> Floats:
    """Let each column be a function of a few earlier ones plus noise (a random additive SCM)."""
    Z = np.empty((T, d))
    order = rng.permutation(d)
    strength = rng.uniform(0.2, 1.5)
    for position, j in enumerate(order):
        noise = _noise(rng, (T,), difficulty)
        parents = order[:position]
        if len(parents) and rng.random() < 0.8:
            parents = rng.choice(
                parents, size=min(len(parents), int(rng.integers(1, 4))), replace=False
            )
            signal = _standardise(
                sum(_curve(rng)(Z[:, p]) * rng.normal() for p in parents)[:, None]  # type: ignore[index]
            )[:, 0]
            noise = signal + strength * noise
        Z[:, j] = (noise - noise.mean()) / (noise.std() + 1e-9)
    return Z


def _noise(rng: Rng, size: tuple[int, ...], difficulty: float) -> Floats:
    kind = rng.random()
    if kind < 0.65 or difficulty < 0.3:
        return rng.normal(size=size)
    if kind < 0.8:
        return rng.uniform(-1.7, 1.7, size=size)
    if kind < 0.9:
        return np.asarray(rng.standard_t(3, size=size), dtype=float)
    return np.asarray(rng.exponential(size=size), dtype=float) - 1.0


# Rules -------------------------------------------------------------------------------------------


def _classes(
    rng: Rng, Z: Floats, shape: TaskShape, weights: Floats, certainty: float = 0.42
) -> tuple[Ints, Floats]:
    """Give each row the probabilities of the classes 0..k-1 by a random rule, and draw one.

    `weights` are the chances of the `RULES`, `certainty` that of a rule all but without noise.
    """
    T, d = Z.shape
    k = shape.classes
    relevant = _relevant(rng, d)
    S = Z[:, relevant]
    # A coarse grid in some inputs makes the rule a function of categories.
    if shape.difficulty > 0.2 and rng.random() < 0.35:
        S = np.stack(
            [_coarse(rng, S[:, j]) if rng.random() < 0.6 else S[:, j] for j in range(S.shape[1])], 1
        )
    if shape.difficulty > 0.3 and rng.random() < 0.15:
        S = _contrasts(rng, S)
    ordered = k > 2 and rng.random() < 0.35
    outputs = 1 if (k == 2 or ordered) else k
    rule = RULES[rng.choice(len(RULES), p=weights)]
    scores = _standardise(rule(rng, S, outputs))
    if rng.random() < 0.3:
        other = RULES[rng.choice(len(RULES), p=weights)]
        scores = _standardise(scores + rng.uniform(0.2, 1.0) * _standardise(other(rng, S, outputs)))
    evenness = rng.choice([0.7, 2.0, 10.0], p=[0.2, 0.4, 0.4]) if shape.difficulty > 0.2 else 20.0
    shares = rng.dirichlet(np.full(k, evenness)) * 0.94 + 0.06 / k
    certain = shape.difficulty > 0.2 and rng.random() < certainty
    if outputs == 1:
        most = 0.3 + 0.4 * shape.difficulty if k == 2 else 0.35
        least, most = (0.001, 0.02) if certain else (0.01, most)
        noise = np.exp(rng.uniform(np.log(least), np.log(most)))
        law = stats.logistic(scale=0.55) if rng.random() < 0.7 else stats.norm()
        score = scores[:, 0] + noise * law.rvs(size=T, random_state=rng)
        cuts = np.quantile(score, np.cumsum(shares)[:-1])
        if k == 2 and rng.random() < (0.7 if certain else 0.2):
            cuts = np.array([_widest_gap(scores[:, 0])])
        y = np.searchsorted(cuts, score)
        below = law.cdf((cuts - scores[:, :1]) / noise)
        p = np.diff(below, axis=1, prepend=0.0, append=1.0)
        renamed = rng.permutation(k)
        y, p = renamed[y], p[:, np.argsort(renamed)]
    else:
        low, high = (30.0, 300.0) if certain else (2.0, 50.0)
        sharpness = np.exp(rng.uniform(np.log(low), np.log(high)))
        logits = scores * sharpness
        # Move the biases until the wanted shares come out roughly.
        bias = np.log(shares)
        for _ in range(4):
            mean = _softmax(logits + bias).mean(0) + 1e-4
            bias = bias + 0.7 * (np.log(shares) - np.log(mean))
        p = _softmax(logits + bias)
        y = (logits + bias + rng.gumbel(size=(T, k))).argmax(1)
    flip = 0.0 if certain or rng.random() < 0.6 else rng.uniform(0, 0.12)
    flipped = rng.random(T) < flip
    p = (1 - flip) * p + flip * np.bincount(y, minlength=k) / T
    y = np.where(flipped, rng.permutation(y), y)
    used, y = np.unique(y, return_inverse=True)
    p = p[:, used] + 1e-12
    return y.astype(np.int64), p / p.sum(1, keepdims=True)


def _widest_gap(score: Floats) -> float:
    """Return the middle of the widest gap between scores that leaves 5 % on either side.

    A rule over categories has few distinct scores; a quantile would cut through equal ones and
    leave their class to the noise.
    """
    ordered = np.sort(score)
    few = max(1, len(ordered) // 20)
    at = few + int(np.argmax(np.diff(ordered)[few - 1 : len(ordered) - few])) - 1
    return float((ordered[at] + ordered[at + 1]) / 2)


def _relevant(rng: Rng, d: int) -> Ints:
    """Choose which columns the rule looks at: often few, sometimes all."""
    kind = rng.random()
    if d <= 2 or kind < 0.45:
        return np.arange(d)
    count = round(rng.beta(1.5, 1.5) * d) if kind < 0.8 else int(rng.integers(1, 4))
    return rng.choice(d, size=min(d, max(1, count)), replace=False)


def _contrasts(rng: Rng, S: Floats) -> Floats:
    """Let what correlated inputs do not share count as much as what they share, or nearly.

    Without it a rule over correlated columns hardly ever turns on their differences, as it does
    where several measures are taken of one thing.
    """
    _, spread, axes = np.linalg.svd(S - S.mean(0), full_matrices=False)
    spread = np.maximum(spread, 0.1 * spread[0] + 1e-9)
    return _standardise((S @ axes.T / spread ** rng.uniform(0.5, 1.0)) @ axes)


def _importance(rng: Rng, d: int) -> Floats:
    return np.exp(rng.normal(size=d) * rng.uniform(0.0, 1.2))


def _linear(rng: Rng, S: Floats, outputs: int) -> Floats:
    d = S.shape[1]
    return S @ (rng.normal(size=(d, outputs)) * _importance(rng, d)[:, None])


def _network(rng: Rng, S: Floats, outputs: int) -> Floats:
    d = S.shape[1]
    H = S * _importance(rng, d)
    H = H / np.sqrt((H**2).sum(1).mean() + 1e-9)
    gain = rng.uniform(1.0, 3.5)
    for _ in range(int(rng.integers(1, 3))):
        width = int(rng.integers(4, 25))
        W = rng.normal(size=(H.shape[1], width))
        H = _activation(rng)(
            gain * H @ W / np.sqrt(max(1.0, (H**2).sum(1).mean())) + rng.normal(size=width) * 0.7
        )
    return np.asarray(_standardise(H) @ rng.normal(size=(H.shape[1], outputs)))


def _trees(rng: Rng, S: Floats, outputs: int) -> Floats:
    """Sum oblivious trees: one threshold per level, a random value in every leaf."""
    T, d = S.shape
    total = np.zeros((T, outputs))
    weights = _importance(rng, d)
    weights = weights / weights.sum()
    count = int(np.exp(rng.uniform(0, np.log(25))))
    for _ in range(count):
        depth = int(rng.integers(1, 6 if count < 6 else 4))
        columns = rng.choice(d, size=depth, p=weights)
        cuts = S[rng.integers(0, T, size=depth), columns]
        leaf = ((S[:, columns] > cuts) << np.arange(depth)).sum(1)
        total += rng.normal(size=(2**depth, outputs))[leaf]
    return total


def _additive(rng: Rng, S: Floats, outputs: int) -> Floats:
    d = S.shape[1]
    weights = _importance(rng, d)
    total = np.zeros((S.shape[0], outputs))
    for j in range(d):
        curve = _standardise(_curve(rng)(S[:, j])[:, None])
        total += weights[j] * curve * rng.normal(size=outputs)
        if outputs > 1:
            second = _standardise(_curve(rng)(S[:, j])[:, None])
            total += weights[j] * second * rng.normal(size=outputs)
    return total


def _products(rng: Rng, S: Floats, outputs: int) -> Floats:
    d = S.shape[1]
    total = 0.5 * _linear(rng, S, outputs)
    for _ in range(int(rng.integers(1, max(2, d)))):
        i, j = rng.integers(0, d, size=2)
        total = total + (np.clip(S[:, i], -2, 2) * np.clip(S[:, j], -2, 2))[:, None] * rng.normal(
            size=outputs
        )
    return total


def _lookup(rng: Rng, S: Floats, outputs: int) -> Floats:
    """Cut each input into unordered bins with a random effect per bin, plus a few pairs of bins."""
    T, d = S.shape
    weights = _importance(rng, d)
    codes = []
    total = np.zeros((T, outputs))
    for j in range(d):
        k = int(rng.integers(2, 9))
        cuts = np.sort(S[rng.integers(0, T, size=k - 1), j])
        code = np.searchsorted(cuts, S[:, j], side="right")
        codes.append((code, k))
        total += weights[j] * rng.normal(size=(k, outputs))[code]
    if d > 1 and rng.random() < 0.5:
        for _ in range(int(rng.integers(1, 4))):
            (a, ka), (b, kb) = (codes[i] for i in rng.integers(0, d, size=2))
            total += weights.mean() * rng.normal(size=(ka, kb, outputs))[a, b]
    return total


def _prototypes(rng: Rng, S: Floats, outputs: int) -> Floats:
    """Score by closeness to prototypes: classes as clouds, or inside against outside."""
    T, d = S.shape
    per_class = int(rng.integers(1, 4))
    scale = _importance(rng, d)
    count = max(2, outputs) * per_class
    P = S[rng.integers(0, T, size=count)] + 0.3 * rng.normal(size=(count, d))
    distance = (((S[:, None, :] - P[None]) * scale) ** 2).sum(2) / (scale**2).sum()
    closeness = -np.sqrt(distance + 1e-6).reshape(T, max(2, outputs), per_class)
    score: Floats = closeness.max(2)
    return score[:, :1] - score[:, 1:2] if outputs == 1 else score


def _patterns(rng: Rng, S: Floats, outputs: int) -> Floats:
    """Ask whether one of several patterns holds: a few inputs at once, each at the value it has
    in some row (of few values) or in the same range (of many); sometimes in one row for all, or
    all at the same value.
    """
    T, d = S.shape
    codes = _values(rng, S)
    size = int(rng.integers(1, min(d, 4) + 1))
    held = np.zeros((T, outputs))
    kind = rng.random()
    one = codes[rng.integers(0, T)].copy() if kind < 0.5 else None
    if one is not None and kind < 0.25:
        one[:] = rng.choice(one)
    for _ in range(int(np.exp(rng.uniform(0, np.log(16))))):
        columns = rng.choice(d, size=size, replace=False)
        wanted = codes[rng.integers(0, T)] if one is None else one
        output = rng.integers(0, outputs)
        holds = (codes[:, columns] == wanted[columns]).all(1)
        held[:, output] = np.maximum(held[:, output], holds)
    return held


def _tally(rng: Rng, S: Floats, outputs: int) -> Floats:
    """Add up one score per value over all inputs, whichever input holds it, as sum scores of
    questionnaires, counts of symptoms and votes are made; sometimes some inputs count against.
    """
    codes = _values(rng, S)
    count = int(codes.max()) + 1
    scores = rng.normal(size=(count, outputs))
    if rng.random() < 0.5:
        scores[rng.permutation(count)[1:]] = 0.0
    signs = rng.choice([-1.0, 1.0], size=S.shape[1]) if rng.random() < 0.3 else np.ones(S.shape[1])
    return np.asarray((scores[codes] * signs[None, :, None]).sum(1))


def _values(rng: Rng, S: Floats) -> Ints:
    """Number the values of each input in their order; inputs of many values are cut into few."""
    codes = np.empty(S.shape, dtype=np.int64)
    for j in range(S.shape[1]):
        values = np.unique(S[:, j])
        if len(values) > 10:
            values = np.quantile(S[:, j], np.sort(rng.random(int(rng.integers(1, 4)))))
        codes[:, j] = np.searchsorted(values, S[:, j])
    return codes


RULES: tuple[Callable[[Rng, Floats, int], Floats], ...] = (
    _linear, _network, _trees, _additive, _products, _lookup, _prototypes, _patterns,
    _tally,
)  # fmt: skip


UNIFORM_SHARE = 0.16
UNIFORM_RULES = np.array([0.16, 0.02, 0.06, 0.02, 0.02, 0.05, 0.02, 0.15, 0.5])
"""How often a table is one of `_uniform_categories`, and the chances of the rules then."""

WITHHELD_SHARE = 0.15
"""How often blanks are values of their own, see `_withhold`."""


def _rule_weights(difficulty: float) -> Floats:
    easy = np.array([0.9, 0.05, 0.05, 0, 0, 0, 0, 0, 0])
    full = np.array([0.36, 0.11, 0.16, 0.09, 0.03, 0.08, 0.05, 0.08, 0.04])
    return (1 - difficulty) * easy + difficulty * full


# What the analyst sees ---------------------------------------------------------------------------


def _observe(rng: Rng, Z: Floats, shape: TaskShape) -> tuple[Floats, list[int]]:
    """Turn hidden causes into visible columns; return them and each one's number of categories."""
    d = Z.shape[1]
    X = Z.copy()
    levels = [0] * d
    if shape.difficulty > 0.15:
        nature = rng.choice(4, p=[0.35, 0.3, 0.2, 0.15])  # numeric, mixed, mostly categories, all
        chance = (0.0, rng.uniform(0.1, 0.6), rng.uniform(0.6, 0.95), 1.0)[nature]
        max_levels = int(rng.choice([2, 4, 8, 16, 30], p=[0.12, 0.3, 0.33, 0.17, 0.08]))
        for j in range(d):
            if rng.random() < chance * min(1.0, 2 * shape.difficulty):
                X[:, j], levels[j] = _categories(rng, Z, j, max_levels)
            else:
                X[:, j] = _warp(rng, Z[:, j])
    return X, levels


def _uniform_categories(rng: Rng, shape: TaskShape) -> tuple[Floats, list[int]]:
    """Draw columns that all have the same few categories, as boards, votes, sequences and designed
    experiments do: (rows, columns) codes, most often independent of each other.
    """
    T, d = shape.rows, shape.columns
    k = int(rng.choice([2, 3, 4, 5, 6], p=[0.2, 0.35, 0.25, 0.1, 0.1]))
    shares = rng.dirichlet(np.full(k, 8.0), size=1 if rng.random() < 0.5 else d)
    cuts = np.cumsum(np.broadcast_to(shares, (d, k)), axis=1)[:, :-1]
    level = rng.random((T, d))
    dependence = rng.random()
    if dependence < 0.3:
        shared = rng.normal(size=(T, 1)) * rng.uniform(0.2, 1.0, size=d)
        level = stats.norm.cdf(_standardise(shared + rng.normal(size=(T, d))))
    code = (level[:, :, None] > cuts[None]).sum(2)
    if dependence > 0.4:
        # Every row deals out nearly the same values, as boards, rankings and allocations do.
        code = rng.permuted(
            np.where(rng.random((T, d)) < rng.uniform(0, 0.3), code, code[:1]), axis=1
        )
    columns = [np.unique(code[:, j], return_inverse=True)[1] for j in range(d)]
    return np.stack(columns, 1).astype(float), [int(c.max()) + 1 for c in columns]


def _as_seen(rng: Rng, Z: Floats, X: Floats, levels: list[int], alike: bool = False) -> Floats:
    """Return the causes with one random value per category, so that the rule is about categories.

    Without it no rule could be read off categorical columns without error. `alike` gives a
    category the same value in every column, so that a rule can be about values wherever they stand.
    """
    seen = Z.copy()
    common = rng.normal(size=max(levels))
    for j, count in enumerate(levels):
        if count > 1:
            values = common[:count] if alike else rng.normal(size=count)
            seen[:, j] = values[X[:, j].astype(int)]
    return _standardise(seen)


def _categories(rng: Rng, Z: Floats, j: int, max_levels: int) -> tuple[Floats, int]:
    """Make category codes from one column, or from a random direction through that column."""
    z = Z[:, j]
    k = int(rng.integers(2, max_levels + 1))
    if rng.random() < 0.75:
        shares = np.cumsum(rng.dirichlet(np.full(k, rng.choice([0.6, 1.5, 5.0]))))[:-1]
        code = np.searchsorted(np.quantile(z, shares), z, side="right")
    else:
        direction = np.zeros(Z.shape[1])
        direction[j] = 1.0
        direction[rng.integers(0, Z.shape[1])] += rng.normal() * 0.7
        anchors = rng.normal(size=k)
        code = (
            -np.abs((Z @ direction)[:, None] - anchors) + 0.3 * rng.gumbel(size=(len(z), k))
        ).argmax(1)
    # Text categories carry no order; ordinal ones keep it.
    if rng.random() < 0.75:
        code = rng.permutation(k)[code]
    used, dense = np.unique(code, return_inverse=True)
    return dense.astype(float), len(used)


def _warp(rng: Rng, z: Floats) -> Floats:
    """Warp, tail, round or zero-inflate a continuous column."""
    x = z
    kind = rng.random()
    if kind < 0.45:
        pass
    elif kind < 0.6:
        x = np.exp(np.clip(z * rng.uniform(0.4, 1.8), -8, 8))
    elif kind < 0.7:
        x = np.sign(z) * np.abs(z) ** rng.uniform(1.2, 3.0)
    elif kind < 0.8:
        x = np.tanh(z * rng.uniform(0.8, 3.0))
    elif kind < 0.9:
        x = _curve(rng)(z)
    else:
        x = np.maximum(z - np.quantile(z, rng.uniform(0.0, 0.7)), 0.0)
    if rng.random() < 0.35:
        steps = np.exp(rng.uniform(np.log(2), np.log(60)))
        low, high = np.quantile(x, [0.02, 0.98])
        x = np.round((x - low) / (high - low + 1e-9) * steps)
    if rng.random() < 0.05:
        x = np.where(rng.random(len(x)) < rng.uniform(0.01, 0.05), x * rng.uniform(3, 20), x)
    return x


def _hide(rng: Rng, X: Floats, Z: Floats) -> None:
    """Blank cells, at random or depending on a hidden cause."""
    T, d = X.shape
    share = rng.uniform(0.01, 0.5)
    for j in np.flatnonzero(rng.random(d) < rng.uniform(0.1, 1.0)):
        rate = share * rng.random()
        if rng.random() < 0.7:
            gone = np.asarray(rng.random(T) < rate)
        else:
            z = Z[:, rng.integers(0, d)]
            edge = np.quantile(z, 1 - rate) + rng.uniform(0, 1)
            gone = np.asarray(z + rng.normal(size=T) > edge)
        if gone.mean() < 0.9:
            X[gone, j] = np.nan


def _withhold(rng: Rng, X: Floats, levels: list[int]) -> None:
    """Blank cells that would have held a certain value, or that do not apply to the row.

    In many real tables a blank is a value like any other: none, not measured, not of this kind.
    """
    T, d = X.shape
    whole = X.copy()
    for j in np.flatnonzero(rng.random(d) < rng.uniform(0.1, 1.0)):
        source = j if rng.random() < 0.6 else int(rng.integers(0, d))
        z, count = whole[:, source], levels[source]
        if count > 1:
            blank = rng.random(count) < (1 / count if source == j else 0.5)
            gone = blank[np.where(np.isnan(z), 0, z).astype(int)]
        else:
            edge = np.nanquantile(z, rng.uniform(0.05, 0.95)) if not np.isnan(z).all() else 0.0
            gone = np.asarray(z <= edge)
        if gone.sum() < T - 3:
            X[gone, j] = np.nan


# Small functions ---------------------------------------------------------------------------------


def _activation(rng: Rng) -> Callable[[Floats], Floats]:
    return (
        np.tanh,
        lambda h: np.maximum(h, 0),
        np.sin,
        lambda h: np.exp(-(h**2)),
        np.abs,
        np.sign,
    )[rng.choice(6, p=[0.35, 0.25, 0.12, 0.1, 0.08, 0.1])]


def _curve(rng: Rng) -> Callable[[Floats], Floats]:
    """Return a random function of one variable."""
    kind = int(rng.integers(0, 7))
    a, b = rng.uniform(0.5, 2.5), rng.normal()
    return (
        lambda z: z,
        lambda z: np.tanh(a * 1.5 * (z - b)),
        lambda z: np.clip((z - b) ** 2, 0, 9),
        lambda z: np.sin(a * z + b),
        lambda z: (z > b).astype(float),
        lambda z: np.maximum(a * (z - b), 0),
        lambda z: np.exp(-((a * (z - b)) ** 2)),
    )[kind]


def _coarse(rng: Rng, z: Floats) -> Floats:
    k = int(rng.integers(2, 7))
    cuts = np.quantile(z, np.sort(rng.random(k - 1)))
    values = rng.normal(size=k) if rng.random() < 0.6 else np.arange(k) - (k - 1) / 2
    return np.asarray(values[np.searchsorted(cuts, z, side="right")], dtype=float)


def _standardise(S: Floats) -> Floats:
    return np.asarray((S - S.mean(0)) / (S.std(0) + 1e-9))


def _softmax(logits: Floats) -> Floats:
    e = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True))
