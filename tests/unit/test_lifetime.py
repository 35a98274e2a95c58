"""The lifetime model on stores whose truth is known, and what it refuses."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import special

from lib.errors import NotEnoughData
from lib.stats import bgnbd, gamma_gamma, lifetime
from lib.stats.bgnbd import Buying, Model

TRUTH = {"r": 0.6, "alpha": 9.0, "a": 0.8, "b": 1.6}


def purchases(
    customers: int, weeks: float, seed: int, truth: dict[str, float] = TRUTH
) -> list[npt.NDArray[np.float64]]:
    """Per customer, the weeks of her purchases after the first, as MBG/NBD has it; first order in the first half."""
    random = np.random.default_rng(seed)
    rate = random.gamma(truth["r"], 1 / truth["alpha"], customers)
    stops = random.beta(truth["a"], truth["b"], customers)
    start = random.integers(0, int(weeks * 7 / 2), customers) / 7
    times = []
    for each_rate, each_stop, each_start in zip(rate, stops, start, strict=True):
        number = random.geometric(each_stop) - 1
        gaps = random.exponential(1 / max(each_rate, 1e-9), min(number, 2000))
        after = each_start + np.ceil(np.cumsum(gaps) * 7) / 7
        times.append(np.concatenate([[each_start], np.unique(after[after < weeks])]))
    return times


def grouped(times: list[npt.NDArray[np.float64]], cut: float, end: float) -> pd.DataFrame:
    rows = [
        (len(known) - 1, known[-1] - known[0], cut - known[0], 1, int(((each >= cut) & (each < end)).sum()))
        for each in times
        if len(known := each[each < cut])
    ]
    return pd.DataFrame(rows, columns=["x", "t_x", "t", "n", "later"]).groupby(["x", "t_x", "t"], as_index=False).sum()


@pytest.fixture(scope="module")
def store() -> list[npt.NDArray[np.float64]]:
    return purchases(12_000, 104.0, seed=5)


def test_the_truth_of_a_made_store_is_recovered(store: list[npt.NDArray[np.float64]]) -> None:
    fitted = bgnbd.fit(grouped(store, 104.0, 104.0))
    for name, value in TRUTH.items():
        assert getattr(fitted, name) == pytest.approx(value, rel=0.15), name


def test_the_orders_of_the_held_back_half_year_are_foretold(store: list[npt.NDArray[np.float64]]) -> None:
    at_cut = grouped(store, 78.0, 104.0)
    tested = lifetime.backtest(at_cut, 26.0)
    assert tested.ratio(Model.MBG) == pytest.approx(1.0, abs=0.07)
    assert set(tested.forecasts) == {Model.BG, Model.MBG}
    model = lifetime.fit(grouped(store, 104.0, 104.0), tested=tested)
    assert model.orders.model is tested.better
    assert model.active.model is Model.MBG


def test_the_chance_to_be_active_is_that_of_customers_who_are(store: list[npt.NDArray[np.float64]]) -> None:
    fitted = bgnbd.fit(grouped(store, 78.0, 104.0))
    one_time = pd.DataFrame({"x": [0, 0], "t_x": [0.0, 0.0], "t": [1.0, 70.0]})
    recent, old = fitted.chance_active(one_time)
    assert 0.9 * TRUTH["b"] / (TRUTH["a"] + TRUTH["b"]) < recent < 1
    assert old < recent
    assert bgnbd.fit(grouped(store, 78.0, 104.0), model=Model.BG).chance_active(one_time).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("model", list(Model))
def test_the_gradient_is_the_slope_of_the_likelihood(model: Model, store: list[npt.NDArray[np.float64]]) -> None:
    groups = grouped(store[:800], 90.0, 104.0)
    at = np.log([0.5, 7.0, 0.9, 1.7])
    gradient = bgnbd.log_likelihood(groups, at, model=model)[1]
    for index, step in enumerate(np.eye(4) * 1e-5):
        above, below = (bgnbd.log_likelihood(groups, at + sign * step, model=model)[0] for sign in (1, -1))
        assert gradient[index] == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("model", list(Model))
@pytest.mark.parametrize("x", [0, 1, 20, 500, 5000])
@pytest.mark.parametrize("a", [0.3, 1.0, 4.0])
def test_expected_orders_are_the_integral_over_all_buyers_also_for_the_heaviest(model: Model, x: int, a: float) -> None:
    fitted = Buying(
        model=model, r=0.4, alpha=6.0, a=a, b=2.2, log_likelihood=0, customers=0, repeaters=0, weeks=0
    )  # fmt: skip
    group = pd.DataFrame({"x": [x], "t_x": [40.0 if x else 0.0], "t": [41.0]})
    b = 2.2 + x + (model is Model.MBG)
    quantile = special.betaincinv(a, b, (np.arange(40_000) + 0.5) / 40_000)
    orders = -np.expm1(-(0.4 + x) * np.log1p(quantile * 26 / 47.0)) / quantile
    expected = orders.mean() * fitted.chance_active(group)[0]
    assert fitted.expected_orders(group, 26.0)[0] == pytest.approx(expected, rel=2e-3)


def test_grouping_changes_nothing(store: list[npt.NDArray[np.float64]]) -> None:
    groups = grouped(store[:3000], 104.0, 104.0)
    one_by_one = groups.loc[groups.index.repeat(groups["n"])].assign(n=1).sample(frac=1, random_state=2)
    together, apart = bgnbd.fit(groups), bgnbd.fit(one_by_one)
    assert together.log_likelihood == pytest.approx(apart.log_likelihood, rel=1e-10)
    assert together.alpha == pytest.approx(apart.alpha, rel=1e-3)


def test_too_few_customers_repeaters_or_weeks_are_refused_by_name(store: list[npt.NDArray[np.float64]]) -> None:
    groups = grouped(store, 104.0, 104.0)
    with pytest.raises(NotEnoughData, match="500 customers; there are 499"):
        bgnbd.fit(grouped(store[:499], 104.0, 104.0))
    with pytest.raises(NotEnoughData, match="100 repeat customers; there are 0"):
        bgnbd.fit(groups[groups["x"] == 0])
    with pytest.raises(NotEnoughData, match="26 weeks of orders; there are 20"):
        bgnbd.fit(grouped(store, 20.0, 104.0))
    with pytest.raises(NotEnoughData, match="No backtest"):
        lifetime.backtest(grouped(store, 20.0, 104.0), 10.0)


def test_a_parameter_that_runs_away_is_refused_by_name() -> None:
    alike = pd.DataFrame({"x": [4, 5, 6], "t_x": [50.0, 50.0, 50.0], "t": [52.0, 52.0, 52.0], "n": [900, 900, 900]})
    with pytest.raises(NotEnoughData, match="runs to"):
        bgnbd.fit(alike)


def order_values(seed: int, customers: int = 20_000) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x = random.geometric(0.4, customers)
    mean_rate = random.gamma(3.0, 1 / 40.0, customers)
    return pd.DataFrame({"x": x, "value": random.gamma(5.0 * x, 1 / (mean_rate * x)), "n": 1})


def test_the_truth_of_made_order_values_is_recovered_in_any_unit() -> None:
    values = order_values(8)
    fitted = gamma_gamma.fit(values)
    assert (fitted.p, fitted.q, fitted.v) == pytest.approx((5.0, 3.0, 40.0), rel=0.06)
    cents = gamma_gamma.fit(values.assign(value=values["value"] * 100))
    assert (cents.p, cents.q, cents.v) == pytest.approx((fitted.p, fitted.q, fitted.v * 100), rel=1e-4)
    assert cents.mean_value == pytest.approx(fitted.mean_value * 100, rel=1e-4)
    assert fitted.expected_value([0, 1000], [np.nan, 70.0]) == pytest.approx([fitted.mean_value, 70.0], rel=5e-3)


def test_value_that_goes_with_frequency_is_warned_of_and_uneven_values_are_refused() -> None:
    values = order_values(9)
    together = gamma_gamma.fit(values.assign(value=values["value"] * values["x"]))
    assert together.correlation > 0.3
    assert "go together" in together.warning
    with pytest.raises(NotEnoughData, match="100 repeat customers; there are 60"):
        gamma_gamma.fit(values[:60])
    uneven = np.exp(np.random.default_rng(1).standard_cauchy(5000).clip(-30, 30))
    with pytest.raises(NotEnoughData, match="value model"):
        gamma_gamma.fit(pd.DataFrame({"x": 1, "value": uneven, "n": 1}))


def test_worth_is_orders_times_value_times_margin(store: list[npt.NDArray[np.float64]]) -> None:
    groups = grouped(store, 104.0, 104.0)
    groups["value"] = np.where(groups["x"] > 0, 55.0, np.nan)
    model = lifetime.fit(groups, values=order_values(8))
    assert model.money is not None
    assert model.warnings == ("Not backtested: too little is known if some of the history is held back.",)
    worth = model.worth(groups, 52.0, margin=0.4)
    assert (worth["worth"] - worth["orders"] * worth["order_value"] * 0.4).abs().max() < 1e-9
    one_time = worth[worth["x"] == 0]
    assert one_time["order_value"].tolist() == pytest.approx([model.money.mean_value] * len(one_time))
    without = lifetime.fit(groups, values=order_values(8, customers=50))
    assert without.money is None
    assert any("100 repeat customers" in warning for warning in without.warnings)
    assert without.worth(groups, 52.0)["worth"].isna().all()


def test_values_rounded_to_5_percent_fit_alike_and_averaged_over_customers_do_not() -> None:
    values = order_values(12, customers=60_000)
    apart = gamma_gamma.fit(values)
    rounded = values.assign(value=np.exp(np.rint(np.log(values["value"]) * 20) / 20))
    together = gamma_gamma.fit(rounded.groupby(["x", "value"], as_index=False)[["n"]].sum())
    assert (together.p, together.q, together.v) == pytest.approx((apart.p, apart.q, apart.v), rel=1e-3)
    averaged = values.assign(row=np.arange(len(values)) // 3)
    averaged = averaged.groupby(["x", "row"], as_index=False).agg(value=("value", "mean"), n=("n", "sum"))
    assert gamma_gamma.fit(averaged).p > 1.5 * apart.p


def test_a_store_with_6_percent_repeat_customers_is_recovered_too() -> None:
    few = {"r": 0.1, "alpha": 20.0, "a": 1.0, "b": 1.0}
    fitted = bgnbd.fit(grouped(purchases(20_000, 128.0, seed=6, truth=few), 128.0, 128.0))
    assert 0.03 < fitted.repeaters / fitted.customers < 0.08
    assert (fitted.r, fitted.alpha) == pytest.approx((0.1, 20.0), rel=0.4)
    assert fitted.b / (fitted.a + fitted.b) == pytest.approx(0.5, abs=0.1)
