"""The range expected of a figure for each day, from its own past."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from lib.metrics.catalogue import find
from lib.metrics.definition import Mart, Scope, Unit
from lib.metrics.read import dailies
from lib.periods import Period, day_index
from lib.stats.expected_range import Kind, alerts_over, expected_ranges
from lib.ui.calendar import skipped_days

# Enough past for a range (84 days) and for alerts (90 scored days after it), and a year of seasons.
HISTORY = timedelta(days=420)


def expected(
    mart: Mart,
    keys: tuple[str, ...],
    filters: tuple[tuple[str, str], ...],
    period: Period,
    first_day: date,
    country: str,
) -> dict[str, pd.DataFrame]:
    """For each key one row per day of the period and before: ``day``, ``low``, ``high``, ``is_outside``, ``is_alert``.

    A store without enough past has rows without a range; a store without any has no rows.
    """
    start = max(first_day, period.start - HISTORY)
    end = period.end
    if start >= end:
        return {key: pd.DataFrame(columns=["day", "expected", "low", "high", "is_outside", "is_alert"]) for key in keys}
    skipped = frozenset(skipped_days(country, start, end))
    return _expected(keys, filters, start, end, skipped, int(mart.version), mart)


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _expected(
    keys: tuple[str, ...],
    filters: tuple[tuple[str, str], ...],
    start: date,
    end: date,
    skipped: frozenset[int],
    version: int,
    _mart: Mart,
) -> dict[str, pd.DataFrame]:
    scope = Scope(period=Period(start, end), as_of=end, filters=filters)
    table = dailies(_mart, list(keys), scope)
    kinds: dict[str, Kind] = {key: "money" if find(key).unit is Unit.MONEY else "count" for key in keys}
    return alerts_over(expected_ranges(table, kinds=kinds, holidays=skipped))


def on_day(frame: pd.DataFrame, day: date) -> pd.Series | None:
    """The row of one day, if it has a range."""
    rows = frame[frame["day"] == day_index(day)]
    if rows.empty or pd.isna(rows["low"].iloc[0]):
        return None
    return rows.iloc[0]
