"""What can be detected, against R's power.prop.test."""

import pytest

from lib.errors import NotEnoughData
from lib.stats.power import (
    customers_for_means,
    customers_for_shares,
    detectable,
    holdout_penalty,
    power_of_shares,
    smallest_mean_difference,
    spending_sd,
)


@pytest.mark.parametrize(
    ("baseline", "share", "per_arm", "within"),
    [(0.20, 0.25, 1_093.739, 1e-3), (0.10, 0.12, 3_840.847, 1e-3), (0.10, 0.15, 690, 5)],
)
def test_customers_per_arm_match_power_prop_test(baseline: float, share: float, per_arm: float, within: float) -> None:
    needed = customers_for_shares(baseline, share)
    assert needed / 2 == pytest.approx(per_arm, abs=within)
    assert power_of_shares(needed, baseline, share) == pytest.approx(0.8, abs=1e-12)


def test_more_power_and_less_error_match_power_prop_test() -> None:
    # power.prop.test(p1 = .5, p2 = .75, power = .9) gives 76.7 per arm.
    assert customers_for_shares(0.5, 0.75, power=0.9) / 2 == pytest.approx(76.7, abs=0.05)


def test_a_holdout_of_a_tenth_needs_2_8_times_the_customers() -> None:
    assert holdout_penalty(0.1) == pytest.approx(2.8, abs=0.03)
    assert holdout_penalty(0.5) == 1
    assert customers_for_means(1, 10, holdout=0.1) / customers_for_means(1, 10) == pytest.approx(25 / 9)
    ratio = customers_for_shares(0.10, 0.12, holdout=0.1) / customers_for_shares(0.10, 0.12)
    assert ratio == pytest.approx(2.8, abs=0.05)


def test_customers_for_net_sales_follow_the_normal_formula() -> None:
    # 2·(1.959964 + 1.281552)²·2²/.5² per arm; power.t.test(delta = 1, power = .9) gives 22.02, 21.01 of it normal.
    assert customers_for_means(0.5, 2, power=0.9) / 2 == pytest.approx(336.2, abs=0.1)
    assert customers_for_means(1, 1, power=0.9) / 2 == pytest.approx(21.01, abs=0.01)
    assert customers_for_means(0.5, 2, gain=0.25) == pytest.approx(0.75 * customers_for_means(0.5, 2))
    needed = customers_for_means(0.5, 2, holdout=0.3, gain=0.1)
    assert smallest_mean_difference(needed, 2, holdout=0.3, gain=0.1) == pytest.approx(0.5)


def test_spending_varies_mostly_because_most_buy_nothing() -> None:
    # 1 of 4 spends 40 ± 0: mean 10, variance .25·1600 - 100.
    assert spending_sd(0.25, 40, 0) == pytest.approx(300**0.5)
    assert spending_sd(0.25, 40, 20) == pytest.approx(400**0.5)


def test_what_can_be_found_is_said_with_what_would_help() -> None:
    found = detectable(8_000, 0.10, holdout=0.1, hoped_share=0.12, sd=20)
    assert found.hoped_needs == 21_853
    assert found.even_needs == 7_682
    assert found.is_in_reach is False
    assert found.even_split_helps
    assert found.share is not None
    assert found.even_share is not None
    assert found.share > 0.12 > found.even_share > 0.10
    assert power_of_shares(8_000, 0.10, found.share, holdout=0.1) == pytest.approx(0.8, abs=1e-9)
    assert found.uplift == pytest.approx(found.share / 0.10 - 1)
    assert found.spending == pytest.approx(smallest_mean_difference(8_000, 20, holdout=0.1))
    assert detectable(4_000, 0.10, hoped_share=0.12).times_longer == pytest.approx(7_682 / 4_000)
    assert detectable(8_000, 0.10, hoped_share=0.12).is_in_reach is True


def test_looks_cost_customers() -> None:
    plain, looked = (detectable(8_000, 0.1, hoped_share=0.12, looks_cost=cost) for cost in (1.0, 1.025))
    assert looked.hoped_needs == pytest.approx(1.025 * (plain.hoped_needs or 0), abs=1)
    assert (looked.share or 0) > (plain.share or 1)


def test_an_audience_too_small_says_so() -> None:
    with pytest.raises(NotEnoughData, match="too few to split"):
        detectable(10, 0.1, holdout=0.1)
    assert detectable(4, 0.4).share is None
    with pytest.raises(ValueError, match="never be told apart"):
        customers_for_shares(0.1, 0.1)
    with pytest.raises(ValueError, match="holdout"):
        customers_for_shares(0.1, 0.2, holdout=0)
    with pytest.raises(ValueError, match="never found"):
        customers_for_means(0, 1)
