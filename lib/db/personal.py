"""What becomes of every text when a person is erased: one entry per text and JSON column of every table.

A test fails where a column has none, so that nobody adds a place for personal data that an erasure forgets.
``lib.db.erase`` does what is written here, ``lib.db.person`` says which rows are a person's.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, String, Table, Text

from lib.db.tables.all import metadata


class Fate(StrEnum):
    """What an erasure does to a column."""

    # Emptied in the person's rows; in the words of others, only her address is blotted out.
    ERASED = "erased"
    # Figures or bookkeeping need it, and by itself it tells nothing of a person; where it does name her, it is emptied.
    KEPT = "kept"
    # The name of something sold, which may read like a person's: only her address and telephone would be taken out.
    SOLD = "sold"
    # A source's own key: importing twice must stay importing once. One that holds her address is replaced by its hash.
    KEY = "key"
    # Written by a shop or by staff about anything: emptied wherever it names the person, in whatever row.
    ANYTHING = "anything"
    # Sealed under the person's key, which is destroyed.
    SEALED = "sealed"
    # Codes, hashes, the work of staff, and what belongs to the store: nothing of a customer can be in it.
    NEVER = "never"


# Rows that go as a whole, for they are about the person alone.
GOES = frozenset(
    {"addresses", "attachments", "consents", "customer_identities", "customer_notes", "drafts", "person_keys"}
)


def _fates(**columns: str) -> dict[str, Fate]:
    return {name: Fate(fate) for fate, names in columns.items() for name in names.split()}


# Erased columns that are not texts, such as a date of registration, may be named too.
FATES: dict[str, dict[str, Fate]] = {
    "addresses": _fates(erased="name street city region postal_code country phone", never="kind"),
    "annotations": _fates(anything="text"),
    "answers": _fates(erased="body"),
    "attachments": _fates(erased="file_name media_type sha256 refusal"),
    "audiences": _fates(never="name rules"),
    "audit_log": _fates(sealed="sealed", never="actor action subject address details previous_hash hash"),
    "cart_items": _fates(sold="name", never="currency"),
    "carts": _fates(key="external_id", kept="channel device country", never="source fingerprint currency"),
    "consents": _fates(erased="channel state source"),
    "contact_events": _fates(key="idempotency_key", never="kind source"),
    "contact_rules": _fates(never="salt"),
    "customer_identities": _fates(erased="source external_id"),
    "customer_notes": _fates(erased="body"),
    "customers": _fates(
        erased="external_id fingerprint email email_normalised name phone country region city language registered_at "
        "tags note",
        never="source",
    ),
    "deleted_rows": _fates(never="table_name"),
    "discounts_used": _fates(kept="code", never="kind currency"),
    "drafts": _fates(erased="body", never="subject"),
    "erasures": _fates(never="files"),
    "exchange_rates": _fates(never="currency target valid_from"),
    "goals": _fates(never="metric"),
    "import_runs": _fates(anything="paths message counts", never="source status started_by"),
    "loyalty_entries": _fates(key="external_id", never="source fingerprint kind currency"),
    "loyalty_members": _fates(key="external_id", kept="tier", never="source fingerprint"),
    # A code that was redeemed counts for its offer; without the person it is a number.
    "offer_assignments": _fates(kept="code held_back", never="arm"),
    "offer_looks": _fates(never="result"),
    "offer_versions": _fates(never="settings"),
    "offers": _fates(anything="name pause_reason", never="source external_id fingerprint kind status salt decision"),
    "order_items": _fates(key="external_id", sold="sku name", never="kind currency"),
    "orders": _fates(
        erased="region city tags note",
        key="external_id",
        kept="number channel country device payment_method delivery_type landing_source fulfillment_status",
        never="source fingerprint payment_status currency original_currency",
    ),
    "outbox_messages": _fates(
        erased="recipient subject body extra failure", key="idempotency_key", never="channel status about mail_id"
    ),
    "person_keys": _fates(erased="secret"),
    "products": _fates(
        never="source external_id fingerprint handle sku name parent_name category vendor currency tags"
    ),
    "questions": _fates(erased="body", key="external_id", never="source fingerprint"),
    # The hash of a sender's address is the address to whoever can guess it.
    "received_mails": _fates(erased="sender_hash", never="fingerprint outcome"),
    "refresh_locks": _fates(never="name holder"),
    "refund_items": _fates(sold="name", never="currency"),
    "refunds": _fates(erased="reason", key="external_id", never="source fingerprint currency"),
    "rejected_rows": _fates(anything="file external_id reason header text", never="source kind fingerprint status"),
    "return_items": _fates(never="currency"),
    "returns": _fates(
        erased="comment", key="external_id", kept="reason", never="source fingerprint status resolution currency"
    ),
    "review_replies": _fates(erased="body"),
    "review_shares": _fates(erased="body consent"),
    "reviews": _fates(
        erased="title body reviewer_name tags",
        key="external_id",
        kept="topic language",
        never="source fingerprint state",
    ),
    "sessions": _fates(never="token_hash address browser method"),
    "shipment_events": _fates(erased="message city", never="status"),
    "shipments": _fates(erased="tracking_number", key="external_id", kept="carrier", never="source fingerprint status"),
    "sign_in_attempts": _fates(never="account_hash address"),
    "staff": _fates(never="email name role password_hash totp_secret oidc_subject"),
    "staff_links": _fates(never="kind token_hash"),
    "store": _fates(never="name time_zone currency country languages business_hours"),
    "suppressions": _fates(never="email_hash"),
    "survey_answers": _fates(erased="comment", key="external_id", never="source fingerprint"),
    "surveys": _fates(never="source external_id fingerprint kind name question"),
    "targets": _fates(never="work clock"),
    "template_versions": _fates(anything="body"),
    "templates": _fates(never="kind name language topic"),
    "ticket_messages": _fates(
        erased="external_id body quoted subject from_name from_email mail_id doubt", never="author"
    ),
    "tickets": _fates(
        erased="subject tags requester_name requester_email",
        key="external_id",
        kept="topic assignee",
        never="source fingerprint channel status priority",
    ),
    "watermarks": _fates(never="mapping query value"),
    "what_ifs": _fates(anything="name", never="assumptions forecast scenario actual"),
    "work_items": _fates(erased="outcome", never="subject"),
    "work_locks": _fates(never="subject holder"),
}


def is_text(column: Column[Any]) -> bool:
    """Whether a column can hold words."""
    return isinstance(column.type, String | Text | JSON)


def columns_of(table: Table, *fates: Fate) -> list[Column[Any]]:
    """The columns of a table that have one of these fates."""
    return [table.c[name] for name, fate in FATES[table.name].items() if fate in fates]


def tables_with(*fates: Fate) -> list[Table]:
    """The tables that have a column of one of these fates, those that others point to last."""
    return [table for table in reversed(metadata.sorted_tables) if columns_of(table, *fates)]
