"""Loyalty members and their points."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Table

from lib.db.tables.columns import at, currency, imported, key, metadata, money, one_of, ref, short

loyalty_members = Table(
    "loyalty_members",
    metadata,
    key("loyalty_member_id"),
    *imported(),
    ref("customers.customer_id"),
    at("joined_at", nullable=False),
    short("tier"),
)

loyalty_entries = Table(
    "loyalty_entries",
    metadata,
    key("loyalty_entry_id"),
    *imported(),
    ref("loyalty_members.loyalty_member_id"),
    ref("orders.order_id", nullable=True),
    *one_of("kind", ("issued", "redeemed", "expired")),
    Column("points", BigInteger, nullable=False),
    currency(),
    money("value_minor"),
    at("occurred_at", nullable=False, index=True),
    CheckConstraint("points > 0", name="points_positive"),
)
