"""Baskets, ordered or left."""

from sqlalchemy import BigInteger, CheckConstraint, Column, String, Table

from lib.db.tables.columns import at, currency, flag, imported, key, metadata, money, ref, short

carts = Table(
    "carts",
    metadata,
    key("cart_id"),
    *imported(),
    ref("customers.customer_id", nullable=True),
    ref("orders.order_id", nullable=True),
    flag("is_contactable"),
    at("created_at", nullable=False, index=True),
    at("last_event_at", nullable=False, index=True),
    at("contacted_at"),
    at("ordered_at"),
    short("channel"),
    short("device"),
    Column("country", String(2)),
    currency(),
    money("value_minor"),
    CheckConstraint("last_event_at >= created_at", name="events_follow"),
)

cart_items = Table(
    "cart_items",
    metadata,
    key("cart_item_id"),
    ref("carts.cart_id", cascade=True),
    ref("products.product_id", nullable=True),
    short("name", nullable=False),
    Column("quantity", BigInteger, nullable=False),
    currency(),
    money("unit_price_minor"),
    CheckConstraint("quantity > 0", name="quantity_positive"),
)
