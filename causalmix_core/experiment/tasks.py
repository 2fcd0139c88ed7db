"""What each kind of job does; called by the worker only."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from causalmix_core.errors import StoreError
from causalmix_core.experiment import runs
from causalmix_core.experiment.jobs import Job, Lease
from causalmix_core.experiment.store import Json, Store
from causalmix_core.experiment.workspace import COMPARISON, MECHANISMS, Recipe, Rows, Workspace
from causalmix_core.graph.edits import History
from causalmix_core.graph.graph_file import knowledge_from_dict
from causalmix_core.progress import part

Task = Callable[[Store, Job, Lease], Json]


def discover(store: Store, job: Job, lease: Lease) -> Json:
    """Find the graph in the rows that are no test rows; it becomes the project's graph.

    The request holds `discover`'s settings by their names, and the `table_key` it was made at.
    """
    from causalmix_core.discovery import discover as search

    workspace = Workspace(store, job.project)
    key = workspace.table_key()
    development, _ = workspace.parts()
    settings: dict[str, Any] = {k: v for k, v in job.request.items() if k != "table"}
    settings["knowledge"] = knowledge_from_dict(settings.get("knowledge") or {})
    graph = search(development, **settings, progress=lease.progress)
    lease.check()
    before = workspace.graph()
    if before is not None:  # nodes stay where the analyst put them
        kept = {node: place for node, place in before.layout.items() if node in set(graph.nodes)}
        graph = graph.with_layout(kept)
    workspace.check_key(key, "the search ran", "search again")
    workspace.put_history(History(graph))
    return {"edges": len(graph.edges), "type": graph.graph_type}


def synthesize(store: Store, job: Job, lease: Lease) -> Json:
    """Fit generators on the training rows, keep their rows, and compare them.

    The request holds ``recipes`` (`Recipe` as dicts, without inputs) and the `table_key` it was
    made at; a generator that does not apply is named in the result with its reason, and the others
    go on. Earlier rows stand until all the new ones are made. Rows that cannot be compared are
    kept, and the comparison says why.
    """
    from causalmix_core.augment import generator
    from causalmix_core.augment.causal import Causal
    from causalmix_core.errors import GeneratorError, MechanismError, TableError
    from causalmix_core.experiment.plan import graph_digest
    from causalmix_core.fidelity import compare

    workspace = Workspace(store, job.project)
    key = workspace.table_key()
    recipes = [Recipe(**each) for each in job.request["recipes"]]
    refused: dict[str, str] = {}
    made: dict[str, Rows] = {}
    mechanisms: Json | None = None
    first = recipes[0]
    training, validation = workspace.drawn(first.train_rows, first.draw_seed)
    for index, recipe in enumerate(recipes):
        report = part(lease.progress, 0.7 * index / len(recipes), 0.7 * (index + 1) / len(recipes))
        settings = generator_settings(workspace, recipe)
        inputs = workspace.inputs_of(recipe, training)  # before fitting: the graph may be edited
        try:
            maker = generator(recipe.method, **settings).fit(training, progress=report)
            frame = maker.sample(
                recipe.rows, seed=recipe.seed, balance=recipe.balance, progress=report
            )
        except (GeneratorError, MechanismError) as error:
            refused[recipe.method] = str(error)
            continue
        made[recipe.method] = Rows(replace(recipe, inputs=inputs), frame, tuple(maker.notes_))
        if isinstance(maker, Causal):
            found = [mechanism.to_dict() for mechanism in maker.scm_.diagnostics]
            mechanisms = {"nodes": found, "inputs": inputs}
    if made:
        lease.check()
        workspace.check_key(key, "the rows were made", "make them again")
        workspace.forget_rows()
        for rows in made.values():
            workspace.put_rows(rows)
        if mechanisms is not None:
            store.save_json(job.project, MECHANISMS, mechanisms)
        graph = workspace.graph()
        comparison: dict[str, Any] = {
            "inputs": {method: rows.recipe.inputs for method, rows in made.items()},
            "graph": graph_digest(graph),
        }
        try:
            card = compare(
                {method: rows.frame for method, rows in made.items()},
                train=training,
                holdout=validation,
                graph=graph,
                seed=first.seed,
                progress=part(lease.progress, 0.7, 1.0),
            )
            comparison["report"] = card.to_dict()
        except TableError as error:
            comparison["problem"] = str(error)
        workspace.check_key(key, "the rows were made", "make them again")
        store.save_json(job.project, COMPARISON, comparison)
    return {"made": list(made), "refused": refused}


def generator_settings(workspace: Workspace, recipe: Recipe) -> Mapping[str, Any]:
    """Return a recipe's settings with what JSON cannot hold: the project's graph."""
    if recipe.method != "causal":
        return recipe.settings
    graph = workspace.graph()
    if graph is None:
        raise StoreError("There is no graph yet; find or draw one on the Graph page.")
    return {**recipe.settings, "graph": graph}


TASKS: dict[str, Task] = {
    "discover": discover,
    "synthesize": synthesize,
    runs.PREPARE: runs.prepare,
    runs.FINETUNE: runs.finetune,
}


def perform(store: Store, job: Job, lease: Lease) -> Json:
    """Do a job and return its result (JSON); larger results go into the store."""
    if job.kind not in TASKS:
        raise StoreError(f"There is no kind of job {job.kind!r}; choose one of {sorted(TASKS)}.")
    return TASKS[job.kind](store, job, lease)
