"""Laws of the what-if model: what must be true of every offer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.stats.assumptions import Assumptions, Beta, Draws
from lib.stats.required import what_would_have_to_be_true
from lib.stats.rewards import Reward, RewardKind, percent_off
from lib.stats.sensitivity import tornado
from lib.stats.waiting import Waiting
from lib.stats.what_if import Offer, break_even, outcome, what_if

share = st.floats(0.01, 0.9)
rewards = st.builds(
    lambda cost, depth: Reward(kind=RewardKind.GIFT, cost=cost, depth=depth), st.floats(0, 80), st.floats(0, 0.9)
)
offers = st.builds(
    Offer,
    customers=st.floats(1, 1e6),
    basket=st.floats(1, 200),
    margin=st.floats(0.05, 0.95),
    reward=rewards,
    contact_cost=st.floats(0, 1),
    reach=share,
    holdout=share,
    qualifying_share=st.floats(0.05, 1),
)
waits = st.builds(Waiting, delay=st.just(14), expiry=st.just(30), still=share, bought=share)
betas = st.sampled_from([Beta(4, 8), Beta(6, 4), Beta(0.6, 3), Beta(20, 1)])
assumed = st.builds(
    Assumptions,
    contact=st.floats(-1, 1),
    pull=st.floats(0, 3),
    pulled_forward=betas,
    redeemed_anyway=betas,
    redeemed_new=share,
)


def case(log_hr: float, *, pulled_forward: float = 0.0, redeemed_anyway: float = 1.0) -> Draws:
    """One draw whose hazard ratio is given, whatever the reward."""
    values = {
        "contact": log_hr,
        "pull": 0.0,
        "offer_noise": 0.0,
        "pulled_forward": pulled_forward,
        "redeemed_anyway": redeemed_anyway,
        "baseline": 0.0,
    }
    return Draws(**{name: np.array([value]) for name, value in values.items()})


@settings(deadline=None)  # a busy machine is no failure
@given(offers, waits, share, share)
def test_without_uplift_the_profit_is_what_was_given_away_and_what_the_contacts_cost(
    offer: Offer, waiting: Waiting, pulled: float, anyway: float
) -> None:
    result = outcome(offer, waiting, case(0.0, pulled_forward=pulled, redeemed_anyway=anyway), 1.0)
    contacts = result.contacted * offer.contact_cost
    assert result.profit[0] == pytest.approx(-(result.given[0] + contacts), rel=1e-9, abs=1e-9)
    assert result.orders[0] == pytest.approx(0, abs=1e-9 * result.contacted)


@settings(deadline=None)  # a busy machine is no failure
@given(offers, waits)
def test_at_the_break_even_uplift_the_profit_is_zero(offer: Offer, waiting: Waiting) -> None:
    needed = break_even(offer, waiting)
    if offer.reward.cost >= offer.gain:
        assert needed.uplift is None
        assert needed.never_pays
        return
    assert needed.uplift is not None
    assert needed.share is not None
    if needed.share >= 0.999:
        return
    log_hr = float(np.log(np.log1p(-needed.share) / np.log1p(-waiting.bought)))
    result = outcome(offer, waiting, case(log_hr), 1.0)
    scale = result.contacted * (offer.gain + offer.reward.cost + offer.contact_cost)
    assert result.profit[0] == pytest.approx(0, abs=1e-9 * scale)


@given(st.floats(0.01, 0.9), waits)
def test_a_tenth_off_at_a_margin_of_two_fifths_breaks_even_at_a_third_more(basket: float, waiting: Waiting) -> None:
    offer = Offer(customers=100, basket=100 * basket, margin=0.4, reward=percent_off(0.1, 100 * basket))
    assert break_even(offer, waiting).uplift == pytest.approx(1 / 3)


@settings(deadline=None)  # a busy machine is no failure
@given(offers, waits, assumed)
def test_the_parts_of_a_result_add_up(offer: Offer, waiting: Waiting, assumptions: Assumptions) -> None:
    result = what_if(offer, waiting, assumptions, n=200)
    scale = 1e-9 * (result.contacted * (offer.basket + offer.reward.cost + 1) + 1)
    later = result.pulled_forward * offer.gain
    assert np.abs(result.in_window - later - result.profit).max() <= scale
    assert np.abs(result.orders * offer.gain - result.spent - result.in_window).max() <= scale
    assert (result.spent >= -scale).all()
    assert (result.given >= 0).all()
    assert (result.pulled_forward >= 0).all()
    assert (result.orders <= result.contacted).all()
    assert 0 <= result.chance <= 1


@settings(deadline=None)  # a busy machine is no failure
@given(offers, waits, assumed)
def test_twice_the_customers_is_twice_everything(offer: Offer, waiting: Waiting, assumptions: Assumptions) -> None:
    once = what_if(offer, waiting, assumptions, n=200)
    twice = what_if(replace(offer, customers=2 * offer.customers), waiting, assumptions, n=200)
    for name in ("orders", "net_sales", "profit", "given", "pulled_forward", "spent"):
        assert getattr(twice, name) == pytest.approx(2 * getattr(once, name), rel=1e-9, abs=1e-9)
    assert twice.chance == once.chance


@settings(deadline=None)  # a busy machine is no failure
@given(offers, waits, assumed)
def test_the_middle_of_the_tornado_lies_between_its_ends(
    offer: Offer, waiting: Waiting, assumptions: Assumptions
) -> None:
    table = tornado(offer, waiting, assumptions)
    assert table["swing"].is_monotonic_decreasing
    assert "baseline" not in set(table["assumption"])
    if offer.reward.cost == 0:
        assert "redeemed_anyway" not in set(table["assumption"])


@settings(deadline=None)  # a busy machine is no failure
@given(offers, waits, assumed)
def test_what_is_expected_is_what_would_have_to_be_true_for_it(
    offer: Offer, waiting: Waiting, assumptions: Assumptions
) -> None:
    def profit(levers: dict[str, float]) -> float:
        """The formula as printed, at the means."""
        delta, psi, rho = levers["uplift"] * waiting.bought, levers["pulled_forward"], levers["redeemed_anyway"]
        lasting, new = (1 - psi, assumptions.redeemed_new) if delta > 0 else (1.0, rho * offer.qualifying_share)
        return (
            levers["customers"] * offer.reach * waiting.still * (1 - offer.holdout)
            * (
                delta * lasting * levers["margin"] * levers["basket"]
                - (waiting.bought * rho * offer.qualifying_share + delta * new) * levers["reward_cost"]
                - levers["contact_cost"]
            )
        )  # fmt: skip

    levers = what_would_have_to_be_true(offer, waiting, assumptions, 0.0)
    now = {lever.lever: lever.now for lever in levers}
    for wished in (profit(now), 500.0, -500.0):
        scale = abs(wished) + offer.customers * (offer.basket + offer.reward.cost + offer.contact_cost)
        for lever in what_would_have_to_be_true(offer, waiting, assumptions, wished):
            if lever.needed is None:
                assert lever.chance in (None, 0.0)
                continue
            reached = profit(now | {lever.lever: lever.needed})
            assert reached >= wished - 1e-8 * scale, lever
