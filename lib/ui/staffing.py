"""How many people it takes to answer in time, hour by hour of the week: what if, by Erlang C."""

import pandas as pd
import streamlit as st

from lib.charts.week import WEEKDAYS, describe, week_spec
from lib.stats.erlang import people_needed, staffed
from lib.ui.access import Opened
from lib.ui.tables import download
from lib.ui.ticket_figures import arrivals_of

# Fewer tickets say nothing of an hour of the week.
FEWEST = 50


def draw_staffing(page: Opened) -> None:
    """The question, and the answer beside it while the sliders move."""
    st.header("How many people does it take?", anchor=False)
    found = arrivals_of(page.scope, page.version, page.mart)
    total = int(found["n"].sum())
    if total < FEWEST:
        st.info(f"Only {total} tickets in these days: choose a longer period, with {FEWEST} at least.")
        return
    st.caption(
        f"From the {total:,} tickets of these days by hour of the week, by the store's clock. Erlang C: they come at "
        "random within an hour, wait in one queue, and nobody gives up; peaks within an hour make real waits longer. "
        "Encore does not measure how long an answer takes: that is your assumption."
    )
    _answer(found)


@st.fragment
def _answer(found: pd.DataFrame) -> None:
    left, middle, right = st.columns(3)
    handling = left.slider("Minutes per ticket (assumption)", 1, 60, 8, key="staffing_handling")
    target = middle.slider("Answered within, minutes", 1, 120, 5, key="staffing_target")
    share = right.slider("Share answered in time, %", 50, 99, 90, key="staffing_share")
    people = [
        people_needed(max(0.0, rate), handling * 60, target * 60, share=share / 100).people if rate > 0 else 0
        for rate in found["per_hour"].fillna(0.0)
    ]
    frame = pd.DataFrame({"weekday": [WEEKDAYS[int(day)] for day in found["weekday"]], "hour": found["hour"]})
    frame["value"] = [float(one) for one in people]
    frame["written"] = [f"{one} {'person' if one == 1 else 'people'}" for one in people]
    most = max(people)
    alone = found["per_hour"].fillna(0.0)
    kept = sum(
        n * staffed(rate, handling * 60, 1, target * 60).within
        for n, rate in zip(found["n"], alone, strict=True)
        if rate > 0
    )
    one_person = 100 * kept / int(found["n"].sum())
    st.markdown(
        f"**{sum(people):,} hours of work a week**, at most **{most} {'person' if most == 1 else 'people'}** at once. "
        f"With one person at every hour, {one_person:.0f}% would be answered in time."
    )
    st.vega_lite_chart(frame, week_spec("People"), alt=describe(frame, "People needed"), key="staffing_chart")
    told = frame.rename(columns={"value": "people"})[["weekday", "hour", "people"]]
    told["tickets_per_hour"] = found["per_hour"]
    download("Download (CSV)", "staffing", lambda: told, key="csv_staffing")
