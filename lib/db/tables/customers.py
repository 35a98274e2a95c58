"""People who bought, how to know them again, and what they agreed to."""

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, String, Table, UniqueConstraint

from lib.db.tables.columns import Key, at, changed, flag, imported, key, metadata, one_of, ref, short, words
from lib.db.tables.search import BY_SIGN, after_first_word, folded

customers = Table(
    "customers",
    metadata,
    key("customer_id"),
    *imported(),
    short("email"),
    short("email_normalised"),
    short("name"),
    short("phone"),
    Column("country", String(2)),
    short("region"),
    short("city"),
    Column("language", String(10)),
    at("registered_at"),
    flag("is_guest"),
    flag("is_test"),
    words("tags"),
    words("note"),
    at("erased_at"),
)

# What staff wrote down about a person. A correction is a row that replaces another; the old one stays.
customer_notes = Table(
    "customer_notes",
    metadata,
    key("customer_note_id"),
    ref("customers.customer_id"),
    ref("staff.staff_id", nullable=True),
    words("body", nullable=False),
    at("written_at", nullable=False),
    ref("customer_notes.customer_note_id", nullable=True, name="replaces_id", index=False),
    CheckConstraint("length(body) > 0", name="has_words"),
    # Of two who correct the same words at once, the second is told.
    Index("ix_customer_notes_replaces_id", "replaces_id", unique=True),
)

# The key that seals a person's values in the audit log; erasing the person deletes it.
person_keys = Table(
    "person_keys",
    metadata,
    Column("customer_id", Key, ForeignKey("customers.customer_id"), primary_key=True, autoincrement=False),
    Column("secret", String(100), nullable=False),
    at("created_at", nullable=False),
)

# One person, many keys: a platform's customer number, or ('email', normalised address).
customer_identities = Table(
    "customer_identities",
    metadata,
    key("customer_identity_id"),
    ref("customers.customer_id", cascade=True),
    Column("source", String(60), nullable=False),
    Column("external_id", String(400), nullable=False),
    UniqueConstraint("source", "external_id"),
)

addresses = Table(
    "addresses",
    metadata,
    key("address_id"),
    ref("customers.customer_id", cascade=True, index=False),
    *one_of("kind", ("billing", "shipping", "default")),
    short("name"),
    words("street"),
    short("city"),
    short("region"),
    short("postal_code"),
    Column("country", String(2)),
    short("phone"),
    changed(),
    UniqueConstraint("customer_id", "kind"),
)

consents = Table(
    "consents",
    metadata,
    key("consent_id"),
    ref("customers.customer_id", cascade=True, index=False),
    *one_of("channel", ("email", "sms", "whatsapp", "post")),
    *one_of("state", ("given", "withdrawn", "never")),
    at("stated_at"),
    Column("source", String(60), nullable=False),
    changed(),
    UniqueConstraint("customer_id", "channel"),
)

# Hashes of erased people's addresses: a later import must not bring them back.
suppressions = Table(
    "suppressions",
    metadata,
    key("suppression_id"),
    Column("email_hash", String(64), nullable=False, unique=True),
    at("erased_at", nullable=False),
    CheckConstraint("length(email_hash) = 64", name="hash_length"),
)

# Who was erased when, and what is still to be cleaned: files to delete, old snapshots, free pages. Null: not yet done.
erasures = Table(
    "erasures",
    metadata,
    key("erasure_id"),
    # No reference: it outlives the row of whoever is merged or replaced.
    Column("customer_id", Key),
    at("erased_at", nullable=False),
    # SHA-256 of the attachments that nothing names any more; emptied once they are gone.
    Column("files", JSON, nullable=False),
    at("cleaned_at", index=True),
)

# People are found by the beginning of a name, of a surname, or of an e-mail address.
Index(
    "ix_customers_email_normalised",
    customers.c.email_normalised,
    postgresql_ops={"email_normalised": BY_SIGN},
)
Index("ix_customers_name", folded(customers.c.name).label("folded"), postgresql_ops={"folded": BY_SIGN})
Index("ix_customers_surname", after_first_word(customers.c.name).label("surname"), postgresql_ops={"surname": BY_SIGN})
