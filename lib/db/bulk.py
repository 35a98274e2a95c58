"""Insert many rows at once: the raw driver on SQLite, COPY on PostgreSQL."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray
from sqlalchemy import JSON, Connection, Engine, Table, func, select, text

from lib.db.engine import writing
from lib.db.tables.columns import now

Values = Sequence[Any] | NDArray[Any]

BATCH = 20_000


def bulk_insert(connection: Connection, table: Table, columns: Mapping[str, Values]) -> int:
    """Insert columns of equal length into a table, in the current transaction.

    Args:
        columns: per column a sequence, or a numpy array: integers, floats, booleans, objects, text,
            ``datetime64`` (UTC instants; a date column takes ``datetime64[D]``). ``None``, ``NaT`` and
            masked entries are null; a JSON column takes dicts and lists.
            ``updated_at``, when left out, is the present instant; other columns left out take the
            database's own default.
    Returns:
        the number of rows.
    Raises:
        ValueError: the columns differ in length.
        KeyError: the table has no such column.
    """
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of {table.name} differ in length: {sorted(lengths)}")
    (rows,) = lengths
    if rows == 0:
        return 0
    for name in columns:
        _ = table.c[name]
    fixed: dict[str, Any] = {}
    if "updated_at" in table.c and "updated_at" not in columns:
        fixed["updated_at"] = np.datetime64(now().replace(tzinfo=None), "us")
    names = [*columns, *fixed]
    for start in range(0, rows, BATCH):
        part = {name: values[start : start + BATCH] for name, values in columns.items()}
        size = min(BATCH, rows - start)
        part |= {name: np.full(size, value) for name, value in fixed.items()}
        if connection.dialect.name == "sqlite":
            _insert_sqlite(connection, table, names, part)
        else:
            _copy_postgresql(connection, table, names, part)
    key = table.autoincrement_column
    if connection.dialect.name == "postgresql" and key is not None and key.name in columns:
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :value)"),
            {"table": table.name, "column": key.name, "value": connection.scalar(select(func.max(key)))},
        )
    return rows


@contextmanager
def filling(engine: Engine) -> Iterator[Connection]:
    """A writing transaction that fills the database with very many rows.

    On SQLite references are checked once, and indexes are built once, at its end; nobody else sees it
    before, and if it fails, or the process dies, the database is as it was.

    Raises:
        ValueError: a row refers to one that does not exist; nothing was written.
    """
    if engine.dialect.name != "sqlite":
        with writing(engine) as connection:
            yield connection
        return
    with engine.connect().execution_options(encore_writes=True) as connection:
        driver: Any = connection.connection.driver_connection
        # Only outside a transaction can this be switched; the connection is closed afterwards, not reused.
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute("PRAGMA cache_size=-262144")
        with connection.begin():
            made = driver.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
            indexes = made.fetchall()
            for name, _ in indexes:
                driver.execute(f'DROP INDEX "{name}"')
            yield connection
            for _, statement in indexes:
                driver.execute(statement)
            broken = driver.execute("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise ValueError(f"row {broken[1]} of {broken[0]} refers to no row of {broken[2]}")


def batches(rows: int, size: int = 10 * BATCH) -> Iterator[slice]:
    """Cut ``rows`` into slices of ``size``, so that a caller need not hold all columns as objects at once."""
    for start in range(0, rows, size):
        yield slice(start, min(rows, start + size))


def _insert_sqlite(connection: Connection, table: Table, names: list[str], part: Mapping[str, Values]) -> None:
    quoted = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    statement = f'INSERT INTO "{table.name}" ({quoted}) VALUES ({marks})'  # noqa: S608 names come from the schema
    lists = [_plain(part[name], is_json=isinstance(table.c[name].type, JSON)) for name in names]
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(statement, list(zip(*lists, strict=True)))
    finally:
        cursor.close()


def _plain(values: Values, *, is_json: bool) -> list[Any]:
    """What the sqlite3 driver takes: numbers, text, None; instants as text with microseconds."""
    if is_json:
        return [None if v is None else json.dumps(v, ensure_ascii=False) for v in values]
    if isinstance(values, np.ma.MaskedArray):
        return list(values.tolist())
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return _instants(values)
    if isinstance(values, np.ndarray):
        return list(values.tolist())
    return list(values)


def _instants(values: NDArray[Any]) -> list[Any]:
    missing = np.isnat(values)
    if values.dtype == np.dtype("M8[D]"):
        written = np.datetime_as_string(values).astype(object)
    else:
        fixed = np.datetime_as_string(values.astype("M8[us]"), unit="us")
        fixed = np.ascontiguousarray(np.where(missing, "1970-01-01T00:00:00.000000", fixed).astype("U26"))
        fixed.view(np.uint32).reshape(-1, 26)[:, 10] = ord(" ")
        written = fixed.astype(object)
    written[missing] = None
    return list(written.tolist())


def _copy_postgresql(connection: Connection, table: Table, names: list[str], part: Mapping[str, Values]) -> None:
    arrays = [_arrow(part[name], is_json=isinstance(table.c[name].type, JSON)) for name in names]
    written = io.BytesIO()
    options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
    pa_csv.write_csv(pa.Table.from_arrays(arrays, names=names), written, options)
    quoted = ", ".join(f'"{name}"' for name in names)
    driver: Any = connection.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f'COPY "{table.name}" ({quoted}) FROM STDIN WITH (FORMAT csv)') as copy,
    ):
        copy.write(written.getvalue())


def _arrow(values: Values, *, is_json: bool) -> Any:
    if is_json:
        return pa.array([None if v is None else json.dumps(v, ensure_ascii=False) for v in values], pa.string())
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, mask=np.ma.getmaskarray(values))
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        return pa.array(values.tolist(), pa.string())
    return pa.array(values)
