"""How well the compact model predicts small real tables, beside four usual models.

    python benchmarks/compact_quality.py ../shared/data/classification --out benchmarks/results

Every table in the folder (CSV, last column the target) is drawn `--rows` labelled rows (at most
60 % of it) with each seed; the others, at most 2,000, are the test. All models get the same rows.
The score is ROC-AUC (one against the rest, mean over the classes with test rows), a failure counts
as 0.5 (log loss: that of even chances). Models see labelled rows only; nothing is tuned.
A small table has the same labelled rows, and so the same scores, at every size it is too small for;
the report gives its figures with these copies and without. Rows already in the result file are not
computed again, except the compact model's on other weights; delete them to repeat.
"""

import argparse
import csv
import math
import os
import platform
import time
import traceback
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

import causalmix_core as cm
from causalmix_core.foundation import TableEncoder, digest, load, path

CHOSEN_ON = ("adult", "credit-g", "ionosphere", "tic-tac-toe", "vehicle")
"""The tables on which checkpoints and settings were chosen."""

STEERED = ("anneal", "splice")
"""The tables whose scores showed what the simulator lacked; they chose nothing else."""

FIELDS = (
    "table", "rows", "labelled", "seed", "model", "digest", "auc", "log_loss", "seconds", "note",
)  # fmt: skip
"""`rows` were asked for, `labelled` are there; `digest` is that of the compact model's weights."""


def peers(train: cm.Table) -> dict[str, Any]:
    """Return the usual models, each a scikit-learn pipeline for the table's columns."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
    from xgboost import XGBClassifier

    numbers = [c for c in train.features if train.kinds[c].is_number]
    texts = [c for c in train.features if c not in numbers]
    onehot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan
    )

    def fill() -> Any:
        return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)

    def columns(number: Any, text: Any) -> Any:
        return ColumnTransformer([("numbers", number, numbers), ("texts", text, texts)])

    at = list(range(len(numbers), len(numbers) + len(texts)))
    return {
        "logistic regression": make_pipeline(
            columns(make_pipeline(fill(), StandardScaler()), onehot),
            LogisticRegression(max_iter=2000),
        ),
        "random forest": make_pipeline(
            columns(fill(), onehot), RandomForestClassifier(300, random_state=0)
        ),
        "histogram boosting": make_pipeline(
            columns("passthrough", codes),
            HistGradientBoostingClassifier(
                categorical_features=at or None, early_stopping=False, random_state=0
            ),
        ),
        "XGBoost": make_pipeline(
            columns("passthrough", onehot),
            XGBClassifier(
                n_estimators=200, learning_rate=0.1, max_depth=4, subsample=0.9,
                colsample_bytree=0.9, n_jobs=1, random_state=0,
            ),
        ),
    }  # fmt: skip


def frame_for_peers(table: cm.Table) -> pd.DataFrame:
    """Return the features as plain float and object columns; dates as numbers."""
    out = {}
    for column in table.features:
        values = table.frame[column]
        if str(table.kinds[column]) == "datetime":
            out[column] = values.astype("int64").astype(float)
        elif table.kinds[column].is_number:
            out[column] = values.to_numpy(dtype="float64", na_value=np.nan)
        else:
            texts = values.astype(object)
            out[column] = texts.where(texts.notna(), np.nan)
    return pd.DataFrame(out)


def scores(p: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """ROC-AUC (one against the rest, mean over the classes with test rows) and log loss."""
    from sklearn.metrics import roc_auc_score

    aucs = [
        roc_auc_score(y == k, p[:, k])
        for k in range(p.shape[1])
        if 0 < np.count_nonzero(y == k) < len(y)
    ]
    if p.shape[1] == 2:
        aucs = aucs[-1:]
    truth = np.clip(p[np.arange(len(y)), y], 1e-7, 1.0)
    return float(np.mean(aucs)), float(-np.log(truth).mean())


def aligned(p: np.ndarray, known: np.ndarray, k: int) -> np.ndarray:
    """Place the probabilities of the classes with labelled rows among all `k`."""
    out = np.zeros((len(p), k))
    out[:, known] = p
    return out


def run(
    table: cm.Table, rows: int, seed: int, names: list[str], model: str, test_rows: int
) -> list[dict[str, Any]]:
    """Score the models asked for on one draw."""
    train, validation, test = cm.split(table, train_rows=rows, seed=seed)
    labelled = train.with_frame(pd.concat([train.frame, validation.frame], ignore_index=True))
    if len(test) > test_rows:
        test = test.take(np.random.default_rng(seed).permutation(len(test))[:test_rows])
    classes = sorted(table.y.astype(str).unique())
    code = {value: i for i, value in enumerate(classes)}
    y = labelled.y.astype(str).map(code).to_numpy(dtype=int)
    y_test = test.y.astype(str).map(code).to_numpy(dtype=int)
    known, dense = np.unique(y, return_inverse=True)
    done = []
    for name in names:
        started, note = time.perf_counter(), ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if name == "compact":
                    encoder = TableEncoder.fit(labelled)
                    network = load(model, encoder=encoder, seed=seed)
                    network.fit(encoder.transform(labelled.frame), dense)
                    p = network.predict_proba(encoder.transform(test.frame))
                else:
                    peer = peers(labelled)[name]
                    peer.fit(frame_for_peers(labelled), dense)
                    p = peer.predict_proba(frame_for_peers(test))
            auc, loss = scores(aligned(p, known, len(classes)), y_test)
        except Exception as error:
            traceback.print_exc()
            auc, loss, note = 0.5, math.log(len(classes)), type(error).__name__
        done.append(
            {
                "table": table.name, "rows": rows, "labelled": len(labelled), "seed": seed,
                "model": name, "digest": digest(path(model)) if name == "compact" else "",
                "auc": auc, "log_loss": loss, "seconds": time.perf_counter() - started,
                "note": note,
            }
        )  # fmt: skip
    return done


def once(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep every draw once, at the number of rows it really has."""
    draws = frame.sort_values("rows").drop_duplicates(["table", "labelled", "seed", "model"])
    return draws.assign(rows=draws.labelled)


def sizes(frame: pd.DataFrame) -> list[str]:
    """Tell which tables have how many labelled rows where so many were asked for."""
    lines = ["\n## Labelled rows\n", "| asked for | tables with so many | tables with fewer |"]
    lines += ["|---|---|---|"]
    for rows, part in frame.groupby("rows"):
        has = part.groupby("table").labelled.max()
        fewer = ", ".join(f"{name} {count}" for name, count in has[has < rows].items())
        lines.append(f"| {rows} | {(has == rows).sum()} of {len(has)} | {fewer} |")
    copies = len(frame) - len(once(frame))
    lines += [
        f"\n{copies} of the {len(frame)} runs are copies of runs on the same rows. Where every "
        "draw counts once, a table counts at a size only if it has so many rows; its draws of "
        "fewer rows count among all."
    ]
    return lines


def by_size(frame: pd.DataFrame, title: str, asked: list[int]) -> list[str]:
    """Write the models' mean scores at each size and over all, each table at each size once."""
    lines = [
        f"\n## {title}\n",
        "| labelled rows | tables | model | mean AUC | mean rank | log loss |",
    ]
    lines += ["|---|---|---|---|---|---|"]
    for rows in [*asked, "all"]:
        of = frame if rows == "all" else frame[frame.rows == rows]
        means = of.groupby(["table", "rows", "model"])[["auc", "log_loss"]].mean()
        ranks = means.auc.unstack().rank(axis=1, ascending=False).mean()
        table = means.groupby("model").mean().assign(rank=ranks).sort_values("rank")
        for name, row in table.iterrows():
            lines.append(
                f"| {rows} | {of.table.nunique()} | {name} | {row.auc:.4f} | {row['rank']:.2f} "
                f"| {row.log_loss:.4f} |"
            )
    return lines


def duels(frame: pd.DataFrame, title: str) -> list[str]:
    """Set the compact model against each other one, table by table; errors are over tables."""
    means = once(frame).groupby(["table", "model"])[["auc", "log_loss"]].mean().unstack()
    lines = [f"\n### {title}\n", "| against | won by AUC | by | won by log loss | by |"]
    lines += ["|---|---|---|---|---|"]
    for name in means.auc.columns.drop("compact"):
        cells = []
        for more in (
            means.auc["compact"] - means.auc[name],
            means.log_loss[name] - means.log_loss["compact"],
        ):
            error = more.std() / math.sqrt(len(more))
            cells += [f"{(more > 0).sum()} of {len(more)}", f"{more.mean():+.4f} ± {error:.4f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def summary(frame: pd.DataFrame) -> str:
    """Write the result tables in Markdown."""
    asked = sorted(frame.rows.unique())
    groups = {
        "All tables": frame,
        "Tables not used for choosing": frame[~frame.table.isin(CHOSEN_ON)],
        "Tables used neither for choosing nor for the simulator": frame[
            ~frame.table.isin((*CHOSEN_ON, *STEERED))
        ],
    }
    lines = sizes(frame)
    for title, part in groups.items():
        lines += by_size(part, title, asked)
    for title, part in groups.items():
        lines += by_size(once(part), f"{title}, every draw once", asked)
    if "compact" in set(frame.model):
        lines += ["\n## The compact model table by table, every draw once"]
        lines += ["\nHow many tables it wins, and its mean lead ± one standard error over tables."]
        for title, part in groups.items():
            lines += duels(part, title)
    marks = dict.fromkeys(CHOSEN_ON, "*") | dict.fromkeys(STEERED, "†")
    for field, title in (("auc", "mean AUC"), ("log_loss", "mean log loss")):
        wide = frame.groupby(["table", "model"])[field].mean().unstack()
        lines += [f"\n## By table, {title} over sizes and seeds\n"]
        lines += ["\\* used for choosing, † used for finding what the simulator lacked\n"]
        lines += ["| table | " + " | ".join(wide.columns) + " |"]
        lines += ["|---" * (len(wide.columns) + 1) + "|"]
        for name, row in wide.iterrows():
            lines.append(
                f"| {name}{marks.get(name, '')} | " + " | ".join(f"{v:.4f}" for v in row) + " |"
            )
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, then print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of CSV files, last column the target")
    parser.add_argument("--rows", default="128,256,512")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--tables", default="", help="names, comma-separated; all by default")
    parser.add_argument(
        "--models",
        default="compact,logistic regression,random forest,histogram boosting,XGBoost",
    )
    parser.add_argument("--model", default="compact", help="checkpoint behind 'compact'")
    parser.add_argument("--test-rows", type=int, default=2000, help="at most so many")
    parser.add_argument("--out", type=Path, default=None, help="folder for the result files")
    parser.add_argument("--csv", type=Path, default=None, help="result file of single runs")
    given = parser.parse_args()
    file = given.csv or (given.out / "compact_quality.csv" if given.out else None)
    done: list[dict[str, Any]] = []
    weights = digest(path(given.model))
    if file and file.exists():
        kept = pd.read_csv(file, keep_default_na=False)
        done = kept[kept.digest.isin(("", weights))].to_dict("records")
    seen = {(r["table"], int(r["rows"]), int(r["seed"]), r["model"]) for r in done}
    for source in sorted(given.data.glob("*.csv")):
        if given.tables and source.stem not in given.tables.split(","):
            continue
        target = source.open().readline().strip().split(",")[-1].strip('"')
        table = cm.read_table(source, target=target, kinds={target: cm.Kind.CATEGORICAL})
        for rows in map(int, given.rows.split(",")):
            for seed in map(int, given.seeds.split(",")):
                names = [
                    n for n in given.models.split(",") if (table.name, rows, seed, n) not in seen
                ]
                new = run(table, rows, seed, names, given.model, given.test_rows)
                done += new
                if file and new:
                    fresh = not file.exists()
                    with file.open("a", newline="") as out:
                        writer = csv.DictWriter(out, FIELDS)
                        if fresh:
                            writer.writeheader()
                        writer.writerows(new)
            print(f"{table.name} {rows}", flush=True)
    types = {"auc": float, "log_loss": float, "rows": int, "labelled": int}
    frame = pd.DataFrame(done).astype(types)
    text = summary(frame)
    stamp = datetime.now(UTC).strftime("%Y-%m-%d")
    head = (
        f"# Quality of the compact model\n\n{stamp}, {platform.machine()}, "
        f"{os.cpu_count()} cores; checkpoint digest {weights}; "
        f"seeds {', '.join(map(str, sorted(frame.seed.unique())))}; "
        f"{frame.note.astype(bool).sum()} failures among {len(frame)} runs.\n"
    )
    print(head + text)
    if given.out:
        (given.out / "compact_quality.md").write_text(head + text + "\n")


if __name__ == "__main__":
    main()
