"""When customers of a group reached a moment, and when they bought next: the rows that a what-if is reckoned from.

The group is that of the order a spell began with, *as it stood then*: chosen by what customers did since, a group
would prove whatever was chosen. What is only known of customers as they are now (loyalty, consent, lifecycle) narrows
whom an offer reaches and says nothing of a past moment; :func:`left_out` names those rules.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Integer, Interval, Subquery, and_, case, cast, false, func, literal, or_, select

from lib.audience import FIELDS, Ask, Audience, Rule
from lib.mart.schema import fact_cart, fact_item, fact_order, fact_shipment
from lib.metrics.carts import ABANDONED_AFTER
from lib.offer import Moment

# Spells that began longer ago say little of today's customers.
LOOKED_AT = 730
# How a spell's customers are told apart, besides everybody together.
SPLITS = ("times", "channel", "country", "category")

_order = fact_order.c
_cart = fact_cart.c
# Of the rules that an audience may have, those that are known of an order at its moment.
_KNOWN: Mapping[str, ColumnElement[Any]] = {
    "purchases": _order.occasion,
    "days_since_first": _order.day - _order.first_day,
    "country": _order.country,
    "channel": _order.channel,
    "device": _order.device,
    "payment_method": _order.payment_method,
    "delivery_type": _order.delivery_type,
    "was_late": _order.is_late,
}
_ITEMS = {"bought_category": fact_item.c.category, "bought_product": fact_item.c.product}


def left_out(audience: Audience) -> list[str]:
    """The rules that cannot be asked of a past moment, in words."""
    return [rule.words() for rule in audience.rules if rule.field not in _KNOWN and rule.field not in _ITEMS]


def starts(moment: Moment, audience: Audience, as_of: int) -> Subquery:
    """One row per time a customer of the audience reached the moment.

    Columns ``customer_id``, ``occasion`` (of the order it began with), ``start`` and ``next_day`` (store days; null:
    no purchase since), and the ``SPLITS``. Who bought again before the moment came has no row.
    """
    asked = [condition for rule in audience.rules if (condition := _asked(rule)) is not None]
    if moment is Moment.CART_LEFT:
        return _carts(asked, as_of)
    start, source, known = _moment(moment)
    next_day = cast(_order.day + _order.next_gap, Integer)
    return (
        select(
            _order.customer_id,
            _order.occasion,
            start.label("start"),
            next_day.label("next_day"),
            case((_order.occasion == 1, "first"), else_="later").label("times"),
            _order.channel.label("channel"),
            _order.country.label("country"),
            func.coalesce(_order.main_category, "unknown").label("category"),
        )
        .select_from(source)
        .where(
            *(_order.is_valid, _order.is_first_of_day, _order.customer_id.is_not(None), *known, *asked),
            *(start >= as_of - LOOKED_AT, start < as_of, or_(next_day.is_(None), next_day >= start)),
        )
        .subquery("starts")
    )


def _moment(moment: Moment) -> tuple[ColumnElement[Any], Any, list[ColumnElement[bool]]]:
    """The day of the moment, what it is read from, and what must hold."""
    match moment:
        case Moment.SHIPPED:
            parcel = fact_shipment.c
            sent = (
                select(parcel.order_id, func.min(parcel.shipped_day).label("sent_day"))
                .where(parcel.is_valid, parcel.shipped_day.is_not(None))
                .group_by(parcel.order_id)
                .subquery("sent")
            )
            return sent.c.sent_day, fact_order.join(sent, sent.c.order_id == _order.order_id), []
        case Moment.DELIVERED | Moment.NEXT_DUE:
            return _order.delivered_day, fact_order, [_order.delivered_day.is_not(None)]
        case Moment.LATE:
            return _order.promised_day + 1, fact_order, [func.coalesce(_order.is_late, false())]
        case _:
            # When it was packed is not recorded: the order's day is the nearest that is.
            return _order.day, fact_order, []


def _carts(asked: list[ColumnElement[bool]], as_of: int) -> Subquery:
    """Carts that were left and can be written to: the next purchase is the order made of the cart.

    Rules ask whether the customer ever placed such an order.
    """
    made = fact_order.alias("made")
    at_once = _cart.ordered_at <= _cart.last_event_at + literal(ABANDONED_AFTER, Interval)
    known: list[ColumnElement[bool]] = [_cart.is_contactable, _cart.day >= as_of - LOOKED_AT, _cart.day < as_of]
    known.append(or_(_cart.ordered_at.is_(None), ~at_once))
    if asked:
        known.append(_cart.customer_id.in_(select(_order.customer_id).where(_order.is_valid, *asked)))
    return (
        select(
            _cart.customer_id,
            (made.c.occasion - 1).label("occasion"),
            _cart.day.label("start"),
            case((made.c.day >= _cart.day, made.c.day)).label("next_day"),
            case((func.coalesce(made.c.occasion, 1) == 1, "first"), else_="later").label("times"),
            _cart.channel.label("channel"),
            _cart.country.label("country"),
            literal("unknown").label("category"),
        )
        .select_from(fact_cart.outerjoin(made, made.c.order_id == _cart.order_id))
        .where(*known)
        .subquery("starts")
    )


def _asked(rule: Rule) -> ColumnElement[bool] | None:
    """A rule as a condition on the order that the spell began with; null when no past moment can be asked."""
    if rule.field in _ITEMS:
        holds = select(fact_item.c.order_id).where(fact_item.c.is_valid, _ITEMS[rule.field].in_(rule.any_of))
        return _order.order_id.not_in(holds) if rule.is_not else _order.order_id.in_(holds)
    column = _KNOWN.get(rule.field)
    if column is None:
        return None
    if FIELDS[rule.field].ask is Ask.YES:
        said = func.coalesce(column, false())
        return ~said if rule.is_not else said
    if rule.any_of:
        return column.not_in(rule.any_of) if rule.is_not else column.in_(rule.any_of)
    ends = [column >= rule.least] if rule.least is not None else []
    ends += [column <= rule.most] if rule.most is not None else []
    inside = and_(*ends)
    return and_(column.is_not(None), ~inside) if rule.is_not else inside
