"""A database imported by command: twice is once, tomorrow only what is new, and the password nowhere."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.errors import MappingInvalid
from lib.jobs.imports import run_import
from lib.settings import Settings

MINE = '''
name = "mine"
overlap_seconds = 0
[orders]
watermark = "changed_at"
select = """
SELECT id AS order_id, placed AS placed_at, total, changed_at FROM sales WHERE changed_at >= :watermark
ORDER BY changed_at, id
"""
'''


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE sales (id TEXT, placed TEXT, total REAL, changed_at TEXT)")
        connection.execute("INSERT INTO sales VALUES ('A', '2025-01-05', 12.5, '2025-01-05 10:00:00')")
        connection.execute("INSERT INTO sales VALUES ('B', '2025-01-06', 7, '2025-01-06 10:00:00')")
    connection.close()
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    return file


def test_a_database_is_imported_once_and_tomorrow_only_what_is_new(
    settings: Settings, database: Engine, store: Store, shop: Path, tmp_path: Path
) -> None:
    def again() -> tuple[int, int, int]:
        report = run_import(settings, "sql", [f"sqlite:///{shop}"], mapping=tmp_path / "mine.toml")
        return report.read, report.stored, report.unchanged

    assert run_import(settings, "sql", [f"sqlite:///{shop}"], mapping=tmp_path / "mine.toml", dry_run=True).read == 2
    assert again() == (2, 2, 0)
    assert again() == (1, 0, 1)  # what stands at the watermark itself may have company: it is read again
    with sqlite3.connect(shop) as connection:
        connection.execute("UPDATE sales SET total = 99, changed_at = '2025-01-07 10:00:00' WHERE id = 'A'")
        connection.execute("INSERT INTO sales VALUES ('C', '2025-01-06', 1, '2025-01-06 10:00:00')")
    connection.close()
    assert again() == (3, 2, 1)
    with reading(database) as kept_in:
        found = kept_in.execute(text("SELECT external_id, total_minor FROM orders ORDER BY external_id")).all()
        kept = kept_in.execute(text("SELECT mapping, query, value FROM watermarks")).all()
    assert [tuple(row) for row in found] == [("A", 9900), ("B", 700), ("C", 100)]
    assert [tuple(row) for row in kept] == [(f"mine sqlite:///{shop}", "orders", "2025-01-07 10:00:00")]


def test_databases_of_two_mappings_keep_their_orders_apart(
    settings: Settings, database: Engine, store: Store, shop: Path, tmp_path: Path
) -> None:
    (tmp_path / "second.toml").write_text(MINE.replace('"mine"', '"Second Shop"'), encoding="utf-8")
    for name in ("mine", "second", "second"):
        run_import(settings, "sql", [f"sqlite:///{shop}"], mapping=tmp_path / f"{name}.toml")
    with reading(database) as kept_in:
        found = kept_in.execute(text("SELECT source, external_id FROM orders ORDER BY source, external_id")).all()
    assert [tuple(row) for row in found] == [
        ("sql:mine", "A"),
        ("sql:mine", "B"),
        ("sql:second-shop", "A"),
        ("sql:second-shop", "B"),
    ]


def test_a_database_that_was_read_before_shops_had_names_stays_where_it_was(
    settings: Settings, database: Engine, store: Store, shop: Path, tmp_path: Path
) -> None:
    run_import(settings, "sql", [f"sqlite:///{shop}"], mapping=tmp_path / "mine.toml")
    with writing(database) as connection:
        connection.execute(text("UPDATE orders SET source = 'sql'"))
        connection.execute(text("UPDATE import_runs SET source = 'sql'"))
    for _ in range(2):
        report = run_import(settings, "sql", [f"sqlite:///{shop}"], mapping=tmp_path / "mine.toml")
        assert (report.source, report.read, report.unchanged) == ("sql", 1, 1)
    with reading(database) as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM orders")).scalar_one() == 2


def test_a_database_without_a_mapping_is_refused(
    settings: Settings, database: Engine, store: Store, shop: Path
) -> None:
    with pytest.raises(MappingInvalid, match="--mapping woocommerce_hpos, --mapping vendure"):
        run_import(settings, "sql", [f"sqlite:///{shop}"])
    with reading(database) as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM import_runs")).scalar_one() == 0
