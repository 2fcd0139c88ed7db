"""Faster training steps: bfloat16 where it pays, and nothing computed that nobody reads.

Matrix products in bfloat16 are faster than in float32 on processors that have it, but torch's
attention kernel for the CPU is slower in it, most of all backwards. So everything runs in bfloat16
except attention, with the weights kept in float32, and the random column embeddings are drawn in
float32, as they are at prediction time.

Of the last layer only the target cells are read, so only they are computed: the same function and
gradients with less to do.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def prepare(network: Any) -> None:
    """Make a tabpfn_v2 network ready for `forward`; this process only trains."""
    import torch
    from tabpfn.architectures import tabpfn_v2

    plain = torch.nn.functional.scaled_dot_product_attention

    def attention(q: Any, k: Any, v: Any) -> Any:
        # (batch, sequence, heads, size); query rows share one key head
        if k.shape[2] == q.shape[2]:
            queries, keys, values = (t.float().transpose(1, 2) for t in (q, k, v))
            return plain(queries, keys, values).transpose(1, 2).to(q.dtype)
        laid_out = q.float().flatten(1, 2).unsqueeze(1)  # every head asks the same keys
        keys, values = (t.float().transpose(1, 2) for t in (k, v))
        return plain(laid_out, keys, values).view(q.shape).to(q.dtype)

    def embed(x: Any) -> Any:
        generator = torch.Generator(device=x.device).manual_seed(network.seed)
        shape = (x.shape[2], x.shape[3] // 4)
        drawn = torch.randn(shape, device=x.device, generator=generator).to(x.dtype)
        return x + network.feature_positional_embedding_embeddings(drawn)[None, None]

    block = network.blocks[-1]

    def last_layer(container: Any, context: int, *more: Any, **options: Any) -> tuple[Any, None]:
        x = container if isinstance(container, torch.Tensor) else container.pop(0)
        tasks, rows, _cells, size = x.shape
        x = x.flatten(0, 1)
        within = block.per_sample_attention_between_features
        target = x[:, -1:]
        q, k, v = (
            projection(of).unflatten(2, (-1, within.head_dim))
            for projection, of in (
                (within.q_projection, target),
                (within.k_projection, x),
                (within.v_projection, x),
            )
        )
        mixed = within.out_projection(attention(q, k, v).flatten(2))
        target = block.layernorm_mha1(target + mixed).view(tasks, rows, size)
        mixed, _cache = block.per_column_attention_between_cells(target, single_eval_pos=context)
        target = block.layernorm_mha2(target + mixed)
        target = block.layernorm_mlp(target + block.mlp(target))
        return target.unsqueeze(2), None

    block.forward = last_layer
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
