"""Which purchase does a cancellation undo, when it does not say?

The latest earlier valid purchase of the same customer, of the same SKU (or name, where the cancellation has
none), at the same unit price, of which as many pieces are not yet refunded.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from lib.db.tables.orders import order_items, orders, refund_items
from lib.importers.batch import Batch
from lib.importers.writer import instant

# Whose, of what, at which price.
_Key = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a cancellation undoes; ``before`` is its instant, as the database writes it."""

    customer_id: int
    sku: str | None
    name: str | None
    unit_price_minor: int
    quantity: int
    before: str


@dataclass(slots=True)
class _Candidate:
    placed_at: str
    order_id: int
    order_item_id: int
    product_id: int | None
    left: int


def match(batch: Batch, wanted: Sequence[Wanted], replaced: Sequence[int]) -> list[tuple[int, int, int | None] | None]:
    """Find the purchase of each, in the order given; a piece is refunded once.

    Args:
        replaced: keys of refunds that are being written anew; their items do not count as refunded.
    Returns:
        per cancellation ``(order_id, order_item_id, product_id)``, or None where nothing fits.
    """
    if not wanted:
        return []
    line, order = order_items.c, orders.c
    keys = {_key(each.customer_id, each.sku, each.name, each.unit_price_minor) for each in wanted}
    found_rows = batch.connection.execute(
        select(
            order.customer_id,
            line.sku,
            line.name,
            line.unit_price_minor,
            order.placed_at,
            order.order_id,
            line.order_item_id,
            line.product_id,
            line.quantity,
        )
        .join_from(orders, order_items, line.order_id == order.order_id)
        .where(
            batch.writer.among(order.customer_id, {each.customer_id for each in wanted}),
            batch.writer.among(line.unit_price_minor, {each.unit_price_minor for each in wanted}),
            or_(
                batch.writer.among(line.sku, {each.sku for each in wanted if each.sku}),
                batch.writer.among(line.name, {each.name for each in wanted if each.name and not each.sku}),
            ),
            order.cancelled_at.is_(None),
            order.payment_status != "voided",
            ~order.is_test,
            line.kind == "goods",
        )
        .order_by(order.placed_at, line.order_item_id)
    )
    rows = [row for row in found_rows if not keys.isdisjoint(_keys(*row[:4]))]
    refunded = _refunded(batch, [row.order_item_id for row in rows], replaced)
    candidates: defaultdict[_Key, list[_Candidate]] = defaultdict(list)
    for row in rows:
        candidate = _Candidate(
            instant(row.placed_at) or "",
            row.order_id,
            row.order_item_id,
            row.product_id,
            row.quantity - refunded.get(row.order_item_id, 0),
        )
        for key in _keys(*row[:4]):
            candidates[key].append(candidate)
    found: list[tuple[int, int, int | None] | None] = []
    for each in wanted:
        fitting = candidates.get(_key(each.customer_id, each.sku, each.name, each.unit_price_minor), [])
        best = next((c for c in reversed(fitting) if c.placed_at <= each.before and c.left >= each.quantity), None)
        if best is None:
            found.append(None)
        else:
            best.left -= each.quantity
            found.append((best.order_id, best.order_item_id, best.product_id))
    return found


def _key(customer_id: int, sku: str | None, name: str | None, unit_price_minor: int) -> _Key:
    return customer_id, sku or f"name:{name}", unit_price_minor


def _keys(customer_id: int, sku: str | None, name: str, unit_price_minor: int) -> set[_Key]:
    """All that a line goes by: its SKU, and its name."""
    return {
        _key(customer_id, sku, name, unit_price_minor),
        _key(customer_id, None, name, unit_price_minor),
    }


def _refunded(batch: Batch, order_item_ids: Sequence[int], replaced: Sequence[int]) -> dict[int, int]:
    """How many pieces of each line are refunded already."""
    item = refund_items.c
    query = (
        select(item.order_item_id, func.sum(item.quantity))
        .where(batch.writer.among(item.order_item_id, order_item_ids))
        .group_by(item.order_item_id)
    )
    if replaced:
        query = query.where(~batch.writer.among(item.refund_id, replaced))
    return {key: int(quantity) for key, quantity in batch.connection.execute(query)}
