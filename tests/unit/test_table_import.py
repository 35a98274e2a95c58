"""Tables of several shops: each shop's rows are kept under its own name."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from lib.cli.main import main
from lib.db.engine import reading
from lib.db.store import Store
from lib.db.tables.orders import orders, refunds
from lib.importers.mapping import Mapping
from lib.importers.sources import kept_under, source_named
from lib.jobs.imports import run_import
from lib.settings import Settings

ORDERS = {"order_id": "Order", "placed_at": "Date", "total": "Total"}
REFUNDS = {"refund_id": "Refund", "order_id": "Order", "refunded_at": "Date", "amount": "Total"}


def table(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def kept(database: Engine) -> list[tuple[str, str, int]]:
    with reading(database) as connection:
        columns = (orders.c.source, orders.c.external_id, orders.c.total_minor)
        return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns[:2]))]


def test_two_shops_that_number_alike_overwrite_nothing_of_each_other(
    settings: Settings, database: Engine, store: Store, tmp_path: Path
) -> None:
    north = table(tmp_path, "north.csv", "Order,Date,Total\n1,2025-01-05,10.00\n")
    south = table(tmp_path, "south.csv", "Order,Date,Total\n1,2025-02-05,99.00\n")
    for path, shop in ((north, "North"), (south, "Süd 2"), (north, ""), (north, "North")):
        run_import(settings, "table", [path], mapping=Mapping("orders", ORDERS, shop=shop))
    assert kept(database) == [("table", "1", 1000), ("table:north", "1", 1000), ("table:sud-2", "1", 9900)]


def test_tables_of_one_shop_refer_to_each_other(
    settings: Settings, database: Engine, store: Store, tmp_path: Path
) -> None:
    sold = table(tmp_path, "orders.csv", "Order,Date,Total\n1,2025-01-05,10.00\n")
    back = table(tmp_path, "refunds.csv", "Refund,Order,Date,Total\nR1,1,2025-01-07,4.00\n")
    run_import(settings, "table", [sold], mapping=Mapping("orders", ORDERS, shop="North"))
    run_import(settings, "table", [sold], mapping=Mapping("orders", ORDERS, shop="South"))
    report = run_import(settings, "table", [back], mapping=Mapping("refunds", REFUNDS, shop="north"))
    assert (report.source, report.stored, report.rejected) == ("table:north", 1, 0)
    with reading(database) as connection:
        against = select(orders.c.source).join_from(refunds, orders, refunds.c.order_id == orders.c.order_id)
        assert connection.scalars(against).all() == ["table:north"]


@pytest.mark.parametrize(
    ("shop", "name"),
    [
        ("", "table"),
        ("  ", "table"),
        ("North", "table:north"),
        ("Nord & Süd", "table:nord-sud"),
        ("x" * 99, "table:" + "x" * 40),
    ],
)
def test_a_shops_name_is_written_plainly(shop: str, name: str) -> None:
    assert kept_under("table", shop) == name
    assert source_named(name).name == "table"


def test_names_without_a_latin_letter_differ_still() -> None:
    first, second = kept_under("table", "東京"), kept_under("table", "大阪")
    assert first != second
    assert first.startswith("table:") and len(first) <= 46


def test_rejected_rows_of_one_shop_are_listed_by_its_name(
    settings: Settings,
    database: Engine,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ENCORE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENCORE_DATABASE_URL", settings.database_url)
    bad = table(tmp_path, "bad.csv", "Order,Date,Total\n1,2025-01-05,many\n")
    for shop in ("North", "South"):
        run_import(settings, "table", [bad], mapping=Mapping("orders", ORDERS, shop=shop))
    assert main(["rejected", "list", "--source", "table:north"]) == 0
    listed = capsys.readouterr().out
    assert "table:north" in listed
    assert "table:south" not in listed
