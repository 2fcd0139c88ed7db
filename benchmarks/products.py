"""Products with weight matrices, forward and backward: oneDNN's beside torch's own (MKL's).

    python benchmarks/products.py [--rows 6327]

The shapes are those of a layer of the compact model; one thread, the best of several repeats in
core seconds, both in turns.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from causalmix_core.foundation import products

SHAPES = {
    "queries, keys, values": (96, 288),
    "output of attention": (96, 96),
    "first of the MLP": (96, 384),
    "second of the MLP": (384, 96),
}
Multiply = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def main() -> None:
    """Print milliseconds and how many times faster oneDNN is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6327, help="333 rows of 19 cells")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    ways: dict[str, Multiply] = {"torch": torch.nn.functional.linear, "oneDNN": products.linear}
    print("| product | " + " | ".join(f"{name}, ms" for name in ways) + " | faster |")
    print("|---" * (len(ways) + 2) + "|")
    for name, (wide, out) in SHAPES.items():
        x = torch.randn(options.rows, wide, requires_grad=True)
        weight = torch.randn(out, wide, requires_grad=True)
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(options.repeats):
            for way, multiply in ways.items():
                best[way] = min(best[way], seconds(multiply, x, weight))
        cells = " | ".join(f"{1e3 * value:.1f}" for value in best.values())
        print(f"| {name} | {cells} | {best['torch'] / best['oneDNN']:.2f} |")


def seconds(multiply: Multiply, x: torch.Tensor, weight: torch.Tensor) -> float:
    """Core seconds of a product with its gradients."""
    began = time.process_time()
    out = multiply(x, weight)
    torch.autograd.grad(out, (x, weight), torch.ones_like(out))
    return time.process_time() - began


if __name__ == "__main__":
    main()
