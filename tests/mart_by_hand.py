"""A mart filled by hand, row by row, without an order database: for what only reads it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from duckdb_sqlalchemy import Dialect
from sqlalchemy import Table
from sqlalchemy.schema import CreateTable

from lib.mart.about import About
from lib.mart.schema import SCHEMA_VERSION, mart_metadata
from lib.mart.snapshot import Snapshot
from lib.periods import day_index

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


class MartByHand:
    """Tables of the mart in memory. A column that is not given is null, or what its kind is empty as."""

    def __init__(self, version: int) -> None:
        self._engine = duckdb.connect(":memory:")
        self._version = version
        for table in mart_metadata.sorted_tables:
            self._engine.execute(str(CreateTable(table).compile(dialect=Dialect())))

    def add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows; what a row may not leave out is 0, false or empty."""
        for row in rows:
            names = [column.name for column in table.columns if column.name in row or not column.nullable]
            values = [row.get(name, _empty(table.c[name])) for name in names]
            marks = ", ".join("?" * len(names))
            self._engine.execute(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", values)

    def snapshot(self) -> Snapshot:
        """The mart, open for reading."""
        about = About(
            version=self._version,
            schema_version=SCHEMA_VERSION,
            store_name="By hand",
            time_zone="Europe/Berlin",
            currency="EUR",
            country="DE",
            built_how="full",
            is_demo=False,
            refreshed_at=NOON,
            watermark_at=NOON,
            fresh_to_at=NOON,
            first_day=day_index(NOON.date()) - 900,
            last_day=day_index(NOON.date()),
            orders=1,
            customers=1,
            full_bytes=0,
        )
        return Snapshot(Path(f"by-hand-{self._version}-{id(self)}"), about, self._engine)


def _empty(column: Any) -> Any:
    kind = column.type.python_type
    return NOON.replace(tzinfo=None) if kind is datetime else kind()
