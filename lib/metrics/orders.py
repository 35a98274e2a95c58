"""Orders: how many, by whom, paid or not, and what does not count."""

from sqlalchemy import Column, ColumnElement, and_, bindparam, case, func, not_, or_

from lib.mart.schema import by_day, customer_day, fact_item, fact_order
from lib.metrics.definition import Metric, Ratio, Unit

# The first day of the period asked for.
START = bindparam("start_day", type_=by_day.c.day.type)

_order = fact_order.c
_line = fact_item.c


def _left_out(reason: str, prepared: Column[int]) -> tuple[str, Metric]:
    return (
        reason,
        Metric(
            key=f"left_out_{reason.replace(' ', '_')}",
            label=f"Left out: {reason}",
            unit=Unit.COUNT,
            meaning=f"Orders that do not count: {reason}.",
            over=fact_order,
            where=and_(not_(_order.is_valid), _order.why_left_out == reason),
            prepared=func.sum(prepared),
        ),
    )


LEFT_OUT_ORDERS = (
    _left_out("cancelled", by_day.c.cancelled_orders),
    _left_out("voided", by_day.c.voided_orders),
    _left_out("test", by_day.c.test_orders),
    _left_out("zero value", by_day.c.zero_orders),
)
UNKNOWN_ORDERS = Metric(
    key="orders_of_unknown_customers",
    label="Orders of unknown customers",
    unit=Unit.COUNT,
    meaning="Valid orders that cannot be matched to a customer.",
    over=fact_order,
    where=and_(_order.is_valid, _order.customer_id.is_(None)),
    prepared=func.sum(by_day.c.unknown_orders),
)
UNKNOWN = ("unknown customer", UNKNOWN_ORDERS)

ORDERS = Metric(
    key="orders",
    label="Orders",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Valid orders placed: not cancelled, voided or a test, and worth more than zero.",
    over=fact_order,
    where=_order.is_valid,
    prepared=func.sum(by_day.c.orders),
    left_out=LEFT_OUT_ORDERS,
)


def _customers_by_lines(key: str, label: str, where: ColumnElement[bool]) -> Metric:
    """Distinct known customers of order lines, for questions that name a category."""
    return Metric(
        key=key,
        label=label,
        unit=Unit.COUNT,
        meaning=f"{label}, by the lines of their orders.",
        over=fact_item,
        distinct=_line.customer_id,
        where=and_(where, _line.customer_id.is_not(None)),
    )


# Of the rows of customer_day: the first purchase of the period in that slice.
FIRST_IN_PERIOD = or_(customer_day.c.previous_day.is_(None), customer_day.c.previous_day < START)
CUSTOMERS = Metric(
    key="customers",
    label="Customers",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Distinct known customers with a valid order in the period.",
    over=fact_order,
    distinct=_order.customer_id,
    where=and_(_order.is_valid, _order.customer_id.is_not(None)),
    prepared=func.sum(case((FIRST_IN_PERIOD, customer_day.c.customers), else_=0)),
    prepared_daily=func.sum(customer_day.c.customers),
    per_line=_customers_by_lines("customers", "Customers", _line.is_valid),
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
)
NEW_CUSTOMERS = Metric(
    key="new_customers",
    label="New customers",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Known customers whose first valid order was placed in the period, counted with that order.",
    over=fact_order,
    where=and_(_order.is_valid, _order.customer_id.is_not(None), _order.occasion == 1, _order.is_first_of_day),
    prepared=func.sum(by_day.c.new_customers),
    per_line=_customers_by_lines("new_customers", "New customers", and_(_line.is_valid, _line.occasion == 1)),
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
)


UNITS = Metric(
    key="units",
    label="Units",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Pieces of goods in valid orders.",
    over=fact_order,
    amount=_order.units,
    where=_order.is_valid,
    prepared=func.sum(by_day.c.units),
    per_line=Metric(
        key="units",
        label="Units",
        unit=Unit.COUNT,
        meaning="Pieces of goods in valid orders.",
        over=fact_item,
        amount=_line.quantity,
        where=_line.is_valid,
    ),
    cases=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
UNITS_PER_ORDER = Ratio(
    key="units_per_order",
    label="Units per order",
    unit=Unit.RATIO,
    good_is="up",
    meaning="Pieces of goods divided by orders.",
    top=UNITS,
    bottom=ORDERS,
    left_out=LEFT_OUT_ORDERS,
)
UNPAID_ORDERS = Metric(
    key="unpaid_orders",
    label="Unpaid orders",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Valid orders that are pending, only authorised or partly paid.",
    over=fact_order,
    where=and_(_order.is_valid, _order.is_unpaid),
    prepared=func.sum(by_day.c.unpaid_orders),
    left_out=LEFT_OUT_ORDERS,
    note="Payment is known as of the last refresh.",
)
UNPAID_SHARE = Ratio(
    key="unpaid_share",
    label="Unpaid share",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Valid orders not fully paid divided by valid orders.",
    top=UNPAID_ORDERS,
    bottom=ORDERS,
    left_out=LEFT_OUT_ORDERS,
    has_interval=True,
    note="Payment is known as of the last refresh.",
)

RETURNING_ORDERS = Metric(
    key="returning_orders",
    label="Returning orders",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Valid orders of known customers that were not of their first purchase occasion.",
    over=fact_order,
    where=and_(_order.is_valid, _order.occasion > 1),
    prepared=func.sum(by_day.c.returning_orders),
    left_out=(*LEFT_OUT_ORDERS, UNKNOWN),
)

_NO_TEST = or_(_order.why_left_out.is_(None), _order.why_left_out != "test")
PAYMENTS = Metric(
    key="payments",
    label="Payments",
    unit=Unit.MONEY,
    meaning="Money received for the orders placed in the period, whatever became of them; tests excluded.",
    over=fact_order,
    amount=func.coalesce(_order.paid_minor, 0),
    where=_NO_TEST,
    cases=Metric(
        key="orders_with_payment",
        label="Orders with a payment recorded",
        unit=Unit.COUNT,
        meaning="Orders placed in the period whose payment is recorded, whatever became of them; tests excluded.",
        over=fact_order,
        where=and_(_NO_TEST, _order.paid_minor.is_not(None)),
    ),
    left_out=(
        (
            "no payment recorded",
            Metric(
                key="left_out_unpaid",
                label="No payment recorded",
                unit=Unit.COUNT,
                meaning="Orders whose source says nothing of a payment.",
                over=fact_order,
                where=and_(_NO_TEST, _order.paid_minor.is_(None)),
            ),
        ),
        LEFT_OUT_ORDERS[2],
    ),
    note="Includes tax, shipping and what was refunded later; known as of the last refresh.",
)
