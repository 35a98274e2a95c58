"""Cancellations that came before the purchase they undo: set against it once it is stored."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import bindparam, select, update

from lib.db.tables.orders import refund_items, refunds
from lib.db.tables.products import products
from lib.importers.batch import TO_MATCH, Batch
from lib.importers.match_purchases import Wanted, match
from lib.importers.writer import instant

SET_AGAINST: Final = ("order_id", "order_item_id", "product_id")


def match_waiting(batch: Batch, customer_ids: Iterable[int]) -> None:
    """Look again for the purchases that stored cancellations of these customers undo, the earliest first.

    Of the price of a piece, the refund keeps its share of what was given back; the SKU is that of its product,
    and where none was known then, the name decides.
    """
    refund, item = refunds.c, refund_items.c
    waiting = batch.connection.execute(
        select(
            item.refund_item_id,
            item.refund_id,
            refund.customer_id,
            refund.refunded_at,
            products.c.sku,
            item.name,
            item.quantity,
            item.goods_minor,
        )
        .select_from(refunds.join(refund_items).outerjoin(products, item.product_id == products.c.product_id))
        .where(
            batch.writer.among(refund.customer_id, set(customer_ids)),
            refund.source == batch.source,
            refund.fingerprint.startswith(TO_MATCH),
            item.order_id.is_(None),
            item.quantity > 0,
        )
        .order_by(refund.refunded_at, item.refund_item_id)
    ).all()
    if not waiting:
        return
    wanted = [
        Wanted(
            row.customer_id,
            row.sku,
            row.name,
            round(row.goods_minor / row.quantity),
            row.quantity,
            instant(row.refunded_at) or "",
        )
        for row in waiting
    ]
    found = [(row, each) for row, each in zip(waiting, match(batch, wanted, []), strict=True) if each is not None]
    batch.writer.update(refund_items, SET_AGAINST, [(*each, row.refund_item_id) for row, each in found])
    _name_orders(batch, {row.refund_id for row, _ in found})


def _name_orders(batch: Batch, refund_ids: set[int]) -> None:
    """A refund whose items are all set against one order is that order's."""
    if not refund_ids:
        return
    item = refund_items.c
    against: dict[int, set[int | None]] = {}
    rows = batch.connection.execute(
        select(item.refund_id, item.order_id).where(batch.writer.among(item.refund_id, refund_ids)).distinct()
    )
    for refund_id, order_id in rows.all():
        against.setdefault(refund_id, set()).add(order_id)
    values: list[dict[str, Any]] = [
        {"the_refund": refund_id, "the_order": next(iter(orders)), "stamp": batch.at}
        for refund_id, orders in against.items()
        if len(orders) == 1
    ]
    if values:
        batch.connection.execute(
            update(refunds)
            .where(refunds.c.refund_id == bindparam("the_refund"))
            .values(order_id=bindparam("the_order"), updated_at=bindparam("stamp")),
            values,
        )
