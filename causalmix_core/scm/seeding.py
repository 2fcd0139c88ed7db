"""Random numbers that depend on a seed and on what they are for, and on nothing else."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from causalmix_core.errors import GeneratorError


def generator_for(seed: int, *use: object) -> np.random.Generator:
    """Return a generator of its own for each use, so that one edit changes no other noise."""
    text = "\x1f".join(str(word) for word in use).encode()
    spread = np.frombuffer(hashlib.sha256(text).digest()[:16], dtype="<u4")
    return np.random.default_rng([seed, *(int(part) for part in spread)])


def apportion(shares: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Split `n` rows by shares; the rows left over by rounding down are drawn by chance.

    Raises:
        GeneratorError: the shares are negative or add up to nothing.
    """
    if not (np.isfinite(shares).all() and (shares >= 0).all() and shares.sum() > 0):
        raise GeneratorError("The wanted class shares must be positive numbers.")
    shares = shares / shares.sum()
    exact = shares * n
    counts = np.floor(exact + 1e-9).astype(np.int64)
    rest = exact - counts
    left = n - int(counts.sum())
    if left > 0:
        order = rng.permutation(len(shares))
        counts[order[np.argsort(-np.maximum(rest[order], 0), kind="stable")[:left]]] += 1
    return counts
