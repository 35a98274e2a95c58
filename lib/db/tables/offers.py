"""Post-purchase offers, who was assigned to which arm, saved what-ifs, and what leaves the house."""

from sqlalchemy import JSON, CheckConstraint, Column, Float, Index, Integer, Table, UniqueConstraint

from lib.db.tables.columns import Key, at, changed, flag, imported, key, metadata, one_of, ref, short, version, words

OFFER_KINDS = (
    "coupon",
    "free_shipping",
    "gift",
    "points",
    "complementary",
    "guide",
    "replenishment",
    "tracking_notice",
    "review_request",
    "survey",
    "share",
    "app_invitation",
    "community_invitation",
    "cart_nudge",
    "win_back",
)

offers = Table(
    "offers",
    metadata,
    key("offer_id"),
    *imported(),
    short("name", nullable=False),
    *one_of("kind", OFFER_KINDS),
    *one_of("status", ("draft", "approved", "running", "paused", "stopped", "finished"), default="draft"),
    at("starts_at"),
    at("ends_at"),
    Column("window_days", Integer, nullable=False, server_default="30"),
    Column("holdout_share", Float, nullable=False, server_default="0.5"),
    version(),
    CheckConstraint("holdout_share >= 0 AND holdout_share < 1", name="holdout_share_range"),
    CheckConstraint("window_days > 0", name="window_positive"),
)

offer_versions = Table(
    "offer_versions",
    metadata,
    key("offer_version_id"),
    ref("offers.offer_id", index=False),
    Column("number", Integer, nullable=False),
    Column("settings", JSON, nullable=False),
    ref("staff.staff_id", nullable=True, name="author_id"),
    at("created_at", nullable=False),
    changed(),
    UniqueConstraint("offer_id", "number"),
)

offer_assignments = Table(
    "offer_assignments",
    metadata,
    key("offer_assignment_id"),
    ref("offers.offer_id", index=False),
    ref("customers.customer_id"),
    *one_of("arm", ("treatment", "holdout")),
    at("assigned_at", nullable=False),
    at("sent_at"),
    at("opened_at"),
    at("redeemed_at"),
    ref("orders.order_id", nullable=True, name="redeemed_order_id"),
    changed(),
    UniqueConstraint("offer_id", "customer_id"),
    CheckConstraint("arm = 'treatment' OR sent_at IS NULL", name="holdout_gets_nothing"),
)

what_ifs = Table(
    "what_ifs",
    metadata,
    key("what_if_id"),
    ref("offers.offer_id", nullable=True),
    short("name", nullable=False),
    ref("staff.staff_id", nullable=True, name="author_id"),
    Column("assumptions", JSON, nullable=False),
    Column("forecast", JSON, nullable=False),
    at("created_at", nullable=False),
    at("due_at"),
    Column("actual", JSON),
    flag("is_scored"),
    changed(),
)

outbox_messages = Table(
    "outbox_messages",
    metadata,
    key("outbox_message_id"),
    short("idempotency_key", nullable=False),
    *one_of("channel", ("email", "webhook", "audience")),
    ref("customers.customer_id", nullable=True),
    ref("offers.offer_id", nullable=True),
    *one_of("status", ("queued", "sending", "sent", "failed", "held_back"), default="queued"),
    # What it is about, such as a review or a ticket, and its key.
    short("about"),
    Column("about_id", Key),
    short("recipient"),
    short("subject"),
    words("body"),
    # What the channel needs besides: headers of a mail, the event of a webhook.
    Column("extra", JSON),
    words("failure"),
    # While a sender holds it; past this it is known that the sender died.
    at("lease_until"),
    # Since when it may have left: set before the first byte of a mail is handed over, never taken back.
    at("handed_over_at"),
    # The Message-ID of the mail it goes as, without its angle brackets; the same at every attempt.
    short("mail_id", index=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    at("queued_at", nullable=False),
    at("due_at", index=True),
    at("sent_at"),
    changed(),
    UniqueConstraint("idempotency_key"),
    Index("ix_outbox_messages_about", "about", "about_id"),
    Index("ix_outbox_messages_status", "status", "due_at"),
)
