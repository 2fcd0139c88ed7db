"""The structural causal model: fitted node by node, sampled causes first."""

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from importlib import import_module
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.errors import CausalMixError, MechanismError
from causalmix_core.progress import Progress, silent
from causalmix_core.scm.assignment import assign
from causalmix_core.scm.columns import Array, ColumnCodec, decode, encode, learn_codecs
from causalmix_core.scm.diagnostics import NodeDiagnostics
from causalmix_core.scm.mechanism import Mechanism, Roots
from causalmix_core.scm.sampling import Sampler
from causalmix_core.scm.seeding import apportion, generator_for
from causalmix_core.scm.selection import EFFORTS, Quality, has_autogluon
from causalmix_core.scm.structure import Graph, read_structure
from causalmix_core.table.table import Table

_FEWEST_ROWS = 3


class StructuralCausalModel:
    """A DAG or ADMG, or several, with a fitted mechanism per node.

    Args:
        quality: how hard to look for each node's mechanism: "good", "better", or "best".
        roots: "smoothed" draws between observed values of columns without causes, so that
            synthetic rows are no copies; "empirical" draws the observed values themselves.
        threads: nodes fitted at the same time; None uses every core.

    Attributes:
        structures_: the fitted graphs, causes before effects.
        notes_: what the user should be told about the fit.
    """

    def __init__(
        self, quality: Quality = "good", *, roots: Roots = "smoothed", threads: int | None = None
    ) -> None:
        self.quality = quality
        self.roots = roots
        self.threads = threads

    def fit(self, table: Table, dag: Graph | Sequence[Graph], progress: Progress = silent) -> Self:
        """Fit a mechanism for every column of `table` given its causes in `dag`.

        Args:
            table: the training rows, and only those.
            dag: a DAG or ADMG, a networkx.DiGraph, or a list of them; each graph of a list makes
                an equal share of the sampled rows, and equal mechanisms are fitted once.

        Raises:
            GraphError: the graph does not fit the table or has a cycle.
            MechanismError: a node cannot be fitted; the message names it.
        """
        if self.quality not in EFFORTS:
            raise MechanismError(f"Quality is good, better or best, not {self.quality!r}.")
        if len(table) < _FEWEST_ROWS:
            raise MechanismError(
                f"A causal model needs at least {_FEWEST_ROWS} rows; this table has {len(table)}."
            )
        graphs = list(dag) if isinstance(dag, (list, tuple)) else [dag]
        if not graphs:
            raise MechanismError("The list of graphs is empty; give at least one.")
        self.table_ = table.take(np.arange(0))
        self.codecs_ = learn_codecs(table)
        quality, self.notes_ = _available(self.quality)
        self.structures_ = [read_structure(graph, table.columns) for graph in graphs]
        for note in self.notes_:
            progress(0.0, note)
        wanted = list(
            dict.fromkeys(
                (node, parents)
                for structure in self.structures_
                for node, parents in structure.parents.items()
            )
        )
        fitted = _fit_all(table, self.codecs_, wanted, quality, self.roots, self.threads, progress)
        self.members_ = [
            {node: fitted[node, parents] for node, parents in structure.parents.items()}
            for structure in self.structures_
        ]
        self.rows_ = len(table)
        return self

    def sample(
        self,
        n: int,
        seed: int = 0,
        *,
        balance: Mapping[str, float] | None = None,
        do: Mapping[str, object] | None = None,
    ) -> pd.DataFrame:
        """Draw `n` synthetic rows with the training table's columns, order and dtypes.

        Args:
            seed: the same seed gives the same rows, in another process too.
            balance: wanted shares of the target's classes; None keeps those of the model.
            do: values that columns are set to, whatever their causes say (an intervention).
        """
        self._check_fitted()
        settled = self.settle(do or {})
        counts = None if balance is None else self._class_counts(balance, n, seed)
        return decode(self.draw(n, seed, counts, settled), self.codecs_)

    def settle(self, do: Mapping[str, object]) -> dict[str, float]:
        """Return the codes of values that columns are set to.

        Raises:
            MechanismError: there is no such column, or it cannot have this value.
        """
        self._check_fitted()
        return {node: self._code(node, value) for node, value in do.items()}

    def draw(
        self,
        n: int,
        seed: int,
        counts: NDArray[np.int64] | None = None,
        settled: Mapping[str, float] | None = None,
    ) -> dict[str, Array]:
        """Return `n` rows as codes; `counts[c]` of the target's code c where given."""
        self._check_fitted()
        parts: list[dict[str, Array]] = []
        target = self.table_.target
        shares = self._shares(np.array([n]) if counts is None else counts)
        for number, (structure, mechanisms) in enumerate(
            zip(self.structures_, self.members_, strict=True)
        ):
            sampler = Sampler(structure, mechanisms, self.rows_, settled or {})
            if counts is None:
                parts.append(sampler.draw(int(shares[number, 0]), seed, number))
                continue
            assert target is not None
            parts += [
                sampler.draw_class(target, code, int(share), seed, number)
                for code, share in enumerate(shares[number])
                if share
            ]
        if not parts:
            return {name: np.empty(0) for name in self.codecs_}
        joined = {name: np.concatenate([part[name] for part in parts]) for name in self.codecs_}
        if len(parts) > 1:
            order = generator_for(seed, "order of rows").permutation(n)
            joined = {name: values[order] for name, values in joined.items()}
        return joined

    @property
    def diagnostics(self) -> tuple[NodeDiagnostics, ...]:
        """What to know about each node, in the table's column order.

        In an ensemble a node has one entry per set of parents, the most used first.
        """
        self._check_fitted()
        share: dict[tuple[str, tuple[str, ...]], float] = {}
        found: dict[tuple[str, tuple[str, ...]], Mechanism] = {}
        for member in self.members_:
            for node, mechanism in member.items():
                key = node, mechanism.parents
                share[key] = share.get(key, 0.0) + 1 / len(self.members_)
                found[key] = mechanism
        position = {name: place for place, name in enumerate(self.codecs_)}
        ordered = sorted(found, key=lambda key: (position[key[0]], -share[key], key[1]))
        return tuple(
            replace(found[key].diagnostics, weight=round(share[key], 6)) for key in ordered
        )

    def to_dowhy(self, member: int = 0) -> Any:
        """Return the fitted model as a `dowhy.gcm.StructuralCausalModel`, ready for sampling.

        Its nodes hold values as they stand in the table. Nodes that share noise (↔) get one
        further root, which draws the training row that their noise is taken from.
        """
        self._check_fitted()
        from causalmix_core.scm import _gcm

        return _gcm.to_dowhy(self.structures_[member], self.members_[member], self.rows_)

    def _shares(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return (graphs, counts): how many rows of each count every graph makes.

        What cannot be shared out evenly goes to the graphs in turn, over all counts.
        """
        graphs = len(self.members_)
        rest = counts % graphs
        turn = (np.arange(graphs)[:, None] - (np.cumsum(rest) - rest)) % graphs
        shares: NDArray[np.int64] = counts // graphs + (turn < rest)
        return shares

    def _code(self, node: str, value: object) -> float:
        if node not in self.codecs_:
            raise MechanismError(f"{node!r} is not a column of the causal model.")
        codec = self.codecs_[node]
        if codec.is_category and value not in codec.levels:
            raise MechanismError(f"{node!r} has no value {value!r} in the training rows.")
        dtype = None if codec.is_category else codec.dtype
        try:
            code = float(codec.encode(pd.Series([value], dtype=dtype))[0])
        except (TypeError, ValueError, OverflowError):
            raise MechanismError(f"{node!r} cannot be set to {value!r}.") from None
        if not codec.is_category and not codec.low <= code <= codec.high:
            least, most = codec.decode(np.array([codec.low, codec.high]))
            raise MechanismError(
                f"{node!r} lies between {least} and {most} in the training rows; what follows from "
                f"{value!r} cannot be told from them."
            )
        return code

    def _class_counts(self, balance: Mapping[str, float], n: int, seed: int) -> NDArray[np.int64]:
        target = self.table_.target
        if target is None or not self.codecs_[target].is_category:
            raise MechanismError("A class balance needs a target column with classes.")
        codec = self.codecs_[target]
        shares = np.zeros(codec.codes)
        for level, share in balance.items():
            if str(level) not in codec.levels:
                raise MechanismError(f"The target {target!r} has no class {level!r} in these rows.")
            shares[codec.levels.index(str(level))] = share
        return apportion(shares, n, generator_for(seed, "class shares"))

    def _check_fitted(self) -> None:
        if not hasattr(self, "members_"):
            raise MechanismError("Fit the causal model before sampling from it.")


def _available(quality: str) -> tuple[str, tuple[str, ...]]:
    """Return the quality that can be had, and what to say where it is not the wanted one."""
    if quality != "best" or has_autogluon():
        return quality, ()
    return "better", (
        "Quality best also tries AutoGluon, which is not installed, so better was used. AutoGluon "
        "1.6 asks for an older pandas than this program has but runs with it; let pip skip that "
        "check: pip install --no-deps autogluon.tabular autogluon.core autogluon.features "
        "autogluon.common lightgbm",
    )


def _import_engines(quality: str) -> None:
    """Import here what nodes import when first used: two threads may meet half-made modules."""
    for name in ("sklearn.ensemble", "sklearn.linear_model"):
        import_module(name)
    if EFFORTS[quality].autogluon:
        import_module("autogluon.tabular")


_cache: OrderedDict[tuple[object, ...], Mechanism] = OrderedDict()
_cache_lock = threading.Lock()
_CACHE_SIZE = 4096


def _fit_all(
    table: Table,
    codecs: Mapping[str, ColumnCodec],
    wanted: Sequence[tuple[str, tuple[str, ...]]],
    quality: str,
    roots: Roots,
    threads: int | None,
    progress: Progress,
) -> dict[tuple[str, tuple[str, ...]], Mechanism]:
    """Fit the wanted (node, parents), remembering mechanisms over fits and ensemble members."""
    fitted: dict[tuple[str, tuple[str, ...]], Mechanism] = {}
    digest = table.digest
    with _cache_lock:
        for key in wanted:
            if (known := _cache.get((*key, digest, quality, roots))) is not None:
                _cache.move_to_end((*key, digest, quality, roots))
                fitted[key] = known
    missing = [key for key in wanted if key not in fitted]
    progress(len(fitted) / len(wanted), "Learning how every column is made")
    if not missing:
        return fitted
    columns = encode(table, codecs)
    _import_engines(quality)
    from threadpoolctl import ThreadpoolController

    controller = ThreadpoolController()
    workers = min(threads or os.cpu_count() or 1, len(missing))

    def fit(key: tuple[str, tuple[str, ...]]) -> Mechanism:
        node, parents = key
        try:
            return assign(node, parents, columns, codecs, quality=quality, roots=roots)
        except CausalMixError:
            raise
        except Exception as error:
            raise MechanismError(
                f"The mechanism of {node!r} could not be fitted: {error}"
            ) from error

    # one thread per node beats many threads inside each: small fits spend them on waiting
    with (
        controller.limit(limits=1, user_api="blas"),
        ThreadPoolExecutor(
            workers, initializer=lambda: controller.limit(limits=1, user_api="openmp")
        ) as pool,
    ):
        futures = {pool.submit(fit, key): key for key in missing}
        try:
            for future in as_completed(futures):
                key = futures[future]
                fitted[key] = future.result()
                with _cache_lock:
                    _cache[(*key, digest, quality, roots)] = fitted[key]
                    while len(_cache) > _CACHE_SIZE:
                        _cache.popitem(last=False)
                progress(len(fitted) / len(wanted), f"Learning how {key[0]} is made")
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    return fitted
