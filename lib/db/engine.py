"""One way to open the order database, on SQLite or PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from lib.settings import Settings


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner may enter, and return it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


# How long a writer waits for another, in seconds.
_PATIENCE = 30
_turns: dict[str, Lock] = {}


@cache
def open_engine(url: str) -> Engine:
    """Open the order database; one engine per process and address.

    SQLite: write-ahead log, foreign keys on, a writer waits up to 30 s, files readable by their owner only.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, connect_args={"options": "-c timezone=utc"})
    if parsed.database:
        file = Path(parsed.database)
        private_folder(file.parent)
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(parsed, connect_args={"timeout": _PATIENCE}, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # SQLAlchemy, not the driver, begins transactions: see _begin.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-65536",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer asks for the lock at its start, so that two never dead-lock half-way.
        writes = connection.get_execution_options().get("encore_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def order_database(settings: Settings) -> Engine:
    """The order database that the settings name."""
    return open_engine(settings.database_url)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed when the block ends, rolled back when it raises."""
    with _turn(engine), engine.connect().execution_options(encore_writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait for one's turn to write, on SQLite, where one writes at a time.

    SQLite lets a waiting writer sleep and ask again, longer each time, so that one who comes later may go first: ten at
    once were kept waiting for seconds. In one process they now go one after another. Writers of other processes are
    waited for as before, and whoever has waited here for long enough goes and waits there.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    turn = _turns.setdefault(str(engine.url), Lock())
    is_mine = turn.acquire(timeout=_PATIENCE)
    try:
        yield
    finally:
        if is_mine:
            turn.release()


@contextmanager
def writing_often(engine: Engine) -> Iterator[Connection]:
    """A connection for many transactions that write, one after another: each is a ``connection.begin()``.

    On SQLite what was read stays read between them, and a connection that is opened anew for each would copy the
    whole write-ahead log each time it is the last to close. The log may grow to 64 MB before it is copied: pages
    that every transaction changes are then copied once.
    """
    with engine.connect().execution_options(encore_writes=True) as connection:
        if engine.dialect.name == "sqlite":
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA wal_autocheckpoint=16000")
            driver.execute("PRAGMA cache_size=-98304")
        yield connection


@contextmanager
def writing_for_good(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes and, once over, survives also a loss of power, at the price of a slow disk's wait.

    For what happens outside as well, where the note of it must not be lost: a mail that is handed over.
    """
    with engine.connect().execution_options(encore_writes=True) as connection:
        if engine.dialect.name == "sqlite":
            # The log is flushed at each commit; the connection is not used again.
            connection.connection.driver_connection.execute("PRAGMA synchronous = FULL")  # type: ignore[union-attr]  # it is open
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, and sees one state of the database throughout."""
    level = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**level) as connection, connection.begin():
        yield connection
