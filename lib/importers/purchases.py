"""Stored orders, as refunds are set against them."""

from collections.abc import Iterable

from sqlalchemy import select

from lib.db.tables.orders import order_items, orders
from lib.importers.batch import Batch
from lib.importers.refund_lines import Line, Purchase


def purchases_of(batch: Batch, wanted: Iterable[str]) -> dict[str, Purchase]:
    """The stored orders of these keys, with their lines."""
    keys = set(wanted)
    if not keys:
        return {}
    order = orders.c
    found: dict[str, Purchase] = {}
    by_id: dict[int, Purchase] = {}
    rows = batch.connection.execute(
        select(
            order.external_id,
            order.order_id,
            order.customer_id,
            order.exchange_rate,
            order.original_currency,
            order.gross_minor - order.discount_minor,
            order.shipping_minor,
            order.tax_minor,
            order.fees_minor,
        ).where(order.source == batch.source, batch.writer.among(order.external_id, keys))
    )
    for external_id, order_id, customer_id, rate, currency, *charged in rows:
        goods, shipping, tax, fees = charged
        by_id[order_id] = found[external_id] = Purchase(
            order_id, customer_id, str(rate), [], currency, (goods, shipping, tax, fees)
        )
    line = order_items.c
    lines = batch.connection.execute(
        select(
            line.order_id,
            line.order_item_id,
            line.product_id,
            line.external_id,
            line.sku,
            line.name,
            line.kind,
            line.quantity,
            line.gross_minor - line.discount_minor,
        )
        .where(batch.writer.among(line.order_id, by_id))
        .order_by(line.order_id, line.line_number)
    )
    for order_id, key, product_id, external_id, sku, name, kind, quantity, net in lines:
        by_id[order_id].lines.append(Line(key, product_id, external_id, None, sku, name, kind, quantity, net))
    return found
