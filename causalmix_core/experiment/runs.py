"""Fine-tuning runs as jobs: from a plan to queued jobs, and what a worker does with each.

Per table, size and seed a ``prepare`` job draws the rows, finds the graph where none is given and
samples every generator's rows, once for all methods; a ``finetune`` job per method follows. A job
whose key (tables, graph, method, checkpoint, settings, seed, threads, our version) was done before
is not done again, and nothing is prepared for it; rows that were prepared serve later runs too.
"""

import shlex
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from causalmix_core import __version__
from causalmix_core.errors import Cancelled, CausalMixError, RunError, StoreError
from causalmix_core.experiment.jobs import Job, Lease, State, jobs, start_job, tend
from causalmix_core.experiment.jobs import job as look_up
from causalmix_core.experiment.plan import Plan, Source, digest_of, model_digest, splits
from causalmix_core.experiment.store import Json, Store
from causalmix_core.experiment.tables import get_graph, get_source, put_graph, put_source
from causalmix_core.finetune.loop import OnPoints, ignore
from causalmix_core.finetune.methods import FIT_SHARE, METHODS, pool_size
from causalmix_core.finetune.run import Run
from causalmix_core.finetune.run import finetune as run
from causalmix_core.finetune.settings import Settings
from causalmix_core.graph.mixed_graph import MixedGraph
from causalmix_core.progress import Progress, part, silent

PREPARE, FINETUNE = "prepare", "finetune"


def launch(store: Store, project: str, plan: Plan, *, workers: bool = True) -> list[str]:
    """Queue every run of a plan and return the runs' job ids, in the plan's order.

    Args:
        store: where the project lies.
        project: the project's id.
        plan: what to run.
        workers: False leaves starting workers to the caller (`jobs.wait` starts them).
    """
    model = model_digest(plan.model)
    settings = plan.settings.to_dict()
    known = {job.key: job for job in jobs(store, project)}
    ids = []
    for source in plan.sources:
        kept = put_source(store, project, source)
        for train_rows in plan.train_rows:
            for seed in plan.seeds:
                common: dict[str, Json] = {
                    "source": kept,
                    "name": source.table.name,
                    "target": source.table.target,
                    "version": __version__,
                    "train_rows": train_rows,
                    "seed": seed,
                    "domain": list(plan.domain) if plan.domain else None,
                    "settings": settings,
                    "causal": dict(plan.causal),
                }
                requests = {
                    name: {**common, "method": name, "model": plan.model, "digest": model}
                    for name in plan.methods
                }
                keys = {
                    name: digest_of(FINETUNE, {**request, "prepared": None}, __version__)
                    for name, request in requests.items()
                }
                # A run that is known already has rows that were prepared for it.
                needed = {
                    name: _generators(name, plan, source)
                    for name in plan.methods
                    if keys[name] not in known
                }
                every = set[str]().union(*needed.values())
                prepared = _prepare(store, project, common, every, known) if every else None
                for name, request in requests.items():
                    after = [prepared] if prepared and needed.get(name) else []
                    if after:
                        request["prepared"] = prepared
                    ids.append(
                        start_job(
                            store,
                            project,
                            FINETUNE,
                            request,
                            key=keys[name],
                            after=after,
                            launch=False,
                        )
                    )
    if workers:
        tend(store)
    return ids


def _generators(method: str, plan: Plan, source: Source) -> set[str]:
    """The generators whose rows, or whose graph to be judged by, a run waits for."""
    kind = METHODS[method]
    needed = set() if kind.generator is None else {kind.generator}
    judged = plan.settings.stopping.rule == "synthetic" and not kind.is_yardstick
    if judged and source.graph is None and "causal" in plan.generators:
        needed.add("causal")
    return needed


def _prepare(
    store: Store,
    project: str,
    common: Mapping[str, Json],
    generators: set[str],
    known: Mapping[str | None, Job],
) -> str:
    """Return the job that prepares the generators' rows: one that did or will, or a new one."""
    request = {**common, "generators": sorted(generators)}
    for job in known.values():
        if job.kind != PREPARE or (job.state.is_over and job.state is not State.DONE):
            continue
        made: list[str] = job.request["generators"]
        if generators <= set(made) and {**request, "generators": made} == job.request:
            return job.id
    key = digest_of(PREPARE, request, __version__)
    return start_job(store, project, PREPARE, request, key=key, launch=False)


def prepare(store: Store, job: Job, lease: Lease) -> Json:
    """Draw a run's rows, find its graph and sample every generator's rows.

    A generator that does not apply, or has a mistake, is named in the result with its reason; the
    others go on.
    """
    from causalmix_core.augment import generator

    request = job.request
    source, rows = _rows_of(store, job)
    settings = Settings.from_dict(request["settings"])
    graph, refused = source.graph, {}
    names: list[str] = request["generators"]
    for i, name in enumerate(names):
        progress = part(lease.progress, i / len(names), (i + 1) / len(names))
        params: dict[str, Any] = {}
        if name == "causal":
            params = {"graph": graph, "graph_seed": request["seed"], **request["causal"]}
        try:
            maker = generator(name, **params).fit(
                rows.train, progress=part(progress, 0.0, FIT_SHARE)
            )
            pool = maker.sample(
                pool_size(name, len(rows.train), settings),
                seed=request["seed"],
                progress=part(progress, FIT_SHARE, 1.0),
            )
        except (Cancelled, StoreError, SQLAlchemyError, MemoryError):
            # Not the generator's doing: it was told to stop, or the store or the machine is full.
            raise
        except CausalMixError as error:
            refused[name] = str(error)
            continue
        except Exception as error:
            traceback.print_exc()
            refused[name] = f"Unexpected {type(error).__name__}: {error}"
            continue
        store.save_frame(job.project, _pool_name(job.id, name), pool)
        if name == "causal" and graph is None:
            graph = maker.graph_  # type: ignore[attr-defined]
    return {"graph": put_graph(store, job.project, graph), "refused": refused}


def finetune(store: Store, job: Job, lease: Lease) -> Json:
    """Do one run; its curves go into the store as they grow, its model beside it."""
    folder = store.folder(job.project)
    saved = folder / "running" / f"{job.id}.safetensors"
    saved.parent.mkdir(exist_ok=True)
    _forget_peak()
    done = compute(store, job, saved=saved, progress=lease.progress, on_points=lease.measure)
    lease.check()
    if done.model is not None:
        done.model.save(model_file(store, job))
    for leftover in saved.parent.glob(f"{job.id}.*"):
        leftover.unlink()
    metrics = {**done.metrics, "memory_mb": _peak_memory()}
    return {
        "metrics": {name: _number(value) for name, value in metrics.items()},
        "diagnosis": dict(done.diagnosis),
    }


def compute(
    store: Store,
    job: Job,
    *,
    saved: Path | None = None,
    progress: Progress = silent,
    on_points: OnPoints = ignore,
) -> Run:
    """Do a run from what the store holds: its rows, graph, synthetic rows and settings.

    Raises:
        RunError: the model's file is another one than when the run was planned, or a generator
            does not apply to the rows.
    """
    request = job.request
    if model_digest(request["model"]) != request["digest"]:
        raise RunError(
            f"The model {request['model']!r} is not the one this run was planned with; launch the "
            "run again."
        )
    source, rows = _rows_of(store, job)
    method = METHODS[request["method"]]
    done = run(
        rows.train,
        rows.validation,
        rows.test,
        method.name,
        graph=_graph_found(store, job) if source.graph is None else source.graph,
        causal=request["causal"],
        seed=request["seed"],
        model=request["model"],
        settings=Settings.from_dict(request["settings"]),
        domain=rows.domain,
        synthetic=_pool(store, job, method.generator),
        group=source.group,
        saved=saved,
        progress=progress,
        on_points=on_points,
    )
    return replace(done, metrics={**done.metrics, "table": request["name"]})


def repeat_command(store: Store, job: Job) -> str:
    """The command that does a run once more and says whether its figures are the same."""
    home = shlex.quote(str(store.home.resolve()))
    return f"python -m causalmix_core.experiment.repeat {home} {job.id}"


def model_file(store: Store, job: Job) -> Path:
    """The file of a run's tuned model; it exists once the run is done."""
    return store.folder(job.project) / "models" / f"{job.id}.safetensors"


def _rows_of(store: Store, job: Job) -> Any:
    request = job.request
    source = get_source(store, job.project, request["source"])
    domain = tuple(request["domain"]) if request["domain"] else None
    return source, splits(source, request["train_rows"], request["seed"], domain)


def refusal(job: Job, prepared: Job | None) -> str | None:
    """Why a run's synthetic rows cannot be made, as far as its ``prepare`` job knows."""
    refused: dict[str, str] = ((prepared and prepared.result) or {}).get("refused", {})
    return refused.get(METHODS[job.request["method"]].generator or "")


def _pool(store: Store, job: Job, generator: str | None) -> pd.DataFrame | None:
    if generator is None:
        return None
    prepared = look_up(store, job.request["prepared"])
    if reason := refusal(job, prepared):
        raise RunError(reason)
    return store.load_frame(job.project, _pool_name(prepared.id, generator))


def _graph_found(store: Store, job: Job) -> MixedGraph | None:
    """The graph that was found before in the run's training rows, to draw rows to judge by.

    None where it must not be used: a fold of cross-fitted stopping searches in its own rows.
    """
    if job.request["settings"]["stopping"]["rule"] != "synthetic" or "prepared" not in job.request:
        return None
    prepared = look_up(store, job.request["prepared"])
    return get_graph(store, job.project, (prepared.result or {}).get("graph"))


def _pool_name(job_id: str, generator: str) -> str:
    return f"pool-{job_id}-{generator}"


def _forget_peak() -> None:
    """Start counting the peak of this process's memory afresh, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_memory() -> float | None:
    """Largest memory this process has used, in megabytes; None where nobody counts it."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1e3, 1)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
