"""What staff share while they clear the queue: who is at it, what is half written, templates, targets, outcomes."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, UniqueConstraint

from lib.db.tables.columns import Key, at, changed, flag, key, metadata, one_of, ref, short, version, words

# What a piece of work can be about; the key beside it is that table's own.
SUBJECTS = ("review", "ticket", "shipment", "order", "return", "question", "offer")

# A soft lock: tells the second person that somebody is answering; it runs out by itself.
work_locks = Table(
    "work_locks",
    metadata,
    key("work_lock_id"),
    *one_of("subject", SUBJECTS),
    Column("subject_id", Key, nullable=False),
    ref("staff.staff_id", nullable=True),
    # The browser tab that holds it: one person may have two.
    short("holder", nullable=False),
    at("taken_at", nullable=False),
    at("expires_at", nullable=False),
    UniqueConstraint("subject", "subject_id"),
)

# Half-written answers, saved as typed: one per person and subject.
drafts = Table(
    "drafts",
    metadata,
    key("draft_id"),
    *one_of("subject", SUBJECTS),
    Column("subject_id", Key, nullable=False),
    # 0: the person at this machine, while nobody has an account.
    Column("author_id", Key, nullable=False),
    words("body", nullable=False),
    flag("is_public", default=True),
    changed(),
    UniqueConstraint("subject", "subject_id", "author_id"),
)

# Owner, snooze, done and outcome of work whose own table comes from imports alone.
work_items = Table(
    "work_items",
    metadata,
    key("work_item_id"),
    *one_of("subject", SUBJECTS),
    Column("subject_id", Key, nullable=False),
    ref("staff.staff_id", nullable=True, name="owner_id"),
    at("snoozed_until"),
    at("done_at"),
    ref("staff.staff_id", nullable=True, name="done_by_id"),
    short("outcome"),
    changed(),
    version(),
    UniqueConstraint("subject", "subject_id"),
    Index("ix_work_items_done", "done_at"),
)

# Words to begin an answer with. Each change is a new version; old ones stay readable.
templates = Table(
    "templates",
    metadata,
    key("template_id"),
    *one_of("kind", ("review_reply", "ticket_macro", "share_text")),
    short("name", nullable=False),
    Column("language", String(10)),
    short("topic"),
    Column("least_stars", Integer, nullable=False, server_default="1"),
    Column("most_stars", Integer, nullable=False, server_default="5"),
    flag("is_active", default=True),
    changed(),
    version(),
    UniqueConstraint("kind", "name"),
    CheckConstraint("least_stars BETWEEN 1 AND most_stars AND most_stars <= 5", name="stars_range"),
)

template_versions = Table(
    "template_versions",
    metadata,
    key("template_version_id"),
    ref("templates.template_id", index=False),
    Column("number", Integer, nullable=False),
    words("body", nullable=False),
    ref("staff.staff_id", nullable=True, name="author_id"),
    at("written_at", nullable=False),
    UniqueConstraint("template_id", "number"),
    CheckConstraint("length(body) > 0", name="has_words"),
)

# How fast an answer is promised, per kind of work; what is not listed keeps the defaults of the definitions.
targets = Table(
    "targets",
    metadata,
    key("target_id"),
    # review, negative_review, question, or the channel of a ticket.
    Column("work", String(40), nullable=False, unique=True),
    Column("minutes", Integer, nullable=False),
    *one_of("clock", ("calendar", "business"), default="calendar"),
    changed(),
    version(),
    CheckConstraint("minutes > 0", name="minutes_positive"),
)
