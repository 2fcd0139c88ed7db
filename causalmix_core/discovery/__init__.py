"""Causal discovery: independence tests, PC and FCI, resampling, evidence."""

from causalmix_core.discovery.discover import discover, estimate_seconds
from causalmix_core.discovery.probabilities import DirectionProbabilities, direction_probabilities
from causalmix_core.discovery.screening import Screening, screen

__all__ = [
    "DirectionProbabilities",
    "Screening",
    "direction_probabilities",
    "discover",
    "estimate_seconds",
    "screen",
]
