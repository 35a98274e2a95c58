"""The sliders of a what-if, put on measured ground."""

from dataclasses import replace

import pandas as pd
import pytest

from lib.audience import Audience, Rule
from lib.errors import InvalidInput, NotEnoughData
from lib.offer import Moment, Pays, Plan
from lib.offer import Reward as Given
from lib.stats.ground import Ground
from lib.stats.scenario import Scenario, reward_of, size_of, sizes_to_try, worked
from lib.stats.what_if import break_even

GROUND = Ground(
    spells=pd.DataFrame({"day": [10, 20, 50], "events": [100, 180, 0], "censored": [0, 0, 720]}),
    baskets=pd.DataFrame({"value_minor": [2000, 8000], "orders": [30, 10], "net_minor": [60_000, 100_000]}),
    per_day=20.0,
    margin=0.4,
    costed_share=0.9,
    points_kept=0.5,
)
SCENARIO = Scenario(delay_days=15, reward=Given(pays=Pays.PERCENT, depth=0.1, expiry_days=30))


def test_a_scenario_becomes_an_offer_and_its_baseline() -> None:
    put = worked(SCENARIO, GROUND)
    # 1,000 began, 100 bought by day 15, 180 of the other 900 by day 45.
    assert put.waiting.still == pytest.approx(0.9)
    assert put.waiting.bought == pytest.approx(0.2)
    assert put.offer.customers == 20 * 90
    assert put.offer.basket == 4000
    assert (put.offer.margin, put.offer.qualifying_share) == (0.4, 1.0)
    assert put.offer.reward.cost == pytest.approx(400)
    # 10 % off at 40 % margin breaks even at a third more.
    assert break_even(put.offer, put.waiting).uplift == pytest.approx(1 / 3)


def test_a_minimum_basket_leaves_those_who_reach_it() -> None:
    put = worked(replace(SCENARIO, reward=replace(SCENARIO.reward, minimum_basket_minor=5000)), GROUND)
    assert (put.offer.basket, put.offer.qualifying_share) == (10_000, 0.25)


def test_a_minimum_that_nobody_reaches_is_refused_in_words() -> None:
    with pytest.raises(NotEnoughData, match="Lower it"):
        worked(replace(SCENARIO, reward=replace(SCENARIO.reward, minimum_basket_minor=9000)), GROUND)


def test_a_margin_is_the_measured_one_until_somebody_says_another() -> None:
    assert worked(replace(SCENARIO, margin=0.25), GROUND).offer.margin == 0.25
    with pytest.raises(NotEnoughData, match="Set the margin yourself"):
        worked(SCENARIO, replace(GROUND, margin=None))


@pytest.mark.parametrize(
    ("given", "cost", "depth", "cut"),
    [
        (Given(pays=Pays.NOTHING), 0, 0, 0),
        (Given(pays=Pays.PERCENT, depth=0.2), 800, 0.2, 800),
        (Given(pays=Pays.AMOUNT, face_minor=500), 500, 0.125, 500),
        (Given(pays=Pays.SHIPPING, face_minor=400, cost_minor=600), 600, 0.1, 0),
        (Given(pays=Pays.GIFT, face_minor=800, cost_minor=300), 300, 0.2, 0),
        # 200 points at 2.00 a hundred are worth 4.00; half of all points expire.
        (Given(pays=Pays.POINTS, points=200, point_minor=200), 200, 0.1, 0),
    ],
)
def test_each_reward_costs_what_it_costs(given: Given, cost: float, depth: float, cut: float) -> None:
    found = reward_of(given, 4000.0, points_kept=0.5)
    assert (found.cost, found.depth, found.price_cut) == pytest.approx((cost, depth, cut))


def test_the_sizes_to_try_hold_the_present_one_in_round_steps() -> None:
    percent = sizes_to_try(Given(pays=Pays.PERCENT, depth=0.11), 4000)
    assert 0.11 in percent and percent == sorted(percent) and percent[0] == 0
    assert sizes_to_try(Given(pays=Pays.AMOUNT, face_minor=300), 5_900)[:4] == [0, 200, 300, 400]
    assert sizes_to_try(Given(pays=Pays.GIFT, face_minor=300), 4000) == [0.0]


@pytest.mark.parametrize("pays", [Pays.PERCENT, Pays.AMOUNT, Pays.POINTS])
def test_a_size_put_in_is_the_size_read_out(pays: Pays) -> None:
    scenario = replace(SCENARIO, reward=replace(SCENARIO.reward, pays=pays))
    size = 0.35 if pays is Pays.PERCENT else 350.0
    assert size_of(scenario.with_size(size).reward) == size


def test_a_scenario_is_kept_and_read_back_whole() -> None:
    whole = replace(
        SCENARIO,
        moment=Moment.LATE,
        group="Category: <b>Tea</b>",
        audience=Audience((Rule(field="purchases", least=1, most=1),)),
        margin=0.3,
        contact_cost_minor=0.5,
    )
    assert Scenario.from_json(whole.to_json()) == whole


@pytest.mark.parametrize("spoilt", [{}, {"form": 2}, {"form": 1, "moment": "never"}, SCENARIO.to_json() | {"x": 1}])
def test_a_damaged_scenario_is_refused_in_words(spoilt: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Scenario.from_json(spoilt)


@pytest.mark.parametrize("spoilt", [{"reach": 1.2}, {"holdout": -0.1}, {"delay_days": -1}, {"run_days": 0}])
def test_sliders_beyond_their_ends_are_refused(spoilt: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        replace(SCENARIO, **spoilt)  # type: ignore[arg-type]  # what a link could say


def test_a_plan_becomes_a_what_if() -> None:
    plan = Plan(kind="coupon", reward=Given(pays=Pays.PERCENT, depth=0.15), delay_days=21, contact_cost_minor=2)
    found = Scenario.of_plan(plan, group="Offer: Again", holdout=0.3, run_days=60)
    assert (found.reward, found.delay_days, found.holdout, found.run_days) == (plan.reward, 21, 0.3, 60)
    assert found.contact_cost_minor == 2


def test_days_are_followed_as_long_as_fifty_are_at_risk() -> None:
    assert GROUND.longest == 50
    thin = replace(GROUND, spells=pd.DataFrame({"day": [10, 30, 40], "events": [5, 0, 1], "censored": [0, 50, 48]}))
    assert thin.longest == 30
