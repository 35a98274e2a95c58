"""Goods that come back."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, text

from lib.db.tables.columns import at, currency, imported, key, metadata, money, one_of, ref, short, words

returns = Table(
    "returns",
    metadata,
    key("return_id"),
    *imported(),
    ref("orders.order_id", cascade=True),
    ref("customers.customer_id", nullable=True),
    *one_of("status", ("requested", "approved", "in_transit", "received", "closed", "rejected"), default="requested"),
    *one_of("resolution", ("refund", "exchange", "store_credit"), nullable=True),
    at("requested_at", nullable=False, index=True),
    at("received_at"),
    at("refunded_at"),
    short("reason"),
    words("comment"),
    currency(),
    money("refund_minor"),
    money("exchange_minor"),
    money("credit_minor"),
)

return_items = Table(
    "return_items",
    metadata,
    key("return_item_id"),
    ref("returns.return_id", cascade=True),
    ref("order_items.order_item_id", nullable=True, cascade=True),
    ref("products.product_id", nullable=True),
    Column("quantity", BigInteger, nullable=False),
    currency(),
    money("value_minor"),
    CheckConstraint("quantity > 0", name="quantity_positive"),
)

# What the queue of returns reads; the query must hold the same words.
PENDING = text("status IN ('requested', 'approved', 'in_transit', 'received')")
Index(
    "ix_returns_pending",
    returns.c.requested_at,
    returns.c.return_id,
    sqlite_where=PENDING,
    postgresql_where=PENDING,
)
