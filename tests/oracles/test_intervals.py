"""Intervals against the tables of the papers that proposed them."""

import numpy as np
import pytest

from lib.errors import NotEnoughData
from lib.stats.intervals import mean_interval, newcombe_difference, poisson_rate_interval, wilson, wilson_columns


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_matches_the_table_of_newcombe_1998(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_by_columns_is_wilson_row_by_row_and_unknown_where_nobody_is() -> None:
    low, high = wilson_columns([81, 0, 29, 0], [263, 20, 29, 0])
    expected = [wilson(81, 263), wilson(0, 20), wilson(29, 29)]
    assert low[:3] == pytest.approx([row[0] for row in expected], abs=1e-14)
    assert high[:3] == pytest.approx([row[1] for row in expected], abs=1e-14)
    assert np.isnan(low[3])
    assert np.isnan(high[3])


@pytest.mark.parametrize(
    ("k1", "n1", "k2", "n2", "low", "high"),
    [(56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090), (10, 10, 0, 20, 0.6791, 1.0)],
)
def test_the_difference_of_two_shares_matches_method_10_of_newcombe_1998(
    k1: int, n1: int, k2: int, n2: int, low: float, high: float
) -> None:
    assert newcombe_difference(k1, n1, k2, n2) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_of_a_mean_matches_nist_zarr13() -> None:
    assert mean_interval(n=195, mean=9.261460, sd=0.022789) == pytest.approx((9.258242, 9.264679), abs=2e-6)


@pytest.mark.parametrize(
    ("events", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.390), (100, 81.36, 121.63)]
)
def test_the_interval_of_a_rate_matches_the_table_of_garwood_1936(events: int, low: float, high: float) -> None:
    assert poisson_rate_interval(events, 1.0) == pytest.approx((low, high), abs=6e-3)
    assert poisson_rate_interval(events, 4.0)[1] == pytest.approx(high / 4, abs=2e-3)


def test_intervals_refuse_by_name_when_there_are_no_cases() -> None:
    with pytest.raises(NotEnoughData, match="share"):
        wilson(0, 0)
    with pytest.raises(NotEnoughData, match="share"):
        newcombe_difference(1, 2, 0, 0)
    with pytest.raises(NotEnoughData, match="mean"):
        mean_interval(n=1, mean=3.0, sd=0.0)
    with pytest.raises(NotEnoughData, match="rate"):
        poisson_rate_interval(0, 0.0)
