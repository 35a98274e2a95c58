"""Like with like: admissions to Berkeley (1973), and the E-value of VanderWeele & Ding."""

import pandas as pd
import pytest

from lib.errors import NotEnoughData
from lib.stats.adjust import e_value, mantel_haenszel

# department, men admitted, men rejected, women admitted, women rejected: Bickel, Hammel & O'Connell (1975)
BERKELEY = [
    ("A", 512, 313, 89, 19),
    ("B", 353, 207, 17, 8),
    ("C", 120, 205, 202, 391),
    ("D", 138, 279, 131, 244),
    ("E", 53, 138, 94, 299),
    ("F", 22, 351, 24, 317),
]


@pytest.fixture
def admissions() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "department": name,
                "exposed_cases": men,
                "exposed": men + no_men,
                "unexposed_cases": women,
                "unexposed": women + no_women,
            }
            for name, men, no_men, women, no_women in BERKELEY
        ]
    )


def test_berkeley_admitted_men_more_often_in_all_but_not_within_departments(admissions: pd.DataFrame) -> None:
    result = mantel_haenszel(admissions)
    assert result.crude_odds_ratio == pytest.approx(1.841, abs=5e-4)
    assert result.odds_ratio == pytest.approx(0.905, abs=5e-4)
    assert (result.odds_ratio_low, result.odds_ratio_high) == pytest.approx((0.772, 1.060), abs=1e-3)
    assert result.crude_risk_difference == pytest.approx(1198 / 2691 - 557 / 1835)
    assert result.low < result.risk_difference < 0 < result.high
    assert result.overlap == 1.0


def test_one_stratum_is_the_plain_difference_with_its_usual_error() -> None:
    result = mantel_haenszel(
        pd.DataFrame([{"exposed_cases": 300, "exposed": 1000, "unexposed_cases": 500, "unexposed": 2000}])
    )
    assert result.risk_difference == pytest.approx(0.05)
    usual = 1.959964 * (0.3 * 0.7 / 1000 + 0.25 * 0.75 / 2000) ** 0.5
    assert result.high - result.risk_difference == pytest.approx(usual, rel=0.01)


def test_strata_with_one_side_only_are_left_out_and_counted(admissions: pd.DataFrame) -> None:
    lonely = pd.DataFrame([{"exposed_cases": 900, "exposed": 2000, "unexposed_cases": 0, "unexposed": 0}])
    result = mantel_haenszel(pd.concat([admissions, lonely], ignore_index=True))
    assert result.odds_ratio == mantel_haenszel(admissions).odds_ratio
    assert result.overlap == pytest.approx(4526 / 6526)
    assert result.is_thin
    with pytest.raises(NotEnoughData, match="both sides"):
        mantel_haenszel(lonely)


def test_the_e_value_of_3_9_is_7_263() -> None:
    assert e_value(3.9) == pytest.approx(7.263, abs=5e-4)
    assert e_value(1 / 3.9) == pytest.approx(7.263, abs=5e-4)
    assert e_value(1.0) == 1.0
    with pytest.raises(ValueError, match="no risk ratio"):
        e_value(0.0)
