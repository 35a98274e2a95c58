"""Parcels and what carriers reported of them."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Table, text

from lib.db.tables.columns import at, imported, key, metadata, one_of, ref, short, words

SHIPMENT_STATUSES = (
    "pending",
    "info_received",
    "in_transit",
    "out_for_delivery",
    "attempt_failed",
    "available_for_pickup",
    "delivered",
    "exception",
    "lost",
    "damaged",
    "expired",
)

shipments = Table(
    "shipments",
    metadata,
    key("shipment_id"),
    *imported(),
    ref("orders.order_id", cascade=True),
    short("carrier"),
    short("tracking_number"),
    *one_of("status", SHIPMENT_STATUSES, default="pending"),
    at("shipped_at"),
    at("first_attempted_at"),
    at("delivered_at"),
    Column("promised_day", Date),
    at("announced_late_at"),
    CheckConstraint("status <> 'delivered' OR delivered_at IS NOT NULL", name="delivered_has_time"),
)

shipment_events = Table(
    "shipment_events",
    metadata,
    key("shipment_event_id"),
    ref("shipments.shipment_id", cascade=True),
    at("occurred_at", nullable=False),
    *one_of("status", SHIPMENT_STATUSES),
    words("message"),
    short("city"),
)

# What the queue of parcels on their way reads; the query must hold the same words.
UNDELIVERED = text("delivered_at IS NULL")
Index(
    "ix_shipments_undelivered",
    shipments.c.promised_day,
    shipments.c.shipment_id,
    sqlite_where=UNDELIVERED,
    postgresql_where=UNDELIVERED,
)
