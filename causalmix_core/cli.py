"""The command line: the pages' library calls, for scripts.

Exit status: 0 done, 2 bad input or bad arguments, or no run of an experiment done (one line on
standard error), 130 interrupted, 1 a mistake of ours (set CAUSALMIX_DEBUG=1 to see where).
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from causalmix_core.errors import (
    Cancelled,
    CausalMixError,
    RunError,
    StoreError,
    TableError,
)
from causalmix_core.progress import Progress, silent

BAD_INPUT = 2
INTERRUPTED = 130

MOST_SEED = 2**32 - 1
"""Largest seed that every library takes."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


class _Bar:
    """Progress on standard error: one rewritten line on a terminal, else a line per 10 %."""

    def __init__(self) -> None:
        self._shown = -1.0
        self._terminal = sys.stderr.isatty()

    def __call__(self, fraction: float, sentence: str) -> None:
        fraction = min(max(fraction, 0.0), 1.0)
        if self._terminal:
            end = "\n" if fraction >= 1 else ""
            print(f"\r\x1b[K{fraction:4.0%}  {sentence}", end=end, file=sys.stderr, flush=True)
        elif fraction >= self._shown + 0.1 or (fraction >= 1 and self._shown < 1):
            self._shown = fraction
            print(f"{fraction:4.0%}  {sentence}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    # An interrupt in the middle of a query is told below, not by the connection it broke.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    progress: Progress = silent if options.quiet else _Bar()
    run: Callable[[argparse.Namespace, Progress], None] = options.run
    try:
        run(options, progress)
    except (KeyboardInterrupt, Cancelled):
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except CausalMixError as error:
        return _complain(str(error), BAD_INPUT)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}.", BAD_INPUT)
    except Exception as error:
        if os.environ.get("CAUSALMIX_DEBUG"):
            raise
        return _complain(f"Unexpected {type(error).__name__}: {error}", 1)
    return 0


def _complain(message: str, status: int) -> int:
    print(" ".join(message.split()), file=sys.stderr)
    return status


# What each command does


def _inspect(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.table import inspect

    report = inspect(_read_table(options))
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False))
        return
    print(f"{report['rows']} rows, {len(report['columns'])} columns")
    width = max(len(column["name"]) for column in report["columns"])
    for column in report["columns"]:
        notes = [f"{column['distinct']} different"]
        if column["missing"]:
            notes.append(f"{column['missing']} missing")
        if column["set_aside"]:
            notes.append(f"set aside: {column['set_aside']}")
        print(f"  {column['name']:<{width}}  {column['kind']:<11}  {', '.join(notes)}")
    for warning in report["warnings"]:
        print(f"Note: {warning}")


def _split(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.table import split, to_csv

    table = _read_table(options)
    out = _fresh_folder(options.out)
    parts = split(table, options.train_rows, options.seed, group=options.group, time=options.time)
    out.mkdir(parents=True, exist_ok=True)
    for name, part in zip(("train", "validation", "test"), parts, strict=True):
        (out / f"{name}.csv").write_bytes(to_csv(part.frame))
        print(f"{name}: {len(part)} rows")
    for warning in parts[0].warnings:
        print(f"Note: {warning}", file=sys.stderr)


def _discover(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.discovery import discover
    from causalmix_core.graph import MixedGraph

    table = _read_table(options)
    knowledge = MixedGraph.load(options.knowledge).knowledge if options.knowledge else None
    graph = discover(
        table,
        algorithm=options.algorithm,
        alpha=options.alpha,
        bootstraps=options.bootstraps,
        seed=options.seed,
        test=options.test,
        knowledge=knowledge,
        max_degree=options.max_degree,
        draws=options.draws,
        progress=progress,
    )
    graph.save(options.out)
    print(f"{len(graph.edges)} edges between {len(graph.nodes)} columns ({graph.graph_type})")


def _synthesize(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.augment import generator
    from causalmix_core.graph import MixedGraph
    from causalmix_core.table import to_csv

    table = _read_table(options)
    settings: dict[str, Any] = {}
    if options.method == "causal":
        settings |= {"quality": options.quality, "dags": options.dags, "do": dict(options.do)}
        if options.graph:
            settings["graph"] = MixedGraph.load(options.graph)
    elif options.graph:
        raise TableError(f"--graph is for --method causal; {options.method} does not use a graph.")
    elif options.do:
        raise TableError(f"--do is for --method causal; {options.method} knows no causes.")
    made = generator(options.method, rules=options.rule, **settings).fit(table, progress=progress)
    balance = _class_shares(options.class_share)
    rows = made.sample(options.rows, seed=options.seed, balance=balance, progress=progress)
    for note in made.notes_:
        print(note)
    Path(options.out).write_bytes(to_csv(rows))
    print(f"{len(rows)} rows by {options.method}")


def _class_shares(pairs: list[tuple[str, str]]) -> dict[str, float] | None:
    if not pairs:
        return None
    try:
        return {level: float(share) for level, share in pairs}
    except ValueError:
        raise TableError(
            "--class-share takes CLASS=SHARE with a number, such as ill=0.5."
        ) from None


def _compare(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.fidelity import compare

    train = _read_table(options)
    rows = {}
    for entry in options.rows:
        name, separator, path = entry.partition("=")
        if not separator or not name or not path:
            raise TableError(f"--rows takes NAME=rows.csv, not {entry!r}.")
        if name in rows:
            raise TableError(f"--rows names {name!r} twice; give each file a name of its own.")
        rows[name] = _read(path, options, like=train).frame
    holdout = _read(options.holdout, options, like=train) if options.holdout else None
    graph = _graph(options)
    report = compare(
        rows, train=train, holdout=holdout, graph=graph, seed=options.seed, progress=progress
    )
    text = json.dumps(report.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
    Path(options.out).write_text(text + "\n", encoding="utf-8")
    if options.html:
        Path(options.html).write_text(report.to_html(), encoding="utf-8")
    for name, figures in report.to_dict()["generators"].items():
        shown = {
            figure: figures[figure]
            for figure in ("shape", "trend", "two_sample_auc")
            if figures[figure] is not None
        }
        print(name + ": " + ", ".join(f"{figure} {value:.3f}" for figure, value in shown.items()))


def _finetune(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.experiment.experiment import GIVEN_GRAPH
    from causalmix_core.experiment.plan import Source

    table = _read_table(options)
    if options.graph and not options.quiet:
        print(
            f"Note: {GIVEN_GRAPH} Without --graph each run finds one in its own training rows.",
            file=sys.stderr,
        )
    source = Source(
        table,
        validation=_read(options.validation, options, like=table) if options.validation else None,
        test=_read(options.test, options, like=table) if options.test else None,
        graph=_graph(options),
        group=options.group,
        time=options.time,
    )
    _experiment((source,), (options.train_rows,), options, progress)


def _benchmark(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.experiment.plan import Source
    from causalmix_core.table import Kind, find_bins, read_raw, read_table

    if options.runner == "ray":
        raise RunError("Runs on a Ray cluster are not built yet; use --runner local.")
    folder = Path(options.suite)
    if not folder.is_dir():
        raise StoreError(f"There is no folder {folder}; give one that holds CSV files.")
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise StoreError(f"The folder {folder} holds no CSV file.")
    # In a suite the target is the last column, unless a file says otherwise by having `--target`.
    columns = {file: read_raw(file).columns for file in files}
    if options.target and not any(options.target in names for names in columns.values()):
        raise TableError(
            f"No file in {folder} has the column {options.target!r}; without --target the last "
            "column of every file is the target."
        )
    sources = []
    for file, names in columns.items():
        target = options.target if options.target in names else names[-1]
        table = read_table(file, target)
        if options.bins and table.kinds[target] in (Kind.NUMERIC, Kind.INTEGER):
            table = find_bins(table, bins=options.bins).apply(table)
        sources.append(Source(table))
    _experiment(tuple(sources), options.train_rows, options, progress)


def _experiment(
    sources: tuple[Any, ...],
    train_rows: tuple[int | None, ...],
    options: argparse.Namespace,
    progress: Progress,
) -> None:
    from causalmix_core.experiment.experiment import run_experiment
    from causalmix_core.experiment.plan import Plan

    plan = Plan(
        sources,
        methods=options.methods,
        seeds=options.seeds,
        train_rows=train_rows,
        model=options.model,
        settings=_settings(options),
        domain=options.domain,
        causal={"quality": options.quality},
    )
    outcome = run_experiment(plan, options.out, resume=options.resume, progress=progress)
    print(outcome.summary)
    if "done" not in set(outcome.results["status"]):
        errors = outcome.results["error"].dropna()
        raise RunError(errors.iloc[0] if len(errors) else "No run was done.")


def _settings(options: argparse.Namespace) -> Any:
    import json

    from causalmix_core.finetune import Settings

    values: dict[str, Any] = {}
    if options.settings:
        try:
            values = json.loads(Path(options.settings).read_text(encoding="utf-8"))
        except ValueError as error:
            raise RunError(f"{options.settings} is no JSON: {error}") from None
        if not isinstance(values, dict):
            raise RunError(f"{options.settings} must hold an object of settings.")
    if options.max_steps is not None:
        values["steps"] = options.max_steps
    return Settings.from_dict(values)


def _graph(options: argparse.Namespace) -> Any:
    from causalmix_core.graph import MixedGraph

    return MixedGraph.load(options.graph) if options.graph else None


def _export(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.experiment.bundle import export_project
    from causalmix_core.experiment.store import Store

    store = Store()
    named = [entry for entry in store.list() if options.project in (entry.id, entry.name)]
    if len(named) != 1:
        raise StoreError(
            f"There is no project {options.project!r} in {store.home}."
            if not named
            else f"{len(named)} projects are named {options.project!r}; give the id instead: "
            + ", ".join(entry.id for entry in named)
        )
    export_project(store, named[0].id, Path(options.out))
    print(f"Exported {named[0].name} to {options.out}")


def _import(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.experiment.bundle import import_project
    from causalmix_core.experiment.store import Store

    project = import_project(Store(), Path(options.bundle))
    print(f"Imported {project.name} as {project.id}")


def _mlflow(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.experiment.mlflow_export import export_folder

    count = export_folder(options.results, options.tracking, options.experiment)
    print(f"{count} runs logged to MLflow")


def _predict(options: argparse.Namespace, progress: Progress) -> None:
    from causalmix_core.finetune import TunedModel
    from causalmix_core.table import to_csv

    model = TunedModel.load(options.model)
    table = model.read(options.table)
    for warning in table.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    predictions = model.predict(table, progress)
    Path(options.out).write_bytes(to_csv(predictions))
    print(f"{len(predictions)} {'row' if len(predictions) == 1 else 'rows'} predicted")


# Shared pieces


def _read_table(options: argparse.Namespace) -> Any:
    """Read a command's TABLE with the target, kinds and bins it was given."""
    from causalmix_core.table import find_bins, read_table

    table = read_table(options.table, options.target, **_kinds(options))
    return find_bins(table, bins=options.bins).apply(table) if options.bins else table


def _read(path: str, options: argparse.Namespace, *, like: Any) -> Any:
    """Read another table to the columns and kinds of `like`, numbers of the target to its bins."""
    from causalmix_core.table import find_bins, read_table

    table = read_table(path, like=like)
    if not options.bins or like.target not in table.kinds:
        return table
    if set(like.y.dropna()) & set(table.frame[like.target]):  # in bins already
        return table
    numbers = read_table(options.table, options.target, **_kinds(options))
    return find_bins(numbers, bins=options.bins).apply(read_table(path, like=numbers))


def _kinds(options: argparse.Namespace) -> dict[str, Any]:
    """Read --kinds: a JSON object of column and kind, or values in their order (ordinal)."""
    if not options.kinds:
        return {}
    try:
        kinds = json.loads(Path(options.kinds).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        kinds = None
    if not isinstance(kinds, dict):
        raise TableError(
            f'{options.kinds} should hold kinds such as {{"age": "integer"}}, or the values of an '
            'ordinal column in their order: {"size": ["small", "large"]}.'
        )
    levels = {column: list(map(str, kind)) for column, kind in kinds.items() if type(kind) is list}
    return {
        "kinds": {c: "ordinal" if c in levels else str(kind) for c, kind in kinds.items()},
        "levels": levels,
    }


def _fresh_folder(path: str) -> Path:
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file; name a folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise StoreError(f"The folder {folder} is not empty; name a new one.")
    return folder


# Arguments


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="causalmix_core",
        description="Causal graphs, synthetic rows and fine-tuning for small tables.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace, Progress], None], help_text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text)
        sub.set_defaults(run=run)
        sub.add_argument("--quiet", action="store_true", help="report no progress")
        if name not in ("finetune", "benchmark"):
            sub.add_argument("--seed", type=_seed, default=0, help="same seed, same bytes")
        return sub

    def takes_table(sub: argparse.ArgumentParser, target_required: bool = False) -> None:
        sub.add_argument("table", metavar="TABLE", help="CSV, TSV, Excel or Parquet file")
        sub.add_argument("--target", required=target_required, help="the column to be predicted")
        sub.add_argument(
            "--kinds",
            help="JSON file of kinds that differ from the guesses; a list of values is an order",
        )
        takes_bins(sub)

    def takes_bins(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--bins", type=_bins, help="put a target of numbers into so many bins")

    sub = command("inspect", _inspect, "Say what the columns of a table hold.")
    takes_table(sub)
    sub.add_argument("--json", action="store_true", help="print the report as JSON")

    sub = command("split", _split, "Part a table into training, validation and test rows.")
    takes_table(sub, target_required=True)
    sub.add_argument("--train-rows", type=_positive, help="labelled rows, a third for validation")
    ways = sub.add_mutually_exclusive_group()
    ways.add_argument("--group", help="rows with the same value in this column stay together")
    ways.add_argument("--time", help="the latest rows by this column are the test rows")
    sub.add_argument("--out", required=True, help="folder for the three CSV files")

    sub = command("discover", _discover, "Find the causal graph of a table by PC and FCI.")
    takes_table(sub)
    sub.add_argument("--out", required=True, type=_file, help="the graph file (JSON)")
    sub.add_argument("--algorithm", choices=["both", "pc", "fci"], default="both")
    sub.add_argument("--alpha", type=float, default=0.05, help="level of the tests")
    sub.add_argument("--bootstraps", type=_not_negative, default=50, help="0: the whole table once")
    sub.add_argument(
        "--test", choices=["auto", "fisherz", "gsq", "degenerate-gaussian"], default="auto"
    )
    sub.add_argument(
        "--draws",
        choices=["bootstrap", "half"],
        default="bootstrap",
        help="resamples: all rows with replacement, or half of them without",
    )
    sub.add_argument("--knowledge", help="graph file whose knowledge is obeyed")
    sub.add_argument("--max-degree", type=_not_negative, help="most conditions per test")

    sub = command("synthesize", _synthesize, "Make synthetic rows from the rows of a table.")
    takes_table(sub)
    sub.add_argument("--method", required=True, help="causal, mixup, smote, …")
    sub.add_argument("--rows", type=_positive, required=True, help="how many")
    sub.add_argument("--out", required=True, type=_file, help="CSV file for the rows")
    sub.add_argument("--graph", help="graph file for the causal model; else one is searched")
    sub.add_argument("--quality", choices=["good", "better", "best"], default="good")
    sub.add_argument(
        "--dags", type=_positive, default=10, help="graphs in the mixture where directions are open"
    )
    sub.add_argument(
        "--rule", action="append", default=[], help="kept by every row, such as 'start <= end'"
    )
    sub.add_argument(
        "--class-share", action="append", default=[], type=_class_share, metavar="CLASS=SHARE",
        help="wanted share of a class; classes not named get no rows",
    )  # fmt: skip
    sub.add_argument(
        "--do", action="append", default=[], type=_domain, metavar="COLUMN=VALUE",
        help="set a column by hand, whatever its causes say (an intervention)",
    )  # fmt: skip

    sub = command("compare", _compare, "Compare synthetic rows with real ones.")
    takes_table(sub, target_required=True)
    sub.add_argument("--rows", nargs="+", required=True, metavar="NAME=rows.csv")
    sub.add_argument("--out", required=True, type=_file, help="the report (JSON)")
    sub.add_argument("--html", type=_file, help="the report as a page")
    sub.add_argument("--graph", help="graph file whose independencies are checked")
    sub.add_argument("--holdout", help="real rows that no generator has seen")

    def takes_plan(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "--methods", type=_names, default=("none", "default", "causalmix", "mixup", "smote")
        )
        sub.add_argument("--seeds", type=_seeds, default=(0, 1, 2), help="such as 0,1,2")
        sub.add_argument("--out", required=True, help="folder for results, curves and models")
        sub.add_argument("--model", default="compact", help="compact, tabpfn-v2 or a file")
        sub.add_argument("--max-steps", type=_positive, help="gradient steps of a run at most")
        sub.add_argument(
            "--settings", help="JSON file of further settings, such as mixing and stopping"
        )
        sub.add_argument("--quality", choices=["good", "better", "best"], default="good")
        sub.add_argument("--domain", type=_domain, metavar="COLUMN=VALUE", help="rows held out")
        sub.add_argument("--resume", action="store_true", help="go on in a folder begun before")

    sub = command("finetune", _finetune, "Fine-tune a foundation model by several methods.")
    takes_table(sub, target_required=True)
    takes_plan(sub)
    sub.add_argument("--graph", help="graph file for the causal methods; else one is searched")
    sub.add_argument("--validation", help="table of validation rows")
    sub.add_argument("--test", help="table of test rows")
    sub.add_argument("--train-rows", type=_positive, help="labelled rows, a third for validation")
    ways = sub.add_mutually_exclusive_group()
    ways.add_argument("--group", help="rows with the same value in this column stay together")
    ways.add_argument("--time", help="the latest rows by this column are the test rows")

    sub = command("benchmark", _benchmark, "Fine-tune on every table of a folder.")
    sub.add_argument("suite", metavar="DIR_OR_SUITE", help="folder of CSV files, target last")
    sub.add_argument("--target", help="the target's name, where it is not the last column")
    takes_bins(sub)
    takes_plan(sub)
    sub.add_argument("--train-rows", type=_sizes, default=(None,), help="such as 128,256")
    sub.add_argument("--runner", choices=["local", "ray"], default="local")

    sub = command("export", _export, "Write a project with all it needs to one file.")
    sub.add_argument("project", metavar="PROJECT", help="its id or name")
    sub.add_argument("--out", required=True, help="the bundle (.zip)")

    sub = command("import", _import, "Bring in a project from a bundle.")
    sub.add_argument("bundle", metavar="BUNDLE", help="a file that export wrote")

    sub = command("mlflow", _mlflow, "Log the runs of a results folder to MLflow, if installed.")
    sub.add_argument("results", metavar="DIR", help="a folder that finetune or benchmark wrote")
    sub.add_argument("--tracking", help="MLflow's tracking address; else MLflow's own setting")
    sub.add_argument("--experiment", default="causalmix", help="its name in MLflow")

    sub = command("predict", _predict, "Predict the rows of a table with a tuned model.")
    sub.add_argument("model", metavar="TUNED_MODEL", help="a model saved by finetune")
    sub.add_argument("table", metavar="TABLE", help="the rows to predict")
    sub.add_argument("--out", required=True, type=_file, help="CSV file for the predictions")
    return parser


def _positive(text: str) -> int:
    return _whole(text, 1)


def _not_negative(text: str) -> int:
    return _whole(text, 0)


def _bins(text: str) -> int:
    return _whole(text, 2)


def _seed(text: str) -> int:
    seed = _whole(text, 0)
    if seed > MOST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r} is above {MOST_SEED}, the largest seed")
    return seed


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return number


def _file(text: str) -> str:
    """Refuse a file that cannot be written, before the work that it is for."""
    if not Path(text).parent.is_dir():
        raise argparse.ArgumentTypeError(
            f"there is no folder {Path(text).parent} for {Path(text).name}; make it first"
        )
    return text


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(_seed(part) for part in _names(text))


def _sizes(text: str) -> tuple[int | None, ...]:
    return tuple(_positive(part) for part in _names(text))


def _class_share(text: str) -> tuple[str, str]:
    level, separator, share = text.rpartition("=")  # a class may be named ">=50"
    if not separator or not level:
        raise argparse.ArgumentTypeError(f"{text!r} should read CLASS=SHARE")
    return level, share


def _domain(text: str) -> tuple[str, str]:
    column, separator, value = text.partition("=")
    if not separator or not column:
        raise argparse.ArgumentTypeError(f"{text!r} should read COLUMN=VALUE")
    return column, value
