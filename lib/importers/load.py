"""The loader: it alone writes what readers yield, in batches, and counts every record once.

Each batch is one transaction with its records, its rejected rows and the run's counts, so a run that is
killed leaves whole batches, and the next run finds them unchanged. ``read = stored + unchanged + rejected``
holds after every batch.
"""

import gc
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any, Final, cast

from psycopg import errors
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DataError, IntegrityError, StatementError

from lib.db.engine import writing_often
from lib.db.identities import normalise_email
from lib.db.store import Store, read_store, write_store
from lib.db.tables.columns import now
from lib.db.tables.orders import orders
from lib.errors import ImportRefused
from lib.importers import rejected as put_aside
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused, rounds
from lib.importers.conversion import read_rates
from lib.importers.first_load import FirstLoad
from lib.importers.forgotten import forget_rejected
from lib.importers.load_orders import load_orders
from lib.importers.load_people import load_customers
from lib.importers.load_products import load_products
from lib.importers.load_rates import load_coupons, load_rates
from lib.importers.load_refunds import load_refunds
from lib.importers.load_returns import load_returns
from lib.importers.load_reviews import load_reviews
from lib.importers.load_shipments import load_shipments
from lib.importers.load_tickets import load_tickets
from lib.importers.prepared import Prepared, prepared
from lib.importers.records import (
    CouponRecord,
    CustomerRecord,
    OrderRecord,
    ProductRecord,
    RateRecord,
    Record,
    RefundRecord,
    Rejected,
    ReturnRecord,
    ReviewRecord,
    ShipmentRecord,
    TicketRecord,
)
from lib.importers.report import ImportReport
from lib.importers.runs import Run, beat, finish
from lib.importers.writer import Writer
from lib.money import currencies
from lib.settings import Settings

BATCH: Final = 4_000
# A batch ends here too: a few large orders weigh as much as many small ones.
BATCH_LINES: Final = 20_000

# What a reader yields; its orders may come prepared.
Loaded = Record | Rejected | Prepared
Part = Callable[[Batch, Sequence[Any]], list[Outcome]]
Progress = Callable[[ImportReport], None]

# In this order within a batch: what others name comes first.
PARTS: Final[dict[type, tuple[str, Part]]] = {
    RateRecord: ("rate", cast(Part, load_rates)),
    ProductRecord: ("product", cast(Part, load_products)),
    CustomerRecord: ("customer", cast(Part, load_customers)),
    CouponRecord: ("coupon", cast(Part, load_coupons)),
    Prepared: ("order", cast(Part, load_orders)),
    RefundRecord: ("refund", cast(Part, load_refunds)),
    ShipmentRecord: ("shipment", cast(Part, load_shipments)),
    ReturnRecord: ("return", cast(Part, load_returns)),
    ReviewRecord: ("review", cast(Part, load_reviews)),
    TicketRecord: ("ticket", cast(Part, load_tickets)),
}


def load(
    engine: Engine,
    source: str,
    records: Iterator[Loaded],
    *,
    run: Run,
    settings: Settings,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> ImportReport:
    """Store what a reader yields, under the keys of ``source``.

    Args:
        run: the run to count in; ended here, as finished, refused or interrupted.
        batch: how many records one transaction takes at most.
        progress: called after each batch with the report so far.

    Raises:
        ImportRefused: the reader refused, at the start or midway; what earlier batches stored stays.
    """
    report = ImportReport(source, run_id=run.run_id)
    try:
        with _fewer_collections(), FirstLoad(engine) as first_load, writing_often(engine) as connection:
            for chunk, is_full in _chunks(records, batch):
                part = ImportReport(source)
                first_load.prepare(chunk, is_full=is_full)
                with connection.begin():
                    _write(connection, source, chunk, settings, run, part)
                    so_far = _both(report, part)
                    beat(connection, run, so_far)
                report = so_far
                if progress is not None:
                    progress(report)
                # Before the next is gathered: collecting garbage must not look through it.
                del chunk
    except ImportRefused as refusal:
        status = "interrupted" if report.read else "refused"
        finish(engine, run, report, status=status, message=str(refusal))
        if not report.read:
            raise
        raise type(refusal)(
            f"{refusal} What was read before it is stored ({report.stored:,} of {report.read:,} records);"
            " import the whole file again and nothing is doubled."
        ) from refusal
    except BaseException as error:
        message = "Stopped by hand." if isinstance(error, KeyboardInterrupt) else type(error).__name__
        finish(engine, run, report, status="interrupted", message=message)
        raise
    finish(engine, run, report)
    return report


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """Collect cyclic garbage after each batch alone: it is up to a million live objects, and looking takes long."""
    before = gc.get_threshold()
    gc.set_threshold(2_000_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _both(report: ImportReport, part: ImportReport) -> ImportReport:
    """A new report that counts both, so that a batch that is rolled back was never counted."""
    both = ImportReport(report.source, run_id=report.run_id)
    both.add(report)
    both.add(part)
    return both


def _chunks(records: Iterator[Loaded], size: int) -> Iterator[tuple[list[Loaded], bool]]:
    """Yield what one transaction takes, and whether that is as much as one takes, so that more may come."""
    chunk: list[Loaded] = []
    lines = 0
    for record in prepared(records):
        chunk.append(record)
        if isinstance(record, Prepared):
            lines += len(record.lines)
        if len(chunk) >= size or lines >= BATCH_LINES:
            yield chunk, True
            chunk, lines = [], 0
            # Statements are cycles, and hold the keys that were asked for.
            gc.collect(1)
    if chunk:
        yield chunk, False


def _write(
    connection: Connection,
    source: str,
    chunk: Sequence[Loaded],
    settings: Settings,
    run: Run,
    report: ImportReport,
) -> None:
    writer = Writer(connection)
    writer.wait_for_turn()
    store = _store_with_currency(connection, read_store(connection, settings), chunk)
    at = now()
    by_kind: dict[type, list[Any]] = {}
    for record in chunk:
        by_kind.setdefault(type(record), []).append(record)
    batch = Batch(connection, writer, source, store, read_rates(connection, store.currency), at)
    aside = forget_rejected(batch, by_kind.pop(Rejected, []))
    for row in aside:
        report.count(row.kind, "rejected", row.reason)
    stored: dict[str, list[str]] = {}
    for kind, (name, part) in PARTS.items():
        if kind not in by_kind:
            continue
        batch = Batch(connection, writer, source, store, read_rates(connection, store.currency), at)
        everything = by_kind.pop(kind)
        for group in rounds(everything, _key):
            records = [record for _, record in group]
            outcomes = _bisect(batch, part, records)
            report.forgotten += batch.forgotten
            batch.forgotten = 0
            for record, outcome in zip(records, outcomes, strict=True):
                if isinstance(outcome, Refused):
                    (row,) = forget_rejected(batch, [rejected_record(name, record, str(outcome), batch)])
                    report.count(name, "rejected", row.reason)
                    aside.append(row)
                    continue
                report.count(name, outcome)
                if key := getattr(record, "external_id", ""):
                    stored.setdefault(name, []).append(key)
            if kind is Prepared:
                _see_days(report, batch, records, outcomes)
    if by_kind:
        raise TypeError(f"a reader yielded {next(iter(by_kind)).__name__}, which nobody loads")
    batch = Batch(connection, writer, source, store, read_rates(connection, store.currency), at)
    put_aside.keep(batch, run.run_id, aside)
    put_aside.resolve_stored(batch, stored)


def _see_days(report: ImportReport, batch: Batch, records: Sequence[Prepared], outcomes: Sequence[Outcome]) -> None:
    """The first and the last store day of what was not refused."""
    placed = [
        record.placed_at for record, outcome in zip(records, outcomes, strict=True) if not isinstance(outcome, Refused)
    ]
    if placed:
        report.see_day(batch.day(min(placed)))
        report.see_day(batch.day(max(placed)))


def _bisect(batch: Batch, part: Part, records: Sequence[Any]) -> list[Outcome]:
    """Load records; when the database refuses, halve until the one that it refuses stands alone."""
    try:
        with batch.connection.begin_nested():
            return part(batch, records)
    except Exception as error:
        batch.writer.forget_keys()
        batch.forgotten = 0
        reason = _why_refused(error)
        if not reason:
            raise
        if len(records) == 1:
            return [Refused(reason)]
    middle = len(records) // 2
    return [*_bisect(batch, part, records[:middle]), *_bisect(batch, part, records[middle:])]


def _why_refused(error: Exception) -> str:
    """The reason when one record is at fault; empty when the database itself is."""
    # Instants beyond the calendar, halves of surrogate pairs, and integers beyond 64 bits.
    if isinstance(error, (OverflowError, UnicodeError, sqlite3.IntegrityError, sqlite3.DataError)):
        return f"The database refuses it: {_first_line(error)}"
    if isinstance(error, (IntegrityError, DataError)) or (
        isinstance(error, StatementError) and isinstance(error.orig, (OverflowError, UnicodeError, ValueError))
    ):
        return f"The database refuses it: {_first_line(error.orig or error)}"
    if isinstance(error, (errors.IntegrityError, errors.DataError)):
        return f"The database refuses it: {_first_line(error)}"
    return ""


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _key(record: Any) -> Any:
    if isinstance(record, RateRecord):
        return (record.currency, record.target, record.valid_from)
    if isinstance(record, CustomerRecord) and not record.external_id:
        return ("", normalise_email(record.email))
    return record.external_id


def _store_with_currency(connection: Connection, store: Store, chunk: Sequence[Loaded]) -> Store:
    """The store; its currency is decided by the first order where neither a setting nor the store names one."""
    if not store.currency:
        first = next(
            (r.currency for r in chunk if isinstance(r, Prepared) and r.currency in currencies()),
            next((r.currency for r in chunk if isinstance(r, RefundRecord) and r.currency in currencies()), ""),
        )
        if first:
            store = replace(store, currency=first)
            write_store(connection, store)
    stored = connection.scalar(select(orders.c.currency).limit(1))
    if stored is not None and store.currency and stored != store.currency:
        raise ImportRefused(
            f"The stored orders are in {stored}, but ENCORE_STORE_CURRENCY says {store.currency}. Amounts of two"
            f" currencies are never added up: set it to {stored}, or import everything into a new database."
        )
    return store


def rejected_record(kind: str, refused: Record | Prepared, reason: str, batch: Batch) -> Rejected:
    """A record that the loader refused, with its place in the file where the reader gave it."""
    record = refused.record if isinstance(refused, Prepared) else refused
    placed = getattr(record, "placed_at", None) or getattr(record, "refunded_at", None)
    day: date | None = None
    if isinstance(placed, datetime) and placed.tzinfo is not None and not batch.bad_instant(placed, "date"):
        day = batch.day(placed)
    amount = None
    if isinstance(record, OrderRecord) and record.currency == batch.store.currency:
        amount = record.gross_minor - record.discount_minor
    origin = record.origin
    if origin is not None:
        file, line, text, header = origin.file, origin.line, origin.text, origin.header
    else:
        values = {name: value for name, value in asdict(record).items() if value not in (None, "", (), [])}
        file, line, text, header = batch.source, 0, json.dumps(values, ensure_ascii=False, default=str), ""
    key = getattr(record, "external_id", "")
    return Rejected(kind, file, line, reason, text, header, key, day, amount)


__all__ = ["BATCH", "PARTS", "STORED", "UNCHANGED", "ImportReport", "load", "rejected_record"]
