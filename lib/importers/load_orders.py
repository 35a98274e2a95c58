"""Orders with their lines and discounts; their refunds and parcels go to the modules of these."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import select, update

from lib.db.tables.orders import discounts_used, order_items, orders, refund_items
from lib.db.tables.returns import return_items
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused, clip, clip_often, country_code, fingerprint
from lib.importers.checks import bad_order
from lib.importers.conversion import NoRate, convert_order
from lib.importers.load_people import Mention, plain, resolve
from lib.importers.load_products import products_of_lines, unit_cost
from lib.importers.load_refunds import write_refunds
from lib.importers.load_shipments import events, write_shipments
from lib.importers.load_shipments import facts as parcel_facts
from lib.importers.records import ItemRecord, OrderRecord, ShipmentRecord
from lib.importers.refund_lines import Line, Purchase
from lib.importers.writer import instant

FACTS: Final = (
    "number",
    "placed_at",
    "cancelled_at",
    "payment_status",
    "fulfillment_status",
    "is_test",
    "channel",
    "country",
    "region",
    "city",
    "device",
    "payment_method",
    "delivery_type",
    "landing_source",
    "currency",
    "original_currency",
    "original_total_minor",
    "exchange_rate",
    "is_tax_included",
    "gross_minor",
    "discount_minor",
    "shipping_minor",
    "tax_minor",
    "fees_minor",
    "total_minor",
    "paid_minor",
    "tags",
    "note",
)
COLUMNS: Final = ("order_id", "source", "external_id", "fingerprint", "updated_at", "customer_id", *FACTS)
CHANGED: Final = ("fingerprint", "updated_at", "customer_id", *FACTS)
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

_line = attrgetter(
    "external_id",
    "product_id",
    "kind",
    "sku",
    "name",
    "quantity",
    "unit_price_minor",
    "gross_minor",
    "discount_minor",
    "tax_minor",
    "cost_minor",
    "category",
)


@dataclass(slots=True)
class Draft:
    """An order on its way into the database."""

    position: int
    order: OrderRecord
    facts: tuple[Any, ...]
    rate: str
    fingerprint: str
    parcels: list[tuple[ShipmentRecord, tuple[Any, ...]]]
    order_id: int = 0
    is_new: bool = True
    mention: Mention | None = None
    # Only where the order has refunds, which name them.
    lines: list[Line] = field(default_factory=list)

    @property
    def customer_id(self) -> int | None:
        return self.mention.customer_id if self.mention else None


def load_orders(batch: Batch, records: Sequence[OrderRecord]) -> list[Outcome]:
    """Store orders whose keys are all different; each is stored whole or refused whole."""
    outcomes: list[Outcome] = [STORED] * len(records)
    drafts: list[Draft] = []
    for position, record in enumerate(records):
        reason = bad_order(batch, record)
        if not reason:
            try:
                drafts.append(_draft(batch, position, record))
            except NoRate as missing:
                reason = str(missing)
        if reason:
            outcomes[position] = Refused(reason)
    _compare(batch, drafts)
    for draft in drafts:
        if not draft.fingerprint:
            outcomes[draft.position] = UNCHANGED
    drafts = [draft for draft in drafts if draft.fingerprint]
    if not drafts:
        return outcomes
    _people(batch, drafts)
    _orders(batch, drafts)
    _items(batch, drafts)
    _discounts(batch, drafts)
    purchases = {
        draft.order.external_id: Purchase(draft.order_id, draft.customer_id, draft.rate, draft.lines)
        for draft in drafts
    }
    changed = [draft.order_id for draft in drafts if not draft.is_new]
    refunds = [(refund, purchases[draft.order.external_id]) for draft in drafts for refund in draft.order.refunds]
    said = [draft.order_id for draft in drafts if not draft.is_new and draft.order.says_refunds]
    write_refunds(batch, refunds, whole_orders=said)
    parcels = [(parcel, values, draft.order_id) for draft in drafts for parcel, values in draft.parcels]
    write_shipments(batch, parcels, whole_orders=changed)
    return outcomes


def _draft(batch: Batch, position: int, record: OrderRecord) -> Draft:
    order = record
    rate = "1"
    if record.currency != batch.store.currency:
        factor = batch.rates.rate(record.currency, batch.day(record.placed_at))
        order = convert_order(record, factor, batch.store.currency)
        rate = str(factor)
    facts = (
        clip(order.number) or order.external_id,
        instant(order.placed_at),
        instant(order.cancelled_at),
        order.payment_status,
        clip_often(order.fulfillment_status),
        order.is_test,
        clip_often(order.channel),
        country_code(order.country),
        clip_often(order.region),
        clip_often(order.city),
        clip_often(order.device),
        clip_often(order.payment_method),
        clip_often(order.delivery_type),
        clip_often(order.landing_source),
        batch.store.currency,
        record.currency,
        record.total_minor,
        rate,
        order.is_tax_included,
        order.gross_minor,
        order.discount_minor,
        order.shipping_minor,
        order.tax_minor,
        order.fees_minor,
        order.total_minor,
        order.paid_minor,
        order.tags or None,
        order.note or None,
    )
    parcels = [(parcel, parcel_facts(parcel)) for parcel in order.shipments]
    person = record.customer
    written = fingerprint(
        facts,
        [_line(item) for item in order.items],
        [(used.code, used.amount_minor, used.kind) for used in order.discounts],
        # Few orders have one.
        repr(order.refunds) if order.refunds else "",
        [(parcel.external_id, values, events(parcel)) for parcel, values in parcels],
        plain(person) if person is not None else None,
    )
    draft = Draft(position, order, facts, rate, written, parcels)
    if person is not None:
        draft.mention = Mention(person, at=record.placed_at)
    return draft


def _compare(batch: Batch, drafts: Sequence[Draft]) -> None:
    """Find the orders that are stored already; an unchanged one loses its fingerprint."""
    wanted = {draft.order.external_id for draft in drafts}
    rows = batch.connection.execute(
        select(orders.c.external_id, orders.c.order_id, orders.c.fingerprint).where(
            orders.c.source == batch.source, batch.writer.among(orders.c.external_id, wanted)
        )
    )
    stored = {external_id: (order_id, known) for external_id, order_id, known in rows}
    for draft in drafts:
        found = stored.get(draft.order.external_id)
        if found is not None:
            draft.order_id, draft.is_new = found[0], False
            if found[1] == draft.fingerprint:
                draft.fingerprint = ""


def _people(batch: Batch, drafts: Sequence[Draft]) -> None:
    resolve(batch, [draft.mention for draft in drafts if draft.mention is not None])


def _orders(batch: Batch, drafts: Sequence[Draft]) -> None:
    new = [draft for draft in drafts if draft.is_new]
    for draft, key in zip(new, batch.writer.next_keys(orders, len(new)), strict=True):
        draft.order_id = key
    batch.writer.insert(
        orders,
        COLUMNS,
        [
            (
                draft.order_id,
                batch.source,
                draft.order.external_id,
                draft.fingerprint,
                batch.stamp,
                draft.customer_id,
                *draft.facts,
            )
            for draft in new
        ],
    )
    batch.writer.update(
        orders,
        CHANGED,
        [
            (draft.fingerprint, batch.stamp, draft.customer_id, *draft.facts, draft.order_id)
            for draft in drafts
            if not draft.is_new
        ],
    )


def _items(batch: Batch, drafts: Sequence[Draft]) -> None:
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


def _discounts(batch: Batch, drafts: Sequence[Draft]) -> None:
    batch.writer.delete(discounts_used, "order_id", [draft.order_id for draft in drafts if not draft.is_new])
    batch.writer.insert(
        discounts_used,
        ("order_id", "code", "kind", "currency", "amount_minor"),
        [
            (draft.order_id, clip(used.code) or "unnamed", used.kind, batch.store.currency, used.amount_minor)
            for draft in drafts
            for used in draft.order.discounts
        ],
    )
