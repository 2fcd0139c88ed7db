"""Faster training steps on processors with native bfloat16, with the weights kept in float32.

Matrix products in bfloat16 are about three times faster than in float32 there, but torch's
attention kernel for the CPU is several times slower in it, most of all backwards. So everything
runs in bfloat16 except attention, and the random column embeddings are drawn in float32, as they
are at prediction time.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def prepare(network: Any) -> None:
    """Make a tabpfn_v2 network ready for `forward` in bfloat16; this process only trains."""
    import torch
    from tabpfn.architectures import tabpfn_v2

    plain = torch.nn.functional.scaled_dot_product_attention

    def attention(q: Any, k: Any, v: Any) -> Any:
        # (batch, sequence, heads, size); query rows share one key head
        queries, keys, values = (t.float().transpose(1, 2) for t in (q, k, v))
        heads = queries.shape[1]
        if keys.shape[1] != heads:
            keys, values = (t.expand(-1, heads, -1, -1) for t in (keys, values))
        return plain(queries, keys, values).transpose(1, 2).to(q.dtype)

    def embed(x: Any) -> Any:
        generator = torch.Generator(device=x.device).manual_seed(network.seed)
        shape = (x.shape[2], x.shape[3] // 4)
        drawn = torch.randn(shape, device=x.device, generator=generator).to(x.dtype)
        return x + network.feature_positional_embedding_embeddings(drawn)[None, None]

    tabpfn_v2.scaled_dot_product_attention = attention
    network.add_column_embeddings = embed


def forward(network: Any, X: NDArray[np.float32], y: Any, bfloat16: bool) -> Any:
    """Return the logits (query rows, tasks, classes) in float32."""
    import torch

    if not bfloat16:
        return network(torch.from_numpy(X).to(y.device), y).float()
    halved = {name: p.bfloat16() for name, p in network.named_parameters()}
    out = torch.func.functional_call(network, halved, (torch.from_numpy(X).to(y.device), y))
    return out.float()
