"""Restore the order database from a backup: all of it in one transaction, or nothing."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow as pa
from alembic import command
from sqlalchemy import Connection, Engine, MetaData, Table, func, insert, inspect, select, text, update
from sqlalchemy.exc import SAWarning

from lib.db import triggers
from lib.db.attachments import bring_back_files
from lib.db.backup import Manifest, Progress, batches, count_rows, read_manifest
from lib.db.engine import reading
from lib.db.erase import replay
from lib.db.forgotten import kept_list, listed
from lib.db.migrate import alembic_config, known_revisions, no_broken_references, owning
from lib.db.tables.all import metadata
from lib.db.tables.columns import now
from lib.db.tables.customers import suppressions
from lib.db.tables.offers import outbox_messages
from lib.db.tables.store import deleted_rows, store
from lib.errors import BackupRefused

# A tombstone that tells the refresh: any row may have changed, build the mart anew.
EVERYTHING = "*"
RESTORED = "It came from a backup and may have left since. Look into the sent mails, then send it again if it has not."


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came back, and how many people were erased again because a backup older than their erasure held them."""

    manifest: Manifest
    erased: int


def restore(
    engine: Engine,
    path: Path,
    *,
    data_dir: Path | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> Restored:
    """Put a backup's rows into the order database, then bring its tables up to date.

    Whom the law made us forget stays forgotten: in the same transaction everybody is erased again whom an older
    backup brings back. The next refresh cleans every copy, as after any erasure.

    Args:
        data_dir: where the files of mails are kept; without it they stay in the backup.
        replace: whether rows that are there now may go.
    Raises:
        BackupRefused: not a backup, damaged, newer than this Encore, or there is data and ``replace`` is false;
            the database is as it was.
        DatabaseUnavailable: the database cannot be reached.
    """
    manifest = read_manifest(path)
    if manifest.revision not in known_revisions():
        raise BackupRefused(f"A newer Encore made {path} (revision {manifest.revision}). Update Encore, then restore.")
    with owning(engine) as connection:
        there = set(inspect(connection).get_table_names())
        is_migrated = {table.name for table in metadata.sorted_tables} <= there
        forgotten = kept_list(data_dir) if data_dir is not None else {}
        if suppressions.name in there:
            forgotten |= listed(connection)
        if is_migrated:
            if not replace and (rows := count_rows(connection)):
                raise BackupRefused(
                    f"The order database holds {rows:,} rows, which a restore would replace. Make a backup of it,"
                    " then say --replace."
                )
        elif there & set(metadata.tables) and not replace:
            raise BackupRefused("The order database holds tables of an older Encore; say --replace to replace them.")
        _empty(connection, there)
        config = alembic_config(connection)
        command.upgrade(config, manifest.revision)
        tables = _there(connection)
        for saved in manifest.tables:
            if saved.name not in tables.tables:
                raise BackupRefused(f"{path} holds a table {saved.name} that Encore does not know.")
        order = [table for table in tables.sorted_tables if table.name in {s.name for s in manifest.tables}]
        for table in order:
            _fill(connection, table, path, progress)
        _verify(connection, tables, manifest, path)
        command.upgrade(config, "head")
        triggers.replace(connection)
        no_broken_references(connection)
        known = listed(connection)
        if kept := [{"email_hash": each, "erased_at": at} for each, at in forgotten.items() if each not in known]:
            connection.execute(insert(suppressions), kept)
        erased = replay(connection, known | forgotten)
        _let_nothing_leave(connection)
        connection.execute(insert(deleted_rows).values(table_name=EVERYTHING, row_id=0, deleted_at=now()))
    if data_dir is not None:
        with reading(engine) as connection:
            bring_back_files(path, connection, data_dir)
    return Restored(manifest=manifest, erased=erased)


def _let_nothing_leave(connection: Connection) -> None:
    """What was queued when the backup was made may have left since: a person decides, and an owner turns sending on."""
    row = outbox_messages.c
    connection.execute(update(store).where(store.c.sending_since.is_not(None)).values(sending_since=None))
    connection.execute(
        update(outbox_messages)
        .where(row.status.in_(("queued", "sending")))
        .values(status="held_back", failure=RESTORED, lease_until=None)
    )


def _empty(connection: Connection, there: set[str]) -> None:
    """Drop what Encore made; the revisions make it anew."""
    triggers.drop(connection)
    _there(connection, only=[name for name in there if name in metadata.tables or name == "alembic_version"]).drop_all(
        connection
    )


def _there(connection: Connection, only: list[str] | None = None) -> MetaData:
    """The tables as the database has them. Indexes of expressions are not read, and nobody asks for them here."""
    found = MetaData()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index", SAWarning)
        found.reflect(connection, only=only)
    return found


def _fill(connection: Connection, table: Table, path: Path, progress: Progress | None) -> None:
    fill = _fill_sqlite if connection.dialect.name == "sqlite" else _fill_postgresql
    for batch in batches(path, table.name):
        unknown = [name for name in batch.schema.names if name not in table.c]
        if unknown:
            raise BackupRefused(f"{path} holds a column {table.name}.{unknown[0]} that Encore does not know.")
        fill(connection, table, batch)
        if progress:
            progress(table.name, batch.num_rows)
    if connection.dialect.name == "postgresql" and table.autoincrement_column is not None:
        key = table.autoincrement_column
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :key), :next, false)"),
            {"table": table.name, "key": key.name, "next": (connection.scalar(select(func.max(key))) or 0) + 1},
        )


def _fill_sqlite(connection: Connection, table: Table, batch: pa.RecordBatch) -> None:
    names = ", ".join(f'"{name}"' for name in batch.schema.names)
    marks = ", ".join("?" * batch.num_columns)
    cursor: Any = connection.connection.cursor()
    try:
        cursor.executemany(
            f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})',  # noqa: S608 names come from the schema
            _rows(batch, _text_of),
        )
    finally:
        cursor.close()


def _fill_postgresql(connection: Connection, table: Table, batch: pa.RecordBatch) -> None:
    names = ", ".join(f'"{name}"' for name in batch.schema.names)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in _rows(batch, _naive):
            copy.write_row(row)


def _rows(batch: pa.RecordBatch, convert: Callable[[pa.Array], list[Any]]) -> Iterator[tuple[Any, ...]]:
    return zip(*(convert(column) for column in batch.columns), strict=True)


def _text_of(column: pa.Array) -> list[Any]:
    """As SQLite keeps it: instants with microseconds, days and numbers as they are written."""
    if pa.types.is_timestamp(column.type):
        return [None if v is None else v.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") for v in column.to_pylist()]
    if pa.types.is_date(column.type):
        return [None if v is None else v.isoformat() for v in column.to_pylist()]
    return list(column.to_pylist())


def _naive(column: pa.Array) -> list[Any]:
    """As PostgreSQL keeps it: instants without a zone."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"))
    return list(column.to_pylist())


def _verify(connection: Connection, tables: MetaData, manifest: Manifest, path: Path) -> None:
    for saved in manifest.tables:
        rows = connection.scalar(select(func.count()).select_from(tables.tables[saved.name]))
        if rows != saved.rows:
            raise BackupRefused(f"{path}: {saved.name} came out with {rows} rows instead of {saved.rows}.")
