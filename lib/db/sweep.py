"""Leave nothing behind of what was deleted: a database keeps the bytes of a row long after the row is gone."""

import sqlite3
import time
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from lib.db.personal import GOES, Fate, tables_with
from lib.errors import JobBusy

# So long it waits for readers of an older state to end.
PATIENCE_SECONDS = 20.0


def sweep(engine: Engine) -> None:
    """Write the database anew without what was deleted.

    SQLite: the file is rebuilt and the write-ahead log emptied. PostgreSQL: dead rows are removed; its own log and
    the backups of its server are its administrator's.

    Raises:
        JobBusy: somebody reads or writes all the time; try again later.
    """
    try:
        if engine.dialect.name == "sqlite":
            _rebuild(engine)
        else:
            _remove_dead_rows(engine)
    except (DBAPIError, sqlite3.OperationalError) as error:
        if "locked" in str(error):
            raise JobBusy("The order database is in use, so deleted rows are not wiped yet. Try later.") from error
        raise


def _rebuild(engine: Engine) -> None:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # A large file is rebuilt on the disk: in memory it may have no room.
        driver.execute("PRAGMA temp_store = FILE")
        driver.execute("VACUUM")
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            is_busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not is_busy:
                return
            if time.monotonic() >= until:
                raise JobBusy("The order database is read all the time, so its log cannot be emptied. Try later.")
            time.sleep(0.1)


def _remove_dead_rows(engine: Engine) -> None:
    names = sorted({table.name for table in tables_with(Fate.ERASED, Fate.KEPT, Fate.ANYTHING)} | GOES)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM {', '.join(names)}")
