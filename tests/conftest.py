"""Files that several tests read."""

from pathlib import Path

import pandas as pd
import pytest

from causalmix_core.table import examples

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def health(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file of 240 simulated patients: numbers, categories and missing values."""
    file = tmp_path_factory.mktemp("tables") / "health.csv"
    raw = examples.load_raw("health")
    frame: pd.DataFrame = raw.frame.head(240)
    frame.to_csv(file, index=False)
    return file


@pytest.fixture(scope="session")
def real_table() -> Path:
    """German credit, where the folder of real tables stands beside the project."""
    file = SHARED / "classification" / "credit-g.csv"
    if not file.is_file():
        pytest.skip(f"{file} is not here; this test reads a real table")
    return file
