"""The grouped second-order table, cut to what was known on a day."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.stats.survival import mature_from, share_within, spells


def table(*rows: tuple[int, int | None, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["first_day", "gap", "n"])
    return frame.astype({"gap": "Int64"})


def test_an_event_counts_only_when_it_happened_before_the_as_of_day() -> None:
    second_order = table((100, 10, 3))
    assert spells(second_order, 110).to_dict("list") == {"day": [9], "events": [0], "censored": [3]}
    assert spells(second_order, 111).to_dict("list") == {"day": [10], "events": [3], "censored": [0]}


def test_a_customer_is_followed_to_the_day_before_the_as_of_day_and_exists_only_from_the_day_after_the_first() -> None:
    second_order = table((100, None, 2), (104, None, 5))
    assert spells(second_order, 100).empty
    assert spells(second_order, 101).to_dict("list") == {"day": [0], "events": [0], "censored": [2]}
    assert spells(second_order, 105).to_dict("list") == {"day": [0, 4], "events": [0, 0], "censored": [5, 2]}


def test_repeat_within_30_days_needs_the_30th_day_to_be_over() -> None:
    second_order = table((100, 30, 4), (100, 31, 2), (100, None, 4), (101, 5, 7), (131, 1, 9))
    early = share_within(second_order, 30, 130)
    assert (early.mature, early.repeated, early.immature, early.share) == (0, 0, 17, None)
    on_time = share_within(second_order, 30, 131)
    assert (on_time.mature, on_time.repeated, on_time.immature, on_time.share) == (10, 4, 7, 0.4)
    assert (on_time.low, on_time.high) == pytest.approx((0.1682, 0.6873), abs=5e-5)
    assert mature_from(100, 30) == 131


def test_the_gap_column_may_be_nullable_whole_numbers_floats_or_objects() -> None:
    whole = table((1, 5, 2), (2, None, 3))
    for kind in ("Float64", "float64", "object"):
        other = whole.astype({"gap": kind})
        pd.testing.assert_frame_equal(spells(other, 30), spells(whole, 30))
        assert share_within(other, 7, 30) == share_within(whole, 7, 30)


rows = st.lists(
    st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(1, 40)), st.integers(1, 5)), min_size=1, max_size=20
)


@settings(deadline=None)  # a busy machine is no failure
@given(rows=rows, as_of=st.integers(0, 90), days=st.integers(1, 40))
def test_cutting_the_whole_table_is_recomputing_from_what_was_known_on_that_day(
    rows: list[tuple[int, int | None, int]], as_of: int, days: int
) -> None:
    known = [
        (first, gap if gap is not None and first + gap < as_of else None, n) for first, gap, n in rows if first < as_of
    ]
    pd.testing.assert_frame_equal(spells(table(*rows), as_of), spells(table(*known), as_of))
    assert share_within(table(*rows), days, as_of) == share_within(table(*known), days, as_of)
    cut = spells(table(*rows), as_of)
    assert int(cut["events"].sum() + cut["censored"].sum()) == sum(n for _, _, n in known)


@settings(deadline=None)  # a busy machine is no failure
@given(rows=rows, as_of=st.integers(0, 90), days=st.integers(1, 40))
def test_everyone_who_exists_is_mature_or_left_out(
    rows: list[tuple[int, int | None, int]], as_of: int, days: int
) -> None:
    share = share_within(table(*rows), days, as_of)
    assert share.mature + share.immature == sum(n for first, _, n in rows if first < as_of)
    assert share.repeated <= share.mature
    mature = table(*rows)
    mature = mature[mature["first_day"] + days < as_of]
    assert share.repeated == int(np.sum(mature["n"][(mature["gap"] <= days).fillna(False).to_numpy(dtype=bool)]))
