"""Fine-tuning: the loop, the mixing of real and synthetic rows, metrics, tuned models.

The room and its one verb share a name: `causalmix_core.finetune(train, validation, test, …)`
calls `finetune.run.finetune`, and `causalmix_core.finetune.METHODS` is the room's list of methods.
"""

import sys
from types import ModuleType
from typing import Any

from causalmix_core.finetune.methods import METHODS, Method
from causalmix_core.finetune.metrics import METRICS
from causalmix_core.finetune.run import Run, finetune
from causalmix_core.finetune.settings import Mixing, Settings, Stopping
from causalmix_core.finetune.tuned_model import TunedModel

__all__ = [
    "METHODS",
    "METRICS",
    "Method",
    "Mixing",
    "Run",
    "Settings",
    "Stopping",
    "TunedModel",
    "finetune",
]


class _CallableModule(ModuleType):
    """A module that can be called like its main function."""

    def __call__(self, *args: Any, **kwargs: Any) -> Run:
        return finetune(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
