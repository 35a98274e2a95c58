"""Where a customer stands between two orders, by hand: the days that part the stages, the next order, the fifths."""

import pandas as pd
import pytest

from lib.errors import NotEnoughData
from lib.stats.lifecycle import Stage, Waits, next_order, stage, waits
from lib.stats.rfm import Rank, Rfm, fifth, score


def _spells(*rows: tuple[int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["day", "events", "censored"])


# 200 customers; nobody leaves before day 400, so the curve is the plain share: 10 % a step.
STEPS = _spells(*((10 * step, 20, 0) for step in range(1, 6)), (400, 0, 100))


def test_the_days_that_part_the_stages_are_those_of_the_customers_who_come_back() -> None:
    # Half come back by day 50: of these half by day 30 (0.25 of all lies past the second step), 80 % by 40, 95 % by 50.
    assert waits(STEPS) == Waits(half=30, most=40, nearly_all=50, horizon=50, customers=200, back=100)


def test_who_left_early_is_neither_counted_as_back_nor_as_lost() -> None:
    # 100 are followed for 5 days alone: the curve is that of the other 200, as if they had not been there.
    found = waits(pd.concat([STEPS, _spells((5, 0, 100))]))
    assert (found.half, found.most, found.nearly_all, found.customers) == (30, 40, 50, 300)


def test_days_beyond_which_fewer_than_fifty_are_followed_count_for_nothing() -> None:
    found = waits(pd.concat([STEPS[STEPS["day"] < 400], _spells((60, 0, 60), (70, 40, 0))]))
    assert found.horizon == 50


@pytest.mark.parametrize(
    ("spells", "words"),
    [
        (_spells(), "50 customers with an order; there are 0"),
        (_spells((10, 49, 0)), "there are 49"),
        (_spells((10, 29, 0), (90, 0, 100)), "30 customers who ordered again; there are 29"),
        (_spells((90, 0, 100)), "there are 0"),
    ],
)
def test_too_few_part_no_stages(spells: pd.DataFrame, words: str) -> None:
    with pytest.raises(NotEnoughData, match=words):
        waits(spells)


@pytest.mark.parametrize(
    ("orders", "waited", "expected"),
    [
        (1, 0, Stage.NEW),
        (1, 30, Stage.NEW),
        (2, 30, Stage.ACTIVE),
        (1, 31, Stage.DUE),
        (9, 40, Stage.DUE),
        (1, 41, Stage.AT_RISK),
        (2, 50, Stage.AT_RISK),
        (1, 51, Stage.LAPSED),
    ],
)
def test_each_day_belongs_to_one_stage(orders: int, waited: int, expected: Stage) -> None:
    assert stage(orders, waited, waits(STEPS)) is expected


def test_who_never_ordered_stands_nowhere() -> None:
    with pytest.raises(ValueError, match="without an order"):
        stage(0, 3, waits(STEPS))


def test_the_next_order_is_read_off_those_who_waited_as_long() -> None:
    fresh = next_order(STEPS, 0)
    assert fresh.share == pytest.approx(0.5)
    assert (fresh.horizon, fresh.customers) == (50, 200)
    assert (fresh.early, fresh.middle, fresh.late) == (10, 30, 50)
    # Of the 140 who had not come back by day 30, 40 still do: in equal halves on days 40 and 50.
    later = next_order(STEPS, 30)
    assert later.share == pytest.approx(40 / 140)
    assert later.customers == 140
    assert (later.early, later.middle, later.late) == (40, 40, 50)
    assert later.low < later.share < later.high


def test_the_interval_of_the_next_order_is_greenwoods() -> None:
    # One step, nobody censored before: S = .8, n = 100; log(-log) limits by hand.
    found = next_order(_spells((10, 20, 0), (90, 0, 80)), 0)
    assert found.share == pytest.approx(0.2)
    assert found.low == pytest.approx(0.1340, abs=5e-5)
    assert found.high == pytest.approx(0.2926, abs=5e-5)


@pytest.mark.parametrize(
    ("waited", "words"),
    [(400, "Nobody had waited as long"), (60, "Nobody who had waited as long")],
)
def test_a_next_order_of_too_few_is_not_foretold(waited: int, words: str) -> None:
    with pytest.raises(NotEnoughData, match=words):
        next_order(STEPS, waited)


@pytest.mark.parametrize(
    ("worse", "level", "of", "expected"),
    [(0, 1, 5, 1), (1, 1, 5, 2), (4, 1, 5, 5), (0, 100, 100, 3), (0, 20, 100, 1), (0, 21, 100, 1), (20, 1, 100, 2),
     (99, 1, 100, 5), (50, 50, 100, 4)],
)  # fmt: skip
def test_who_is_level_shares_a_fifth(worse: int, level: int, of: int, expected: int) -> None:
    assert fifth(Rank(worse=worse, level=level, of=of)) == expected


@pytest.mark.parametrize("rank", [Rank(worse=0, level=0, of=5), Rank(worse=5, level=1, of=5)])
def test_ranks_that_fit_no_group_are_refused(rank: Rank) -> None:
    with pytest.raises(ValueError, match="level with herself"):
        fifth(rank)


def test_a_group_of_fewer_than_fifty_has_no_fifths() -> None:
    best = Rank(worse=48, level=1, of=49)
    assert score(best, best, best) is None
    best = Rank(worse=49, level=1, of=50)
    assert score(best, None, best) == Rfm(recency=5, frequency=None, money=5, among=50)
