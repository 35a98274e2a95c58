"""Olist's 10,000 orders of 2017 from import to figure, against pandas straight from the files."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from lib.db.engine import order_database
from lib.db.migrate import migrate
from lib.jobs.imports import run_import
from lib.jobs.refresh import refresh
from lib.mart.snapshot import Snapshot, current
from lib.metrics.definition import Figure, Scope
from lib.metrics.read import figures
from lib.periods import Period
from lib.settings import read_settings

ALL = Scope(period=Period(date(2017, 1, 1), date(2018, 1, 1)), as_of=date(2019, 1, 1))
JUNE = Scope(period=Period(date(2017, 6, 1), date(2017, 7, 1)), as_of=date(2019, 1, 1))


@pytest.fixture(scope="module")
def folder(real_data: Callable[[str], Path]) -> Path:
    return real_data("olist/subset10k_2017")


@pytest.fixture(scope="module")
def mart(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    settings = read_settings(
        {
            "ENCORE_DATA_DIR": str(tmp_path_factory.mktemp("olist")),
            "ENCORE_STORE_TIME_ZONE": "America/Sao_Paulo",
            "ENCORE_STORE_CURRENCY": "BRL",
        }
    )
    migrate(order_database(settings))
    run_import(settings, "olist", [folder])
    refresh(settings)
    return current(settings.mart_dir)


@pytest.fixture(scope="module")
def orders(folder: Path) -> pd.DataFrame:
    """One row per order, with its day, person, item and freight sums (centavos) and validity."""
    found = pd.read_csv(folder / "orders.csv", parse_dates=[3, 4, 5, 6, 7])
    people = pd.read_csv(folder / "customers.csv")[["customer_id", "customer_unique_id", "customer_state"]]
    items = pd.read_csv(folder / "order_items.csv")
    items["goods"] = (items["price"] * 100).round().astype("int64")
    items["freight"] = (items["freight_value"] * 100).round().astype("int64")
    sums = items.groupby("order_id").agg(goods=("goods", "sum"), freight=("freight", "sum"), units=("goods", "size"))
    found = found.merge(people, on="customer_id").merge(sums, on="order_id", how="left").fillna({"goods": 0})
    found["day"] = found["order_purchase_timestamp"].dt.date
    found["valid"] = ~found["order_status"].isin(["canceled", "unavailable"]) & (found["goods"] > 0)
    return found


def one(mart: Snapshot, key: str, scope: Scope = ALL) -> Figure:
    return figures(mart, [key], scope)[0]


@pytest.mark.parametrize("scope", [ALL, JUNE], ids=["year", "june"])
def test_sales(mart: Snapshot, orders: pd.DataFrame, scope: Scope) -> None:
    seen = orders[(orders["day"] >= scope.period.start) & (orders["day"] < scope.period.end)]
    valid = seen[seen["valid"]]
    expected = {
        "orders": len(valid),
        "customers": valid["customer_unique_id"].nunique(),
        "gross_sales": int(valid["goods"].sum()),
        "shipping": int(valid["freight"].sum()),
        "units": int(valid["units"].sum()),
        "average_order_value": valid["goods"].sum() / len(valid),
    }
    assert {figure.key: figure.value for figure in figures(mart, list(expected), scope)} == expected
    assert sum(one(mart, "orders", scope).left_out.values()) == len(seen) - len(valid)


def test_payments_are_all_that_was_paid(mart: Snapshot) -> None:
    assert one(mart, "payments").value == 1_620_279_37


def test_late_by_date_and_by_timestamp(mart: Snapshot) -> None:
    by_date, by_time = one(mart, "late_share"), one(mart, "late_share_by_time")
    assert (by_date.numerator, by_date.denominator) == (574, 9_648)
    assert (by_time.numerator, by_time.denominator) == (663, 9_648)


def test_days_to_deliver(mart: Snapshot, orders: pd.DataFrame) -> None:
    taken = orders["order_delivered_customer_date"] - orders["order_purchase_timestamp"]
    days = taken[orders["valid"]].dt.total_seconds().dropna() / 86_400
    found = {
        f.key: f.value for f in figures(mart, ["days_to_deliver", "days_to_deliver_mean", "days_to_deliver_p90"], ALL)
    }
    assert (round(found["days_to_deliver"] or 0, 2), round(found["days_to_deliver_mean"] or 0, 2)) == (11.00, 12.97)
    assert found["days_to_deliver_p90"] == pytest.approx(days.quantile(0.9), abs=0.01)
    assert one(mart, "days_to_deliver").n == len(days) == 9_648


def test_what_was_delivered_later_is_not_known_in_june(mart: Snapshot, orders: pd.DataFrame) -> None:
    early = Scope(period=Period(date(2017, 6, 1), date(2017, 6, 15)), as_of=date(2017, 6, 15))
    seen = orders[orders["valid"] & (orders["day"] >= early.period.start) & (orders["day"] < early.period.end)]
    arrived = seen["order_delivered_customer_date"] < pd.Timestamp(early.as_of)
    figure = one(mart, "late_share", early)
    assert (figure.denominator, figure.left_out["not arrived yet"]) == (arrived.sum(), (~arrived).sum())


def test_a_repeat_is_another_day_of_the_same_person(mart: Snapshot, orders: pd.DataFrame) -> None:
    days = orders[orders["valid"]].groupby("customer_unique_id")["day"].agg(lambda seen: sorted(set(seen)))
    back = [seen for seen in days if len(seen) > 1]
    figure = one(mart, "lifetime_repeaters")
    assert (figure.numerator, figure.denominator) == (len(back), len(days))
    soon = sum((seen[1] - seen[0]).days <= 90 for seen in back)
    assert one(mart, "repeat_within_90").numerator == soon
