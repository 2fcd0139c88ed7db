"""The data page: views belong to one project, and orders of values are what they look like."""

import io
from dataclasses import replace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Choices, Workspace
from causalmix_core.graph import MixedGraph
from causalmix_core.graph.edits import History
from causalmix_core.table import Kind, RawTable

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


def read_again(app: AppTest, button: str = "Read again", **boxes: str) -> AppTest:
    """Set boxes of the form by their labels and press its button."""
    for label, value in boxes.items():
        [box] = [each for each in app.selectbox if each.label == label.replace("_", " ")]
        box.select(value)
    [pressed] = [each for each in app.button if each.label == button]
    pressed.click()
    return app.run()


def in_force(app: AppTest) -> dict[str, object]:
    """What the boxes about the file show."""
    boxes = [each for each in app.selectbox if (each.key or "").startswith("read-")]
    return {each.label: each.value for each in boxes}


def test_reading_again_begins_at_what_is_in_force_and_keeps_what_fits(
    open_page: Open, store: Store
) -> None:
    rows = [f"{k % 9};{k}.125;{'uv'[k % 2]};{'xyz'[k % 3]}" for k in range(1, 61)]
    app = open_page("home")
    app.file_uploader[0].upload("t.csv", "\n".join(["site;pay;y;z", *rows]).encode())
    app.run()
    assert_sound(app)
    [project] = store.list()
    space = Workspace(store, project.id)
    space.choose(Choices(target="y", kinds={"z": "ordinal"}, group="site"))
    space.put_history(History(MixedGraph(nodes=("site", "pay", "y", "z"), edges=())))
    app = open_page("data", project.id)
    shown = {"Delimiter": ";", "Encoding": "utf-8", "Decimal mark": ".", "First row": True}
    assert in_force(app) == shown
    read_again(app)
    assert ["nothing was changed" in each.value for each in app.info] == [True]
    assert space.history() is not None
    before = space.choices()
    read_again(app, Decimal_mark=",")
    assert_sound(app)
    assert in_force(app) == shown | {"Decimal mark": ","}
    assert space.choices() == before
    assert space.history() is None
    assert space.table().frame["pay"].max() == 60_125
    read_again(app, First_row=False)
    assert any("do not fit any more" in each.value for each in app.info)
    assert (space.choices().target, space.choices().group) == (None, None)


def test_a_reading_without_a_usable_column_is_refused(open_page: Open, store: Store) -> None:
    rows = [f"{k}.25,{k}.75" for k in range(1, 61)]
    app = open_page("home")
    app.file_uploader[0].upload("t.csv", "\n".join(["a,b", *rows]).encode())
    app.run()
    [project] = store.list()
    app = read_again(open_page("data", project.id), First_row=False)
    assert [each.value[:17] for each in app.error] == ["No column is left"]
    assert Workspace(store, project.id).table().columns == ["a", "b"]


def test_another_sheet_of_a_workbook_can_be_read(open_page: Open, store: Store) -> None:
    file = io.BytesIO()
    with pd.ExcelWriter(file) as book:
        for name in ("first", "second"):
            numbers = {name: range(30), "b": [k % 5 for k in range(30)]}
            pd.DataFrame(numbers).to_excel(book, sheet_name=name, index=False)
    app = open_page("home")
    app.file_uploader[0].upload("book.xlsx", file.getvalue())
    app.run()
    [project] = store.list()
    app = open_page("data", project.id)
    assert in_force(app) == {"Sheet": "first", "Decimal mark": ".", "First row": True}
    read_again(app, Sheet="second")
    assert_sound(app)
    assert in_force(app)["Sheet"] == "second"
    assert Workspace(store, project.id).raw().columns == ["second", "b"]


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


def test_how_a_refused_file_is_written_can_be_stated(open_page: Open, store: Store) -> None:
    rows = [f"{k},5|{'uv'[k % 2]}" for k in range(40)]
    app = open_page("home")
    app.file_uploader[0].upload("t.csv", "\n".join(["sep=#", "size|class", *rows]).encode())
    app.run()
    assert ["state the delimiter" in each.value for each in app.error] == [True]
    read_again(app, "Read it so", Delimiter=";")
    assert ["state the delimiter" in each.value for each in app.error] == [True]
    read_again(app, "Read it so", Delimiter="|")
    assert_sound(app)
    [project] = store.list()
    table = Workspace(store, project.id).table()
    assert table.kinds == {"size": Kind.NUMERIC, "class": Kind.BINARY}
    assert in_force(open_page("data", project.id)) == {
        "Delimiter": "|", "Encoding": "utf-8", "Decimal mark": ",", "First row": True
    }  # fmt: skip


def test_another_delimiter_finds_the_decimal_mark_anew(open_page: Open, store: Store) -> None:
    rows = [f"{k % 9},5;{'uv'[k % 2]}" for k in range(40)]
    app = open_page("home")
    app.file_uploader[0].upload("t.csv", "\n".join(["sep=,", "a;b,c", *rows]).encode())
    app.run()
    [project] = store.list()
    app = open_page("data", project.id)
    assert in_force(app)["Delimiter"] == ","
    read_again(app, Delimiter=";")
    assert_sound(app)
    assert in_force(app)["Decimal mark"] == ","


def test_a_workbook_whose_first_sheet_is_of_no_use_offers_the_others(
    open_page: Open, store: Store
) -> None:
    file = io.BytesIO()
    with pd.ExcelWriter(file) as book:
        rows_of_names().to_excel(book, sheet_name="people", index=False)
        numbers = {"a": range(30), "b": [k % 5 for k in range(30)]}
        pd.DataFrame(numbers).to_excel(book, sheet_name="visits", index=False)
    app = open_page("home")
    app.file_uploader[0].upload("book.xlsx", file.getvalue())
    app.run()
    assert [each.value[:17] for each in app.error] == ["No column is left"]
    read_again(app, "Read it so", Sheet="visits")
    assert_sound(app)
    [project] = store.list()
    assert Workspace(store, project.id).raw().columns == ["a", "b"]
