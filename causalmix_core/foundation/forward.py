"""The v2 network's function without what nobody reads.

Fine-tuning and TabEBM spend nearly all their time in the network. tabpfn's own forward pass
computes every cell of every row up to the last layer, of which only the target cells of the query
rows are read. Here the last layer is computed for these alone: the same function of the same
weights (tests compare outputs and gradients with the network's own), with less to do. Query rows
attend to one key head, so their heads are laid out as further queries instead of copying that
head.

With `bfloat16` the matrix products of the layers are done in bfloat16, everything else in float32.

Words: a *cell* is a group of columns of a row, the last one the target; shapes are
R rows = N context + M query, C cells, E size of a cell, H heads of size D.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from causalmix_core.foundation.products import linear


def is_known(network: Any) -> bool:
    """Whether this module can compute the network's function; others run their own forward."""
    from tabpfn.architectures.tabpfn_v2 import TabPFNV2

    return isinstance(network, TabPFNV2)


@dataclass(frozen=True)
class Cache:
    """What the context leaves for query rows.

    Attributes:
        pairs: per layer the first head's keys and values, each (C, 1, N, D); of the last layer
            those of the target cell alone.
        features: the embedding's statistics.
        target: the target cell of a query row, (E,).
    """

    pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]
    features: dict[str, torch.Tensor]
    target: torch.Tensor


def logits(
    network: Any, x: torch.Tensor, labels: torch.Tensor, bfloat16: bool = False
) -> torch.Tensor:
    """Predict query rows from context rows.

    Args:
        network: a v2 network.
        x: context rows, then query rows, (R, columns).
        labels: of the context rows, (N,).
        bfloat16: precision of the layers' matrix products.

    Returns:
        (M, outputs) in float32.
    """
    context = len(labels)
    grouped, groups, rows, _ = network._pad_and_group_features(x.unsqueeze(1))
    features, _ = network._embed_features(
        grouped, num_train_labels=context, num_feature_groups=groups, batch_size=1
    )
    targets, _, _ = network._embed_targets(
        labels, num_rows=rows, num_train_labels=context, batch_size=1
    )
    state = torch.cat([features[0], targets[0, :, None]], dim=1)
    return _through(network, state, context, bfloat16, None, None)


def remember(network: Any, x: torch.Tensor, labels: torch.Tensor) -> Cache:
    """Compute what query rows need of the context: rows (N, columns), labels (N,)."""
    grouped, groups, rows, _ = network._pad_and_group_features(x.unsqueeze(1))
    features, statistics = network._embed_features(
        grouped, num_train_labels=rows, num_feature_groups=groups, batch_size=1
    )
    targets, means, classes = network._embed_targets(
        labels, num_rows=rows, num_train_labels=rows, batch_size=1
    )
    pairs: list[tuple[torch.Tensor, torch.Tensor]] = []
    state = torch.cat([features[0], targets[0, :, None]], dim=1)
    _through(network, state, rows, False, None, pairs)
    return Cache(pairs, statistics, network._embed_nan_target(means, classes, 1)[0])


def recall(network: Any, cache: Cache, x: torch.Tensor) -> torch.Tensor:
    """Predict query rows (M, columns), each on its own, from a remembered context."""
    grouped, groups, rows, _ = network._pad_and_group_features(x.unsqueeze(1))
    features, _ = network._embed_features(
        grouped,
        num_train_labels=0,
        num_feature_groups=groups,
        batch_size=1,
        feature_cache=cache.features,
    )
    targets = cache.target.expand(rows, 1, -1)
    state = torch.cat([features[0], targets], dim=1)
    return _through(network, state, 0, False, cache.pairs, None)


def _through(
    network: Any,
    state: torch.Tensor,
    context: int,
    bfloat16: bool,
    given: Sequence[tuple[torch.Tensor, torch.Tensor]] | None,
    kept: list[tuple[torch.Tensor, torch.Tensor]] | None,
) -> torch.Tensor:
    """Run the cells (R, C, E) through all layers and read the query rows' targets."""
    *inner, last = network.blocks
    for i, block in enumerate(inner):
        state = _layer(block, state, context, bfloat16, given[i] if given else None, kept)
    state = _last_layer(last, state, context, bfloat16, given[-1] if given else None, kept)
    out: torch.Tensor = network.output_projection(state).float()
    return out


def _layer(
    block: Any,
    x: torch.Tensor,
    context: int,
    bfloat16: bool,
    given: tuple[torch.Tensor, torch.Tensor] | None,
    kept: list[tuple[torch.Tensor, torch.Tensor]] | None,
) -> torch.Tensor:
    """One layer, every cell of every row: attention within rows, within columns, then the MLP."""
    between_cells = block.per_sample_attention_between_features
    heads, size = between_cells.num_heads, between_cells.head_dim
    rows, cells, _ = x.shape
    q, k, v = _project(between_cells, x, bfloat16).unbind(2)  # (R, C, H, D) each
    mixed = _attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
    mixed = mixed.transpose(1, 2).reshape(rows, cells, heads * size)
    x = _normed(x + _linear(mixed, between_cells.out_projection.weight, bfloat16))

    between_rows = block.per_column_attention_between_cells
    parts = []
    if given is None:
        q, k, v = (
            part.permute(1, 2, 0, 3)  # (C, H, N, D)
            for part in _project(between_rows, x[:context], bfloat16).unbind(2)
        )
        parts.append(_attend(q, k, v).permute(2, 0, 1, 3).reshape(context, cells, heads * size))
        given = k[:, :1], v[:, :1]
        if kept is not None:
            kept.append((given[0].contiguous(), given[1].contiguous()))
    if context < rows:
        asked = _linear(x[context:], between_rows.q_projection.weight, bfloat16)
        parts.append(_ask(asked, given, heads, size))
    mixed = parts[0] if len(parts) == 1 else torch.cat(parts)
    x = _normed(x + _linear(mixed, between_rows.out_projection.weight, bfloat16))
    return _normed(x + _mlp(block, x, bfloat16))


def _last_layer(
    block: Any,
    x: torch.Tensor,
    context: int,
    bfloat16: bool,
    given: tuple[torch.Tensor, torch.Tensor] | None,
    kept: list[tuple[torch.Tensor, torch.Tensor]] | None,
) -> torch.Tensor:
    """The last layer for the target cells alone; returns the query rows' (M, E)."""
    between_cells = block.per_sample_attention_between_features
    heads, size = between_cells.num_heads, between_cells.head_dim
    rows, cells, _ = x.shape
    target = x[:, -1]
    q = _linear(target, between_cells.q_projection.weight, bfloat16)
    weights = torch.cat([between_cells.k_projection.weight, between_cells.v_projection.weight])
    k, v = _linear(x, weights, bfloat16).view(rows, cells, 2, heads, size).unbind(2)
    mixed = _attend(q.view(rows, heads, 1, size), k.transpose(1, 2), v.transpose(1, 2))
    mixed = mixed.reshape(rows, heads * size)
    target = _normed(target + _linear(mixed, between_cells.out_projection.weight, bfloat16))

    between_rows = block.per_column_attention_between_cells
    if given is None:
        first = slice(0, size)
        weights = torch.cat(
            [between_rows.k_projection.weight[first], between_rows.v_projection.weight[first]]
        )
        pair = _linear(target[:context], weights, bfloat16)
        given = pair[None, None, :, :size], pair[None, None, :, size:]
        if kept is not None:
            kept.append((given[0].contiguous(), given[1].contiguous()))
    target = target[context:, None]
    asked = _linear(target, between_rows.q_projection.weight, bfloat16)
    mixed = _ask(asked, given, heads, size)
    target = _normed(target + _linear(mixed, between_rows.out_projection.weight, bfloat16))
    return _normed(target + _mlp(block, target, bfloat16))[:, 0]


def _project(attention: Any, x: torch.Tensor, bfloat16: bool) -> torch.Tensor:
    """Queries, keys and values in one product: (R, C, 3, H, D)."""
    weights = torch.cat(
        [
            attention.q_projection.weight,
            attention.k_projection.weight,
            attention.v_projection.weight,
        ]
    )
    out = _linear(x, weights, bfloat16)
    return out.view(*x.shape[:2], 3, attention.num_heads, attention.head_dim)


def _ask(
    queries: torch.Tensor,
    pairs: tuple[torch.Tensor, torch.Tensor],
    heads: int,
    size: int,
) -> torch.Tensor:
    """Let query rows (M, C, H·D) attend to the one head of the context; the same shape."""
    rows, cells, _ = queries.shape
    laid_out = queries.transpose(0, 1).reshape(cells, 1, rows * heads, size)
    found = _attend(laid_out, *pairs)
    return found.reshape(cells, rows, heads * size).transpose(0, 1)


def _attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.scaled_dot_product_attention(q, k, v)


def _linear(x: torch.Tensor, weight: torch.Tensor, bfloat16: bool) -> torch.Tensor:
    if bfloat16:
        return torch.nn.functional.linear(x.bfloat16(), weight.bfloat16()).float()
    return linear(x, weight)


def _mlp(block: Any, x: torch.Tensor, bfloat16: bool) -> torch.Tensor:
    first, _, second = block.mlp
    if not bfloat16:
        return linear(torch.nn.functional.gelu(linear(x, first.weight)), second.weight)
    hidden = torch.nn.functional.linear(x.bfloat16(), first.weight.bfloat16())
    hidden = torch.nn.functional.gelu(hidden)
    return torch.nn.functional.linear(hidden, second.weight.bfloat16()).float()


def _normed(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.layer_norm(x, x.shape[-1:])
