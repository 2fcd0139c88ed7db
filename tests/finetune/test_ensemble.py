"""The prepared ensemble predicts what TabPFNClassifier predicts, row by row."""

from pathlib import Path

import numpy as np
import pytest
import torch

from causalmix_core.finetune.ensemble import Ensemble
from causalmix_core.foundation._tabpfn import TableEncoder, classifier
from tests.finetune.tiny import small_table


def _both(tiny: Path, classes: int, **options):
    train, test = small_table(70, 1, classes), small_table(25, 2, classes)
    encoder = TableEncoder.fit(train)
    X, y = encoder.transform(train.frame), encoder.labels(train.frame)
    theirs = classifier(tiny, encoder, n_estimators=4, seed=3, device="cpu", **options).fit(X, y)
    ours = Ensemble(classifier(tiny, encoder, n_estimators=4, seed=3, device="cpu"), X, y)
    return ours, theirs, encoder.transform(test.frame), y


@pytest.mark.parametrize("classes", [2, 4])
def test_probabilities_are_those_of_the_classifier(tiny: Path, classes: int):
    ours, theirs, asked, _ = _both(tiny, classes, fit_mode="fit_with_cache")
    found = ours.probabilities(ours.prepare(asked))
    assert found == pytest.approx(theirs.predict_proba(asked), abs=1e-6)
    assert found.std(axis=0).min() > 1e-4


def test_a_prediction_does_not_depend_on_the_other_rows_asked_about(tiny: Path):
    ours, _, asked, _ = _both(tiny, 2)
    together = ours.probabilities(ours.prepare(asked))
    garbage = np.vstack([asked[:3], np.full((40, asked.shape[1]), 1e6)])
    assert ours.probabilities(ours.prepare(garbage))[:3] == pytest.approx(together[:3], abs=1e-6)
    first, second = ours.several([ours.prepare(asked[:10]), ours.prepare(asked[10:])])
    assert np.vstack([first, second]) == pytest.approx(together, abs=1e-6)


def test_losses_are_the_cross_entropy_of_a_plain_forward_pass(tiny: Path):
    ours, _, _, y = _both(tiny, 4)
    context, query = np.arange(50), np.arange(50, 70)
    parts = (ours.context.take(context), y[context], ours.context.take(query), y[query])
    attempts = list(ours.attempts(*parts))
    assert len(attempts) == 4
    for i, attempt in enumerate(attempts):
        relabel = ours._relabel[i]
        x = ours.context.tensors[i].unsqueeze(1)
        labels = torch.as_tensor(relabel[y[context]], dtype=torch.float32)
        logits = ours.network(x, labels, only_return_standard_out=True)[:, 0, :4]
        goal = torch.as_tensor(relabel[y[query]])
        expected = torch.nn.functional.cross_entropy(logits, goal)
        assert float(attempt.loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)
        assert attempt.loss.requires_grad
        likelihood = attempt.probabilities[np.arange(20), attempt.y]
        assert -np.log(likelihood).mean() == pytest.approx(float(expected.detach()), abs=1e-5)
    (second,) = ours.attempts(*parts, members=[1])
    assert torch.equal(second.loss, attempts[1].loss)


def test_a_class_missing_from_the_context_is_left_out_and_gets_no_probability(tiny: Path):
    ours, _, asked, y = _both(tiny, 4)
    context = np.flatnonzero(y != 2)[:40]
    query = np.array([np.flatnonzero(y == 2)[0], context[0]])
    part = ours.context.take(context)
    with_it = list(ours.attempts(part, y[context], ours.context.take(query), y[query]))
    without = list(ours.attempts(part, y[context], ours.context.take(query[1:]), y[query[1:]]))
    assert [float(a.loss.detach()) for a in with_it] == [float(b.loss.detach()) for b in without]
    assert list(ours.attempts(part, y[context], ours.context.take(query[:1]), y[query[:1]])) == []
    found = ours.probabilities(ours.prepare(asked), part, y[context])
    assert np.all(found[:, 2] == 0)
    assert found.sum(axis=1) == pytest.approx(1.0)
