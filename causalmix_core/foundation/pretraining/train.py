"""The pre-training loop: one or more single-threaded ranks that average their gradients."""

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from causalmix_core.errors import CheckpointError
from causalmix_core.foundation._tabpfn import build_network
from causalmix_core.foundation.pretraining import curriculum, precision
from causalmix_core.foundation.pretraining.batches import Batch, stream
from causalmix_core.foundation.pretraining.deepen import count_layers

NETWORK = {
    "max_num_classes": 10,
    "num_buckets": -1,
    "emsize": 96,
    "nlayers": 9,
    "nhead": 4,
    "features_per_group": 2,
}


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        out: folder of the training state, its log and the exported weights.
        steps: stop after this optimiser step.
        warmup: steps of linear warm-up.
        decay_from: step at which the learning rate starts to fall linearly, reaching zero at
            `steps`; None keeps it constant (the trunk).
        learning_rate: of Muon (matrices of the blocks, scaled to match Adam's update size) and,
            times `adam_scale`, of AdamW (everything else).
        average: decay of the running average of the weights, which is what gets exported.
        precision: "bfloat16" or "float32", see `precision`.
        ranks: processes that share every step; each uses `threads` threads.
    """

    out: Path
    steps: int = 6000
    seed: int = 0
    warmup: int = 40
    decay_from: int | None = None
    learning_rate: float = 2e-3
    adam_scale: float = 0.5
    weight_decay: float = 0.01
    average: float = 0.99
    clip: float = 1.0
    ranks: int = 2
    threads: int = 1
    device: str = "cpu"
    precision: str = "bfloat16"
    tokens: int = curriculum.TOKENS
    checkpoint_seconds: float = 120.0
    validate_every: int = 200


def learning_rate(settings: Settings, step: int) -> float:
    """Return the factor in [0, 1] on the learning rate: warm-up, constant, linear decay."""
    factor = min(1.0, (step + 1) / settings.warmup)
    if settings.decay_from is not None and step >= settings.decay_from:
        span = max(1, settings.steps - settings.decay_from)
        factor *= max(0.0, (settings.steps - step) / span)
    return factor


def loss_of(network: Any, batch: Batch, device: str = "cpu", bfloat16: bool = False) -> Any:
    """Mean cross-entropy of the query rows, over the classes that occur in each task's context.

    The targets are the probabilities that the classes were drawn from, where the simulator knows
    them: the expected gradient is that of the drawn classes, without the noise of the draw.
    """
    import torch

    labels = torch.from_numpy(batch.y[: batch.context]).to(device)
    wanted = torch.from_numpy(batch.p).to(device)
    network.seed = batch.seed
    logits = precision.forward(network, batch.X, labels.float(), bfloat16)
    absent = torch.arange(logits.shape[-1], device=device)[None, :] > labels.max(0).values[:, None]
    logits = logits.masked_fill(absent[None], -1e9)
    losses = -(wanted * torch.log_softmax(logits, -1)).sum(-1)
    return (losses.sum(0) / wanted.sum((0, 2)).clamp(min=1)).mean()


class State:
    """Everything a run consists of: network, optimisers, averaged weights, step."""

    def __init__(self, settings: Settings) -> None:
        import torch

        torch.manual_seed(settings.seed)
        self.network = build_network(NETWORK).to(settings.device)
        self.network.train()
        muon = self.network.muon_compatible_params()
        rest = [p for p in self.network.parameters() if p not in muon]
        matrices = [p for p in self.network.parameters() if p in muon]
        lr = settings.learning_rate
        self.optimisers: list[Any] = [
            torch.optim.Muon(
                matrices, lr=lr, weight_decay=settings.weight_decay, adjust_lr_fn="match_rms_adamw"
            ),
            torch.optim.AdamW(
                rest, lr=lr * settings.adam_scale, betas=(0.9, 0.98), weight_decay=0.0
            ),
        ]
        self.base_rates = [lr, lr * settings.adam_scale]
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.step = 0
        self.seconds = 0.0

    def update(self, settings: Settings) -> float:
        """Apply the gradients; return their norm before clipping."""
        import torch

        norm = float(torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.clip))
        factor = learning_rate(settings, self.step)
        for optimiser, rate in zip(self.optimisers, self.base_rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        decay = min(settings.average, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for key, value in self.network.state_dict().items():
                self.average[key].lerp_(value, 1 - decay)
        self.step += 1
        return norm

    def tensors(self) -> dict[str, Any]:
        """Return the whole state as named tensors."""
        out = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        out |= {f"average.{k}": v for k, v in self.average.items()}
        names = {p: n for n, p in self.network.named_parameters()}
        for i, optimiser in enumerate(self.optimisers):
            for parameter, kept in optimiser.state.items():
                for key, value in kept.items():
                    out[f"optimiser{i}.{names[parameter]}.{key}"] = value
        return {k: v.detach().cpu().contiguous().clone() for k, v in out.items()}

    def save(self, path: Path, settings: Settings) -> None:
        """Write the state as safetensors, replacing the old file in one move."""
        from safetensors.torch import save_file

        partial = path.with_suffix(".partial")
        header = {"step": str(self.step), "seconds": str(self.seconds)}
        header["network"] = json.dumps(NETWORK)
        told = {name: value for name, value in asdict(settings).items() if name != "out"}
        header["settings"] = json.dumps(told)
        save_file(self.tensors(), str(partial), metadata=header)
        os.replace(partial, path)

    def load(self, path: Path) -> None:
        """Restore a saved state; optimiser entries are created as the optimisers keep them.

        Raises:
            CheckpointError: the state's network has more or fewer layers.
        """
        from safetensors import safe_open

        parameters = dict(self.network.named_parameters())
        with safe_open(str(path), framework="pt", device="cpu") as file:
            header = file.metadata()
            kept = {key: file.get_tensor(key) for key in file.keys()}
        layers, wanted = count_layers(kept), len(self.network.blocks)
        if layers != wanted:
            raise CheckpointError(
                f"{path} has {layers} layers and the network {wanted}: add layers to it with "
                "causalmix_core.foundation.pretraining.deepen, or set 'nlayers' of NETWORK in "
                f"train.py to {layers}."
            )
        self.step, self.seconds = int(header["step"]), float(header["seconds"])
        self.network.load_state_dict(
            {k[8:]: v for k, v in kept.items() if k.startswith("network.")}
        )
        for key in self.average:
            self.average[key].copy_(kept[f"average.{key}"])
        for i, optimiser in enumerate(self.optimisers):
            start = f"optimiser{i}."
            for key, value in kept.items():
                if key.startswith(start):
                    name, slot = key[len(start) :].rsplit(".", 1)
                    parameter = parameters[name]
                    where = parameter.device if slot != "step" else value.device
                    optimiser.state[parameter][slot] = value.to(where)


def _rank(rank: int, settings: Settings, rendezvous: str) -> None:
    """Train as one of `settings.ranks` processes."""
    from datetime import timedelta

    import numpy as np
    import torch
    import torch.distributed as dist

    from causalmix_core.foundation.pretraining.validate import simulated_scores

    stopping = {"now": False}

    def stop(signum: int, frame: Any) -> None:
        stopping["now"] = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(settings.device == "cpu")
    if settings.ranks > 1:
        dist.init_process_group(
            "gloo", init_method=rendezvous, rank=rank, world_size=settings.ranks,
            timeout=timedelta(hours=6),
        )  # fmt: skip
    state = State(settings)
    bfloat16 = settings.precision == "bfloat16"
    if bfloat16:
        precision.prepare(state.network)
    path = settings.out / "state.safetensors"
    if path.exists():
        state.load(path)
    log = (settings.out / "log.csv").open("a") if rank == 0 else None
    batches: Iterator[Batch] = stream(
        settings.seed, state.step, rank, settings.ranks, settings.tokens
    )
    parameters = [p for p in state.network.parameters() if p.requires_grad]
    saved = time.monotonic()
    recent: list[float] = []
    try:
        while state.step < settings.steps:
            started = time.monotonic()
            while rank == 0 and (settings.out / "PAUSE").exists() and not stopping["now"]:
                time.sleep(1)
                started = time.monotonic()
            loss = loss_of(state.network, next(batches), settings.device, bfloat16)
            loss.backward()
            flat = torch.cat([p.grad.reshape(-1) for p in parameters])
            flat = torch.cat([flat, torch.tensor([loss.item(), float(stopping["now"])])])
            if settings.ranks > 1:
                dist.all_reduce(flat)
            flat /= settings.ranks
            finite = bool(torch.isfinite(flat).all())
            offset = 0
            for p in parameters:
                p.grad = flat[offset : offset + p.numel()].view_as(p).clone()
                if not finite:
                    p.grad.zero_()
                offset += p.numel()
            norm = state.update(settings)
            state.seconds += time.monotonic() - started
            recent.append(float(flat[-2]))
            leave = float(flat[-1]) > 0
            if log and (state.step % 10 == 0 or state.step <= 5):
                rate = learning_rate(settings, state.step)
                log.write(
                    f"step,{state.step},loss,{np.mean(recent):.6f},norm,{norm:.3f},"
                    f"rate,{rate:.3f},seconds,{state.seconds:.0f}\n"
                )
                log.flush()
            if len(recent) >= 10 and state.step % 10 == 0:
                recent.clear()
            if log and state.step % settings.validate_every == 0:
                for row in simulated_scores(state.average):
                    log.write(f"step,{state.step},validation,{row}\n")
                log.flush()
            done = leave or state.step == settings.steps
            if rank == 0 and (done or time.monotonic() - saved > settings.checkpoint_seconds):
                state.save(path, settings)
                saved = time.monotonic()
            if leave:
                break
    finally:
        batches.close()  # type: ignore[attr-defined]
        if settings.ranks > 1:
            dist.destroy_process_group()


def train(settings: Settings) -> None:
    """Start or resume a training in `settings.out`; SIGTERM saves and ends it.

    An empty file named PAUSE in the folder halts the training until it is removed.
    """
    import multiprocessing
    import tempfile

    settings.out.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        rendezvous = f"file://{folder}/rendezvous"
        ranks = [
            context.Process(target=_rank, args=(rank, settings, rendezvous))
            for rank in range(settings.ranks)
        ]
        for process in ranks:
            process.start()

        def forward(signum: int, frame: Any) -> None:
            for process in ranks:
                if process.pid is not None and process.is_alive():
                    os.kill(process.pid, signal.SIGTERM)

        signal.signal(signal.SIGTERM, forward)
        signal.signal(signal.SIGINT, forward)
        for process in ranks:
            process.join()
    if any(process.exitcode for process in ranks):
        raise SystemExit("A training process failed; see its message above.")
