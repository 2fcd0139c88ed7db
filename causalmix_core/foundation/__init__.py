"""Foundation models: which there are, their files and licences, and the compact one we train.

`path("compact")` is the shipped checkpoint; `load()` gives a `TabPFNClassifier` on it;
`TableEncoder` turns a `Table` into what that takes (see `_tabpfn` for the pattern).
"""

from causalmix_core.foundation._tabpfn import MAX_CLASSES, TableEncoder, check_classes, classifier
from causalmix_core.foundation.checkpoint import digest
from causalmix_core.foundation.device import choose as choose_device
from causalmix_core.foundation.models import (
    DEFAULT,
    MODELS,
    Model,
    download,
    is_available,
    load,
    model,
    path,
)

__all__ = [
    "DEFAULT",
    "MAX_CLASSES",
    "MODELS",
    "Model",
    "TableEncoder",
    "check_classes",
    "choose_device",
    "classifier",
    "digest",
    "download",
    "is_available",
    "load",
    "model",
    "path",
]
