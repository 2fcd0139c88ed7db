"""The data page: views belong to one project, and orders of values are what they look like."""

from dataclasses import replace

from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Workspace

from .conftest import Open


def test_a_copy_of_a_project_shows_its_own_associations(
    open_page: Open, space: Workspace, store: Store
) -> None:
    copy = Workspace(store, store.duplicate(space.project).id)
    without = {space: "region", copy: "smoker"}
    for each, column in without.items():
        each.choose(replace(each.choices(), kinds={column: "identifier"}))
    for each, column in without.items():
        app = open_page("data", each.project)
        [chart] = [c for c in app.get("plotly_chart") if c.proto.id.endswith("associations")]
        assert f'"{column}"' not in chart.proto.spec
        [other] = set(without.values()) - {column}
        assert f'"{other}"' in chart.proto.spec
