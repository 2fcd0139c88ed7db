"""Our AdamW takes the steps of torch's."""

import pytest
import torch

from causalmix_core.finetune.adamw import AdamW


@pytest.mark.parametrize(("decay", "clip"), [(0.0, 1e9), (0.1, 1e9), (0.01, 0.5)])
def test_steps_are_those_of_torch(decay: float, clip: float):
    generator = torch.Generator().manual_seed(0)
    shapes = [(3, 4), (5,), (2, 2)]
    start = [torch.randn(shape, generator=generator) for shape in shapes]
    ours = [torch.nn.Parameter(value.clone()) for value in start]
    theirs = [torch.nn.Parameter(value.clone()) for value in start]
    optimizer = AdamW(ours, decay)
    reference = torch.optim.AdamW(theirs, lr=1.0, weight_decay=decay)
    for step in range(1, 8):
        rate = 0.1 / step
        gradients = [torch.randn(shape, generator=generator) * step for shape in shapes]
        for mine, other, gradient in zip(ours, theirs, gradients, strict=True):
            mine.grad, other.grad = gradient.clone(), gradient.clone()
        optimizer.step(rate, clip)
        for group in reference.param_groups:
            group["lr"] = rate
        torch.nn.utils.clip_grad_norm_(theirs, clip)
        reference.step()
        for mine, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine.detach(), other.detach())
    optimizer.forget_gradients()
    before = [value.detach().clone() for value in ours]
    optimizer.step(1.0, clip)
    assert all(torch.equal(a, b.detach()) for a, b in zip(before, ours, strict=True))
