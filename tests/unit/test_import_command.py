"""`python -m lib import` and `rejected`: as a person meets them."""

import csv
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select

import lib.settings
from lib.cli.main import main
from lib.db.engine import reading, writing
from lib.db.store import Store, read_store, write_store
from lib.db.tables.all import metadata
from lib.db.tables.orders import exchange_rates, orders
from lib.db.tables.store import import_runs, rejected_rows
from lib.db.triggers import missing
from lib.errors import ImportRefused
from lib.importers.rejected import harmless
from lib.importers.replace_demo import KEPT
from lib.jobs.imports import run_import
from lib.settings import Settings

HEADER = (
    "Name,Email,Financial Status,Currency,Subtotal,Shipping,Taxes,Total,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price"
)


def line(number: int, total: str = "10.00", at: str = "2025-03-01 10:00:00 +0000") -> str:
    return f"#{number},ann@example.com,paid,EUR,10.00,0.00,0.00,{total},{at},1,Soap,10.00"


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str, name: str = "orders.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([HEADER, *lines]) + "\n")
        return path

    return write


@pytest.fixture
def command(settings: Settings, database: Engine, store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("ENCORE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENCORE_DATABASE_URL", settings.database_url)
    lib.settings.settings.cache_clear()
    return lambda *words: main([str(word) for word in words])


def count(engine: Engine, table: object) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]  # a table


def test_an_import_reports_what_it_did_and_gives_0(
    command: Callable[..., int], export: Callable[..., Path], capsys: pytest.CaptureFixture[str], database: Engine
) -> None:
    assert command("import", "shopify", export(line(1), line(2)), "--no-refresh", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert {key: report[key] for key in ("read", "stored", "unchanged", "rejected")} == {
        "read": 2,
        "stored": 2,
        "unchanged": 0,
        "rejected": 0,
    }
    assert (report["first_day"], report["files"]) == ("2025-03-01", ["orders.csv"])
    assert count(database, orders) == 2


def test_rejected_rows_give_1_and_can_be_listed_corrected_and_imported_alone(
    command: Callable[..., int],
    export: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    database: Engine,
    tmp_path: Path,
) -> None:
    path = export(line(1), line(2, total="=HYPERLINK()"), line(3, at="2999-01-01 10:00:00 +0000"))
    assert command("import", "shopify", path, "--no-refresh") == 1
    assert "2 rejected" in capsys.readouterr().out.replace("  ", " ").replace("  ", " ").replace("  ", " ")
    assert command("rejected", "list") == 0
    listed = capsys.readouterr().out
    assert "orders.csv:3" in listed and "orders.csv:4" in listed
    template = tmp_path / "template.csv"
    assert command("rejected", "template", template, "--source", "shopify") == 0
    assert stat.S_IMODE(template.stat().st_mode) == 0o600
    assert template.read_text().splitlines() == path.read_text().splitlines()[:1] + path.read_text().splitlines()[2:]
    template.write_text("\n".join([HEADER, line(2), line(3)]) + "\n")
    capsys.readouterr()
    assert command("rejected", "import", template, "--source", "shopify") == 0
    assert "No row is left open." in capsys.readouterr().out
    assert count(database, orders) == 3


def test_the_exported_list_holds_no_formula(
    command: Callable[..., int], export: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    bad = line(2, total="x").replace("#2", "=cmd|' /C calc'!A0")
    command("import", "shopify", export(bad), "--no-refresh")
    capsys.readouterr()
    assert command("rejected", "export", "-") == 0
    cells = [cell for row in csv.reader(io.StringIO(capsys.readouterr().out)) for cell in row]
    assert any("cmd|" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_dismissed_rows_stay_dismissed_when_they_come_again(
    command: Callable[..., int], export: Callable[..., Path], database: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    path = export(line(1, total="x"))
    command("import", "shopify", path, "--no-refresh")
    assert command("rejected", "dismiss", "--source", "shopify") == 0
    command("import", "shopify", path, "--no-refresh")
    capsys.readouterr()
    assert command("rejected", "list") == 0
    assert capsys.readouterr().out == "No rejected rows.\n"
    assert count(database, rejected_rows) == 1


def test_a_wrong_file_gives_2_names_the_right_source_and_writes_nothing(
    command: Callable[..., int], export: Callable[..., Path], capsys: pytest.CaptureFixture[str], database: Engine
) -> None:
    assert command("import", "judgeme", export(line(1))) == 2
    assert "import it as shopify" in capsys.readouterr().err
    assert command("import", "nonsense", export(line(1))) == 2
    assert "No source is called 'nonsense'" in capsys.readouterr().err
    assert count(database, import_runs) == count(database, orders) == 0


def test_a_dry_run_writes_nothing(
    command: Callable[..., int], export: Callable[..., Path], capsys: pytest.CaptureFixture[str], database: Engine
) -> None:
    assert command("import", "shopify", export(line(1), line(2, total="x")), "--dry-run") == 1
    assert "Dry run: nothing was written." in capsys.readouterr().out
    with reading(database) as connection:
        full = {
            table.name
            for table in metadata.sorted_tables
            if table.name != "store" and connection.scalar(select(func.count()).select_from(table))
        }
    assert full == set()


def test_a_dry_run_makes_no_database(settings: Settings, export: Callable[..., Path]) -> None:
    report = run_import(settings, "shopify", [export(line(1))], dry_run=True)
    assert (report.read, report.stored, report.run_id) == (1, 1, None)
    assert not (settings.data_dir / "order.db").exists()


# The demo store


@pytest.fixture
def demo(database: Engine) -> Engine:
    with writing(database) as connection:
        write_store(connection, Store("Demo", "Europe/Berlin", "EUR", "DE", ("de",), True))
        connection.execute(insert(exchange_rates).values(currency="USD", target="EUR", valid_from="2025-01-01", rate=1))
    return database


def fill(engine: Engine, settings: Settings, path: Path) -> None:
    """Orders of the demo's own, as if it had made them."""
    with writing(engine) as connection:
        made = read_store(connection, settings)
        write_store(connection, Store("Demo", made.time_zone, "EUR", "DE", ("de",), False))
    run_import(settings, "shopify", [path])
    with writing(engine) as connection:
        write_store(connection, made)


def test_an_import_into_the_demo_store_is_refused_unless_told_to_replace_it(
    demo: Engine, settings: Settings, export: Callable[..., Path]
) -> None:
    fill(demo, settings, export(line(1), line(2)))
    with pytest.raises(ImportRefused, match="--replace-demo"):
        run_import(settings, "shopify", [export(line(9), name="real.csv")])
    assert count(demo, orders) == 2


def test_replacing_the_demo_store_removes_all_of_it_and_keeps_the_triggers(
    demo: Engine, settings: Settings, export: Callable[..., Path]
) -> None:
    fill(demo, settings, export(line(1), line(2)))
    report = run_import(settings, "shopify", [export(line(9), name="real.csv")], replace_demo=True)
    assert report.replaced_demo
    with reading(demo) as connection:
        assert list(connection.scalars(select(orders.c.number))) == ["#9"]
        kept = read_store(connection, settings)
        assert missing(connection) == []
        left = {t.name for t in metadata.sorted_tables if connection.scalar(select(func.count()).select_from(t))}
    assert (kept.is_demo, kept.name, kept.currency) == (False, "My store", "EUR")
    assert left - KEPT == {"customers", "customer_identities", "products", "orders", "order_items"}
    assert count(demo, exchange_rates) == 1


def test_an_empty_or_wrong_file_never_removes_the_demo_store(
    demo: Engine, settings: Settings, export: Callable[..., Path], tmp_path: Path
) -> None:
    fill(demo, settings, export(line(1)))
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    for path in (export(name="empty.csv"), wrong):
        with pytest.raises(ImportRefused):
            run_import(settings, "shopify", [path], replace_demo=True)
    assert count(demo, orders) == 1


def test_reviews_of_another_platform_are_refused_by_name(
    command: Callable[..., int], database: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "loox.csv"
    file.write_text("id,status,rating,email,review,date,productId\na1,Active,5,ada@example.com,Good,2025-03-02,93\n")
    assert command("import", "judgeme", file, "--no-refresh") == 2
    assert "Loox: import it as loox" in capsys.readouterr().err
    assert count(database, metadata.tables["reviews"]) == 0
    assert command("import", "loox", file, "--no-refresh") == 0
