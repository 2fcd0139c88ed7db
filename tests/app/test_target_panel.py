"""Choosing the target and the test rows: what is refused, and what the page then shows."""

from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from causalmix_core.experiment.workspace import Choices, Recipe, Rows, Workspace

from .conftest import Open, assert_sound


def box(app: AppTest, label: str) -> Any:
    """The select box or radio of this label."""
    [found] = [each for each in (*app.selectbox, *app.radio) if each.label == label]
    return found


def pick(app: AppTest, label: str, value: str) -> None:
    """Choose in it, and see that the page comes through."""
    box(app, label).set_value(value)
    app.run()
    assert_sound(app)


def test_a_refused_group_is_told_and_the_page_comes_to_rest(
    open_page: Open, space: Workspace
) -> None:
    app = open_page("data", space.project)
    box(app, "How to choose them").set_value("By group: rows of one group stay together")
    app.run()
    box(app, "Group column").set_value("sex")  # two groups cannot be parted in three
    app.run()
    assert not app.exception
    [message] = [error.value for error in app.error]
    assert "Nothing was changed" in message
    assert box(app, "How to choose them").value.startswith("At random")
    assert space.choices().group is None


@pytest.mark.parametrize(
    ("common", "clicks"), [("0", [3, 3, 2, 3]), ("100", [2, 2, 3]), ("50", [4, 4])]
)
def test_bins_that_the_values_do_not_give_are_told_and_the_page_comes_to_rest(
    open_page: Open, space: Workspace, common: str, clicks: list[int]
) -> None:
    raw = space.raw()
    scores = [common if k % 4 else str(k % 97) for k in range(len(raw))]
    space.put_raw(replace(raw, frame=raw.frame.assign(score=scores)), Choices(target="score"))
    app = open_page("data", space.project)
    for wanted in clicks:
        [bins] = app.get("button_group")
        bins.set_value(wanted)
        app.run()
        assert_sound(app)
        kept = len(space.choices().bins) + 1
        assert 2 <= kept <= wanted
        assert app.get("button_group")[0].value == kept
        told = f"Its values leave only {kept} bins."
        assert (told in [each.value for each in app.info]) == (kept < wanted)


def test_bins_that_are_clicked_off_are_taken_away(open_page: Open, space: Workspace) -> None:
    space.choose(Choices(target="age"))
    app = open_page("data", space.project)
    for wanted in (3, None):
        app.get("button_group")[0].set_value(wanted)
        app.run()
        assert_sound(app)
        assert len(space.choices().bins) == (2 if wanted else 0)
        assert app.get("button_group")[0].value == wanted
    assert space.table().kinds["age"].is_number


def test_going_from_groups_to_time_waits_for_a_column(open_page: Open, space: Workspace) -> None:
    space.choose(replace(space.choices(), group="age"))
    app = open_page("data", space.project)
    pick(app, "How to choose them", "By time: the latest rows")
    assert box(app, "Time column").value is None
    assert space.choices().group == "age"


def test_groups_stay_together_under_another_target(open_page: Open, space: Workspace) -> None:
    space.choose(replace(space.choices(), group="age"))
    app = open_page("data", space.project)
    pick(app, "Target column", "smoker")
    assert (space.choices().target, space.choices().group) == ("smoker", "age")
    assert not app.info
    development, test = (set(part.frame["age"]) for part in space.parts())
    assert not development & test
    pick(app, "Target column", "age")
    assert (space.choices().target, space.choices().group) == ("age", None)
    assert ["chosen at random" in each.value for each in app.info] == [True]


def test_what_a_change_drops_is_said_where_there_is_something_to_drop(
    open_page: Open, graphed: Workspace
) -> None:
    def said() -> int:
        app = open_page("data", graphed.project)
        return sum("drop the graph, its edits" in each.value for each in app.caption)

    assert said() == 1
    graphed.forget_graph()
    assert said() == 0
    frame = graphed.table().frame.head(3)
    graphed.put_rows(Rows(Recipe("mixup", rows=3), frame))
    assert said() == 1


def test_a_date_is_no_target(open_page: Open, space: Workspace) -> None:
    raw = space.raw()
    days = [f"2024-{1 + k % 12:02}-{1 + k % 28:02}" for k in range(len(raw.frame))]
    space.put_raw(replace(raw, frame=raw.frame.assign(day=days)), space.choices())
    app = open_page("data", space.project)
    pick(app, "Target column", "day")
    assert ["A date cannot be predicted" in each.value for each in app.warning].count(True) == 1
