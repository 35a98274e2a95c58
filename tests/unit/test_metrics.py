"""Each figure of a shop so small that it can be worked out by hand."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lib.db.tables.orders import refund_items, refunds
from lib.errors import UnknownFigure
from lib.mart.snapshot import Snapshot
from lib.metrics import repeat, sales
from lib.metrics.bridge import bridge
from lib.metrics.catalogue import METRICS
from lib.metrics.definition import Figure, Scope
from lib.metrics.read import dailies, daily, figures, population, rows, slices
from lib.periods import Period, day_index
from tests.shop_by_hand import ShopByHand, at

JULY = date(2025, 7, 1)


@pytest.fixture(scope="module")
def mart(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    shop = ShopByHand(sqlite_template, tmp_path_factory.mktemp("by_hand"))
    ann, ben, cleo, eve = (shop.customer(name) for name in ("Ann", "Ben", "Cleo", "Eve"))
    tea, cup = shop.product("Tea", "Drinks"), shop.product("Cup", "Kitchen")
    first = shop.order(
        "2025-01-10 09:00", ann, [(tea, 2, 5000)], cost=6000, shipping_minor=490, tax_minor=1900, paid_minor=12390
    )
    second = shop.order("2025-01-10 15:00", ann, [(cup, 1, 2000)])
    third = shop.order("2025-02-05 12:00", ann, [(tea, 1, 3000)], discount=500)
    bens = shop.order("2025-01-20 12:00", ben, [(tea, 1, 4000)], channel="app", country="AT", payment_status="pending")
    shop.order("2025-06-20 12:00", ben, [(cup, 1, 5000)], channel="app", country="AT")
    shop.order("2025-06-25 12:00", cleo, [(tea, 1, 6000)])
    shop.order("2025-01-15 12:00", None, [(cup, 1, 4000), (tea, 1, 3000)], channel="app")
    shop.order("2025-01-31 23:30", eve, [(cup, 1, 1500)])  # the first of February in Berlin
    cancelled = shop.order("2025-01-25 12:00", ann, [(tea, 1, 8000)], cancelled_at=at("2025-01-26 12:00"))
    shop.order("2025-01-26 12:00", ann, [(tea, 1, 3300)], payment_status="voided")
    shop.order("2025-01-27 12:00", ann, [(tea, 1, 9900)], is_test=True)
    shop.order("2025-01-28 12:00", ann, [(tea, 1, 2200)], discount=2200)
    shop.refund("2025-03-05 12:00", 1000, order=first, shipping_minor=100, tax_minor=50)
    shop.refund("2025-01-26 12:00", 8000, order=cancelled)
    shop.refund("2025-02-10 12:00", 300, customer_id=ben)
    shop.shipment(first, "2025-01-11 09:00", "2025-01-14 09:00", date(2025, 1, 15))
    shop.shipment(second, "2025-01-11 15:00", "2025-01-16 15:00", date(2025, 1, 15))
    shop.shipment(third, "2025-02-06 12:00", None, date(2025, 2, 10))
    shop.shipment(bens, "2025-01-21 12:00", "2025-01-22 12:00")
    shop.returned(first, "2025-02-01 12:00", 1, 5000, resolution="store_credit", refund_minor=1000, credit_minor=3000)
    shop.returned(second, "2025-02-02 12:00", 1, 2000, status="rejected")
    shop.review("2025-06-01 10:00", 5, "2025-06-01 20:00")
    shop.review("2025-06-02 10:00", 1, "2025-06-03 16:00")
    shop.review("2025-06-03 10:00", 4)
    shop.review("2025-06-04 10:00", 3, is_survey=True)
    shop.review("2025-06-05 10:00", 1, state="spam")
    shop.review("2025-06-30 10:00", 4)
    shop.ticket("2025-06-01 10:00", "2025-06-01 10:04", channel="chat", satisfaction=5)
    shop.ticket("2025-06-02 10:00", "2025-06-02 12:00", channel="email", satisfaction=2)
    shop.ticket("2025-06-03 10:00", channel="email")
    shop.ticket("2025-06-04 10:00", is_started_by_us=True)
    shop.ticket("2025-06-05 10:00", status="spam")
    shop.cart("2025-06-01 10:00", ordered_at="2025-06-01 10:10", is_contactable=True)
    shop.cart("2025-06-02 10:00", value_minor=1000)
    shop.cart("2025-06-03 10:00", ordered_at="2025-06-05 10:00", is_contactable=True, value_minor=2000)
    shop.cart("2025-06-04 10:00", "2025-06-05 10:00", "2025-06-08 10:00", is_contactable=True, value_minor=3000)
    shop.cart("2025-06-05 10:00", "2025-06-06 10:00", "2025-06-16 10:00", is_contactable=True, value_minor=4000)
    return shop.mart("2025-07-02 10:00")


def ask(
    start: date = date(2025, 1, 1),
    end: date = JULY,
    as_of: date = JULY,
    where: tuple[tuple[str, str], ...] = (),
    by: str | None = None,
) -> Scope:
    return Scope(period=Period(start, end), as_of=as_of, filters=where, by=by)


ALL = ask()
JANUARY = ask(end=date(2025, 2, 1))
FEBRUARY = ask(date(2025, 2, 1), date(2025, 3, 1))
MARCH = ask(date(2025, 3, 1), date(2025, 4, 1))


def one(mart: Snapshot, key: str, scope: Scope) -> Figure:
    found = figures(mart, [key], scope)
    assert len(found) == 1
    return found[0]


def values(mart: Snapshot, scope: Scope, *keys: str) -> dict[str, Any]:
    return {figure.key: figure.value for figure in figures(mart, keys, scope)}


def test_sales_of_january(mart: Snapshot) -> None:
    expected: Mapping[str, float] = {
        "orders": 4,
        "customers": 2,
        "new_customers": 2,
        "orders_of_unknown_customers": 1,
        "gross_sales": 23000,
        "discounts": 0,
        "refunds": 0,
        "refunds_behaviour": 1000,
        "net_sales": 23000,
        "net_sales_behaviour": 22000,
        "shipping": 490,
        "tax": 1900,
        "total_sales": 25390,
        "average_order_value": 5750,
        "units": 6,
        "unpaid_share": 0.25,
        "gross_margin": 3000,
        "gross_margin_share": 3000 / 9000,
        "costed_share": 0.2,
        "payments": 12390,
    }
    assert values(mart, JANUARY, *expected) == expected


def test_orders_left_out_are_counted_with_their_reason(mart: Snapshot) -> None:
    assert one(mart, "orders", JANUARY).left_out == {"cancelled": 1, "voided": 1, "test": 1, "zero value": 1}
    assert one(mart, "customers", JANUARY).left_out["unknown customer"] == 1
    assert one(mart, "gross_margin", JANUARY).left_out == {"cost unknown": 4}


def test_a_margin_of_goods_whose_cost_nobody_knows_is_no_data_and_not_zero(mart: Snapshot) -> None:
    margin = one(mart, "gross_margin", FEBRUARY)
    assert (margin.value, margin.numerator, margin.n) == (None, None, 0)
    assert margin.left_out["cost unknown"] > 0


def test_a_store_day_begins_at_the_stores_midnight(mart: Snapshot) -> None:
    assert values(mart, FEBRUARY, "orders", "gross_sales", "new_customers") == {
        "orders": 2,
        "gross_sales": 4500,
        "new_customers": 1,
    }


def test_refunds_count_on_their_own_day_in_cash_and_on_the_orders_day_in_behaviour(mart: Snapshot) -> None:
    assert values(mart, FEBRUARY, "refunds", "net_sales", "net_sales_behaviour") == {
        "refunds": 300,
        "net_sales": 3700,
        "net_sales_behaviour": 4000,
    }
    assert values(mart, MARCH, "net_sales", "shipping", "tax", "total_sales", "average_order_value", "refund_rate") == {
        "net_sales": -1000,
        "shipping": -100,
        "tax": -50,
        "total_sales": -1150,
        "average_order_value": None,
        "refund_rate": None,
    }


def test_a_refund_of_several_items_is_one_refund(sqlite_template: Path, tmp_path: Path) -> None:
    shop = ShopByHand(sqlite_template, tmp_path)
    tea, cup = shop.product("Tea", "Drinks"), shop.product("Cup", "Kitchen")
    order = shop.order("2025-01-10 09:00", shop.customer("Ann"), [(tea, 2, 5000), (cup, 1, 2000)])
    refund = shop.add(refunds, refunded_at=at("2025-01-12 12:00"), goods_minor=7000, total_minor=7000, order_id=order)
    for product, goods in ((tea, 5000), (cup, 2000)):
        shop.add(refund_items, refund_id=refund, quantity=1, goods_minor=goods, product_id=product)
    mart = shop.mart("2025-07-02 10:00")
    for key in ("refunds", "refunds_behaviour"):
        refunded = one(mart, key, ALL)
        assert (refunded.value, refunded.n) == (7000, 1)
    assert one(mart, "refunded_items", ALL).value == 2
    by_category = figures(mart, ["refunds"], ask(by="category"))
    assert [(figure.slice, figure.value, figure.n) for figure in by_category] == [
        ("Drinks", 5000, 1),
        ("Kitchen", 2000, 1),
    ]


def test_sales_split_by_product_add_up_to_all(mart: Snapshot) -> None:
    # Tea 10,000 + 3,000 - 500 + 4,000 + 6,000 + 3,000 less 1,000 of the first order and 300 of none; cups the rest.
    found = {figure.slice: figure for figure in figures(mart, ["net_sales"], ask(by="product"))}
    assert {name: figure.value for name, figure in found.items()} == {"Tea": 24500, "Cup": 12500, "unknown": -300}
    assert sum(figure.value or 0 for figure in found.values()) == one(mart, "net_sales", ALL).value
    assert {name: figure.n for name, figure in found.items()} == {"Tea": 5, "Cup": 4, "unknown": 0}
    tea = ask(where=(("product", "Tea"),))
    assert values(mart, tea, "net_sales", "orders", "customers", "units") == {
        "net_sales": 24500,
        "orders": 5,
        "customers": 3,
        "units": 6,
    }
    behind = rows(mart, "net_sales", tea, limit=None)
    assert behind.total_value == int(behind.frame["amount"].sum()) == 24500


def test_payments_say_how_many_orders_tell_of_none(mart: Snapshot) -> None:
    payments = one(mart, "payments", JANUARY)
    assert (payments.value, payments.n) == (12390, 1)
    # Of January's eight orders one is a test; one of the others says what was paid.
    assert payments.left_out == {"no payment recorded": 6, "test": 1}


def test_what_happened_on_the_as_of_day_is_not_known(mart: Snapshot) -> None:
    before = ask(end=date(2025, 2, 1), as_of=date(2025, 3, 5))
    after = ask(end=date(2025, 2, 1), as_of=date(2025, 3, 6))
    assert one(mart, "refunds_behaviour", before).value == 0
    assert one(mart, "refunds_behaviour", after).value == 1000
    assert one(mart, "orders", ask(as_of=date(2025, 1, 20))).value == 3
    assert "not as of that day" in one(mart, "orders", before).note


def test_returning_customers_and_their_overlap(mart: Snapshot) -> None:
    figure = one(mart, "returning_share_of_customers", ALL)
    assert (figure.value, figure.numerator, figure.denominator) == (0.5, 2, 4)
    assert figure.beside == {"new": 4, "new and returning": 2}
    february = one(mart, "returning_share_of_customers", FEBRUARY)
    assert (february.numerator, february.denominator) == (1, 2)
    assert february.beside == {"new": 1, "new and returning": 0}


def test_two_orders_of_one_day_are_one_occasion(mart: Snapshot) -> None:
    figure = one(mart, "returning_share_of_orders", ALL)
    assert (figure.numerator, figure.denominator) == (2, 7)
    assert figure.left_out["unknown customer"] == 1


@pytest.mark.parametrize(
    ("days", "expected", "immature"), [(30, (1, 3), 1), (60, (1, 3), 1), (90, (1, 3), 1), (180, (0, 0), 4)]
)
def test_repeat_within_counts_mature_customers_only(
    mart: Snapshot, days: int, expected: tuple[int, int], immature: int
) -> None:
    figure = one(mart, f"repeat_within_{days}", ALL)
    assert (figure.numerator, figure.denominator) == expected
    assert figure.left_out == {"immature": immature}
    assert figure.value == (expected[0] / expected[1] if expected[1] else None)


def test_a_customer_is_mature_the_day_after_her_n_days(mart: Snapshot) -> None:
    january = Period(date(2025, 1, 10), date(2025, 1, 11))
    assert one(mart, "repeat_within_30", Scope(period=january, as_of=date(2025, 2, 9))).denominator == 0
    assert one(mart, "repeat_within_30", Scope(period=january, as_of=date(2025, 2, 10))).value == 1.0


def test_lifetime_repeaters_grow_with_the_as_of_day(mart: Snapshot) -> None:
    found = [one(mart, "lifetime_repeaters", ask(as_of=day)) for day in (date(2025, 2, 1), date(2025, 2, 6), JULY)]
    assert [(figure.numerator, figure.denominator) for figure in found] == [(0, 2), (1, 3), (2, 4)]
    assert "2025-02-06" in found[1].note


def test_the_median_time_is_not_shown_below_fifty_at_risk(mart: Snapshot) -> None:
    figure = one(mart, "time_to_second_order", ALL)
    assert (figure.value, figure.numerator, figure.denominator) == (None, 2, 4)


def test_cohort_retention_by_month_and_null_until_mature(mart: Snapshot) -> None:
    cells = {figure.slice: figure for figure in figures(mart, ["cohort_retention"], ALL)}
    assert [cells[f"2025-01 +{k}"].value for k in range(6)] == [1.0, 0.5, 0.0, 0.0, 0.0, 0.5]
    assert cells["2025-06 +0"].value == 1.0
    assert "2025-01 +6" not in cells
    day_before = ask(as_of=date(2025, 6, 30))
    young = {figure.slice: figure for figure in figures(mart, ["cohort_retention"], day_before)}["2025-01 +5"]
    assert (young.value, young.left_out) == (None, {"immature": 2})
    assert "Mature on 2025-07-01" in young.note


def test_cohort_revenue_is_cumulative_per_customer_and_less_refunds(mart: Snapshot) -> None:
    cells = {figure.slice: figure.value for figure in figures(mart, ["cohort_revenue"], ALL)}
    assert [cells[f"2025-01 +{k}"] for k in (0, 1, 5)] == [7500.0, 8750.0, 11250.0]


def test_customers_worth_over_time_uses_mature_months_only(mart: Snapshot) -> None:
    found = repeat.worth(repeat.cohorts(mart, ALL))
    assert found["customers"].tolist() == [4, 3, 3, 3, 3, 2]
    assert found["month_minor"].tolist()[:2] == [(15000 + 1500 + 6000) / 4, 2500 / 3]


def test_one_time_customers_share_of_sales(mart: Snapshot) -> None:
    assert one(mart, "one_time_share_of_sales", ALL).value == 7500 / 30000
    assert one(mart, "one_time_share_of_sales", ask(as_of=date(2025, 2, 1))).value == 1.0
    table = repeat.one_time_share(mart, ALL).set_index("kind")
    assert table["net_minor"].to_dict() == {"one-time": 7500, "repeat": 22500, "unknown": 7000}


def test_an_order_is_of_a_category_when_one_of_its_lines_is(mart: Snapshot) -> None:
    found = {(f.key, f.slice): f.value for f in figures(mart, ["orders", "gross_sales"], ask(by="category"))}
    assert found["orders", "Drinks"] == 5
    assert found["orders", "Kitchen"] == 4
    assert found["gross_sales", "Drinks"] == 10000 + 3000 + 4000 + 6000 + 3000


def test_several_filters_must_all_hold(mart: Snapshot) -> None:
    assert one(mart, "orders", ask(where=(("channel", "app"), ("country", "AT")))).value == 2
    assert one(mart, "net_sales", ask(where=(("channel", "app"), ("category", "Drinks")))).value == 7000
    assert one(mart, "repeat_within_90", ask(where=(("channel", "web"), ("country", "DE")))).denominator == 2


def test_a_split_by_month_asks_each_month_by_itself(mart: Snapshot) -> None:
    found = {figure.slice: figure.value for figure in figures(mart, ["customers"], ask(by="month"))}
    assert found == {"2025-01": 2, "2025-02": 2, "2025-03": 0, "2025-04": 0, "2025-05": 0, "2025-06": 2}


def test_every_day_of_the_period_is_there(mart: Snapshot) -> None:
    scope = ask(date(2025, 1, 9), date(2025, 1, 12), as_of=date(2025, 1, 11))
    found = dailies(mart, ["net_sales", "average_order_value", "customers"], scope)
    assert found["day"].tolist() == [day_index(date(2025, 1, 9)) + i for i in range(3)]
    assert found["net_sales"].tolist()[:2] == [0.0, 12000.0]
    assert found.isna().to_numpy().tolist() == [
        [False, False, True, False],
        [False, False, False, False],
        [False, True, True, True],
    ]
    assert daily(mart, "orders", scope)["value"].tolist()[:2] == [0.0, 2.0]


def test_late_is_judged_by_store_day_among_what_arrived(mart: Snapshot) -> None:
    late = one(mart, "late_share", ALL)
    assert (late.numerator, late.denominator) == (1, 2)
    assert late.left_out == {"no promise": 1, "not arrived yet": 1}
    assert one(mart, "on_time_share", ALL).denominator == 3
    assert values(mart, ALL, "promise_share", "overdue_shipments", "days_to_ship") == {
        "promise_share": 0.75,
        "overdue_shipments": 1,
        "days_to_ship": 1.0,
    }
    early = one(mart, "late_share", ask(end=date(2025, 2, 1), as_of=date(2025, 1, 16)))
    assert (early.numerator, early.denominator, early.left_out) == (0, 1, {"not arrived yet": 1})


def test_days_to_deliver_are_fractions_of_24_hours(mart: Snapshot) -> None:
    assert values(mart, ALL, "days_to_deliver", "days_to_deliver_mean", "days_to_deliver_p90") == {
        "days_to_deliver": 4.0,
        "days_to_deliver_mean": 4.0,
        "days_to_deliver_p90": pytest.approx(5.6),
    }


def test_return_rates_set_returns_against_their_orders(mart: Snapshot) -> None:
    assert values(
        mart, JANUARY, "return_rate_by_value", "return_rate_by_units", "return_rate_by_orders", "returns"
    ) == {
        "return_rate_by_value": 5000 / 23000,
        "return_rate_by_units": 1 / 6,
        "return_rate_by_orders": 0.25,
        "returns": 0,
    }
    assert one(mart, "retained_revenue", FEBRUARY).value == 0.75
    assert one(mart, "returns", FEBRUARY).left_out == {"rejected": 1}


def test_an_unanswered_review_is_a_miss_and_a_survey_needs_no_reply(mart: Snapshot) -> None:
    answered = one(mart, "reviews_answered_within_target", ALL)
    assert (answered.numerator, answered.denominator) == (1, 3)
    assert answered.left_out == {"spam": 1, "survey": 1, "target not passed": 1}
    assert one(mart, "average_rating", ALL).value == (5 + 1 + 4 + 3 + 4) / 5
    assert one(mart, "reviews_unanswered", ALL).value == 2
    # From 3 June 12:00 in Berlin to 1 July 0:00.
    assert one(mart, "oldest_unanswered_review", ALL).value == 27 * 24 + 12


def test_an_unanswered_ticket_is_a_miss(mart: Snapshot) -> None:
    within = one(mart, "answered_within_target", ALL)
    assert (within.numerator, within.denominator) == (1, 3)
    assert within.left_out == {"spam": 1, "started by us": 1}
    assert values(mart, ALL, "tickets", "first_response_median", "tickets_waiting", "csat") == {
        "tickets": 3,
        "first_response_median": (240 + 7200) / 2,
        "tickets_waiting": 1,
        "csat": 0.5,
    }


def test_carts_come_back_unaided_or_recovered_and_never_both(mart: Snapshot) -> None:
    expected = {
        "carts": 5,
        "abandoned_carts": 4,
        "abandoned_value": 10000,
        "converted_unaided": 1,
        "contacted_carts": 2,
        "recovered_carts": 1,
        "abandoned_share": 0.8,
        "email_capture_rate": 0.8,
    }
    assert values(mart, ALL, *expected) == expected
    assert one(mart, "recovered_carts", ask(as_of=date(2025, 6, 8))).value == 0


def test_the_bridge_leads_from_ours_to_the_others_to_the_cent(mart: Snapshot) -> None:
    lines = bridge(mart, JANUARY).set_index("line")["amount_minor"].to_dict()
    assert lines == {
        "ours": 23000,
        "cancelled_gross": 11300,
        "cancelled_discounts": 0,
        "cancelled_refunds": -8000,
        "shopify": 26300,
        "cancelled_again": -3300,
        "unpaid_gross": -4000,
        "unpaid_discounts": 0,
        "unpaid_refunds": 0,
        "woocommerce": 19000,
    }


def test_best_sellers_against_the_month_before(mart: Snapshot) -> None:
    found = sales.best_sellers(mart, FEBRUARY, JANUARY).set_index("product")
    assert found["net_minor"].to_dict() == {"Tea": 2500, "Cup": 1500}
    assert found["net_before_minor"].to_dict() == {"Tea": 16000, "Cup": 6000}
    assert found["units_before"].to_dict() == {"Tea": 4, "Cup": 2}


def test_driver_totals_set_unknown_customers_apart(mart: Snapshot) -> None:
    assert sales.driver_totals(mart, JANUARY) == {"customers": 2, "orders": 3, "net": 16000, "unknown_net": 7000}


def test_what_first_orders_lead_to(mart: Snapshot) -> None:
    found = repeat.next_purchases(mart, ALL).set_index("first")
    assert found["customers"].to_dict() == {"Drinks": 3, "Kitchen": 1}
    assert found.loc["Drinks", "mature_90"] == 2
    assert found.loc["Drinks", "share_90"] == 0.5


def test_rows_of_a_page_and_of_all(mart: Snapshot) -> None:
    page = rows(mart, "net_sales", ALL, offset=0, limit=3)
    assert len(page.frame) == 3
    assert (page.total_rows, page.total_value) == (8 + 1 + 2, one(mart, "net_sales", ALL).value)
    left_out = rows(mart, "orders", JANUARY, part="left_out")
    assert sorted(left_out.frame["what"]) == ["cancelled", "test", "voided", "zero value"]


def test_slices_come_with_most_orders_first(mart: Snapshot) -> None:
    # Unknown: a refund that belongs to no order.
    assert slices(mart, "channel") == ["web", "app", "unknown"]


def test_an_unknown_figure_names_those_spelt_alike(mart: Snapshot) -> None:
    with pytest.raises(UnknownFigure, match="net_sales"):
        figures(mart, ["net_sale"], ALL)
    with pytest.raises(UnknownFigure, match="channel"):
        figures(mart, ["net_sales"], ask(by="chanel"))
    with pytest.raises(UnknownFigure, match="cannot be split or filtered by 'category'"):
        figures(mart, ["shipping"], ask(where=(("category", "Drinks"),)))


@pytest.mark.parametrize("key", METRICS)
def test_every_figure_says_what_it_counts_and_answers_an_empty_period(mart: Snapshot, key: str) -> None:
    nothing = ask(date(2024, 1, 1), date(2024, 1, 1), as_of=date(2024, 1, 1))
    metric = METRICS[key]
    assert metric.meaning.endswith(".")
    assert metric.formula
    assert metric.meaning in population(key, ALL)
    for figure in figures(mart, [key], nothing):
        assert not figure.value
        assert figure.low is None
