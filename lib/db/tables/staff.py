"""The people who work here, their sessions, and the log of what they did."""

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, Integer, String, Table

from lib.db.tables.columns import Key, at, changed, flag, key, metadata, one_of, ref, short, version, words

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
    at("totp_confirmed_at"),
    # The last time step that was used: a code serves once.
    Column("totp_step", BigInteger),
    # Who the identity provider says it is: issuer and subject.
    short("oidc_subject"),
    at("signed_in_at"),
    flag("is_active", default=True),
    at("created_at", nullable=False),
    changed(),
    version(),
    Index("ix_staff_oidc_subject", "oidc_subject", unique=True),
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
    short("browser"),
    Column("method", String(40), nullable=False, server_default="password"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
)

# Invitations and resets: a link that serves once, until it expires.
staff_links = Table(
    "staff_links",
    metadata,
    key("staff_link_id"),
    ref("staff.staff_id", cascade=True),
    *one_of("kind", ("invitation", "reset")),
    Column("token_hash", String(64), nullable=False, unique=True),
    at("created_at", nullable=False),
    at("expires_at", nullable=False),
    at("used_at"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
)

# Attempts to sign in, to limit them per account and per address.
sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    key("sign_in_attempt_id"),
    # The account as typed, hashed: whether it exists is nobody's business.
    Column("account_hash", String(64), nullable=False),
    short("address", nullable=False),
    at("attempted_at", nullable=False, index=True),
    flag("is_success"),
    Index("ix_sign_in_attempts_account", "account_hash", "attempted_at"),
    Index("ix_sign_in_attempts_address", "address", "attempted_at"),
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
    # The person whose key seals the personal values; no reference, since the log outlives the person.
    Column("customer_id", Key, index=True),
    words("sealed"),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
