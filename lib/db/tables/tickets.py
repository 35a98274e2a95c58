"""Support tickets and their conversations."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, String, Table, text

from lib.db.tables.columns import at, changed, flag, imported, key, metadata, one_of, ref, short, version, words

TICKET_CHANNELS = ("chat", "email", "phone", "social", "form", "sms", "other")
TICKET_PRIORITIES = ("low", "normal", "high", "urgent")

tickets = Table(
    "tickets",
    metadata,
    key("ticket_id"),
    *imported(),
    ref("customers.customer_id", nullable=True),
    ref("orders.order_id", nullable=True),
    ref("products.product_id", nullable=True),
    ref("reviews.review_id", nullable=True),
    *one_of("channel", TICKET_CHANNELS, default="other"),
    *one_of("status", ("open", "waiting_for_customer", "closed", "spam"), default="open"),
    *one_of("priority", TICKET_PRIORITIES, default="normal"),
    short("subject"),
    short("topic"),
    words("tags"),
    at("opened_at", nullable=False, index=True),
    at("first_response_at", index=True),
    at("closed_at"),
    # By when a person must have answered first, by the channel's target and clock; null when nobody waits.
    at("response_due_at", index=True),
    # Since when the customer has waited for us; null while we wait for the customer.
    at("waiting_since"),
    # Closed time already spent waiting for the customer, and since when it is being spent now.
    Column("paused_seconds", BigInteger, nullable=False, server_default="0"),
    at("paused_since"),
    at("reopened_at"),
    ref("tickets.ticket_id", nullable=True, name="merged_into_id"),
    ref("tickets.ticket_id", nullable=True, name="split_from_id"),
    short("requester_name"),
    short("requester_email"),
    Column("reopened_count", Integer, nullable=False, server_default="0"),
    Column("satisfaction", Integer),
    flag("is_started_by_us"),
    short("assignee"),
    ref("staff.staff_id", nullable=True, name="owner_id"),
    at("snoozed_until"),
    version(),
    CheckConstraint("satisfaction BETWEEN 1 AND 5", name="satisfaction_stars"),
    CheckConstraint("first_response_at >= opened_at", name="response_follows"),
)

ticket_messages = Table(
    "ticket_messages",
    metadata,
    key("ticket_message_id"),
    ref("tickets.ticket_id", cascade=True),
    short("external_id"),
    *one_of("author", ("customer", "staff", "automatic")),
    ref("staff.staff_id", nullable=True),
    flag("is_public", default=True),
    at("sent_at", nullable=False),
    words("body", nullable=False),
    # The older mails that the sender's program repeated below the new words: kept, shown on demand.
    words("quoted"),
    short("subject"),
    short("from_name"),
    short("from_email"),
    # The Message-ID of the mail it came or went as, without its angle brackets: replies thread by it.
    short("mail_id", index=True),
    ref("outbox_messages.outbox_message_id", nullable=True),
    # What is doubtful about where it came from, in words; null when nothing is.
    words("doubt"),
    changed(),
)

# Files that came with a message: kept in the data folder under their own hash, never run and never shown inline.
attachments = Table(
    "attachments",
    metadata,
    key("attachment_id"),
    ref("ticket_messages.ticket_message_id", cascade=True),
    short("file_name", nullable=False),
    short("media_type", nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    # Why it was not kept; null when it was.
    words("refusal"),
    at("created_at", nullable=False),
)

# What the queue of tickets reads; the query must hold the same words.
UNANSWERED = text("first_response_at IS NULL")
Index(
    "ix_tickets_unanswered",
    # Always null here; named first, or SQLite would take the plain index of it and read every null.
    tickets.c.first_response_at,
    tickets.c.opened_at,
    tickets.c.ticket_id,
    sqlite_where=UNANSWERED,
    postgresql_where=UNANSWERED,
)

# What the list of those we wait for reads; the query must hold the same words.
WITH_CUSTOMER = text("status = 'waiting_for_customer'")
Index(
    "ix_tickets_with_customer",
    tickets.c.opened_at,
    tickets.c.ticket_id,
    sqlite_where=WITH_CUSTOMER,
    postgresql_where=WITH_CUSTOMER,
)
