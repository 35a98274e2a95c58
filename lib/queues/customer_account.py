"""What a customer's orders come to: each sum once, so that they add up, and what is left out with its reason."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, case, cast, func, select

from lib.db.tables.customers import customers
from lib.db.tables.orders import orders, refund_items, refunds
from lib.queues.customer import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Orders that are counted nowhere, and why."""

    reason: str
    orders: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAccount:
    """The sums of a customer's valid orders, in minor units of ``currency``.

    ``gross - discount - refunded_goods = net``, on the behaviour basis: goods refunded of these orders, whenever.
    ``gross - discount + shipping + tax + fees = total``: what was charged. ``paid_back`` is what went back to her in
    money, of any order and with tax and shipping; ``unpaid_orders`` are among ``orders``.
    """

    currency: str
    orders: int
    unpaid_orders: int
    gross_minor: int
    discount_minor: int
    refunded_goods_minor: int
    shipping_minor: int
    tax_minor: int
    fees_minor: int
    total_minor: int
    paid_back_minor: int
    refunds: int
    left_out: tuple[LeftOut, ...]

    @property
    def net_minor(self) -> int:
        """Net sales: what stays of the goods."""
        return self.gross_minor - self.discount_minor - self.refunded_goods_minor


def account(connection: Connection, customer_id: int) -> CustomerAccount | None:
    """Add up a customer's orders; null when there is no such customer."""
    who = connection.execute(select(customers.c.is_test).where(customers.c.customer_id == customer_id)).first()
    if who is None:
        return None
    order, mine = orders.c, orders.c.customer_id == customer_id
    is_valid = counted(bool(who.is_test))
    is_unpaid = order.payment_status.in_(("pending", "authorized", "partially_paid"))
    names = ("gross", "discount", "shipping", "tax", "fees", "total")
    sums = connection.execute(
        select(
            func.count().label("orders"),
            func.coalesce(func.sum(case((is_unpaid, 1), else_=0)), 0).label("unpaid"),
            *(cast(func.coalesce(func.sum(order[f"{name}_minor"]), 0), BigInteger).label(name) for name in names),
        ).where(mine, is_valid)
    ).one()
    paid_back, times = _paid_back(connection, customer_id)
    return CustomerAccount(
        currency=connection.scalar(select(func.max(order.currency)).where(mine)) or "",
        orders=sums.orders,
        unpaid_orders=int(sums.unpaid),
        gross_minor=sums.gross,
        discount_minor=sums.discount,
        refunded_goods_minor=_refunded(connection, customer_id, is_tester=bool(who.is_test)),
        shipping_minor=sums.shipping,
        tax_minor=sums.tax,
        fees_minor=sums.fees,
        total_minor=sums.total,
        paid_back_minor=paid_back,
        refunds=times,
        left_out=_left_out(connection, customer_id, is_tester=bool(who.is_test)),
    )


def _left_out(connection: Connection, customer_id: int, *, is_tester: bool) -> tuple[LeftOut, ...]:
    """Each order under the first reason that holds."""
    order = orders.c
    reason = case(
        (order.cancelled_at.is_not(None), "cancelled"),
        (order.payment_status == "voided", "voided"),
        (order.is_test, "test"),
        *([(order.order_id.is_not(None), "test")] if is_tester else []),
        else_="zero value",
    )
    rows = connection.execute(
        select(reason, func.count(), cast(func.sum(order.total_minor), BigInteger))
        .where(order.customer_id == customer_id, ~counted(is_tester))
        .group_by(reason)
        .order_by(reason)
    )
    return tuple(LeftOut(reason=why, orders=count, total_minor=total) for why, count, total in rows)


def _refunded(connection: Connection, customer_id: int, *, is_tester: bool) -> int:
    """Goods refunded of the valid orders: by an item's own order, else by its refund's, as for what has no item."""
    mine = (orders.c.customer_id == customer_id, counted(is_tester))
    item, refund = refund_items.c, refunds.c
    named = (
        select(func.coalesce(func.sum(item.goods_minor), 0))
        .join(orders, orders.c.order_id == item.order_id)
        .where(*mine)
    )
    of_refund = (
        select(func.coalesce(func.sum(refund.goods_minor), 0))
        .join(orders, orders.c.order_id == refund.order_id)
        .where(*mine)
    )
    # Items of these refunds that name an order are counted with that order, theirs or another.
    elsewhere = (
        select(func.coalesce(func.sum(item.goods_minor), 0))
        .join(refunds, refund.refund_id == item.refund_id)
        .join(orders, orders.c.order_id == refund.order_id)
        .where(*mine, item.order_id.is_not(None))
    )
    first, second, third = (int(connection.execute(asked).scalar_one()) for asked in (named, of_refund, elsewhere))
    return first + second - third


def _paid_back(connection: Connection, customer_id: int) -> tuple[int, int]:
    """What went back in money and how often: of her orders, and of no known order in her name."""
    refund = refunds.c
    of_orders = select(func.coalesce(func.sum(refund.total_minor), 0), func.count()).join(
        orders, orders.c.order_id == refund.order_id
    )
    loose = (
        select(func.coalesce(func.sum(refund.total_minor), 0), func.count())
        .select_from(refunds.outerjoin(orders, orders.c.order_id == refund.order_id))
        .where(refund.customer_id == customer_id, orders.c.customer_id.is_(None))
    )
    one = connection.execute(of_orders.where(orders.c.customer_id == customer_id)).one()
    two = connection.execute(loose).one()
    return int(one[0]) + int(two[0]), int(one[1]) + int(two[1])
