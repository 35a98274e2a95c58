"""What a reader yields: plain records, or rows it would not trust.

Money is in integer minor units of the record's own ``currency`` (the loader converts); instants are
aware and in UTC. Amounts of goods, discounts and shipping exclude tax. ``None`` is unknown, 0 is zero.
``external_id`` is the source's own key: two records of one kind with the same key are one thing.
``origin`` says where a record stands in its file: a reader that knows it gives it, for the case that the loader
must reject the record.

Records are not frozen, though nobody changes one (``replace`` makes another): an import makes tens of
millions, and Python sets the fields of a frozen one several times as slowly.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(slots=True, unsafe_hash=True)
class Rejected:
    """A row (or the rows of one record) that cannot be trusted, kept with its reason.

    ``kind`` is the record's: order, refund, customer … ``text`` holds its lines as they stand in the
    file and ``header`` the file's first line, so that the two together can be corrected and read again.
    """

    kind: str
    file: str
    line: int
    reason: str
    text: str
    header: str = ""
    external_id: str = ""
    placed_day: date | None = None
    amount_minor: int | None = None


@dataclass(slots=True, unsafe_hash=True)
class Origin:
    """Where a record was read, kept in case the loader must reject it: as in ``Rejected``."""

    file: str
    line: int
    text: str
    header: str = ""


@dataclass(slots=True, unsafe_hash=True)
class AddressRecord:
    """A postal address; ``kind`` is billing, shipping or default."""

    kind: str
    name: str | None = None
    street: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None


@dataclass(slots=True, unsafe_hash=True)
class ConsentRecord:
    """What a person agreed to; ``channel``: email, sms, whatsapp, post; ``state``: given, withdrawn, never."""

    channel: str
    state: str
    stated_at: datetime | None = None


@dataclass(slots=True, unsafe_hash=True)
class CustomerRecord:
    """A person. Without a platform key, ``external_id`` is empty and the e-mail address identifies."""

    external_id: str = ""
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    language: str | None = None
    registered_at: datetime | None = None
    is_guest: bool = False
    is_test: bool = False
    tags: str | None = None
    note: str | None = None
    addresses: tuple[AddressRecord, ...] = ()
    consents: tuple[ConsentRecord, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class ProductRecord:
    """Something sold: one per variant where the source has variants."""

    external_id: str
    name: str
    handle: str | None = None
    sku: str | None = None
    parent_name: str | None = None
    category: str | None = None
    vendor: str | None = None
    currency: str | None = None
    price_minor: int | None = None
    cost_minor: int | None = None
    stock: int | None = None
    is_goods: bool = True
    is_active: bool = True
    tags: str | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class ItemRecord:
    """A line of an order. The loader finds its product by ``product_id``, then SKU, then name.

    ``unit_price_minor`` is as listed (with tax where prices include it); the other amounts exclude tax
    and are for the whole line. ``discount_minor`` holds the line's share of the order's discounts too.
    ``kind``: goods, gift_card, shipping, fee, tip; only goods count as sales.
    """

    name: str
    quantity: int
    unit_price_minor: int
    gross_minor: int
    discount_minor: int = 0
    tax_minor: int = 0
    cost_minor: int | None = None
    kind: str = "goods"
    external_id: str | None = None
    product_id: str | None = None
    sku: str | None = None
    category: str | None = None


@dataclass(slots=True, unsafe_hash=True)
class DiscountRecord:
    """A code or rule that lowered an order; ``kind``: code, automatic, manual, line, shipping."""

    code: str
    amount_minor: int
    kind: str = "code"


@dataclass(slots=True, unsafe_hash=True)
class RefundItemRecord:
    """Goods refunded. ``item_external_id`` names the order's line where the source says which."""

    name: str
    quantity: int
    goods_minor: int
    sku: str | None = None
    product_id: str | None = None
    item_external_id: str | None = None
    unit_price_minor: int | None = None


@dataclass(slots=True, unsafe_hash=True)
class RefundRecord:
    """Money given back. ``order_id`` is the order's external key where the source knows it.

    Without one and with ``match_purchase``, the loader looks, per item, for the latest earlier purchase
    by the same customer of the same SKU at the same price that is not yet refunded.
    """

    external_id: str
    refunded_at: datetime
    currency: str
    goods_minor: int
    total_minor: int
    shipping_minor: int = 0
    tax_minor: int = 0
    fees_minor: int = 0
    order_id: str | None = None
    customer: CustomerRecord | None = None
    match_purchase: bool = False
    is_date_estimated: bool = False
    reason: str | None = None
    items: tuple[RefundItemRecord, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class ShipmentEventRecord:
    """One report of a carrier."""

    occurred_at: datetime
    status: str
    message: str | None = None
    city: str | None = None


@dataclass(slots=True, unsafe_hash=True)
class ShipmentRecord:
    """A parcel of an order; ``promised_day`` is the original promise, a store day."""

    external_id: str
    order_id: str
    status: str = "pending"
    carrier: str | None = None
    tracking_number: str | None = None
    shipped_at: datetime | None = None
    first_attempted_at: datetime | None = None
    delivered_at: datetime | None = None
    promised_day: date | None = None
    events: tuple[ShipmentEventRecord, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class OrderRecord:
    """An order with all that belongs to it: it is stored whole or rejected whole.

    ``gross - discount + shipping + tax + fees = total`` must hold, and the goods lines must add up to
    ``gross`` and ``discount``; the loader rejects it otherwise. ``refunds`` and ``shipments`` name their
    order by ``external_id``. Where a source does not say what was refunded (``says_refunds`` is false), what is
    known of it stays.
    """

    external_id: str
    number: str
    placed_at: datetime
    currency: str
    gross_minor: int
    total_minor: int
    discount_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0
    fees_minor: int = 0
    paid_minor: int | None = None
    customer: CustomerRecord | None = None
    cancelled_at: datetime | None = None
    payment_status: str = "unknown"
    fulfillment_status: str | None = None
    is_test: bool = False
    is_tax_included: bool = False
    channel: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    device: str | None = None
    payment_method: str | None = None
    delivery_type: str | None = None
    landing_source: str | None = None
    tags: str | None = None
    note: str | None = None
    items: tuple[ItemRecord, ...] = ()
    discounts: tuple[DiscountRecord, ...] = ()
    refunds: tuple[RefundRecord, ...] = ()
    says_refunds: bool = True
    shipments: tuple[ShipmentRecord, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class ReplyRecord:
    """A reply the store has given to a review."""

    body: str
    replied_at: datetime | None = None


@dataclass(slots=True, unsafe_hash=True)
class ReviewRecord:
    """A review. The product is found by ``product_id``, handle, SKU or name; a survey's stars count apart."""

    external_id: str
    rating: int
    written_at: datetime
    title: str | None = None
    body: str | None = None
    language: str | None = None
    reviewer_name: str | None = None
    customer: CustomerRecord | None = None
    order_id: str | None = None
    product_id: str | None = None
    product_handle: str | None = None
    product_sku: str | None = None
    product_name: str | None = None
    state: str = "published"
    is_verified: bool = False
    is_survey: bool = False
    reply: ReplyRecord | None = None
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class MessageRecord:
    """A message of a ticket; ``author``: customer, staff, automatic."""

    author: str
    sent_at: datetime
    body: str
    is_public: bool = True
    external_id: str | None = None


@dataclass(slots=True, unsafe_hash=True)
class TicketRecord:
    """A support ticket; ``channel``: chat, email, phone, social, form, sms, other."""

    external_id: str
    opened_at: datetime
    channel: str = "other"
    status: str = "open"
    priority: str = "normal"
    subject: str | None = None
    topic: str | None = None
    tags: str | None = None
    customer: CustomerRecord | None = None
    order_id: str | None = None
    first_response_at: datetime | None = None
    closed_at: datetime | None = None
    reopened_count: int = 0
    satisfaction: int | None = None
    is_started_by_us: bool = False
    assignee: str | None = None
    messages: tuple[MessageRecord, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class ReturnRecord:
    """Goods that come back; amounts in the order's currency."""

    external_id: str
    order_id: str
    requested_at: datetime
    currency: str
    status: str = "requested"
    resolution: str | None = None
    received_at: datetime | None = None
    refunded_at: datetime | None = None
    reason: str | None = None
    refund_minor: int = 0
    exchange_minor: int = 0
    credit_minor: int = 0
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class RateRecord:
    """What one unit of ``currency`` was worth in ``target`` from ``valid_from`` on."""

    currency: str
    target: str
    valid_from: date
    rate: Decimal
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class CouponRecord:
    """A coupon of the shop: it becomes a past offer, context and never evidence of effect."""

    external_id: str
    code: str
    kind: str
    amount: Decimal
    created_at: datetime
    expires_at: datetime | None = None
    used_count: int = 0
    origin: Origin | None = field(default=None, compare=False, repr=False)


Record = (
    OrderRecord
    | RefundRecord
    | CustomerRecord
    | ProductRecord
    | ReviewRecord
    | TicketRecord
    | ShipmentRecord
    | ReturnRecord
    | RateRecord
    | CouponRecord
)


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What a reader must know of the store to read times and money.

    ``time_zone``: for times that carry none. ``currency``: for files that name none; empty when the
    store has none yet. ``date_format``: a declared ``strptime`` format, or one of ``day-first`` and
    ``month-first``, for files whose dates can be read in two ways.
    """

    time_zone: str = "UTC"
    currency: str = ""
    date_format: str = ""
    upload_limit_bytes: int = 2048 * 1024 * 1024
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
