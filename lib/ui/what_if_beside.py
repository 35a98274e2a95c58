"""Up to four scenarios beside one another: the sliders now, and those that were kept; all of them in the address."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from lib.charts import what_if as chart
from lib.errors import NotEnoughData
from lib.money import exponent
from lib.stats.scenario import Scenario, worked
from lib.stats.what_if import what_if
from lib.ui.access import Opened
from lib.ui.tables import download, table
from lib.ui.text import MISSING, symbol_of
from lib.ui.what_if_answer import Answer, Ranges
from lib.ui.what_if_controls import set_controls
from lib.ui.what_if_grounds import ground_of
from lib.ui.what_if_link import as_code, from_code
from lib.ui.what_if_words import count, count_range, label_of, money_range, scenario_words, whole

MOST = 3
PARAMETER = "beside"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    label: str
    answer: Answer | None
    ranges: Ranges | None
    why_not: str = ""


def kept_scenarios() -> list[Scenario]:
    """The scenarios in the address; what is none is passed over."""
    found = [from_code(code) for code in st.query_params.get_all(PARAMETER)[:MOST]]
    return [scenario for scenario in found if scenario is not None]


def _keep(scenarios: list[Scenario]) -> None:
    if scenarios:
        st.query_params[PARAMETER] = [as_code(scenario) for scenario in scenarios[:MOST]]
    else:
        st.query_params.pop(PARAMETER, None)


def draw_beside(page: Opened, answer: Answer) -> None:
    """The comparison; every scenario is worked out with the same assumptions and the same draws."""
    kept = kept_scenarios()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Keep the sliders as they stand",
            icon=":material/add:",
            on_click=_keep,
            args=([*kept, answer.scenario],),
            disabled=len(kept) >= MOST or answer.scenario in kept,
            key="if_keep",
            help=f"Up to {MOST} beside the sliders; they stay in the address of the page.",
        )
    if not kept:
        st.caption("Keep this one, move the sliders, and compare: up to four scenarios with the same assumptions.")
    columns = [
        _Column(label=label_of(answer.scenario, page.currency, "Now"), answer=answer, ranges=Ranges.of(answer.result))
    ]
    columns += [_worked(page, scenario, answer, letter) for scenario, letter in zip(kept, "ABC", strict=False)]
    frame = chart_frame(columns, page.currency)
    if len(frame) > 1:
        st.vega_lite_chart(
            frame,
            chart.scenarios_spec(symbol_of(page.currency), len(frame)),
            alt=chart.describe_scenarios(frame),
            key="if_beside_chart",
        )
    figures = beside_table(columns, page.currency)
    table(figures, alt="Scenarios beside one another", key="if_beside_table")
    for number, scenario in enumerate(kept):
        letter = "ABC"[number]
        with st.container(horizontal=True, vertical_alignment="center", key=f"if_kept_{number}"):
            st.text(f"{letter}: {scenario_words(scenario, page.currency)}", width="stretch")
            st.button(
                "Use", on_click=set_controls, args=(scenario, page.currency), key=f"if_use_{number}", width="content"
            )
            rest = [one for place, one in enumerate(kept) if place != number]
            st.button("Remove", on_click=_keep, args=(rest,), key=f"if_drop_{number}", width="content")
    if kept:
        download("Download (CSV)", "what_if_scenarios", lambda: figures, key="csv_if_beside")


def _worked(page: Opened, scenario: Scenario, answer: Answer, letter: str) -> _Column:
    label = label_of(scenario, page.currency, letter)
    try:
        put = worked(scenario, ground_of(page, scenario))
    except NotEnoughData as missing:
        return _Column(label=label, answer=None, ranges=None, why_not=str(missing))
    result = what_if(put.offer, put.waiting, answer.assumptions)
    one = Answer(scenario=scenario, worked=put, assumptions=answer.assumptions, result=result)
    return _Column(label=label, answer=one, ranges=Ranges.of(result))


def chart_frame(columns: list[_Column], currency: str) -> pd.DataFrame:
    """The profits as the columns of the chart, in whole units."""
    unit = 10 ** exponent(currency)
    known = [(one, one.answer, one.ranges.profit) for one in columns if one.answer and one.ranges]
    return pd.DataFrame(
        {
            "label": [one.label for one, _, _ in known],
            "low": [profit.low / unit for _, _, profit in known],
            "middle": [profit.middle / unit for _, _, profit in known],
            "high": [profit.high / unit for _, _, profit in known],
            "chance": [answer.result.chance for _, answer, _ in known],
            "written": [whole(profit.middle, currency) for _, _, profit in known],
        }
    )


def beside_table(columns: list[_Column], currency: str) -> pd.DataFrame:
    """One row per scenario; one that cannot be worked out says why."""
    rows = []
    for one in columns:
        if one.answer is None or one.ranges is None:
            rows.append({"Scenario": one.label, "Profit": MISSING, "90% range": one.why_not})
            continue
        found, ranges = one.answer.result, one.ranges
        pays = "never" if found.break_even.never_pays else f"+{found.break_even.uplift or 0:.1%}"
        rows.append(
            {
                "Scenario": one.label,
                "Profit": whole(ranges.profit.middle, currency),
                "90% range": money_range(ranges.profit, currency),
                "Chance of profit": f"{found.chance:.0%}",
                "Pays from": pays,
                "Customers": f"{found.contacted:,.0f}",
                "Added orders": f"{count(ranges.orders.middle, ranges.orders)} ({count_range(ranges.orders)})",
                "Net sales": whole(ranges.net_sales.middle, currency),
                "Given anyway": whole(ranges.given.middle, currency),
                "Costs": whole(ranges.spent.middle, currency),
            }
        )
    return pd.DataFrame(rows)
