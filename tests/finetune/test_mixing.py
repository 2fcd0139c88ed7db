"""Which rows a step draws: sizes, shares, no row on both sides, every class to learn from."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from causalmix_core.finetune.mixing import draw
from causalmix_core.finetune.settings import Mixing

labels = st.lists(st.integers(0, 3), min_size=12, max_size=80).map(np.array)


def _draw(y, synthetic, mixing, *, query_share=0.3, max_rows=1000, done=0.0, seed=0):
    return draw(
        y,
        synthetic,
        mixing,
        query_share=query_share,
        max_rows=max_rows,
        done=done,
        rng=np.random.default_rng(seed),
    )


@settings(max_examples=60, deadline=None)
@given(
    labels,
    st.integers(0, 300),
    st.floats(0, 1),
    st.sampled_from(["context", "query", "both"]),
    st.floats(0.1, 0.9),
    st.integers(10, 60),
    st.integers(0, 99),
)
def test_every_method_draws_as_many_rows_and_none_twice(
    y, synthetic, share, into, query_share, max_rows, seed
):
    found = _draw(
        y,
        synthetic,
        Mixing(share=share, into=into),
        query_share=query_share,
        max_rows=max_rows,
        seed=seed,
    )
    real_only = _draw(y, 0, Mixing(), query_share=query_share, max_rows=max_rows, seed=seed)
    context = len(found.context.real) + len(found.context.synthetic)
    query = len(found.query.real) + len(found.query.synthetic)
    assert context == len(real_only.context.real)
    assert query == len(real_only.query.real)
    assert context + query == min(len(y), max_rows)
    both = np.concatenate([found.context.real, found.query.real])
    assert len(set(both.tolist())) == len(both)
    made = np.concatenate([found.context.synthetic, found.query.synthetic])
    if len(made) <= synthetic:
        assert len(set(made.tolist())) == len(made)
    assert len(real_only.context.synthetic) == len(real_only.query.synthetic) == 0


@settings(max_examples=60, deadline=None)
@given(labels, st.integers(0, 99))
def test_what_is_asked_about_has_been_shown(y, seed):
    assume(len(np.unique(y)) > 1)
    found = _draw(y, 0, Mixing(), seed=seed)
    assert set(y[found.query.real]) <= set(y[found.context.real])


def test_class_shares_are_kept_on_both_sides():
    y = np.repeat([0, 1], [160, 40])
    for seed in range(10):
        found = _draw(y, 0, Mixing(), seed=seed)
        assert np.mean(y[found.context.real]) == pytest.approx(0.2, abs=0.07)
        assert np.mean(y[found.query.real]) == pytest.approx(0.2, abs=0.13)


def test_the_share_is_that_of_the_parts_named():
    y = np.repeat([0, 1], 50)
    both = _draw(y, 1000, Mixing(share=0.5, into="both"))
    assert (len(both.context.synthetic), len(both.query.synthetic)) == (35, 15)
    context = _draw(y, 1000, Mixing(share=0.5, into="context"))
    assert (len(context.context.synthetic), len(context.query.synthetic)) == (35, 0)
    query = _draw(y, 1000, Mixing(share=1.0, into="query"))
    assert (len(query.context.synthetic), len(query.query.synthetic)) == (0, 30)
    alone = _draw(y, 1000, Mixing(share=1.0, into="both"))
    assert len(alone.context.real) == len(alone.query.real) == 0


def test_a_fading_share_is_gone_at_the_end():
    y = np.repeat([0, 1], 50)
    fading = Mixing(share=0.8, schedule="fading")
    counts = [len(_draw(y, 1000, fading, done=done).context.synthetic) for done in (0.0, 0.5, 1.0)]
    assert counts == [56, 28, 0]


def test_the_same_generator_state_draws_the_same_rows():
    y = np.repeat([0, 1], 50)
    first, second = (_draw(y, 200, Mixing(), seed=4) for _ in range(2))
    assert np.array_equal(first.context.real, second.context.real)
    assert np.array_equal(first.query.synthetic, second.query.synthetic)
