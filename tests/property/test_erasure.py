"""Laws of an erasure, whatever stood in the columns that it empties."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, Engine, String, func, select, update

from lib.db.engine import open_engine, reading, writing
from lib.db.erase import erase, left_of
from lib.db.person import Person, find, parts, rows_of
from lib.db.personal import GOES, Fate, columns_of, tables_with
from lib.db.tables.all import metadata
from lib.db.tables.customers import erasures
from tests.one_person import EMAIL, HER, fill, texts

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARK = "waldmeistertorte"
relaxed = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Scripts, quotes, wildcards of LIKE, signs without width, other writings, and long ones.
around = st.one_of(
    st.sampled_from(["", "%", "_", "'", '"', "<script>", "=cmd()", "\u202e", "\u200b", "مرحبا", "🫖", "x" * 5_000]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30),
)


@pytest.fixture
def shop(tmp_path: Path, sqlite_template: Path) -> Path:
    """A file to copy for each example."""
    file = tmp_path / "filled.db"
    copyfile(sqlite_template, file)
    with writing(open_engine(f"sqlite:///{file}")) as connection:
        fill(connection, tmp_path / "data", NOON)
    with open_engine(f"sqlite:///{file}").connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]  # it is open
    return file


def _her(engine: Engine) -> Person:
    with reading(engine) as connection:
        person = find(connection, HER)
    assert person is not None
    return person


def _write_everywhere(engine: Engine, words: str) -> None:
    """Put words into every column of hers that an erasure empties, where any words may stand."""
    with writing(engine) as connection:
        rows = rows_of(connection, _her(engine))
        for table in tables_with(Fate.ERASED):
            (key,) = table.primary_key.columns
            # What she is found by, and what must be one of a few words, is left as it is.
            names = [
                column.name
                for column in columns_of(table, Fate.ERASED)
                if isinstance(column.type, String | JSON) and column.name not in _FOUND_BY and table.name not in GOES
            ]
            values: dict[str, Any] = {
                name: {words: words} if isinstance(table.c[name].type, JSON) else words for name in names
            }
            for some in parts(rows[table.name] if values else []):
                connection.execute(update(table).where(key.in_(some)).values(**values))


_FOUND_BY = frozenset({"external_id", "from_email", "requester_email", "recipient", "email_normalised"})


def _everything(engine: Engine) -> dict[str, list[str]]:
    with reading(engine) as connection:
        return {
            table.name: [str(tuple(row)) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def _numbers(engine: Engine) -> dict[str, Any]:
    """How many rows each table keeps, and the sum of each amount."""
    with reading(engine) as connection:
        return {
            f"{table.name}.{column.name}": connection.execute(
                select(func.count(), func.sum(column)).select_from(table)
            ).one()
            for table in metadata.sorted_tables
            if table.name not in GOES
            for column in table.c
            if column.name.endswith(("_minor", "rating", "score", "points", "quantity"))
        }


@relaxed
@given(before=around, after=around)
def test_whatever_stood_there_is_gone_no_number_moves_and_twice_is_once(shop: Path, before: str, after: str) -> None:
    file = shop.with_name(f"{uuid4().hex}.db")
    copyfile(shop, file)
    engine = open_engine(f"sqlite:///{file}")
    _write_everywhere(engine, f"{before}{MARK}{after}")
    person, numbers = _her(engine), _numbers(engine)
    with reading(engine) as connection:
        assert sum(MARK in what for _, what in texts(connection)) > 30
    with writing(engine) as connection:
        erase(connection, person, at=NOON)
    with reading(engine) as connection:
        assert [where for where, what in texts(connection) if MARK in what or EMAIL in what.casefold()] == []
    assert _numbers(engine) == numbers
    once = _everything(engine)
    with writing(engine) as connection:
        # Also by the address that she was known by.
        assert erase(connection, person, at=NOON + timedelta(days=1)).rows == {}
        assert left_of(connection, rows_of(connection, person)) == {}
        assert connection.scalar(select(func.count()).select_from(erasures)) == 1
    assert _everything(engine) == once
    file.unlink()
