"""The lines of orders: one that was stored before keeps its key, since returns and refunds name it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select, update

from lib.db.tables.orders import order_items, refund_items
from lib.db.tables.returns import return_items
from lib.importers.batch import Batch, clip, clip_often
from lib.importers.load_products import products_of_lines, unit_cost
from lib.importers.order_draft import Draft
from lib.importers.records import ItemRecord
from lib.importers.refund_lines import Line

ITEM_FACTS: Final = (
    "external_id",
    "product_id",
    "kind",
    "sku",
    "name",
    "quantity",
    "currency",
    "unit_price_minor",
    "gross_minor",
    "discount_minor",
    "tax_minor",
    "cost_minor",
)
ITEM_COLUMNS: Final = ("order_item_id", "order_id", "line_number", *ITEM_FACTS)


def write_lines(batch: Batch, drafts: Sequence[Draft]) -> None:
    """Write the lines; a line that was stored before keeps its key, since returns and refunds name it."""
    flat = [(draft, item) for draft in drafts for item in draft.order.items]
    found = products_of_lines(batch, [item for _, item in flat])
    currency = batch.store.currency
    stored = _stored_lines(batch, [draft.order_id for draft in drafts if not draft.is_new])
    new: list[tuple[Draft, Line | None, tuple[Any, ...]]] = []
    changed: list[tuple[Any, ...]] = []
    numbers = {order_id: rows[-1][1] for order_id, rows in stored.items()}
    for (draft, item), product in zip(flat, found, strict=True):
        cost = item.cost_minor
        if cost is None and product is not None and (each := unit_cost(batch, product)) is not None:
            cost = each * item.quantity
        facts = (
            item.external_id and clip(item.external_id),
            product["product_id"] if product is not None else None,
            item.kind,
            clip_often(item.sku),
            clip_often(item.name) or "Unnamed line",
            item.quantity,
            currency,
            item.unit_price_minor,
            item.gross_minor,
            item.discount_minor,
            item.tax_minor,
            cost,
        )
        before = None if draft.is_new else _same_line(stored.get(draft.order_id, []), item)
        line = _line_of(item, facts, before[0] if before else 0) if draft.order.refunds else None
        if line is not None:
            draft.lines.append(line)
        if before is not None:
            changed.append((*facts, before[0]))
            continue
        # Above every number the order ever had: a line that stays never meets a new one.
        numbers[draft.order_id] = number = numbers.get(draft.order_id, 0) + 1
        new.append((draft, line, (number, *facts)))
    gone = [row[0] for rows in stored.values() for row in rows]
    if gone:
        _remove_lines(batch, gone)
    rows: list[tuple[Any, ...]] = []
    for (draft, line, values), key in zip(new, batch.writer.next_keys(order_items, len(new)), strict=True):
        if line is not None:
            line.order_item_id = key
        rows.append((key, draft.order_id, *values))
    batch.writer.insert(order_items, ITEM_COLUMNS, rows)
    batch.writer.update(order_items, ITEM_FACTS, changed)


def _line_of(item: ItemRecord, facts: tuple[Any, ...], order_item_id: int) -> Line:
    """The line as the order's refunds name it; ``facts`` are the values of ``ITEM_FACTS``."""
    return Line(
        order_item_id,
        facts[1],
        item.external_id,
        item.product_id,
        facts[3],
        facts[4],
        item.kind,
        item.quantity,
        item.gross_minor - item.discount_minor,
    )


def _stored_lines(batch: Batch, order_ids: Sequence[int]) -> dict[int, list[tuple[int, int, str | None, str]]]:
    stored: dict[int, list[tuple[int, int, str | None, str]]] = {}
    if not order_ids:
        return stored
    line = order_items.c
    rows = batch.connection.execute(
        select(line.order_id, line.order_item_id, line.line_number, line.external_id, line.sku, line.name)
        .where(batch.writer.among(line.order_id, order_ids))
        .order_by(line.order_id, line.line_number)
    )
    for order_id, order_item_id, number, external_id, sku, name in rows:
        stored.setdefault(order_id, []).append((order_item_id, number, external_id, f"{sku}|{name}"))
    return stored


def _same_line(
    stored: list[tuple[int, int, str | None, str]], item: ItemRecord
) -> tuple[int, int, str | None, str] | None:
    """Take the stored line that this one is: by its key, else by SKU and name."""
    known = clip(item.external_id)
    called = f"{clip(item.sku)}|{clip(item.name) or 'Unnamed line'}"
    for index, row in enumerate(stored):
        if (known is not None and row[2] == known) or (known is None and row[3] == called):
            return stored.pop(index)
    return None


def _remove_lines(batch: Batch, order_item_ids: Sequence[int]) -> None:
    """Lines that an order no longer has; what named them names their order still."""
    for table in (refund_items, return_items):
        batch.connection.execute(
            update(table).where(batch.writer.among(table.c.order_item_id, order_item_ids)).values(order_item_id=None)
        )
    batch.writer.delete(order_items, "order_item_id", order_item_ids)
