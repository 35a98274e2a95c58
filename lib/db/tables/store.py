"""The store itself, its goals, notes in time, and the bookkeeping of imports and refreshes."""

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Date, Integer, String, Table, UniqueConstraint

from lib.db.tables.columns import (
    Key,
    at,
    changed,
    flag,
    key,
    metadata,
    one_of,
    ref,
    short,
    version,
    words,
)

# One row, always: a store is one.
store = Table(
    "store",
    metadata,
    Column("store_id", Integer, primary_key=True),
    short("name", nullable=False),
    short("time_zone", nullable=False),
    Column("currency", String(3)),
    Column("country", String(2)),
    Column("languages", JSON, nullable=False),
    Column("business_hours", JSON, nullable=False),
    flag("is_demo"),
    # Since when an owner lets mail and webhooks leave the house; null: nothing is sent.
    at("sending_since"),
    changed(),
    version(),
    CheckConstraint("store_id = 1", name="only_one"),
)

goals = Table(
    "goals",
    metadata,
    key("goal_id"),
    short("metric", nullable=False),
    Column("starts_day", Date, nullable=False),
    Column("ends_day", Date, nullable=False),
    Column("target", BigInteger, nullable=False),
    ref("staff.staff_id", nullable=True, name="author_id"),
    changed(),
    version(),
    UniqueConstraint("metric", "starts_day", "ends_day"),
    CheckConstraint("ends_day > starts_day", name="ends_later"),
)

annotations = Table(
    "annotations",
    metadata,
    key("annotation_id"),
    Column("starts_day", Date, nullable=False),
    Column("ends_day", Date, nullable=False),
    words("text", nullable=False),
    flag("is_unusual"),
    ref("staff.staff_id", nullable=True, name="author_id"),
    changed(),
    version(),
    CheckConstraint("ends_day > starts_day", name="ends_later"),
)

import_runs = Table(
    "import_runs",
    metadata,
    key("import_run_id"),
    short("source", nullable=False),
    words("paths", nullable=False),
    *one_of("status", ("running", "finished", "refused", "interrupted"), default="running"),
    at("started_at", nullable=False, index=True),
    at("heartbeat_at", nullable=False),
    at("finished_at"),
    short("started_by"),
    Column("read_count", BigInteger, nullable=False, server_default="0"),
    Column("stored_count", BigInteger, nullable=False, server_default="0"),
    Column("unchanged_count", BigInteger, nullable=False, server_default="0"),
    Column("rejected_count", BigInteger, nullable=False, server_default="0"),
    Column("counts", JSON, nullable=False),
    words("message"),
    changed(),
    CheckConstraint("read_count = stored_count + unchanged_count + rejected_count", name="adds_up"),
)

rejected_rows = Table(
    "rejected_rows",
    metadata,
    key("rejected_row_id"),
    ref("import_runs.import_run_id"),
    short("source", nullable=False),
    short("kind", nullable=False),
    short("file", nullable=False),
    Column("line", BigInteger, nullable=False),
    short("external_id"),
    words("reason", nullable=False),
    words("header"),
    words("text", nullable=False),
    Column("fingerprint", String(32), nullable=False),
    Column("placed_day", Date),
    Column("amount_minor", BigInteger),
    *one_of("status", ("open", "resolved", "dismissed"), default="open"),
    at("created_at", nullable=False),
    changed(),
    UniqueConstraint("source", "fingerprint"),
)

# How far a SQL source has been read, per mapping and query.
watermarks = Table(
    "watermarks",
    metadata,
    key("watermark_id"),
    short("mapping", nullable=False),
    short("query", nullable=False),
    short("value", nullable=False),
    changed(),
    UniqueConstraint("mapping", "query"),
)

# A lease: who may refresh the mart now. A dead holder's lease runs out.
refresh_locks = Table(
    "refresh_locks",
    metadata,
    Column("name", String(60), primary_key=True),
    short("holder", nullable=False),
    at("taken_at", nullable=False),
    at("expires_at", nullable=False),
)

# Tombstones, written by triggers: the refresh must learn of rows that are gone.
# A tombstone of the table "*" says: any row may have changed (a restore), build the mart anew.
deleted_rows = Table(
    "deleted_rows",
    metadata,
    key("deleted_row_id"),
    Column("table_name", String(60), nullable=False),
    Column("row_id", Key, nullable=False),
    Column("order_id", Key),
    Column("customer_id", Key),
    at("deleted_at", nullable=False, index=True),
)
