"""The cohort triangle, drawn, and the customers or orders behind each of its cells."""

import pandas as pd
import streamlit as st

from lib.charts import cohort
from lib.metrics import cohorts
from lib.metrics.account import FEW
from lib.metrics.cohort_rows import cell_account
from lib.metrics.definition import Mart, Scope, Unit
from lib.periods import month_start
from lib.ui.access import Opened, show_error
from lib.ui.account import draw_account
from lib.ui.chart import draw_chart
from lib.ui.drill_down import open_button
from lib.ui.live import open_house
from lib.ui.tables import download, in_money
from lib.ui.text import major, written

# The triangle on the screen; the download has all of it.
MOST_COHORTS = 18
MOST_MONTHS = 12


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def triangle(scope: Scope, version: int, _page: Opened) -> pd.DataFrame:
    """The cohorts of a scope, asked once a page."""
    return cohorts.cohorts(_page.mart, scope)


@st.fragment
def draw_cohorts(page: Opened, scope: Scope) -> None:
    """The cohort triangle: customers who came back in each month, or what they brought up to it."""
    left, right = st.columns([1.6, 1], vertical_alignment="bottom")
    left.header("Cohorts by month of the first order", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        view = st.segmented_control(
            "Show",
            ["Customers", "Revenue"],
            default="Customers",
            required=True,
            key="cohort_view",
            label_visibility="collapsed",
        )
    found = triangle(scope, page.version, page)
    if found.empty:
        st.caption("Nobody placed a first order in these days.")
        return
    is_money = view == "Revenue"
    title = "Net sales per customer so far" if is_money else "Bought in this month"
    frame = _triangle(found, page, is_money=is_money)
    what = (
        "Net sales per customer of the cohort, months 0 to k together, less refunds."
        if is_money
        else "Share of the cohort that bought in that month."
    )
    st.caption(f"{what} Hatched: the month is not over, or not reached. Point at a cell to see when it is complete.")
    rows = int(frame["cohort"].nunique())
    draw_chart(
        frame,
        cohort.cohort_spec(title, rows),
        alt=f"Cohorts: {title}",
        words=cohort.describe(frame, title),
        key=f"cohort_chart_{view}",
    )
    months = int(found["cohort_month"].nunique())
    if months > MOST_COHORTS or int(found["k"].max()) > MOST_MONTHS:
        newest = min(MOST_COHORTS, months)
        st.caption(f"The newest {newest} of {months} cohorts, {MOST_MONTHS} months each; the download has all.")
    with st.container(horizontal=True, vertical_alignment="center"):
        if open_button("open_cohort", "Choose a cohort and a month: the customers or orders that add up to the cell"):
            st.dialog("A cohort and its rows", width="large")(_dialog)(scope, found, is_money)
        download("Download (CSV)", "cohorts", lambda: _cohort_file(found, page.currency), key="csv_cohorts")


def _triangle(found: pd.DataFrame, page: Opened, *, is_money: bool) -> pd.DataFrame:
    newest = sorted(found["cohort_month"].unique())[-MOST_COHORTS:]
    cells = found[found["cohort_month"].isin(newest) & (found["k"] <= MOST_MONTHS)]
    if not is_money:
        # Everybody bought in month 0: it would only drown the colours of the others.
        cells = cells[cells["k"] > 0] if (cells["k"] > 0).any() else cells
    mature = cells["is_mature"].astype(bool)
    column = cells["net_per_customer_minor"] if is_money else cells["share"]
    values = [major(v, page.currency) if is_money else v for v in column]
    words = [
        written(v, Unit.MONEY, page.currency).split(".")[0] if is_money else f"{v:.1%}" if v < 0.1 else f"{v:.0%}"
        for v in column.fillna(0)
    ]
    return pd.DataFrame(
        {
            "cohort": [f"{month_start(int(m)):%b %Y}" for m in cells["cohort_month"]],
            "size": cells["size"].astype("int64").to_numpy(),
            "k": cells["k"].astype("int64").to_numpy(),
            "value": pd.Series(values, dtype="float64").to_numpy(),
            "written": words,
            "is_mature": mature.to_numpy(),
            "is_small": (cells["size"] <= FEW).to_numpy(),
            "matures_on": [f"{day:%-d %b %Y}" for day in cells["matures_on"]],
        }
    )


def _cohort_file(found: pd.DataFrame, currency: str) -> pd.DataFrame:
    named = found.assign(cohort=[f"{month_start(int(m)):%Y-%m}" for m in found["cohort_month"]])
    return in_money(named.drop(columns="cohort_month"), currency)


def _dialog(scope: Scope, found: pd.DataFrame, is_money: bool) -> None:
    try:
        house = open_house()
        if house.mart is not None:
            _draw_cell(house.mart, house.currency, scope, found, is_money=is_money)
    except Exception as error:
        show_error(error)


def _draw_cell(mart: Mart, currency: str, scope: Scope, found: pd.DataFrame, *, is_money: bool) -> None:
    """Choose a cohort and a month; the account of that cell, and when the cohort's next month is complete."""
    complete = found[found["is_mature"].astype(bool)]
    if complete.empty:
        st.info(f"No month of any cohort is complete yet: the first is on {found['matures_on'].min():%-d %b %Y}.")
        return
    months = {f"{month_start(int(m)):%b %Y}": int(m) for m in sorted(complete["cohort_month"].unique(), reverse=True)}
    left, right = st.columns(2)
    # Month 0 is everybody: begin with the newest cohort that has more to say.
    later = set(complete.loc[complete["k"] > 0, "cohort_month"])
    first = next((place for place, m in enumerate(months.values()) if m in later), 0)
    asked = left.selectbox("First order in", list(months), index=first, key="cohort_month")
    month = months.get(asked, next(iter(months.values())))
    steps = [int(k) for k in complete.loc[complete["cohort_month"] == month, "k"]]
    k = right.selectbox("Months since", steps, index=min(1, len(steps) - 1), key=f"cohort_k_{month}")
    k = k if k in steps else steps[-1]
    young = found[(found["cohort_month"] == month) & ~found["is_mature"].astype(bool)]
    note = "" if young.empty else f"Month {int(young['k'].min())} is mature on {young['matures_on'].min():%-d %b %Y}."
    account = cell_account(mart, scope, month, k, is_money=is_money).noted(note)
    draw_account(account, mart, currency, key=f"cohort_{account.key}")
