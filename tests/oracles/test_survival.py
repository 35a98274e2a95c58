"""Time to the second order against the leukaemia trial of Freireich et al. (1963)."""

import numpy as np
import pandas as pd
import pytest

from lib.errors import NotEnoughData
from lib.stats.survival import kaplan_meier, log_rank, survival_at, time_reached, worth_showing

SIX_MP = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def weeks(text: str) -> pd.DataFrame:
    """Remission times as printed; a plus marks the censored."""
    times = text.split()
    return pd.DataFrame(
        {
            "day": [int(time.rstrip("+")) for time in times],
            "events": [int(not time.endswith("+")) for time in times],
            "censored": [int(time.endswith("+")) for time in times],
        }
    )


def test_kaplan_meier_matches_the_6mp_arm_of_freireich_1963() -> None:
    curve = kaplan_meier(weeks(SIX_MP)).set_index("day")
    assert curve.index.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve["survival"].tolist() == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)
    assert curve["se"].tolist() == pytest.approx([0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=5e-5)
    assert curve["at_risk"].tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve["events"].tolist() == [3, 1, 1, 1, 1, 1, 1]


def test_the_log_log_interval_matches_the_published_limits_of_the_6mp_arm() -> None:
    curve = kaplan_meier(weeks(SIX_MP)).set_index("day")
    assert (curve.loc[6, "low"], curve.loc[6, "high"]) == pytest.approx((0.6197, 0.9516), abs=5e-5)
    assert (curve.loc[23, "low"], curve.loc[23, "high"]) == pytest.approx((0.1881, 0.6801), abs=5e-5)


def test_the_median_of_the_6mp_arm_is_23_weeks_and_its_upper_limit_is_not_reached() -> None:
    median = time_reached(kaplan_meier(weeks(SIX_MP)))
    assert (median.day, median.low, median.high) == (23, 13, None)
    assert time_reached(kaplan_meier(weeks(SIX_MP)), 0.6).day is None
    assert time_reached(kaplan_meier(weeks(PLACEBO))).day == 8


def test_log_rank_matches_freireich_1963() -> None:
    test = log_rank({"6-MP": weeks(SIX_MP), "placebo": weeks(PLACEBO)})
    assert test.chi2 == pytest.approx(16.79, abs=5e-3)
    assert test.df == 1
    assert test.p == pytest.approx(4.17e-5, abs=5e-7)
    assert test.observed == {"6-MP": 9, "placebo": 21}
    assert test.expected["6-MP"] == pytest.approx(19.25, abs=5e-3)
    assert test.expected["placebo"] == pytest.approx(10.75, abs=5e-3)


def by_hand(groups: dict[str, list[tuple[int, bool]]]) -> float:
    """The k-group log-rank one customer at a time, from the definition, without the last group."""
    times = sorted({time for group in groups.values() for time, happened in group if happened})
    k = len(groups)
    score, covariance = np.zeros(k), np.zeros((k, k))
    for at in times:
        risk = np.array([sum(time >= at for time, _ in group) for group in groups.values()], dtype=float)
        hits = np.array([sum(time == at and happened for time, happened in group) for group in groups.values()])
        n, d = risk.sum(), hits.sum()
        score += hits - d * risk / n
        if n > 1:
            covariance += d * (n - d) / (n - 1) * (np.diag(risk / n) - np.outer(risk, risk) / n**2)
    return float(score[:-1] @ np.linalg.solve(covariance[:-1, :-1], score[:-1]))


def test_log_rank_of_four_groups_with_ties_is_what_the_definition_gives_one_by_one() -> None:
    random = np.random.default_rng(20)
    groups = {
        name: [
            (int(time), bool(happened))
            for time, happened in zip(random.integers(1, 15, size), random.random(size) < 0.6, strict=True)
        ]
        for name, size in {"a": 40, "b": 25, "c": 60, "d": 11}.items()
    }
    frames = {
        name: pd.DataFrame([{"day": day, "events": int(yes), "censored": int(not yes)} for day, yes in group])
        for name, group in groups.items()
    }
    test = log_rank(frames)
    assert test.df == 3
    assert test.chi2 == pytest.approx(by_hand(groups), rel=1e-9)


def test_log_rank_says_nothing_more_than_chance_when_groups_are_alike() -> None:
    random = np.random.default_rng(7)
    low = 0
    for _ in range(400):
        frames = {
            name: pd.DataFrame(
                {"day": random.geometric(0.05, 80), "events": (random.random(80) < 0.7).astype(int)}
            ).assign(censored=lambda frame: 1 - frame["events"])
            for name in "abc"
        }
        low += log_rank(frames).p < 0.05
    assert 8 <= low <= 34  # 20 expected; the limits are 1 in 1,000 apart


def test_grouping_changes_nothing() -> None:
    single = weeks(SIX_MP)
    grouped = single.groupby("day", as_index=False).sum()
    pd.testing.assert_frame_equal(kaplan_meier(single.sample(frac=1, random_state=1)), kaplan_meier(grouped))


def test_a_curve_that_ends_at_zero_has_no_limits_there_and_a_display_stops_before_few_are_left() -> None:
    curve = kaplan_meier(weeks(PLACEBO))
    assert curve["survival"].iloc[-1] == 0.0
    assert curve[["low", "high", "se"]].iloc[-1].isna().all()
    assert worth_showing(curve, at_risk=12)["day"].max() == 8
    assert worth_showing(curve).empty
    assert survival_at(curve, 0) == 1.0
    assert survival_at(curve, 9) == pytest.approx(8 / 21)


def test_survival_refuses_by_name_what_it_cannot_compute() -> None:
    empty = pd.DataFrame({"day": [], "events": [], "censored": []})
    open_only = pd.DataFrame({"day": [3], "events": [0], "censored": [9]})
    assert kaplan_meier(open_only).empty
    with pytest.raises(NotEnoughData, match="there are none"):
        kaplan_meier(empty)
    with pytest.raises(NotEnoughData, match="two with customers; there are 1"):
        log_rank({"a": open_only, "b": empty})
    with pytest.raises(NotEnoughData, match="nobody has"):
        log_rank({"a": open_only, "b": open_only})
