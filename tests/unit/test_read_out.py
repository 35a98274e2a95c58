"""What may be said of an offer on which morning: looks by the calendar, one standing verdict, honest ranges."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest

from lib.errors import NotEnoughData
from lib.stats.read_out import COURSE, ReadOut, arms, effect_of, plan_of, read_out, segments
from lib.stats.verdict import Call
from lib.ui.offer_verdict import Pace, headline

WINDOW = 30


def days(n: int, treated: float, holdout: float, *, count: int = 56, profit: float = 10.0) -> pd.DataFrame:
    """So many customers a day and arm, of whom these shares buy one order of 5,000, at a profit of ``profit`` each."""
    rows = []
    for day in range(count):
        for is_treated, share in ((True, treated), (False, holdout)):
            # Cumulative rounding, so that the share is met over all days.
            buyers = round((day + 1) * n * share) - round(day * n * share)
            gain = profit if is_treated else 0.0
            each = 2_000.0
            rows.append(
                {
                    "day": day,
                    "is_treated": is_treated,
                    "n": n,
                    "x": 0.0,
                    "xx": 0.0,
                    "buyers": buyers,
                    "buyers_x": 0.0,
                    "orders": float(buyers),
                    "orders_m": float(buyers),
                    "orders_x": 0.0,
                    "net": 5_000.0 * buyers,
                    "net_m": 5_000.0**2 * buyers,
                    "net_x": 0.0,
                    "profit": each * buyers + gain * n,
                    "profit_m": (each + gain) ** 2 * buyers + gain**2 * (n - buyers),
                    "profit_x": 0.0,
                }
            )
    return pd.DataFrame(rows)


def read(frame: pd.DataFrame, today: int, *, assigned: tuple[int, int] = (2_240, 2_240), share: float = 0.5) -> ReadOut:
    by_day = frame.groupby("day")["n"].sum()
    plan = plan_of(first_day=0, last_day=55, window_days=WINDOW, assigned_by_day=by_day)
    mature = frame[frame["day"] + WINDOW < today]
    return read_out(mature, plan=plan, window_days=WINDOW, today=today, assigned=assigned, holdout_share=share)


def test_looks_are_weekly_from_the_first_week_that_is_mature() -> None:
    found = read(days(40, 0.2, 0.15), today=52)
    assert found.plan.looks == (37, 44, 51, 58, 65, 72, 79, 86)
    assert [(look.number, look.day, look.mature) for look in found.looks] == [
        (1, 37, 560),
        (2, 44, 1120),
        (3, 51, 1680),
    ]


def test_the_band_is_planned_from_the_pace_of_the_first_week_alone() -> None:
    frame = days(40, 0.2, 0.15)
    late = frame.assign(n=np.where(frame["day"] > 10, frame["n"] * 5, frame["n"]))
    for one in (frame, late):
        by_day = one.groupby("day")["n"].sum()
        assert plan_of(first_day=0, last_day=55, window_days=WINDOW, assigned_by_day=by_day).customers == 4_480
    known = plan_of(first_day=0, last_day=55, window_days=WINDOW, assigned_by_day=by_day, is_over=True)
    assert known.customers == int(late["n"].sum())


def test_a_verdict_stands_from_the_look_that_spoke_it_on() -> None:
    frame = days(40, 0.25, 0.15)
    spoken = read(frame, today=86)
    assert spoken.decided_on is not None
    assert spoken.decided_on < 86
    later = read(frame, today=spoken.decided_on + 3)
    assert later.standing is not None
    assert later.standing.call is Call.KEEP
    assert later.decided_on == spoken.decided_on
    # The day before, the very same customers but the last day's, it was too early.
    before = read(frame, today=spoken.decided_on - 1)
    assert before.standing is not None
    assert before.standing.call is Call.TOO_EARLY


def test_more_orders_at_a_loss_are_a_stop() -> None:
    found = read(days(40, 0.25, 0.15, profit=-900.0), today=86)
    assert found.standing is not None
    assert found.standing.call is Call.STOP
    call, words, _ = headline(found, Pace(customers=4_480, days=56), "EUR")
    assert call is Call.STOP
    assert words.startswith("Stop it: it costs more than it brings. 100 more buyers per 1,000 customers (")
    assert "loss a month" in words


def test_until_the_end_ranges_are_those_that_are_safe_to_peek_at() -> None:
    frame = days(40, 0.16, 0.15)
    early, end = read(frame, today=50), read(frame, today=86)
    for name in ("net", "profit"):
        effect = early.effects[name]
        low, high = early.ranges[name]
        assert low < effect.low
        assert effect.high < high
        assert end.ranges[name] == (end.effects[name].low, end.effects[name].high)
    assert end.standing is not None
    assert end.ranges["bought"] == (end.standing.low, end.standing.high)
    assert end.standing.call is Call.NO_DIFFERENCE


def test_a_split_that_cannot_be_chance_blocks_whatever_they_bought() -> None:
    found = read(days(40, 0.25, 0.15), today=86, assigned=(2_600, 1_880))
    assert found.split is not None
    assert found.split.blocks
    call, words, why = headline(found, Pace(customers=4_480, days=56), "EUR")
    assert call is Call.BLOCKED
    assert words.startswith("No verdict")
    assert "start it anew" in why


def test_before_anybody_is_mature_there_is_nothing_but_the_days_to_wait() -> None:
    found = read(days(40, 0.25, 0.15), today=20)
    assert found.effects == {}
    assert found.standing is None
    assert found.course.empty
    assert list(found.course.columns) == list(COURSE)
    assert headline(found, Pace(customers=100, days=20), "EUR")[1] == "Too early: 17 more days."


def test_the_course_has_a_range_on_each_look_and_a_band_on_every_day() -> None:
    course = read(days(40, 0.2, 0.15), today=90).course
    assert course["day"].tolist() == list(range(31, 87))
    looks = course[course["look_low"].notna()]
    assert set(looks["day"]) <= {37, 44, 51, 58, 65, 72, 79, 86}
    assert 86 in set(looks["day"])
    assert (course["low"] < course["high"]).all()
    # At the end the look is narrower than the band that anybody may peek at on any day.
    last = course.iloc[-1]
    assert last["low"] < last["look_low"] < last["look_high"] < last["high"]


def test_spending_before_is_taken_out_where_it_explains_something() -> None:
    rng = np.random.default_rng(5)
    rows = []
    for is_treated in (True, False):
        x = rng.gamma(2.0, 1_000.0, 400)
        y = 0.8 * x + rng.normal(0, 300, 400) + (200 if is_treated else 0)
        moments = {"n": 400, "x": x.sum(), "xx": (x**2).sum(), "buyers": 400, "buyers_x": x.sum()}
        rows.append(
            {"day": 0, "is_treated": is_treated}
            | moments
            | {"net": y.sum(), "net_m": (y**2).sum(), "net_x": (x * y).sum()}
        )
    effect = effect_of(pd.DataFrame(rows), "net")
    assert effect.gain is not None
    assert 0.8 < effect.gain < 0.99
    assert effect.low < 200 < effect.high
    assert effect.se < 300 * sqrt(2 / 400) * 1.2


def test_segments_are_corrected_for_asking_and_the_largest_come_first() -> None:
    frame = days(40, 0.25, 0.15)
    frame["segment"] = np.where(frame["day"] % 4 == 0, "few", "many")
    found = segments(frame)
    assert found.rows["segment"].tolist() == ["many", "few"]
    assert found.asked == 2
    assert found.differ_p is not None
    assert found.differ_p > 0.5
    assert (found.rows["q"] >= found.rows["p"]).all()


def test_the_sums_of_the_days_are_the_sums_of_all() -> None:
    frame = days(40, 0.25, 0.15)
    treated, holdout = arms(frame, "net")
    assert (treated.n, treated.buyers, treated.y) == (2_240, 560, 5_000.0 * 560)
    assert (holdout.n, holdout.buyers, holdout.yy) == (2_240, 336, 5_000.0**2 * 336)


def test_nothing_is_computed_of_nobody() -> None:
    with pytest.raises(NotEnoughData):
        effect_of(days(40, 0.2, 0.1).iloc[:0], "bought")


def test_a_kept_offer_is_told_so_that_a_manager_can_repeat_it() -> None:
    found = read(days(40, 0.2, 0.15, profit=12.0), today=86)
    call, words, basis = headline(found, Pace(customers=4_480, days=56), "EUR")
    assert call is Call.KEEP
    assert words.startswith("Keep it. It brings 50 more buyers per 1,000 customers (")
    assert "profit a month" in words
    assert "20.0% of" in basis
    # An offer that was sent on one day has no pace by the month.
    once = headline(found, Pace(customers=4_480, days=1), "EUR")[1]
    assert "profit if all 4,480 had got it" in once


def test_money_is_judged_beside_who_bought_and_decides_nothing() -> None:
    found = read(days(40, 0.25, 0.15), today=86)
    assert {name: verdict.call for name, verdict in found.beside.items()} == {"net": Call.KEEP, "profit": Call.KEEP}
    assert found.standing is not None
    # Half the error each: the two together are wrong as seldom as the one.
    assert found.beside["net"].bound is not None
    assert found.standing.bound is not None
    assert found.beside["net"].bound > found.standing.bound
    assert "beyond chance" not in headline(found, Pace(customers=4_480, days=56), "EUR")[2]


def test_more_buyers_whose_profit_is_not_told_from_chance_are_kept_with_that_said() -> None:
    found = read(days(40, 0.25, 0.15, profit=-190.0), today=86)
    assert found.beside["profit"].call is Call.NO_DIFFERENCE
    call, words, basis = headline(found, Pace(customers=4_480, days=56), "EUR")
    assert call is Call.KEEP
    assert "profit a month" in words
    assert basis.endswith("That more buy is beyond chance; that it earns more is not yet.")


def test_money_is_not_judged_while_too_few_bought_or_before_the_first_look() -> None:
    frame = days(40, 0.25, 0.15)
    assert {verdict.call for verdict in read(frame, today=36).beside.values()} == {Call.TOO_EARLY}
    few = days(4, 0.25, 0.15)
    assert {one.call for one in read(few, today=86, assigned=(224, 224)).beside.values()} == {Call.TOO_FEW}
