"""Structural causal models: mechanisms, fitting, sampling."""

from causalmix_core.scm.diagnostics import NodeDiagnostics, diagnostics_frame
from causalmix_core.scm.model import StructuralCausalModel

__all__ = ["NodeDiagnostics", "StructuralCausalModel", "diagnostics_frame"]
