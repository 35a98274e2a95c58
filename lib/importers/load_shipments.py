"""Parcels and what carriers reported of them."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import select

from lib.db.tables.orders import orders
from lib.db.tables.shipments import shipment_events, shipments
from lib.importers.batch import STORED, UNCHANGED, WITHIN, Batch, Outcome, Refused
from lib.importers.checks import bad_shipment
from lib.importers.forgotten import forget_parcels
from lib.importers.prepared import Parcel, parcel_of
from lib.importers.records import ShipmentRecord

FACTS: Final = (
    "order_id",
    "carrier",
    "tracking_number",
    "status",
    "shipped_at",
    "first_attempted_at",
    "delivered_at",
    "promised_day",
)
COLUMNS: Final = ("shipment_id", "source", "external_id", "fingerprint", "updated_at", *FACTS)

# A parcel, the key of its order, and its fingerprint.
Draft = tuple[Parcel, int, str]


def write_shipments(batch: Batch, records: Sequence[tuple[Parcel, int]], *, whole_orders: Sequence[int]) -> None:
    """Write parcels that came within their orders: each with the key of its order.

    Args:
        whole_orders: orders that were stored before; parcels that came within them and are not among
            ``records`` are gone and are removed.
    """
    if whole_orders:
        kept = {parcel.external_id for parcel, _ in records}
        rows = batch.connection.execute(
            select(shipments.c.shipment_id, shipments.c.external_id).where(
                shipments.c.source == batch.source,
                batch.writer.among(shipments.c.order_id, whole_orders),
                shipments.c.fingerprint.startswith(WITHIN),
            )
        )
        batch.writer.delete(shipments, "shipment_id", [key for key, external_id in rows if external_id not in kept])
    _write(
        batch,
        [(parcel, order_id, WITHIN + parcel.fingerprint[: 32 - len(WITHIN)]) for parcel, order_id in records],
    )


def load_shipments(batch: Batch, records: Sequence[ShipmentRecord]) -> list[Outcome]:
    """Store parcels that come by themselves; one whose order is not stored is refused."""
    known = order_keys(batch, {record.order_id for record in records})
    outcomes: list[Outcome] = [STORED] * len(records)
    drafts: list[Draft] = []
    positions: list[int] = []
    for position, record in enumerate(records):
        reason = bad_shipment(batch, record)
        if not reason and record.order_id not in known:
            reason = (
                f"The order {record.order_id} of this parcel is not stored. Import the orders, then this parcel again."
            )
        if reason:
            outcomes[position] = Refused(reason)
        else:
            parcel = parcel_of(record)
            drafts.append((parcel, known[record.order_id], parcel.fingerprint))
            positions.append(position)
    for position, is_written in zip(positions, _write(batch, forget_parcels(batch, drafts)), strict=True):
        outcomes[position] = STORED if is_written else UNCHANGED
    return outcomes


def order_keys(batch: Batch, wanted: Iterable[str]) -> dict[str, int]:
    """The keys of stored orders, by the source's own key."""
    rows = batch.connection.execute(
        select(orders.c.external_id, orders.c.order_id).where(
            orders.c.source == batch.source, batch.writer.among(orders.c.external_id, set(wanted))
        )
    )
    return {row.external_id: row.order_id for row in rows}


def _write(batch: Batch, drafts: Sequence[Draft]) -> list[bool]:
    """Write parcels that are new or changed; returns for each whether it was."""
    if not drafts:
        return []
    rows = batch.connection.execute(
        select(shipments.c.external_id, shipments.c.shipment_id, shipments.c.fingerprint).where(
            shipments.c.source == batch.source,
            batch.writer.among(shipments.c.external_id, {parcel.external_id for parcel, _, _ in drafts}),
        )
    )
    stored = {external_id: (key, known) for external_id, key, known in rows.all()}
    is_written = [stored.get(parcel.external_id, (0, ""))[1] != written for parcel, _, written in drafts]
    writing = [draft for draft, is_new in zip(drafts, is_written, strict=True) if is_new]
    new = [draft for draft in writing if draft[0].external_id not in stored]
    old = [draft for draft in writing if draft[0].external_id in stored]
    keys = dict(
        zip((parcel.external_id for parcel, _, _ in new), batch.writer.next_keys(shipments, len(new)), strict=True)
    )
    keys.update({parcel.external_id: stored[parcel.external_id][0] for parcel, _, _ in old})
    batch.writer.insert(
        shipments,
        COLUMNS,
        [
            (keys[parcel.external_id], batch.source, parcel.external_id, written, batch.stamp, order_id, *parcel.facts)
            for parcel, order_id, written in new
        ],
    )
    batch.writer.update(
        shipments,
        ("fingerprint", "updated_at", *FACTS),
        [
            (written, batch.stamp, order_id, *parcel.facts, keys[parcel.external_id])
            for parcel, order_id, written in old
        ],
    )
    batch.writer.delete(shipment_events, "shipment_id", [keys[parcel.external_id] for parcel, _, _ in old])
    batch.writer.insert(
        shipment_events,
        ("shipment_id", "occurred_at", "status", "message", "city"),
        [(keys[parcel.external_id], *event) for parcel, _, _ in writing for event in parcel.events],
    )
    return is_written
