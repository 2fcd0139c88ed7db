"""What synthetic rows should be like: classes, rules between columns, an intervention."""

from collections.abc import Mapping
from math import floor, log10

import pandas as pd
import streamlit as st

from causalmix_core.augment import parse_rule, suggest_rules
from causalmix_core.augment.rules import Combinations, Order, Rule, Sum
from causalmix_core.errors import GeneratorError
from causalmix_core.table import Kind, Table
from ui.kept import Keep
from ui.words import plain

_AS_REAL, _EQUAL, _OWN = "as in the real rows", "all equally often", "shares of my own"
_MOST_CLASSES = 20
"""Of so many classes each can be asked for alone."""
_SHARES = "class-shares"
_BROWSER_EXACT = 2**53


def classes(table: Table, keep: Keep) -> Mapping[str, float] | None:
    """Ask for the shares of the classes; None keeps the real ones."""
    if table.target is None or not table.kinds[table.target].is_category:
        return None
    shares = table.frame[table.target].value_counts(normalize=True)
    levels = [str(level) for level in shares.index]
    only = {f"only {level}": level for level in levels[:_MOST_CLASSES]}
    choice = st.selectbox(
        "Classes of the synthetic rows",
        [_AS_REAL, _EQUAL, *only, _OWN],
        **keep("classes"),
        help="Rows of a rare class are made directly, not by waiting for one to turn up.",
    )
    if choice == _AS_REAL:
        return None
    if choice == _EQUAL:
        return dict.fromkeys(levels, 1 / len(levels))
    if choice in only:
        return {only[choice]: 1.0}
    real = [round(100 * shares[one], 1) for one in levels]
    edited = _own_shares(levels, real, keep("own-shares")["key"])
    wanted = edited["share (%)"].fillna(0.0).clip(lower=0.0)
    if not wanted.sum() > 0:
        st.error("Give at least one class a share above zero.")
        return None
    asked = dict(zip(levels, (wanted / wanted.sum()).tolist(), strict=True))
    # The shares shown at first are rounded: they need not add up to the last digit.
    if abs(wanted.sum() - 100) > 0.05 * len(levels) + 1e-9:
        became = ", ".join(f"{level} {100 * share:.1f} %" for level, share in asked.items())
        st.caption(
            f":material/info: These add up to {wanted.sum():.1f} %, not 100 %; in proportion they "
            f"become {plain(became)}."
        )
    return asked


def _own_shares(levels: list[str], real: list[float], kept: str) -> pd.DataFrame:
    """Let shares be written into a table, which begins with `real` or with what was kept.

    A table's widget forgets its changes with the page. They are kept beside it, and a table that
    is shown anew begins with them; one that is being changed must not begin anew.
    """
    if _SHARES not in st.session_state:
        st.session_state[f"{kept}-first"] = st.session_state.get(kept, real)
    edited = st.data_editor(
        pd.DataFrame({"class": levels, "share (%)": st.session_state.get(f"{kept}-first", real)}),
        column_config={
            "share (%)": st.column_config.NumberColumn(min_value=0.0, max_value=100.0, step=0.1)
        },
        disabled=["class"],
        hide_index=True,
        key=_SHARES,
    )
    st.session_state[kept] = edited["share (%)"].tolist()
    return edited


def asks_for_others(balance: Mapping[str, float] | None, real: Table) -> bool:
    """Whether shares of the classes differ from those of the real rows, by more than one row."""
    if balance is None or real.target is None:
        return False
    shares = real.frame[real.target].astype(str).value_counts(normalize=True)
    levels = {*shares.index, *balance}
    most = max(abs(balance.get(level, 0.0) - shares.get(level, 0.0)) for level in levels)
    return most > max(1 / len(real), 0.001)


def clash(
    balance: Mapping[str, float] | None, do: Mapping[str, object], target: str | None
) -> str | None:
    """Say what class shares do to an intervention where both are asked for."""
    if balance is None or not do:
        return None
    if target in do:
        return (
            f"You set {target} by hand and ask for shares of its classes: the causal model can "
            "only do both where every row is to be of that class."
        )
    return (
        f"The class shares fix {target} whatever the intervention does: the rows will not show "
        f"its effect on {target}. Choose '{_AS_REAL}' to see it."
    )


@st.cache_data(max_entries=8, show_spinner=False)
def _suggested(key: str, _table: Table) -> list[str]:
    return [rule.text for rule in suggest_rules(_table)]


def rules(table: Table, key: str, keep: Keep) -> list[str] | None:
    """Ask for rules between columns; None where one of them makes no sense."""
    found = _suggested(key, table)
    chosen = st.multiselect(
        "Rules that hold in every real row: which ones must hold?",
        found,
        **keep("rules"),
        format_func=lambda text: in_words(parse_rule(text)),
        placeholder="Choose rules" if found else "No rules were found in the rows",
        disabled=not found,
    )
    written = st.text_area(
        "Rules of your own, one per line",
        **keep("own-rules"),
        placeholder="start <= end\nrent + food = spending\ncity within country",
        height=110,
        help="a <= b: order of two numbers or dates, or a part and its whole. a + b = c: a sum. "
        "a within b: only combinations that the real rows have. Names that hold such signs stand "
        "in `backquotes`.",
    )
    own = [line.strip() for line in written.splitlines() if line.strip()]
    for line in own:
        try:
            parse_rule(line).check(table)
        except GeneratorError as error:
            st.error(plain(error))
            return None
    st.caption(
        "A sum is computed; a row that breaks another rule is drawn again. How many were is told "
        "with the rows."
    )
    return list(dict.fromkeys([*chosen, *own]))


def in_words(rule: Rule) -> str:
    """Say a rule as people write it: ``start ≤ end``."""
    if isinstance(rule, Order):
        return f"{rule.lesser} {'<' if rule.strict else '≤'} {rule.greater}"
    if isinstance(rule, Sum):
        return f"{' + '.join(rule.parts)} = {rule.total}"
    if isinstance(rule, Combinations):
        return f"{rule.among[0]} only with its {' and '.join(rule.among[1:])}"
    return rule.text


def intervention(table: Table, keep: Keep) -> Mapping[str, object]:
    """Ask what to set a column to; empty for nothing."""
    st.caption(
        "For the curious: rows of a world in which one column is set by hand. Its effects follow, "
        "its causes do not. Only the causal model can answer this, and only as well as the graph "
        "is right; the other generators ignore it."
    )
    too_large = [name for name in table.columns if _is_too_large(table, name)]
    if too_large:
        st.caption(
            f":material/info: {plain(', '.join(too_large))} cannot be set here: a browser cannot "
            "hold such large whole numbers exactly."
        )
    left, right = st.columns(2)
    none = "nothing"
    names = [name for name in table.columns if name not in too_large]
    column = left.selectbox("Set this column", [none, *names], **keep("set"))
    if column == none:
        return {}
    kind, kept = table.kinds[column], keep(f"to-{column}")
    if kind.is_category:
        levels = sorted(table.frame[column].dropna().astype(str).unique())
        return {column: right.selectbox("to", levels, **kept)}
    values = table.frame[column].dropna()
    if kind is Kind.DATETIME:
        first, last = values.min().date(), values.max().date()
        middle = pd.Timestamp(values.median()).date()
        return {column: str(right.date_input("to", middle, first, last, **kept))}
    whole = kind is Kind.INTEGER
    cast = int if whole else float
    number = right.number_input(
        "to",
        cast(values.min()),
        cast(values.max()),
        cast(values.median()),
        step=1 if whole else _step(float(values.max() - values.min())),
        format=None if whole else "%.10g",
        **kept,
        help="Between the smallest and the largest value of the real rows.",
    )
    return {column: number}


def _step(span: float) -> float:
    """Return a power of ten of which some hundreds make up the span."""
    return 10.0 ** (floor(log10(span)) - 2) if span > 0 else 0.01


def _is_too_large(table: Table, name: str) -> bool:
    """Whether a column holds whole numbers that a browser's numbers cannot tell apart."""
    if table.kinds[name] is not Kind.INTEGER:
        return False
    values = table.frame[name].dropna()
    return bool(((values >= _BROWSER_EXACT) | (values <= -_BROWSER_EXACT)).any())
