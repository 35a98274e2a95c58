"""An order as the loader writes it: checked, its texts clipped, its fingerprint taken.

None of this needs the database. So it is done where the order is read, in the reading process when there is one,
and two processors share the work; what crosses is tuples of plain values.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from lib.db.tables.columns import now
from lib.importers.batch import Present, clip, clip_often, country_code, fingerprint
from lib.importers.checks import bad_order
from lib.importers.mention import Person, person_of, plain
from lib.importers.packed import Packed, pack, unpack
from lib.importers.records import ItemRecord, OrderRecord, Record, RefundRecord, Rejected, ShipmentRecord
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
LINE_FACTS: Final = (
    "external_id",
    "kind",
    "sku",
    "name",
    "quantity",
    "unit_price_minor",
    "gross_minor",
    "discount_minor",
    "tax_minor",
)
_said_line = attrgetter(
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

# What a line says of its product: the source's key, SKU, name, category, and the line's kind.
NamedProduct = tuple[str | None, str | None, str | None, str | None, str]
# The values of LINE_FACTS, the cost of the whole line where the source says it, and how it names the product.
LineValues = tuple[tuple[Any, ...], int | None, NamedProduct]


@dataclass(slots=True)
class Parcel:
    """A parcel as the loader writes it.

    ``facts`` are the values of ``load_shipments.FACTS`` but for the order's key; ``events`` are instant, status,
    message and city of what carriers reported.
    """

    external_id: str
    order_id: str
    fingerprint: str
    facts: tuple[Any, ...]
    events: tuple[tuple[Any, ...], ...]


@dataclass(slots=True)
class Prepared:
    """An order as the loader writes it, in its own currency or, once converted, in the store's.

    ``reason`` says why it cannot be stored; then only ``record`` tells more. ``facts`` are the values of ``FACTS``.
    """

    external_id: str
    currency: str
    placed_at: datetime
    reason: str
    packed: Packed
    facts: tuple[Any, ...] = ()
    fingerprint: str = ""
    person: Person | None = None
    lines: tuple[LineValues, ...] = ()
    discounts: tuple[tuple[str, str, int], ...] = ()
    parcels: tuple[Parcel, ...] = ()
    refunds: tuple[RefundRecord, ...] = ()
    says_refunds: bool = True

    @property
    def record(self) -> OrderRecord:
        """The order as it was read."""
        return unpack(self.packed)


def prepare(record: OrderRecord, present: Present) -> Prepared:
    """Check an order and make all that can be made of it without the database."""
    reason = bad_order(present, record)
    if reason:
        return Prepared(record.external_id, record.currency, record.placed_at, reason, pack(record))
    return prepare_in(record, record, record.currency, "1")


def prepare_in(record: OrderRecord, order: OrderRecord, currency: str, rate: str) -> Prepared:
    """Make what is written of a sound order.

    Args:
        record: the order as it was read.
        order: the same with amounts in ``currency``, converted at ``rate``.
    """
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
        currency,
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
    parcels = [parcel_of(shipment) for shipment in order.shipments]
    person = order.customer
    written = fingerprint(
        facts,
        [_said_line(item) for item in order.items],
        [(used.code, used.amount_minor, used.kind) for used in order.discounts],
        # Few orders have one.
        repr(order.refunds) if order.refunds else "",
        [
            (parcel.external_id, parcel.facts, said_events(shipment))
            for parcel, shipment in zip(parcels, order.shipments, strict=True)
        ],
        plain(person) if person is not None else None,
    )
    return Prepared(
        record.external_id,
        currency,
        record.placed_at,
        "",
        pack(record),
        facts,
        written,
        None if person is None else person_of(person),
        tuple([_line(item) for item in order.items]),
        tuple([(clip(used.code) or "unnamed", used.kind, used.amount_minor) for used in order.discounts]),
        tuple(parcels),
        order.refunds,
        order.says_refunds,
    )


def _line(item: ItemRecord) -> LineValues:
    sku, name = clip_often(item.sku), clip_often(item.name)
    return (
        (
            clip(item.external_id),
            item.kind,
            sku,
            name or "Unnamed line",
            item.quantity,
            item.unit_price_minor,
            item.gross_minor,
            item.discount_minor,
            item.tax_minor,
        ),
        item.cost_minor,
        (item.product_id, sku, name, clip_often(item.category), item.kind),
    )


def parcel_of(record: ShipmentRecord) -> Parcel:
    """A parcel that comes within its order, as its fingerprint says."""
    facts = (
        clip_often(record.carrier),
        clip(record.tracking_number),
        record.status,
        instant(record.shipped_at),
        instant(record.first_attempted_at),
        instant(record.delivered_at),
        record.promised_day.isoformat() if record.promised_day else None,
    )
    written = fingerprint(record.order_id, facts, said_events(record))
    events = tuple([(instant(e.occurred_at), e.status, e.message, clip(e.city)) for e in record.events])
    return Parcel(record.external_id, record.order_id, written, facts, events)


def said_events(record: ShipmentRecord) -> list[tuple[Any, ...]]:
    """What carriers reported, as plain values."""
    return [(instant(event.occurred_at), event.status, event.message, event.city) for event in record.events]


@dataclass(frozen=True, slots=True)
class Preparing:
    """A reader whose orders come prepared; it can be sent to another process, as the reader can."""

    reader: Callable[..., Iterator[Record | Rejected]]

    def __call__(self, *arguments: Any) -> "Iterator[Record | Rejected | Prepared]":
        """Read, and prepare what are orders."""
        return prepared(self.reader(*arguments))


def prepared(records: "Iterator[Record | Rejected | Prepared]") -> "Iterator[Record | Rejected | Prepared]":
    """The same records, orders among them prepared; what is prepared already stays as it is."""
    present = Present(now())
    for record in records:
        yield prepare(record, present) if isinstance(record, OrderRecord) else record
