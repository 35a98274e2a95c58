"""A backup holds everything, restores into either engine, and fails without harm."""

import json
import stat
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update

from lib.db import restore as restore_module
from lib.db import triggers
from lib.db.attachments import content_of, keep
from lib.db.backup import LEFT_OUT, backup, read_manifest, saved_tables
from lib.db.engine import open_engine, reading, writing
from lib.db.migrate import migrate, pending
from lib.db.restore import EVERYTHING, RESTORED, restore
from lib.db.store import Store
from lib.db.tables.customers import customers, suppressions
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import exchange_rates, order_items, orders, refund_items, refunds
from lib.db.tables.reviews import reviews
from lib.db.tables.staff import audit_log, sessions, staff
from lib.db.tables.store import deleted_rows, goals, import_runs, rejected_rows
from lib.db.tables.store import store as store_table
from lib.db.tables.tickets import attachments, ticket_messages, tickets
from lib.errors import BackupRefused, DatabaseUnavailable

WHEN = datetime(2025, 3, 30, 1, 59, 59, 123456, tzinfo=UTC)


def _imported(external_id: str) -> dict[str, Any]:
    return {"source": "test", "external_id": external_id, "fingerprint": "0" * 32, "updated_at": WHEN}


@pytest.fixture
def shop(database: Engine, store: Store) -> Engine:
    """A little of every kind of value: text of the world, nulls, JSON, decimals, days, instants, truths."""
    with writing(database) as c:
        c.execute(
            insert(customers),
            [
                {"customer_id": 1, "name": 'Žofie O\'Hara "Zoë"\n\t\\N 東京 🫖', "is_guest": True, **_imported("c1")},
                {"customer_id": 7, "name": "", "is_guest": False, **_imported("c7")},
                {"customer_id": 8, "name": None, "is_guest": False, **_imported("c8")},
            ],
        )
        c.execute(insert(suppressions).values(email_hash="a" * 64, erased_at=WHEN))
        c.execute(
            insert(orders).values(
                order_id=10,
                number="#10",
                customer_id=1,
                placed_at=WHEN,
                currency="EUR",
                original_currency="CZK",
                exchange_rate=Decimal("0.0398765432"),
                gross_minor=9_007_199_254_740_993,
                total_minor=9_007_199_254_740_993,
                **_imported("o10"),
            )
        )
        c.execute(
            insert(order_items).values(
                order_item_id=3, order_id=10, line_number=1, name="Tea", quantity=1, currency="EUR", gross_minor=1
            )
        )
        c.execute(insert(refunds).values(refund_id=4, order_id=10, refunded_at=WHEN, currency="EUR", **_imported("r4")))
        c.execute(insert(refund_items).values(refund_item_id=5, refund_id=4, order_id=10, currency="EUR"))
        c.execute(
            insert(exchange_rates).values(
                currency="CZK", target="EUR", valid_from="2025-03-30", rate=Decimal("0.0398765432"), updated_at=WHEN
            )
        )
        c.execute(insert(reviews).values(rating=5, written_at=WHEN, body="Good", **_imported("v1")))
        c.execute(insert(staff).values(staff_id=2, email="a@b.example", name="Ada", role="owner", created_at=WHEN))
        c.execute(
            insert(sessions).values(
                staff_id=2,
                token_hash="f" * 64,
                created_at=WHEN,
                seen_at=WHEN,
                expires_at=WHEN.replace(year=2026),
            )
        )
        c.execute(
            insert(audit_log).values(
                at=WHEN,
                actor="Ada",
                action="goal.set",
                subject="goal:1",
                details={"before": None, "after": ["é", 1.5, True]},
                previous_hash="0" * 64,
                hash="1" * 64,
            )
        )
        c.execute(
            insert(goals).values(
                metric="net_sales", starts_day=date(2025, 1, 1), ends_day=date(2025, 4, 1), target=100, author_id=2
            )
        )
        c.execute(
            insert(import_runs).values(
                import_run_id=1, source="test", paths="x", started_at=WHEN, heartbeat_at=WHEN, counts={"order": 1}
            )
        )
        c.execute(
            insert(rejected_rows).values(
                import_run_id=1,
                source="test",
                kind="order",
                file="x.csv",
                line=2,
                reason="no day",
                text='a,"b\r\nc"',
                fingerprint="0" * 32,
                created_at=WHEN,
            )
        )
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A second database, empty of tables, on each engine in turn."""
    if request.param == "sqlite":
        yield open_engine(f"sqlite:///{tmp_path / 'other' / 'order.db'}")
        return
    address = request.getfixturevalue("postgres_server")
    admin = open_engine(address + "postgres").execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS other WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE other TEMPLATE template0"))
    yield open_engine(address + "other")
    open_engine(address + "other").dispose()
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE other WITH (FORCE)"))
    open_engine(address + "postgres").dispose()


def _content(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    content = {}
    with reading(engine) as c:
        for table in saved_tables():
            # SQLite gives decimals as floats; ten places are what the column keeps.
            rows = c.execute(select(table).order_by(*table.primary_key.columns))
            content[table.name] = [
                tuple(round(float(v), 10) if isinstance(v, Decimal) else v for v in row) for row in rows
            ]
    return content


@pytest.mark.postgres
def test_a_backup_restores_into_either_engine_exactly(shop: Engine, other: Engine, tmp_path: Path) -> None:
    file = tmp_path / "shop.encore-backup"
    made = backup(shop, file)
    restored = restore(other, file).manifest
    assert restored == made
    assert _content(other) == _content(shop)
    assert sum(map(len, _content(shop).values())) == made.rows
    assert pending(other) == []
    with reading(other) as c:
        assert triggers.missing(c) == []


@pytest.mark.postgres
def test_keys_go_on_after_the_restored_ones(shop: Engine, other: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    restore(other, tmp_path / "b")
    with writing(other) as c:
        assert c.execute(insert(customers).values(**_imported("new"))).inserted_primary_key == (9,)
        assert c.execute(insert(reviews).values(rating=1, written_at=WHEN, **_imported("new"))).inserted_primary_key


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_restored_time_looks_like_any_other(shop: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    other = open_engine(f"sqlite:///{tmp_path / 'o' / 'order.db'}")
    restore(other, tmp_path / "b")
    with reading(other) as c:
        assert c.execute(text("SELECT placed_at FROM orders")).scalar_one() == "2025-03-30 01:59:59.123456"


def test_only_the_owner_may_read_a_backup(shop: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["b"]


def test_sessions_stay_out_of_a_backup(shop: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    names = {table.name for table in read_manifest(tmp_path / "b").tables}
    assert names.isdisjoint(LEFT_OUT)
    assert "staff" in names
    with zipfile.ZipFile(tmp_path / "b") as archive:
        assert b"f" * 64 not in b"".join(archive.read(name) for name in archive.namelist())


def test_a_backup_never_replaces_a_file(shop: Engine, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("precious")
    with pytest.raises(BackupRefused, match="exists already"):
        backup(shop, tmp_path / "b")
    assert (tmp_path / "b").read_text() == "precious"


def test_a_backup_into_no_folder_is_refused(shop: Engine, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="cannot be written"):
        backup(shop, tmp_path / "nowhere" / "b")


def test_a_backup_that_is_cut_short_leaves_nothing(shop: Engine, tmp_path: Path) -> None:
    def stop(table: str, _rows: int) -> None:
        if table == "orders":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(shop, tmp_path / "b", progress=stop)
    assert [file for file in tmp_path.iterdir() if file.is_file()] == []


def test_a_database_that_is_not_migrated_is_not_backed_up(empty_url: str, tmp_path: Path) -> None:
    engine = open_engine(empty_url)
    with pytest.raises(DatabaseUnavailable, match="migrate"):
        backup(engine, tmp_path / "b")
    engine.dispose()
    assert not (tmp_path / "b").exists()


def test_a_restore_refuses_a_database_with_rows(shop: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    before = _content(shop)
    with pytest.raises(BackupRefused, match="--replace"):
        restore(shop, tmp_path / "b")
    assert _content(shop) == before


def test_a_restore_into_a_migrated_empty_database_needs_no_leave(shop: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    other = open_engine(f"sqlite:///{tmp_path / 'o' / 'order.db'}")
    migrate(other)
    restore(other, tmp_path / "b")
    assert _content(other) == _content(shop)


def test_replacing_brings_back_what_was_there(shop: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    before = _content(shop)
    with writing(shop) as c:
        c.execute(update(customers).values(name="changed"))
        c.execute(delete(refund_items))
        c.execute(delete(orders))
    restore(shop, tmp_path / "b", replace=True)
    assert _content(shop) == before


def test_the_forgotten_stay_forgotten(shop: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    with writing(shop) as c:
        c.execute(insert(suppressions).values(email_hash="b" * 64, erased_at=WHEN))
    restore(shop, tmp_path / "b", replace=True)
    with reading(shop) as c:
        assert set(c.scalars(select(suppressions.c.email_hash))) == {"a" * 64, "b" * 64}


def test_a_restore_tells_the_refresh_to_build_anew(shop: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    restore(shop, tmp_path / "b", replace=True)
    with reading(shop) as c:
        assert c.execute(select(deleted_rows.c.table_name)).scalars().all() == [EVERYTHING]


def test_after_a_restore_nothing_leaves_that_may_have_left_before(shop: Engine, other: Engine, tmp_path: Path) -> None:
    told = {"channel": "email", "recipient": "ann@example.com", "body": "Hi", "queued_at": WHEN, "due_at": WHEN}
    with writing(shop) as c:
        c.execute(update(store_table).values(sending_since=WHEN))
        for status in ("queued", "sending", "sent", "failed"):
            c.execute(insert(outbox_messages).values(idempotency_key=status, status=status, **told))
    backup(shop, tmp_path / "kept.encore")
    restore(other, tmp_path / "kept.encore")
    with reading(other) as c:
        assert c.scalar(select(store_table.c.sending_since)) is None
        rows = c.execute(select(outbox_messages.c.idempotency_key, outbox_messages.c.status))
        found = {row.idempotency_key: row.status for row in rows}
        assert found == {"queued": "held_back", "sending": "held_back", "sent": "sent", "failed": "failed"}
        reasons = set(c.scalars(select(outbox_messages.c.failure).where(outbox_messages.c.status == "held_back")))
        assert reasons == {RESTORED}


def test_the_files_of_mails_come_back_those_that_are_named(shop: Engine, other: Engine, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    sha256 = keep(here, b"%PDF")
    keep(here, b"nobody names this")
    with writing(shop) as c:
        c.execute(insert(tickets).values(ticket_id=1, opened_at=WHEN, **_imported("t1")))
        told = {"ticket_id": 1, "author": "customer", "sent_at": WHEN, "body": "see file"}
        c.execute(insert(ticket_messages).values(ticket_message_id=1, **told))
        file = {"ticket_message_id": 1, "file_name": "a.pdf", "media_type": "application/pdf", "bytes": 4}
        c.execute(insert(attachments).values(sha256=sha256, created_at=WHEN, **file))
    backup(shop, tmp_path / "kept.encore", data_dir=here)
    restore(other, tmp_path / "kept.encore", data_dir=there)
    assert [path.name for path in (there / "attachments").iterdir()] == [sha256]
    assert content_of(there, sha256) == b"%PDF"


def test_a_backup_whose_files_are_damaged_changes_nothing(shop: Engine, database: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "kept.encore")
    with zipfile.ZipFile(tmp_path / "kept.encore", "a") as archive:
        archive.writestr(f"attachments/{'0' * 64}", b"something else")
    with pytest.raises(BackupRefused, match="damaged in the file"):
        restore(database, tmp_path / "kept.encore", replace=True)


def test_a_restore_that_is_cut_short_changes_nothing(shop: Engine, tmp_path: Path) -> None:
    backup(shop, tmp_path / "b")
    with writing(shop) as c:
        c.execute(update(customers).values(name="changed"))
    before = _content(shop)

    def stop(table: str, _rows: int) -> None:
        if table == "orders":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(shop, tmp_path / "b", replace=True, progress=stop)
    assert _content(shop) == before
    with reading(shop) as c:
        assert triggers.missing(c) == []


def test_a_restore_with_a_row_too_few_changes_nothing(
    shop: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(shop, tmp_path / "b")
    before = _content(shop)
    monkeypatch.setattr(restore_module, "batches", lambda *_: iter(()))
    with pytest.raises(BackupRefused, match="instead of"):
        restore(shop, tmp_path / "b", replace=True)
    assert _content(shop) == before


@pytest.mark.parametrize("content", [b"", b"id,name\n1,Ada\n", b"PK\x03\x04 half a zip"])
def test_another_file_is_no_backup(database: Engine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(BackupRefused, match="not a backup"):
        restore(database, tmp_path / "b")


def test_another_zip_is_no_backup(database: Engine, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b", "w") as archive:
        archive.writestr("orders.csv", "id")
    with pytest.raises(BackupRefused, match="not a backup"):
        restore(database, tmp_path / "b")


def test_a_missing_file_is_named(database: Engine, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="no file"):
        restore(database, tmp_path / "b")


def _altered(source: Path, target: Path, **change: Any) -> Path:
    """A copy with another manifest, or with a table's bytes replaced."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                content = json.dumps({**json.loads(content), **change.get("manifest", {})}).encode()
            elif name == change.get("damaged"):
                content = content[:-20] + bytes(20)
            if name != change.get("lost"):
                new.writestr(name, content)
    return target


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"damaged": "tables/orders.parquet"}, "damaged in the table orders"),
        ({"lost": "tables/orders.parquet"}, "lacks the table orders"),
        ({"manifest": {"format": "other"}}, "not a backup"),
        ({"manifest": {"format_version": 99}}, "newer Encore"),
        ({"manifest": {"revision": "9999"}}, "newer Encore"),
    ],
)
def test_a_damaged_or_newer_backup_changes_nothing(
    shop: Engine, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    backup(shop, tmp_path / "b")
    before = _content(shop)
    file = _altered(tmp_path / "b", tmp_path / "altered", **change)
    with pytest.raises(BackupRefused, match=message):
        restore(shop, file, replace=True)
    assert _content(shop) == before
