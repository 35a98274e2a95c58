"""The lines of orders: one that was stored before keeps its key, since returns and refunds name it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select, update

from lib.db.tables.orders import order_items, refund_items
from lib.db.tables.returns import return_items
from lib.importers.batch import Batch
from lib.importers.load_products import products_of_lines, unit_cost
from lib.importers.order_draft import Draft
from lib.importers.prepared import LINE_FACTS
from lib.importers.refund_lines import Line

ITEM_FACTS: Final = ("currency", "product_id", "cost_minor", *LINE_FACTS)
ITEM_COLUMNS: Final = ("order_item_id", "order_id", "line_number", *ITEM_FACTS)


def write_lines(batch: Batch, drafts: Sequence[Draft]) -> None:
    """Write the lines; a line that was stored before keeps its key, since returns and refunds name it."""
    flat = [(draft, line) for draft in drafts for line in draft.order.lines]
    found = products_of_lines(batch, [line[2] for _, line in flat])
    currency = batch.store.currency
    stored = _stored_lines(batch, [draft.order_id for draft in drafts if not draft.is_new])
    changed: list[tuple[Any, ...]] = []
    numbers = {order_id: rows[-1][1] for order_id, rows in stored.items()}
    rows: list[tuple[Any, ...]] = []
    # As many keys as there may be new lines: those that lines keep are passed over.
    keys = iter(batch.writer.next_keys(order_items, len(flat)))
    for (draft, (values, cost, named)), product in zip(flat, found, strict=True):
        if product is None:
            product_id = None
        else:
            product_id = product["product_id"]
            if cost is None and product["cost_minor"] is not None and (each := unit_cost(batch, product)) is not None:
                cost = each * values[4]
        order_id = draft.order_id
        before = None if draft.is_new else _same_line(stored.get(order_id, []), values)
        if before is not None:
            key = before[0]
            changed.append((currency, product_id, cost, *values, key))
        else:
            key = next(keys)
            # Above every number the order ever had: a line that stays never meets a new one.
            numbers[order_id] = number = numbers.get(order_id, 0) + 1
            rows.append((key, order_id, number, currency, product_id, cost, *values))
        if draft.order.refunds:
            draft.lines.append(_line_of(values, key, product_id, named[0]))
    gone = [row[0] for kept in stored.values() for row in kept]
    if gone:
        _remove_lines(batch, gone)
    batch.writer.insert(order_items, ITEM_COLUMNS, rows)
    batch.writer.update(order_items, ITEM_FACTS, changed)


def _line_of(values: tuple[Any, ...], order_item_id: int, product_id: int | None, source_product: str | None) -> Line:
    """The line as the order's refunds name it; ``values`` are those of ``LINE_FACTS``."""
    external_id, kind, sku, name, quantity, _, gross, discount, _ = values
    return Line(order_item_id, product_id, external_id, source_product, sku, name, kind, quantity, gross - discount)


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
    stored: list[tuple[int, int, str | None, str]], values: tuple[Any, ...]
) -> tuple[int, int, str | None, str] | None:
    """Take the stored line that this one is: by its key, else by SKU and name."""
    known, _, sku, name, *_ = values
    called = f"{sku}|{name}"
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
