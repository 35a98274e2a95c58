"""Goods that come back."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select

from lib.db.tables.orders import orders
from lib.db.tables.returns import returns
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused, bad_key, clip, fingerprint
from lib.importers.conversion import NoRate
from lib.importers.records import ReturnRecord
from lib.importers.stored import upsert
from lib.importers.writer import instant
from lib.money import convert, currencies

STATUSES: Final = ("requested", "approved", "in_transit", "received", "closed", "rejected")
RESOLUTIONS: Final = (None, "refund", "exchange", "store_credit")
FACTS: Final = (
    "order_id",
    "customer_id",
    "status",
    "resolution",
    "requested_at",
    "received_at",
    "refunded_at",
    "reason",
    "currency",
    "refund_minor",
    "exchange_minor",
    "credit_minor",
)


def load_returns(batch: Batch, records: Sequence[ReturnRecord]) -> list[Outcome]:
    """Store returns; one whose order is not stored is refused."""
    outcomes: list[Outcome] = [STORED] * len(records)
    order = orders.c
    found = batch.connection.execute(
        select(
            order.external_id, order.order_id, order.customer_id, order.original_currency, order.exchange_rate
        ).where(
            order.source == batch.source,
            batch.writer.among(order.external_id, {record.order_id for record in records}),
        )
    )
    known = {row.external_id: row for row in found}
    positions: list[int] = []
    rows: list[tuple[str, str, tuple[Any, ...]]] = []
    for position, record in enumerate(records):
        reason = bad_return(batch, record)
        row = known.get(record.order_id)
        if not reason and row is None:
            reason = (
                f"The order {record.order_id} of this return is not stored. Import the orders, then this return again."
            )
        if not reason and row is not None:
            try:
                amounts = _amounts(batch, record, row.original_currency, Decimal(row.exchange_rate))
            except NoRate as missing:
                reason = str(missing)
            else:
                values = (
                    row.order_id,
                    row.customer_id,
                    record.status,
                    record.resolution,
                    instant(record.requested_at),
                    instant(record.received_at),
                    instant(record.refunded_at),
                    clip(record.reason),
                    batch.store.currency,
                    *amounts,
                )
                rows.append((record.external_id, fingerprint(values), values))
                positions.append(position)
        if reason:
            outcomes[position] = Refused(reason)
    for position, (_, _, is_written) in zip(positions, upsert(batch, returns, FACTS, rows), strict=True):
        outcomes[position] = STORED if is_written else UNCHANGED
    return outcomes


def _amounts(batch: Batch, record: ReturnRecord, currency: str, rate: Decimal) -> tuple[int, int, int]:
    target = batch.store.currency
    amounts = (record.refund_minor, record.exchange_minor, record.credit_minor)
    if record.currency == target:
        return amounts
    factor = rate if record.currency == currency else batch.rates.rate(record.currency, batch.day(record.requested_at))
    refund, exchange, credit = (convert(amount, factor, source=record.currency, target=target) for amount in amounts)
    return refund, exchange, credit


def bad_return(batch: Batch, record: ReturnRecord) -> str:
    """Why a return cannot be stored; empty when it can."""
    reason = bad_key(record.external_id, "return") or batch.bad_instant(record.requested_at, "date of the return")
    if record.currency not in currencies():
        return reason or f"{record.currency!r} is no currency."
    if record.status not in STATUSES:
        return reason or f"The return's status {record.status!r} is unknown."
    if record.resolution not in RESOLUTIONS:
        return reason or f"The return's resolution {record.resolution!r} is unknown."
    return reason
