"""Coming back, drawn: shares within days, who brings the sales, and what first orders lead to."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from lib.charts import repeat
from lib.metrics import repeat as repeat_metrics
from lib.metrics import second_order
from lib.metrics.definition import Scope, Unit
from lib.periods import Period, day_index, day_of
from lib.stats.survival import mature_from
from lib.ui.access import Opened
from lib.ui.cached import figure
from lib.ui.drill_down import open_button, open_figure
from lib.ui.tables import download, in_money, table
from lib.ui.text import plain, written

SINCE = {"All time": None, "24m": 728, "12m": 364}
# Whole weeks, so that both sides hold the same weekdays.
A_YEAR = timedelta(days=364)
# Fewer customers a year before are no comparison.
ENOUGH = 50


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
        _open_share(found, scope)
        download("Download (CSV)", "repeat_within", lambda: found, key="csv_shares")


def _draw_years(page: Opened, scope: Scope, found: pd.DataFrame) -> None:
    first = scope.period.start if scope.period.start <= page.first_day else scope.period.start - A_YEAR
    as_of = scope.as_of - A_YEAR
    past = Scope(period=Period(min(first, as_of), as_of), as_of=as_of, filters=scope.filters)
    before = _shares(past, page.version, page).set_index("days")
    before = before[before["mature"] >= ENOUGH]
    frame = share_frame(found, before)
    words = "Of customers followed for that long, the share with a second purchase."
    if frame["before"].notna().any():
        words += f" :gray[○] the same asked a year before, on {as_of:%-d %b %Y}."
    if int(found["mature"].max()) <= 5:
        words += " Small sample: read it with care."
    st.caption(f"{words} Bars: 95% interval.")
    spec = repeat.interval_spec(len(frame), bool(frame["before"].notna().any()))
    st.vega_lite_chart(frame, spec, alt=repeat.describe_shares(frame), key="shares_chart")


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
                f"{low:.1%}–{high:.1%}" if low == low else "–"
                for low, high in zip(found["low"], found["high"], strict=True)
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


def _open_share(found: pd.DataFrame, scope: Scope) -> None:
    with st.popover("See the customers", icon=":material/group:"):
        for days in found["days"]:
            if st.button(f"Repeat within {days} days", type="tertiary", key=f"repeat_{days}"):
                open_figure(f"repeat_within_{days}", scope)


def draw_sales_share(page: Opened) -> None:
    """What one-time and repeat customers bring in the chosen period."""
    st.header("Who brings the sales", anchor=False)
    st.caption(plain(f"Net sales of {page.choice.words().split(' compared')[0]}, by what each customer is today."))
    found = _sales_share(page.scope, page.version, page)
    if not found["net_minor"].abs().sum():
        st.caption("No sales in this period.")
        return
    names = {"one-time": "Customers with one purchase", "repeat": "Repeat customers", "unknown": "Unknown customers"}
    for kind, orders, net, share in zip(
        found["kind"], found["orders"], found["net_minor"], found["share"], strict=True
    ):
        if not orders and not net:
            continue
        st.progress(min(1.0, max(0.0, float(share))), text=f"{names[kind]}: **{share:.1%}**")
        count = f"{orders:,} order{'' if orders == 1 else 's'}"
        st.caption(plain(f"{written(net, Unit.MONEY, page.currency)} from {count}"))
    returning = figure(page.mart, "returning_share_of_customers", page.scope)
    with st.container(horizontal=True, vertical_alignment="center"):
        if open_button("figure_one_time", "One-time customers' share of sales, with its rows"):
            open_figure("one_time_share_of_sales", page.scope)
        download("Download (CSV)", "one_time_and_repeat_sales", lambda: in_money(found, page.currency), key="csv_one")
    if returning.value is not None:
        low, high = returning.low or 0.0, returning.high or 0.0
        st.caption(
            f"Of the customers who bought in this period, {returning.value:.1%} had bought before "
            f"({low:.1%}–{high:.1%}, n = {returning.denominator:,})."
        )


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
    found = _next(scope, "product" if view == "Product" else "category", page.version, page)
    if found.empty:
        st.caption("Nobody placed a first order in these days.")
        return
    st.caption("Came back: of customers followed for 90 or 180 days. Next: what most of their second orders held.")
    few = found["mature_180"].fillna(0) <= 5
    shown = pd.DataFrame(
        {
            "First order held": found["first"].astype(str),
            "Back in 90 days": 100 * found["share_90"].astype("float64"),
            "Next": ["–" if pd.isna(v) else str(v) for v in found["next"]],
            "Of second orders": 100 * found["next_share"].astype("float64"),
            "Back in 180 days": 100 * found["share_180"].astype("float64"),
            "95% interval (180)": [
                "–" if pd.isna(low) else f"{low:.0%}–{high:.0%}{' · small sample' if tiny else ''}"
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
    table(shown, alt="First purchases, how many come back, and what they buy then", columns=columns)
    download("Download (CSV)", f"next_purchases_by_{view.lower()}", lambda: found, key="csv_next")


def as_of_words(day: date) -> str:
    """``As of 22 Nov 2026: what happened before it is known``."""
    return f"As of {day:%-d %b %Y}: what happened before that day is known."
