"""The lifetime model against the CDNOW sample of Fader & Hardie (data not shippable: skipped where absent)."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.stats import bgnbd, gamma_gamma, lifetime
from lib.stats.bgnbd import Model

CDNOW = Path(os.environ.get("ENCORE_TEST_DATA", "../shared/data")) / "cdnow"
pytestmark = pytest.mark.skipif(not CDNOW.is_dir(), reason="CDNOW is not shipped: set ENCORE_TEST_DATA")


@pytest.fixture(scope="module")
def groups() -> pd.DataFrame:
    """The calibration period: 39 weeks of 2,357 customers."""
    customers = pd.read_csv(CDNOW / "cdnow_customers_summary.csv")
    customers = customers.rename(columns={"frequency": "x", "recency": "t_x", "T": "t"})
    return customers.assign(n=1).groupby(["x", "t_x", "t"], as_index=False)[["n"]].sum()


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    """One row per customer and day: week of purchase since 1997-01-01, and value."""
    rows = pd.read_csv(
        CDNOW / "CDNOW_sample.txt", sep=r"\s+", header=None, names=["master", "id", "date", "cds", "value"]
    )
    rows["week"] = (pd.to_datetime(rows["date"].astype(str), format="%Y%m%d") - pd.Timestamp("1997-01-01")).dt.days / 7
    return rows.groupby(["id", "week"], as_index=False)[["value"]].sum()


def test_bg_nbd_matches_the_cdnow_sample_of_fader_hardie_and_lee_2005(groups: pd.DataFrame) -> None:
    fitted = bgnbd.fit(groups, model=Model.BG)
    assert fitted.customers == 2357
    assert (fitted.r, fitted.alpha, fitted.a, fitted.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=5e-4)
    assert fitted.log_likelihood == pytest.approx(-9582.4, abs=0.05)


def test_the_customer_with_two_repeat_orders_is_expected_to_place_1_226_more_in_39_weeks(groups: pd.DataFrame) -> None:
    fitted = bgnbd.fit(groups, model=Model.BG)
    customer = pd.DataFrame({"x": [2], "t_x": [30.43], "t": [38.86]})
    assert fitted.expected_orders(customer, 39.0)[0] == pytest.approx(1.226, abs=5e-4)


def test_whole_weeks_move_the_fit_by_no_more_than_is_stated(groups: pd.DataFrame) -> None:
    daily, weekly = bgnbd.fit(groups, model=Model.BG), bgnbd.fit(bgnbd.coarsen(groups), model=Model.BG)
    for name in bgnbd.NAMES:
        assert getattr(weekly, name) == pytest.approx(getattr(daily, name), rel=0.025)
    forecast = groups["n"] @ daily.expected_orders(groups, 39.0)
    coarse = bgnbd.coarsen(groups)
    assert coarse["n"] @ weekly.expected_orders(coarse, 39.0) == pytest.approx(forecast, rel=0.006)


def test_gamma_gamma_matches_the_946_repeat_customers_of_fader_and_hardie_2013(purchases: pd.DataFrame) -> None:
    calibration = purchases[purchases["week"] < 39]
    repeat = calibration[calibration.groupby("id").cumcount() > 0]
    values = repeat.groupby("id")["value"].agg(["size", "mean"]).set_axis(["x", "value"], axis=1).assign(n=1)
    fitted = gamma_gamma.fit(values)
    assert fitted.customers + fitted.left_out == 946
    assert (fitted.p, fitted.q, fitted.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    assert fitted.warning == ""


def test_the_next_39_weeks_are_foretold_an_eighth_too_low_which_the_ratio_says_and_the_better_model_is_chosen(
    groups: pd.DataFrame, purchases: pd.DataFrame
) -> None:
    customers = pd.read_csv(CDNOW / "cdnow_customers_summary.csv").set_index("ID")
    customers["later"] = purchases[purchases["week"] >= 39].groupby("id").size()
    at_cut = customers.fillna(0).rename(columns={"frequency": "x", "recency": "t_x", "T": "t"}).assign(n=1)
    tested = lifetime.backtest(at_cut, 39.0)
    ratio = tested.ratio()
    assert ratio is not None
    assert ratio == pytest.approx(0.879, abs=0.005)
    other = tested.ratio(Model.BG if tested.better is Model.MBG else Model.MBG)
    assert other is not None
    assert abs(np.log(ratio)) <= abs(np.log(other))
