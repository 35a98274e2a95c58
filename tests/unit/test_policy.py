"""What if deliveries were late less often or returns were free: from a relation that need not be a cause."""

import numpy as np
import pytest

from lib.stats.assumptions import Beta
from lib.stats.policy import Change, Relation, delivery_change, policy_what_if, returns_change

# Customers whose parcel came late buy again less often: 4 points, 3 to 5.
LATE = Relation(difference=-0.04, low=-0.05, high=-0.03, n=50_000)


def test_fewer_late_parcels_pay_when_enough_of_the_relation_is_cause() -> None:
    # 100,000 parcels, 10 % to 4 % late: 6,000 fewer, 240 repeat orders if all is cause, of 25 each: 6,000.
    change = delivery_change(parcels=100_000, late_now=0.10, late_then=0.04, order_profit=25, cost_per_parcel=0.03)
    assert change.moved == pytest.approx(-6_000)
    result = policy_what_if(LATE, change)
    assert result.pays_between == pytest.approx((0.5, 1.0))
    assert result.is_clear
    assert (result.repeat_if_all.low, result.repeat_if_all.middle, result.repeat_if_all.high) == pytest.approx(
        (240 - 1.645 * 30.6, 240, 240 + 1.645 * 30.6), abs=3
    )
    assert result.profit_if_all.middle == pytest.approx(3_000, abs=60)
    assert result.repeat.middle < result.repeat_if_all.middle
    # P(cause > .5) of Beta(2, 3) is .3125; the error of the relation hardly moves it.
    assert result.chance == pytest.approx(0.3125, abs=0.03)


def test_a_cheaper_and_later_carrier_pays_only_while_little_of_the_relation_is_cause() -> None:
    change = delivery_change(parcels=100_000, late_now=0.04, late_then=0.10, order_profit=25, cost_per_parcel=-0.015)
    assert policy_what_if(LATE, change).pays_between == pytest.approx((0.0, 0.25))


def test_a_change_may_pay_always_or_never() -> None:
    gain = {"customers": 1_000, "share_now": 0.5, "share_then": 0.1, "order_profit": 25.0}
    assert policy_what_if(LATE, Change(**gain, cost=-5)).pays_between == (0.0, 1.0)
    assert policy_what_if(LATE, Change(**gain, cost=0)).pays_between == (0.0, 1.0)
    assert policy_what_if(LATE, Change(**gain, cost=401)).pays_between is None


def test_free_returns_cost_more_returns_and_their_labels() -> None:
    change = returns_change(
        orders=10_000,
        free_now=0.0,
        free_then=1.0,
        order_profit=20,
        return_rate_now=0.10,
        return_rate_then=0.12,
        cost_per_return=8,
        label_cost=5,
    )
    assert change.cost == pytest.approx(200 * 8 + 1_200 * 5)
    result = policy_what_if(Relation(difference=0.05, low=0.02, high=0.08, n=3_000), change, cause=Beta(50, 1))
    assert result.pays_between == pytest.approx((0.76, 1.0))
    assert result.chance == pytest.approx(0.85, abs=0.1)


def test_a_relation_that_may_be_chance_is_said_to_be() -> None:
    weak = Relation(difference=0.01, low=-0.01, high=0.03, n=500)
    result = policy_what_if(weak, Change(customers=1_000, share_now=0, share_then=1, order_profit=10))
    assert not result.is_clear
    assert result.repeat_if_all.low < 0 < result.repeat_if_all.high
    with pytest.raises(ValueError, match="no interval"):
        Relation(difference=0.5, low=0.0, high=0.1, n=5)
    with pytest.raises(ValueError, match="no change"):
        Change(customers=1, share_now=0, share_then=1.5, order_profit=1)


def test_the_same_question_has_the_same_answer() -> None:
    change = Change(customers=1_000, share_now=0.5, share_then=0.1, order_profit=25.0, cost=100)
    one, two = policy_what_if(LATE, change), policy_what_if(LATE, change)
    assert one == two
    assert np.isfinite(one.profit.mean)
