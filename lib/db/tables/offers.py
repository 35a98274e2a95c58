"""Post-purchase offers, who was assigned to which arm, saved what-ifs, and what leaves the house."""

from sqlalchemy import JSON, CheckConstraint, Column, Date, Float, Index, Integer, String, Table, UniqueConstraint

from lib.db.tables.columns import (
    Key,
    at,
    changed,
    flag,
    imported,
    key,
    metadata,
    money,
    one_of,
    ref,
    short,
    version,
    words,
)

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

# How a reason begins that Encore itself paused an offer for, because a limit was crossed.
CROSSED = "Limit crossed"

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
    # What the lot is drawn with: the same customer falls on the same side however often it is drawn.
    short("salt"),
    # The number of the version that goes out; null: none was approved yet.
    Column("approved_number", Integer),
    ref("staff.staff_id", nullable=True, name="approved_by_id", index=False),
    at("approved_at"),
    # Why it was paused: in words of staff, or of the guardrail that it crossed.
    words("pause_reason"),
    # How many weekly looks were planned at the start; the verdict is spoken at these alone.
    Column("planned_looks", Integer),
    *one_of("decision", ("keep", "stop", "roll_out"), nullable=True),
    ref("staff.staff_id", nullable=True, name="decided_by_id", index=False),
    at("decided_at"),
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
    # Null: drawn outside Encore.
    ref("offer_versions.offer_version_id", nullable=True, index=False),
    *one_of("arm", ("treatment", "holdout")),
    at("assigned_at", nullable=False),
    # The code that is this customer's alone.
    short("code"),
    # Why a treated customer was never sent anything after all; still counted in her arm.
    short("held_back"),
    at("sent_at"),
    at("opened_at"),
    at("redeemed_at"),
    ref("orders.order_id", nullable=True, name="redeemed_order_id"),
    changed(),
    UniqueConstraint("offer_id", "customer_id"),
    CheckConstraint("arm = 'treatment' OR sent_at IS NULL", name="holdout_gets_nothing"),
    CheckConstraint("arm = 'treatment' OR code IS NULL", name="holdout_gets_no_code"),
    Index("ix_offer_assignments_code", "offer_id", "code", unique=True),
    # Who is to be sent something yet, and what the arms look like.
    Index("ix_offer_assignments_arm", "offer_id", "arm", "sent_at"),
)

# A look at the result on its planned day, as it was told then: later data do not change what was said.
offer_looks = Table(
    "offer_looks",
    metadata,
    key("offer_look_id"),
    ref("offers.offer_id", index=False),
    Column("number", Integer, nullable=False),
    Column("looked_day", Date, nullable=False),
    Column("result", JSON, nullable=False),
    at("looked_at", nullable=False),
    changed(),
    UniqueConstraint("offer_id", "number"),
)

# Segments that staff saved under a name.
audiences = Table(
    "audiences",
    metadata,
    key("audience_id"),
    short("name", nullable=False),
    Column("rules", JSON, nullable=False),
    ref("staff.staff_id", nullable=True, name="author_id"),
    flag("is_active", default=True),
    changed(),
    version(),
    UniqueConstraint("name"),
)

# What holds for all offers together; one row, or none while the defaults hold.
contact_rules = Table(
    "contact_rules",
    metadata,
    Column("contact_rules_id", Integer, primary_key=True),
    # At most so many messages of offers in so many days.
    Column("most_messages", Integer, nullable=False, server_default="2"),
    Column("most_days", Integer, nullable=False, server_default="14"),
    # Hours of the customer's zone between which nothing is sent; equal: no quiet hours.
    Column("quiet_from", Integer, nullable=False, server_default="20"),
    Column("quiet_to", Integer, nullable=False, server_default="8"),
    # Customers who never get any offer, so that all offers together can be measured.
    Column("global_holdout_share", Float, nullable=False, server_default="0"),
    short("salt", nullable=False),
    # A second person must approve an offer whose rewards may cost more; null: never.
    money("approval_limit_minor", nullable=True),
    changed(),
    version(),
    CheckConstraint("contact_rules_id = 1", name="only_one"),
    CheckConstraint("most_messages >= 0 AND most_days > 0", name="cap_range"),
    CheckConstraint("quiet_from BETWEEN 0 AND 23 AND quiet_to BETWEEN 0 AND 23", name="hours_range"),
    CheckConstraint("global_holdout_share >= 0 AND global_holdout_share < 1", name="holdout_range"),
)

# What came back: somebody unsubscribed, complained, or her address takes no mail. Holds for all offers.
contact_events = Table(
    "contact_events",
    metadata,
    key("contact_event_id"),
    # How the sender of the event knows it: telling it twice is telling it once.
    short("idempotency_key", nullable=False),
    ref("customers.customer_id", nullable=True),
    ref("offers.offer_id", nullable=True),
    *one_of("kind", ("unsubscribed", "complained", "bounced", "opened", "clicked")),
    Column("source", String(60), nullable=False),
    at("occurred_at", nullable=False),
    changed(),
    UniqueConstraint("idempotency_key"),
)

what_ifs = Table(
    "what_ifs",
    metadata,
    key("what_if_id"),
    ref("offers.offer_id", nullable=True),
    short("name", nullable=False),
    ref("staff.staff_id", nullable=True, name="author_id"),
    # The sliders as they stood: with the assumptions they give the same screen again.
    Column("scenario", JSON),
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
