"""UCI Online Retail from import to figure, against pandas straight from the file (CC BY 4.0)."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from lib.db.engine import order_database
from lib.db.migrate import migrate
from lib.errors import NotEnoughData
from lib.jobs.imports import run_import
from lib.jobs.refresh import refresh
from lib.mart.snapshot import Snapshot, current
from lib.metrics.definition import Scope
from lib.metrics.read import dailies, figures
from lib.metrics.repeat import lifetime
from lib.periods import Period
from lib.settings import read_settings

pytestmark = pytest.mark.slow

NO_GOODS = ("POST", "DOT", "C2", "M", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK")
AS_OF = date(2011, 12, 10)
WHOLE = Period(date(2010, 12, 1), AS_OF)
SPRING = Period(date(2011, 3, 1), date(2011, 6, 1))


@pytest.fixture(scope="module")
def file(real_data: Callable[[str], Path]) -> Path:
    return real_data("online_retail/online_retail_2010_2011.csv.gz")


@pytest.fixture(scope="module")
def mart(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    settings = read_settings(
        {
            "ENCORE_DATA_DIR": str(tmp_path_factory.mktemp("online_retail")),
            "ENCORE_STORE_TIME_ZONE": "Europe/London",
            "ENCORE_STORE_CURRENCY": "GBP",
        }
    )
    migrate(order_database(settings))
    report = run_import(settings, "online_retail", [file])
    assert report.rejected == 0
    refresh(settings)
    return current(settings.mart_dir)


@pytest.fixture(scope="module")
def goods(file: Path) -> pd.DataFrame:
    """All lines of goods: ``invoice``, ``customer``, ``country``, ``day`` (date), ``quantity``, ``pence``."""
    lines = pd.read_csv(file, dtype={"InvoiceNo": str, "StockCode": str, "CustomerID": str})
    code = lines["StockCode"].str.upper()
    lines = lines[~code.isin(NO_GOODS) & ~code.str.startswith("GIFT_")]
    return pd.DataFrame(
        {
            "invoice": lines["InvoiceNo"],
            "customer": lines["CustomerID"],
            "country": lines["Country"],
            "day": pd.to_datetime(lines["InvoiceDate"]).dt.date,
            "quantity": lines["Quantity"],
            "pence": (lines["Quantity"] * lines["UnitPrice"] * 100).round().astype("int64"),
        }
    )


@pytest.fixture(scope="module")
def orders(goods: pd.DataFrame) -> pd.DataFrame:
    """Valid orders: invoices with a plain number and goods worth more than nothing."""
    sold = goods[goods["invoice"].str.fullmatch(r"\d+")]
    found = sold.groupby("invoice").agg(
        customer=("customer", "first"), country=("country", "first"), day=("day", "first"), pence=("pence", "sum")
    )
    return found[found["pence"] > 0]


@pytest.fixture(scope="module")
def occasions(orders: pd.DataFrame) -> pd.DataFrame:
    """One row per known customer and day, with the day of the first and the number of the occasion."""
    days = orders.dropna(subset=["customer"])[["customer", "day"]].drop_duplicates().sort_values(["customer", "day"])
    days["first"] = days.groupby("customer")["day"].transform("min")
    days["number"] = days.groupby("customer").cumcount() + 1
    return days


def told(mart: Snapshot, period: Period, *keys: str) -> list[float | int | None]:
    return [figure.value for figure in figures(mart, keys, Scope(period=period, as_of=AS_OF))]


def within(frame: pd.DataFrame, period: Period) -> pd.DataFrame:
    return frame[(frame["day"] >= period.start) & (frame["day"] < period.end)]


@pytest.mark.parametrize("period", [WHOLE, SPRING], ids=["whole", "spring"])
def test_sales(mart: Snapshot, goods: pd.DataFrame, orders: pd.DataFrame, period: Period) -> None:
    valid = within(orders, period)
    back = within(goods[goods["invoice"].str.startswith("C")], period)
    gross, refunds = int(valid["pence"].sum()), -int(back["pence"].sum())
    assert told(mart, period, "orders", "customers", "orders_of_unknown_customers", "gross_sales", "refunds") == [
        len(valid),
        valid["customer"].nunique(),
        int(valid["customer"].isna().sum()),
        gross,
        refunds,
    ]
    assert told(mart, period, "net_sales", "average_order_value", "refund_rate") == [
        gross - refunds,
        (gross - refunds) / len(valid),
        refunds / gross,
    ]


def test_the_published_whole(mart: Snapshot) -> None:
    assert told(mart, WHOLE, "orders", "customers", "gross_sales", "net_sales") == [
        19_773,
        4_334,
        1_027_143_306,
        979_270_888,
    ]


def test_every_day(mart: Snapshot, orders: pd.DataFrame) -> None:
    by_day = orders.groupby("day").agg(orders=("pence", "size"), pence=("pence", "sum"))
    table = dailies(mart, ["orders", "gross_sales"], Scope(period=WHOLE, as_of=AS_OF))
    days = [WHOLE.start + timedelta(days=i) for i in range(WHOLE.days)]
    assert table["orders"].tolist() == by_day["orders"].reindex(days, fill_value=0).tolist()
    assert table["gross_sales"].tolist() == by_day["pence"].reindex(days, fill_value=0).tolist()


def test_units_by_country(mart: Snapshot, goods: pd.DataFrame, orders: pd.DataFrame) -> None:
    found = {f.slice: f.value for f in figures(mart, ["gross_sales"], Scope(period=WHOLE, as_of=AS_OF, by="country"))}
    assert found["DE"] == orders.loc[orders["country"] == "Germany", "pence"].sum()
    assert found["FR"] == orders.loc[orders["country"] == "France", "pence"].sum()
    sold = goods[goods["invoice"].isin(orders.index)]
    assert told(mart, WHOLE, "units") == [sold["quantity"].sum()]


@pytest.mark.parametrize("period", [WHOLE, SPRING], ids=["whole", "spring"])
def test_new_and_returning(mart: Snapshot, occasions: pd.DataFrame, orders: pd.DataFrame, period: Period) -> None:
    seen = within(occasions, period)
    bought, returning = set(seen["customer"]), set(seen.loc[seen["number"] > 1, "customer"])
    new = set(seen.loc[seen["number"] == 1, "customer"])
    figure = figures(mart, ["returning_share_of_customers"], Scope(period=period, as_of=AS_OF))[0]
    assert (figure.numerator, figure.denominator) == (len(returning), len(bought))
    assert figure.beside == {"new": len(new), "new and returning": len(new & returning)}
    known = within(orders.dropna(subset=["customer"]).merge(occasions, on=["customer", "day"]), period)
    assert told(mart, period, "returning_share_of_orders") == [(known["number"] > 1).sum() / len(known)]


@pytest.mark.parametrize("days", [30, 60, 90, 180, 365])
@pytest.mark.parametrize("as_of", [AS_OF, date(2011, 8, 1)], ids=str)
def test_repeat_within(mart: Snapshot, occasions: pd.DataFrame, days: int, as_of: date) -> None:
    people = occasions[occasions["day"] < as_of].groupby("customer")["day"].agg(list)
    mature = [seen for seen in people if seen[0] + timedelta(days=days) < as_of]
    back = [seen for seen in mature if len(seen) > 1 and seen[1] <= seen[0] + timedelta(days=days)]
    figure = figures(mart, [f"repeat_within_{days}"], Scope(period=WHOLE, as_of=as_of))[0]
    assert (figure.numerator, figure.denominator) == (len(back), len(mature))
    assert figure.left_out.get("immature", 0) == len(people) - len(mature)


def test_time_to_second_order_is_the_product_limit(mart: Snapshot, occasions: pd.DataFrame) -> None:
    """The plain product over days, customer by customer."""
    people = occasions.groupby("customer")["day"].agg(list)
    gaps = [(seen[1] - seen[0]).days for seen in people if len(seen) > 1]
    open_since = [(AS_OF - seen[0]).days - 1 for seen in people if len(seen) == 1]
    surviving = 1.0
    for day in sorted(set(gaps)):
        at_risk = sum(gap >= day for gap in gaps) + sum(age >= day for age in open_since)
        surviving *= 1 - gaps.count(day) / at_risk
        if surviving <= 0.5:
            break
    assert told(mart, WHOLE, "time_to_second_order") == [day]
    assert told(mart, WHOLE, "lifetime_repeaters") == [len(gaps) / len(people)]


def test_cohort_retention(mart: Snapshot, occasions: pd.DataFrame) -> None:
    months = occasions.assign(
        cohort=[f"{day:%Y-%m}" for day in occasions["first"]],
        k=[
            12 * (d.year - f.year) + d.month - f.month
            for d, f in zip(occasions["day"], occasions["first"], strict=True)
        ],
    )
    sizes = months[months["number"] == 1].groupby("cohort").size()
    counts = months.drop_duplicates(["customer", "k"]).groupby(["cohort", "k"]).size()
    checked = 0
    for figure in figures(mart, ["cohort_retention"], Scope(period=WHOLE, as_of=AS_OF)):
        cohort, k = figure.slice.split(" +")
        if date.fromisoformat(f"{cohort}-01") + timedelta(days=31 * int(k)) >= date(2011, 12, 1):
            continue
        assert (figure.numerator, figure.denominator) == (counts.get((cohort, int(k)), 0), sizes[cohort])
        checked += 1
    assert checked >= 60


def test_december_2011_is_immature(mart: Snapshot) -> None:
    cells = {f.slice: f for f in figures(mart, ["cohort_retention"], Scope(period=WHOLE, as_of=AS_OF))}
    assert cells["2011-11 +0"].value == 1.0
    assert cells["2011-11 +1"].value is None
    assert cells["2010-12 +12"].value is None


def test_the_lifetime_model_refuses_a_wholesaler_whose_buyers_do_not_stop(mart: Snapshot) -> None:
    """The chance to stop runs to its bound; the figure then has no value and says why."""
    scope = Scope(period=WHOLE, as_of=AS_OF)
    with pytest.raises(NotEnoughData, match="cannot be fitted"):
        lifetime(mart, scope)
    figure = figures(mart, ["lifetime_model"], scope)[0]
    assert figure.value is None
    assert "cannot be fitted" in figure.note
