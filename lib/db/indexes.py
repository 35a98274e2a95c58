"""Indexes that a first import does without: dropped while it fills an empty SQLite database, and made again after.

An index whose entries come in no order is written all over with every batch: with it, storing an order takes the
longer the more are stored, while making it once at the end takes seconds. Only those are set aside that neither the
import nor a cascade reads. Staff may read meanwhile; their questions only take longer.

An import that dies leaves them missing. The next one, every start of the app, and every refresh that no import runs
beside make what is missing.
"""

from typing import Any, Final

from sqlalchemy import Connection, Engine, Index, text
from sqlalchemy.schema import CreateIndex

from lib.db.tables.all import metadata

SET_ASIDE: Final = frozenset(
    {
        "ix_addresses_updated_at",
        "ix_consents_updated_at",
        "ix_customers_email_normalised",
        "ix_customers_name",
        "ix_customers_surname",
        "ix_customers_updated_at",
        "ix_order_items_product_id",
        "ix_orders_awaiting_payment",
        "ix_orders_number",
        "ix_orders_placed_at",
        "ix_orders_updated_at",
        "ix_shipments_undelivered",
        "ix_shipments_updated_at",
    }
)


def set_aside(connection: Connection) -> None:
    """Drop them, in the current transaction; on PostgreSQL, where readers would wait for it, nothing happens."""
    if connection.dialect.name == "sqlite":
        for name in sorted(SET_ASIDE):
            connection.exec_driver_sql(f'DROP INDEX IF EXISTS "{name}"')


def missing(connection: Connection) -> list[Index]:
    """The indexes that the tables should have and do not; on PostgreSQL none is ever set aside."""
    if connection.dialect.name != "sqlite":
        return []
    there = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index'")))
    return [
        index
        for table in metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
        if index.name not in there
    ]


def put_back(engine: Engine) -> list[str]:
    """Make what is missing and return the names; each in a transaction of its own, so that staff wait for one alone."""
    made: list[str] = []
    with engine.connect().execution_options(encore_writes=True) as connection:
        with connection.begin():
            wanted = missing(connection) if engine.dialect.name == "sqlite" else []
        if not wanted:
            return made
        driver: Any = connection.connection.driver_connection
        # What is sorted grows with the tables: on disk, not in memory.
        driver.execute("PRAGMA temp_store=FILE")
        for index in wanted:
            with connection.begin():
                connection.execute(CreateIndex(index, if_not_exists=True))
            made.append(str(index.name))
    return made
