"""What changed since the last refresh, and whose facts that touches.

The sets live in the engine's database ``changes``: ``changed_<table>`` (key, changed_at, order_id,
customer_id), ``gone`` (tombstones), ``touched_orders`` and, in the end, ``touched`` (owner keys). A row's
owner is looked up twice: as the order database says now, and as the last snapshot (``old``) has it,
because an order may have been another customer's, and a deleted row is only there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from lib.mart.facts import LOOSE_KINDS, loose_key
from lib.mart.source import Source
from lib.mart.stage import PRODUCTS

# Writers stamp a row before they commit it: a refresh looks this far behind its watermark.
OVERLAP = timedelta(minutes=10)
# A row stamped this shortly before the refresh could change again under the same stamp.
_SETTLED = timedelta(seconds=2)


@dataclass(frozen=True)
class Watched:
    """A table whose changes reach the facts: its key, its references to owners, and its fact."""

    name: str
    key: str
    refers: tuple[str, ...] = ()
    fact: str = ""


WATCHED = (
    Watched("customers", "customer_id"),
    Watched("consents", "consent_id", ("customer_id",)),
    Watched("products", "product_id"),
    Watched("orders", "order_id", ("customer_id",), "fact_order"),
    Watched("refunds", "refund_id", ("order_id", "customer_id"), "fact_refund"),
    Watched("shipments", "shipment_id", ("order_id",), "fact_shipment"),
    Watched("returns", "return_id", ("order_id",), "fact_return"),
    Watched("reviews", "review_id", ("order_id", "customer_id"), "fact_review"),
    Watched("tickets", "ticket_id", ("order_id", "customer_id"), "fact_ticket"),
    Watched("carts", "cart_id", ("order_id", "customer_id"), "fact_cart"),
    Watched("surveys", "survey_id"),
    Watched("survey_answers", "survey_answer_id", ("order_id", "customer_id"), "fact_survey"),
    Watched("questions", "question_id", ("customer_id",), "fact_question"),
    Watched("loyalty_members", "loyalty_member_id", ("customer_id",), "fact_member"),
    Watched("loyalty_entries", "loyalty_entry_id", ("loyalty_member_id",), "fact_points"),
    Watched("offers", "offer_id", ("window_days",)),
    Watched("offer_assignments", "offer_assignment_id", ("customer_id",), "fact_assignment"),
)
LOOSE = ("refunds", "reviews", "tickets", "carts", "survey_answers", "questions")
_STAMPED = (*((w.name, w.key, "updated_at") for w in WATCHED), ("deleted_rows", "deleted_row_id", "deleted_at"))


def stamp(at: datetime) -> str:
    """An instant as both databases compare it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def note_seen(engine: duckdb.DuckDBPyConnection, source: Source, at: datetime) -> None:
    """Note in the working file which rows, changed within the overlap before ``at``, are in."""
    engine.execute("DELETE FROM mart.main.seen")
    since, until = stamp(at - OVERLAP), stamp(at - _SETTLED)
    for name, key, changed in _STAMPED:
        _take(
            engine,
            source,
            f"SELECT {key} AS row_id, {changed} AS changed_at FROM {name} "  # noqa: S608 - names from this module
            f"WHERE {changed} > '{since}' AND {changed} <= '{until}'",
            f"INSERT INTO mart.main.seen SELECT '{name}', CAST(row_id AS BIGINT), CAST(changed_at AS TIMESTAMP) "  # noqa: S608 - names from this module
            "FROM incoming",
        )


def _take(engine: duckdb.DuckDBPyConnection, source: Source, query: str, statement: str) -> None:
    """Run a statement of the engine over ``incoming``, the rows of a query of the source."""
    engine.register("incoming", source.batches(query))
    engine.execute(statement)
    engine.unregister("incoming")


def find_touched(
    engine: duckdb.DuckDBPyConnection, source: Source, watermark: datetime, today: int, enough: int
) -> int:
    """Find whose facts must be computed anew, into ``changes.touched``.

    Args:
        watermark: changes up to here are in the snapshot attached as ``old``.
        today: the store's day; parcels promised before it are late now.
        enough: with so many changed customers (or twice as many changed orders) nobody is looked up.

    Returns:
        the number of owners, or of what changed when that is enough.
    """
    engine.execute("CREATE TABLE changes.touched (owner_key BIGINT)")
    _read_changes(engine, source, watermark - OVERLAP)
    changed = max(_count(engine, "changes.changed_customers"), _count(engine, "changes.changed_orders") // 2)
    if changed > enough:
        return changed
    _touch_orders(engine, source)
    _touch_old_owners(engine)
    _touch_new_owners(engine, source)
    _touch_members(engine, source)
    _touch_by_product(engine, source)
    # A survey's name and kind are those of its answers.
    _touch(
        engine,
        "SELECT owner_key FROM old.fact_survey WHERE survey_id IN (SELECT survey_id FROM changes.changed_surveys)",
    )
    # An offer changes its status daily; only another window reaches the outcomes of those assigned.
    _touch(
        engine,
        "SELECT a.owner_key FROM old.fact_assignment a JOIN changes.changed_offers c USING (offer_id) "
        "WHERE a.window_days <> c.window_days",
    )
    # A promised day that has passed meanwhile makes a parcel late without any row having changed.
    _touch(engine, f"SELECT owner_key FROM old.fact_shipment WHERE is_late IS NULL AND promised_day < {today}")  # noqa: S608 - a whole number
    engine.execute("CREATE OR REPLACE TABLE changes.touched AS SELECT DISTINCT owner_key FROM changes.touched")
    return _count(engine, "changes.touched")


def _count(engine: duckdb.DuckDBPyConnection, table: str) -> int:
    (count,) = engine.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)  # noqa: S608 - names from this module
    return int(count)


def _touch(engine: duckdb.DuckDBPyConnection, select: str) -> None:
    engine.execute(f"INSERT INTO changes.touched {select}")


def _read_changes(engine: duckdb.DuckDBPyConnection, source: Source, since: datetime) -> None:
    for watched in WATCHED:
        _take(
            engine,
            source,
            f"SELECT {', '.join((watched.key, 'updated_at', *watched.refers))} FROM {watched.name} "  # noqa: S608 - names from this module
            f"WHERE updated_at > '{stamp(since)}'",
            f"CREATE TABLE changes.changed_{watched.name} AS SELECT CAST({watched.key} AS BIGINT) AS {watched.key}, "  # noqa: S608 - names from this module
            + "".join(f"CAST({column} AS BIGINT) AS {column}, " for column in watched.refers)
            + "CAST(updated_at AS TIMESTAMP) AS changed_at FROM incoming",
        )
        engine.execute(
            f"DELETE FROM changes.changed_{watched.name} c USING old.seen s "  # noqa: S608 - names from this module
            f"WHERE s.table_name = '{watched.name}' AND s.row_id = c.{watched.key} AND s.changed_at = c.changed_at"
        )
    _take(
        engine,
        source,
        "SELECT deleted_row_id, table_name, row_id, order_id, customer_id, deleted_at FROM deleted_rows "  # noqa: S608 - an instant
        f"WHERE deleted_at > '{stamp(since)}'",
        "CREATE TABLE changes.gone AS SELECT CAST(deleted_row_id AS BIGINT) AS deleted_row_id, "
        "CAST(table_name AS VARCHAR) AS table_name, CAST(row_id AS BIGINT) AS row_id, "
        "CAST(order_id AS BIGINT) AS order_id, CAST(customer_id AS BIGINT) AS customer_id, "
        "CAST(deleted_at AS TIMESTAMP) AS deleted_at FROM incoming",
    )
    engine.execute(
        "DELETE FROM changes.gone g USING old.seen s "
        "WHERE s.table_name = 'deleted_rows' AND s.row_id = g.deleted_row_id AND s.changed_at = g.deleted_at"
    )


def _touch_orders(engine: duckdb.DuckDBPyConnection, source: Source) -> None:
    """The orders that any change concerns; those that only an item of a refund names are in the source."""
    parts = ["SELECT order_id FROM changes.gone", "SELECT row_id FROM changes.gone WHERE table_name = 'orders'"]
    parts += [
        f"SELECT order_id FROM changes.changed_{watched.name}"  # noqa: S608 - names from this module
        for watched in WATCHED
        if watched.name == "orders" or "order_id" in watched.refers
    ]
    engine.execute(f"CREATE TABLE changes.touched_orders AS {' UNION '.join(parts)}")
    source.note_ids("changed_refunds", _ids(engine, "SELECT refund_id FROM changes.changed_refunds"))
    _take(
        engine,
        source,
        "SELECT order_id FROM refund_items WHERE refund_id IN (SELECT id FROM changed_refunds)",
        "INSERT INTO changes.touched_orders SELECT CAST(order_id AS BIGINT) FROM incoming",
    )
    engine.execute("DELETE FROM changes.touched_orders WHERE order_id IS NULL")


def _touch_old_owners(engine: duckdb.DuckDBPyConnection) -> None:
    """The owners that the last snapshot has for what changed or is gone."""
    _touch(
        engine, "SELECT owner_key FROM old.fact_order WHERE order_id IN (SELECT order_id FROM changes.touched_orders)"
    )
    for watched in WATCHED:
        if watched.fact:
            _touch(
                engine,
                f"SELECT owner_key FROM old.{watched.fact} WHERE {watched.key} IN "  # noqa: S608 - names from this module
                f"(SELECT {watched.key} FROM changes.changed_{watched.name} "
                f"UNION SELECT row_id FROM changes.gone WHERE table_name = '{watched.name}')",
            )
    _touch(engine, "SELECT customer_id FROM changes.gone WHERE customer_id IS NOT NULL")
    _touch(engine, "SELECT row_id FROM changes.gone WHERE table_name = 'customers'")


def _touch_new_owners(engine: duckdb.DuckDBPyConnection, source: Source) -> None:
    """The owners that the order database has now for what changed."""
    source.note_ids("touched_orders", _ids(engine, "SELECT DISTINCT order_id FROM changes.touched_orders"))
    _take(
        engine,
        source,
        "SELECT order_id, customer_id FROM orders WHERE order_id IN (SELECT id FROM touched_orders)",
        "INSERT INTO changes.touched SELECT coalesce(CAST(customer_id AS BIGINT), "  # noqa: S608 - names from this module
        f"{loose_key('orders', 'CAST(order_id AS BIGINT)')}) FROM incoming",
    )
    _touch(engine, "SELECT customer_id FROM changes.changed_customers")
    _touch(engine, "SELECT customer_id FROM changes.changed_offer_assignments")
    _touch(engine, "SELECT customer_id FROM changes.changed_consents")
    for watched in WATCHED:
        if watched.name in LOOSE:
            by_order = "order_id" in watched.refers
            _touch(
                engine,
                f"SELECT coalesce(customer_id, {loose_key(watched.name, watched.key)}) "  # noqa: S608 - names from this module
                f"FROM changes.changed_{watched.name}" + (" WHERE order_id IS NULL" if by_order else ""),
            )


def _touch_members(engine: duckdb.DuckDBPyConnection, source: Source) -> None:
    """The customers whose membership changed, and those whose points did: only the source knows whose those are."""
    _touch(engine, "SELECT customer_id FROM changes.changed_loyalty_members")
    source.note_ids(
        "changed_members", _ids(engine, "SELECT DISTINCT loyalty_member_id FROM changes.changed_loyalty_entries")
    )
    _take(
        engine,
        source,
        "SELECT customer_id FROM loyalty_members WHERE loyalty_member_id IN (SELECT id FROM changed_members)",
        "INSERT INTO changes.touched SELECT CAST(customer_id AS BIGINT) FROM incoming",
    )


def _touch_by_product(engine: duckdb.DuckDBPyConnection, source: Source) -> None:
    """The owners of lines, refunds, reviews and questions of a product whose name or category changed.

    Stock and prices change daily and reach no fact.
    """
    source.note_ids("changed_products", _ids(engine, "SELECT product_id FROM changes.changed_products"))
    _take(
        engine,
        source,
        f"SELECT {source.columns(PRODUCTS.columns)} FROM products "  # noqa: S608 - names from the schema
        "WHERE product_id IN (SELECT id FROM changed_products)",
        f"CREATE TABLE changes.products AS SELECT {source.typed(PRODUCTS.columns)} FROM incoming",  # noqa: S608 - names from the schema
    )
    engine.execute(
        "CREATE TABLE changes.relabelled AS SELECT p.product_id FROM changes.products p "
        "LEFT JOIN old.dim_product d USING (product_id) "
        "WHERE d.product IS DISTINCT FROM p.name OR d.category IS DISTINCT FROM coalesce(p.category, 'uncategorised') "
        "UNION SELECT row_id FROM changes.gone WHERE table_name = 'products'"
    )
    for fact in ("fact_item", "fact_refund", "fact_review", "fact_question"):
        _touch(
            engine,
            f"SELECT owner_key FROM old.{fact} WHERE product_id IN (SELECT product_id FROM changes.relabelled)",  # noqa: S608 - names from this module
        )


def _ids(engine: duckdb.DuckDBPyConnection, select: str) -> list[int]:
    return [row[0] for row in engine.execute(select).fetchall()]


def note_wanted(engine: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Tell the source which rows belong to the touched owners, and which others these refer to."""
    source.note_ids("wanted_customers", _ids(engine, "SELECT owner_key FROM changes.touched WHERE owner_key > 0"))
    for kind, number in LOOSE_KINDS.items():
        source.note_ids(
            f"wanted_{kind}" if kind != "orders" else "loose_orders",
            _ids(
                engine,
                f"SELECT (-owner_key) // 8 FROM changes.touched WHERE owner_key < 0 AND (-owner_key) % 8 = {number}",  # noqa: S608 - a number
            ),
        )
    source.note_query(
        "wanted_orders",
        "SELECT order_id AS id FROM orders WHERE customer_id IN (SELECT id FROM wanted_customers) "
        "UNION SELECT order_id FROM orders WHERE customer_id IS NULL AND order_id IN (SELECT id FROM loose_orders)",
    )
    source.note_query(
        "all_refunds",
        "SELECT refund_id AS id FROM refunds WHERE order_id IN (SELECT id FROM wanted_orders) "
        "UNION SELECT refund_id FROM refund_items WHERE order_id IN (SELECT id FROM wanted_orders) "
        "UNION SELECT refund_id FROM refunds "
        "WHERE +order_id IS NULL AND customer_id IN (SELECT id FROM wanted_customers) "
        "UNION SELECT refund_id FROM refunds WHERE refund_id IN (SELECT id FROM wanted_refunds)",
    )
    # A refund may also name orders of others: they are read so that each of its lines finds its owner.
    source.note_query(
        "all_orders",
        "SELECT id FROM wanted_orders "
        "UNION SELECT order_id FROM refunds WHERE refund_id IN (SELECT id FROM all_refunds) "
        "UNION SELECT order_id FROM refund_items WHERE refund_id IN (SELECT id FROM all_refunds)",
    )
    source.note_query(
        "all_customers",
        "SELECT id FROM wanted_customers "
        "UNION SELECT customer_id FROM orders WHERE order_id IN (SELECT id FROM all_orders) "
        "UNION SELECT customer_id FROM refunds WHERE refund_id IN (SELECT id FROM all_refunds)",
    )
