"""A foundation model with its context rows, preprocessed once, ready to be trained and to predict.

`TabPFNClassifier` preprocesses again at every fit and every prediction. Here each ensemble member's
preprocessing is fitted once on the context rows; training steps and evaluations only pick rows of
the resulting tensors. Predictions go through a key-value cache of the context, so the prediction
for a row depends on the context alone and never on the other rows asked about at the same time
(in a plain forward pass of the v2 architecture it does: constant columns are looked for in all
rows). That is what keeps test rows out of the validation scores.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from causalmix_core.progress import Progress, silent

if TYPE_CHECKING:
    import torch

Codes = NDArray[np.int64]
Matrix = NDArray[np.float64]

_ROWS_PER_FORWARD = 1024


@dataclass(frozen=True)
class Prepared:
    """Rows as each ensemble member sees them: one (rows, columns) tensor per member."""

    tensors: "tuple[torch.Tensor, ...]"

    def __len__(self) -> int:
        return len(self.tensors[0])

    def take(self, rows: Codes) -> "Prepared":
        """Return these rows."""
        return Prepared(tuple(tensor[rows] for tensor in self.tensors))

    def join(self, other: "Prepared") -> "Prepared":
        """Return these rows followed by others."""
        import torch

        pairs = zip(self.tensors, other.tensors, strict=True)
        return Prepared(tuple(torch.cat(pair) for pair in pairs))


@dataclass(frozen=True)
class Attempt:
    """One member's predictions for query rows.

    Attributes:
        loss: their mean cross-entropy; carries the gradients.
        y: the rows' class codes.
        probabilities: what was predicted, shape (rows, classes).
    """

    loss: "torch.Tensor"
    y: Codes
    probabilities: Matrix


class Ensemble:
    """Ensemble members over one network.

    Args:
        classifier: an unfitted `TabPFNClassifier`; it is fitted here, on the context.
        X: the context rows, encoded, shape (rows, columns).
        y: their class codes 0..k-1, each of them present.
        bfloat16: whether training steps do the layers' matrix products in bfloat16; predictions
            are always made in float32.

    Attributes:
        network: the torch module; change its weights and predictions follow.
        context: the context rows as prepared.
        y: their class codes.
    """

    def __init__(self, classifier: Any, X: Matrix, y: Codes, bfloat16: bool = False) -> None:
        import torch

        from causalmix_core.foundation import forward

        self._classifier = classifier.fit(X, y)
        self._members: Sequence[Any] = classifier.executor_.ensemble_members
        self._device: torch.device = classifier.devices_[0]
        self.network: torch.nn.Module = classifier.model_.to(self._device)
        self.bfloat16 = bfloat16
        self._is_known = forward.is_known(self.network)
        self.classes = int(y.max()) + 1
        self.y = y
        # Where a member relabels class c, the network calls it _relabel[member][c].
        self._relabel = [
            np.arange(self.classes)
            if member.config.class_permutation is None
            else np.asarray(member.config.class_permutation)
            for member in self._members
        ]
        trained_on = [
            torch.as_tensor(np.asarray(member.X_train), dtype=torch.float32)
            for member in self._members
        ]
        self._raw_context = trained_on
        self.context = Prepared(tuple(self._clip(i, rows) for i, rows in enumerate(trained_on)))

    def __len__(self) -> int:
        return len(self._members)

    def prepare(self, X: Matrix) -> Prepared:
        """Preprocess rows with what was fitted on the context."""
        import torch

        X = self._clean(X)
        tensors = []
        for i, member in enumerate(self._members):
            rows = torch.as_tensor(np.asarray(member.transform_X_test(X)), dtype=torch.float32)
            joined = torch.cat([self._raw_context[i], rows])
            tensors.append(self._clip(i, joined)[len(self._raw_context[i]) :])
        return Prepared(tuple(tensors))

    def attempts(
        self,
        context: Prepared,
        y_context: Codes,
        query: Prepared,
        y_query: Codes,
        members: Sequence[int] | None = None,
    ) -> "Iterator[Attempt]":
        """Let some or all members predict the query rows, with gradients.

        Query rows of a class that the context lacks cannot be predicted and are left out; where
        none is left nothing is yielded.
        """
        import torch

        known = np.isin(y_query, y_context)
        if not known.any():
            return
        if not known.all():
            rows = np.flatnonzero(known)
            query, y_query = query.take(rows), y_query[rows]
        for i in range(len(self)) if members is None else members:
            # The network numbers the classes it sees in the context 0, 1, … in their order.
            present, context_codes = np.unique(self._relabel[i][y_context], return_inverse=True)
            target = np.searchsorted(present, self._relabel[i][y_query])
            x = torch.cat([context.tensors[i], query.tensors[i]]).to(self._device)
            labels = torch.as_tensor(context_codes, dtype=torch.float32, device=self._device)
            logits = self._logits(i, x, labels)[:, : len(present)]
            goal = torch.as_tensor(target, device=self._device)
            probabilities = np.zeros((len(y_query), self.classes))
            ours = np.argsort(self._relabel[i])[present]
            probabilities[:, ours] = torch.softmax(logits.detach(), dim=-1).cpu().numpy()
            loss = torch.nn.functional.cross_entropy(logits, goal)
            yield Attempt(loss, y_query, probabilities)

    def probabilities(
        self,
        query: Prepared,
        context: Prepared | None = None,
        y_context: Codes | None = None,
        progress: Progress = silent,
    ) -> Matrix:
        """Predict class probabilities, shape (rows, classes), from a context (default: its own).

        Members' probabilities are averaged; classes that the context lacks get 0.
        """
        return self.several([query], context, y_context, progress)[0]

    def several(
        self,
        queries: Sequence[Prepared],
        context: Prepared | None = None,
        y_context: Codes | None = None,
        progress: Progress = silent,
    ) -> list[Matrix]:
        """Predict several sets of rows, each on its own, from one pass over the context."""
        import torch

        context = self.context if context is None else context
        y_context = self.y if y_context is None else y_context
        temperature = float(self._classifier.softmax_temperature_)
        sums = [np.zeros((len(query), self.classes)) for query in queries]
        rows_asked = sum(map(len, queries))
        with torch.inference_mode(), _evaluating(self.network):
            for i in range(len(self)):
                present, codes = np.unique(self._relabel[i][y_context], return_inverse=True)
                # Which of our classes each of the network's outputs stands for.
                ours = np.argsort(self._relabel[i])[present]
                labels = torch.as_tensor(codes, dtype=torch.float32, device=self._device)
                rows = context.tensors[i].to(self._device)
                cache = self._remember(i, rows, labels)
                done = 0
                for total, query in zip(sums, queries, strict=True):
                    for start in range(0, len(query), _ROWS_PER_FORWARD):
                        part = slice(start, start + _ROWS_PER_FORWARD)
                        x = query.tensors[i][part].to(self._device)
                        logits = self._recall(i, cache, x, labels)
                        scaled = logits[:, : len(present)] / temperature
                        total[part, ours] += torch.softmax(scaled, dim=-1).cpu().numpy()
                        done += len(x)
                        progress(
                            (i + done / rows_asked) / len(self),
                            f"Pass {i + 1} of {len(self)}: {done:,} of {rows_asked:,} rows",
                        )
        return [total / total.sum(axis=1, keepdims=True) for total in sums]

    def _logits(self, member: int, x: "torch.Tensor", labels: "torch.Tensor") -> "torch.Tensor":
        """Logits (M, outputs) of the rows that follow the labelled ones."""
        if self._is_known:
            from causalmix_core.foundation import forward

            return forward.logits(self.network, x, labels, self.bfloat16)
        out: torch.Tensor = self._forward(member, x.unsqueeze(1), labels)[:, 0].float()
        return out

    def _remember(self, member: int, x: "torch.Tensor", labels: "torch.Tensor") -> Any:
        """What predictions need of the context rows."""
        if self._is_known:
            from causalmix_core.foundation import forward

            return forward.remember(self.network, x, labels)
        return self._forward(member, x.unsqueeze(1), labels, return_kv_cache=True)[1]

    def _recall(
        self, member: int, cache: Any, x: "torch.Tensor", labels: "torch.Tensor"
    ) -> "torch.Tensor":
        """Logits (M, outputs) of query rows from what `_remember` returned."""
        if self._is_known:
            from causalmix_core.foundation import forward

            return forward.recall(self.network, cache, x)
        options = {"kv_cache": cache, "x_is_test_only": True}
        out = self._forward(member, x.unsqueeze(1), labels, **options)
        # The cached path of some architectures returns the cache as well.
        logits: torch.Tensor = (out[0] if isinstance(out, tuple) else out)[:, 0].float()
        return logits

    def _forward(self, member: int, x: "torch.Tensor", y: "torch.Tensor", **options: Any) -> Any:
        return self.network(
            x,
            y,
            only_return_standard_out=True,
            categorical_inds=[self._categorical(member)],
            task_type="multiclass",
            **options,
        )

    def _categorical(self, member: int) -> list[int]:
        schema = self._members[member].feature_schema
        return [
            i
            for i, feature in enumerate(schema.features)
            if feature.modality.value == "categorical"
        ]

    def _clean(self, X: Matrix) -> Matrix:
        """Encode rows as the classifier does before its members see them."""
        from tabpfn.preprocessing.clean import clean_data_transform
        from tabpfn.preprocessing.datamodel import FeatureModality

        schema = self._classifier.inferred_feature_schema_
        cleaned: Matrix = clean_data_transform(
            X,
            cat_indices=schema.indices_for(FeatureModality.CATEGORICAL),
            ord_encoder=getattr(self._classifier, "ordinal_encoder_", None),
            passthrough_inf=self._classifier.get_inference_config().PASSTHROUGH_INF,
        )
        return cleaned

    def _clip(self, member: int, rows: "torch.Tensor") -> "torch.Tensor":
        """Apply the member's outlier clipping, fitted on the context."""
        pipeline = self._members[member].gpu_preprocessor
        if pipeline is None:
            return rows
        result = pipeline(
            rows.unsqueeze(1),
            feature_schema=self._members[member].feature_schema,
            num_train_rows=len(self._raw_context[member]),
        )
        clipped: torch.Tensor = result.x.squeeze(1)
        return clipped


@contextmanager
def _evaluating(network: "torch.nn.Module") -> Iterator[None]:
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
