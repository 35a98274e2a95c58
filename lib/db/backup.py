"""Backups of the order database: one file that restores into SQLite or PostgreSQL.

A backup is a ZIP with one Parquet file per table (read it with whatever you like) and ``manifest.json``: the
schema's revision, and each table's rows and SHA-256. The files of mails lie beside them, each named by its own
SHA-256. Amounts are integers, instants are UTC, exact decimals
and JSON are text. Sessions, the refresh lease and tombstones stay out: they mean nothing elsewhere.
"""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    cast,
    func,
    select,
    type_coerce,
)

from lib.db.attachments import damaged_file, save_files
from lib.db.engine import reading
from lib.db.migrate import pending, revision
from lib.db.tables.all import metadata
from lib.db.tables.columns import UtcDateTime, now
from lib.errors import BackupRefused, DatabaseUnavailable

FORMAT = "encore-backup"
FORMAT_VERSION = 1
LEFT_OUT = frozenset({"sessions", "refresh_locks", "deleted_rows"})
BATCH_ROWS = 20_000
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class SavedTable:
    """One table as the manifest lists it."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    revision: str
    made_at: datetime
    tables: tuple[SavedTable, ...]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def saved_tables() -> list[Table]:
    """The tables that a backup holds, those that others point to first."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


def backup(
    engine: Engine,
    path: Path,
    *,
    data_dir: Path | None = None,
    at: datetime | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write everything, as of one instant, to a new file that only its owner may read.

    The file appears when it is whole, or not at all.

    Args:
        path: the file to write; it must not exist.
        data_dir: where the files of mails are kept; without it they stay out.
        progress: told the table and how many rows more were written.
    Raises:
        BackupRefused: the path is taken or cannot be written.
        DatabaseUnavailable: the database is unreachable or not migrated.
    """
    if pending(engine):
        raise DatabaseUnavailable("The order database is not up to date: run `python -m lib migrate` first.")
    with _appearing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        with reading(engine) as connection:
            at_revision = revision(connection)
            saved = tuple(_save(connection, table, archive, progress) for table in saved_tables())
            if data_dir is not None:
                save_files(archive, connection, data_dir)
        manifest = Manifest(revision=at_revision or "", made_at=at or now(), tables=saved)
        archive.writestr("manifest.json", _written(manifest), zipfile.ZIP_DEFLATED)
    return manifest


def read_manifest(path: Path, *, verify: bool = True) -> Manifest:
    """What a backup says it holds; with ``verify``, every byte of it is checked.

    Raises:
        BackupRefused: no such file, not a backup, damaged, or of a newer Encore.
    """
    with _open_backup(path) as archive:
        manifest = _manifest(archive, path)
        if verify:
            for table in manifest.tables:
                _verify(archive, table, path)
            if damaged := damaged_file(archive):
                raise BackupRefused(f"{path} is damaged in the file {damaged} of a mail. Use another backup.")
        return manifest


def batches(path: Path, name: str) -> Iterator[pa.RecordBatch]:
    """The rows of one saved table, in batches."""
    with _open_backup(path) as archive, archive.open(_member(name)) as member:
        yield from pq.ParquetFile(member).iter_batches(batch_size=BATCH_ROWS)


def arrow_type(column: Column[Any]) -> pa.DataType:
    """How a backup keeps a column."""
    kind = column.type
    if isinstance(kind, UtcDateTime | DateTime):
        return pa.timestamp("us", tz="UTC")
    if isinstance(kind, Date):
        return pa.date32()
    if isinstance(kind, Boolean):
        return pa.bool_()
    if isinstance(kind, Integer):
        return pa.int64()
    return pa.float64() if isinstance(kind, Float) else pa.string()


def _save(connection: Connection, table: Table, archive: zipfile.ZipFile, progress: Progress | None) -> SavedTable:
    schema = pa.schema([(column.name, arrow_type(column)) for column in table.c])
    rows = 0
    key = list(table.primary_key.columns)
    found = connection.execution_options(yield_per=BATCH_ROWS).execute(
        select(*(_plain(column, connection.dialect.name) for column in table.c)).order_by(*key)
    )
    with archive.open(_member(table.name), "w", force_zip64=True) as member:
        sink = _Sink(member)
        with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            for part in found.partitions():
                columns = zip(*part, strict=True)
                arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
                rows += len(part)
                if progress:
                    progress(table.name, len(part))
    return SavedTable(table.name, rows, sink.sha256.hexdigest())


def _plain(column: Column[Any], dialect: str) -> Any:
    """The column as the driver has it: conversion by the batch is many times faster than by the value."""
    if isinstance(column.type, JSON):
        return type_coerce(column, Text) if dialect == "sqlite" else cast(column, Text)
    if dialect == "sqlite" and isinstance(column.type, UtcDateTime | DateTime | Date):
        return type_coerce(column, Text)
    if dialect == "sqlite" and isinstance(column.type, Boolean):
        return type_coerce(column, Integer)
    if isinstance(column.type, Numeric) and not isinstance(column.type, Float):
        return cast(column, String)
    if isinstance(column.type, UtcDateTime):
        return type_coerce(column, DateTime)
    return column


def _array(values: tuple[Any, ...], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        naive = pa.array(values).cast(pa.timestamp("us"))
        return naive.cast(kind)
    return pa.array(values).cast(kind)


class _Sink(io.RawIOBase):
    """Writes into the archive, counts, and hashes what goes by."""

    def __init__(self, member: Any) -> None:
        self._member = member
        self._position = 0
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        self._member.write(data)
        self.sha256.update(data)
        self._position += len(data)
        return len(data)


@contextmanager
def _appearing(path: Path) -> Iterator[Any]:
    """A new file, for its owner only, that is there in the end or not at all."""
    if path.exists():
        raise BackupRefused(f"{path} exists already; a backup never replaces a file. Name another.")
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except OSError as error:
        raise BackupRefused(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, a link fails when somebody else was faster.
            path.hardlink_to(temporary)
        except FileExistsError as error:
            raise BackupRefused(f"{path} exists already; a backup never replaces a file. Name another.") from error
        except OSError:
            temporary.replace(path)
    except OSError as error:
        raise BackupRefused(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _open_backup(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError as error:
        raise BackupRefused(f"There is no file {path}.") from error
    except (OSError, zipfile.BadZipFile, pa.ArrowInvalid) as error:
        raise BackupRefused(f"{path} is not a backup of Encore, or it is damaged: {error}.") from error


def _written(manifest: Manifest) -> str:
    return json.dumps(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "revision": manifest.revision,
            "made_at": manifest.made_at.isoformat(),
            "tables": [asdict(table) for table in manifest.tables],
        },
        indent=1,
    )


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        said = json.loads(archive.read("manifest.json"))
        if said["format"] != FORMAT:
            raise ValueError(said["format"])
        if said["format_version"] > FORMAT_VERSION:
            raise BackupRefused(f"A newer Encore made {path}. Update Encore, then restore.")
        return Manifest(
            revision=said["revision"],
            made_at=datetime.fromisoformat(said["made_at"]),
            tables=tuple(SavedTable(t["name"], int(t["rows"]), t["sha256"]) for t in said["tables"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BackupRefused(f"{path} is not a backup of Encore.") from error


def _verify(archive: zipfile.ZipFile, table: SavedTable, path: Path) -> None:
    try:
        with archive.open(_member(table.name)) as member:
            found = hashlib.sha256()
            while part := member.read(1 << 20):
                found.update(part)
    except KeyError as error:
        raise BackupRefused(f"{path} is damaged: it lacks the table {table.name}. Use another backup.") from error
    if found.hexdigest() != table.sha256:
        raise BackupRefused(f"{path} is damaged in the table {table.name}. Use another backup.")


def _member(name: str) -> str:
    return f"tables/{name}.parquet"


def count_rows(connection: Connection) -> int:
    """Rows in all tables that a backup would hold."""
    return sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in saved_tables())
