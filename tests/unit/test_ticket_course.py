"""Tickets by hour of the week and by channel, counted by hand; what was promised, as the order database counts it."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from lib.db.engine import open_engine, reading, writing
from lib.db.service import read_promises
from lib.db.tables.desk import targets
from lib.db.tables.staff import staff
from lib.db.tables.store import store
from lib.db.tables.tickets import TICKET_CHANNELS, tickets
from lib.mart.schema import fact_ticket
from lib.mart.snapshot import Snapshot
from lib.metrics.definition import Scope
from lib.metrics.drill import rows
from lib.metrics.read import figures
from lib.metrics.ticket_course import arrivals, backlog, by_channel, by_person
from lib.periods import Period
from tests.shop_by_hand import ShopByHand, at

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
    shown = found[["channel", "n", "due", "in_time", "share"]].to_numpy().tolist()
    assert shown == [["chat", 2, 2, 1, 0.5], ["email", 2, 1, 1, 1.0]]
    assert (found["low"] < found["share"]).all()


def test_a_merged_ticket_counts_once_and_is_named_among_those_left_out(mart: Snapshot) -> None:
    (found,) = figures(mart, ["tickets"], TWO_WEEKS)
    assert found.value == 4
    assert found.left_out == {"spam": 1, "started by us": 1, "merged into another": 1}


# A week with a night shift, days that overlap, and two closed ones.
ODD_WEEK = [["09:00", "18:00"], ["20:00", "06:00"], ["05:00", "12:00"], None]
ODD_WEEK += [["00:00", "24:00"], ["00:00", "02:30"], None]


@pytest.mark.parametrize("week", [ODD_WEEK, [None] * 7], ids=["odd week", "never open"])
def test_the_mart_promises_what_the_order_database_promises(
    sqlite_template: Path, tmp_path: Path, week: list[list[str] | None]
) -> None:
    shop = ShopByHand(sqlite_template, tmp_path)
    with writing(open_engine(shop.url)) as conn:
        conn.execute(update(store).values(business_hours=week))
        for work, minutes, clock in (("chat", 15, "business"), ("phone", 3000, "business"), ("email", 90, "calendar")):
            conn.execute(insert(targets).values(work=work, minutes=minutes, clock=clock))
    # Weeks around both changes of the clock, and the very edges of opening hours.
    chance, instants = random.Random(7), []
    for start in ("2025-03-28", "2025-10-24", "2025-06-01"):
        begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
        instants += [begin + timedelta(minutes=15 * chance.randrange(960)) for _ in range(40)]
        instants += [begin + timedelta(seconds=chance.randrange(864_000)) for _ in range(20)]
    asked: dict[int, tuple[str, datetime, datetime | None]] = {}
    for key, asked_at in enumerate(instants, 1):
        answered = asked_at + timedelta(seconds=chance.randrange(400_000)) if chance.random() < 0.8 else None
        asked[key] = (chance.choice(TICKET_CHANNELS), asked_at, answered)
    with writing(open_engine(shop.url)) as conn:
        conn.execute(
            insert(tickets),
            [
                {"ticket_id": key, "source": "hand", "external_id": str(key), "fingerprint": "f", "channel": channel}
                | {"opened_at": asked_at, "first_response_at": answered}
                for key, (channel, asked_at, answered) in asked.items()
            ],
        )
    found = shop.mart("2025-11-20 10:00").frame(
        select(fact_ticket.c.ticket_id, fact_ticket.c.due_at, fact_ticket.c.open_seconds_to_response)
    )
    with reading(open_engine(shop.url)) as conn:
        promises = read_promises(conn)
    assert len(found) == len(asked) == 180
    for key, due, seconds in zip(*(found[name].tolist() for name in found.columns), strict=True):
        channel, asked_at, answered = asked[key]
        assert due.replace(tzinfo=UTC) == promises.due(channel, asked_at), (channel, asked_at)
        if answered is None or not any(week):
            assert seconds != seconds
        else:
            assert seconds == promises.hours.between(asked_at, answered).total_seconds(), asked_at


def test_figures_channel_table_and_rows_judge_by_the_stores_own_target(sqlite_template: Path, tmp_path: Path) -> None:
    shop = ShopByHand(sqlite_template, tmp_path)
    with writing(open_engine(shop.url)) as conn:
        conn.execute(insert(targets).values(work="email", minutes=60, clock="business"))
    # Saturday evening: open again on Monday at 9:00 in Berlin, 7:00 in UTC.
    shop.ticket("2025-06-07 20:00", "2025-06-09 07:59", channel="email")
    shop.ticket("2025-06-07 21:00", "2025-06-09 08:01", channel="email")
    shop.ticket("2025-06-07 20:00", "2025-06-07 20:06", channel="chat")
    mart = shop.mart("2025-06-20 10:00")
    (found,) = figures(mart, ["answered_within_target"], TWO_WEEKS)
    assert (found.numerator, found.denominator) == (1, 3)
    table = by_channel(mart, TWO_WEEKS)
    assert (int(table["in_time"].sum()), int(table["due"].sum())) == (1, 3)
    assert rows(mart, "answered_within_target", TWO_WEEKS).total_value == 1
    assert rows(mart, "answered_within_target", TWO_WEEKS, part="denominator").total_value == 3
    (opened, calendar) = figures(mart, ["first_response_open_hours_median", "first_response_median"], TWO_WEEKS)
    assert (opened.value, calendar.value) == (59 * 60, 35 * 3600 + 60)


def test_the_time_that_waited_for_the_customer_is_taken_out_of_the_resolution(
    sqlite_template: Path, tmp_path: Path
) -> None:
    shop = ShopByHand(sqlite_template, tmp_path)
    closed = {"status": "closed", "closed_at": datetime(2025, 6, 3, 12, tzinfo=UTC)}
    shop.ticket("2025-06-03 10:00", "2025-06-03 10:10", paused_seconds=3600, **closed)
    shop.ticket("2025-06-03 10:00", "2025-06-03 10:10", paused_seconds=0, **closed)
    shop.ticket("2025-06-03 10:00")
    mart = shop.mart("2025-06-20 10:00")
    median, opened = figures(mart, ["resolution_time_median", "open_tickets"], TWO_WEEKS)
    assert (median.value, median.n, opened.value) == (5400, 2, 1)


def test_each_persons_tickets_add_up_to_all_and_open_to_their_rows(sqlite_template: Path, tmp_path: Path) -> None:
    shop = ShopByHand(sqlite_template, tmp_path)
    ann = shop.add(staff, email="ann@shop.test", name="Ann", role="support", created_at=at("2025-01-01 00:00"))
    closed = {"status": "closed", "closed_at": at("2025-06-03 12:00")}
    shop.ticket("2025-06-03 10:00", "2025-06-03 10:30", channel="email", owner_id=ann, assignee="Old Ann", **closed)
    shop.ticket("2025-06-03 10:00", "2025-06-03 12:30", channel="email", owner_id=ann, reopened_count=1)
    shop.ticket("2025-06-03 10:00", "2025-06-03 10:10", channel="email", assignee="Bob")
    shop.ticket("2025-06-03 10:00", channel="email")
    shop.ticket("2025-06-03 10:00", channel="email", owner_id=ann, status="spam")
    mart = shop.mart("2025-06-20 10:00")
    found = by_person(mart, TWO_WEEKS)
    shown = found[["owner", "assignee", "n", "due", "in_time", "response", "resolution", "reopened"]].astype(object)
    assert shown.where(shown.notna(), None).to_numpy().tolist() == [
        [str(ann), "unknown", 2, 2, 1, 5400.0, 7200.0, 1],
        ["nobody", "Bob", 1, 1, 1, 600.0, None, 0],
        ["nobody", "unknown", 1, 1, 0, None, None, 0],
    ]
    for owner, assignee, n, in_time in found[["owner", "assignee", "n", "in_time"]].to_numpy().tolist():
        filters = (("owner", owner), *([("assignee", assignee)] if owner == "nobody" else []))
        scope = Scope(period=TWO_WEEKS.period, as_of=TWO_WEEKS.as_of, filters=filters)
        assert rows(mart, "answered_within_target", scope, part="denominator").total_value == n
        assert rows(mart, "answered_within_target", scope).total_value == in_time


def test_each_hour_of_the_week_opens_to_its_tickets(mart: Snapshot) -> None:
    came = arrivals(mart, TWO_WEEKS)
    for weekday, hour, n in came.loc[came["n"] > 0, ["weekday", "hour", "n"]].to_numpy().tolist():
        named = f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[weekday]} {hour:02}"
        scope = Scope(period=TWO_WEEKS.period, as_of=TWO_WEEKS.as_of, filters=(("hour_of_week", named),))
        assert rows(mart, "tickets", scope).total_value == n


def test_the_backlog_is_what_came_less_what_went_and_ends_at_the_open_tickets(
    sqlite_template: Path, tmp_path: Path
) -> None:
    shop = ShopByHand(sqlite_template, tmp_path)
    shop.ticket("2025-05-20 10:00", "2025-06-04 10:00", status="closed", closed_at=at("2025-06-10 10:00"))
    shop.ticket("2025-05-20 10:00", status="closed", closed_at=at("2025-05-25 10:00"))
    shop.ticket("2025-06-03 10:00", status="closed", closed_at=at("2025-06-05 10:00"))
    # Half past midnight of the 6th in Berlin; answered only after the as-of day.
    shop.ticket("2025-06-05 22:30", "2025-06-17 09:00")
    shop.ticket("2025-06-06 10:00", is_started_by_us=True)
    mart = shop.mart("2025-06-20 10:00")
    found = backlog(mart, TWO_WEEKS)
    assert len(found) == 14
    first = found["day"].iloc[0]
    kept = {int(row[0]) - first + 2: tuple(map(int, row[1:])) for row in found.to_numpy().tolist()}
    assert [kept[day] for day in (2, 3, 4, 5, 6, 10, 15)] == [
        (0, 0, 1, 1),
        (1, 0, 2, 2),
        (0, 0, 2, 1),
        (0, 1, 1, 0),
        (1, 0, 2, 1),
        (0, 1, 1, 1),
        (0, 0, 1, 1),
    ]
    opened, waits = figures(mart, ["open_tickets", "tickets_waiting"], TWO_WEEKS)
    assert (opened.value, waits.value) == (kept[15][2], kept[15][3])
