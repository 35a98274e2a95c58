"""The demo store makes room for the real one."""

from typing import Final

from sqlalchemy import Engine, delete

from lib.db import triggers
from lib.db.clear import PEOPLE_AND_DESK
from lib.db.engine import reading
from lib.db.store import Store, read_store, write_store
from lib.db.tables.all import metadata
from lib.settings import Settings

# The people who work here and what they did, the rates somebody imported, and the books of imports stay.
KEPT: Final = PEOPLE_AND_DESK | {"store", "exchange_rates", "import_runs"}


def remove_demo(engine: Engine, settings: Settings) -> None:
    """Remove every row of the demo store at once, and be a store without a name, a currency or an order.

    No tombstones are written: the mart must be built in full afterwards (``refresh(settings, full=True)``).
    """
    tables = [table for table in reversed(metadata.sorted_tables) if table.name not in KEPT]
    with engine.connect().execution_options(encore_writes=True) as connection:
        if engine.dialect.name == "sqlite":
            # All that refers goes with what it refers to; checking each row would take minutes.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]  # it is open
        with connection.begin():
            if engine.dialect.name == "sqlite":
                triggers.drop(connection)
                for table in tables:
                    connection.execute(delete(table))
                triggers.create(connection)
            else:
                names = ", ".join(table.name for table in tables)
                connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
            demo = read_store(connection, settings)
            write_store(
                connection,
                Store(
                    name=settings.store_name or "My store",
                    time_zone=settings.store_time_zone or "UTC",
                    currency=settings.store_currency,
                    country=settings.store_country,
                    languages=demo.languages,
                    is_demo=False,
                ),
            )


def is_demo(engine: Engine, settings: Settings) -> bool:
    """Whether the store that is there now is the demo store."""
    with reading(engine) as connection:
        return read_store(connection, settings).is_demo
