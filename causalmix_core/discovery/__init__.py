"""Causal discovery: independence tests, PC and FCI, resampling, evidence."""

from causalmix_core.discovery.discover import discover
from causalmix_core.discovery.probabilities import DirectionProbabilities, direction_probabilities

__all__ = ["DirectionProbabilities", "direction_probabilities", "discover"]
