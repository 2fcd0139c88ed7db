"""The three ends an edge can have (Zhang 2008)."""

from enum import StrEnum


class Mark(StrEnum):
    """The end of an edge at a node.

    ``arrow``: the node is not a cause of the other. ``tail``: it is a cause of the other (or,
    tail-tail in a CPDAG, the direction is open). ``circle``: the data do not say which.
    """

    TAIL = "tail"
    ARROW = "arrow"
    CIRCLE = "circle"


HIDDEN_SHARE = 0.25
"""How likely o→ is ↔ (a hidden common cause) instead of →.

Our own choice, with one rule for all that reads open marks as chances: three in four o→ are →, one
in four is ↔; o–o and the undirected – are either direction equally likely.
"""
