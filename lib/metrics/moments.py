"""Who reached a place on the journey, and on which store day: the moment that an offer starts from.

What asks a customer to buy again counts from her latest order alone: who ordered again meanwhile waits for the next
parcel. A guide, a survey, a review or a notice is about one order, whatever came after it.
"""

from sqlalchemy import ColumnElement, FromClause, Integer, Select, and_, cast, func, null, select

from lib.mart.schema import dim_customer, fact_cart, fact_order, fact_shipment
from lib.offer import Moment, Plan

# Kinds that are about one order and are welcome after a newer one too.
OF_ANY_ORDER = frozenset({"guide", "tracking_notice", "review_request", "survey", "gift"})
# No purchase for so long: reached once and for good, not on one day.
STANDING = frozenset({Moment.LAST_ORDER})
# Parcels whose promised day means nothing any more.
_OVER = ("lost", "damaged", "expired")


def reached(plan: Plan, *, first: int | None, last: int, today: int) -> Select[tuple[int, int, int | None]]:
    """The latest such moment of each customer, as a query on the mart for ``customer_id``, ``day``, ``order_id``.

    ``order_id`` is the order that it is about; null where it is about none. The query stands on ``dim_customer``, so
    that an audience's condition can be added to it.

    Args:
        first, last: store days between which the moment lies, both included; null: however long ago.
        today: the store's day.
    """
    match plan.moment:
        case Moment.LAST_ORDER:
            day: ColumnElement[int] = dim_customer.c.last_day
            asked = select(dim_customer.c.customer_id, day.label("day"), cast(null(), Integer).label("order_id"))
            source: FromClause = dim_customer
        case Moment.CART_LEFT:
            day, source = fact_cart.c.day, _with_customer(fact_cart)
            asked = _latest(day, cast(null(), Integer)).where(
                fact_cart.c.is_contactable,
                fact_cart.c.ordered_at.is_(None),
                fact_cart.c.order_id.is_(None),
                # Bought since, without the cart: nothing is left to nudge about.
                func.coalesce(dim_customer.c.last_day, -1) < day,
            )
        case Moment.SHIPPED | Moment.PACKED:
            # Shops tell when a parcel leaves, not when it is closed: the day it was packed is that day.
            day, source = fact_shipment.c.shipped_day, _with_customer(fact_shipment)
            asked = _latest(day, fact_shipment.c.order_id).where(fact_shipment.c.is_valid, _counts(plan, fact_shipment))
        case Moment.LATE:
            day, source = fact_shipment.c.promised_day + 1, _with_customer(fact_shipment)
            asked = _latest(day, fact_shipment.c.order_id).where(
                fact_shipment.c.is_valid,
                fact_shipment.c.delivered_day.is_(None),
                fact_shipment.c.attempted_day.is_(None),
                fact_shipment.c.status.not_in(_OVER),
                day <= today,
            )
        case Moment.DELIVERED:
            day, source = fact_order.c.delivered_day, _with_customer(fact_order)
            asked = _latest(day, fact_order.c.order_id).where(fact_order.c.is_valid, _counts(plan, fact_order))
        case Moment.ORDERED:
            day, source = fact_order.c.day, _with_customer(fact_order)
            asked = _latest(day, fact_order.c.order_id).where(fact_order.c.is_valid, _counts(plan, fact_order))
        case Moment.NEXT_DUE:
            raise ValueError("when a product is used up is worked out in lib.metrics.refill")
    within = day <= last if first is None else and_(day >= first, day <= last)
    return asked.select_from(source).where(day.is_not(None), within)


def _latest(day: ColumnElement[int], order_id: ColumnElement[int]) -> Select[tuple[int, int, int | None]]:
    """One row a customer: the latest day, and the newest order that has it."""
    return select(
        dim_customer.c.customer_id, func.max(day).label("day"), func.arg_max(order_id, day).label("order_id")
    ).group_by(dim_customer.c.customer_id)


def _with_customer(facts: FromClause) -> FromClause:
    return facts.join(dim_customer, dim_customer.c.customer_id == facts.c.customer_id)


def _counts(plan: Plan, facts: FromClause) -> ColumnElement[bool]:
    """Whether the order counts that a row is of: any, or the customer's latest alone."""
    placed = facts.c.day  # of the order, in every one of these tables
    return placed.is_not(None) if plan.kind in OF_ANY_ORDER else placed >= dim_customer.c.last_day
