"""Tickets by hour of the week and by channel, counted by hand."""

from datetime import date
from pathlib import Path

import pytest

from lib.mart.snapshot import Snapshot
from lib.metrics.definition import Scope
from lib.metrics.read import figures
from lib.metrics.ticket_course import arrivals, by_channel
from lib.periods import Period
from tests.shop_by_hand import ShopByHand

# 2 June 2025 is a Monday; Berlin is two hours ahead of UTC.
TWO_WEEKS = Scope(period=Period(date(2025, 6, 2), date(2025, 6, 16)), as_of=date(2025, 6, 16))


@pytest.fixture(scope="module")
def mart(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    shop = ShopByHand(sqlite_template, tmp_path_factory.mktemp("tickets"))
    shop.order("2025-06-01 10:00", shop.customer("Ann"), [(shop.product("Tea", "Drinks"), 1, 500)])
    shop.ticket("2025-06-02 10:30", "2025-06-02 10:34", channel="chat")
    shop.ticket("2025-06-09 10:10", "2025-06-09 11:00", channel="chat")
    shop.ticket("2025-06-09 22:30", "2025-06-09 23:00", channel="email")  # Tuesday, half past midnight
    shop.ticket("2025-06-15 21:55", channel="email")  # its hour passes only at 00:55 of the as-of day
    shop.ticket("2025-06-03 10:00", status="spam")
    shop.ticket("2025-06-03 10:00", is_started_by_us=True)
    kept = shop.ticket("2025-06-16 10:00", channel="phone")
    shop.ticket("2025-06-09 10:10", channel="chat", merged_into_id=kept, status="closed")
    return shop.mart("2025-06-20 10:00")


def test_tickets_fall_into_their_hour_of_the_week_by_the_stores_clock(mart: Snapshot) -> None:
    found = arrivals(mart, TWO_WEEKS)
    assert len(found) == 168
    assert set(found["weeks"]) == {2}
    came = found[found["n"] > 0]
    assert list(zip(came["weekday"], came["hour"], came["n"], came["per_hour"], strict=True)) == [
        (0, 12, 2, 1.0),
        (1, 0, 1, 0.5),
        (6, 23, 1, 0.5),
    ]


def test_a_weekday_that_does_not_occur_has_no_rate(mart: Snapshot) -> None:
    monday = Scope(period=Period(date(2025, 6, 2), date(2025, 6, 3)), as_of=date(2025, 6, 16))
    found = arrivals(mart, monday)
    assert found["per_hour"].isna().sum() == 6 * 24
    assert found["n"].sum() == 1


def test_a_channel_counts_what_was_answered_of_all_whose_time_has_passed(mart: Snapshot) -> None:
    found = by_channel(mart, TWO_WEEKS)
    rows = found[["channel", "n", "due", "in_time", "share"]].to_numpy().tolist()
    assert rows == [["chat", 2, 2, 1, 0.5], ["email", 2, 1, 1, 1.0]]
    assert (found["low"] < found["share"]).all()


def test_a_merged_ticket_counts_once_and_is_named_among_those_left_out(mart: Snapshot) -> None:
    (found,) = figures(mart, ["tickets"], TWO_WEEKS)
    assert found.value == 4
    assert found.left_out == {"spam": 1, "started by us": 1, "merged into another": 1}
