"""Charts of offers: bars that never hide a loss in a gain, and what each chart says in words."""

import numpy as np
import pandas as pd
import pytest

from lib.charts import depth_delay, experiment, scoreboard, theme, tornado, what_if
from lib.stats import sensitivity


def test_bars_of_a_profit_never_cross_zero_and_hold_nearly_all_draws() -> None:
    draws = np.random.default_rng(1).normal(120, 400, 4_000)
    frame = what_if.profit_bins(draws)
    assert tuple(frame.columns) == what_if.PROFIT_COLUMNS
    bars, ranged = frame.iloc[:-1], frame.iloc[-1]
    assert not ((bars["from"] < -1e-6) & (bars["to"] > 1e-6)).any()
    assert bars["share"].sum() == pytest.approx(0.985, abs=0.016)
    # A bar below zero holds losses alone.
    losses = bars.loc[bars["to"] <= 1e-6, "share"].sum()
    inside = draws[draws >= bars["from"].min()]
    assert losses == pytest.approx((inside < 0).sum() / len(draws))
    assert (ranged["low"], ranged["middle"], ranged["high"]) == pytest.approx(
        tuple(np.quantile(draws, [0.05, 0.5, 0.95]))
    )
    assert bars[["low", "middle", "high"]].isna().all(axis=None)


def test_a_profit_that_is_the_same_in_every_draw_can_be_drawn() -> None:
    frame = what_if.profit_bins(np.zeros(100))
    assert frame["share"].sum() == 1


def test_small_amounts_keep_their_sign() -> None:
    assert "<= -0.005 " in theme.value_expression("cents", "€")
    assert "<= -0.5 " in theme.value_expression("money", "€", exact=True)


def test_the_tornado_draws_what_the_statistic_gives() -> None:
    assert set(tornado.COLUMNS) - set(sensitivity.COLUMNS) == {"label", "low_text", "high_text"}
    frame = pd.DataFrame({"label": ["Effect of contact", "Pulled forward"]})
    assert tornado.describe(frame, ["€900", "€40"]) == (
        "How far each assumption moves the profit over its range, the widest first: "
        "Effect of contact €900; Pulled forward €40."
    )
    assert "No assumption" in tornado.describe(frame.iloc[:0], [])


def cells(best: int | None) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"depth": ["5%", "10%"], "delay": [7, 14], "profit": [120.0, -5.0], "written": ["€120", "−€5"]}
    )
    return frame.assign(chance=[0.7, 0.4], is_best=[index == best for index in range(2)])


def test_a_map_says_what_is_best_or_that_nothing_is() -> None:
    assert depth_delay.describe(cells(0)).endswith(
        "1 of 2 cells earn something; the best is 5% after 7 days with €120, 70% likely to earn."
    )
    assert "none keeps to the guardrails" in depth_delay.describe(cells(None))


def test_an_effect_that_may_be_chance_is_told_as_such() -> None:
    frame = pd.DataFrame({"label": ["All", "New"], "written": ["+41", "+3"], "stands_out": [True, False]})
    assert experiment.describe_effects(frame) == (
        "With the offer less holdout, per assigned customer. All: +41; New: +3 (may be chance)."
    )


def test_looks_are_counted() -> None:
    frame = pd.DataFrame({"day": [1, 2, 3], "look_low": [None, 0.1, None]})
    assert "over 3 days" in experiment.describe_looks(frame, "+4")
    assert "1 planned look;" in experiment.describe_looks(frame, "+4")
    assert "no mature customers" in experiment.describe_looks(frame.iloc[:0], "")


def test_the_scoreboard_names_what_missed() -> None:
    frame = pd.DataFrame({"label": ["Spring", "Thanks"], "held": [True, False]})
    assert scoreboard.describe(frame) == (
        "Forecast against actual: the range held in 1 of 2 what-ifs; outside: Thanks."
    )
    assert "no what-if has come due" in scoreboard.describe(frame.iloc[:0])


def test_profit_and_scenarios_are_told_in_words() -> None:
    assert what_if.describe_profit(0.41, ("−€2k", "−€90", "€3k")) == (
        "Profit of the offer: above zero in 41% of the draws; 90% of them from −€2k to €3k, half of them above −€90."
    )
    frame = pd.DataFrame({"label": ["Now"], "written": ["€5"], "chance": [0.6]})
    assert what_if.describe_scenarios(frame).endswith("Now: €5, 60% likely to earn.")
