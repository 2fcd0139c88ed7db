"""Products with weight matrices: torch's own, or oneDNN's where they are faster.

torch multiplies float32 matrices with MKL, which on AMD processors is much slower than oneDNN, the
other library inside torch (`benchmarks/products.py` has both beside each other). oneDNN is reached
through the operator that torch's compiler puts in the place of linear layers; it has no gradient,
so that is written down here. Both compute in float32 and differ by rounding alone.
"""

import platform
from typing import Any

import torch

_HAS_ONEDNN = platform.machine().lower() in ("x86_64", "amd64") and hasattr(
    torch.ops.mkldnn, "_linear_pointwise"
)


def linear(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Multiply rows (..., I) by a weight matrix (O, I): (..., O)."""
    is_plain = x.device.type == "cpu" and x.dtype == torch.float32 and x.numel() > 0
    if not (_HAS_ONEDNN and is_plain):
        return torch.nn.functional.linear(x, weight)
    out: torch.Tensor = _Product.apply(x.reshape(-1, x.shape[-1]), weight)  # type: ignore[no-untyped-call]
    return out.view(*x.shape[:-1], len(weight))


class _Product(torch.autograd.Function):
    """Rows (R, I) times weights (O, I)."""

    @staticmethod
    def forward(context: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        context.save_for_backward(x, weight)
        return _multiply(x, weight)

    @staticmethod
    def backward(
        context: Any, gradient: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        x, weight = context.saved_tensors
        wants_x, wants_weight = context.needs_input_grad
        return (
            _multiply(gradient, weight.t()) if wants_x else None,
            # Of the two ways to write this product the one that oneDNN is faster at.
            _multiply(x.t(), gradient.t()).t() if wants_weight else None,
        )


def _multiply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Multiply (R, I) by the transpose of (O, I)."""
    out: torch.Tensor = torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
    return out
