"""Many rows at once into the order database, as plain tuples through the driver.

SQLAlchemy converts each value of each row in Python, which costs more than the database's own work for
millions of rows. So the loader writes values as both databases take them: instants and days as text
(see ``instant``), money as integers.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, delete, func, select, text, update
from sqlalchemy.engine import Dialect

from lib.db.among import among_on

LOCK_KEY: Final = 5_180_301
ASK_AT_ONCE: Final = 20_000

Values = Sequence[Any]


def instant(at: datetime | None) -> str | None:
    """An aware UTC instant as the order database keeps it, always with microseconds."""
    return None if at is None else at.isoformat(" ", "microseconds")[:26]


class Writer:
    """Writes rows in the current transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.is_sqlite = connection.dialect.name == "sqlite"
        self._last: dict[str, int] = {}

    def wait_for_turn(self) -> None:
        """Let one import write at a time; SQLite's own lock does it there. Ends with the transaction."""
        if not self.is_sqlite:
            self.connection.execute(select(func.pg_advisory_xact_lock(LOCK_KEY)))

    def among(self, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
        """``column IN values``, for any number of values in one parameter."""
        return among_on(column, sorted(values), is_sqlite=self.is_sqlite)

    def next_keys(self, table: Table, count: int) -> range | list[int]:
        """Keys for ``count`` new rows, which nobody else will get."""
        (key,) = table.primary_key.columns
        if self.is_sqlite:
            last = self._last.get(table.name)
            if last is None:
                last = self.connection.scalar(select(func.max(key))) or 0
            self._last[table.name] = last + count
            return range(last + 1, last + 1 + count)
        if not count:
            return []
        drawn = text("SELECT nextval(pg_get_serial_sequence(:table, :column)) FROM generate_series(1, :count)")
        found = self.connection.scalars(drawn, {"table": table.name, "column": key.name, "count": count})
        return sorted(found)

    def forget_keys(self) -> None:
        """After a savepoint is rolled back: keys are counted anew."""
        self._last.clear()

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Values]) -> None:
        """Insert rows; each holds values in the order of ``columns``."""
        if not rows:
            return
        if self.is_sqlite:
            cursor = self.connection.connection.cursor()
            try:
                cursor.executemany(_insert_statement(table.name, tuple(columns)), rows)
            finally:
                cursor.close()
            return
        driver: Any = self.connection.connection.driver_connection
        statement = " ".join(("COPY", table.name, "(" + ", ".join(columns) + ")", "FROM STDIN"))
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def update(self, table: Table, columns: Sequence[str], rows: Sequence[Values]) -> None:
        """Update rows; each holds values in the order of ``columns``, and last the row's key."""
        if not rows:
            return
        (key,) = table.primary_key.columns
        statement, order = _update_statement(table, key.name, tuple(columns), self.connection.dialect)
        if order is None:
            names = [*columns, "the_key"]
            self.connection.exec_driver_sql(statement, [dict(zip(names, row, strict=True)) for row in rows])
        else:
            self.connection.exec_driver_sql(statement, [tuple(row[i] for i in order) for row in rows])

    def delete(self, table: Table, column: str, values: Iterable[Any]) -> None:
        """Delete the rows whose ``column`` is among ``values``."""
        wanted = list(values)
        if wanted:
            self.connection.execute(delete(table).where(self.among(table.c[column], wanted)))


@cache
def _insert_statement(table: str, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(columns))
    return " ".join(("INSERT INTO", table, "(" + ", ".join(columns) + ")", "VALUES", "(" + marks + ")"))


_UPDATES: dict[tuple[str, tuple[str, ...], str], tuple[str, list[int] | None]] = {}


def _update_statement(
    table: Table, key: str, columns: tuple[str, ...], dialect: Dialect
) -> tuple[str, list[int] | None]:
    """The statement, and for drivers that count their parameters in which order these stand."""
    known = (table.name, columns, dialect.name)
    if known not in _UPDATES:
        values: dict[str, Any] = {name: bindparam(name) for name in columns}
        compiled = update(table).where(table.c[key] == bindparam("the_key")).values(values).compile(dialect=dialect)
        names = [*columns, "the_key"]
        # positiontup: the compiled statement's parameters in order, for drivers that count them.
        positions: list[str] | None = getattr(compiled, "positiontup", None)
        _UPDATES[known] = (str(compiled), [names.index(name) for name in positions] if positions else None)
    return _UPDATES[known]
