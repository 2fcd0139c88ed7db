"""A fine-tuned model: weights together with the labelled rows it predicts from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.errors import CheckpointError, TableError
from causalmix_core.finetune.ensemble import Ensemble
from causalmix_core.foundation import checkpoint as model_files
from causalmix_core.foundation._tabpfn import TableEncoder, classifier, load_network
from causalmix_core.progress import Progress, silent
from causalmix_core.table import read_table
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

if TYPE_CHECKING:
    import torch

FORMAT = "causalmix-model/1"


@dataclass(frozen=True)
class TunedModel:
    """Predicts the classes of new rows.

    Saving it saves the context rows with it: they are the user's own data.

    Attributes:
        context: the real training rows the model predicts from.
        weights: the tuned weights; None means those of `base`.
        base: the file of the model that was tuned.
        estimators: ensemble members.
        seed: of the members' column and class orders.
        about: how the model came to be: method, model, seed, settings, figures.
    """

    context: Table
    weights: "Mapping[str, torch.Tensor] | None"
    base: Path
    estimators: int
    seed: int
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the probability columns."""
        return self._encoder.classes

    def predict(
        self, rows: Table | pd.DataFrame | str | Path | bytes, progress: Progress = silent
    ) -> pd.DataFrame:
        """Predict new rows.

        Args:
            rows: a table, a data frame, a file or a file's bytes, with at least the context's
                feature columns, in any order; other columns are ignored.
            progress: called after every block of rows; raising in it cancels.

        Returns:
            One row per row: ``prediction``, then ``probability_CLASS`` for every class.

        Raises:
            TableError: a column is missing or its values do not fit its kind.
        """
        table = self.read(rows)
        probabilities = self.probabilities(table, progress)
        classes = np.array(self.classes, dtype=object)
        columns = {f"probability_{name}": probabilities[:, i] for i, name in enumerate(classes)}
        predicted = pd.Series(classes[probabilities.argmax(axis=1)], dtype="str")
        return pd.DataFrame({"prediction": predicted, **columns})

    def read(
        self, rows: Table | pd.DataFrame | str | Path | bytes, name: str | None = None
    ) -> Table:
        """Return rows as a table of this model's columns and kinds; its warnings say what differs.

        Args:
            rows: as for `predict`.
            name: what messages call the rows; None takes the file's name.

        Raises:
            TableError: a column is missing or its values do not fit its kind.
        """
        if isinstance(rows, Table):
            missing = [name for name in self.context.features if name not in rows.kinds]
            if missing:
                raise TableError(f"The column {missing[0]!r} is missing; the model needs it.")
            for name in self.context.features:
                _check_kind(name, rows.kinds[name], self.context.kinds[name])
            return rows
        table = read_table(rows, like=self.context, keep_unlabelled=True, name=name)
        order = [name for name in table.file_columns if name in self.context.features]
        if order == self.context.features:
            return table
        told = "The columns stand in another order than the model knows; they are told by name."
        return replace(table, warnings=(*table.warnings, told))

    def probabilities(self, table: Table, progress: Progress = silent) -> NDArray[np.float64]:
        """Predict class probabilities, shape (rows, classes), in the order of `classes`."""
        ensemble = self._ensemble
        query = ensemble.prepare(self._encoder.transform(table.frame))
        return ensemble.probabilities(query, progress=progress)

    def save(self, path: str | Path) -> Path:
        """Write the model as one safetensors file, context rows included.

        The file is a tabpfn checkpoint too: `TabPFNClassifier(model_path=…)` reads its weights.
        """
        checkpoint = model_files.load(self.base)
        if self.weights is not None:
            checkpoint["state_dict"] = dict(self.weights)
        checkpoint["causalmix"] = {
            "format": FORMAT,
            "context": _table_to_json(self.context),
            "estimators": self.estimators,
            "seed": self.seed,
            "about": dict(self.about),
            "warning": "This file holds the rows it was trained on; share it as you would those.",
        }
        return model_files.save(checkpoint, path)

    @classmethod
    def load(cls, path: str | Path) -> "TunedModel":
        """Read a model that `save` wrote.

        Raises:
            CheckpointError: the file is not one.
        """
        file = model_files.check_file(path)
        ours = model_files.header(file).get("causalmix")
        if not isinstance(ours, dict) or ours.get("format") != FORMAT:
            raise CheckpointError(
                f"{file.name} is a model without context rows; give one that finetune saved."
            )
        try:
            model = cls(
                context=_table_from_json(ours["context"]),
                weights=None,
                base=file,
                estimators=int(ours["estimators"]),
                seed=int(ours["seed"]),
                about=dict(ours["about"]),
            )
            if model.estimators < 1:
                raise ValueError(f"{model.estimators} ensemble members")
            _ = model.classes  # the context rows have a target and classes
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise CheckpointError(f"{file.name} is damaged ({error}).") from error
        except TableError as error:
            raise CheckpointError(f"{file.name} is damaged: {error}") from error
        return model

    @cached_property
    def _encoder(self) -> TableEncoder:
        return TableEncoder.fit(self.context)

    @cached_property
    def _ensemble(self) -> Ensemble:
        frame = self.context.frame
        try:
            ensemble = Ensemble(
                classifier(
                    self.base,
                    self._encoder,
                    n_estimators=self.estimators,
                    seed=self.seed,
                    device="cpu",
                ),
                self._encoder.transform(frame),
                self._encoder.labels(frame),
            )
        except Exception:
            load_network(self.base)  # says so where the fault is the file's
            raise
        if self.weights is not None:
            ensemble.network.load_state_dict(dict(self.weights))
        return ensemble


def _check_kind(name: str, given: Kind, wanted: Kind) -> None:
    alike = given is wanted or (given.is_category and wanted.is_category)
    numbers = {Kind.NUMERIC, Kind.INTEGER}
    if not alike and not {given, wanted} <= numbers:
        raise TableError(
            f"The column {name!r} is {given} here, but the model knows it as {wanted}."
        )


def _table_to_json(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "target": table.target,
        # A list: the header's keys are sorted, and the columns' order matters.
        "kinds": [[name, str(kind)] for name, kind in table.kinds.items()],
        "levels": {name: list(levels) for name, levels in table.levels.items()},
        "formats": dict(table.formats),
        "decimal": table.decimal,
        "columns": {name: _values(table.frame[name], kind) for name, kind in table.kinds.items()},
    }


def _values(column: "pd.Series[Any]", kind: Kind) -> list[Any]:
    if kind is Kind.DATETIME:
        texts = column.dt.strftime("%Y-%m-%dT%H:%M:%S.%f")
        return [None if pd.isna(text) else text for text in texts]
    return [None if pd.isna(value) else value for value in column.tolist()]


def _table_from_json(values: Mapping[str, Any]) -> Table:
    kinds = {name: Kind(kind) for name, kind in values["kinds"]}
    columns = {name: _column(values["columns"][name], kind) for name, kind in kinds.items()}
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError("its columns have different numbers of rows")  # pandas would fill them up
    frame = pd.DataFrame(columns)
    decimal = values.get("decimal")  # models saved before do not tell
    if decimal not in (None, ".", ","):
        raise ValueError(f"the decimal mark {decimal!r}")
    return Table(
        frame,
        kinds,
        values["target"],
        name=values["name"],
        levels={name: tuple(levels) for name, levels in values["levels"].items()},
        formats={name: str(form) for name, form in values["formats"].items()},
        decimal=decimal,
    )


def _column(cells: list[Any], kind: Kind) -> "pd.Series[Any]":
    if kind is Kind.NUMERIC:
        return pd.Series([np.nan if cell is None else float(cell) for cell in cells], dtype=float)
    if kind is Kind.INTEGER:
        whole = pd.Series(cells, dtype="Int64")
        return whole if whole.isna().any() else whole.astype("int64")
    if kind is Kind.DATETIME:
        return pd.Series(pd.to_datetime(pd.Series(cells, dtype="str"))).astype("datetime64[us]")
    return pd.Series(cells, dtype="str")
