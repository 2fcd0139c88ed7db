"""Can a gradient-boosted classifier tell synthetic rows from real ones?

The classifier two-sample test (Lopez-Paz & Oquab, 2017): the ROC-AUC of out-of-fold predictions of
"real or synthetic" on equally many rows of both; 0.5 means that it cannot. A linear classifier is
blind to what is lost between columns, so trees are used. Where real rows hardly ever repeat,
repeated synthetic rows are counted once: a copy in another fold would give itself away.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from causalmix_core.fidelity.estimate import Estimate, NotApplicable, share_deviation
from causalmix_core.fidelity.ranking import estimate_roc_auc
from causalmix_core.fidelity.samples import Floats, Ints, Sample

FOLDS = 5
ITERATIONS = 60
REPEATS_ALLOWED = 0.05


@dataclass(frozen=True)
class TwoSample:
    """Out-of-fold predictions of the classifier.

    Attributes:
        is_synthetic: 1 for synthetic rows, 0 for real ones.
        score: the predicted probability of being synthetic.
    """

    is_synthetic: Ints
    score: Floats

    def auc(self, draws: int, rng: np.random.Generator) -> Estimate:
        """Return the ROC-AUC; 0.5 means that the rows cannot be told apart."""
        both_sides = np.column_stack([1 - self.score, self.score])
        return estimate_roc_auc(self.is_synthetic, both_sides, draws, rng)

    def proxy_a_distance(self) -> Estimate:
        """Return 2(1 − 2ε), ε the share of rows put on the wrong side (Ben-David et al., 2010)."""
        wrong = (self.score > 0.5) != (self.is_synthetic == 1)
        deviation = 4 * share_deviation(wrong.sum(), len(wrong))
        return Estimate(2 * (1 - 2 * float(wrong.mean())), deviation)


def two_sample(real: Sample, synthetic: Sample, seed: int) -> TwoSample:
    """Train and predict over five folds; equal numbers of rows of both are used."""
    if repeat_share(real) < REPEATS_ALLOWED:
        real, synthetic = without_repeats(real), without_repeats(synthetic)
    size = min(len(real), len(synthetic))
    if size < 2 * FOLDS:
        raise NotApplicable(f"only {size} different rows, too few to train a classifier on")
    rng = np.random.default_rng([seed, 11])
    real = real.take(np.sort(rng.permutation(len(real))[:size]))
    synthetic = synthetic.take(np.sort(rng.permutation(len(synthetic))[:size]))
    X = np.vstack([_features(real), _features(synthetic)])
    y = np.repeat([0, 1], size)
    if np.isnan(X).all():
        raise NotApplicable("all values are missing")
    categorical = np.arange(X.shape[1]) >= real.numbers.shape[1]
    score = np.empty(len(y))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    # On tables this small, threads cost more than they give, above all beside a training run.
    with threadpool_limits(1):
        for train, test in folds.split(X, y):
            # The learner cannot do with a column that is all missing.
            there = ~np.isnan(X[train]).all(axis=0)
            if not there.any():
                score[test] = 0.5
                continue
            model = HistGradientBoostingClassifier(
                max_iter=ITERATIONS,
                categorical_features=categorical[there],
                early_stopping=False,
                random_state=seed,
            )
            model.fit(X[np.ix_(train, there)], y[train])
            score[test] = model.predict_proba(X[np.ix_(test, there)])[:, 1]
    return TwoSample(y, score)


def repeat_share(sample: Sample) -> float:
    """Return the share of rows that repeat an earlier one."""
    return 1 - len(_first_of_repeats(sample)) / max(len(sample), 1)


def without_repeats(sample: Sample) -> Sample:
    """Return the sample with every row once."""
    return sample.take(_first_of_repeats(sample))


def _first_of_repeats(sample: Sample) -> Ints:
    values = np.hstack([np.nan_to_num(sample.numbers + 0.0, nan=np.inf), sample.categories])
    return np.sort(np.unique(values, axis=0, return_index=True)[1])


def _features(sample: Sample) -> Floats:
    codes = sample.categories.astype("float64")
    # The learner takes at most 255 categories; what only synthetic rows hold shares the last code.
    known = np.array(sample.columns.real_levels, dtype="float64")
    codes = np.where(codes < 0, np.nan, np.minimum(codes, known))
    return np.hstack([sample.numbers, codes])
