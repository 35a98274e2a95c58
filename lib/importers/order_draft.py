"""An order on its way into the database: its facts as they are written, and its fingerprint."""

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from lib.importers.batch import Batch, clip, clip_often, country_code, fingerprint
from lib.importers.conversion import convert_order
from lib.importers.load_shipments import events
from lib.importers.load_shipments import facts as parcel_facts
from lib.importers.mention import Mention, plain
from lib.importers.records import OrderRecord, ShipmentRecord
from lib.importers.refund_lines import Line
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


def draft_of(batch: Batch, position: int, record: OrderRecord) -> Draft:
    """An order in the store's currency.

    Raises:
        NoRate: there is no exchange rate for it.
    """
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
