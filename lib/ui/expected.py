"""The range expected of a figure for each day, from its own past."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from lib.metrics.catalogue import find
from lib.metrics.definition import Mart, Ratio, Scope, Unit
from lib.metrics.delivery import ARRIVED_WITH_PROMISE, PROMISED
from lib.metrics.measure import measure, value_of
from lib.metrics.read import dailies
from lib.periods import Period, day_index
from lib.stats.expected_range import Kind, alerts_over, expected_ranges
from lib.ui.calendar import skipped_days

# Enough past for a range (84 days) and for alerts (90 scored days after it), and a year of seasons.
HISTORY = timedelta(days=420)
# What is told of parcels alone: a young day whose parcels are mostly under way says nothing yet.
OF_PARCELS = "late_share"
DECIDED = 0.9
# No parcel that is still to come is older than this; what is, is lost and counts no more.
YOUNG_DAYS = 30


@dataclass(frozen=True, slots=True)
class Course:
    """Several figures day by day, with their pasts.

    ``table`` holds ``day`` and a column per key, NaN where a day has no value or is not decided yet.
    ``ranges`` holds per key what ``lib.stats.expected_range`` gives, alerts narrowed to those that stand
    when all figures are looked at together.
    """

    table: pd.DataFrame
    ranges: dict[str, pd.DataFrame]

    def within(self, period: Period) -> pd.DataFrame:
        """The days of a period alone."""
        start, end = day_index(period.start), day_index(period.end)
        rows = self.table[(self.table["day"] >= start) & (self.table["day"] < end)]
        return rows.reset_index(drop=True)


def course(mart: Mart, keys: tuple[str, ...], scope: Scope, first_day: date, country: str) -> Course:
    """The figures over the days of the scope and those before it that its ranges are learned from.

    A store without enough past has rows without a range; a store without any has no rows.
    """
    start = min(max(first_day, scope.period.start - HISTORY), scope.period.start)
    asked = scope.within(Period(start, scope.period.end))
    skipped = frozenset(skipped_days(country, start, scope.period.end))
    return _course(keys, asked, first_day, skipped, int(mart.version), mart)


# Shared, not copied: it is only read.
@st.cache_resource(ttl="1h", max_entries=60, show_spinner=False)
def _course(
    keys: tuple[str, ...], scope: Scope, first_day: date, skipped: frozenset[int], version: int, _mart: Mart
) -> Course:
    table = dailies(_mart, list(keys), scope)
    if OF_PARCELS in keys:
        table.loc[table["day"].isin(undecided(_mart, scope)), OF_PARCELS] = float("nan")
    judged = table[table["day"] >= day_index(first_day)]
    ranges = expected_ranges(judged, kinds={key: _kind(key) for key in keys}, holidays=skipped)
    for key in keys:
        if find(key).unit is Unit.SHARE:
            ranges[key][["low", "high"]] = ranges[key][["low", "high"]].clip(0.0, 1.0)
    return Course(table, alerts_over(ranges))


def _kind(key: str) -> Kind:
    metric = find(key)
    if isinstance(metric, Ratio):
        return "ratio"
    return "money" if metric.unit is Unit.MONEY else "count"


def undecided(mart: Mart, scope: Scope) -> set[int]:
    """The youngest days of which more than a tenth of the promised parcels have not arrived."""
    end = scope.period.end
    young = scope.within(Period(max(scope.period.start, end - timedelta(days=YOUNG_DAYS)), end))
    answers = measure(mart, [PROMISED, ARRIVED_WITH_PROMISE], young, daily=True)
    found: set[int] = set()
    for day in range(day_index(young.period.start), day_index(end)):
        promised, arrived = (value_of(part, answers, ("all", day)) for part in (PROMISED, ARRIVED_WITH_PROMISE))
        if promised and arrived < DECIDED * promised:
            found.add(day)
    return found


def on_day(frame: pd.DataFrame, day: int) -> pd.Series | None:
    """The row of one day, if it has a range."""
    place = int(frame["day"].searchsorted(day))
    if place >= len(frame) or frame["day"].iloc[place] != day or pd.isna(frame["low"].iloc[place]):
        return None
    return frame.iloc[place]
