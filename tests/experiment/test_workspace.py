"""A project whose table changes while something is made from it: nothing stale is kept."""

from dataclasses import asdict, replace

import pytest

import causalmix_core.augment
import causalmix_core.discovery
from causalmix_core.errors import TableError
from causalmix_core.experiment import jobs
from causalmix_core.experiment.jobs import State, start_job
from causalmix_core.experiment.store import TABLE, Store
from causalmix_core.experiment.worker import serve
from causalmix_core.experiment.workspace import COMPARISON, HISTORY, Choices, Recipe, Workspace
from causalmix_core.graph import Edge, Knowledge, Mark, MixedGraph
from causalmix_core.graph.edits import History, RemoveEdge, SetKnowledge
from causalmix_core.table import RawTable, examples


@pytest.fixture
def space(tmp_path) -> Workspace:
    store = Store(tmp_path / "home")
    raw = examples.load_raw("health")
    workspace = Workspace(store, store.create("p").id)
    small = RawTable(raw.frame.head(120).copy(), raw.settings, raw.name)
    workspace.put_raw(small, Choices(target="disease"))
    return workspace


def _other_split(space: Workspace) -> None:
    """Let other rows become test rows, as another tab does between two of the worker's looks."""
    choices = replace(space.choices(), split_seed=1)
    space.store.save_json(space.project, TABLE, asdict(choices))
    space.store.delete_json(space.project, HISTORY)


def _synthesis(*methods: str) -> dict:
    return {"recipes": [asdict(Recipe(method, rows=20)) for method in methods]}


def test_a_graph_found_in_rows_that_became_test_rows_is_not_kept(space, monkeypatch):
    search = causalmix_core.discovery.discover

    def found(*arguments, **settings):
        graph = search(*arguments, **settings)
        _other_split(space)
        return graph

    monkeypatch.setattr(causalmix_core.discovery, "discover", found)
    job = start_job(space.store, space.project, "discover", {"bootstraps": 0}, launch=False)
    serve(space.store, job)
    ended = jobs.job(space.store, job)
    assert ended.state is State.FAILED
    assert ended.error == "The table or its target changed while the search ran; search again."
    assert space.history() is None


def test_rows_made_from_rows_that_became_test_rows_are_not_kept(space, monkeypatch):
    build = causalmix_core.augment.generator

    def built(*arguments, **settings):
        _other_split(space)
        return build(*arguments, **settings)

    monkeypatch.setattr(causalmix_core.augment, "generator", built)
    job = start_job(space.store, space.project, "synthesize", _synthesis("bootstrap"), launch=False)
    serve(space.store, job)
    ended = jobs.job(space.store, job)
    assert ended.state is State.FAILED
    assert "changed while the rows were made; make them again." in ended.error
    assert space.rows() == {}


def test_earlier_rows_stand_until_all_the_new_ones_are_made(space):
    def ended(*methods: str) -> State:
        job = start_job(
            space.store, space.project, "synthesize", _synthesis(*methods), launch=False
        )
        serve(space.store, job)
        return jobs.job(space.store, job).state

    def compared() -> set[str]:
        return set(space.store.load_json(space.project, COMPARISON)["report"]["generators"])

    assert ended("bootstrap") is State.DONE
    assert ended("mixup", "causal") is State.FAILED  # there is no graph
    assert set(space.rows()) == compared() == {"bootstrap"}
    assert ended("mixup") is State.DONE
    assert set(space.rows()) == compared() == {"mixup"}


def test_another_choice_about_the_table_stops_what_is_being_made_from_it(space):
    request = {"bootstraps": 0}
    search = start_job(space.store, space.project, "discover", request, launch=False)
    space.choose(space.choices())
    assert jobs.job(space.store, search).state is State.QUEUED
    space.choose(replace(space.choices(), target="smoker"))
    assert jobs.job(space.store, search).state is State.CANCELLED
    rows = start_job(
        space.store, space.project, "synthesize", _synthesis("bootstrap"), launch=False
    )
    space.put_raw(space.raw(), space.choices())
    assert jobs.job(space.store, rows).state is State.CANCELLED


def test_choices_that_still_fit_stay_when_the_file_is_read_otherwise(space):
    raw = space.raw()
    wanted = {"kinds": {"region": "ordinal", "age": "numeric"}, "group": "age"}
    wanted["levels"] = {"region": tuple(sorted(raw.frame["region"].unique(), reverse=True))}
    space.choose(replace(space.choices(), **wanted))
    before = space.choices()
    test_rows = space.parts()[1].digest
    assert space.put_again(raw) == []
    assert space.choices() == before
    assert space.parts()[1].digest == test_rows
    words = raw.frame.assign(age="a" + raw.frame["age"], region=raw.frame["region"] + "?")
    assert space.put_again(replace(raw, frame=words)) == [
        "kinds of some columns",
        "orders of some values",
    ]
    assert (space.choices().target, space.choices().group) == ("disease", "age")
    unnamed = raw.frame.set_axis([f"column_{k}" for k in range(raw.frame.shape[1])], axis=1)
    assert space.put_again(replace(raw, frame=unnamed)) == [
        "kinds of some columns",
        "the target",
        "the groups of the test rows",
    ]
    assert space.choices() == Choices()


def test_a_reading_that_makes_no_table_changes_nothing(space):
    before = space.table_key()
    raw = space.raw()
    names = raw.frame[["age"]].assign(age=[f"person {k}" for k in range(len(raw))])
    with pytest.raises(TableError, match="No column is left"):
        space.put_again(replace(raw, frame=names))
    assert space.table_key() == before


def test_rows_made_along_a_graph_that_was_edited_meanwhile_count_as_stale(space, monkeypatch):
    table = space.table()
    edges = tuple(Edge(cause, effect) for cause, effect in examples.true_edges("health"))
    graph = MixedGraph(nodes=tuple(table.columns), edges=edges, graph_type="dag")
    history = History(graph)
    space.put_history(history)
    build = causalmix_core.augment.generator

    def built(*arguments, **settings):
        space.put_history(history.do(RemoveEdge(edges[0].cause, edges[0].effect)))
        return build(*arguments, **settings)

    monkeypatch.setattr(causalmix_core.augment, "generator", built)
    job = start_job(space.store, space.project, "synthesize", _synthesis("causal"), launch=False)
    serve(space.store, job)
    assert jobs.job(space.store, job).state is State.DONE
    training, _ = space.drawn(None, 0)
    recipe = space.rows()["causal"].recipe
    assert recipe.inputs != space.inputs_of(recipe, training)


def test_knowledge_stated_later_makes_rows_along_an_open_graph_stale(space):
    nodes = tuple(space.table().columns)
    graph = MixedGraph(nodes, (Edge(nodes[0], nodes[1], Mark.CIRCLE, Mark.CIRCLE),))
    space.put_history(History(graph))
    training, _ = space.drawn(None, 0)
    causal, smote = Recipe("causal", 20), Recipe("smote", 20)
    before = [space.inputs_of(recipe, training) for recipe in (causal, smote)]
    known = Knowledge(required=((nodes[0], nodes[1]),))
    space.put_history(History(graph).do(SetKnowledge(known)))
    after = [space.inputs_of(recipe, training) for recipe in (causal, smote)]
    assert after[0] != before[0]
    assert after[1] == before[1]
