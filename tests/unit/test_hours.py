"""Business hours: open time and deadlines, also across nights, weekends and changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InvalidInput
from lib.hours import Hours, OpenTime

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = [["09:00", "18:00"]] * 5 + [None, None]
HOURS = Hours.of(BERLIN, WEEK)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def test_a_promise_made_in_the_morning_ends_the_same_day() -> None:
    assert HOURS.due(wall("2026-11-24 10:00"), 60) == wall("2026-11-24 11:00")


def test_a_promise_made_at_night_begins_in_the_morning() -> None:
    assert HOURS.due(wall("2026-11-24 22:15"), 5) == wall("2026-11-25 09:05")


def test_a_promise_runs_over_a_weekend() -> None:
    assert HOURS.due(wall("2026-11-27 17:30"), 60) == wall("2026-11-30 09:30")


def test_a_holiday_is_closed() -> None:
    closed = Hours.of(BERLIN, WEEK, [date(2026, 11, 25)])
    assert closed.due(wall("2026-11-24 17:59"), 2) == wall("2026-11-26 09:01")


def test_open_time_counts_open_hours_only() -> None:
    assert HOURS.between(wall("2026-11-27 17:00"), wall("2026-11-30 10:00")) == timedelta(hours=2)
    assert HOURS.between(wall("2026-11-28 00:00"), wall("2026-11-29 23:00")) == timedelta()


def test_a_night_shift_runs_past_midnight_and_is_as_long_as_the_night_was() -> None:
    nights = Hours.of(BERLIN, [["22:00", "06:00"]] * 7)
    # The clock goes back on 25 October 2026: that night has an hour more.
    assert nights.between(wall("2026-10-24 12:00"), wall("2026-10-25 12:00")) == timedelta(hours=9)
    assert nights.between(wall("2026-10-23 12:00"), wall("2026-10-24 12:00")) == timedelta(hours=8)


def test_a_day_that_is_open_round_the_clock_follows_the_one_before_without_a_gap() -> None:
    always = Hours.of(BERLIN, [["00:00", "24:00"]] * 7)
    start = wall("2026-03-27 10:00")
    assert always.due(start, 3 * 24 * 60) == start.astimezone(UTC) + timedelta(days=3)


def test_a_store_that_never_opens_refuses_a_deadline() -> None:
    never = Hours.of(BERLIN, [None] * 7)
    with pytest.raises(InvalidInput, match="closed on every day"):
        never.due(wall("2026-11-24 10:00"), 5)
    assert never.between(wall("2026-11-24 10:00"), wall("2026-11-26 10:00")) == timedelta()


@pytest.mark.parametrize("clock", ["9", "25:00", "24:30", "ab:cd", "09:60"])
def test_what_is_no_time_of_day_is_refused(clock: str) -> None:
    with pytest.raises(InvalidInput, match="no time of day"):
        Hours.of(BERLIN, [[clock, "18:00"]] * 7)


INSTANTS = st.datetimes(
    datetime(2025, 1, 1),  # noqa: DTZ001  # its bounds are naive by contract
    datetime(2027, 1, 1),  # noqa: DTZ001  # as above
    timezones=st.just(UTC),
)


@given(INSTANTS, st.floats(0.5, 6000))
def test_until_the_deadline_the_promised_time_was_open(at: datetime, minutes: float) -> None:
    due = HOURS.due(at, minutes)
    assert abs(HOURS.between(at, due) - timedelta(minutes=minutes)) < timedelta(milliseconds=1)


@given(INSTANTS, INSTANTS)
def test_many_spans_at_once_count_as_one_by_one(one: datetime, other: datetime) -> None:
    start, end = sorted((one, other))
    fast = OpenTime(HOURS, datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert fast.seconds(start, end) == pytest.approx(HOURS.between(start, end).total_seconds(), abs=1e-3)


def test_hours_that_overlap_count_once() -> None:
    late = Hours.of(BERLIN, [["18:00", "10:00"], ["08:00", "12:00"], *[None] * 5])
    monday, tuesday = wall("2026-11-23 18:00"), wall("2026-11-24 12:00")
    assert late.between(monday, tuesday) == timedelta(hours=18)
    assert late.due(monday, 17 * 60) == wall("2026-11-24 11:00")
    assert late.minutes_of_week == 18 * 60


def test_a_week_has_as_many_open_minutes_as_its_days_say() -> None:
    assert HOURS.minutes_of_week == 45 * 60
    assert Hours.of(BERLIN, [["22:00", "06:00"]] * 7).minutes_of_week == 56 * 60
    assert Hours.of(BERLIN, [None] * 7).minutes_of_week == 0
