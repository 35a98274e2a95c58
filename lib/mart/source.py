"""The order database as the mart reads it: columns in Arrow batches, one consistent state throughout."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, Table
from sqlalchemy.engine import make_url

from lib.db.tables.columns import UtcDateTime
from lib.errors import DatabaseUnavailable

BATCH_ROWS = 65_536


class Source:
    """An open, read-only transaction on the order database.

    The driver for SQLite takes a column's type from the values it sees first, so texts and times that may
    be null are read as empty texts and become null again in the mart's engine.
    """

    def __init__(self, connection: Any, backend: str) -> None:
        self._connection = connection
        self._backend = backend
        # A stream ends when its cursor is collected, so the cursor of the latest one is kept.
        self._reading: Any = None

    def batches(self, query: str) -> pa.RecordBatchReader:
        """The rows of a query, streamed; the next query ends the stream.

        Raises:
            DatabaseUnavailable: the tables are not there (yet).
        """
        self.close()
        self._reading = cursor = self._connection.cursor()
        if self._backend == "sqlite":
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(BATCH_ROWS)})
        try:
            cursor.execute(query)
            return cursor.fetch_record_batch()
        except self._connection.Error as error:
            if "no such table" in str(error) or "does not exist" in str(error):
                raise DatabaseUnavailable(
                    "The order database has no tables yet, or old ones: run `python -m lib migrate`."
                ) from error
            # The first line says what is wrong; the rest may repeat the whole question.
            raise DatabaseUnavailable(
                f"The order database cannot be read: {str(error).strip().splitlines()[0]}"
            ) from error

    def close(self) -> None:
        """End the stream that is open."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def rows(self, query: str) -> pa.Table:
        """The rows of a query, at once; for small answers."""
        return self.batches(query).read_all()

    def note_ids(self, name: str, ids: Iterable[int]) -> None:
        """Keep ids in a temporary table ``name`` with the one column ``id``, for this transaction's queries."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE {name} (id BIGINT PRIMARY KEY)")
            table = pa.table({"id": pa.array(ids, pa.int64())})
            if table.num_rows:
                cursor.adbc_ingest(name, table, mode="append", temporary=True)
        self._analyze(name)

    def note_query(self, name: str, query: str) -> None:
        """Keep the ids that a query finds in a temporary table ``name`` with the one column ``id``."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE {name} (id BIGINT PRIMARY KEY)")
            cursor.execute(
                f"INSERT INTO {name} SELECT DISTINCT id FROM ({query}) AS found WHERE id IS NOT NULL"  # noqa: S608 - the caller's own constants
            )
        self._analyze(name)

    def _analyze(self, name: str) -> None:
        # Without it PostgreSQL knows nothing of a temporary table's size and scans the large ones whole.
        if self._backend != "sqlite":
            with self._connection.cursor() as cursor:
                cursor.execute(f"ANALYZE {name}")

    def columns(self, columns: Iterable[Column[Any]]) -> str:
        """The select list that reads these columns."""
        if self._backend != "sqlite":
            return ", ".join(column.name for column in columns)
        return ", ".join(
            f"coalesce({column.name}, '') AS {column.name}" if _is_text(column) else column.name for column in columns
        )

    def typed(self, columns: Iterable[Column[Any]]) -> str:
        """The select list, in the mart's engine, that gives batches of ``columns`` their types and nulls back."""
        return ", ".join(
            f"CAST(nullif(CAST({column.name} AS VARCHAR), '') AS {engine_type(column)}) AS {column.name}"
            if self._backend == "sqlite" and _is_text(column)
            else f"CAST({column.name} AS {engine_type(column)}) AS {column.name}"
            for column in columns
        )


def _is_text(column: Column[Any]) -> bool:
    """Whether SQLite keeps the column as text."""
    return not isinstance(column.type, (BigInteger, Integer, Boolean))


def engine_type(column: Column[Any]) -> str:
    """The type of a source column in the mart's engine."""
    if isinstance(column.type, Boolean):
        return "BOOLEAN"
    if isinstance(column.type, (BigInteger, Integer)):
        return "BIGINT"
    if isinstance(column.type, (UtcDateTime, DateTime)):
        return "TIMESTAMP"
    return "DATE" if isinstance(column.type, Date) else "VARCHAR"


def pick(table: Table, names: str) -> tuple[Column[Any], ...]:
    """Columns of a table by their names, separated by spaces."""
    return tuple(table.c[name] for name in names.split())


@contextmanager
def open_source(database_url: str) -> Iterator[Source]:
    """Open the order database for reading, in one transaction that is rolled back at the end.

    Raises:
        DatabaseUnavailable: it cannot be reached.
    """
    url = make_url(database_url)
    backend = url.get_backend_name()
    try:
        if backend == "sqlite":
            if not url.database or not Path(url.database).exists():
                raise DatabaseUnavailable("There is no order database yet: run `python -m lib run` or `migrate`.")
            from adbc_driver_sqlite import dbapi as sqlite

            connection = sqlite.connect(url.database)
            opening = "PRAGMA temp_store=MEMORY"
        else:
            from adbc_driver_postgresql import dbapi as postgresql

            connection = postgresql.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
            opening = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
    except DatabaseUnavailable:
        raise
    except Exception as error:
        # Drivers raise their own kinds here, and their texts may hold the address with its password.
        raise DatabaseUnavailable("The order database cannot be reached.") from error
    opened = Source(connection, backend)
    try:
        with connection.cursor() as cursor:
            cursor.execute(opening)
        yield opened
    finally:
        opened.close()
        connection.rollback()
        connection.close()
