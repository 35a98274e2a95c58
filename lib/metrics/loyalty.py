"""Loyalty points: what was given, used and lost, and what is still owed. Placed by the day of the entry.

Members are never compared with others here: who joins buys more anyway.
"""

from typing import Any

from sqlalchemy import Column, ColumnElement, func

from lib.mart.schema import fact_member, fact_points, points_day
from lib.metrics.definition import AnyMetric, Metric, Unit

_entry = fact_points.c
_day = points_day.c
_TIERS = ("tier",)
_TIER_NOTE = "Tiers are as known at the last refresh."


def _entries(kind: str, key: str, label: str, prepared: Column[Any]) -> Metric:
    return Metric(
        key=key,
        label=label,
        unit=Unit.COUNT,
        meaning=f"{label} in the period.",
        over=fact_points,
        where=_entry.kind == kind,
        prepared=func.sum(prepared),
        prepared_dimensions=_TIERS,
    )


def _points(kind: str, times: Column[Any], meaning: str) -> Metric:
    return Metric(
        key=f"points_{kind}",
        label=f"Points {kind}",
        unit=Unit.POINTS,
        meaning=meaning,
        over=fact_points,
        amount=_entry.points,
        where=_entry.kind == kind,
        prepared=func.sum(_day[f"{kind}_points"]),
        prepared_dimensions=_TIERS,
        cases=_entries(kind, f"points_{kind}_entries", f"Entries of points {kind}", times),
        note=_TIER_NOTE,
    )


POINTS_ISSUED = _points("issued", _day.issues, "Points that members were given in the period.")
POINTS_REDEEMED = _points("redeemed", _day.redemptions, "Points that members used in the period.")
POINTS_EXPIRED = _points("expired", _day.expiries, "Points that ran out in the period.")


def _outstanding(key: str, label: str, unit: Unit, meaning: str, amount: ColumnElement[Any], suffix: str) -> Metric:
    prepared = func.sum(_day[f"issued_{suffix}"] - _day[f"redeemed_{suffix}"] - _day[f"expired_{suffix}"])
    return Metric(
        key=key,
        label=label,
        unit=unit,
        meaning=meaning,
        over=fact_points,
        amount=amount,
        day=None,
        prepared=prepared,
        prepared_dimensions=_TIERS,
        cases=MEMBERS,
        note=_TIER_NOTE,
    )


MEMBERS = Metric(
    key="loyalty_members",
    label="Loyalty members",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Members who joined before the as-of day, whatever the period.",
    over=fact_member,
    day=None,
    note=_TIER_NOTE,
)
NEW_MEMBERS = Metric(
    key="new_loyalty_members",
    label="New loyalty members",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Members who joined in the period.",
    over=fact_member,
    note=_TIER_NOTE,
)
POINTS_OUTSTANDING = _outstanding(
    "points_outstanding",
    "Points outstanding",
    Unit.POINTS,
    "Points issued less points redeemed and expired before the as-of day, whatever the period.",
    _entry.balance_points,
    "points",
)
POINTS_OUTSTANDING_VALUE = _outstanding(
    "points_outstanding_value",
    "Value of points outstanding",
    Unit.MONEY,
    "What the points outstanding at the as-of day are worth: the value of those issued less that of those redeemed "
    "and expired, each as recorded with the entry.",
    _entry.balance_minor,
    "minor",
)

METRICS: tuple[AnyMetric, ...] = (
    POINTS_ISSUED,
    POINTS_REDEEMED,
    POINTS_EXPIRED,
    POINTS_OUTSTANDING,
    POINTS_OUTSTANDING_VALUE,
    MEMBERS,
    NEW_MEMBERS,
)
