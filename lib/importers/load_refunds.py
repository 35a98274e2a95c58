"""Refunds, whether they come within their order, name it, or must be matched to a purchase.

Every refund of goods gets items that add up to it; an item names the order it is set against.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select

from lib.db.tables.orders import refund_items, refunds
from lib.importers.batch import STORED, TO_MATCH, UNCHANGED, WITHIN, Batch, Outcome, Refused, clip, fingerprint
from lib.importers.checks import bad_refund
from lib.importers.conversion import NoRate, convert_refund
from lib.importers.forgotten import forgotten, without_person
from lib.importers.load_people import resolve
from lib.importers.load_products import Shelf, shelf
from lib.importers.match_purchases import Wanted, match
from lib.importers.mention import Mention, mentioned
from lib.importers.purchases import purchases_of
from lib.importers.records import RefundRecord
from lib.importers.refund_lines import Item, Purchase, items_alone, items_within, undone
from lib.importers.writer import instant

FACTS: Final = (
    "order_id",
    "customer_id",
    "refunded_at",
    "is_date_estimated",
    "currency",
    "goods_minor",
    "shipping_minor",
    "tax_minor",
    "fees_minor",
    "total_minor",
    "reason",
)
COLUMNS: Final = ("refund_id", "source", "external_id", "fingerprint", "updated_at", *FACTS)
ITEM_COLUMNS: Final = (
    "refund_id",
    "order_id",
    "order_item_id",
    "product_id",
    "name",
    "quantity",
    "currency",
    "goods_minor",
)


@dataclass(slots=True)
class Draft:
    """A refund on its way into the database."""

    refund: RefundRecord
    fingerprint: str
    purchase: Purchase | None = None
    mention: Mention | None = None
    # Whose the stored refund is, where that one was erased.
    owner: int | None = None
    items: list[Item] = field(default_factory=list)
    position: int = 0
    refund_id: int = 0

    @property
    def customer_id(self) -> int | None:
        if self.mention is not None and self.mention.customer_id is not None:
            return self.mention.customer_id
        return self.purchase.customer_id if self.purchase else self.owner

    @property
    def order_id(self) -> int | None:
        """The one order the refund is set against; None when there is none, or several."""
        if self.purchase:
            return self.purchase.order_id
        against = {item[0] for item in self.items}
        return against.pop() if len(against) == 1 else None


def write_refunds(
    batch: Batch, records: Sequence[tuple[RefundRecord, Purchase]], *, whole_orders: Sequence[int]
) -> None:
    """Write refunds that came within their orders, in the store's currency.

    Args:
        whole_orders: orders that were stored before; refunds that came within them and are not among
            ``records`` are gone and are removed.
    """
    drafts = [
        Draft(
            refund,
            WITHIN + fingerprint(refund, purchase.customer_id)[: 32 - len(WITHIN)],
            purchase,
            items=items_within(refund, purchase),
        )
        for refund, purchase in records
    ]
    by_itself = {
        external_id
        for external_id, (_, known) in _stored(batch, drafts).items()
        if known and not known.startswith(WITHIN)
    }
    # A refund that was read by itself knows its own day; the order's mention of it does not.
    drafts = [d for d in drafts if not (d.refund.is_date_estimated and d.refund.external_id in by_itself)]
    if whole_orders:
        kept = {draft.refund.external_id for draft in drafts}
        rows = batch.connection.execute(
            select(refunds.c.refund_id, refunds.c.external_id).where(
                refunds.c.source == batch.source,
                batch.writer.among(refunds.c.order_id, whole_orders),
                refunds.c.fingerprint.startswith(WITHIN),
            )
        )
        batch.writer.delete(refunds, "refund_id", [key for key, external_id in rows if external_id not in kept])
    _write(batch, drafts)


def load_refunds(batch: Batch, records: Sequence[RefundRecord]) -> list[Outcome]:
    """Store refunds that come by themselves; one whose order is not stored is refused."""
    outcomes: list[Outcome] = [STORED] * len(records)
    purchases = purchases_of(batch, {record.order_id for record in records if record.order_id})
    drafts: list[Draft] = []
    for position, record in enumerate(records):
        reason = bad_refund(batch, record)
        purchase = purchases.get(record.order_id) if record.order_id else None
        if not reason and record.order_id and purchase is None:
            reason = (
                f"The order {record.order_id} of this refund is not stored. Import the orders, then this refund again."
            )
        if not reason:
            try:
                drafts.append(_draft(batch, position, record, purchase))
            except NoRate as missing:
                reason = str(missing)
        if reason:
            outcomes[position] = Refused(reason)
    stored = _stored(batch, drafts)
    for draft in drafts:
        if stored.get(draft.refund.external_id, (0, ""))[1] == draft.fingerprint:
            outcomes[draft.position] = UNCHANGED
    drafts = [draft for draft in drafts if outcomes[draft.position] == STORED]
    _forget(batch, drafts)
    resolve(batch, [draft.mention for draft in drafts if draft.mention is not None])
    _match(batch, [draft for draft in drafts if draft.refund.match_purchase and draft.purchase is None], stored)
    _write(batch, drafts, stored)
    return outcomes


def _forget(batch: Batch, drafts: Sequence[Draft]) -> None:
    """Refunds of erased people keep their amounts alone."""
    buyers = {draft.position: draft.purchase.customer_id if draft.purchase else None for draft in drafts}
    gone = forgotten(batch, refunds, {draft.position: draft.refund for draft in drafts}, buyers)
    for draft in drafts:
        if draft.position in gone:
            draft.refund, draft.mention = without_person(draft.refund), None
            draft.owner = gone[draft.position]


def _draft(batch: Batch, position: int, record: RefundRecord, purchase: Purchase | None) -> Draft:
    target = batch.store.currency
    refund = record
    if record.currency != target:
        same = purchase is not None and purchase.currency == record.currency
        day = batch.day(record.refunded_at)
        rate = Decimal(purchase.rate) if same and purchase else batch.rates.rate(record.currency, day)
        refund = convert_refund(record, rate, target)
    if purchase is not None:
        refund = undone(refund, purchase)
    written = fingerprint(refund)
    if refund.match_purchase and purchase is None:
        written = TO_MATCH + written[: 32 - len(TO_MATCH)]
    draft = Draft(refund, written, purchase, position=position)
    if record.customer is not None:
        draft.mention = mentioned(record.customer, record.refunded_at)
    if purchase is not None:
        draft.items = items_within(refund, purchase)
    elif not record.match_purchase:
        draft.items = items_alone(refund, Shelf())
    return draft


def _match(batch: Batch, drafts: Sequence[Draft], stored: dict[str, tuple[int, str]]) -> None:
    """Set refunds against the purchases they undo."""
    if not drafts:
        return
    every = [item for draft in drafts for item in draft.refund.items]
    known = shelf(
        batch,
        {item.product_id for item in every if item.product_id},
        {item.sku for item in every if item.sku},
        {clip(item.name) or "" for item in every if not item.sku},
    )
    wanted: list[Wanted] = []
    places: list[tuple[Draft, int]] = []
    for draft in sorted(drafts, key=lambda draft: draft.refund.refunded_at):
        draft.items = items_alone(draft.refund, known)
        for index, item in enumerate(draft.refund.items):
            if draft.customer_id is not None and item.quantity and item.unit_price_minor is not None:
                wanted.append(
                    Wanted(
                        draft.customer_id,
                        clip(item.sku),
                        clip(item.name),
                        item.unit_price_minor,
                        item.quantity,
                        instant(draft.refund.refunded_at) or "",
                    )
                )
                places.append((draft, index))
    replaced = [stored[draft.refund.external_id][0] for draft in drafts if draft.refund.external_id in stored]
    for (draft, index), found in zip(places, match(batch, wanted, replaced), strict=True):
        if found is not None:
            order_id, order_item_id, product_id = found
            _, _, _, name, quantity, goods = draft.items[index]
            draft.items[index] = (order_id, order_item_id, product_id, name, quantity, goods)


def _stored(batch: Batch, drafts: Sequence[Draft]) -> dict[str, tuple[int, str]]:
    if not drafts:
        return {}
    rows = batch.connection.execute(
        select(refunds.c.external_id, refunds.c.refund_id, refunds.c.fingerprint).where(
            refunds.c.source == batch.source,
            batch.writer.among(refunds.c.external_id, {draft.refund.external_id for draft in drafts}),
        )
    )
    return {external_id: (refund_id, known) for external_id, refund_id, known in rows}


def _write(batch: Batch, drafts: Sequence[Draft], stored: dict[str, tuple[int, str]] | None = None) -> None:
    known = _stored(batch, drafts) if stored is None else stored
    drafts = [draft for draft in drafts if known.get(draft.refund.external_id, (0, ""))[1] != draft.fingerprint]
    new = [draft for draft in drafts if draft.refund.external_id not in known]
    old = [draft for draft in drafts if draft.refund.external_id in known]
    for draft in old:
        draft.refund_id = known[draft.refund.external_id][0]
    for draft, key in zip(new, batch.writer.next_keys(refunds, len(new)), strict=True):
        draft.refund_id = key

    def facts(draft: Draft) -> tuple[Any, ...]:
        refund = draft.refund
        return (
            draft.order_id,
            draft.customer_id,
            instant(refund.refunded_at),
            refund.is_date_estimated,
            batch.store.currency,
            refund.goods_minor,
            refund.shipping_minor,
            refund.tax_minor,
            refund.fees_minor,
            refund.total_minor,
            refund.reason or None,
        )

    batch.writer.insert(
        refunds,
        COLUMNS,
        [
            (
                draft.refund_id,
                batch.source,
                draft.refund.external_id,
                draft.fingerprint,
                batch.stamp,
                *facts(draft),
            )
            for draft in new
        ],
    )
    batch.writer.update(
        refunds,
        ("fingerprint", "updated_at", *FACTS),
        [(draft.fingerprint, batch.stamp, *facts(draft), draft.refund_id) for draft in old],
    )
    batch.writer.delete(refund_items, "refund_id", [draft.refund_id for draft in old])
    batch.writer.insert(
        refund_items,
        ITEM_COLUMNS,
        [
            (
                draft.refund_id,
                order_id,
                order_item_id,
                product_id,
                name,
                quantity,
                batch.store.currency,
                goods,
            )
            for draft in drafts
            for order_id, order_item_id, product_id, name, quantity, goods in draft.items
        ],
    )
