"""The expected range on made series whose truth is known: it holds its share, keeps its budget, catches a drop."""

import numpy as np
import pandas as pd
import pytest

from lib.stats.expected_range import ALERTS_AFTER_ERRORS, Kind, alerts_over, expected_range, expected_ranges

SERIES, DAYS = 16, 720


def made_series(seed: int, kind: Kind, *, outliers: float = 0.02, days: int = DAYS) -> pd.DataFrame:
    """A store's days: weekday season, trend, a wave over the year, day-to-day noise, outliers."""
    random = np.random.default_rng(seed)
    day = np.arange(days)
    level = np.log(random.choice([15, 60, 300])) + day * random.uniform(-0.0003, 0.0015)
    level = level + 0.15 * np.sin(2 * np.pi * day / 365.25) + np.cumsum(random.normal(0, 0.004, days))
    orders = random.poisson(np.exp(level + random.normal(0, 0.25, 7)[day % 7] + random.normal(0, 0.1, days)))
    value = orders.astype(float)
    odd = random.random(days) < outliers
    value[odd] = np.round(value[odd] * random.choice([0.3, 2.5], odd.sum()))
    if kind == "money":
        value = value * 4500 * np.exp(random.normal(0, 0.08, days)) - random.gamma(2, 3000, days)
    return pd.DataFrame({"day": day + 20_000, "value": value})


@pytest.fixture(scope="module", params=["count", "money"])
def no_change(request: pytest.FixtureRequest) -> list[pd.DataFrame]:
    kind: Kind = request.param
    return [expected_range(made_series(seed, kind), kind=kind) for seed in range(SERIES)]


def test_about_one_day_in_twenty_lies_outside_when_nothing_changes(no_change: list[pd.DataFrame]) -> None:
    scored = pd.concat(no_change).dropna(subset="p")
    assert len(scored) >= 2_000
    assert 0.03 <= scored["is_outside"].mean() <= 0.07


def test_false_alarms_stay_within_one_per_figure_and_quarter(no_change: list[pd.DataFrame]) -> None:
    alarms = sum(int(frame["is_alert"].sum()) for frame in no_change)
    quarters = SERIES * (DAYS - 28 - ALERTS_AFTER_ERRORS) / 91
    assert 0 < alarms <= 1.25 * quarters  # 99 quarters: two standard errors of a count are a fifth


def test_over_several_figures_fewer_alerts_are_kept_and_none_is_added(no_change: list[pd.DataFrame]) -> None:
    ranges = {str(index): frame for index, frame in enumerate(no_change)}
    kept = alerts_over(ranges)
    before = sum(int(frame["is_alert"].sum()) for frame in ranges.values())
    after = sum(int(frame["is_alert"].sum()) for frame in kept.values())
    assert 0 < after < 0.7 * before
    for name, frame in kept.items():
        assert not (frame["is_alert"] & ~ranges[name]["is_alert"]).any()
        assert (frame.loc[frame["is_alert"], "q"] <= 0.1).all()


def test_a_figure_that_stands_alone_keeps_its_alerts() -> None:
    frame = expected_range(made_series(3, "count"), kind="count")
    assert frame["is_alert"].any()
    assert alerts_over({"orders": frame})["orders"]["is_alert"].tolist() == frame["is_alert"].tolist()
    assert alerts_over({}) == {}


def test_a_planted_drop_is_caught_on_its_first_or_second_day() -> None:
    caught = 0
    for seed in range(12):
        series = made_series(seed, "count", outliers=0.0)
        series.loc[600:, "value"] = np.round(series.loc[600:, "value"] * 0.4)
        caught += bool(expected_range(series, kind="count")["is_alert"][600:602].any())
    assert caught >= 11


def test_a_lasting_change_becomes_the_new_normal() -> None:
    series = made_series(4, "money", outliers=0.0)
    series.loc[400:, "value"] *= 0.5
    frame = expected_range(series, kind="money")
    assert frame["is_outside"][400:404].all()
    assert frame["is_outside"][520:].mean() < 0.1


@pytest.mark.parametrize("cut", [20, 60, 100, 333, 700])
def test_nothing_of_a_later_day_enters_an_earlier_range(cut: int) -> None:
    series = made_series(5, "money")
    pd.testing.assert_frame_equal(
        expected_range(series[:cut], kind="money"), expected_range(series, kind="money")[:cut], check_exact=True
    )


def test_a_day_is_outside_exactly_when_its_value_is_beyond_the_range() -> None:
    series = made_series(6, "count")
    frame = expected_range(series, kind="count")
    modelled = frame["basis"] == "model"
    beyond = (series["value"] < frame["low"] - 1e-9) | (series["value"] > frame["high"] + 1e-9)
    assert frame["is_outside"][modelled].tolist() == beyond[modelled].tolist()
    assert (frame["score"].abs()[modelled] > 1.96).tolist() == beyond[modelled].tolist()
    assert not frame["is_outside"][~modelled].any()


def test_the_model_begins_on_day_84_and_alerts_after_90_errors_and_before_it_the_same_weekday_speaks() -> None:
    series = made_series(7, "count")
    series.loc[[90, 110], "value"] = 0.0
    frame = expected_range(series, kind="count")
    assert frame["basis"].tolist()[:21] == ["none"] * 21
    assert set(frame["basis"][21:84]) == {"weekday"}
    assert set(frame["basis"][84:]) == {"model"}
    assert frame["is_outside"][[90, 110]].all()
    assert not frame["is_alert"][: 28 + ALERTS_AFTER_ERRORS].any()
    history = series["value"][[2, 9, 16, 23]]
    row = frame.iloc[30]
    assert (row["expected"], row["low"], row["high"]) == (history.median(), history.min(), history.max())


def test_holidays_are_neither_judged_nor_learned_from() -> None:
    series = made_series(8, "count")
    wild = series.copy()
    wild.loc[[300, 301], "value"] = 9_999.0
    holidays = {20_300, 20_301}
    frame = expected_range(wild, kind="count", holidays=holidays)
    pd.testing.assert_frame_equal(frame, expected_range(series, kind="count", holidays=holidays))
    on = frame.loc[[300, 301]]
    assert on["basis"].tolist() == ["skipped", "skipped"]
    assert on[["expected", "low", "high", "p"]].isna().all(axis=None)
    assert not on[["is_outside", "is_alert"]].any(axis=None)


def test_a_day_still_open_gets_a_range_and_no_mark_and_missing_days_are_unknown() -> None:
    series = made_series(9, "count")
    open_today = series.copy()
    open_today.loc[DAYS - 1, "value"] = np.nan
    today = expected_range(open_today, kind="count").iloc[-1]
    settled = expected_range(series, kind="count").iloc[-1]
    assert (today["low"], today["high"]) == (settled["low"], settled["high"])
    assert np.isnan(today["p"])
    assert not today["is_outside"]
    gaps = series.copy()
    gaps.loc[[200, 201, 202], "value"] = np.nan
    with_rows = expected_range(gaps, kind="count").drop(index=[200, 201, 202]).reset_index(drop=True)
    pd.testing.assert_frame_equal(with_rows, expected_range(gaps.dropna().reset_index(drop=True), kind="count"))


def test_a_store_where_nothing_ever_happens_is_not_unusual_until_something_does() -> None:
    quiet = pd.DataFrame({"day": np.arange(400), "value": np.zeros(400)})
    quiet.loc[399, "value"] = 5.0
    for kind in ("count", "money", "ratio"):
        frame = expected_range(quiet, kind=kind)
        assert not frame["is_outside"][:399].any()
        assert frame["is_alert"][399]


def test_money_that_is_often_negative_keeps_its_sign() -> None:
    random = np.random.default_rng(10)
    series = pd.DataFrame({"day": np.arange(300), "value": random.normal(-500, 2000, 300)})
    frame = expected_range(series, kind="money")[84:]
    assert (frame["low"] < 0).all()
    assert (frame["high"] > 0).all()
    assert 0.01 < frame["is_outside"].mean() < 0.09


def test_no_days_give_no_ranges_and_days_out_of_order_are_a_mistake() -> None:
    empty = pd.DataFrame({"day": [], "value": []})
    assert expected_range(empty, kind="count").empty
    assert alerts_over({"orders": expected_range(empty, kind="count")})["orders"].empty
    with pytest.raises(ValueError, match="ascend"):
        expected_range(pd.DataFrame({"day": [2, 1], "value": [1.0, 1.0]}), kind="count")


def test_several_figures_at_once_are_judged_as_each_alone() -> None:
    table = made_series(11, "count").rename(columns={"value": "orders"})
    table["net"] = made_series(12, "money")["value"]
    table["late_start"] = made_series(13, "count")["value"].where(table.index >= 200)
    table["sparse"] = made_series(14, "count")["value"].where(table.index % 5 == 0)
    kinds: dict[str, Kind] = {"orders": "count", "net": "money", "late_start": "count", "sparse": "ratio"}
    together = expected_ranges(table, kinds=kinds, holidays={20_100, 20_300})
    for name, kind in kinds.items():
        series = table[["day", name]].rename(columns={name: "value"})
        alone = expected_range(series, kind=kind, holidays={20_100, 20_300})
        pd.testing.assert_frame_equal(together[name], alone, check_exact=True)
    late = together["late_start"]
    assert set(late["basis"][: 200 + 21]) <= {"none", "skipped"}
    assert late["basis"].tolist().index("model") == 200 + 84
    assert "model" not in set(together["sparse"]["basis"])
    assert expected_ranges(table, kinds={}) == {}
