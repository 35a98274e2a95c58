"""People who were erased stay so: what comes again of them is stored without anything personal, as nobody's.

A record is an erased person's when it names one of her keys, or when the row it would change is hers already: then
the row stays with her emptied customer, so that no figure moves. Where nobody was ever erased, nothing is asked.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Table, select

from lib.db.identities import EMAIL, normalise_email, suppression_hash
from lib.db.signs import ERASED
from lib.db.tables.customers import customers, suppressions
from lib.db.tables.orders import orders
from lib.importers.batch import Batch
from lib.importers.mention import Key, keys_of, person_of
from lib.importers.order_draft import Draft
from lib.importers.prepared import FACTS, Parcel
from lib.importers.records import CustomerRecord, RefundRecord, Rejected, ReplyRecord, ReviewRecord, TicketRecord

_PERSONAL: Final = frozenset(FACTS.index(name) for name in ("region", "city", "tags", "note"))
# Where a parcel's facts, but for its order, and its events hold something personal.
_TRACKING_NUMBER, _MESSAGE_AND_CITY = 1, (2, 3)
_ADDRESS = re.compile(r"[^\s,;:<>\"'()\[\]]+@[^\s,;:<>\"'()\[\]]+")
_WORD = re.compile(r"[\w-]{4,}")
_PUT_ASIDE: Final = "It is about a person who was erased. Dismiss it; the shop still has the row."


def anybody(connection: Connection) -> bool:
    """Whether anybody was ever erased."""
    return connection.scalar(select(suppressions.c.suppression_id).limit(1)) is not None


def known_hashes(batch: Batch, hashes: Iterable[str]) -> set[str]:
    """Those of the hashes that belong to erased people."""
    wanted = set(hashes)
    if not wanted:
        return set()
    row = suppressions.c
    return set(batch.connection.scalars(select(row.email_hash).where(batch.writer.among(row.email_hash, wanted))))


def erased_among(batch: Batch, customer_ids: Iterable[int]) -> set[int]:
    """Those of the customers who were erased."""
    row = customers.c
    wanted = batch.writer.among(row.customer_id, set(customer_ids))
    return set(batch.connection.scalars(select(row.customer_id).where(row.erased_at.is_not(None), wanted)))


def erased_owners(batch: Batch, table: Table, external_ids: Iterable[str]) -> dict[str, int]:
    """Whose the stored rows of these source keys are, where that one was erased."""
    rows = batch.connection.execute(
        select(table.c.external_id, table.c.customer_id)
        .join(customers, customers.c.customer_id == table.c.customer_id)
        .where(
            customers.c.erased_at.is_not(None),
            table.c.source == batch.source,
            batch.writer.among(table.c.external_id, set(external_ids)),
        )
    )
    return dict(rows.all())


def forgotten(
    batch: Batch,
    table: Table,
    records: Mapping[int, ReviewRecord | TicketRecord | RefundRecord],
    buyers: Mapping[int, int | None],
) -> dict[int, int | None]:
    """Which records are of erased people, and the emptied customer of the row that each would change, if any.

    Args:
        records: by their position.
        buyers: by position, the customer of the order that a record names.
    """
    if not records or not anybody(batch.connection):
        return {}
    keys = {position: _keys(batch, record.customer) for position, record in records.items()}
    hashes = known_hashes(batch, {suppression_hash(*key) for each in keys.values() for key in each})
    stored = erased_owners(batch, table, (record.external_id for record in records.values()))
    gone = erased_among(batch, (buyer for buyer in buyers.values() if buyer is not None))
    found: dict[int, int | None] = {}
    for position, record in records.items():
        is_named = any(suppression_hash(*key) in hashes for key in keys[position])
        # Without a name of its own it is the buyer's.
        is_hers = not keys[position] and buyers.get(position) in gone
        if is_named or is_hers or record.external_id in stored:
            found[position] = stored.get(record.external_id)
    batch.forgotten += len(found)
    return found


def _keys(batch: Batch, customer: CustomerRecord | None) -> list[Key]:
    return keys_of(person_of(customer), batch.source) if customer is not None else []


def without_words(record: ReviewRecord) -> ReviewRecord:
    """The stars of a review, and when it was answered."""
    reply = ReplyRecord(ERASED, record.reply.replied_at) if record.reply else None
    return replace(record, title=None, body=None, reviewer_name=None, customer=None, reply=reply)


def without_conversation(record: TicketRecord) -> TicketRecord:
    """The times of a ticket and of its messages."""
    messages = tuple(replace(message, body=ERASED, external_id=None) for message in record.messages)
    return replace(record, subject=None, tags=None, customer=None, messages=messages)


def without_person(refund: RefundRecord) -> RefundRecord:
    """The amounts of a refund."""
    return replace(refund, reason=None, customer=None)


def forget_orders(batch: Batch, drafts: Sequence[Draft]) -> None:
    """Take what is personal out of orders of erased people, before anything of them is written."""
    if not anybody(batch.connection):
        return
    named = {
        id(draft): {suppression_hash(*key) for key in keys_of(draft.mention.person, batch.source)}
        for draft in drafts
        if draft.mention is not None
    }
    hashes = known_hashes(batch, {each for mine in named.values() for each in mine})
    stored = erased_owners(batch, orders, (draft.order.external_id for draft in drafts if not draft.is_new))
    for draft in drafts:
        owner = None if draft.is_new else stored.get(draft.order.external_id)
        if owner is None and not named.get(id(draft), set()) & hashes:
            continue
        order = draft.order
        order.facts = tuple(None if place in _PERSONAL else value for place, value in enumerate(order.facts))
        order.parcels = tuple(without_trace(parcel) for parcel in order.parcels)
        order.refunds = tuple(without_person(refund) for refund in order.refunds)
        draft.mention, draft.owner = None, owner
        batch.forgotten += 1


def without_trace(parcel: Parcel) -> Parcel:
    """When a parcel went where it went, without its number and places."""
    facts = tuple(None if place == _TRACKING_NUMBER else value for place, value in enumerate(parcel.facts))
    events = tuple(
        tuple(None if place in _MESSAGE_AND_CITY else value for place, value in enumerate(event))
        for event in parcel.events
    )
    return replace(parcel, facts=facts, events=events)


def forget_parcels(batch: Batch, drafts: Sequence[tuple[Parcel, int, str]]) -> list[tuple[Parcel, int, str]]:
    """Parcels by themselves, each with its order and fingerprint: those of erased people without trace."""
    if not drafts or not anybody(batch.connection):
        return list(drafts)
    named = batch.writer.among(orders.c.order_id, {order_id for _, order_id, _ in drafts})
    gone = set(
        batch.connection.scalars(
            select(orders.c.order_id)
            .join(customers, customers.c.customer_id == orders.c.customer_id)
            .where(customers.c.erased_at.is_not(None), named)
        )
    )
    batch.forgotten += sum(order_id in gone for _, order_id, _ in drafts)
    return [
        (without_trace(parcel) if order_id in gone else parcel, order_id, written)
        for parcel, order_id, written in drafts
    ]


def forget_rejected(batch: Batch, rejected: Sequence[Rejected]) -> list[Rejected]:
    """Rows to be put aside: those that name an erased person by address or key, without their text."""
    if not rejected or not anybody(batch.connection):
        return list(rejected)
    named = [_named(batch, row) for row in rejected]
    hashes = known_hashes(batch, {each for mine in named for each in mine})
    return [
        replace(row, external_id="", reason=_PUT_ASIDE, text=ERASED) if mine & hashes else row
        for row, mine in zip(rejected, named, strict=True)
    ]


def _named(batch: Batch, row: Rejected) -> set[str]:
    told = f"{row.external_id}\n{row.text}"
    found = {suppression_hash(EMAIL, email) for text in _ADDRESS.findall(told) if (email := normalise_email(text))}
    return found | {suppression_hash(batch.source, word) for word in _WORD.findall(told)}


def is_old_mail(connection: Connection, address: str, sent_at: datetime) -> bool:
    """Whether a mail was sent by an erased person before she was erased; a later one is a new contact."""
    email = normalise_email(address)
    if email is None:
        return False
    row = suppressions.c
    erased_at = connection.scalar(select(row.erased_at).where(row.email_hash == suppression_hash(EMAIL, email)))
    return erased_at is not None and sent_at <= erased_at
