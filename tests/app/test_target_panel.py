"""Choosing the target and the test rows: what is refused, and what the page then shows."""

from dataclasses import replace
from typing import Any

from streamlit.testing.v1 import AppTest

from causalmix_core.experiment.workspace import Workspace

from .conftest import Open, assert_sound


def box(app: AppTest, label: str) -> Any:
    """The select box or radio of this label."""
    [found] = [each for each in (*app.selectbox, *app.radio) if each.label == label]
    return found


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


def test_going_from_groups_to_time_waits_for_a_column(open_page: Open, space: Workspace) -> None:
    space.choose(replace(space.choices(), group="age"))
    app = open_page("data", space.project)
    box(app, "How to choose them").set_value("By time: the latest rows")
    app.run()
    assert_sound(app)
    assert box(app, "Time column").value is None
    assert space.choices().group == "age"


def test_a_date_is_no_target(open_page: Open, space: Workspace) -> None:
    raw = space.raw()
    days = [f"2024-{1 + k % 12:02}-{1 + k % 28:02}" for k in range(len(raw.frame))]
    space.put_raw(replace(raw, frame=raw.frame.assign(day=days)), space.choices())
    app = open_page("data", space.project)
    box(app, "Target column").set_value("day")
    app.run()
    assert_sound(app)
    assert ["A date cannot be predicted" in each.value for each in app.warning].count(True) == 1
