"""Orders with their discounts; their lines, refunds and parcels go to the modules of these."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from lib.db.tables.orders import discounts_used, orders
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused
from lib.importers.conversion import NoRate
from lib.importers.forgotten import forget_orders
from lib.importers.late_purchases import match_waiting
from lib.importers.load_people import resolve
from lib.importers.load_refunds import write_refunds
from lib.importers.load_shipments import write_shipments
from lib.importers.order_draft import Draft, draft_of
from lib.importers.order_lines import write_lines
from lib.importers.prepared import FACTS, Prepared
from lib.importers.refund_lines import Purchase

COLUMNS: Final = ("order_id", "source", "external_id", "fingerprint", "updated_at", "customer_id", *FACTS)
CHANGED: Final = ("fingerprint", "updated_at", "customer_id", *FACTS)


def load_orders(batch: Batch, records: Sequence[Prepared]) -> list[Outcome]:
    """Store orders whose keys are all different; each is stored whole or refused whole."""
    outcomes: list[Outcome] = [STORED] * len(records)
    drafts: list[Draft] = []
    for position, record in enumerate(records):
        reason = record.reason
        if not reason:
            try:
                drafts.append(draft_of(batch, position, record))
            except NoRate as missing:
                reason = str(missing)
        if reason:
            outcomes[position] = Refused(reason)
    _compare(batch, drafts)
    for draft in drafts:
        if draft.is_unchanged:
            outcomes[draft.position] = UNCHANGED
    drafts = [draft for draft in drafts if not draft.is_unchanged]
    if not drafts:
        return outcomes
    forget_orders(batch, drafts)
    resolve(batch, [draft.mention for draft in drafts if draft.mention is not None])
    _orders(batch, drafts)
    write_lines(batch, drafts)
    _discounts(batch, drafts)
    refunds = [
        (refund, Purchase(draft.order_id, draft.customer_id, draft.rate, draft.lines))
        for draft in drafts
        for refund in draft.order.refunds
    ]
    said = [draft.order_id for draft in drafts if not draft.is_new and draft.order.says_refunds]
    write_refunds(batch, refunds, whole_orders=said)
    changed = [draft.order_id for draft in drafts if not draft.is_new]
    parcels = [(parcel, draft.order_id) for draft in drafts for parcel in draft.order.parcels]
    write_shipments(batch, parcels, whole_orders=changed)
    match_waiting(batch, (draft.customer_id for draft in drafts if draft.customer_id is not None))
    return outcomes


def _compare(batch: Batch, drafts: Sequence[Draft]) -> None:
    """Find the orders that are stored already, and those of them that have not changed."""
    wanted = {draft.order.external_id for draft in drafts}
    rows = batch.connection.execute(
        select(orders.c.external_id, orders.c.order_id, orders.c.fingerprint).where(
            orders.c.source == batch.source, batch.writer.among(orders.c.external_id, wanted)
        )
    )
    stored = {external_id: (order_id, known) for external_id, order_id, known in rows.all()}
    for draft in drafts:
        found = stored.get(draft.order.external_id)
        if found is not None:
            draft.order_id, draft.is_new = found[0], False
            draft.is_unchanged = found[1] == draft.order.fingerprint


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
                draft.order.fingerprint,
                batch.stamp,
                draft.customer_id,
                *draft.order.facts,
            )
            for draft in new
        ],
    )
    batch.writer.update(
        orders,
        CHANGED,
        [
            (draft.order.fingerprint, batch.stamp, draft.customer_id, *draft.order.facts, draft.order_id)
            for draft in drafts
            if not draft.is_new
        ],
    )


def _discounts(batch: Batch, drafts: Sequence[Draft]) -> None:
    batch.writer.delete(discounts_used, "order_id", [draft.order_id for draft in drafts if not draft.is_new])
    batch.writer.insert(
        discounts_used,
        ("order_id", "code", "kind", "currency", "amount_minor"),
        [
            (draft.order_id, code, kind, batch.store.currency, amount)
            for draft in drafts
            for code, kind, amount in draft.order.discounts
        ],
    )
