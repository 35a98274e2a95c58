"""Coming back, drawn: shares within days, who brings the sales, and what first orders lead to."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import pandas as pd
import streamlit as st

from lib.charts import repeat
from lib.metrics import repeat as repeat_metrics
from lib.metrics import second_order
from lib.metrics.account import FEW, Account
from lib.metrics.definition import Mart, Scope, Unit
from lib.metrics.next_rows import next_account
from lib.metrics.sales_share import NAMES, share_account
from lib.periods import Period, day_index, day_of
from lib.stats.survival import mature_from
from lib.ui.access import Opened
from lib.ui.cached import figure
from lib.ui.chart import draw_chart
from lib.ui.drill_down import of_figure, open_accounts, open_button
from lib.ui.tables import download, in_money, pick, table
from lib.ui.text import NO_DATA, plain, written

SINCE = {"All time": None, "24m": 728, "12m": 364}
# Whole weeks, so that both sides hold the same weekdays.
A_YEAR = timedelta(days=364)
# Fewer customers a year before are no comparison.
ENOUGH = 50
SMALL = " · small sample"


def first_orders(page: Opened) -> Scope:
    """Choose which customers are followed: those whose first order lies in these days."""
    since = st.segmented_control(
        "First orders", list(SINCE), default="All time", required=True, key="since", bind="query-params"
    )
    days = SINCE.get(since)
    as_of = min(page.as_of, page.today)
    start = page.first_day if days is None else max(page.first_day, day_of(day_index(as_of) - days))
    return Scope(period=Period(min(start, as_of), as_of), as_of=as_of, filters=page.scope.filters)


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _shares(scope: Scope, version: int, _page: Opened) -> pd.DataFrame:
    return second_order.shares(_page.mart, scope)


def draw_shares(page: Opened, scope: Scope) -> None:
    """The share that came back within so many days, against what was known a year before, with n and intervals."""
    st.header("How many come back", anchor=False)
    found = _shares(scope, page.version, page)
    if found.empty:
        st.caption("Nobody placed a first order in these days.")
        return
    if not found["mature"].any():
        st.caption(f"No customer has been followed for 30 days yet: the first are on {_mature_on(scope, 30)}.")
    else:
        _draw_years(page, scope, found)
    rows = _share_table(found, scope)
    columns = dict.fromkeys(("Followed", "Back", "Not yet"), st.column_config.NumberColumn(format="%,d"))
    columns["Share"] = st.column_config.NumberColumn(format="%.1f%%")
    columns["Not yet"] = st.column_config.NumberColumn(
        format="%,d", help="Left out: their first order is too young to be followed for so long."
    )
    table(rows, alt="Repeat within so many days: counts and when all are mature", columns=columns)
    with st.container(horizontal=True, vertical_alignment="center"):
        _open_share(found, scope, _a_year_before(page, scope))
        download("Download (CSV)", "repeat_within", lambda: found, key="csv_shares")


def _draw_years(page: Opened, scope: Scope, found: pd.DataFrame) -> None:
    past = _a_year_before(page, scope)
    before = _shares(past, page.version, page).set_index("days")
    before = before[before["mature"] >= ENOUGH]
    frame = share_frame(found, before)
    words = "Of customers followed for that long, the share with a second purchase."
    if frame["before"].notna().any():
        words += f" :gray[○] the same asked a year before, on {past.as_of:%-d %b %Y}."
    if int(found["mature"].max()) <= 5:
        words += " Small sample: read it with care."
    st.caption(f"{words} Bars: 95% interval.")
    spec = repeat.interval_spec(len(frame), bool(frame["before"].notna().any()))
    alt = "Share with a second purchase within 30 to 365 days"
    draw_chart(frame, spec, alt=alt, words=repeat.describe_shares(frame), key="shares_chart")


def _a_year_before(page: Opened, scope: Scope) -> Scope:
    first = scope.period.start if scope.period.start <= page.first_day else scope.period.start - A_YEAR
    as_of = scope.as_of - A_YEAR
    return Scope(period=Period(min(first, as_of), as_of), as_of=as_of, filters=scope.filters)


def share_frame(found: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """One row per number of days, with ``lib.charts.repeat.SHARE_COLUMNS``.

    Args:
        found: what ``second_order.shares`` gives.
        before: the same a year before, by ``days``; rows may be missing.
    """
    shown = found[found["mature"] > 0].reset_index(drop=True)
    past = before.reindex(shown["days"]).reset_index(drop=True)
    # Adding nothing makes of a step of minus nothing a plain one.
    steps = (100 * (shown["share"] - past["share"])).round(1) + 0.0
    return pd.DataFrame(
        {
            "label": [f"{days} days" for days in shown["days"]],
            "share": shown["share"].astype("float64"),
            "low": shown["low"].astype("float64"),
            "high": shown["high"].astype("float64"),
            "before": past["share"].astype("float64"),
            "before_low": past["low"].astype("float64"),
            "before_high": past["high"].astype("float64"),
            "written": [
                f"{share:.1%}" if step != step else f"{share:.1%} ({step:+.1f} pp)"
                for share, step in zip(shown["share"], steps, strict=True)
            ],
        }
    )


def _share_table(found: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Within": [f"{days} days" for days in found["days"]],
            "Share": 100 * found["share"].astype("float64"),
            "95% interval": [
                NO_DATA if low != low else f"{low:.1%}–{high:.1%}{SMALL if mature <= FEW else ''}"
                for low, high, mature in zip(found["low"], found["high"], found["mature"], strict=True)
            ],
            "Followed": found["mature"],
            "Back": found["repeated"],
            "Not yet": found["immature"],
            "All followed on": [
                _mature_on(scope, int(days), last=True) if left else "now"
                for days, left in zip(found["days"], found["immature"], strict=True)
            ],
        }
    )


def _mature_on(scope: Scope, days: int, *, last: bool = False) -> str:
    first = day_index(scope.period.end) - 1 if last else day_index(scope.period.start)
    return f"{day_of(mature_from(first, days)):%-d %b %Y}"


def _open_share(found: pd.DataFrame, scope: Scope, past: Scope) -> None:
    """Each share with its customers, and the same asked a year before."""
    if not open_button("open_shares", "Choose a share: the customers who came back, and those followed"):
        return
    choices = {f"Repeat within {days} days": of_figure(f"repeat_within_{days}", scope) for days in found["days"]}
    for days in found["days"]:
        choices[f"Repeat within {days} days, asked a year before"] = of_figure(f"repeat_within_{days}", past)
    open_accounts("How many come back", choices, key="shares", asked="Share")


def draw_sales_share(page: Opened) -> None:
    """What one-time and repeat customers bring in the chosen period."""
    st.header("Who brings the sales", anchor=False)
    days = page.choice.words().split(" compared")[0]
    st.caption(
        plain(f"Net sales of {days}, by how often each customer had bought before {page.scope.as_of:%-d %b %Y}.")
    )
    found = _sales_share(page.scope, page.version, page)
    if not found["net_minor"].abs().sum():
        st.caption("No sales in this period.")
        return
    kinds = []
    for kind, orders, net, share in zip(
        found["kind"], found["orders"], found["net_minor"], found["share"], strict=True
    ):
        if not orders and not net:
            continue
        kinds.append(str(kind))
        said = NO_DATA if share != share else f"{share:.1%}"
        st.progress(0.0 if share != share else min(1.0, max(0.0, float(share))), text=f"{NAMES[kind]}: **{said}**")
        count = f"{orders:,} order{'' if orders == 1 else 's'}{SMALL if orders <= FEW else ''}"
        st.caption(plain(f"{written(net, Unit.MONEY, page.currency)} from {count}"))
    returning = figure(page.mart, "returning_share_of_customers", page.scope)
    with st.container(horizontal=True, vertical_alignment="center"):
        if open_button("open_sales_share", "Choose a share: what it counts, and its orders"):
            choices: dict[str, Callable[[Mart], Account]] = {}
            choices |= {NAMES[kind]: partial(_of_kind, page.scope, kind) for kind in kinds}
            choices["Customers who had bought before"] = of_figure("returning_share_of_customers", page.scope)
            open_accounts("Who brings the sales", choices, key="sales_share", asked="Share")
        download("Download (CSV)", "one_time_and_repeat_sales", lambda: in_money(found, page.currency), key="csv_one")
    if returning.value is not None:
        low, high = returning.low or 0.0, returning.high or 0.0
        both = int(returning.beside.get("new and returning", 0))
        st.caption(
            f"Of the customers who bought in this period, {returning.value:.1%} had bought before "
            f"({low:.1%}–{high:.1%}, n = {returning.denominator:,}). {both:,} of them "
            f"{'was' if both == 1 else 'were'} new in it and came back in it."
        )


def _of_kind(scope: Scope, kind: str, mart: Mart) -> Account:
    return share_account(mart, scope, kind)


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _sales_share(scope: Scope, version: int, _page: Opened) -> pd.DataFrame:
    return repeat_metrics.one_time_share(_page.mart, scope)


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _next(scope: Scope, dimension: str, version: int, _page: Opened) -> pd.DataFrame:
    return repeat_metrics.next_purchases(_page.mart, scope, dimension)


@st.fragment
def draw_next(page: Opened, scope: Scope) -> None:
    """After which first purchase customers come back, and what they buy then."""
    left, right = st.columns([1.6, 1], vertical_alignment="bottom")
    left.header("What first orders lead to", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        view = st.segmented_control(
            "By",
            ["Category", "Product"],
            default="Category",
            required=True,
            key="next_by",
            label_visibility="collapsed",
        )
    dimension = "product" if view == "Product" else "category"
    found = _next(scope, dimension, page.version, page)
    if found.empty:
        st.caption("Nobody placed a first order in these days.")
        return
    st.caption(
        "Back: of customers followed for 90 or 180 days. "
        "Next: what most second orders held, of all days and channels up to the last refresh."
    )
    few = found["mature_180"].fillna(0) <= 5
    shown = pd.DataFrame(
        {
            "First order held": found["first"].astype(str),
            "Back in 90 days": 100 * found["share_90"].astype("float64"),
            "Next": ["–" if pd.isna(v) else str(v) for v in found["next"]],
            "Of second orders": 100 * found["next_share"].astype("float64"),
            "Back in 180 days": 100 * found["share_180"].astype("float64"),
            "95% interval (180)": [
                "–" if pd.isna(low) else f"{low:.0%}–{high:.0%}{SMALL if tiny else ''}"
                for low, high, tiny in zip(found["low_180"], found["high_180"], few, strict=True)
            ],
            "Customers": found["customers"].astype("Int64"),
        }
    )
    percent = st.column_config.NumberColumn(format="%.1f%%")
    columns = {
        "Customers": st.column_config.NumberColumn(format="%,d"),
        **dict.fromkeys(["Back in 90 days", "Back in 180 days", "Of second orders"], percent),
    }
    alt = "First purchases, how many come back, and what they buy then"
    picked = pick(shown, alt=alt, columns=columns, key=f"next_table_{dimension}")
    with st.container(horizontal=True, vertical_alignment="center"):
        is_asked = open_button("open_next", "Choose a first purchase: its customers, and their second orders")
        download("Download (CSV)", f"next_purchases_by_{dimension}", lambda: found, key="csv_next")
    if is_asked or picked is not None:
        names = [str(name) for name in found["first"]]
        choices = {name: partial(_of_next, scope, dimension, name) for name in names}
        open_accounts(
            "What first orders lead to", choices, key="next", asked="First order held", first=names[picked or 0]
        )


def _of_next(scope: Scope, dimension: str, first: str, mart: Mart) -> Account:
    return next_account(mart, scope, dimension, first)


def as_of_words(day: date) -> str:
    """``As of 22 Nov 2026: what happened before it is known``."""
    return f"As of {day:%-d %b %Y}: what happened before that day is known."
