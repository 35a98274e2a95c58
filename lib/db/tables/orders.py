"""Orders, their lines, discounts and refunds, all in the store's currency.

Amounts exclude tax, also where the source's prices include it; ``unit_price_minor`` alone is as listed.
An order adds up: ``gross - discount + shipping + tax + fees = total``; the database refuses it otherwise.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    text,
)

from lib.db.tables.columns import (
    at,
    changed,
    currency,
    flag,
    imported,
    key,
    metadata,
    money,
    one_of,
    ref,
    short,
    words,
)
from lib.db.tables.search import BY_SIGN

PAYMENT_STATUSES = (
    "pending",
    "authorized",
    "paid",
    "partially_paid",
    "partially_refunded",
    "refunded",
    "voided",
    "unknown",
)
ITEM_KINDS = ("goods", "gift_card", "shipping", "fee", "tip")

orders = Table(
    "orders",
    metadata,
    key("order_id"),
    *imported(),
    short("number", nullable=False),
    ref("customers.customer_id", nullable=True, index=False),  # ix_orders_customer_id_placed_at begins with it
    at("placed_at", nullable=False, index=True),
    at("cancelled_at"),
    *one_of("payment_status", PAYMENT_STATUSES, default="unknown"),
    short("fulfillment_status"),
    flag("is_test"),
    short("channel"),
    Column("country", String(2)),
    short("region"),
    short("city"),
    short("device"),
    short("payment_method"),
    short("delivery_type"),
    short("landing_source"),
    currency(),
    Column("original_currency", String(3), nullable=False),
    money("original_total_minor"),
    Column("exchange_rate", Numeric(20, 10), nullable=False, server_default="1"),
    flag("is_tax_included"),
    money("gross_minor"),
    money("discount_minor"),
    money("shipping_minor"),
    money("tax_minor"),
    money("fees_minor"),
    money("total_minor"),
    money("paid_minor", nullable=True),
    words("tags"),
    words("note"),
    CheckConstraint(
        "gross_minor - discount_minor + shipping_minor + tax_minor + fees_minor = total_minor", name="adds_up"
    ),
    CheckConstraint("gross_minor >= 0", name="gross_not_negative"),
    CheckConstraint("discount_minor >= 0 AND discount_minor <= gross_minor", name="discount_within_gross"),
    CheckConstraint("exchange_rate > 0", name="exchange_rate_positive"),
)

order_items = Table(
    "order_items",
    metadata,
    key("order_item_id"),
    ref("orders.order_id", cascade=True, index=False),
    Column("line_number", Integer, nullable=False),
    short("external_id"),
    ref("products.product_id", nullable=True),
    *one_of("kind", ITEM_KINDS, default="goods"),
    short("sku"),
    short("name", nullable=False),
    Column("quantity", BigInteger, nullable=False),
    currency(),
    money("unit_price_minor"),
    money("gross_minor"),
    money("discount_minor"),
    money("tax_minor"),
    money("cost_minor", nullable=True),
    UniqueConstraint("order_id", "line_number"),
    CheckConstraint("quantity > 0", name="quantity_positive"),
    CheckConstraint("kind <> 'goods' OR gross_minor >= 0", name="goods_not_negative"),
    CheckConstraint("discount_minor >= 0", name="discount_not_negative"),
)

discounts_used = Table(
    "discounts_used",
    metadata,
    key("discount_used_id"),
    ref("orders.order_id", cascade=True),
    short("code", nullable=False, index=True),
    *one_of("kind", ("code", "automatic", "manual", "line", "shipping"), default="code"),
    currency(),
    money("amount_minor"),
)

# A refund may have no order (a cancellation that fits no purchase) and no date of its own.
refunds = Table(
    "refunds",
    metadata,
    key("refund_id"),
    *imported(),
    ref("orders.order_id", nullable=True, cascade=True),
    ref("customers.customer_id", nullable=True),
    at("refunded_at", nullable=False, index=True),
    flag("is_date_estimated"),
    currency(),
    money("goods_minor"),
    money("shipping_minor"),
    money("tax_minor"),
    money("fees_minor"),
    money("total_minor"),
    words("reason"),
    CheckConstraint("goods_minor >= 0", name="goods_not_negative"),
    CheckConstraint("goods_minor + shipping_minor + tax_minor + fees_minor = total_minor", name="adds_up"),
)

# Every refund of goods has at least one item, and its items add up to its goods_minor. An item names
# the order it is set against, since one cancellation can undo lines of several orders.
refund_items = Table(
    "refund_items",
    metadata,
    key("refund_item_id"),
    ref("refunds.refund_id", cascade=True),
    ref("orders.order_id", nullable=True),
    ref("order_items.order_item_id", nullable=True),
    ref("products.product_id", nullable=True),
    short("name"),
    Column("quantity", BigInteger, nullable=False, server_default="0"),
    currency(),
    money("goods_minor"),
    CheckConstraint("quantity >= 0", name="quantity_not_negative"),
    CheckConstraint("goods_minor >= 0", name="goods_not_negative"),
)

exchange_rates = Table(
    "exchange_rates",
    metadata,
    key("exchange_rate_id"),
    Column("currency", String(3), nullable=False),
    Column("target", String(3), nullable=False),
    Column("valid_from", String(10), nullable=False),
    Column("rate", Numeric(20, 10), nullable=False),
    changed(),
    UniqueConstraint("currency", "target", "valid_from"),
    CheckConstraint("rate > 0", name="rate_positive"),
)

# An order is found by the beginning of its number.
Index("ix_orders_number", orders.c.number, postgresql_ops={"number": BY_SIGN})
Index("ix_orders_customer_id_placed_at", orders.c.customer_id, orders.c.placed_at)

# What the queue of unpaid orders reads; the query must hold the same words.
AWAITING_PAYMENT = text("payment_status IN ('pending', 'authorized', 'partially_paid')")
Index(
    "ix_orders_awaiting_payment",
    orders.c.placed_at,
    orders.c.order_id,
    sqlite_where=AWAITING_PAYMENT,
    postgresql_where=AWAITING_PAYMENT,
)
