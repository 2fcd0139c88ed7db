"""Typed tables and graphs in the store, each once, under its digest."""

from typing import Any

from causalmix_core.errors import StoreError
from causalmix_core.experiment.plan import Source, digest_of, graph_digest
from causalmix_core.experiment.store import Json, Store
from causalmix_core.graph.mixed_graph import MixedGraph
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table


def table_digest(table: Table) -> str:
    """Digest under which a typed table is kept, with all that can decide a run."""
    parts = [table.digest, table.name, sorted(table.set_aside)]
    # Groups, times and domains may stand in columns set aside; a model keeps how dates are written.
    beside = {
        "aside": table.aside_digest,
        "formats": dict(table.formats),
        "decimal": table.decimal,
    }
    told = {name: value for name, value in beside.items() if value}
    # Without any of it the digest is the one that earlier runs are found by.
    return digest_of(*parts, told) if told else digest_of(*parts)


def put_table(store: Store, project: str, table: Table) -> str:
    """Keep a typed table and return the digest under which it lies."""
    digest = table_digest(table)
    name = f"table-{digest}"
    if store.load_json(project, name) is not None:
        return digest
    store.save_frame(project, name, table.frame)
    if table.aside is not None and len(table.aside.columns):
        store.save_frame(project, f"{name}-aside", table.aside)
    about = {
        "name": table.name,
        "target": table.target,
        "kinds": {column: str(kind) for column, kind in table.kinds.items()},
        "levels": {column: list(levels) for column, levels in table.levels.items()},
        "formats": dict(table.formats),
        "decimal": table.decimal,
        "set_aside": dict(table.set_aside),
        "aside_kinds": {column: str(kind) for column, kind in table.aside_kinds.items()},
    }
    store.save_json(project, name, about)
    return digest


def get_table(store: Store, project: str, digest: str) -> Table:
    """Return the table that was kept under a digest."""
    name = f"table-{digest}"
    about = store.load_json(project, name)
    if about is None:
        raise StoreError("The table of this run is no longer in the project.")
    aside = None
    if any(frame.name == f"{name}-aside" for frame in store.frames(project)):
        aside = store.load_frame(project, f"{name}-aside")
    return Table(
        store.load_frame(project, name),
        {column: Kind(kind) for column, kind in about["kinds"].items()},
        about["target"],
        about["set_aside"],
        about["name"],
        {column: tuple(levels) for column, levels in about["levels"].items()},
        formats=about["formats"],
        decimal=about.get("decimal"),  # tables kept before do not tell
        aside=aside,
        aside_kinds={column: Kind(kind) for column, kind in about["aside_kinds"].items()},
    )


def put_graph(store: Store, project: str, graph: MixedGraph | None) -> str | None:
    """Keep a graph and return the digest under which it lies."""
    digest = graph_digest(graph)
    if graph is not None and store.load_json(project, f"graph-{digest}") is None:
        store.save_json(project, f"graph-{digest}", graph.to_dict())
    return digest


def get_graph(store: Store, project: str, digest: str | None) -> MixedGraph | None:
    """Return the graph that was kept under a digest; None for none."""
    if digest is None:
        return None
    content = store.load_json(project, f"graph-{digest}")
    if content is None:
        raise StoreError("The graph of this run is no longer in the project.")
    return MixedGraph.from_dict(content)


def reference(source: Source) -> dict[str, Json]:
    """Return what finds a source again once it is kept; equal for sources that are equal."""

    def digest(table: Table | None) -> str | None:
        return None if table is None else table_digest(table)

    return {
        "table": digest(source.table),
        "validation": digest(source.validation),
        "test": digest(source.test),
        "graph": graph_digest(source.graph),
        "group": source.group,
        "time": source.time,
    }


def put_source(store: Store, project: str, source: Source) -> dict[str, Json]:
    """Keep everything of a source and return what finds it again."""
    for table in (source.table, source.validation, source.test):
        if table is not None:
            put_table(store, project, table)
    put_graph(store, project, source.graph)
    return reference(source)


def get_source(store: Store, project: str, kept: dict[str, Any]) -> Source:
    """Return the source that `put_source` kept."""

    def table(digest: str | None) -> Table | None:
        return None if digest is None else get_table(store, project, digest)

    return Source(
        get_table(store, project, kept["table"]),
        table(kept["validation"]),
        table(kept["test"]),
        get_graph(store, project, kept["graph"]),
        kept["group"],
        kept["time"],
    )
