"""AdamW in a few lines (Loshchilov and Hutter, ICLR 2019, algorithm 2).

`torch.optim` loads torch's compiler when its first optimizer is made: seconds and a hundred
megabytes that a run of forty steps in a process of its own does not earn back.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


class AdamW:
    """Adam with decoupled weight decay, with torch's default betas and epsilon.

    Attributes:
        first, second: moving averages of the gradients and of their squares, one per parameter.
        count: steps done.
    """

    def __init__(self, parameters: "Sequence[torch.nn.Parameter]", weight_decay: float) -> None:
        import torch

        self.parameters = list(parameters)
        self.weight_decay = weight_decay
        self.first = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.second = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.count = 0

    def forget_gradients(self) -> None:
        """Drop the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self, rate: float, clip: float) -> None:
        """Do one step with gradients scaled down to a norm of at most `clip`."""
        import torch

        with torch.no_grad():
            gradients = [parameter.grad for parameter in self.parameters]
            norms = [torch.linalg.vector_norm(g) for g in gradients if g is not None]
            if not norms:
                return
            norm = float(torch.linalg.vector_norm(torch.stack(norms)))
            scale = min(1.0, clip / (norm + 1e-6))
            self.count += 1
            size = rate / (1 - _BETA1**self.count)
            spread = (1 - _BETA2**self.count) ** 0.5
            for parameter, gradient, first, second in zip(
                self.parameters, gradients, self.first, self.second, strict=True
            ):
                if gradient is None:
                    continue
                gradient.mul_(scale)
                parameter.mul_(1 - rate * self.weight_decay)
                first.lerp_(gradient, 1 - _BETA1)
                second.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
                parameter.addcdiv_(first, second.sqrt().div_(spread).add_(_EPSILON), value=-size)
