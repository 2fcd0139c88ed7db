"""Time and memory of a fine-tuning step: this project's loop beside tabpfn's own fine-tuner.

    python benchmarks/finetune_speed.py TABLE --target Y [--steps 20] [--out FILE]

Both tune the same checkpoint on the same rows with the same learning rate, number of gradient
steps, ensemble members and context/query shares, each in a process of its own, one after the
other. Activation checkpointing is off. What happens between two gradient steps:

- both draw context and query rows from the training rows, go forward and backward, clip, do one
  step of AdamW, and score the validation rows with all members, the whole training set as context;
- "all members" lets every member see the drawn rows, as the peer does: the same work;
- "in turns" (this project's default) lets one member see them, another one in the next step: half
  of the training work at two members, which the peer has no setting for;
- the peer preprocesses afresh for every step and every validation, this project once;
- this project also scores the training query rows and ten test rows.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
import warnings
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

LEARNING_RATE = 1e-4
WEIGHT_DECAY = 0.01
QUERY_SHARE = 0.2
MEMBERS = 2
CANDIDATES = {
    "turns": "this project, members in turns (default)",
    "turns-bfloat16": "this project, in turns, bfloat16",
    "all": "this project, all members",
    "all-bfloat16": "this project, all members, bfloat16",
    "peer": "FinetunedTabPFNClassifier",
}


def main() -> None:
    """Measure both and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--target", required=True)
    parser.add_argument("--train-rows", type=int, default=500)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--model", default="compact")
    parser.add_argument("--evaluate-every", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--who", nargs="+", choices=list(CANDIDATES), default=list(CANDIDATES), help="else all"
    )
    parser.add_argument("--out", help="write the table here as Markdown")
    parser.add_argument("--only", choices=list(CANDIDATES), help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(peer(options) if options.only == "peer" else ours(options, options.only)))
        return
    # Taken in turns, so that whatever else the machine does meets both alike.
    found: dict[str, list[dict[str, Any]]] = {who: [] for who in options.who}
    for seed in range(options.repeats):
        for who in found:
            found[who].append(_in_own_process(who, seed))
            print(who, seed, json.dumps(found[who][-1]), file=sys.stderr)
    text = report(found, options)
    print(text)
    if options.out:
        Path(options.out).write_text(text)


def _in_own_process(who: str, seed: int) -> dict[str, Any]:
    command = [sys.executable, *sys.argv, "--only", who, "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _rows(options: argparse.Namespace) -> Any:
    import causalmix_core as cm

    table = cm.read_table(options.table, target=options.target)
    return cm.split(table, train_rows=options.train_rows, seed=0)


def ours(options: argparse.Namespace, who: str) -> dict[str, Any]:
    """Fine-tune with this project's loop, all ensemble members in every step or in turns."""
    members, _, precision = who.partition("-")
    import causalmix_core as cm
    from causalmix_core.finetune import Settings, Stopping

    train, validation, test = _rows(options)
    settings = Settings(
        steps=options.steps,
        evaluate_every=options.evaluate_every,
        learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        schedule="constant",
        warmup=0.0,
        query_share=QUERY_SHARE,
        estimators=MEMBERS,
        members=members,
        precision=precision or "float32",
        curve_rows=10,
        threads=options.threads,
        stopping=Stopping(rule="last", patience=0),
    )
    moments: list[tuple[float, float]] = []

    def note(points: Any) -> None:
        if any(point.split == "train" and point.metric == "loss" for point in points):
            moments.append(now())

    run = cm.finetune(
        train,
        validation,
        test.take(np.arange(10)),
        method="default",
        seed=options.seed,
        model=options.model,
        settings=settings,
        on_points=note,
    )
    curves = run.curves
    losses = curves[(curves["split"] == "train") & (curves["metric"] == "loss")]["value"]
    return _figures(moments, losses.tolist(), float(run.metrics["log_loss_val"]))


def peer(options: argparse.Namespace) -> dict[str, Any]:
    """Fine-tune with tabpfn's `FinetunedTabPFNClassifier`."""
    from causalmix_core.foundation import models
    from causalmix_core.foundation._tabpfn import TableEncoder

    os.environ["TABPFN_NO_BROWSER"] = os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.simplefilter("ignore")
    import torch
    from tabpfn.finetuning import FinetunedTabPFNClassifier

    torch.set_num_threads(options.threads)

    train, validation, _ = _rows(options)
    encoder = TableEncoder.fit(train)
    moments: list[tuple[float, float]] = []
    losses: list[float] = []

    class Logger:
        def setup(self, config: dict[str, Any]) -> None:
            pass

        def log_step(self, metrics: dict[str, Any], step: int) -> None:
            moments.append(now())
            losses.append(float(metrics["train/loss"]))

        def log_epoch(self, metrics: dict[str, Any], step: int) -> None:
            pass

        def finish(self) -> None:
            pass

    tuner = FinetunedTabPFNClassifier(
        device="cpu",
        epochs=options.steps,
        learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        finetune_ctx_query_split_ratio=QUERY_SHARE,
        random_state=options.seed,
        early_stopping=False,
        validation_frequency=options.evaluate_every,
        use_lr_scheduler=False,
        n_estimators_finetune=MEMBERS,
        n_estimators_validation=MEMBERS,
        n_estimators_final_inference=MEMBERS,
        use_activation_checkpointing=False,
        save_checkpoint_interval=None,
        experiment_logger=Logger(),
        extra_classifier_kwargs={
            "model_path": str(models.path(options.model)),
            "categorical_features_indices": list(encoder.categorical),
            "inference_precision": torch.float32,
        },
        eval_metric="log_loss",
    )
    tuner.fit(
        encoder.transform(train.frame),
        encoder.labels(train.frame),
        X_val=encoder.transform(validation.frame),
        y_val=encoder.labels(validation.frame),
    )
    probabilities = tuner.predict_proba(encoder.transform(validation.frame))
    y = encoder.labels(validation.frame)
    log_loss = float(-np.log(np.clip(probabilities[np.arange(len(y)), y], 1e-15, 1)).mean())
    return _figures(moments, losses, log_loss)


def now() -> tuple[float, float]:
    """Seconds on the wall and of this process's computing."""
    return time.perf_counter(), time.process_time()


def _figures(
    moments: list[tuple[float, float]], losses: list[float], log_loss: float
) -> dict[str, Any]:
    wall, cpu = np.diff(np.array(moments), axis=0).T
    return {
        # Means: where not every step is followed by a validation, a median would leave it out.
        "seconds": float(np.mean(wall)),
        "cpu": float(np.mean(cpu)),
        "steps": len(losses),
        "loss": float(np.mean(losses[-5:])),
        "validation_log_loss": log_loss,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def report(found: dict[str, list[dict[str, Any]]], options: argparse.Namespace) -> str:
    """Return the comparison as Markdown."""
    lines = [
        f"# A fine-tuning step, {date.today():%d %B %Y}",
        "",
        f"{Path(options.table).name}, {options.train_rows} labelled rows, {options.steps} steps of "
        f"{MEMBERS} ensemble members, validation every {options.evaluate_every} step(s), float32 "
        "where nothing else is said; "
        f"{options.threads} thread(s) on {os.cpu_count()} cores ({platform.machine()}), load "
        f"average {os.getloadavg()[1]:.1f}; median (range) of {options.repeats} runs, in turns.",
        "",
        "| | " + " | ".join(CANDIDATES[who] for who in found) + " |",
        "|---" * (len(found) + 1) + "|",
    ]
    names = {
        "seconds": "seconds per step, validation included",
        "cpu": "core seconds per step, validation included",
        "loss": "training loss, mean of the last five steps",
        "validation_log_loss": "validation log loss at the end",
        "memory": "peak memory, MB",
    }
    for key, title in names.items():
        cells = []
        for who in found:
            values = [result[key] for result in found[who]]
            cells.append(f"{np.median(values):.4g} ({min(values):.4g} to {max(values):.4g})")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines.append("")
    for who in found:
        if who == "peer" or "peer" not in found:
            continue
        wall, cpu = (
            np.median([r[key] for r in found["peer"]]) / np.median([r[key] for r in found[who]])
            for key in ("seconds", "cpu")
        )
        lines.append(
            f"{CANDIDATES[who]}: {wall:.2f} times less time per step than "
            f"{CANDIDATES['peer']}, {cpu:.2f} times less computing; validation log loss "
            f"{_paired(found, who, 'validation_log_loss')} beside the peer's of the same seed."
        )
    return "\n".join(lines) + "\n"


def _paired(found: dict[str, list[dict[str, Any]]], who: str, key: str) -> str:
    """Mean difference from the peer over the seeds, with the half width of its 95 % interval."""
    pairs = zip(found[who], found["peer"], strict=True)
    differences = np.array([ours[key] - peers[key] for ours, peers in pairs])
    if len(differences) < 2:
        return f"{differences.mean():+.4f}"
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return f"{differences.mean():+.4f} ± {stats.t.ppf(0.975, len(differences) - 1) * error:.4f}"


if __name__ == "__main__":
    main()
