"""How likely a foundation model finds a row, beside rows of one class: an energy and its slope.

TabEBM (Margeloiu, Jiang, Simidjievski, Jamnik 2024): the rows of a class are set against a few
surrogate points at far corners, the network learns the two in context, and the energy of a row is
``E(x) = -log(exp f(x)[rows] + exp f(x)[corners])`` of its two logits f: low where a row could
have been one of the class. Beyond the corners, where the network saw nothing, it means nothing:
walks have to begin at real rows.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from causalmix_core.foundation.device import choose
from causalmix_core.foundation.models import DEFAULT, path

Array = NDArray[np.float64]

_CORNERS = 4
_MOST_ROWS = 500
_BATCH = 500


class ClassEnergy:
    """The energy of rows beside the rows of one class.

    Args:
        rows: (N, columns) rows of the class, standardised; at most 500 of them are used.
        corner: how far the surrogate points lie from the middle, in standard deviations.
        rng: draws the corners, and the rows where there are more.
        model: a listed model or a checkpoint.
        device: where the network runs; "cpu" gives the same figures everywhere.

    Raises:
        CheckpointError: the model is not on this machine, or cannot be read.
    """

    def __init__(
        self,
        rows: Array,
        corner: float,
        rng: np.random.Generator,
        model: str | os.PathLike[str] = DEFAULT,
        device: str = "cpu",
    ) -> None:
        import torch

        self.device = choose(device)
        self.network = _network(path(model), self.device)
        if len(rows) > _MOST_ROWS:
            rows = rows[rng.choice(len(rows), _MOST_ROWS, replace=False)]
        context = np.vstack([rows, corner * _corners(rows.shape[1], rng)])
        labels = np.repeat([0.0, 1.0], [len(rows), _CORNERS])
        with torch.no_grad(), _one_thread():
            self.memory = self._remember(self._tensor(context), self._tensor(labels))

    def slope(self, x: Array) -> Array:
        """Return the gradient of the energy at each of these rows, (M, columns)."""
        import torch

        parts = []
        with _one_thread():
            for start in range(0, len(x), _BATCH):
                row = self._tensor(x[start : start + _BATCH]).requires_grad_(True)
                (found,) = torch.autograd.grad(self._energy(row).sum(), row)
                parts.append(found.cpu().numpy().astype(np.float64))
        return np.vstack(parts) if parts else np.empty_like(x)

    def __call__(self, x: Array) -> Array:
        """Return the energy of each of these rows, (M,)."""
        import torch

        with torch.no_grad(), _one_thread():
            parts = [
                self._energy(self._tensor(x[start : start + _BATCH])).cpu().numpy()
                for start in range(0, len(x), _BATCH)
            ]
        return np.concatenate(parts).astype(np.float64) if parts else np.empty(0)

    def _energy(self, rows: Any) -> Any:
        import torch

        return -torch.logsumexp(self._logits(rows)[:, :2], dim=1)

    def _remember(self, context: Any, labels: Any) -> Any:
        from causalmix_core.foundation import forward

        if forward.is_known(self.network):
            return forward.remember(self.network, context, labels)
        return self.network(context[:, None], labels, return_kv_cache=True)[1]

    def _logits(self, rows: Any) -> Any:
        from causalmix_core.foundation import forward

        if forward.is_known(self.network):
            return forward.recall(self.network, self.memory, rows)
        out = self.network(rows[:, None], None, kv_cache=self.memory, x_is_test_only=True)
        return (out[0] if isinstance(out, tuple) else out).reshape(len(rows), -1).float()

    def _tensor(self, values: Array) -> Any:
        import torch

        return torch.as_tensor(values, dtype=torch.float32, device=self.device)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: the same bytes on any number of cores, and small sums wait less."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _corners(width: int, rng: np.random.Generator) -> Array:
    """Draw corners of the cube [-1, 1]^width, in opposite pairs."""
    first = rng.choice([-1.0, 1.0], size=width)
    second = first * np.where(np.arange(width) % 2 == 0, 1.0, -1.0)
    return np.array([first, -first, second, -second])


def _network(file: Path, device: str) -> Any:
    """Return a network that is only read from; kept, as it is asked for once per class."""
    written = file.stat()
    return _kept(file, device, written.st_mtime_ns, written.st_size)


@lru_cache(maxsize=2)
def _kept(file: Path, device: str, written_at: int, size: int) -> Any:
    from causalmix_core.foundation._tabpfn import load_network

    return load_network(file).to(device).eval().requires_grad_(False)
