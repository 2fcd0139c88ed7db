"""The exceptions a caller can meet, all under one root.

    CausalMixError
    ├── TableError        a file or a table cannot be used as it is
    ├── GraphError        a graph, an edit or a piece of knowledge is not legal
    ├── DiscoveryError    the search cannot run on these columns
    ├── MechanismError    a node of the causal model cannot be fitted or sampled
    ├── GeneratorError    a generator does not apply to this table
    ├── CheckpointError   a model file cannot be used
    ├── RunError          a fine-tuning run cannot start or go on
    ├── StoreError        a project or an output folder cannot be read or written
    └── Cancelled         the user asked to stop

Messages name the column, node or file and say what to do about it: they are shown as they are.
"""


class CausalMixError(Exception):
    """Anything this library raises on purpose; the message is written for the analyst."""


class TableError(CausalMixError, ValueError):
    """A file or a table cannot be used as it is."""


class GraphError(CausalMixError, ValueError):
    """A graph, an edit or a piece of knowledge is not legal."""


class DiscoveryError(CausalMixError, ValueError):
    """The causal search cannot run on these columns."""


class MechanismError(CausalMixError, ValueError):
    """A node of the causal model cannot be fitted or sampled."""


class GeneratorError(CausalMixError, ValueError):
    """A generator does not apply to this table; the message says why in one sentence."""


class CheckpointError(CausalMixError, ValueError):
    """A model file cannot be used."""


class RunError(CausalMixError, RuntimeError):
    """A fine-tuning run cannot start or go on."""


class StoreError(CausalMixError, RuntimeError):
    """A project, a bundle or an output folder cannot be read or written."""


class Cancelled(CausalMixError):
    """The user asked to stop; raised from a progress callback and passed through untouched."""
