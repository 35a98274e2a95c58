"""Cards of figures: signs that are read right, and young days that are left open."""

import math

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lib.charts.survival import half_back, labelled
from lib.metrics.definition import Unit
from lib.ui.cards import KPIS, sparkline
from lib.ui.expected import on_day
from lib.ui.sparkline import drawing, shape
from lib.ui.text import change, written
from tests.pages.conftest import Open


def _lines(at: AppTest) -> str:
    return "\n".join(str(element.value) for kind in (at.caption, at.markdown, at.html) for element in kind)


def test_a_step_down_begins_with_the_hyphen_that_the_card_reads_its_arrow_from() -> None:
    assert change(0.05, 0.06, Unit.SHARE) == "-1.0 pp"
    assert change(90, 100, Unit.COUNT) == "-10.0%"
    assert change(110, 100, Unit.MONEY) == "+10.0%"


def test_a_percent_is_written_without_a_space() -> None:
    assert written(0.619, Unit.SHARE, "") == "61.9%"


def test_a_day_without_a_value_is_a_gap_and_not_zero() -> None:
    line = sparkline(pd.Series([0.1, 0.2, float("nan")]))
    assert line is not None
    assert line[:2] == [0.1, 0.2]
    assert math.isnan(line[2])
    assert sparkline(pd.Series([0.1, float("nan")])) is None


def test_a_gap_parts_the_small_line_and_a_day_between_two_gaps_is_a_dot() -> None:
    nan = float("nan")
    drawn = shape([1.0, nan, 2.0, nan, 3.0, 5.0])
    assert drawn.count("<polyline") == 3
    assert drawn.count("<polygon") == 1
    assert 'points="0.0,43.0 0.0,43.0"' in drawn
    assert 'points="160.0,23.0 200.0,3.0"' in drawn


def test_days_that_are_all_alike_are_a_level_line() -> None:
    assert 'points="0.0,43.0 100.0,43.0 200.0,43.0"' in shape([4.0, 4.0, 4.0])


def test_the_words_of_a_small_line_are_not_read_as_markup() -> None:
    drawn = drawing([1.0, 2.0], "good", '"><img src=x>')
    assert "<img" not in drawn
    assert 'aria-label="&quot;&gt;&lt;img src=x&gt;"' in drawn


def test_every_card_tells_of_its_usual_range_or_why_it_has_none(open_page: Open) -> None:
    at = open_page("demo", period="90d")
    assert len(at.metric) >= len(KPIS)
    told = [line for line in _lines(at).splitlines() if "usual" in line.lower() and ("," in line or "Too few" in line)]
    assert len([line for line in told if ", usual" in line or "usual range" in line]) >= len(KPIS)


def test_a_day_beyond_the_ranges_has_none() -> None:
    ranges = pd.DataFrame({"day": [5, 6, 7], "low": [1.0, float("nan"), 3.0]})
    assert on_day(ranges, 4) is None
    assert on_day(ranges, 6) is None
    assert on_day(ranges, 8) is None
    row = on_day(ranges, 7)
    assert row is not None
    assert row["low"] == 3.0


def test_names_of_curves_stand_apart_and_in_the_order_of_their_ends() -> None:
    curves = pd.DataFrame(
        {
            "day": [0, 10, 0, 12],
            "returned": [0.0, 0.50, 0.0, 0.51],
            "low": [0.0, 0.4, 0.0, 0.4],
            "high": [0.0, 0.6, 0.0, 0.6],
            "slice": ["a", "a", "b", "b"],
        }
    )
    named = labelled(curves).dropna(subset=["label_at"]).set_index("slice")
    assert list(named.index) == ["a", "b"]
    heights = named["label_at"].astype(float).tolist()
    assert heights[0] == 0.50
    assert heights[1] > 0.53
    assert named["label_day"].astype(float).tolist() == pytest.approx([14.4, 14.4])
    assert half_back(curves) == 10
