"""Is a model trained on synthetic rows as good on real ones?

A random forest learns the target from synthetic rows and is scored on held-out real rows by
ROC-AUC, over several classes the mean of one against the rest. The same forest trained on equally
many real rows is the ceiling.
"""

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from causalmix_core.fidelity.estimate import Estimate, NotApplicable
from causalmix_core.fidelity.ranking import estimate_roc_auc
from causalmix_core.fidelity.samples import Floats, Sample, indicators

TREES = 100
MIN_LEAF = 2


def train_synthetic_test_real(
    synthetic: Sample,
    holdout: Sample,
    target: str,
    draws: int,
    seed: int,
) -> Estimate:
    """Return the ROC-AUC on held-out rows of a forest trained on synthetic rows.

    Raises:
        NotApplicable: if one of the two holds fewer than two classes.
    """
    position = synthetic.columns.categories.index(target)
    known = synthetic.columns.real_levels[position]
    y, truth = synthetic.categories[:, position], holdout.categories[:, position]
    labelled, scored = (y >= 0) & (y < known), truth >= 0
    if len(np.unique(y[labelled])) < 2:
        raise NotApplicable(f"the rows hold one class of {target!r} only")
    if len(np.unique(truth[scored])) < 2:
        raise NotApplicable(f"the held-out rows hold one class of {target!r} only")
    forest = RandomForestClassifier(
        n_estimators=TREES, min_samples_leaf=MIN_LEAF, random_state=seed, n_jobs=1
    )
    forest.fit(_features(synthetic, position)[labelled], y[labelled])
    predicted = forest.predict_proba(_features(holdout, position)[scored])
    probabilities = np.zeros((len(predicted), known))
    probabilities[:, forest.classes_] = predicted
    return estimate_roc_auc(truth[scored], probabilities, draws, np.random.default_rng([seed, 31]))


def _features(sample: Sample, target: int) -> Floats:
    blocks = [sample.numbers]
    for j, known in enumerate(sample.columns.real_levels):
        if j != target:
            codes = sample.categories[:, j]
            codes = np.where((codes < 0) | (codes >= known), known, codes)
            blocks.append(indicators(codes, known + 1))
    return np.hstack(blocks)
