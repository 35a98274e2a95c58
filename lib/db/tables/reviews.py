"""Reviews and the store's replies. Nothing here is ever deleted or hidden by us."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, UniqueConstraint, text

from lib.db.tables.columns import at, changed, flag, imported, key, metadata, one_of, ref, short, version, words

reviews = Table(
    "reviews",
    metadata,
    key("review_id"),
    *imported(),
    ref("products.product_id", nullable=True, index=False),  # ix_reviews_product_id_written_at begins with it
    ref("customers.customer_id", nullable=True),
    ref("orders.order_id", nullable=True),
    Column("rating", Integer, nullable=False),
    short("title"),
    words("body"),
    Column("language", String(10)),
    short("reviewer_name"),
    at("written_at", nullable=False, index=True),
    *one_of("state", ("published", "pending", "spam", "unpublished"), default="published"),
    flag("is_verified"),
    flag("is_survey"),
    at("answered_at", index=True),
    ref("staff.staff_id", nullable=True, name="owner_id", index=False),  # ix_reviews_owned
    at("snoozed_until"),
    at("done_at"),
    words("tags"),
    # What it is about, where a person said so; else it follows from its words.
    short("topic"),
    version(),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating_stars"),
)

review_replies = Table(
    "review_replies",
    metadata,
    key("review_reply_id"),
    ref("reviews.review_id", index=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    ref("staff.staff_id", nullable=True),
    words("body", nullable=False),
    flag("is_draft"),
    at("replied_at"),
    # Since when it waits to be taken to the platform in a file, and when it was; neither: it came from there.
    at("pending_since"),
    at("exported_at"),
    changed(),
    UniqueConstraint("review_id", "revision"),
    CheckConstraint("length(body) > 0", name="has_words"),
)

# What the file for the platform reads; the query must hold the same words.
PENDING = text("pending_since IS NOT NULL")
Index(
    "ix_review_replies_pending",
    review_replies.c.review_reply_id,
    sqlite_where=PENDING,
    postgresql_where=PENDING,
)
Index("ix_review_replies_replied_at", review_replies.c.replied_at, review_replies.c.review_reply_id)

# A review turned into words to share, with the customer's consent noted.
review_shares = Table(
    "review_shares",
    metadata,
    key("review_share_id"),
    ref("reviews.review_id"),
    ref("staff.staff_id", nullable=True),
    words("body", nullable=False),
    words("consent", nullable=False),
    at("consented_at", nullable=False),
    at("created_at", nullable=False),
)

# What the queue of reviews reads; the query must hold the same words.
UNANSWERED = text("answered_at IS NULL")
Index(
    "ix_reviews_unanswered",
    # Always null here; named first, or SQLite would take the plain index of it and read every null.
    reviews.c.answered_at,
    reviews.c.written_at,
    reviews.c.review_id,
    sqlite_where=UNANSWERED,
    postgresql_where=UNANSWERED,
)
# The lowest stars first: read rating by rating.
Index(
    "ix_reviews_unanswered_by_rating",
    reviews.c.answered_at,
    reviews.c.rating,
    reviews.c.written_at,
    reviews.c.review_id,
    sqlite_where=UNANSWERED,
    postgresql_where=UNANSWERED,
)
Index("ix_reviews_product_id_written_at", reviews.c.product_id, reviews.c.written_at)
OWNED = text("owner_id IS NOT NULL")
Index(
    "ix_reviews_owned",
    reviews.c.owner_id,
    reviews.c.written_at,
    reviews.c.review_id,
    sqlite_where=OWNED,
    postgresql_where=OWNED,
)
TAGGED = text("tags IS NOT NULL")
Index(
    "ix_reviews_tagged",
    reviews.c.written_at,
    reviews.c.review_id,
    sqlite_where=TAGGED,
    postgresql_where=TAGGED,
)
