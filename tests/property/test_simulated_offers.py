"""Offers whose truth is known: ranges hold as often as they say, verdicts are wrong as seldom as they say.

``make bench`` runs 2,000 of each; here are fewer. A share fails only outside the 99 % interval of its binomial.
"""

import pytest
from scipy.stats import binom

from bench.simulated_offers import nothing_works, ranges, something_works

OFFERS = 400


def test_ninety_percent_of_the_ranges_hold() -> None:
    result = ranges(OFFERS, seed=11)
    low, high = binom.interval(0.99, OFFERS, 0.9)
    assert {name: low <= held <= high for name, held in result.held.items()} == dict.fromkeys(result.held, True)
    assert set(result.held) == {"forecast", "forecast_measured", "bought", "net_sales", "profit"}


def test_looking_weekly_is_wrong_in_five_percent_and_peeking_daily_in_no_more() -> None:
    wrong = nothing_works(OFFERS, seed=12)
    low, high = binom.interval(0.99, OFFERS, 0.05)
    for verdicts in (wrong.verdict_bought, wrong.verdict_net_sales):
        assert low <= verdicts <= high
    for peeks in (wrong.peek_bought, wrong.peek_net_sales):
        assert peeks <= high
    # The trap that the bounds are there for: an ordinary p-value, looked at every day.
    assert wrong.naive_bought > 0.2 * OFFERS


def test_an_effect_that_was_planned_for_is_found_as_often_as_said() -> None:
    found = something_works(OFFERS, seed=13)
    low, high = binom.interval(0.99, OFFERS, 0.8)
    assert low <= found.kept <= high
    # The range at the verdict holds for all looks together: at least 95 %.
    assert found.held >= binom.interval(0.99, OFFERS, 0.95)[0]


def test_a_range_that_is_too_narrow_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.simulated_offers.LEVEL", 0.8)
    result = ranges(OFFERS, seed=11)
    low, _ = binom.interval(0.99, OFFERS, 0.9)
    assert all(held < low for held in result.held.values())
