"""A quick look at how good the weights are, on simulated tasks no training step ever sees."""

from typing import Any

import numpy as np

from causalmix_core.foundation._tabpfn import build_network
from causalmix_core.foundation.pretraining.curriculum import BatchShape


def simulated_scores(weights: dict[str, Any], tasks: int = 8) -> list[str]:
    """Score weights on fixed simulated tasks.

    Returns:
        One line per group of tasks: mean one-vs-rest AUC, accuracy minus the share of the largest
        class, and log loss.
    """
    import torch

    from causalmix_core.foundation.pretraining.batches import make
    from causalmix_core.foundation.pretraining.train import NETWORK

    state = torch.random.get_rng_state()
    network = build_network(NETWORK)
    torch.random.set_rng_state(state)
    network.load_state_dict(weights)
    network.eval()
    rows = []
    for name, columns, classes, view in (
        ("few columns", 4, 2, "codes"),
        ("20 columns", 20, 2, "codes"),
        ("20 columns ranks", 20, 2, "ranks"),
        ("20 columns onehot", 20, 2, "onehot"),
        ("many classes", 12, 10, "codes"),
    ):
        shape = BatchShape(tasks, 256, 128, columns, classes, 1.0, view, "own")
        rng = np.random.default_rng([2**31, columns, classes])
        X, y, context = make(rng, shape, tasks)[:3]
        with torch.inference_mode():
            logits = network(torch.from_numpy(X), torch.from_numpy(y[:context]).float())
        rows.append(f"{name},{_scores(logits.float().numpy(), y, context)}")
    return rows


def _scores(logits: Any, y: Any, context: int) -> str:
    from sklearn.metrics import log_loss, roc_auc_score

    aucs, gains, losses = [], [], []
    for b in range(y.shape[1]):
        k = y[:context, b].max() + 1
        keep = y[context:, b] >= 0
        truth = y[context:, b][keep]
        p = np.exp(logits[keep, b, :k] - logits[keep, b, :k].max(1, keepdims=True))
        p = p / p.sum(1, keepdims=True)
        losses.append(log_loss(truth, p, labels=np.arange(k)))
        gains.append((p.argmax(1) == truth).mean() - np.bincount(truth).max() / len(truth))
        for c in range(k):
            if 0 < (truth == c).sum() < len(truth):
                aucs.append(roc_auc_score(truth == c, p[:, c]))
    return f"auc,{np.mean(aucs):.4f},gain,{np.mean(gains):.4f},logloss,{np.mean(losses):.4f}"
