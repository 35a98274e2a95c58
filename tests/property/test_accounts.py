"""Laws of what opens: the screen, the rows and the file agree to the cent, whatever is asked."""

import csv
import io
import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copyfile

import numpy as np
import pandas as pd
import pytest

from lib.db.engine import open_engine, writing
from lib.mart.schema import DIMENSIONS, FIRST_DIMENSIONS
from lib.mart.snapshot import Snapshot, current
from lib.metrics import moved, repeat, sales
from lib.metrics.account import Account, figure_account
from lib.metrics.bridge import LINES, bridge, bridge_account
from lib.metrics.catalogue import METRICS
from lib.metrics.cohort_rows import cell_account, worth_account
from lib.metrics.cohorts import cohorts, worth
from lib.metrics.definition import Age, Scope, Spread, Unit
from lib.metrics.drill import Behind, page
from lib.metrics.next_rows import next_account
from lib.metrics.product_rows import product_account
from lib.metrics.read import dailies, figures, slices
from lib.metrics.sales_share import share_account
from lib.periods import Period
from lib.ui.account import exported, put_in
from lib.ui.tables import to_csv
from tests.property.test_mart import Shop, bring

FIRST, END = date(2025, 9, 1), date(2026, 3, 1)
ROUNDS = range(4)


@pytest.fixture(scope="module")
def mart(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A shop in which people did things at random for half a year."""
    folder = tmp_path_factory.mktemp("accounts")
    copyfile(sqlite_template, folder / "order.db")
    url = f"sqlite:///{folder / 'order.db'}"
    at = datetime(2026, 2, 26, 12, tzinfo=UTC)
    with writing(open_engine(url)) as connection:
        shop = Shop(connection, at, random.Random(3))
        for _ in range(14):
            shop.new_customer()
            shop.new_product()
        shop.live(500)
    bring(folder / "mart", url, at + timedelta(days=1), full=True)
    return current(folder / "mart")


class Asker:
    """Questions at random: days, what is known of them, and filters that hold for a part of the store."""

    def __init__(self, mart: Snapshot, seed: int) -> None:
        self.mart, self.dice = mart, random.Random(seed)

    def period(self) -> Period:
        start = FIRST + timedelta(days=self.dice.randrange(0, 150))
        return Period(start, min(END, start + timedelta(days=self.dice.randrange(1, 60))))

    def pair(self, dimensions: Iterable[str]) -> tuple[Scope, Scope]:
        """A period and the one before it, with the same filters."""
        period, where = self.period(), self.filters(dimensions)
        as_of = period.end if self.dice.random() < 0.7 else END
        before = period.previous()
        return (
            Scope(period=period, as_of=as_of, filters=where),
            Scope(period=before, as_of=before.end, filters=where),
        )

    def filters(self, dimensions: Iterable[str]) -> tuple[tuple[str, str], ...]:
        chosen = [name for name in dimensions if self.dice.random() < 0.25][:2]
        return tuple((name, self.dice.choice(slices(self.mart, name))) for name in chosen)

    def first_orders(self) -> Scope:
        """All first orders up to a day; asked of all, or of one channel or country of the first order."""
        as_of = self.dice.choice([END, date(2026, 1, 20), date(2025, 12, 15)])
        where = self.filters([name for name in ("channel", "country") if name in FIRST_DIMENSIONS])
        return Scope(period=Period(date(2025, 8, 1), as_of), as_of=as_of, filters=where)


@pytest.fixture(params=ROUNDS)
def asker(mart: Snapshot, request: pytest.FixtureRequest) -> Asker:
    return Asker(mart, request.param)


def amount(behind: Behind, mart: Snapshot) -> int:
    """What the rows come to: on the screen, over its pages, and in the file, which must be the same."""
    whole = page(mart, behind, limit=None)
    assert len(whole.frame) == whole.total_rows
    assert int(whole.frame["amount"].sum()) == whole.total_value
    step = max(1, whole.total_rows // 3)
    pages = [page(mart, behind, offset=at, limit=step).frame for at in range(0, whole.total_rows, step)]
    assert sum(int(each["amount"].sum()) for each in pages) == whole.total_value
    file = to_csv(exported(whole.frame, behind, "EUR")).decode("utf-8-sig")
    written = sum(Decimal(row["amount"]) for row in csv.DictReader(io.StringIO(file)))
    assert written * (100 if behind.unit is Unit.MONEY else 1) == whole.total_value
    return int(whole.total_value)


def rows_of(account: Account, mart: Snapshot) -> dict[str, int]:
    """Each part's amount, having looked at it all ways; the account is complete."""
    assert account.meaning
    assert account.formula
    assert account.counted
    assert not account.worked or put_in(account, "EUR")
    found = {name: amount(behind, mart) for name, behind in account.parts.items()}
    if "Left out" in found:
        assert found["Left out"] == sum(account.left_out.values()) > 0
    return found


def number(account: Account, name: str) -> float:
    (found,) = (each.value for each in account.numbers if each.name == name)
    assert found is not None
    return found


@pytest.mark.parametrize("key", [key for key, metric in METRICS.items() if not key.startswith(("cohort", "lifetime_"))])
def test_a_figure_opens_to_rows_that_are_the_figure(mart: Snapshot, key: str) -> None:
    metric = METRICS[key]
    scope, _ = Asker(mart, len(key)).pair([name for name in DIMENSIONS if name in metric.dimensions])
    account, figure = figure_account(mart, key, scope), figures(mart, [key], scope)[0]
    assert account.value == figure.value
    if isinstance(metric, Spread):
        assert page(mart, account.parts["Counted"], limit=None).total_rows == figure.n
        return
    found = list(rows_of(account, mart).values())
    if not isinstance(metric, Age):
        assert found[0] == (figure.numerator or 0)
    if figure.denominator is not None:
        assert found[1] == figure.denominator


def test_a_day_of_the_trend_opens_to_its_orders(asker: Asker) -> None:
    scope, _ = asker.pair(("channel", "country"))
    days = dailies(asker.mart, ["net_sales"], scope)
    for place, net in enumerate(days["net_sales"]):
        start = scope.period.start + timedelta(days=place)
        day = scope.within(Period(start, start + timedelta(days=1)))
        if net == net:
            account = figure_account(asker.mart, "net_sales", day)
            assert account.value == net == rows_of(account, asker.mart)["Counted"]


def test_each_line_of_the_bridge_is_its_orders_and_refunds(asker: Asker) -> None:
    scope, _ = asker.pair(("channel", "country", "customer_kind", "device", "payment_method"))
    table = bridge(asker.mart, scope).set_index("line")["amount_minor"]
    for line in LINES:
        account = bridge_account(asker.mart, scope, line.key)
        assert account.value == table[line.key] == rows_of(account, asker.mart)["Counted"]


def test_each_driver_is_worked_out_from_the_rows_it_opens(asker: Asker) -> None:
    scope, before = asker.pair(DIMENSIONS)
    found = moved.drivers(asker.mart, scope, before)
    whole = moved.driver_account(asker.mart, scope, before, moved.WHOLE)
    assert rows_of(whole, asker.mart)["The change"] == whole.value == sum(found.parts.values())
    unknown = moved.driver_account(asker.mart, scope, before, "unknown_customers")
    assert rows_of(unknown, asker.mart)["The change"] == unknown.value == found.parts["unknown_customers"]
    for name in ("customers", "orders_per_customer", "average_order_value"):
        account = moved.driver_account(asker.mart, scope, before, name)
        assert account.value == found.parts[name]
        behind = rows_of(account, asker.mart)
        for total, label in (("customers", "Customers"), ("orders", "Orders"), ("net", "Net sales")):
            assert behind[f"{label}, these days"] == found.after[total] == number(account, f"{total}_now")
            assert behind[f"{label}, compared with"] == found.before[total] == number(account, f"{total}_then")
        if min(found.before["orders"], found.after["orders"]):
            # The formula, with the numbers of the account put in, gives the part to the cent.
            places = {each.name: each.value for each in account.numbers}
            sign = {"×": "*", "÷": "/", "−": "-"}
            text = "".join(sign.get(letter, letter) for letter in account.worked)
            assert abs(eval(text.format(**places)) - found.parts[name]) < 1


@pytest.mark.parametrize("dimension", ["channel", "country", "category", "customer_kind"])
def test_each_segment_is_the_orders_of_both_periods(asker: Asker, dimension: str) -> None:
    scope, before = asker.pair(("channel", "country", "device"))
    table = moved.segments(asker.mart, scope, before, dimension)
    total = 0
    for row in table.to_dict("records"):
        account = moved.segment_account(asker.mart, scope, before, dimension, str(row["segment"]))
        behind = rows_of(account, asker.mart)
        assert behind["The change"] == account.value == row["change"]
        assert behind["Net sales, these days"] == row["after"]
        assert behind["Net sales, compared with"] == row["before"]
        volume = "Units" if dimension == "category" else "Orders"
        assert behind[f"{volume}, these days"] == number(account, "volume_0")
        assert behind[f"{volume}, compared with"] == number(account, "volume_1")
        total += behind["The change"]
    whole = moved.driver_account(asker.mart, scope, before, moved.WHOLE)
    assert total == whole.value


def test_a_best_seller_is_its_lines_discounts_and_refunds(asker: Asker) -> None:
    scope, before = asker.pair(DIMENSIONS)
    for row in sales.best_sellers(asker.mart, scope, before, limit=20).to_dict("records"):
        product_id = None if pd.isna(row["product_id"]) else int(row["product_id"])
        account = product_account(asker.mart, scope, before, product_id, str(row["product"]))
        behind = rows_of(account, asker.mart)
        assert behind["Net sales"] == account.value == row["net_minor"]
        assert behind["Units"] == row["units"]
        assert behind["Orders"] == row["orders"]
        assert behind["Net sales, compared with"] == row["net_before_minor"]


@pytest.mark.parametrize("dimension", ["category", "product"])
def test_what_first_orders_lead_to_opens_to_customers_and_second_orders(asker: Asker, dimension: str) -> None:
    scope = asker.first_orders()
    for row in repeat.next_purchases(asker.mart, scope, dimension).to_dict("records"):
        account = next_account(asker.mart, scope, dimension, str(row["first"]))
        behind = rows_of(account, asker.mart)
        for within in (90, 180):
            followed = behind[f"Followed for {within} days"]
            assert followed == row[f"mature_{within}"]
            assert followed + behind[f"Not yet {within} days"] == row["customers"]
            if followed:
                assert behind[f"Back within {within} days"] / followed == row[f"share_{within}"]
        if not pd.isna(row["second_orders"]):
            assert behind["All second orders"] == row["second_orders"]
            assert behind[f"Second orders: {row['next']}"] / behind["All second orders"] == row["next_share"]


def test_a_cell_of_the_cohorts_and_a_point_of_the_curve_are_their_rows(asker: Asker) -> None:
    scope = asker.first_orders()
    cells = cohorts(asker.mart, scope)
    complete = cells[cells["is_mature"].astype(bool)] if len(cells) else cells
    for cell in complete.to_dict("records"):
        for is_money in (False, True):
            account = cell_account(asker.mart, scope, int(cell["cohort_month"]), int(cell["k"]), is_money=is_money)
            top, size = list(rows_of(account, asker.mart).values())[:2]
            assert size == cell["size"]
            assert top == cell["net_minor" if is_money else "customers"]
            assert account.value == top / size
    running = 0.0
    for point in worth(cells).to_dict("records"):
        account = worth_account(asker.mart, scope, int(point["k"]))
        behind = rows_of(account, asker.mart)
        assert behind["Customers followed"] == point["customers"]
        running += behind[f"Net sales in month {point['k']}"] / behind["Customers followed"]
        assert account.value == point["net_per_customer_minor"] == pytest.approx(running)


def test_who_brings_the_sales_opens_to_the_orders_of_each_kind(asker: Asker) -> None:
    scope, _ = asker.pair(("channel", "country", "device"))
    for row in repeat.one_time_share(asker.mart, scope).to_dict("records"):
        account = share_account(asker.mart, scope, str(row["kind"]))
        own, whole = list(rows_of(account, asker.mart).values())[:2]
        assert own == row["net_minor"]
        assert account.value == (own / whole if whole else None)
        assert account.n == row["orders"]
        assert np.isnan(row["share"]) or account.value == row["share"]
