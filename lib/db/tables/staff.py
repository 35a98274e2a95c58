"""The people who work here, their sessions, and the log of what they did."""

from sqlalchemy import JSON, CheckConstraint, Column, Integer, String, Table

from lib.db.tables.columns import at, changed, flag, key, metadata, one_of, ref, short, version, words

ROLES = ("owner", "manager", "support", "viewer")

staff = Table(
    "staff",
    metadata,
    key("staff_id"),
    Column("email", String(400), nullable=False, unique=True),
    short("name", nullable=False),
    *one_of("role", ROLES),
    short("password_hash"),
    short("totp_secret"),
    flag("is_active", default=True),
    at("created_at", nullable=False),
    changed(),
    version(),
)

sessions = Table(
    "sessions",
    metadata,
    key("session_id"),
    ref("staff.staff_id", cascade=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    at("created_at", nullable=False),
    at("seen_at", nullable=False),
    at("expires_at", nullable=False),
    at("revoked_at"),
    short("address"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
)

# Append-only: triggers refuse update and delete. Chained: each row's hash covers the one before.
audit_log = Table(
    "audit_log",
    metadata,
    key("audit_id"),
    at("at", nullable=False, index=True),
    Column("staff_id", Integer),
    short("actor", nullable=False),
    short("action", nullable=False, index=True),
    short("subject", nullable=False, index=True),
    short("address"),
    Column("details", JSON),
    words("sealed"),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
