"""Verdicts: only when planned, only with enough, and what they say."""

from dataclasses import replace
from math import inf

import pytest

from lib.stats.experiment import ArmSums, Effect, conversion, sample_ratio, welch
from lib.stats.sequential import spending_bounds
from lib.stats.verdict import Call, Verdict, judge, look_bound, weekly_looks

# Four weeks of customers from day 100 on, each followed for 30 days.
PLAN = weekly_looks(first_day=100, last_day=127, outcome_days=30, customers=4_000)
EVEN = sample_ratio([2_000, 2_000], [1, 1])


def bought(treated: int, holdout: int, n: int = 2_000) -> Effect:
    return conversion(ArmSums.of_buyers(n, treated), ArmSums.of_buyers(n, holdout))


def spent(treated: float, holdout: float, *, buyers: int, n: int = 2_000) -> Effect:
    """Everybody who buys spends the given amount, more or less."""

    def arm(basket: float) -> ArmSums:
        return ArmSums(n=n, y=buyers * basket, yy=buyers * (basket * 1.2) ** 2, buyers=buyers)

    return welch(arm(treated), arm(holdout))


def at_end(effect: Effect, *, is_money: bool = False, profit: float | None = None) -> Verdict:
    return judge(
        effect, split=EVEN, plan=PLAN, matured=[1_000, 2_000, 3_000, 4_000], today=158, is_money=is_money, profit=profit
    )


def test_looks_are_weekly_from_the_first_week_of_mature_customers_to_the_end() -> None:
    assert PLAN.begins == 130
    assert PLAN.looks == (137, 144, 151, 158)
    assert [PLAN.fraction(look) for look in PLAN.looks] == [0.25, 0.5, 0.75, 1.0]
    assert (PLAN.next_look(100), PLAN.next_look(137), PLAN.next_look(158)) == (137, 144, None)
    ten_days = weekly_looks(first_day=0, last_day=9, outcome_days=14, customers=100)
    assert ten_days.looks == (21, 24)
    at_once = weekly_looks(first_day=0, last_day=0, outcome_days=14, customers=100)
    assert at_once.looks == (15,)
    with pytest.raises(ValueError, match="plan"):
        weekly_looks(first_day=1, last_day=0, outcome_days=14, customers=100)


def test_between_the_looks_it_is_too_early_however_large_the_difference() -> None:
    verdict = judge(bought(900, 300), split=EVEN, plan=PLAN, matured=[1_000], today=140, is_money=False)
    assert verdict.call is Call.TOO_EARLY
    assert verdict.is_peek
    assert verdict.bound is None
    assert verdict.next_look == 144
    assert verdict.low > 0


def test_the_bounds_on_the_looks_are_the_published_ones_for_four() -> None:
    matured = [1_000, 2_000, 3_000, 4_000]
    bounds = [look_bound(PLAN, matured[: i + 1]) for i in range(4)]
    assert bounds == pytest.approx([4.333, 2.963, 2.359, 2.014], abs=5.1e-4)


def test_a_difference_that_would_do_at_the_end_is_too_early_at_the_first_look() -> None:
    effect = bought(260, 200)
    assert effect.p < 0.01
    early = judge(effect, split=EVEN, plan=PLAN, matured=[1_000], today=137, is_money=False)
    assert early.call is Call.TOO_EARLY
    assert not early.is_peek
    assert early.low < 0 < early.high
    late = at_end(effect)
    assert late.call is Call.KEEP
    assert (late.low, late.high) == pytest.approx(effect.range_at(late.bound or 0))
    assert late.low > 0


def test_less_is_a_stop_and_more_at_a_loss_is_one_too() -> None:
    assert at_end(bought(200, 260)).call is Call.STOP
    assert at_end(bought(260, 200), profit=0.12).call is Call.KEEP
    assert at_end(bought(260, 200), profit=-0.01).call is Call.STOP
    # A loss alone, without more orders that stand out, is no verdict on the measure that was named.
    assert at_end(bought(205, 200), profit=-0.01).call is Call.NO_DIFFERENCE


def test_nothing_found_at_the_end_is_no_difference_with_its_range() -> None:
    verdict = at_end(bought(205, 200))
    assert verdict.call is Call.NO_DIFFERENCE
    assert verdict.next_look is None
    assert verdict.low < 0 < verdict.high


def test_money_needs_a_hundred_buyers_in_each_arm() -> None:
    few, enough = (spent(90, 40, buyers=buyers) for buyers in (99, 100))
    matured = [1_000, 2_000]
    assert judge(few, split=EVEN, plan=PLAN, matured=matured, today=144, is_money=True).call is Call.TOO_EARLY
    assert judge(enough, split=EVEN, plan=PLAN, matured=matured, today=144, is_money=True).call is Call.KEEP
    assert at_end(few, is_money=True).call is Call.TOO_FEW


def test_a_share_needs_five_expected_buyers_in_the_smaller_arm() -> None:
    assert at_end(bought(9, 0)).call is Call.TOO_FEW
    assert at_end(bought(10, 0)).call is Call.KEEP


def test_a_broken_split_blocks_on_every_day() -> None:
    broken = sample_ratio([2_000, 1_700], [1, 1])
    for today, matured in ((137, [1_000]), (140, [1_000]), (158, [1_000, 2_000, 3_000, 4_000])):
        verdict = judge(bought(400, 200), split=broken, plan=PLAN, matured=matured, today=today, is_money=False)
        assert verdict.call is Call.BLOCKED


def test_a_look_without_new_customers_spends_nothing_and_the_end_spends_the_rest() -> None:
    assert look_bound(PLAN, [0]) == inf
    assert look_bound(PLAN, [0, 2_000]) == pytest.approx(2.963, abs=1e-3)
    without = spending_bounds([0.25, 0.75], information=[1_000, 3_000])
    assert look_bound(PLAN, [1_000, 1_000, 3_000]) == pytest.approx(without[-1], abs=1e-12)
    # Everybody was mature a week before the end: only these two looks share the error.
    assert look_bound(PLAN, [1_000, 2_000, 3_000, 3_000]) < look_bound(PLAN, [1_000, 2_000, 3_000, 4_000])


def test_after_the_end_the_verdict_stays_what_it_was_at_the_end() -> None:
    effect = bought(260, 200)
    late = judge(effect, split=EVEN, plan=PLAN, matured=[1_000, 2_000, 3_000, 4_000], today=300, is_money=False)
    assert replace(late) == at_end(effect)


def test_every_look_needs_its_number_of_customers() -> None:
    with pytest.raises(ValueError, match="2 looks"):
        judge(bought(3, 2), split=EVEN, plan=PLAN, matured=[1_000], today=144, is_money=False)
