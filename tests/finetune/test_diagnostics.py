"""Confusion matrix and calibration agree with scikit-learn's and with the rows."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix

from causalmix_core.finetune.diagnostics import calibration, confusion, diagnose


def _sample(classes: int):
    rng = np.random.default_rng(0)
    return rng.integers(0, classes, 300), rng.dirichlet(np.ones(classes), 300)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_confusion_matrix_is_that_of_scikit_learn(classes: int):
    y, p = _sample(classes)
    assert np.array_equal(confusion(y, p), confusion_matrix(y, p.argmax(axis=1)))


def test_two_classes_are_calibrated_as_in_scikit_learn():
    y, p = _sample(2)
    observed, predicted = calibration_curve(y, p[:, 1], n_bins=10)
    found = calibration(y, p)
    assert [each["observed"] for each in found] == pytest.approx(observed.tolist())
    assert [each["predicted"] for each in found] == pytest.approx(predicted.tolist())
    assert sum(each["rows"] for each in found) == 300


def test_several_classes_compare_confidence_with_accuracy():
    y = np.array([0, 1, 2, 2])
    p = np.array([[0.91, 0.05, 0.04], [0.06, 0.93, 0.01], [0.95, 0.04, 0.01], [0.2, 0.25, 0.55]])
    sure, unsure = sorted(calibration(y, p), key=lambda each: -each["predicted"])
    assert (sure["rows"], sure["observed"]) == (3, pytest.approx(2 / 3))
    assert (unsure["rows"], unsure["observed"], unsure["predicted"]) == (1, 1.0, 0.55)
    assert diagnose(y, p, ("a", "b", "c"))["confusion"] == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
