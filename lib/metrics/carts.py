"""Carts: left, come back to unaided, or recovered after our contact. Placed by the day the cart began."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Interval, and_, literal, not_, or_

from lib.mart.schema import fact_cart
from lib.metrics.definition import AnyMetric, Metric, Ratio, Unit
from lib.metrics.measure import AS_OF_AT, before_as_of

_cart = fact_cart.c
ABANDONED_AFTER = timedelta(minutes=60)
RECOVERED_WITHIN = timedelta(days=7)

_ORDERED = and_(_cart.ordered_at.is_not(None), _cart.ordered_at < AS_OF_AT)
_CONTACTED = and_(_cart.contacted_at.is_not(None), _cart.contacted_at < AS_OF_AT)
_JUDGED = _cart.last_event_at <= before_as_of(int(ABANDONED_AFTER.total_seconds()))
_ORDERED_AT_ONCE = and_(_ORDERED, _cart.ordered_at <= _cart.last_event_at + literal(ABANDONED_AFTER, Interval))
_LEFT = and_(_JUDGED, or_(_cart.ordered_at.is_(None), not_(_ORDERED_AT_ONCE)))
_AFTER_CONTACT = and_(_CONTACTED, _ORDERED, _cart.ordered_at >= _cart.contacted_at)
_UNAIDED = and_(_LEFT, _ORDERED, or_(_cart.contacted_at.is_(None), _cart.contacted_at > _cart.ordered_at))
_RECOVERED = and_(_LEFT, _AFTER_CONTACT, _cart.ordered_at <= _cart.contacted_at + literal(RECOVERED_WITHIN, Interval))


def _count(key: str, label: str, meaning: str, *where: ColumnElement[bool]) -> Metric:
    return Metric(
        key=key,
        label=label,
        unit=Unit.COUNT,
        meaning=meaning,
        over=fact_cart,
        where=and_(*where) if where else None,
    )


CARTS = _count("carts", "Carts", "Carts begun in the period.")
_TOO_YOUNG = (
    "too young",
    _count("young_carts", "Too young to judge", "Carts used within the last 60 minutes.", not_(_JUDGED)),
)
JUDGED_CARTS = _count("judged_carts", "Carts old enough", "Carts not used for 60 minutes.", _JUDGED)
ABANDONED = Metric(
    key="abandoned_carts",
    label="Abandoned carts",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Carts not ordered within 60 minutes of their last event.",
    over=fact_cart,
    where=_LEFT,
    left_out=(_TOO_YOUNG,),
)
ABANDONED_VALUE = Metric(
    key="abandoned_value",
    label="Value of abandoned carts",
    unit=Unit.MONEY,
    good_is="down",
    meaning="What the abandoned carts held.",
    over=fact_cart,
    amount=_cart.value_minor,
    where=_LEFT,
    cases=ABANDONED,
    left_out=(_TOO_YOUNG,),
)
ABANDONED_SHARE = Ratio(
    key="abandoned_share",
    label="Abandoned share of carts",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Carts not ordered within 60 minutes of their last event divided by carts that old.",
    top=ABANDONED,
    bottom=JUDGED_CARTS,
    left_out=(_TOO_YOUNG,),
    has_interval=True,
)
UNAIDED = _count(
    "converted_unaided", "Converted unaided", "Abandoned carts that were ordered later without our contact.", _UNAIDED
)
UNAIDED_SHARE = Ratio(
    key="converted_unaided_share",
    label="Converted unaided, share",
    unit=Unit.SHARE,
    meaning="Abandoned carts that were ordered later without our contact divided by abandoned carts.",
    top=UNAIDED,
    bottom=ABANDONED,
    left_out=(_TOO_YOUNG,),
    has_interval=True,
)
RECOVERED = _count(
    "recovered_carts",
    "Recovered carts",
    "Abandoned carts that were ordered within 7 days after our contact.",
    _RECOVERED,
)
CONTACTED = _count(
    "contacted_carts",
    "Contacted carts",
    "Abandoned carts whose customer we contacted before an order.",
    _LEFT,
    _CONTACTED,
    or_(_cart.ordered_at.is_(None), _cart.ordered_at >= _cart.contacted_at),
)
RECOVERED_SHARE = Ratio(
    key="recovered_share",
    label="Recovered share of contacted carts",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Abandoned carts ordered within 7 days after our contact divided by contacted abandoned carts. Some of "
    "them would have come back unaided.",
    top=RECOVERED,
    bottom=CONTACTED,
    left_out=(_TOO_YOUNG,),
    has_interval=True,
)
EMAIL_CAPTURE_RATE = Ratio(
    key="email_capture_rate",
    label="E-mail capture rate",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Carts with a contactable e-mail divided by carts.",
    top=_count("contactable_carts", "Contactable carts", "Carts with a contactable e-mail.", _cart.is_contactable),
    bottom=CARTS,
    has_interval=True,
)

METRICS: tuple[AnyMetric, ...] = (
    CARTS,
    ABANDONED,
    ABANDONED_VALUE,
    ABANDONED_SHARE,
    UNAIDED,
    UNAIDED_SHARE,
    CONTACTED,
    RECOVERED,
    RECOVERED_SHARE,
    EMAIL_CAPTURE_RATE,
)
