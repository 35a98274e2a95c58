"""Charts: a spec is built once, holds no data, and is told in words."""

from typing import Any

import pandas as pd
import pytest

from lib.charts import (
    backlog,
    cohort,
    contribution,
    depth_delay,
    experiment,
    repeat,
    scoreboard,
    survival,
    theme,
    tornado,
    trend,
    what_if,
)
from lib.settings import ROOT

SPECS = {
    "trend": lambda: trend.trend_spec("money", "€", "Net sales"),
    "contribution": lambda: contribution.contribution_spec("€", 4),
    "cohort": lambda: cohort.cohort_spec("Bought", 12),
    "survival": lambda: survival.survival_spec(("All customers",)),
    "survival of slices": lambda: survival.survival_spec(("a", "b", "c", "d")),
    "shares": lambda: repeat.interval_spec(5, False),
    "shares and those of a year before": lambda: repeat.interval_spec(5, True),
    "worth": lambda: repeat.worth_spec("€"),
    "profit": lambda: what_if.profit_spec("€"),
    "scenarios": lambda: what_if.scenarios_spec("€", 4),
    "tornado": lambda: tornado.tornado_spec("€", 6),
    "depth and delay": lambda: depth_delay.depth_delay_spec(12, 8),
    "effects": lambda: experiment.effects_spec("share", "", 3),
    "looks": lambda: experiment.looks_spec("cents", "€"),
    "backlog": lambda: backlog.backlog_spec("week"),
    "scoreboard": lambda: scoreboard.scoreboard_spec("cents", "€", 5),
}


def keys(spec: Any) -> set[str]:
    """Every key of a spec, however deep."""
    if isinstance(spec, dict):
        return set(spec) | {key for value in spec.values() for key in keys(value)}
    return {key for value in spec for key in keys(value)} if isinstance(spec, list) else set()


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_is_kept_and_holds_no_data(name: str) -> None:
    spec = SPECS[name]()
    assert SPECS[name]() is spec
    assert not {"data", "datasets", "config"} & keys(spec)


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_names_no_colour_of_its_own(name: str) -> None:
    assert "#" not in str(SPECS[name]())


def test_both_appearances_have_a_colour_for_every_role() -> None:
    import tomllib

    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        assert len(config["theme"][scheme]["chartCategoricalColors"]) == len(theme.ROLES)


def test_a_trend_is_told_in_words() -> None:
    frame = pd.DataFrame(
        {"day": pd.to_datetime(["2026-01-01", "2026-01-02"]), "value": [1.0, 3.0], "is_outside": [False, True]}
    )
    assert trend.describe(frame, "Net sales", "€4.00") == (
        "Net sales over 2 days, €4.00 in all; highest on 02 January, lowest on 01 January; "
        "1 day outside the expected range."
    )


def test_a_triangle_without_a_complete_month_says_so() -> None:
    frame = pd.DataFrame({"cohort": ["Jan"], "k": [1], "value": [None], "written": [""], "is_mature": [False]})
    assert "no month is complete yet" in cohort.describe(frame, "Bought")
