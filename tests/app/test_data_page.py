"""The data page: views belong to one project, and orders of values are what they look like."""

from dataclasses import replace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.table import RawTable

from .conftest import ROOT, Open, assert_sound


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


def rows_of_names() -> pd.DataFrame:
    """A table in which every column only names its rows."""
    count = range(100)
    return pd.DataFrame(
        {
            "customer_id": [str(1000 + k) for k in count],
            "email": [f"u{k}@example.org" for k in count],
            "name": [f"person {k}" for k in count],
        }
    )


@pytest.mark.parametrize("page", ["home", "data"])
def test_a_table_without_a_usable_column_is_refused_and_not_stored(
    page: str, open_page: Open, store: Store, space: Workspace
) -> None:
    before = space.table_key()
    app = open_page(page, space.project)
    app.file_uploader[0].upload("names.csv", rows_of_names().to_csv(index=False).encode())
    app.run()
    [message] = [error.value for error in app.error]
    assert message.startswith("No column is left to work with")
    assert space.table_key() == before
    assert [each.id for each in store.list()] == [space.project]


def test_a_stored_table_that_cannot_be_shown_leaves_the_app_open(
    open_page: Open, space: Workspace
) -> None:
    space.put_raw(RawTable(rows_of_names(), name="names"), Choices())
    assert open_page("home", space.project).button(f"delete-{space.project}") is not None
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["project"] = space.project
    app.run().switch_page("pages/data.py").run()
    assert not app.exception
    [message] = [error.value for error in app.error]
    assert message.startswith("No column is left to work with")
    app.button("example-wine").click().run()
    assert_sound(app)
    assert space.table().target == "cultivar"


def test_values_with_spaces_around_them_or_line_breaks_can_be_put_in_order(
    open_page: Open, store: Store
) -> None:
    values = [" low", "low", "middle ", "rather\nhigh", "quite\u2028high"]
    frame = pd.DataFrame({"size": values * 8, "b": [str(i % 7) for i in range(40)]})
    space = Workspace(store, store.create("sizes").id)
    space.put_raw(RawTable(frame.astype("str"), name="sizes"), Choices(kinds={"size": "ordinal"}))
    app = open_page("data", space.project)
    lines = app.text_area[0].value.split("\n")
    assert sorted(line.replace("⏎", "\n") for line in lines) == sorted(values)
    wanted = [" low", "quite\u2028high", "rather\nhigh", "middle ", "low"]
    # As a user writes them, who sees no space at the end.
    app.text_area[0].set_value(" low\nquite\u2028high\nrather⏎high\nmiddle\nlow\n").run()
    assert_sound(app)
    assert space.table().levels["size"] == tuple(wanted)
    assert any("drops a graph" in caption.value for caption in app.caption)
