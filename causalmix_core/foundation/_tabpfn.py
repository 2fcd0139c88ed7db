"""The one place where this room touches tabpfn, and how a `Table` becomes what it takes.

For whoever fine-tunes or predicts::

    encoder = TableEncoder.fit(train)            # a Table with a target: the training rows
    X = encoder.transform(train.frame)            # float64 (rows, encoder.width); NaN is missing
    y = encoder.labels(train.frame)               # int64 0..k-1 by encoder.classes
    model = classifier(path("compact"), encoder, n_estimators=4, seed=0)
    model.fit(X, y)
    p = model.predict_proba(encoder.transform(test.frame))   # (rows, len(encoder.classes))

`encoder.categorical` are the positions of unordered categories; `classifier` hands them to
`TabPFNClassifier(categorical_features_indices=…)`. Labels of training rows cover every class, so
columns of `predict_proba` stand in the order of `encoder.classes`.
"""

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.errors import CheckpointError, TableError
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

MAX_CLASSES = 10
"""The networks have ten outputs."""

_DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True)
class TableEncoder:
    """Turns rows of a table into the numbers TabPFN takes, by rules learned from training rows.

    Numbers stay as they are (infinities count as missing); dates become days since the first
    training date, month and weekday; categories become their position in `categories`, where a
    value that the training rows do not hold counts as missing. A column of which the training rows
    hold one value and blanks says whether there is a value. What is the same in all training rows
    is left out: an ensemble member that saw nothing else would refuse to predict. Where
    nothing is left, TabPFN gets a column that marks the last training row, and predicts about the
    shares of the classes.

    Attributes:
        columns: the feature columns, in the table's order.
        kinds: the kind of each.
        categories: for every category column its training values; ordinal ones in their order.
        origins: for every datetime column the first training date, in microseconds since 1970.
        target: name of the target column.
        classes: the target's values in the training rows, sorted.
        rows: number of training rows.
        presence: positions of the encoded columns that say whether there is a value.
        varying: positions of the encoded columns that vary in the training rows.
    """

    columns: tuple[str, ...]
    kinds: tuple[Kind, ...]
    categories: dict[str, tuple[str, ...]]
    origins: dict[str, int]
    target: str
    classes: tuple[str, ...]
    rows: int
    presence: tuple[int, ...] = ()
    varying: tuple[int, ...] = ()

    @classmethod
    def fit(cls, train: Table) -> "TableEncoder":
        """Learn the rules from the rows of `train`.

        Raises:
            TableError: the table has no target, fewer than two or more than ten classes, or a
                missing target value.
        """
        if train.target is None:
            raise TableError("Choose a target column first.")
        y = train.y
        if y.isna().any():
            raise TableError(
                f"The target {train.target!r} has missing values: remove those rows first."
            )
        classes = tuple(sorted(y.astype(str).unique()))
        check_classes(classes, train.target)
        categories: dict[str, tuple[str, ...]] = {}
        origins: dict[str, int] = {}
        for column in train.features:
            values = train.frame[column]
            kind = train.kinds[column]
            if kind is Kind.DATETIME:
                stamps = _microseconds(values)
                known = stamps[~np.isnan(stamps)]
                origins[column] = int(known.min()) if len(known) else 0
            elif not kind.is_number:
                seen = set(values.dropna().astype(str))
                order = [v for v in train.levels.get(column, ()) if v in seen]
                rest = sorted(seen - set(order), key=_natural)
                categories[column] = (*order, *rest)
        encoder = cls(
            columns=tuple(train.features),
            kinds=tuple(train.kinds[c] for c in train.features),
            categories=categories,
            origins=origins,
            target=train.target,
            classes=classes,
            rows=len(train),
        )
        encoded = encoder._columns(train.frame)
        found = [np.unique(cells) for cells in encoded]  # missing ones are equal here
        varying = tuple(j for j, cells in enumerate(found) if len(cells) > 1)
        presence = tuple(j for j in varying if len(found[j]) == 2 and np.isnan(found[j][-1]))
        return replace(encoder, presence=presence, varying=varying)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        out: list[str] = []
        for column, kind in zip(self.columns, self.kinds, strict=True):
            out.append(column)
            if kind is Kind.DATETIME:
                out += [f"{column}: month", f"{column}: weekday"]
        return tuple(out[j] for j in self.varying) or ("(none)",)

    @property
    def width(self) -> int:
        """Number of encoded columns."""
        return len(self.names)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions of the encoded columns that hold unordered categories."""
        kind_of = dict(zip(self.columns, self.kinds, strict=True))
        unordered = (Kind.BINARY, Kind.CATEGORICAL)
        return tuple(i for i, name in enumerate(self.names) if kind_of.get(name) in unordered)

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Encode the feature columns of `frame` as (rows, `width`) float64, NaN where missing.

        Raises:
            TableError: a column is missing from `frame`.
        """
        gone = [column for column in self.columns if column not in frame.columns]
        if gone:
            raise TableError(f"The rows lack the column {gone[0]!r} that the model was fitted on.")
        encoded = self._columns(frame)
        if self.varying:
            return np.stack([encoded[j] for j in self.varying], axis=1)
        # Whoever asks about fewer or more rows gets the same answer for each of them.
        last = np.zeros((len(frame), 1))
        if len(frame) == self.rows:
            last[-1] = 1.0
        return last

    def _columns(self, frame: pd.DataFrame) -> list[NDArray[np.float64]]:
        """Encode every feature column, those that do not vary among them."""
        out: list[NDArray[np.float64]] = []
        for column, kind in zip(self.columns, self.kinds, strict=True):
            values = frame[column]
            if kind is Kind.DATETIME:
                stamps = _microseconds(values)
                out.append((stamps - self.origins[column]) / _DAY)
                dates = pd.to_datetime(values)
                for part in (dates.dt.month, dates.dt.day_of_week):
                    out.append(np.asarray(part, dtype="float64"))
            elif kind.is_number:
                cells = pd.to_numeric(values).to_numpy(dtype="float64", na_value=np.nan)
                out.append(np.where(np.isfinite(cells), cells, np.nan))
            else:
                code = {value: float(i) for i, value in enumerate(self.categories[column])}
                texts = values.astype(object)
                codes = [np.nan if pd.isna(v) else code.get(str(v), np.nan) for v in texts]
                out.append(np.array(codes, dtype="float64"))
        # A zero wherever there is a value has no direction, which tabpfn's axes do not survive.
        for j in self.presence:
            out[j] = (~np.isnan(out[j])).astype("float64")
        return out

    def labels(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Return the target as positions in `classes`.

        Raises:
            TableError: a value is missing or is no class of the training rows.
        """
        code = {value: i for i, value in enumerate(self.classes)}
        values = frame[self.target]
        if values.isna().any():
            raise TableError(f"The target {self.target!r} has missing values.")
        unknown = sorted(set(values.astype(str)) - set(code))
        if unknown:
            raise TableError(
                f"The target {self.target!r} has the value {unknown[0]!r}, which the training rows "
                "do not hold: leave those rows out or give the class training rows."
            )
        return np.array([code[v] for v in values.astype(str)], dtype=np.int64)


def _microseconds(values: "pd.Series[Any]") -> NDArray[np.float64]:
    stamps = pd.to_datetime(values).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(stamps), np.nan, stamps.astype("int64").astype("float64"))


def _natural(value: str) -> tuple[int, float, str]:
    """Sort numbers by size, before text; "nan", which no number is less than, is text."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    return (1, 0.0, value) if math.isnan(number) else (0, number, value)


def check_classes(classes: Sequence[str], target: str) -> None:
    """Refuse a target that the networks cannot predict.

    Raises:
        TableError: fewer than two or more than ten classes.
    """
    if len(classes) < 2:
        raise TableError(f"The target {target!r} has one value only: there is nothing to predict.")
    if len(classes) > MAX_CLASSES:
        raise TableError(
            f"The target {target!r} has {len(classes)} classes and the model knows at most "
            f"{MAX_CLASSES}: merge rare classes into one, put numbers into bins (--bins 3 on the "
            "command line), or choose another target."
        )


def classifier(
    path: str | Path,
    encoder: TableEncoder | None = None,
    *,
    n_estimators: int | Literal["auto"] = "auto",
    seed: int = 0,
    device: str = "auto",
    precision: Literal["auto", "float32"] = "float32",
    **more: Any,
) -> Any:
    """Return an unmodified `TabPFNClassifier` on a local checkpoint, set up to stay offline.

    Args:
        path: a checkpoint file that exists; see `models.path`.
        encoder: gives the positions of the categorical columns.
        n_estimators: ensemble members; "auto" takes the number stored in the checkpoint.
        seed: of the ensemble's shuffles.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto" lets tabpfn use bfloat16 where the processor has it, which is faster on
            some and gives slightly different numbers; "float32" is alike everywhere.
        more: further settings of `TabPFNClassifier`.

    Raises:
        CheckpointError: the file does not exist or is a pickle.
    """
    from causalmix_core.foundation.checkpoint import check_file
    from causalmix_core.foundation.device import choose

    file = check_file(path)
    os.environ.setdefault("TABPFN_NO_BROWSER", "1")
    os.environ.setdefault("TABPFN_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        from tabpfn import TabPFNClassifier

    # Members of the compact model see so many columns at most, before indicator columns: tabpfn
    # warns at every fit that these are not counted, which is meant here.
    warnings.filterwarnings("ignore", message="Feature subsampling is active", category=UserWarning)
    if encoder is not None and "inference_config" not in more:
        more["inference_config"] = _covering(file, n_estimators, encoder.width)
    return TabPFNClassifier(
        model_path=str(file),
        n_estimators=n_estimators,
        categorical_features_indices=list(encoder.categorical) if encoder else None,
        random_state=seed,
        device=choose(device),
        inference_precision="auto" if precision == "auto" else torch.float32,
        ignore_pretraining_limits=True,
        **more,
    )


def _covering(file: Path, n_estimators: int | Literal["auto"], width: int) -> dict[str, Any] | None:
    """Let few members see more columns each than the checkpoint says: together all the columns."""
    from causalmix_core.foundation.checkpoint import header

    stored = header(file).get("inference_config")
    if not stored:
        return None
    members = stored.get("N_ESTIMATORS", "auto") if n_estimators == "auto" else n_estimators
    if members == "auto":
        return None
    share = -(-width // members)
    views = [dict(view) for view in stored["PREPROCESS_TRANSFORMS"]]
    # tabpfn counts the axes too, of which there are at most half as many as columns.
    wanted = [share + (share // 2 if view.get("global_transformer_name") else 0) for view in views]
    given = [view["max_features_per_estimator"] for view in views]
    if all(most >= least for most, least in zip(given, wanted, strict=True)):
        return None
    for view, most, least in zip(views, given, wanted, strict=True):
        view["max_features_per_estimator"] = max(most, least)
    return {"PREPROCESS_TRANSFORMS": views, "FEATURE_SUBSAMPLING_METHOD": "balanced"}


def column_transformer(name: str, rows: int) -> Any:
    """Return tabpfn's own scaler of that name, unfitted, for `rows` labelled rows."""
    from tabpfn.preprocessing.steps import reshape_feature_distribution_step as reshape

    known = reshape.get_all_reshape_feature_distribution_preprocessors(rows, random_state=0)
    return known[name]


def axes_transformer(rows: int, columns: int) -> Any:
    """Return tabpfn's own projection on leading singular directions, unfitted, for such a table."""
    from tabpfn.preprocessing.steps.add_svd_features_step import get_svd_features_transformer

    return get_svd_features_transformer("svd", rows, columns, random_state=0)


def count_axes(rows: int, columns: int) -> int:
    """Return how many such directions tabpfn adds to a table with so many labelled rows."""
    from tabpfn.preprocessing.steps.add_svd_features_step import get_svd_n_components

    return get_svd_n_components("svd", rows, columns) if columns > 1 else 0


def build_network(config: dict[str, Any], architecture: str = "tabpfn_v2") -> Any:
    """Build a randomly initialised network from tabpfn's architectures; seed torch before.

    Raises:
        CheckpointError: the architecture or one of its settings is unknown.
    """
    from tabpfn.architectures import ARCHITECTURES

    if architecture not in ARCHITECTURES:
        raise CheckpointError(f"tabpfn knows no architecture {architecture!r}.")
    module = ARCHITECTURES[architecture]
    parsed, unused = module.parse_config(config)
    if unused:
        raise CheckpointError(f"Unknown settings of {architecture}: {', '.join(sorted(unused))}.")
    return module.get_architecture(parsed)


def load_network(file: Path) -> Any:
    """Build the network of a checkpoint with its weights, as tabpfn itself reads it.

    Raises:
        CheckpointError: tabpfn cannot read the file.
    """
    from tabpfn.model_loading import load_model

    try:
        return load_model(path=file, estimator_type="classifier")[0]
    except Exception as error:
        raise CheckpointError(f"tabpfn cannot read {file.name}: {error}") from error


def inference_settings(**settings: Any) -> dict[str, Any]:
    """Return tabpfn's inference settings for a version 2 classifier, some of them replaced."""
    from dataclasses import asdict

    from tabpfn.constants import ModelVersion
    from tabpfn.inference_config import InferenceConfig

    return asdict(InferenceConfig.get_default("multiclass", ModelVersion.V2)) | settings


def fetch_official(version: str, folder: Path) -> Path:
    """Download tabpfn's default classifier of a version into `folder`, by tabpfn's own means.

    Raises:
        CheckpointError: the download failed; the message says why.
    """
    from tabpfn.constants import ModelVersion
    from tabpfn.model_loading import ModelType, _get_model_source, download_model

    offline = os.environ.pop("HF_HUB_OFFLINE", None)
    try:
        source = _get_model_source(ModelVersion(version), ModelType.CLASSIFIER)
        file = folder / str(source.default_filename)
        outcome = download_model(
            file, version=ModelVersion(version), which="classifier", model_name=file.name
        )
    except Exception as error:
        raise CheckpointError(f"The download of TabPFN {version} failed: {error}") from error
    finally:
        if offline is not None:
            os.environ["HF_HUB_OFFLINE"] = offline
    if outcome != "ok":
        reasons = "; ".join(str(error) for error in outcome)
        raise CheckpointError(f"The download of TabPFN {version} failed: {reasons}")
    return file


def convert_pickle(file: Path, version: str) -> dict[str, Any]:
    """Read an official checkpoint with torch's reader for plain values, which runs no code.

    Settings that old files lack are filled in as tabpfn itself would.

    Raises:
        CheckpointError: the file holds anything but plain values and tensors, or is damaged.
    """
    import pickle

    if file.suffix == ".safetensors":
        from causalmix_core.foundation import checkpoint

        return checkpoint.load(file)
    import torch

    try:
        kept: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{file.name} holds more than numbers: {error}") from None
    except (RuntimeError, EOFError, OSError) as error:
        raise CheckpointError(f"{file.name} is damaged, download it again: {error}") from None
    if "inference_config" not in kept:
        from dataclasses import asdict

        from tabpfn.constants import ModelVersion
        from tabpfn.inference_config import InferenceConfig

        settings = InferenceConfig.get_default("multiclass", ModelVersion(version))
        kept["inference_config"] = asdict(settings)
    kept.setdefault("architecture_name", "tabpfn_v2" if version == "v2" else "base")
    wanted = ("architecture_name", "config", "inference_config", "state_dict")
    return {key: kept[key] for key in wanted}
