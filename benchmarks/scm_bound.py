"""What any fit can reach: the equations that made the table `health`, their numbers estimated.

Every mechanism has the family of the truth (a line with normal noise, a multinomial logit, rounding
and clipping as in the simulation), and only its coefficients are learned from the training rows, by
maximum likelihood. What boosted trees still tell from held-out rows is the price of few rows, and
no model that has to find the families too can be expected to pay less.
"""

import numpy as np
import pandas as pd

from causalmix_core.table import examples

DECIMALS = {
    "age": 0,
    "income": 2,
    "exercise_hours": 2,
    "bmi": 1,
    "blood_pressure": 0,
    "cholesterol": 2,
    "doctor_visits": 0,
}
LOWEST = {"age": 18.0, "exercise_hours": 0.0, "doctor_visits": 0.0}
HIGHEST = {"age": 90.0}


def rows_of_the_true_family(train: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    """Fit the true families on `train` and draw `n` rows."""
    import networkx as nx
    from sklearn.linear_model import LinearRegression, LogisticRegression

    rng = np.random.default_rng(seed)
    frame = train.astype({name: object for name in train if name not in DECIMALS})
    levels = {name: sorted(frame[name].unique()) for name in frame if name not in DECIMALS}
    graph = nx.DiGraph(examples.true_edges("health"))
    graph.add_nodes_from(frame)
    answered = frame["income"].notna()
    drawn = pd.DataFrame(index=range(n))

    def matrix(rows: pd.DataFrame, causes: list[str]) -> np.ndarray:
        parts = [np.empty((len(rows), 0))]
        for cause in causes:
            if cause in DECIMALS:
                parts.append(rows[[cause]].to_numpy(dtype=float))
            else:
                others = np.array(levels[cause][1:], dtype=object)
                parts.append((rows[cause].to_numpy()[:, None] == others).astype(float))
        return np.hstack(parts)

    for node in nx.topological_sort(graph):
        causes = sorted(graph.predecessors(node))
        known = frame[answered] if "income" in (node, *causes) else frame
        if node in levels:
            chances = np.tile(known[node].value_counts(normalize=True)[levels[node]], (n, 1))
            if causes:
                logit = LogisticRegression(C=1e4, max_iter=5_000)
                logit.fit(matrix(known, causes), known[node])
                chances = logit.predict_proba(matrix(drawn, causes))
            climbing = chances.cumsum(axis=1)[:, :-1]
            place = (climbing < rng.random(n)[:, None]).sum(axis=1)
            drawn[node] = np.array(levels[node], dtype=object)[place]
            continue
        y = known[node].to_numpy(dtype=float)
        centre, freedom, rest = np.full(n, y.mean()), len(y) - 1, y - y.mean()
        if causes:
            line = LinearRegression().fit(matrix(known, causes), y)
            centre, rest = (
                line.predict(matrix(drawn, causes)),
                y - line.predict(matrix(known, causes)),
            )
            freedom = len(y) - matrix(known, causes).shape[1] - 1
        noise = np.sqrt((rest**2).sum() / freedom) * rng.standard_normal(n)
        value = np.round(centre + noise, DECIMALS[node])
        drawn[node] = value.clip(LOWEST.get(node, -np.inf), HIGHEST.get(node, np.inf))
    drawn["income"] = drawn["income"].where(rng.random(n) < answered.mean())
    return drawn[train.columns]
