"""Treatment against holdout: the e-mail experiment of Hillstrom (2008), 64,000 customers in three arms."""

import numpy as np
import pytest

from lib.errors import NotEnoughData
from lib.stats.experiment import ArmSums, conversion, cuped, profit, sample_ratio, welch

# Customers, visits, conversions, mean and standard deviation of spend, as printed.
MEN = (21_307, 3_894, 267, 1.422617, 17.754205)
NOBODY = (21_306, 2_262, 122, 0.652789, 11.588200)
WOMEN = (21_387, 3_238, 189, 1.077202, 15.116106)


def spend(arm: tuple[int, int, int, float, float]) -> ArmSums:
    n, _, buyers, mean, sd = arm
    return ArmSums(n=n, y=n * mean, yy=(n - 1) * sd**2 + n * mean**2, buyers=buyers)


def bought(n: int, buyers: int) -> ArmSums:
    return ArmSums.of_buyers(n, buyers)


def test_the_split_of_hillstrom_is_chance() -> None:
    ratio = sample_ratio([MEN[0], NOBODY[0], WOMEN[0]], [1, 1, 1])
    assert ratio.p == pytest.approx(0.9037, abs=5e-5)
    assert ratio.df == 2
    assert not ratio.blocks


@pytest.mark.parametrize(
    ("arm", "visits", "conversions", "spent", "se"),
    [(MEN, 0.0766, 0.0068, 0.7698, 0.1452), (WOMEN, 0.0452, 0.0031, 0.4244, 0.1303)],
)
def test_the_effects_of_hillstrom_come_out(
    arm: tuple[int, int, int, float, float], visits: float, conversions: float, spent: float, se: float
) -> None:
    assert conversion(bought(arm[0], arm[1]), bought(NOBODY[0], NOBODY[1])).difference == pytest.approx(
        visits, abs=5e-5
    )
    assert conversion(bought(arm[0], arm[2]), bought(NOBODY[0], NOBODY[2])).difference == pytest.approx(
        conversions, abs=5e-5
    )
    effect = welch(spend(arm), spend(NOBODY))
    assert effect.difference == pytest.approx(spent, abs=5e-5)
    assert effect.se == pytest.approx(se, abs=5e-5)


def test_welch_is_what_scipy_computes_from_the_customers_themselves() -> None:
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(3)
    a, b = rng.gamma(2, 20, 41), rng.gamma(2, 25, 57) * (rng.random(57) < 0.7)
    effect = welch(_sums(a), _sums(b))
    expected = ttest_ind(a, b, equal_var=False)
    assert effect.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert effect.df == pytest.approx(expected.df, rel=1e-9)
    assert (effect.low, effect.high) == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-9)


def test_cuped_is_the_regression_on_arm_and_earlier_spending() -> None:
    rng = np.random.default_rng(4)
    n = 4_000
    x = rng.gamma(1.5, 30, 2 * n)
    arm = np.repeat([1.0, 0.0], n)
    y = 5 + 0.4 * x + 3 * arm + rng.normal(0, 10, 2 * n)
    effect = cuped(_sums(y[:n], x[:n]), _sums(y[n:], x[n:]))
    design = np.column_stack([np.ones(2 * n), arm, x])
    coefficients, residual, *_ = np.linalg.lstsq(design, y, rcond=None)
    assert effect.difference == pytest.approx(coefficients[1], rel=1e-9)
    se = float(np.sqrt(residual[0] / (2 * n - 3) * np.linalg.inv(design.T @ design)[1, 1]))
    assert effect.se == pytest.approx(se, rel=1e-3)
    # 1 - r² is left: r² = .16·2700·.5/(.16·1350 + 100) within the arms.
    assert effect.gain == pytest.approx(0.4**2 * 1350 / (0.4**2 * 1350 + 100), abs=0.02)


def test_earlier_spending_that_says_nothing_gains_nothing_and_hardly_costs() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.gamma(1, 30, 2_000), rng.gamma(1, 30, 2_000)
    effect = cuped(_sums(y[:1000], x[:1000]), _sums(y[1000:], x[1000:]))
    assert effect.gain == pytest.approx(0, abs=0.005)
    assert effect.se == pytest.approx(welch(_sums(y[:1000]), _sums(y[1000:])).se, rel=0.005)


def test_profit_is_the_margin_of_what_was_spent_less_the_contacts() -> None:
    sold = welch(spend(MEN), spend(NOBODY))
    earned = profit(spend(MEN), spend(NOBODY), margin=0.4, contact_cost=0.1)
    assert earned.difference == pytest.approx(0.4 * sold.difference - 0.1)
    assert earned.se == pytest.approx(0.4 * sold.se)
    assert earned.holdout == pytest.approx(0.4 * NOBODY[3])


def test_sums_of_days_add_up_and_follow_what_is_done_to_each_customer() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.gamma(1, 30, 50), rng.gamma(1, 30, 50)
    both = _sums(y[:20], x[:20]) + _sums(y[20:], x[20:])
    for sums, expected in (
        (both, _sums(y, x)),
        (_sums(y, x).moved(times=0.3, plus=-2.0), _sums(0.3 * y - 2.0, x)),
    ):
        for name in ("n", "y", "yy", "x", "xx", "xy"):
            assert getattr(sums, name) == pytest.approx(getattr(expected, name)), name


def test_a_split_that_cannot_be_chance_blocks() -> None:
    # Kohavi's example: 821,588 against 815,482 meant to be even has p = 1.8e-6.
    ratio = sample_ratio([821_588, 815_482], [1, 1])
    assert ratio.p == pytest.approx(1.8e-6, abs=5e-8)
    assert ratio.blocks
    assert not sample_ratio([90, 10], [9, 1]).blocks


def test_comparing_refuses_by_name() -> None:
    with pytest.raises(NotEnoughData, match="each arm"):
        welch(ArmSums(n=1, y=1, yy=1), ArmSums(n=9, y=1, yy=1))
    with pytest.raises(NotEnoughData, match="varies"):
        welch(ArmSums(n=3, y=0, yy=0), ArmSums(n=3, y=0, yy=0))
    with pytest.raises(NotEnoughData, match="customers who did"):
        conversion(ArmSums.of_buyers(10, 0), ArmSums.of_buyers(10, 0))
    with pytest.raises(NotEnoughData, match="does not vary"):
        cuped(ArmSums(n=3, y=2, yy=2, x=3, xx=3, xy=2), ArmSums(n=3, y=1, yy=1, x=3, xx=3, xy=1))
    with pytest.raises(NotEnoughData, match="5 customers expected"):
        sample_ratio([4, 4], [1, 1])
    with pytest.raises(ValueError, match="no split"):
        sample_ratio([4, 4], [1, 0])


def _sums(y: np.ndarray, x: np.ndarray | None = None) -> ArmSums:
    x = np.zeros_like(y) if x is None else x
    return ArmSums(n=len(y), y=y.sum(), yy=y @ y, x=x.sum(), xx=x @ x, xy=x @ y, buyers=int((y > 0).sum()))
