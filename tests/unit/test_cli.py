"""The commands: help, exit codes, refusals that write nothing."""

import json
import re
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, inspect, select, text

from lib.cli import check, run
from lib.cli.main import COMMANDS, main
from lib.cli.run import choose_port, is_without_store, refuse_without_owner
from lib.db import audit, triggers
from lib.db.engine import open_engine, order_database, reading, writing
from lib.db.migrate import migrate, pending
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.db.tables.orders import orders
from lib.db.tables.store import import_runs, rejected_rows
from lib.errors import SettingsError
from lib.jobs.refresh import refresh
from lib.settings import ROOT, Settings, read_settings
from lib.staff import LOCAL, Role
from lib.workflows.staff import invite


@pytest.fixture
def at_home(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands work on this test's own order database."""
    monkeypatch.setenv("ENCORE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ENCORE_DATABASE_URL", database_url)


def _order(connection: Any, number: int, **values: Any) -> None:
    connection.execute(
        insert(orders).values(
            {
                "number": f"#{number}",
                "placed_at": now(),
                "currency": "EUR",
                "original_currency": "EUR",
                "gross_minor": 1000,
                "total_minor": 1000,
                "source": "test",
                "external_id": str(number),
                "fingerprint": "0" * 32,
                **values,
            }
        )
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--help"])
    assert ended.value.code == 0
    assert f"python -m lib {command.name}" in capsys.readouterr().out


def test_help_lists_every_command_without_loading_any() -> None:
    asked = (
        "import sys; from lib.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally: print(sorted(name for name in sys.modules if name.startswith('lib.cli.')))"
    )
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [command.name for command in COMMANDS if not re.search(rf"^ +{command.name}\b", said, re.M)] == []
    assert "['lib.cli.main']" in said


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dance"])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_a_misspelt_setting_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ENCORE_DATABSE_URL", "x")
    assert main(["migrate"]) == 2
    assert "ENCORE_DATABSE_URL" in capsys.readouterr().err


def test_migrate_says_what_is_pending_and_then_applies_it(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENCORE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ENCORE_DATABASE_URL", empty_url)
    assert main(["migrate", "--pending"]) == 1
    assert inspect(open_engine(empty_url)).get_table_names() == []
    assert main(["migrate"]) == 0
    assert "0001" in capsys.readouterr().out
    assert main(["migrate", "--pending"]) == 0
    open_engine(empty_url).dispose()


def test_settings_never_print_a_password(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ENCORE_DATABASE_URL", "postgresql://ada:s3cr@et@127.0.0.1/encore")
    assert main(["settings"]) == 0
    assert main(["settings", "--json"]) == 0
    said = capsys.readouterr().out
    assert "s3cr" not in said
    assert "postgresql://ada:***@127.0.0.1/encore" in said


@pytest.mark.usefixtures("at_home")
def test_backup_and_restore_round_trip(
    database: Engine, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(database) as connection:
        _order(connection, 1)
    assert main(["backup", str(tmp_path)]) == 0
    (file,) = tmp_path.glob("*.encore-backup")
    assert main(["restore", str(file)]) == 2
    assert "--replace" in capsys.readouterr().err
    with writing(database) as connection:
        _order(connection, 2)
    assert main(["restore", str(file), "--replace"]) == 0
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(orders)) == 1


@pytest.mark.usefixtures("at_home")
def test_the_mart_follows_a_restore(database: Engine, store: Store, settings: Settings, tmp_path: Path) -> None:
    with writing(database) as connection:
        _order(connection, 1)
        _order(connection, 2)
    assert main(["backup", str(tmp_path / "b")]) == 0
    with writing(database) as connection:
        connection.execute(orders.delete().where(orders.c.number == "#2"))
    assert refresh(settings).orders == 1
    assert main(["restore", str(tmp_path / "b"), "--replace"]) == 0
    report = refresh(settings)
    assert (report.how, report.orders) == ("full", 2)
    assert main(["check", "--no-refresh"]) == 0


@pytest.mark.usefixtures("at_home")
def test_restoring_something_else_is_refused(
    database: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "orders.csv").write_text("id\n1\n")
    assert main(["restore", str(tmp_path / "orders.csv"), "--replace"]) == 2
    assert "not a backup" in capsys.readouterr().err
    assert pending(database) == []


@pytest.mark.usefixtures("at_home")
def test_check_is_content_with_a_sound_store(
    database: Engine, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(database) as connection:
        _order(connection, 1)
        _order(connection, 2, cancelled_at=now())
    assert main(["check", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["is_ok"] is True
    assert [finding["name"] for finding in said["checks"]] == [
        "migrations",
        "triggers",
        "indexes",
        "freshness",
        "mart",
        "imports",
        "rejected rows",
        "erasures",
    ]
    assert "2 orders" in said["checks"][4]["message"]


@pytest.mark.usefixtures("at_home")
def test_check_finds_a_change_that_the_mart_does_not_hold(
    database: Engine, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(database) as connection:
        _order(connection, 1)
    assert main(["check"]) == 0
    with writing(database) as connection:
        connection.execute(orders.update().values(gross_minor=1001, total_minor=1001))
    assert main(["check", "--no-refresh"]) == 1
    said = capsys.readouterr().out
    assert "gross_minor: 1001 in the order database, 1000 in the mart" in said
    assert main(["check"]) == 0


@pytest.mark.usefixtures("at_home")
def test_check_finds_rejected_rows_and_unfinished_imports(
    database: Engine, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(database) as connection:
        run_id = connection.execute(
            insert(import_runs).values(
                source="shopify", paths="x", status="interrupted", started_at=now(), heartbeat_at=now(), counts={}
            )
        ).inserted_primary_key
        assert run_id is not None
        connection.execute(
            insert(rejected_rows).values(
                import_run_id=run_id[0],
                source="shopify",
                kind="order",
                file="orders.csv",
                line=2,
                reason="no day",
                text="1;x",
                fingerprint="0" * 32,
                created_at=now(),
            )
        )
    assert main(["check", "--json"]) == 1
    bad = {f["name"]: f["details"] for f in json.loads(capsys.readouterr().out)["checks"] if not f["is_ok"]}
    assert bad.keys() == {"imports", "rejected rows"}
    assert bad["rejected rows"] == ["shopify: 1"]


@pytest.mark.usefixtures("at_home")
def test_check_finds_lost_triggers(database: Engine, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with writing(database) as connection:
        triggers.drop(connection)
    assert main(["check"]) == 1
    assert "LOOK  triggers" in capsys.readouterr().out


def test_check_of_a_database_without_tables_names_the_migration(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENCORE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ENCORE_DATABASE_URL", empty_url)
    assert main(["check"]) == 1
    assert "python -m lib migrate" in capsys.readouterr().out
    open_engine(empty_url).dispose()


def test_check_counts_what_cannot_be_checked_as_failed(settings: Settings) -> None:
    engine = order_database(settings)
    migrate(engine)
    found = {f.name: f for f in check._checks(settings, engine, may_refresh=False)}
    assert not found["mart"].is_ok
    assert "refresh" in found["mart"].message


def at_address(settings: Settings, address: str, public: str = "") -> Settings:
    return replace(settings, address=address, public_url=public)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_the_loopback_is_served_without_accounts(database: Engine, settings: Settings, address: str) -> None:
    refuse_without_owner(at_address(settings, address), database)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "8.8.8.8", "my-laptop"])
def test_other_addresses_are_refused_while_nobody_can_sign_in(
    database: Engine, settings: Settings, address: str
) -> None:
    with pytest.raises(SettingsError, match="python -m lib staff add YOUR@EMAIL --role owner"):
        refuse_without_owner(at_address(settings, address), database)


def test_a_public_address_in_front_of_the_loopback_is_open_too(database: Engine, settings: Settings) -> None:
    here = at_address(settings, "127.0.0.1", "https://encore.example.com")
    with pytest.raises(SettingsError, match="ENCORE_PUBLIC_URL would let others in"):
        refuse_without_owner(here, database)
    with writing(database) as connection:
        invite(connection, LOCAL, "ann@example.com", Role.OWNER, at=now())
    refuse_without_owner(here, database)


def run_staff(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["staff", *words])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_people_are_added_listed_changed_and_let_go_by_command(
    database: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENCORE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENCORE_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("ENCORE_PUBLIC_URL", "https://encore.example.com/")
    code, said = run_staff(capsys, "add", "Vera@Example.com", "--role", "viewer")
    assert (code, "must be an owner" in said) == (2, True)
    code, said = run_staff(capsys, "add", "Ann@Example.com", "--role", "owner")
    assert code == 0
    assert "https://encore.example.com/invitation/" in said
    assert run_staff(capsys, "add", "vera@example.com", "--role", "viewer")[0] == 0
    assert run_staff(capsys, "role", "vera@example.com", "support")[0] == 0
    code, said = run_staff(capsys, "list", "--json")
    assert [(p["email"], p["role"], p["state"]) for p in json.loads(said)] == [
        ("ann@example.com", "owner", "invited"),
        ("vera@example.com", "support", "invited"),
    ]
    code, said = run_staff(capsys, "deactivate", "ann@example.com")
    assert (code, "is the last owner" in said) == (2, True)
    code, said = run_staff(capsys, "role", "ann@example.com", "viewer")
    assert (code, "is the last owner" in said) == (2, True)
    assert run_staff(capsys, "deactivate", "vera@example.com")[0] == 0
    assert run_staff(capsys, "link", "vera@example.com")[0] == 2
    assert run_staff(capsys, "activate", "vera@example.com")[0] == 0
    code, said = run_staff(capsys, "link", "vera@example.com")
    assert (code, "/invitation/" in said) == (0, True)
    code, said = run_staff(capsys, "link", "nobody@example.com")
    assert (code, "Nobody here has the address" in said) == (2, True)


def test_the_log_is_verified_and_written_out_by_command(
    database: Engine,
    settings: Settings,
    noon: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ENCORE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENCORE_DATABASE_URL", settings.database_url)
    with writing(database) as connection:
        audit.record(connection, LOCAL, "goal.set", "goal:1", at=noon, after={"target": "=1+1"})
    file = tmp_path / "log.csv"
    assert main(["audit", "export", str(file)]) == 0
    assert file.stat().st_mode & 0o077 == 0
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 and "goal.set" in lines[1]
    assert main(["audit", "verify"]) == 0
    assert "2 entries" in capsys.readouterr().out
    with database.begin() as connection:
        triggers.drop(connection)
        connection.execute(text("UPDATE audit_log SET actor = 'Nobody' WHERE audit_id = 1"))
    assert main(["audit", "verify"]) == 1
    assert "broken at entry 1: the entry itself was changed" in capsys.readouterr().err


def test_a_taken_port_gives_way_unless_it_was_asked_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert choose_port("127.0.0.1", port, is_fixed=False) != port
        with pytest.raises(SettingsError, match=f"{port} is taken"):
            choose_port("127.0.0.1", port, is_fixed=True)
    assert choose_port("127.0.0.1", port, is_fixed=True) == port


def test_a_store_without_orders_is_a_store(database: Engine, settings: Settings) -> None:
    assert is_without_store(database)
    with writing(database) as connection:
        connection.execute(
            text(
                "INSERT INTO store (store_id, name, time_zone, languages, business_hours, updated_at)"
                " VALUES (1, 'Mine', 'UTC', '[]', '[]', '2026-01-01 00:00:00.000000')"
            )
        )
    assert not is_without_store(database)


def test_run_prepares_everything_and_then_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[tuple[str, int]] = []
    made: list[str] = []
    monkeypatch.setenv("ENCORE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(run, "serve", lambda address, port: served.append((address, port)))
    monkeypatch.setattr(run, "_command", lambda name, *_: made.append(name))
    assert main(["run"]) == 0
    assert made == ["demo"]
    engine = order_database(read_settings({"ENCORE_DATA_DIR": str(tmp_path)}))
    assert pending(engine) == []
    assert (tmp_path / "mart" / "current.json").exists()
    ((address, port),) = served
    assert f"http://{address}:{port}" in capsys.readouterr().out


def test_run_makes_no_demo_beside_a_store_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path
) -> None:
    (tmp_path / "order.db").write_bytes(sqlite_template.read_bytes())
    with writing(open_engine(f"sqlite:///{tmp_path / 'order.db'}")) as connection:
        _order(connection, 1)
    made: list[str] = []
    monkeypatch.setenv("ENCORE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(run, "serve", lambda *_: None)
    monkeypatch.setattr(run, "_command", lambda name, *_: made.append(name))
    assert main(["run"]) == 0
    assert made == []
