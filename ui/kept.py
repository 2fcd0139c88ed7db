"""Form values that outlast a change of page."""

from collections.abc import Callable
from typing import Any

from causalmix_core.experiment.workspace import Workspace

Keep = Callable[[str], dict[str, Any]]
"""Gives the widget of this name in a form what makes Streamlit keep its value."""


def keeper(space: Workspace, form: str) -> Keep:
    """Return how to keep a form's values; another table, or another choice about it, forgets."""
    start = f"{space.table_key()}-{form}"
    return lambda name: {"key": f"{start}-{name}", "persist_state": "session"}
