"""The what-if model by hand, its baseline, its draws, its rewards, the scan for the best offer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lib.errors import NotEnoughData
from lib.stats.assumptions import DRAWS, Assumptions, Beta, Draws, draw
from lib.stats.best_offer import COLUMNS, Audience, Guardrails, best_offer, profit_over
from lib.stats.required import what_would_have_to_be_true
from lib.stats.rewards import amount_off, free_shipping, gift, no_reward, percent_off, points
from lib.stats.sensitivity import tornado
from lib.stats.survival import kaplan_meier, survival_at
from lib.stats.waiting import Waiting, waiting, waiting_by_delay
from lib.stats.what_if import Offer, Range, break_even, outcome, what_if

WAITING = Waiting(delay=14, expiry=30, still=0.8, bought=0.1)
OFFER = Offer(
    customers=10_000, basket=50.0, margin=0.5, reward=percent_off(0.1, 50.0), contact_cost=0.1, reach=0.5, holdout=0.5
)
SPELLS = pd.DataFrame({"day": [5, 10, 20, 40, 60], "events": [10, 10, 8, 0, 2], "censored": [0, 5, 0, 30, 35]})


def test_the_profit_by_hand() -> None:
    # N = 10,000·.5·.8·.5 = 2,000; HR 2: p1 = 1 - .9² = .19, Δp = .09; g·A = 25, c = 5, k = .1.
    draws = Draws(
        contact=np.array([np.log(2)]),
        pull=np.zeros(1),
        offer_noise=np.zeros(1),
        pulled_forward=np.array([0.25]),
        redeemed_anyway=np.array([0.6]),
        baseline=np.zeros(1),
    )
    result = outcome(OFFER, WAITING, draws, 1.0)
    assert result.contacted == pytest.approx(2_000)
    assert result.orders[0] == pytest.approx(180)
    assert result.given[0] == pytest.approx(2_000 * 0.1 * 0.6 * 5)
    assert result.pulled_forward[0] == pytest.approx(45)
    assert result.spent[0] == pytest.approx(2_000 * ((0.06 + 0.09) * 5 + 0.1))
    assert result.profit[0] == pytest.approx(2_000 * (0.09 * 0.75 * 25 - (0.06 + 0.09) * 5 - 0.1))
    assert result.in_window[0] == pytest.approx(2_000 * (0.09 * 25 - (0.06 + 0.09) * 5 - 0.1))
    assert result.net_sales[0] == pytest.approx(2_000 * (0.09 * 0.75 * 50 - (0.06 + 0.09) * 5))
    assert result.uplift[0] == pytest.approx(0.9)


def test_driving_customers_away_never_earns_by_rewards_not_redeemed() -> None:
    draws = Draws(**{name: np.zeros(1) for name in Draws.__slots__} | {"contact": np.array([-3.0])})
    draws = replace(draws, redeemed_anyway=np.array([0.5]), pulled_forward=np.array([0.5]))
    result = outcome(OFFER, WAITING, draws, 1.0)
    assert result.orders[0] < 0
    assert result.pulled_forward[0] == 0
    assert result.spent[0] >= 0
    assert result.profit[0] < 0


def test_the_break_even_uplift_needs_no_assumption() -> None:
    # (5 + .1/.1)/(25 - 5)
    assert break_even(OFFER, WAITING).uplift == pytest.approx(0.3)
    assert not break_even(OFFER, WAITING).never_pays
    assert break_even(replace(OFFER, reward=percent_off(0.5, 50.0)), WAITING).never_pays
    unreachable = break_even(replace(OFFER, margin=0.101), replace(WAITING, bought=0.6))
    assert unreachable.uplift is not None
    assert unreachable.never_pays
    # Half the baskets reach the minimum: half as much is given to those who buy anyway.
    assert break_even(replace(OFFER, qualifying_share=0.5), WAITING).uplift == pytest.approx(3.5 / 20)


def test_the_strength_of_a_reward_is_that_of_its_depth() -> None:
    assert OFFER.v == pytest.approx(0.10536, abs=1e-5)
    assert replace(OFFER, qualifying_share=0.5).v == pytest.approx(0.10536 / 2, abs=1e-5)
    assert replace(OFFER, reward=no_reward()).v == 0
    assert OFFER.margin_left == pytest.approx(20 / 45)


def test_each_kind_of_reward_has_its_own_cost() -> None:
    assert (percent_off(0.2, 60).cost, percent_off(0.2, 60).price_cut) == (12, 12)
    fixed = amount_off(15, 60)
    assert (fixed.cost, fixed.depth, fixed.price_cut) == (15, 0.25, 15)
    assert amount_off(90, 60).cost == 60
    shipping = free_shipping(6, 60, real_cost=4.2)
    assert (shipping.cost, shipping.depth, shipping.price_cut) == (4.2, 0.1, 0)
    sample = gift(9, 60, real_cost=2.5)
    assert (sample.cost, sample.depth, sample.price_cut) == (2.5, 0.15, 0)
    loyal = points(300, 60, value=0.01, redeemed_share=0.7)
    assert (loyal.cost, loyal.depth) == pytest.approx((2.1, 0.05))
    assert no_reward().cost == 0
    with pytest.raises(ValueError, match="no reward"):
        percent_off(-0.1, 60)


def test_the_baseline_is_the_curve_between_the_trigger_day_and_the_expiry() -> None:
    curve = kaplan_meier(SPELLS)
    base = waiting(SPELLS, delay=7, expiry=20)
    assert base.still == pytest.approx(survival_at(curve, 7))
    assert base.bought == pytest.approx(1 - survival_at(curve, 27) / survival_at(curve, 7))
    # Two event days lie between: 10 of 90 and 8 of 75 at risk.
    greenwood = 10 / (90 * 80) + 8 / (75 * 67)
    assert base.se_log == pytest.approx(greenwood**0.5 / -np.log(80 / 90 * 67 / 75))
    assert base.at_risk == 67
    assert list(waiting_by_delay(SPELLS, [0, 7], expiry=20)) == [0, 7]
    assert base.shifted(0) == pytest.approx(base.bought)
    assert base.shifted(1) > base.bought > base.shifted(-1)


def test_the_baseline_refuses_by_name() -> None:
    with pytest.raises(NotEnoughData, match="followed for 61 days"):
        waiting(SPELLS, delay=31, expiry=30)
    with pytest.raises(NotEnoughData, match="Nobody bought"):
        waiting(SPELLS, delay=20, expiry=15)
    everybody = pd.DataFrame({"day": [5, 9], "events": [3, 2], "censored": [0, 0]})
    with pytest.raises(NotEnoughData, match="Everybody bought"):
        waiting(everybody, delay=2, expiry=7)
    with pytest.raises(NotEnoughData, match="none"):
        waiting(SPELLS.iloc[:0], delay=2, expiry=7)


def test_the_same_assumptions_are_drawn_alike_every_time_and_are_what_they_say() -> None:
    draws = draw(Assumptions())
    again = draw.__wrapped__(Assumptions())
    assert (draws.contact == again.contact).all()
    assert len(draws.contact) == DRAWS
    assert (draws.contact.mean(), draws.contact.std()) == pytest.approx((0.10, 0.25), abs=2e-3)
    assert draws.offer_noise.std() == pytest.approx(0.15, abs=1e-3)
    assert draws.redeemed_anyway.mean() == pytest.approx(0.6, abs=1e-3)
    assert draws.pulled_forward.mean() == pytest.approx(1 / 3, abs=1e-3)
    assert draws.pulled_forward.std() == pytest.approx((1 / 3 * 2 / 3 / 13) ** 0.5, abs=1e-3)
    # The mean of a normal(1.2, .8) above 0, from its density and tail.
    assert draws.pull.mean() == pytest.approx(1.2 + 0.8 * 0.129518 / 0.933193, abs=2e-3)
    assert abs(np.corrcoef(draws.contact, draws.pull)[0, 1]) < 0.06


def test_assumptions_that_make_no_sense_are_refused() -> None:
    for wrong in ({"contact_sd": 0.0}, {"redeemed_new": 1.2}, {"covariance": 0.2}):
        with pytest.raises(ValueError, match=r"deviations|covariance"):
            Assumptions(**wrong)  # type: ignore[arg-type]  # each is a number
    with pytest.raises(ValueError, match="share"):
        Beta(0, 1)


def test_an_unsure_baseline_widens_the_range() -> None:
    sure, unsure = (Range.of(what_if(OFFER, replace(WAITING, se_log=se), Assumptions()).profit) for se in (0.0, 0.5))
    assert unsure.high - unsure.low > sure.high - sure.low
    assert "baseline" in set(tornado(OFFER, replace(WAITING, se_log=0.5), Assumptions())["assumption"])


def test_the_assumption_with_the_widest_swing_comes_first() -> None:
    table = tornado(OFFER, WAITING, Assumptions(contact_sd=0.01, pull_sd=0.01, offer_sd=0.01))
    assert table["assumption"].tolist()[0] in ("redeemed_anyway", "pulled_forward")
    row = table.set_index("assumption").loc["redeemed_anyway"]
    assert (row["low_value"], row["high_value"]) == pytest.approx((0.3449, 0.8312), abs=5e-4)
    assert row["at_low"] > row["at_high"]
    assert row["swing"] == pytest.approx((row["high_value"] - row["low_value"]) * 2_000 * 0.1 * 5)


def test_a_wish_that_no_lever_reaches_says_so() -> None:
    levers = {lever.lever: lever for lever in what_would_have_to_be_true(OFFER, WAITING, Assumptions(), 1e9)}
    assert levers["uplift"].needed is None
    assert levers["uplift"].chance == 0
    assert levers["margin"].needed is None
    assert levers["customers"].at_least
    assert not levers["reward_cost"].at_least
    assert what_would_have_to_be_true(replace(OFFER, reach=0.0), WAITING, Assumptions(), 1.0) == ()


def test_a_wish_already_met_asks_for_no_uplift_at_all() -> None:
    levers = {lever.lever: lever for lever in what_would_have_to_be_true(OFFER, WAITING, Assumptions(), -1e6)}
    assert levers["uplift"].needed == 0
    assert levers["customers"].needed == 0
    assert levers["pulled_forward"].needed == 1


AUDIENCES = [
    Audience(
        name=name,
        offer=replace(OFFER, basket=basket, margin=margin),
        waiting={delay: Waiting(delay=delay, expiry=30, still=1 - delay / 200, bought=bought) for delay in (0, 20, 40)},
    )
    for name, basket, margin, bought in (("new", 40.0, 0.5, 0.05), ("loyal", 90.0, 0.6, 0.2))
]
DEPTHS = [0.0, 0.05, 0.1, 0.2, 0.3]


def test_the_scan_is_the_model_in_every_cell() -> None:
    cells = profit_over(AUDIENCES, DEPTHS, percent_off, Assumptions())
    assert list(cells.columns) == list(COLUMNS)
    assert len(cells) == 2 * 3 * 5
    for cell in (cells.iloc[7], cells.iloc[-1]):
        audience = next(a for a in AUDIENCES if a.name == cell["audience"])
        offer = replace(audience.offer, reward=percent_off(cell["depth"], audience.offer.basket))
        one = what_if(offer, audience.waiting[int(cell["delay"])], Assumptions(), n=1_000)
        assert cell["profit"] == pytest.approx(one.profit.mean(), rel=1e-9)
        assert cell["chance"] == one.chance
        assert cell["spent"] == pytest.approx(np.sort(one.spent)[950], rel=1e-9)
        assert cell["break_even"] == pytest.approx(one.break_even.uplift, rel=1e-12)
        assert cell["margin_left"] == pytest.approx(offer.margin_left)


def test_the_best_offer_is_the_best_cell_that_keeps_to_the_guardrails() -> None:
    free = best_offer(AUDIENCES, DEPTHS, percent_off, Assumptions(), Guardrails())
    assert free.kept == free.tried == 30
    top = free.cells.iloc[int(free.cells["profit"].argmax())]
    assert (free.audience, free.depth, free.delay) == (top["audience"], top["depth"], top["delay"])
    assert free.result is not None
    assert len(free.result.profit) == DRAWS
    held = best_offer(
        AUDIENCES, DEPTHS[1:], percent_off, Assumptions(), Guardrails(margin_floor=0.45, budget=2_000, chance=0.1)
    )
    kept = held.cells[held.cells["kept"]]
    assert 0 < held.kept < held.tried
    assert (kept["margin_left"] >= 0.45).all()
    assert (kept["spent"] <= 2_000).all()
    assert (kept["chance"] >= 0.1).all()


def test_nothing_is_the_best_offer_when_none_is_expected_to_earn() -> None:
    best = best_offer(AUDIENCES, [0.4], percent_off, Assumptions(), Guardrails())
    assert (best.audience, best.depth, best.delay, best.result) == (None, None, None, None)
    impossible = best_offer(AUDIENCES, DEPTHS, percent_off, Assumptions(), Guardrails(budget=0))
    assert impossible.audience is None
    assert impossible.kept == 0
    assert best_offer([], DEPTHS, percent_off, Assumptions(), Guardrails(budget=0)).audience is None
