"""Files for spreadsheets: exact, whole, and without formulas."""

from datetime import datetime
from decimal import Decimal

import pandas as pd
import pytest
from sqlalchemy import Engine, insert, select

from lib.db.engine import reading, writing
from lib.db.tables.staff import audit_log, staff
from lib.errors import NotSignedIn
from lib.jobs.snapshot import newest
from lib.metrics import drill
from lib.metrics.cohort_rows import cell_account
from lib.metrics.cohorts import cohorts
from lib.metrics.definition import Scope, Unit
from lib.metrics.read import figures
from lib.periods import Period, day_of
from lib.settings import Settings
from lib.ui.account import exported
from lib.ui.tables import noted, safe_cell, to_csv


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "  =1"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


def test_numbers_stay_numbers_and_missing_is_empty() -> None:
    frame = pd.DataFrame({"a": [Decimal("-1.50"), None], "b": ["=x", "plain"]})
    assert to_csv(frame).decode("utf-8-sig") == "a,b\r\n-1.50,'=x\r\n,plain\r\n"


@pytest.mark.parametrize("key", ["net_sales", "orders", "customers", "gross_sales", "refunds"])
def test_the_download_adds_up_to_the_figure(stores: dict[str, Settings], key: str) -> None:
    mart = newest(stores["demo"])
    end = day_of(int(mart.about.last_day or 0) + 1)
    scope = Scope(period=Period.last(90, before=end), as_of=end)
    figure = figures(mart, [key], scope)[0]
    is_money = figure.unit is Unit.MONEY
    behind = drill.behind_figure(mart, key, scope)
    assert behind is not None
    rows = exported(drill.page(mart, behind, limit=None).frame, behind, "EUR")
    total = sum(Decimal(str(amount)) for amount in rows["amount"])
    assert total == Decimal(int(figure.value or 0)) / (100 if is_money else 1)
    pages = [drill.rows(mart, key, scope, offset=at, limit=25).frame for at in range(0, len(rows), 25)]
    assert len(pd.concat(pages)) == len(rows)
    assert sum(int(page["amount"].sum()) for page in pages) == figure.value


@pytest.mark.parametrize("is_money", [False, True])
def test_the_rows_of_a_cohort_add_up_to_its_cell(stores: dict[str, Settings], is_money: bool) -> None:
    mart = newest(stores["demo"])
    first, end = day_of(int(mart.about.first_day or 0)), day_of(int(mart.about.last_day or 0) + 1)
    scope = Scope(period=Period(first, end), as_of=end)
    cells = cohorts(mart, scope)
    complete = cells[cells["is_mature"].astype(bool)]
    assert len(complete) > 10
    for cell in complete.iloc[::5].to_dict("records"):
        month, k = int(cell["cohort_month"]), int(cell["k"])
        account = cell_account(mart, scope, month, k, is_money=is_money)
        rows = drill.page(mart, next(iter(account.parts.values())), limit=None)
        told = cell["net_minor"] if is_money else cell["customers"]
        assert rows.total_value == told == rows.frame["amount"].sum()
        assert len(rows.frame) == rows.total_rows


def test_a_download_is_in_the_log_before_the_file_is_made(
    database: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.ui.tables.settings", lambda: settings)
    monkeypatch.setattr("lib.ui.visit.settings", lambda: settings)
    frame = noted(pd.DataFrame({"a": [1, 2]}), "net_sales", token=None, address="127.0.0.1")
    assert len(frame) == 2
    with reading(database) as connection:
        (entry,) = connection.execute(select(audit_log)).mappings().all()
    assert (entry["action"], entry["subject"], entry["details"]) == (
        "rows.exported",
        "file:net_sales",
        {"after": {"rows": 2}},
    )


def test_whoever_is_signed_out_meanwhile_takes_nothing_out(
    database: Engine, settings: Settings, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.ui.tables.settings", lambda: settings)
    monkeypatch.setattr("lib.ui.visit.settings", lambda: settings)
    values = {"email": "ann@s.test", "name": "Ann", "role": "owner", "created_at": noon}
    with writing(database) as connection:
        connection.execute(insert(staff).values(**values))
    with pytest.raises(NotSignedIn):
        noted(pd.DataFrame({"a": [1]}), "net_sales", token="gone", address=None)
    with reading(database) as connection:
        assert connection.execute(select(audit_log)).first() is None
