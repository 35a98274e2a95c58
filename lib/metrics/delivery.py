"""Delivery: promised, on time or late, and how long it took. Placed in the period by the order's day."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, not_

from lib.mart.schema import NARROW_DIMENSIONS, delivery_day, fact_shipment
from lib.metrics.definition import AnyMetric, Metric, Ratio, Spread, Unit
from lib.metrics.measure import AS_OF_DAY

_parcel = fact_shipment.c
_ARRIVED_DAY = func.coalesce(_parcel.attempted_day, _parcel.delivered_day)
_ARRIVED = and_(_ARRIVED_DAY.is_not(None), _ARRIVED_DAY < AS_OF_DAY)
_NOT_ARRIVED = func.coalesce(_ARRIVED_DAY, AS_OF_DAY) >= AS_OF_DAY
_PROMISED = _parcel.promised_day.is_not(None)


_day = delivery_day.c
_PROMISED_ARRIVED = func.sum(case((_day.arrived_day < AS_OF_DAY, _day.promised), else_=0))


def _count(
    key: str, label: str, meaning: str, *where: ColumnElement[bool], prepared: ColumnElement[Any] | None = None
) -> Metric:
    return Metric(
        key=key,
        label=label,
        unit=Unit.COUNT,
        meaning=meaning,
        over=fact_shipment,
        where=and_(_parcel.is_valid, *where),
        prepared=prepared,
        prepared_dimensions=NARROW_DIMENSIONS,
    )


SHIPMENTS = _count("shipments", "Shipments", "Parcels of valid orders.", prepared=func.sum(_day.parcels))
_NO_PROMISE = (
    "no promise",
    _count(
        "without_promise",
        "Without a promise",
        "Parcels without a promised day.",
        not_(_PROMISED),
        prepared=func.sum(_day.parcels - _day.promised),
    ),
)
_ON_ITS_WAY = (
    "not arrived yet",
    _count(
        "promised_not_arrived",
        "Promised, not arrived",
        "Parcels with a promise that have not arrived.",
        _PROMISED,
        _NOT_ARRIVED,
        prepared=func.sum(_day.promised) - _PROMISED_ARRIVED,
    ),
)
PROMISED = _count(
    "promised_shipments",
    "Shipments with a promise",
    "Parcels with a promised day.",
    _PROMISED,
    prepared=func.sum(_day.promised),
)
PROMISE_SHARE = Ratio(
    key="promise_share",
    label="Share with a promise",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Parcels that have a promised day at all divided by parcels.",
    top=PROMISED,
    bottom=SHIPMENTS,
    has_interval=True,
)
LATE = _count(
    "late_shipments",
    "Late shipments",
    "Parcels that arrived after the promised store day.",
    _PROMISED,
    _ARRIVED,
    _parcel.is_late,
    prepared=func.sum(case((_day.arrived_day < AS_OF_DAY, _day.late), else_=0)),
)
ARRIVED_WITH_PROMISE = _count(
    "arrived_with_promise",
    "Arrived, with a promise",
    "Parcels with a promise that have arrived.",
    _PROMISED,
    _ARRIVED,
    prepared=_PROMISED_ARRIVED,
)
LATE_SHARE = Ratio(
    key="late_share",
    label="Late share",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Parcels whose first attempt (else delivery) came after the original promised store day, divided by "
    "parcels with a promise that have arrived.",
    top=LATE,
    bottom=ARRIVED_WITH_PROMISE,
    left_out=(_NO_PROMISE, _ON_ITS_WAY),
    has_interval=True,
    note="Late is by date. What has not arrived is not judged here; see overdue_shipments.",
)
LATE_SHARE_BY_TIME = Ratio(
    key="late_share_by_time",
    label="Late share, by the clock",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Parcels delivered after the promised day began (its midnight), divided by parcels delivered with a "
    "promise: the stricter reading some platforms use.",
    top=_count(
        "late_by_time",
        "Late by the clock",
        "Parcels delivered after the promised midnight.",
        _PROMISED,
        _parcel.delivered_day < AS_OF_DAY,
        _parcel.is_late_by_time,
    ),
    bottom=_count(
        "delivered_with_promise",
        "Delivered, with a promise",
        "Parcels with a promise that were delivered.",
        _PROMISED,
        _parcel.delivered_day < AS_OF_DAY,
        _parcel.is_late_by_time.is_not(None),
    ),
    left_out=(_NO_PROMISE, _ON_ITS_WAY),
    has_interval=True,
)
DUE = _count(
    "due_shipments",
    "Shipments with a promise, due",
    "Parcels with a promise that have arrived or whose promised day has passed.",
    _PROMISED,
    _ARRIVED | (_parcel.promised_day < AS_OF_DAY),
)
ON_TIME = _count(
    "on_time_shipments",
    "Shipments on time",
    "Parcels that arrived on or before the promised store day.",
    _PROMISED,
    _ARRIVED,
    not_(_parcel.is_late),
)
ON_TIME_SHARE = Ratio(
    key="on_time_share",
    label="On time",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Parcels whose first attempt (else delivery) came on or before the original promised store day, "
    "divided by parcels with a promise that is due; one still missing after its day is not on time.",
    top=ON_TIME,
    bottom=DUE,
    left_out=(
        _NO_PROMISE,
        (
            "not due yet",
            _count(
                "not_due_yet",
                "Not due yet",
                "Parcels under way whose promised day has not passed.",
                _PROMISED,
                _NOT_ARRIVED,
                _parcel.promised_day >= AS_OF_DAY,
            ),
        ),
    ),
    has_interval=True,
)
OVERDUE = _count(
    "overdue_shipments",
    "Overdue shipments",
    "Parcels whose promised day has passed without an arrival.",
    _PROMISED,
    _NOT_ARRIVED,
    _parcel.promised_day < AS_OF_DAY,
)
PROBLEMS = _count(
    "shipments_with_problem",
    "Shipments with a problem",
    "Parcels with an exception, a failed attempt, lost, damaged, or without news for 30 days, as last known.",
    _parcel.status.in_(("exception", "attempt_failed", "expired", "lost", "damaged")),
)


def _spreads(key: str, label: str, meaning: str, column: str, day: str, waiting: str) -> tuple[AnyMetric, ...]:
    hours = _parcel[column]
    seen = and_(hours.is_not(None), _parcel[day] < AS_OF_DAY)
    cases = _count(f"{key}_cases", f"Shipments with {label.lower()}", meaning, seen)
    rest = _count(f"{key}_waiting", waiting, f"Parcels {waiting}.", hours.is_(None) | not_(_parcel[day] < AS_OF_DAY))
    return tuple(
        Spread(
            key=key if suffix == "median" else f"{key}_{suffix}",
            label=f"{label}, {named}",
            unit=Unit.DAYS,
            good_is="down",
            meaning=f"{meaning} In days of 24 hours: {named}.",
            over=fact_shipment,
            amount=hours / 24.0,
            at=at,
            cases=cases,
            left_out=((waiting, rest),),
        )
        for suffix, named, at in (("median", "median", 0.5), ("mean", "mean", None), ("p90", "90 % quantile", 0.9))
    )


METRICS: tuple[AnyMetric, ...] = (
    SHIPMENTS,
    PROMISE_SHARE,
    LATE_SHARE,
    LATE_SHARE_BY_TIME,
    ON_TIME_SHARE,
    OVERDUE,
    PROBLEMS,
    *_spreads(
        "days_to_ship",
        "Days to ship",
        "From the order to the carrier.",
        "hours_to_ship",
        "shipped_day",
        "not shipped yet",
    ),
    *_spreads(
        "days_in_transit",
        "Days in transit",
        "From the carrier to the delivery.",
        "hours_in_transit",
        "delivered_day",
        "not delivered yet",
    ),
    *_spreads(
        "days_to_deliver",
        "Days to deliver",
        "From the order to the delivery.",
        "hours_to_deliver",
        "delivered_day",
        "not delivered yet",
    ),
)
