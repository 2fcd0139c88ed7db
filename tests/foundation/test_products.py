"""Products through oneDNN are those of torch, with their gradients."""

import pytest
import torch

from causalmix_core.foundation import products


@pytest.fixture(params=[(40, 5, 16), (7, 16), (1, 3, 16), (0, 4, 16)], ids=str)
def factors(request):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(request.param, generator=generator)
    return x, torch.randn(24, 16, generator=generator)


def _with_gradients(multiply, x, weight):
    x, weight = (factor.clone().requires_grad_() for factor in (x, weight))
    out = multiply(x, weight)
    (out * torch.linspace(-1, 1, 24)).square().sum().backward()
    return out.detach(), x.grad, weight.grad


def test_values_and_gradients_are_torchs(factors):
    wanted = _with_gradients(torch.nn.functional.linear, *factors)
    for found, expected in zip(_with_gradients(products.linear, *factors), wanted, strict=True):
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_rows_that_are_a_view_are_multiplied_as_they_read():
    generator = torch.Generator().manual_seed(1)
    whole = torch.randn(16, 12, 9, generator=generator)
    view, weight = whole.permute(1, 2, 0)[::2], torch.randn(24, 16, generator=generator)
    wanted = _with_gradients(torch.nn.functional.linear, view, weight)
    for found, expected in zip(_with_gradients(products.linear, view, weight), wanted, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    with torch.inference_mode():
        torch.testing.assert_close(products.linear(view, weight), wanted[0])


def test_where_onednn_is_missing_torch_multiplies(factors, monkeypatch: pytest.MonkeyPatch):
    wanted = _with_gradients(torch.nn.functional.linear, *factors)
    monkeypatch.setattr(products, "_HAS_ONEDNN", False)
    for found, expected in zip(_with_gradients(products.linear, *factors), wanted, strict=True):
        assert torch.equal(found, expected)
