"""What is looked at before a search: columns that would break it, and what is done with them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isqrt

import numpy as np

from causalmix_core.discovery.constraints import Constraints
from causalmix_core.discovery.encoding import Bools, Encoded, Floats, Ints, encode
from causalmix_core.discovery.g_squared import MINIMUM_COUNT
from causalmix_core.discovery.marks import ARROW, CIRCLE, TAIL, Marks
from causalmix_core.errors import DiscoveryError
from causalmix_core.graph.mixed_graph import Knowledge
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

FEWEST_ROWS = 10
"""Rows below which no search is started."""

FEW_ROWS = 50
"""Complete rows of a pair of columns below which the user is warned."""

MOST_LEVELS = 20
"""Levels a category keeps at most, see `most_levels`; the rarest beyond are merged into one."""

FEWEST_LEVELS = 4
"""Levels a category keeps however few its rows are."""

_FEW_VALUES = 100  # a number with more values than this is compared by correlation alone


@dataclass(frozen=True)
class Screening:
    """What was found in the columns and what follows for the search.

    Attributes:
        searched: the columns that are searched, sorted.
        constant: columns with one value only; they stay in the graph without edges.
        copies: column → the column it is a one-to-one copy of; it is joined to that one alone.
        thinned: category → how many of its rare levels were merged into one.
        determined: column → columns that determine it exactly; both stay in the search.
        notes: all of this in sentences for the user.
    """

    searched: tuple[str, ...]
    constant: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    thinned: Mapping[str, int] = field(default_factory=dict)
    determined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def screen(table: Table) -> Screening:
    """Look for columns that a search cannot use as they are.

    Raises:
        DiscoveryError: too few rows or columns for any search.
    """
    return prepare(table)[1]


def prepare(table: Table, knowledge: Knowledge | None = None) -> tuple[Encoded, Screening]:
    """Return the encoded columns that are searched, with the screening that chose them.

    Columns of required edges are searched whatever they hold: their edges are certain.
    """
    wanted = {name for pair in knowledge.required for name in pair} if knowledge else set()
    data = encode(table)
    if len(data) < FEWEST_ROWS:
        raise DiscoveryError(
            f"A causal search needs at least {FEWEST_ROWS} rows; this table has {len(data)}."
        )
    constant = tuple(
        name
        for name, values in zip(data.names, data.values.T, strict=True)
        if _one_value(values) and name not in wanted
    )
    copies = _copies(data, constant, wanted)
    kept = [k for k, name in enumerate(data.names) if name not in {*constant, *copies}]
    if len(kept) < 2:
        raise DiscoveryError(
            "A causal search needs at least two columns that vary and are not copies of each "
            f"other; this table has {len(kept)}."
        )
    data, thinned = _thin(_select(data, kept))
    determined = _determined(data)
    screening = Screening(data.names, constant, copies, thinned, determined)
    return data, replace(screening, notes=_notes(screening, data))


def _select(data: Encoded, kept: list[int]) -> Encoded:
    return Encoded(
        tuple(data.names[k] for k in kept),
        data.values[:, kept],
        data.is_category[kept],
        data.is_ranked[kept],
        data.levels[kept],
    )


def _one_value(values: Floats) -> bool:
    present = values[~np.isnan(values)]
    return len(present) == 0 or bool((present == present[0]).all())


def join_copies(
    marks: Marks,
    searched: Ints,
    names: tuple[str, ...],
    screening: Screening,
    constraints: Constraints,
    undirected: bool,
) -> Marks:
    """Return the marks over all columns, copies joined to their originals and to nothing else.

    A copy of an effect is its effect (else its edge would make a collider); any other copy's edge
    is left open, with tails if `undirected` and with circles if not.
    """
    out = np.zeros((len(names), len(names)), dtype=np.int8)
    out[np.ix_(searched, searched)] = marks
    for copy_name, original_name in screening.copies.items():
        copy, original = names.index(copy_name), names.index(original_name)
        if constraints.separate[copy, original]:
            continue
        out[original, copy] = out[copy, original] = TAIL if undirected else CIRCLE
        if constraints.arrows[copy, original]:
            out[copy, original], out[original, copy] = ARROW, TAIL
        elif constraints.arrows[original, copy] or (out[searched, original] == ARROW).any():
            out[original, copy], out[copy, original] = ARROW, TAIL
    return out


def _copies(data: Encoded, constant: tuple[str, ...], wanted: set[str]) -> dict[str, str]:
    """Find columns that say the same in other words (one-to-one), or the same on another scale."""
    first: dict[bytes, str] = {}
    copies: dict[str, str] = {}
    place = {name: k for k, name in enumerate(data.names)}
    names = sorted(set(data.names) - set(constant), key=lambda name: (name not in wanted, name))
    counts = {name: _value_counts(data, place[name]) for name in names}
    shared = Counter(counts.values())
    for name in names:
        if shared[counts[name]] == 1:
            continue  # no other column has its values so often
        fingerprint = _fingerprint(data, place[name])
        if fingerprint in first and name not in wanted:
            copies[name] = first[fingerprint]
        else:
            first.setdefault(fingerprint, name)
    return copies


def _value_counts(data: Encoded, k: int) -> bytes:
    """Equal for copies, and quickly made: how often the values of a column occur."""
    few = _few_values(data, k, len(data) // 2)
    if few is None:
        return np.isnan(data.values[:, k]).tobytes()
    return np.sort(np.bincount(few[0], minlength=few[1] + 1)).tobytes()


def _fingerprint(data: Encoded, k: int) -> bytes:
    """Equal for columns that are one-to-one (few values) or on one line (many)."""
    values = data.values[:, k]
    few = _few_values(data, k, len(data) // 2)
    if few is not None:
        codes, count = few
        first = np.full(count + 1, len(codes))
        first[codes[::-1]] = np.arange(len(codes))[::-1]  # the last to be written is the first row
        first[count] = len(codes)  # missing comes last, wherever it stands
        rank = np.empty(count + 1, dtype=np.int64)
        rank[np.argsort(first, kind="stable")] = np.arange(count + 1)
        ranks: Ints = np.where(np.isnan(values), -1, rank[codes])
        return ranks.tobytes()
    missing = np.isnan(values)
    present = values[~missing]
    centred = (present - present.mean()) / present.std()
    sign = np.sign(centred[np.argmax(np.abs(centred) > 1e-6)])
    # Rounding lets copies on another scale agree.
    scaled: Floats = np.round(centred * sign, 8) + 0.0
    return missing.tobytes() + scaled.tobytes()


def _few_values(data: Encoded, k: int, most: int) -> tuple[Ints, int] | None:
    """Codes 0..K-1 of a column's values, K for missing, and K; None if there are more than `most`
    or `_FEW_VALUES`."""
    values = data.values[:, k]
    missing = np.isnan(values)
    if data.is_category[k]:
        count = int(data.levels[k])
        codes = np.where(missing, count, values).astype(np.int64)
    else:
        distinct = np.unique(values[~missing])
        count = len(distinct)
        codes = np.where(missing, count, np.searchsorted(distinct, values))
    return (codes, count) if count <= max(1, min(_FEW_VALUES, most)) else None


def merge_rare_levels(table: Table, like: Table) -> Table:
    """Return `table` with the levels merged that a search of `like` merges: its rarest, where a
    category has more than `most_levels`, and those it does not know.

    All merged rows get one of the rarest levels as their value; ranks are given up.
    """
    frame, kinds = table.frame.copy(), dict(table.kinds)
    for name in like.columns:
        if like.kinds[name].is_number:
            continue
        coded = like.coded(name)
        counts = np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded.values))
        most = most_levels(int(counts.sum()))
        if len(counts) > most:
            kept = _most_frequent(counts, most)
            merged = coded.values[min(set(range(len(counts))) - set(kept.tolist()))]
            values = frame[name].astype("str")
            known = values.isin([coded.values[k] for k in kept]) | values.isna()
            frame[name], kinds[name] = values.where(known, merged), Kind.CATEGORICAL
    return replace(table, frame=frame, kinds=kinds)


def most_levels(rows: int) -> int:
    """Levels that a category with so many rows keeps.

    Two such columns can just be tested on these rows. Pairs that no test can judge would stay
    joined in every resample, and look like the surest links of all.
    """
    return max(FEWEST_LEVELS, min(MOST_LEVELS, 1 + isqrt(int(rows / MINIMUM_COUNT))))


def _most_frequent(counts: Ints, most: int) -> Ints:
    """Levels that a category with more than `most` keeps beside the merged one, in order."""
    return np.sort(np.argsort(-counts, kind="stable")[: most - 1])


def _thin(data: Encoded) -> tuple[Encoded, dict[str, int]]:
    values, levels, thinned = data.values.copy(), data.levels.copy(), {}
    ranked = data.is_ranked.copy()
    for k in np.flatnonzero(data.is_category & (data.levels > FEWEST_LEVELS)):
        present = ~np.isnan(values[:, k])
        most = most_levels(int(present.sum()))
        if levels[k] <= most:
            continue
        codes = values[present, k].astype(np.int64)
        counts = np.bincount(codes, minlength=int(levels[k]))
        new = np.full(len(counts), most - 1)
        kept = _most_frequent(counts, most)
        new[kept] = np.arange(len(kept))
        thinned[data.names[k]] = int(levels[k]) - len(kept)
        values[present, k] = new[codes]
        levels[k], ranked[k] = most, False
    return replace(data, values=values, levels=levels, is_ranked=ranked), thinned


def _determined(data: Encoded) -> dict[str, tuple[str, ...]]:
    """Columns that are an exact function of another column, or of other numbers together."""
    # A column with nearly as many values as rows determines every other one by chance.
    found = {k: _few_values(data, k, len(data) // 5) for k in range(len(data.names))}
    few = {k: codes for k, codes in found.items() if codes is not None}
    if not few:
        return _linear_combinations(data)
    codes = np.array([codes for codes, _ in few.values()])
    filled = np.array([np.count_nonzero(np.bincount(code)) for code in codes])
    some = codes[:, :: max(1, codes.shape[1] // 200)]  # these rows settle most cases
    causes: dict[int, list[str]] = {}
    for c, cause in enumerate(few):
        candidates = np.flatnonzero(filled < filled[c])
        candidates = candidates[_are_functions(some[candidates], some[c])]
        for effect in candidates[_are_functions(codes[candidates], codes[c])].tolist():
            causes.setdefault(effect, []).append(data.names[cause])
    names = [data.names[k] for k in few]
    out = {names[effect]: tuple(causes[effect]) for effect in sorted(causes)}
    return out | _linear_combinations(data)


def _are_functions(effects: Ints, cause: Ints) -> Bools:
    """Which rows of `effects` have one code wherever `cause` has the same."""
    example = np.zeros(int(cause.max()) + 1, dtype=np.int64)
    example[cause] = np.arange(len(cause))
    same: Bools = (effects == effects[:, example[cause]]).all(axis=1)
    return same


def _linear_combinations(data: Encoded) -> dict[str, tuple[str, ...]]:
    numbers = np.flatnonzero(~data.is_category)
    values = data.values[:, numbers]
    values = values[~np.isnan(values).any(axis=1)]
    if len(values) < len(numbers) + 2 or not len(numbers):
        return {}
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    if np.linalg.matrix_rank(scaled, tol=1e-7 * np.sqrt(len(scaled))) == len(numbers):
        return {}
    out: dict[str, tuple[str, ...]] = {}
    basis: list[int] = []
    for k in range(len(numbers)):
        if basis:
            weights = np.linalg.lstsq(scaled[:, basis], scaled[:, k], rcond=None)[0]
            rest = scaled[:, k] - scaled[:, basis] @ weights
            if float((rest**2).mean()) < 1e-12:
                parts = [basis[i] for i in np.flatnonzero(np.abs(weights) > 1e-6)]
                out[data.names[numbers[k]]] = tuple(data.names[numbers[i]] for i in parts)
                continue
        basis.append(k)
    return out


def _notes(screening: Screening, data: Encoded) -> tuple[str, ...]:
    notes = [
        f"{name!r} has one value only in these rows; it stays in the graph without edges."
        for name in screening.constant
    ]
    notes += [
        f"{copy!r} says the same as {original!r}; it is joined to that column alone."
        for copy, original in screening.copies.items()
    ]
    notes += [
        f"{name!r} has many levels; its {merged} rarest are searched as one."
        for name, merged in screening.thinned.items()
    ]
    notes += [
        f"{name!r} is determined exactly by {' and '.join(repr(c) for c in causes)}; "
        "tests given what determines a column say nothing, so read its edges with care."
        for name, causes in screening.determined.items()
    ]
    present = (~np.isnan(data.values)).astype(np.float64)
    together = present.T @ present
    low = int(together.min())
    if low < FEW_ROWS:
        i, j = np.unravel_index(int(together.argmin()), together.shape)
        where = f"{data.names[i]!r} and {data.names[j]!r}" if i != j else f"{data.names[i]!r}"
        notes.append(
            f"Only {low} rows are complete in {where}: with so few, weak links stay unseen."
        )
    return tuple(notes)
