from pathlib import Path

import pytest

from tests.finetune.tiny import tiny_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint small enough for tests."""
    return tiny_model(tmp_path_factory.mktemp("model"))
