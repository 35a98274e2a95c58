"""The best offer over depth, delay and audience within the guardrails, and the scenarios kept beside one another."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from lib.errors import NotEnoughData
from lib.metrics.what_if_input import EVERYONE, Group
from lib.money import exponent
from lib.stats.best_offer import Best, Guardrails, best_offer, profit_over
from lib.stats.ground import Ground
from lib.stats.scenario import Scenario, reward_on
from lib.stats.what_if import Range
from lib.ui.tables import table
from lib.ui.text import plain, symbol_of
from lib.ui.what_if_answer import Answer
from lib.ui.what_if_controls import set_controls
from lib.ui.what_if_looks import candidate, draw_map, map_frame, scan_sizes, size_words
from lib.ui.what_if_words import money_range, scenario_words, whole

Grounds = Mapping[str, tuple[Group, Ground]]


def guardrails(currency: str) -> Guardrails:
    """Draw the limits that the offer must keep to; empty is no limit."""
    left, middle, right = st.columns(3)
    floor = left.number_input(
        "Margin floor, %",
        min_value=0.0,
        max_value=100.0,
        value=None,
        step=5.0,
        format="%g",
        key="if_floor",
        bind="query-params",
        placeholder="none",
        help="What must be left of a redeemed order after its reward.",
    )
    budget = middle.number_input(
        f"Budget ({symbol_of(currency).strip()})",
        min_value=0.0,
        value=None,
        step=100.0,
        format="%g",
        key="if_budget",
        bind="query-params",
        placeholder="none",
        help="What rewards and contacts may cost over the run, at the high end of the range.",
    )
    chance = right.number_input(
        "Least chance of a profit, %",
        min_value=0.0,
        max_value=100.0,
        value=None,
        step=5.0,
        format="%g",
        key="if_chance",
        bind="query-params",
        placeholder="none",
    )
    return Guardrails(
        margin_floor=None if floor is None else floor / 100,
        budget=None if budget is None else budget * 10 ** exponent(currency),
        chance=None if chance is None else chance / 100,
    )


def draw_depth_delay(answer: Answer, ground: Ground, currency: str) -> None:
    """The curve over depth and delay for the audience of the sliders."""
    limits = guardrails(currency)
    scenario = answer.scenario
    cells = profit_over(
        [candidate(scenario.group, scenario, ground)],
        scan_sizes(scenario, ground),
        reward_on(scenario, ground),
        answer.assumptions,
    )
    draw_map(map_frame(cells, scenario, limits, currency), key="if_map")


def draw_best(answer: Answer, grounds: Grounds, currency: str) -> None:
    """Search every audience, depth and delay, and offer to put the sliders there."""
    limits = guardrails(currency)
    scenario = answer.scenario
    found = search(scenario, grounds, answer, limits)
    if found is None:
        st.caption("No audience has been followed long enough for these days. Choose a shorter expiry.")
        return
    st.caption(
        f"{found.tried:,} combinations of audience, depth and delay tried on the same draws; "
        f"{found.kept:,} keep to the guardrails. The reward, its expiry and minimum stay as the sliders have them."
    )
    if found.audience is None or found.result is None or found.depth is None or found.delay is None:
        st.markdown("**Best is to offer nothing.** No combination that keeps to the guardrails is expected to earn.")
    else:
        group, _ = grounds[found.audience]
        best = replace(
            scenario.with_size(found.depth), group=group.name, audience=group.audience, delay_days=found.delay
        )
        result = found.result
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{plain(scenario_words(best, currency))}**: "
                f"{whole(float(result.profit.mean()), currency)} expected, "
                f"{money_range(Range.of(result.profit), currency)}, {result.chance:.0%} likely to earn.",
                width="stretch",
            )
            st.button(
                "Put the sliders there",
                type="primary",
                on_click=set_controls,
                args=(best, currency),
                key="if_use_best",
                width="content",
            )
    table(by_audience(found.cells, scenario, currency), alt="The best of each audience", key="if_best_table")


def search(scenario: Scenario, grounds: Grounds, answer: Answer, limits: Guardrails) -> Best | None:
    """The best over all groups; null when none can be reckoned with."""
    _, everyone = grounds[EVERYONE]
    candidates = []
    for group, ground in grounds.values():
        try:
            one = candidate(group.name, scenario, ground)
        except NotEnoughData:
            continue
        if one.waiting:
            candidates.append(one)
    if not candidates:
        return None
    sizes = scan_sizes(scenario, everyone)
    return best_offer(candidates, sizes, reward_on(scenario, everyone), answer.assumptions, limits)


def by_audience(cells: pd.DataFrame, scenario: Scenario, currency: str) -> pd.DataFrame:
    """The best cell of each audience, the highest profit first; those that keep to no guardrail are told apart."""
    order = cells.sort_values(["kept", "profit"], ascending=[False, False], kind="stable")
    best = order.groupby("audience", sort=False).head(1)
    return pd.DataFrame(
        {
            "Audience": best["audience"].astype(str),
            "Reward": [size_words(scenario, size, currency) for size in best["depth"]],
            "Days after": best["delay"].astype("int64"),
            "Expected profit": [whole(value, currency) for value in best["profit"]],
            "Chance of a profit": [f"{value:.0%}" for value in best["chance"]],
            "Guardrails": ["kept" if kept else "broken" for kept in best["kept"]],
        }
    )
