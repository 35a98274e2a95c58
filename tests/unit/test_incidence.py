"""What comes next: cumulative incidence of competing causes."""

import numpy as np
import pandas as pd
import pytest

from lib.errors import NotEnoughData
from lib.stats.incidence import cumulative_incidence
from lib.stats.survival import kaplan_meier, survival_at


@pytest.fixture
def first_events() -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "day": random.integers(1, 40, 300),
            "cause": random.choice(np.array(["reorder", "return", "ticket", None], dtype=object), 300),
            "n": random.integers(1, 4, 300),
        }
    )


def test_the_causes_and_those_still_open_add_up_to_one_on_every_day(first_events: pd.DataFrame) -> None:
    known = first_events["cause"].notna()
    curve = kaplan_meier(
        pd.DataFrame(
            {
                "day": first_events["day"],
                "events": first_events["n"].where(known, 0),
                "censored": first_events["n"].where(~known, 0),
            }
        )
    )
    by_day = cumulative_incidence(first_events).groupby("day")["incidence"].sum()
    for day, total in by_day.items():
        assert total + survival_at(curve, int(str(day))) == pytest.approx(1.0, abs=1e-12)


def test_with_one_cause_it_is_one_minus_kaplan_meier_with_greenwoods_error() -> None:
    spells = pd.DataFrame({"day": [6, 6, 7, 9, 10, 10, 11], "cause": ["again", None] * 3 + ["again"]})
    spells["n"] = [3, 1, 1, 1, 1, 1, 4]
    curve = kaplan_meier(
        pd.DataFrame({"day": spells["day"], "events": spells["n"].where(spells["cause"].notna(), 0)}).assign(
            censored=spells["n"].where(spells["cause"].isna(), 0)
        )
    )
    incidence = cumulative_incidence(spells)
    assert incidence["incidence"].tolist() == pytest.approx((1 - curve["survival"]).tolist())
    assert incidence["se"].tolist()[:-1] == pytest.approx(curve["se"].tolist()[:-1])


def test_the_interval_holds_the_truth_in_about_95_of_100_stores() -> None:
    random = np.random.default_rng(11)
    held = 0
    for _ in range(500):
        day = random.geometric(0.1, 200)
        cause = np.where(random.random(200) < 0.3, "return", "reorder").astype(object)
        censored_on = random.integers(1, 40, 200)
        cause[censored_on < day] = None
        frame = cumulative_incidence(pd.DataFrame({"day": np.minimum(day, censored_on), "cause": cause, "n": 1}))
        row = frame[(frame["cause"] == "return") & (frame["day"] <= 10)].iloc[-1]
        held += row["low"] <= 0.3 * (1 - 0.9 ** int(row["day"])) <= row["high"]
    assert 458 <= held <= 491


def test_nothing_to_follow_is_refused_by_name_and_nothing_happened_is_empty() -> None:
    with pytest.raises(NotEnoughData, match="there are none"):
        cumulative_incidence(pd.DataFrame({"day": [], "cause": [], "n": []}))
    assert cumulative_incidence(pd.DataFrame({"day": [4], "cause": [None], "n": [2]})).empty
