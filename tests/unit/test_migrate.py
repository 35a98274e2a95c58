"""The migrated database is the one that lib/db/tables describes, on both engines."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Inspector, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite

from lib.db import triggers
from lib.db.engine import open_engine, reading, writing
from lib.db.migrate import differences, draft, indexes_of_columns, migrate, pending, revision
from lib.db.tables.all import metadata
from lib.db.tables.orders import orders
from lib.errors import DatabaseUnavailable

DIALECTS = {"sqlite": sqlite, "postgresql": postgresql}


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    engine = open_engine(empty_url)
    yield engine
    engine.dispose()


def test_migrating_applies_every_revision_once_in_order(empty: Engine) -> None:
    waiting = pending(empty)
    assert waiting[0] == "0001"
    assert waiting == sorted(waiting)
    assert migrate(empty) == waiting
    assert pending(empty) == []
    assert migrate(empty) == []


def test_the_migrated_tables_equal_the_described_ones(database: Engine) -> None:
    with database.connect() as connection:
        assert differences(connection) == []


def test_the_migrated_constraints_indexes_and_defaults_equal_the_described_ones(
    database: Engine, empty: Engine
) -> None:
    # Alembic compares no check constraints and no delete rules; so the whole is made both ways.
    metadata.create_all(empty)
    with indexes_of_columns():
        assert _shape(database) == _shape(empty)


def _shape(engine: Engine) -> dict[str, Any]:
    look = inspect(engine)
    shape: dict[str, Any] = {}
    for table in look.get_table_names():
        if table == "alembic_version":
            continue
        shape[table] = {
            "columns": sorted(str({**c, "type": str(c["type"])}) for c in look.get_columns(table)),
            "key": str(look.get_pk_constraint(table)),
            "references": sorted(map(str, _references(look, table))),
            "unique": sorted(map(str, look.get_unique_constraints(table))),
            "checks": sorted(map(str, look.get_check_constraints(table))),
            "indexes": sorted(
                str({**i, "dialect_options": {k: str(v) for k, v in i.get("dialect_options", {}).items()}})
                for i in look.get_indexes(table)
            ),
        }
    if engine.dialect.name == "sqlite":
        shape["indexes of expressions"] = _expressions(engine)
    return shape


def _expressions(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        asked = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%(%(%' ORDER BY name")
        found = [str(words).replace('"', "") for words in connection.scalars(asked)]
    assert found
    return found


def _references(look: Inspector, table: str) -> list[dict[str, Any]]:
    # SQLite does not tell the name of a reference that came with an added column; nothing there goes by it.
    unnamed = {"name": None} if look.dialect.name == "sqlite" else {}
    return [{**reference, **unnamed} for reference in look.get_foreign_keys(table)]


def test_every_trigger_exists_after_migrating(database: Engine) -> None:
    with database.connect() as connection:
        assert triggers.missing(connection) == []


def test_a_trigger_that_somebody_dropped_is_missed(database: Engine) -> None:
    with writing(database) as connection:
        triggers.drop(connection)
    with database.connect() as connection:
        assert "encore_orders_deleted" in triggers.missing(connection)
        assert "encore_audit_log_delete" in triggers.missing(connection)


def test_a_migration_that_fails_changes_nothing(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(triggers, "create", fail)
    with pytest.raises(RuntimeError, match="lights"):
        migrate(empty)
    assert inspect(empty).get_table_names() == []
    monkeypatch.undo()
    assert migrate(empty) != []


def test_a_database_of_a_newer_encore_is_left_alone(database: Engine) -> None:
    with writing(database) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnavailable, match="newer Encore"):
        pending(database)
    with pytest.raises(DatabaseUnavailable, match="newer Encore"):
        migrate(database)


def test_a_draft_of_nothing_is_nothing(database: Engine) -> None:
    assert draft(database, "nothing") is None


def test_an_unreachable_server_is_named_as_the_reason() -> None:
    with pytest.raises(DatabaseUnavailable, match="ENCORE_DATABASE_URL"):
        pending(open_engine("postgresql+psycopg://nobody@127.0.0.1:9/none"))


def test_a_migrated_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "order.db"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_revision_is_none_before_and_the_newest_after(empty: Engine) -> None:
    with reading(empty) as connection:
        assert revision(connection) is None
    newest = migrate(empty)[-1]
    with reading(empty) as connection:
        assert revision(connection) == newest
        assert connection.execute(select(orders)).all() == []
