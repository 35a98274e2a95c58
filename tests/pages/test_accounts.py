"""What opens on the pages of the demo store: the lifetime model with its input, and words that are true."""

from collections.abc import Callable

import pandas as pd
import pytest

from lib.errors import UnknownFigure
from lib.jobs.snapshot import newest
from lib.metrics.account import Account
from lib.metrics.bridge import bridge_account
from lib.metrics.definition import Mart, Scope, Unit
from lib.metrics.drill import page
from lib.metrics.lifetime import lifetime
from lib.metrics.lifetime_rows import LABELS, lifetime_account
from lib.metrics.moved import driver_account, segment_account
from lib.metrics.next_rows import next_account
from lib.metrics.product_rows import product_account
from lib.metrics.sales_share import share_account
from lib.periods import Period, day_of
from lib.settings import Settings
from lib.ui.account import facts, put_in
from lib.ui.lifetime import by_purchases


@pytest.fixture
def mart(stores: dict[str, Settings]) -> Mart:
    return newest(stores["demo"])


@pytest.fixture(params=[0, 120])
def first_orders(mart: Mart, request: pytest.FixtureRequest) -> Scope:
    """All first orders, as known now and as known some months ago."""
    first, end = day_of(int(mart.about.first_day)), day_of(int(mart.about.last_day) + 1 - request.param)
    return Scope(period=Period(first, end), as_of=end)


def counted(mart: Mart, account: Account, part: str) -> int:
    return int(page(mart, account.parts[part], limit=None).frame["amount"].sum())


def test_the_lifetime_model_opens_to_its_customers_and_its_grouped_input(mart: Mart, first_orders: Scope) -> None:
    groups = lifetime(mart, first_orders).groups
    account = lifetime_account(mart, first_orders, "orders")
    assert account.value == pytest.approx(float((groups["orders"] * groups["n"]).sum()))
    assert counted(mart, account, "Customers") == groups["n"].sum()
    assert counted(mart, account, "Repeat purchases") == (groups["x"] * groups["n"]).sum()
    rows = page(mart, account.parts["Grouped input"], limit=None).frame
    opened = rows[["x", "t_x", "t", "amount"]].rename(columns={"amount": "n"}).sort_values(["x", "t_x", "t"])
    fitted = groups[["x", "t_x", "t", "n"]].sort_values(["x", "t_x", "t"])
    pd.testing.assert_frame_equal(
        opened.reset_index(drop=True), fitted.reset_index(drop=True), check_dtype=False, rtol=1e-12
    )


def test_each_row_of_the_lifetime_table_opens_to_its_customers(mart: Mart, first_orders: Scope) -> None:
    shown = by_purchases(lifetime(mart, first_orders).groups)
    for purchases, row in enumerate(shown.to_dict("records"), start=1):
        orders = lifetime_account(mart, first_orders, "orders", purchases)
        assert counted(mart, orders, "Customers") == counted(mart, orders, "Grouped input") == row["Customers"]
        assert orders.value == pytest.approx(row["Orders to come"])
        worth = lifetime_account(mart, first_orders, "worth", purchases)
        assert worth.value == pytest.approx(100 * row["Sales to come"])
        active = lifetime_account(mart, first_orders, "active", purchases)
        assert active.value == pytest.approx(row["Still buying"] / 100)


def test_the_backtest_opens_to_the_purchases_that_came(mart: Mart, first_orders: Scope) -> None:
    tested = lifetime(mart, first_orders).model.backtest
    assert tested is not None
    account = lifetime_account(mart, first_orders, "backtest")
    assert account.value == tested.ratio()
    assert counted(mart, account, "Occasions that came") == tested.actual
    assert counted(mart, account, "Customers known then") == tested.customers
    assert counted(mart, account, "Grouped input known then") == tested.customers


def test_each_parameter_of_the_model_says_what_it_means(mart: Mart, first_orders: Scope) -> None:
    account = lifetime_account(mart, first_orders, "worth")
    told = {number.name: number.meaning for number in account.numbers if number.meaning}
    assert list(told) == ["r", "alpha", "a", "b", "p", "q", "v"]
    assert "order of an unknown customer" in account.left_out
    assert counted(mart, account, "Left out") == account.left_out["order of an unknown customer"]


REFUSED: dict[str, Callable[[Mart, Scope], Account]] = {
    "line": lambda mart, scope: bridge_account(mart, scope, "nobody"),
    "driver": lambda mart, scope: driver_account(mart, scope, scope, "weather"),
    "segment": lambda mart, scope: segment_account(mart, scope, scope, "channel", "the moon"),
    "product": lambda mart, scope: product_account(mart, scope, scope, 987654321, "Nothing"),
    "first order": lambda mart, scope: next_account(mart, scope, "category", "Nothing"),
    "kind": lambda mart, scope: share_account(mart, scope, "rich"),
    "number": lambda mart, scope: lifetime_account(mart, scope, "mood"),  # type: ignore[arg-type]  # what is refused
}


@pytest.mark.parametrize("kind", list(REFUSED))
def test_what_is_not_on_the_screen_does_not_open(mart: Mart, first_orders: Scope, kind: str) -> None:
    with pytest.raises(UnknownFigure):
        REFUSED[kind](mart, first_orders)


def test_the_labels_of_the_model_are_those_of_the_page() -> None:
    assert list(LABELS.values()) == ["Still buying", "Orders to come", "Sales to come", "Backtest"]


def test_an_account_says_small_sample_no_data_and_puts_its_numbers_in() -> None:
    told = {"key": "k", "label": "L", "unit": Unit.SHARE, "meaning": "m", "formula": "f", "counted": "c"}
    account = Account(**told, period=Period(day_of(0), day_of(1)), value=None, n=5)  # type: ignore[arg-type]  # by name
    assert facts(account, "EUR") == ["From 5 cases", "Small sample: read it with care."]
    assert put_in(account, "EUR").endswith("= no data")
