"""Tables that come with the product: two of scikit-learn's and one of our own making.

``health`` is simulated: 1,000 people, 12 columns of every kind, and a known causal graph of
linear-Gaussian, logistic and multinomial-logistic mechanisms, so that what a search finds can be
held against the truth. ``income`` has 8 % missing values, independent of everything else.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalmix_core.errors import TableError
from causalmix_core.table.frames import frame_to_text
from causalmix_core.table.raw import RawTable, ReadSettings
from causalmix_core.table.table import Table
from causalmix_core.table.typed import to_table


@dataclass(frozen=True)
class Example:
    """A bundled table: what it is, its target, and its true causes and effects where known."""

    name: str
    title: str
    target: str
    source: str
    make: Callable[[], pd.DataFrame]
    true_edges: tuple[tuple[str, str], ...] | None = None


def load(name: str) -> Table:
    """Return an example as a typed table; raises TableError for an unknown name."""
    return to_table(load_raw(name), find(name).target)


def load_raw(name: str) -> RawTable:
    """Return an example as text columns, as an uploaded file would be."""
    frame = find(name).make()
    return RawTable(frame_to_text(frame, frame.size), ReadSettings("frame"), name)


def true_edges(name: str) -> tuple[tuple[str, str], ...]:
    """Return the (cause, effect) pairs that made a simulated example."""
    edges = find(name).true_edges
    if edges is None:
        raise TableError(f"The true graph of the example {name!r} is not known.")
    return edges


def find(name: str) -> Example:
    """Return what there is to know about an example."""
    if name not in EXAMPLES:
        raise TableError(f"There is no example {name!r}; there are {', '.join(NAMES)}.")
    return EXAMPLES[name]


def _breast_cancer() -> pd.DataFrame:
    from sklearn.datasets import load_breast_cancer  # slow to import, seldom needed

    bunch = load_breast_cancer(as_frame=True)
    names = np.array([str(name) for name in bunch.target_names], dtype=object)
    frame: pd.DataFrame = bunch.data
    return frame.assign(diagnosis=names[bunch.target.to_numpy()])


def _wine() -> pd.DataFrame:
    from sklearn.datasets import load_wine

    bunch = load_wine(as_frame=True)
    frame: pd.DataFrame = bunch.data
    return frame.assign(cultivar=[f"cultivar {code + 1}" for code in bunch.target])


HEALTH_EDGES: tuple[tuple[str, str], ...] = (
    ("age", "education"),
    ("age", "blood_pressure"),
    ("age", "disease"),
    ("education", "income"),
    ("education", "smoker"),
    ("sex", "income"),
    ("sex", "cholesterol"),
    ("region", "income"),
    ("income", "exercise_hours"),
    ("exercise_hours", "bmi"),
    ("bmi", "blood_pressure"),
    ("bmi", "cholesterol"),
    ("smoker", "disease"),
    ("blood_pressure", "disease"),
    ("disease", "doctor_visits"),
)


def make_health(rows: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Simulate the health table from `HEALTH_EDGES`; any number of rows, any seed."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal
    age = np.clip(np.round(48 + 14 * noise(rows)), 18, 90)
    sex = _choose(rng, ["female", "male"], np.zeros((rows, 2)))
    region = _choose(
        rng, ["north", "south", "east", "west"], np.tile([0.5, 0.2, 0.0, -0.3], (rows, 1))
    )
    older = (age - 48) / 14
    education = _choose(
        rng,
        ["school", "college", "university"],
        np.column_stack([1.1 * older, 0.4 + 0 * older, -1.1 * older]),
    )
    schooling = (
        pd.Series(education).map({"school": 0.0, "college": 1.0, "university": 2.0}).to_numpy()
    )
    place = (
        pd.Series(region).map({"north": 6.0, "south": 0.0, "east": -6.0, "west": 3.0}).to_numpy()
    )
    income = 28 + 9 * schooling + 5 * (sex == "male") + place + 6 * noise(rows)
    smoker = _choose(rng, ["no", "yes"], np.column_stack([0 * schooling, 0.6 - 1.3 * schooling]))
    exercise = np.clip(0.9 + 0.09 * income + 1.2 * noise(rows), 0, None)
    bmi = 32.5 - 1.3 * exercise + 2.4 * noise(rows)
    pressure = np.round(62 + 0.55 * age + 1.5 * bmi + 8 * noise(rows))
    cholesterol = 2.2 + 0.13 * bmi - 0.8 * (sex == "female") + 0.7 * noise(rows)
    risk = -1.9 + 0.9 * older + 1.5 * (smoker == "yes") + 0.07 * (pressure - 128)
    disease = _choose(rng, ["healthy", "ill"], np.column_stack([0 * risk, risk]))
    visits = np.clip(np.round(2.5 + 1.8 * (disease == "ill") + 1.4 * noise(rows)), 0, None)
    unanswered = rng.random(rows) < 0.08
    return pd.DataFrame(
        {
            "age": age.astype(int),
            "sex": sex,
            "region": region,
            "education": education,
            "income": np.where(unanswered, np.nan, np.round(income, 2)),
            "smoker": smoker,
            "exercise_hours": np.round(exercise, 2),
            "bmi": np.round(bmi, 1),
            "blood_pressure": pressure.astype(int),
            "cholesterol": np.round(cholesterol, 2),
            "doctor_visits": visits.astype(int),
            "disease": disease,
        }
    )


def _choose(rng: np.random.Generator, names: list[str], scores: np.ndarray) -> np.ndarray:
    """Draw a name per row with probabilities softmax(scores), by the Gumbel-max trick."""
    drawn = np.argmax(scores + rng.gumbel(size=scores.shape), axis=1)
    chosen: np.ndarray = np.array(names, dtype=object)[drawn]
    return chosen


EXAMPLES: dict[str, Example] = {
    example.name: example
    for example in (
        Example(
            "breast-cancer",
            "Breast cancer: 569 biopsies, 30 measures of the cell nuclei",
            "diagnosis",
            "UCI Wisconsin diagnostic breast cancer, as bundled with scikit-learn (CC BY 4.0)",
            _breast_cancer,
        ),
        Example(
            "wine",
            "Wine: 178 wines of three cultivars, 13 chemical measures",
            "cultivar",
            "UCI wine recognition data, as bundled with scikit-learn (CC BY 4.0)",
            _wine,
        ),
        Example(
            "health",
            "Health: 1,000 simulated people, mixed columns, true graph known",
            "disease",
            "simulated by this program",
            make_health,
            HEALTH_EDGES,
        ),
    )
}
NAMES: tuple[str, ...] = tuple(EXAMPLES)
