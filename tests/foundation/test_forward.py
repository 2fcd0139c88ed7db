"""The lean forward pass computes the network's own function."""

from pathlib import Path

import pytest
import torch

from causalmix_core.foundation import checkpoint, forward
from causalmix_core.foundation._tabpfn import build_network

CONTEXT, QUERY = 30, 12


@pytest.fixture
def network(tiny: Path):
    stored = checkpoint.load(tiny)
    network = build_network(stored["config"])
    network.load_state_dict(stored["state_dict"])
    return network.eval()


@pytest.fixture(params=[5, 6, 1], ids=["padded group", "full groups", "one column"])
def rows(request):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(CONTEXT + QUERY, request.param, generator=generator)
    x[3, 0] = x[CONTEXT + 2, 0] = torch.nan
    labels = torch.randint(0, 3, (CONTEXT,), generator=generator).float()
    return x, labels


def _own(network, x, labels, **options):
    return network(x.unsqueeze(1), labels, only_return_standard_out=True, **options)


def _gradients(network, logits):
    network.zero_grad()
    torch.nn.functional.cross_entropy(logits, torch.arange(QUERY) % 3).backward()
    return {name: p.grad.clone() for name, p in network.named_parameters()}


def test_outputs_and_gradients_are_the_networks_own(network, rows):
    x, labels = rows
    own, lean = _own(network, x, labels)[:, 0], forward.logits(network, x, labels)
    assert lean.shape == own.shape == (QUERY, 10)
    assert own.std() > 1e-3
    torch.testing.assert_close(lean, own, rtol=1e-4, atol=1e-5)
    wanted, found = _gradients(network, own), _gradients(network, lean)
    assert wanted.keys() == found.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-3, atol=1e-5)


def test_predictions_from_a_remembered_context_are_the_networks_own(network, rows):
    x, labels = rows
    with torch.inference_mode():
        _, cache = _own(network, x[:CONTEXT], labels, return_kv_cache=True)
        options = {"kv_cache": cache, "x_is_test_only": True}
        own = _own(network, x[CONTEXT:], labels, **options)[:, 0]
        remembered = forward.remember(network, x[:CONTEXT], labels)
        lean = forward.recall(network, remembered, x[CONTEXT:])
        alone = forward.recall(network, remembered, x[CONTEXT : CONTEXT + 1])
    torch.testing.assert_close(lean, own, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(alone, lean[:1], rtol=1e-4, atol=1e-5)


def test_slopes_of_a_remembered_context_are_the_networks_own(network, rows):
    x, labels = rows
    network.requires_grad_(False)
    with torch.no_grad():
        _, cache = _own(network, x[:CONTEXT], labels, return_kv_cache=True)
        remembered = forward.remember(network, x[:CONTEXT], labels)
    slopes = []
    options = {"kv_cache": cache, "x_is_test_only": True}
    for recall in (
        lambda asked: _own(network, asked, labels, **options)[:, 0],
        lambda asked: forward.recall(network, remembered, asked),
    ):
        asked = torch.nan_to_num(x[CONTEXT:]).requires_grad_()
        slopes += torch.autograd.grad(recall(asked)[:, 0].sum(), asked)
    assert slopes[0].std() > 1e-4
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-3, atol=1e-5)


def test_bfloat16_products_change_little(network, rows):
    x, labels = rows
    exact, halved = (forward.logits(network, x, labels, half) for half in (False, True))
    assert halved.dtype is torch.float32
    assert not torch.equal(exact, halved)
    torch.testing.assert_close(halved, exact, rtol=0.1, atol=0.1)
    wanted, found = _gradients(network, exact), _gradients(network, halved)
    together = [torch.cat([g.flatten() for g in each.values()]) for each in (wanted, found)]
    assert torch.nn.functional.cosine_similarity(*together, dim=0) > 0.98


def test_other_architectures_are_left_to_themselves(network):
    assert forward.is_known(network)
    assert not forward.is_known(torch.nn.Linear(2, 2))
