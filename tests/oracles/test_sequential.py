"""Bounds for planned looks and the band to peek at, against published and independently computed numbers."""

from math import exp, inf, sqrt

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from lib.errors import NotEnoughData
from lib.stats.any_time import any_time_band, any_time_half_width
from lib.stats.sequential import crossing, inflation, spending_bounds, spent


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        (4, [4.333, 2.963, 2.359, 2.014]),
        (5, [4.877, 3.357, 2.680, 2.290, 2.031]),
    ],
)
def test_the_bounds_match_the_published_lan_demets_bounds(looks: int, published: list[float]) -> None:
    bounds = spending_bounds([(i + 1) / looks for i in range(looks)])
    assert list(bounds) == pytest.approx(published, abs=5.1e-4)


def test_one_look_is_the_ordinary_bound() -> None:
    assert spending_bounds([1.0]) == pytest.approx((norm.isf(0.025),), abs=1e-9)
    assert spending_bounds([1.0], alpha=0.1) == pytest.approx((norm.isf(0.05),), abs=1e-9)


def test_two_unequal_looks_spend_what_the_bivariate_normal_says() -> None:
    fraction = 0.37
    first, last = spending_bounds([fraction, 1.0])
    assert first == pytest.approx(norm.isf(spent(fraction) / 2), abs=1e-8)
    joint = multivariate_normal(mean=[0, 0], cov=[[1, sqrt(fraction)], [sqrt(fraction), 1]])
    inside = (
        joint.cdf([first, last]) - joint.cdf([-first, last]) - joint.cdf([first, -last]) + joint.cdf([-first, -last])
    )
    assert 1 - inside == pytest.approx(0.05, abs=1e-5)


def test_simulated_paths_cross_as_often_as_computed() -> None:
    fractions = [0.1, 0.25, 0.6, 0.65, 1.0]
    bounds = spending_bounds(fractions)
    rng = np.random.default_rng(9)
    steps = rng.standard_normal((200_000, 5)) * np.sqrt(np.diff([0.0, *fractions]))
    for drift in (0.0, 2.5):
        z = (np.cumsum(steps, axis=1) + drift * np.array(fractions)) / np.sqrt(fractions)
        crossed = np.abs(z) > np.array(bounds)
        up = (crossed.any(axis=1) & (z[np.arange(len(z)), crossed.argmax(axis=1)] > 0)).mean()
        above, below = crossing(bounds, fractions, drift)
        assert up == pytest.approx(above, abs=2.6 * sqrt(above * (1 - above) / len(z)))
        if drift == 0:
            assert above + below == pytest.approx(0.05, abs=1e-9)


def test_other_information_than_planned_changes_only_how_the_looks_hang_together() -> None:
    planned = spending_bounds([0.5, 1.0])
    uneven = spending_bounds([0.5, 1.0], information=[900, 1000])
    assert uneven[0] == pytest.approx(planned[0], abs=1e-12)
    # The looks share nine tenths of their customers, so less is left to cross: a lower bound spends the same.
    assert uneven[1] < planned[1]


def test_a_look_that_may_spend_nothing_has_no_bound_and_leaves_it_to_the_next() -> None:
    bounds = spending_bounds([0.001, 0.5, 1.0])
    assert bounds[0] == inf
    assert bounds[1:] == pytest.approx(spending_bounds([0.5, 1.0]), abs=1e-6)


def test_looking_every_week_costs_two_to_three_percent_more_customers() -> None:
    weekly = [0.2, 0.4, 0.6, 0.8, 1.0]
    more = inflation(weekly)
    assert more == pytest.approx(1.025, abs=0.005)
    drift = (norm.isf(0.025) + norm.isf(0.2)) * sqrt(more)
    assert crossing(spending_bounds(weekly), weekly, drift)[0] == pytest.approx(0.8, abs=1e-7)
    assert inflation([1.0]) == pytest.approx(1.0, abs=1e-6)


def test_bounds_refuse_looks_that_do_not_increase() -> None:
    for fractions in ([], [0.0, 1.0], [0.5, 0.5], [1.0, 0.5]):
        with pytest.raises(ValueError, match="increase"):
            spending_bounds(fractions)
    with pytest.raises(ValueError, match="information"):
        spending_bounds([0.5, 1.0], information=[1.0])
    with pytest.raises(ValueError, match="last look"):
        inflation([0.5])


def test_the_band_to_peek_at_is_the_normal_mixture_boundary_at_its_best() -> None:
    # At the planned size s solves s = log((s + 1)/α²), so the half width is sqrt(s + 1) standard errors.
    half = any_time_half_width(n=1000, se=1.0, planned_n=1000)
    s = half**2 - 1
    assert exp(s) * 0.05**2 == pytest.approx(s + 1, rel=1e-9)
    assert half == pytest.approx(3.035, abs=5e-4)
    # No other tuning is narrower there.
    for planned in (500, 800, 1250, 4000):
        assert any_time_half_width(n=1000, se=1.0, planned_n=planned) > half


def test_the_band_is_the_formula_of_waudby_smith_et_al() -> None:
    # C_t: ± σ·sqrt(2(tρ² + 1)/(t²ρ²)·log(sqrt(tρ² + 1)/α)), with σ/sqrt(t) as the standard error.
    n, planned, sigma = 250, 1000, 7.0
    rho2 = (any_time_half_width(n=1, se=1.0, planned_n=1) ** 2 - 1) / planned
    formula = sigma * sqrt(2 * (n * rho2 + 1) / (n**2 * rho2) * np.log(sqrt(n * rho2 + 1) / 0.05))
    assert any_time_half_width(n=n, se=sigma / sqrt(n), planned_n=planned) == pytest.approx(formula, rel=1e-9)
    assert any_time_band(1.0, n=n, se=sigma / sqrt(n), planned_n=planned) == pytest.approx((1 - formula, 1 + formula))
    with pytest.raises(NotEnoughData, match="peek"):
        any_time_half_width(n=0, se=1.0, planned_n=10)
