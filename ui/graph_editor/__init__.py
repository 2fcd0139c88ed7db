"""The graph editor: a cytoscape drawing that edits a `History`."""

from ui.graph_editor.component import Selection, graph_editor
from ui.graph_editor.events import edits_from_event

__all__ = ["Selection", "edits_from_event", "graph_editor"]
