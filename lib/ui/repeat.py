"""Coming back, drawn: shares within days, time to the second order, cohorts, what comes next, and worth."""

from datetime import date

import pandas as pd
import streamlit as st

from lib.charts import cohort, repeat, survival
from lib.charts.theme import MOST_SERIES
from lib.errors import NotEnoughData
from lib.metrics import cohorts, second_order
from lib.metrics import repeat as repeat_metrics
from lib.metrics.definition import Scope, Unit
from lib.money import to_major
from lib.periods import Period, day_index, day_of, month_start
from lib.stats.survival import kaplan_meier, log_rank, mature_from, worth_showing
from lib.ui.access import Opened
from lib.ui.cached import figure
from lib.ui.drill_down import open_figure
from lib.ui.tables import download, table
from lib.ui.text import major, plain, written

SINCE = {"All time": None, "24m": 728, "12m": 364}
SPLITS = {
    "Everyone": None,
    "First product category": "category",
    "First product": "product",
    "Channel": "channel",
    "Country": "country",
    "Discount on the first order": "discount",
    "First delivery late or on time": "delivery",
}
# The triangle on the screen; the download has all of it.
MOST_COHORTS = 18
MOST_MONTHS = 12
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
    """The share that came back within so many days, with interval, n, and who is not yet followed so long."""
    st.header("How many come back", anchor=False)
    found = _shares(scope, page.version, page)
    if found.empty:
        st.caption("Nobody placed a first order in these days.")
        return
    shown = found[found["mature"] > 0]
    st.caption("Of customers followed for that long, the share with a second purchase. Bars show the 95 % interval.")
    if shown.empty:
        st.caption(f"No customer has been followed for 30 days yet: the first are on {_mature_on(scope, 30)}.")
    else:
        frame = pd.DataFrame(
            {
                "label": [f"{days} days" for days in shown["days"]],
                "share": shown["share"],
                "low": shown["low"],
                "high": shown["high"],
                "written": [f"{share:.1%}" for share in shown["share"]],
            }
        )
        st.vega_lite_chart(
            frame, repeat.interval_spec(len(frame)), alt=repeat.describe_shares(frame), key="shares_chart"
        )
    rows = _share_table(found, scope)
    columns = dict.fromkeys(("Followed", "Back", "Not yet"), st.column_config.NumberColumn(format="%,d"))
    columns["Share"] = st.column_config.NumberColumn(format="%.1f %%")
    table(rows, alt="Repeat within so many days: counts and when all are mature", columns=columns)
    with st.container(horizontal=True, vertical_alignment="center"):
        _open_share(found, scope)
        download("Download (CSV)", "repeat_within", lambda: found, key="csv_shares")


def _share_table(found: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Within": [f"{days} days" for days in found["days"]],
            "Share": 100 * found["share"].astype("float64"),
            "95 % interval": [
                f"{low:.1%} – {high:.1%}" if low == low else "–"
                for low, high in zip(found["low"], found["high"], strict=True)
            ],
            "Followed": found["mature"],
            "Back": found["repeated"],
            "Not yet": found["immature"],
            "All on": [_mature_on(scope, int(days), last=True) for days in found["days"]],
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
        help_ = "One-time customers' share of sales, with its rows"
        if st.button("Open", type="tertiary", key="open_one_time", help=help_):
            open_figure("one_time_share_of_sales", page.scope)
        download("Download (CSV)", "one_time_and_repeat_sales", lambda: _in_money(found, page.currency), key="csv_one")
    if returning.value is not None:
        low, high = returning.low or 0.0, returning.high or 0.0
        st.caption(
            f"Of the customers who bought in this period, {returning.value:.1%} had bought before "
            f"({low:.1%} – {high:.1%}, n = {returning.denominator:,})."
        )


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _sales_share(scope: Scope, version: int, _page: Opened) -> pd.DataFrame:
    return repeat_metrics.one_time_share(_page.mart, scope)


def _in_money(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Columns of minor units as exact amounts, for a download."""
    turned = frame.copy()
    for name in [str(column) for column in frame.columns if str(column).endswith("_minor")]:
        exact = [None if pd.isna(value) else to_major(round(value), currency) for value in frame[name]]
        turned[name.removesuffix("_minor")] = pd.Series(exact, index=frame.index, dtype="object")
        turned = turned.drop(columns=name)
    turned["currency"] = currency
    return turned


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _curves(scope: Scope, by: str | None, version: int, _page: Opened) -> tuple[pd.DataFrame, int, str]:
    """The curves worth showing, how many slices are not shown, and what the log-rank test says of those shown."""
    groups = second_order.spells(_page.mart, scope, by)
    parts: list[pd.DataFrame] = []
    shown: dict[str, pd.DataFrame] = {}
    for name, rows in groups.items():
        curve = worth_showing(kaplan_meier(rows), at_risk=ENOUGH)
        if curve.empty or len(shown) == MOST_SERIES:
            continue
        label = "All customers" if by is None else str(name)
        shown[label] = rows
        start = pd.DataFrame({"day": [0], "survival": [1.0], "low": [1.0], "high": [1.0], "at_risk": [_size(rows)]})
        part = pd.concat([start, curve[["day", "survival", "low", "high", "at_risk"]]], ignore_index=True)
        parts.append(part.assign(slice=label))
    if not parts:
        return pd.DataFrame(columns=["day", "returned", "low", "high", "at_risk", "slice"]), len(groups), ""
    frame = pd.concat(parts, ignore_index=True)
    turned = frame.assign(returned=1 - frame["survival"], low=1 - frame["high"], high=1 - frame["low"])
    verdict = ""
    if len(shown) > 1:
        try:
            verdict = _verdict(log_rank(shown).p, len(shown))
        except NotEnoughData as refused:
            verdict = str(refused)
    return turned.drop(columns="survival"), len(groups) - len(shown), verdict


def _size(rows: pd.DataFrame) -> int:
    return int(rows["events"].sum() + rows["censored"].sum())


def _verdict(p: float, slices: int) -> str:
    size = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    if p < 0.05:
        return f"The {slices} groups come back differently ({size}, log-rank)."
    return f"No difference between the {slices} groups beyond chance ({size}, log-rank)."


@st.fragment
def draw_survival(page: Opened, scope: Scope) -> None:
    """When customers come back, for everyone or split by their first purchase."""
    left, right = st.columns([1.6, 1], vertical_alignment="bottom")
    left.header("When they come back", anchor=False)
    with right:
        chosen = st.selectbox("Split by", list(SPLITS), key="survival_split", label_visibility="collapsed")
    by = SPLITS.get(chosen)
    frame, hidden, verdict = _curves(scope, by, page.version, page)
    if frame.empty:
        st.caption(f"Too few customers: a curve is shown while at least {ENOUGH} are still being followed.")
        return
    st.caption("Share that has placed a second order, by day since the first (Kaplan–Meier).")
    slices = tuple(dict.fromkeys(frame["slice"]))
    st.vega_lite_chart(
        frame, survival.survival_spec(slices), alt=survival.describe(frame), key=f"survival_chart_{len(slices)}"
    )
    notes = [f"Drawn while at least {ENOUGH} customers are still at risk."]
    if verdict:
        notes.insert(0, verdict)
    if hidden:
        notes.append(f"{hidden} smaller group{'' if hidden == 1 else 's'} not shown.")
    if by is not None:
        notes.append("Groups differ in more than this: a difference is no proof of a cause.")
    st.caption(" ".join(notes))
    name = f"time_to_second_order{'' if by is None else '_by_' + by}"
    download("Download (CSV)", name, lambda: frame, key="csv_survival")


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _cohorts(scope: Scope, version: int, _page: Opened) -> pd.DataFrame:
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
    found = _cohorts(scope, page.version, page)
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
    st.vega_lite_chart(
        frame, cohort.cohort_spec(title, rows), alt=cohort.describe(frame, title), key=f"cohort_chart_{view}"
    )
    months = int(found["cohort_month"].nunique())
    if months > MOST_COHORTS or int(found["k"].max()) > MOST_MONTHS:
        newest = min(MOST_COHORTS, months)
        st.caption(f"The newest {newest} of {months} cohorts, {MOST_MONTHS} months each; the download has all.")
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
            "matures_on": [f"{day:%-d %b %Y}" for day in cells["matures_on"]],
        }
    )


def _cohort_file(found: pd.DataFrame, currency: str) -> pd.DataFrame:
    named = found.assign(cohort=[f"{month_start(int(m)):%Y-%m}" for m in found["cohort_month"]])
    return _in_money(named.drop(columns="cohort_month"), currency)


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
            "Customers": found["customers"].astype("Int64"),
            "Back in 90 days": 100 * found["share_90"].astype("float64"),
            "Back in 180 days": 100 * found["share_180"].astype("float64"),
            "95 % interval (180)": [
                "–" if pd.isna(low) else f"{low:.0%} – {high:.0%}{' · small sample' if tiny else ''}"
                for low, high, tiny in zip(found["low_180"], found["high_180"], few, strict=True)
            ],
            "Next": ["–" if pd.isna(v) else str(v) for v in found["next"]],
            "Of second orders": 100 * found["next_share"].astype("float64"),
        }
    )
    percent = st.column_config.NumberColumn(format="%.1f %%")
    columns = {
        "Customers": st.column_config.NumberColumn(format="%,d"),
        **dict.fromkeys(["Back in 90 days", "Back in 180 days", "Of second orders"], percent),
    }
    table(shown, alt="First purchases, how many come back, and what they buy then", columns=columns)
    download("Download (CSV)", f"next_purchases_by_{view.lower()}", lambda: found, key="csv_next")


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _worth(scope: Scope, version: int, _page: Opened) -> pd.DataFrame:
    return cohorts.worth(_page.mart, scope)


def draw_worth(page: Opened, scope: Scope) -> None:
    """What a customer has brought, month by month since the first order."""
    st.header("What a customer is worth over time", anchor=False)
    found = _worth(scope, page.version, page)
    found = found[found["customers"] >= ENOUGH] if len(found) else found
    if len(found) < 2:
        st.caption(f"No month since the first order is complete for {ENOUGH} customers yet.")
        return
    last = found.iloc[-1]
    amount = written(float(last["net_per_customer_minor"]), Unit.MONEY, page.currency)
    st.caption(
        plain(
            f"Net sales per customer, less refunds: {amount} after {int(last['k'])} months. "
            f"Only complete months, while {ENOUGH} customers or more are followed."
        )
    )
    frame = pd.DataFrame(
        {
            "month": found["k"].astype("int64"),
            "worth": [major(v, page.currency) for v in found["net_per_customer_minor"]],
            "customers": found["customers"].astype("int64"),
        }
    )
    words = f"{amount} after {int(last['k'])} months"
    st.vega_lite_chart(
        frame, repeat.worth_spec(page.symbol), alt=repeat.describe_worth(frame, words), key="worth_chart"
    )
    download("Download (CSV)", "worth_by_month", lambda: _in_money(found, page.currency), key="csv_worth")


def as_of_words(day: date) -> str:
    """``As of 22 Nov 2026: what happened before it is known``."""
    return f"As of {day:%-d %b %Y}: what happened before that day is known."
