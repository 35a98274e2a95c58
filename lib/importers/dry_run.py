"""Read everything and write nothing: what would an import do?"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, cast

from sqlalchemy import Connection

from lib.db.store import Store
from lib.db.tables.columns import now
from lib.importers.batch import Batch
from lib.importers.checks import bad_order, bad_refund, bad_shipment
from lib.importers.conversion import NoRate, Rates, read_rates
from lib.importers.load import PARTS, Progress
from lib.importers.load_people import bad_customer
from lib.importers.load_products import bad_product
from lib.importers.load_rates import bad_coupon, bad_rate
from lib.importers.load_returns import bad_return
from lib.importers.load_reviews import bad_review
from lib.importers.load_tickets import bad_ticket
from lib.importers.prepared import Prepared
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
from lib.importers.writer import Writer
from lib.money import currencies

Check = Callable[[Batch, Any], str]

CHECKS: Final[dict[type, Check]] = {
    RateRecord: cast(Check, bad_rate),
    ProductRecord: cast(Check, bad_product),
    CustomerRecord: cast(Check, bad_customer),
    CouponRecord: cast(Check, bad_coupon),
    OrderRecord: cast(Check, bad_order),
    RefundRecord: cast(Check, bad_refund),
    ShipmentRecord: cast(Check, bad_shipment),
    ReturnRecord: cast(Check, bad_return),
    ReviewRecord: cast(Check, bad_review),
    TicketRecord: cast(Check, bad_ticket),
}
EVERY: Final = 5_000


def dry_run(
    connection: Connection | None,
    source: str,
    store: Store,
    records: Iterator[Record | Rejected | Prepared],
    *,
    progress: Progress | None = None,
) -> ImportReport:
    """Read and check every record without writing anything; ``stored`` counts those that would pass.

    Args:
        connection: the order database, to know its exchange rates; None where there is none yet.
    """
    report = ImportReport(source, is_dry_run=True)
    batch = _batch(connection, source, store)
    for number, each in enumerate(records, start=1):
        record = each.record if isinstance(each, Prepared) else each
        if isinstance(record, Rejected):
            report.count(record.kind, "rejected", record.reason)
            continue
        if isinstance(record, OrderRecord) and not store.currency and record.currency in currencies():
            store = replace(store, currency=record.currency)
            batch = _batch(connection, source, store)
        reason = CHECKS[type(record)](batch, record)
        if not reason and isinstance(record, OrderRecord):
            try:
                batch.rates.rate(record.currency, batch.day(record.placed_at))
            except NoRate as missing:
                reason = str(missing)
            report.see_day(batch.day(record.placed_at))
        report.count(
            "order" if isinstance(record, OrderRecord) else PARTS[type(record)][0],
            "rejected" if reason else "stored",
            reason,
        )
        if progress is not None and number % EVERY == 0:
            progress(report)
    return report


def _batch(connection: Connection | None, source: str, store: Store) -> Batch:
    rates = read_rates(connection, store.currency) if connection else Rates(store.currency, {}, {})
    # The checks read the store and the clock alone; nothing here reaches the database.
    return Batch(cast(Connection, connection), cast(Writer, None), source, store, rates, now())
