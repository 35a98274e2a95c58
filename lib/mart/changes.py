"""What changed since the last refresh, and whose facts that touches."""

from datetime import UTC, datetime, timedelta

import duckdb

from lib.mart.source import Source

# Writers stamp a row before they commit it: a refresh looks this far behind its watermark.
OVERLAP = timedelta(minutes=10)
# A row stamped this shortly before the refresh could change again under the same stamp.
_SETTLED = timedelta(seconds=2)

# Tables whose changes reach the facts, with their keys; ``deleted_rows`` has the tombstones.
WATCHED = {
    "customers": "customer_id",
    "products": "product_id",
    "orders": "order_id",
    "refunds": "refund_id",
    "shipments": "shipment_id",
    "returns": "return_id",
    "reviews": "review_id",
    "tickets": "ticket_id",
    "carts": "cart_id",
}
STAMPED = {
    **{name: (key, "updated_at") for name, key in WATCHED.items()},
    "deleted_rows": ("deleted_row_id", "deleted_at"),
}


def stamp(at: datetime) -> str:
    """An instant as both databases compare it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def note_seen(engine: duckdb.DuckDBPyConnection, source: Source, at: datetime) -> None:
    """Note in the working file which rows, changed within the overlap before ``at``, are in."""
    engine.execute("DELETE FROM mart.main.seen")
    since, until = stamp(at - OVERLAP), stamp(at - _SETTLED)
    for name, (key, changed) in STAMPED.items():
        reader = source.batches(
            f"SELECT {key} AS row_id, {changed} AS changed_at FROM {name} "  # noqa: S608 - names from this module
            f"WHERE {changed} > '{since}' AND {changed} <= '{until}'"
        )
        engine.register("incoming", reader)
        engine.execute(
            "INSERT INTO mart.main.seen SELECT ?, CAST(row_id AS BIGINT), CAST(changed_at AS TIMESTAMP) FROM incoming",
            [name],
        )
        engine.unregister("incoming")
