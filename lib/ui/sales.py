"""Sales on a page: the days, what moved them, what sold, and the bridge to others' figures."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from lib.charts import contribution, trend
from lib.metrics import sales
from lib.metrics.definition import Scope, Unit
from lib.money import to_major
from lib.periods import day_of
from lib.stats.drivers import mix_and_rate, sales_drivers, whole_parts
from lib.ui.access import Opened
from lib.ui.cached import dailies
from lib.ui.calendar import marked_days
from lib.ui.cards import course_of, figure_of
from lib.ui.tables import download, table
from lib.ui.text import major, plain, written

DRIVERS = {
    "customers": "Customers",
    "orders_per_customer": "Orders per customer",
    "average_order_value": "Order value",
    "unknown_customers": "Unknown customers",
}
SPLITS = {
    "Drivers": None,
    "Channel": "channel",
    "Category": "category",
    "New or returning": "customer_kind",
    "Country": "country",
}
MOST_SEGMENTS = 6


def draw_quiet(page: Opened) -> None:
    """Where the chosen days hold no order but the store does, offer the days of its last orders."""
    last = page.mart.about.last_day
    if last is None or figure_of(page, "orders") or page.scope.filters:
        return
    end = day_of(int(last))
    if end in page.scope.period:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="quiet"):
        st.markdown(f"No orders in these days. The last one was placed on {end:%-d %B %Y}.", width="content")
        st.button("Show the 28 days up to it", type="primary", on_click=_show_until, args=(end,), key="show_last")


def _show_until(end: date) -> None:
    st.session_state["period"] = "Custom"
    # The two dates are not on the page yet, so their widgets do not write the address themselves.
    for key, day in (("from", end - timedelta(days=27)), ("to", end)):
        st.session_state[key] = day
        st.query_params[key] = day.isoformat()


def draw_trend(page: Opened) -> None:
    """Net sales by day against the comparison, with the expected range, holidays and notes."""
    period = page.scope.period
    st.subheader("Net sales by day", anchor=False)
    if period.days < 2:
        st.caption("One day has no course. Choose a longer period to see one.")
        return
    frame = trend_frame(page)
    if not frame["value"].any() and not frame["before"].any():
        st.caption("No sales in these days, nor in those compared with: there is no course to draw.")
        return
    legend = [":primary[**━**] this period"]
    if page.before:
        legend.append(":gray[**┅**] compared with")
    if frame["low"].notna().any():
        legend.append(":primary[▒] expected for the weekday")
        legend.append(":orange[**○**] outside it, as 1 day in 20 is")
    if frame["note"].notna().any():
        legend.append(f":gray[▾] {_noted(frame)}")
    st.caption(" · ".join(legend))
    total = written(figure_of(page, "net_sales"), Unit.MONEY, page.currency)
    st.vega_lite_chart(
        frame,
        trend.trend_spec("money", page.symbol, "Net sales"),
        alt=trend.describe(frame, "Net sales", total),
        key="trend_chart",
    )


def _noted(frame: pd.DataFrame) -> str:
    """The holidays and notes by name, or what the marks are when they are many."""
    noted = frame[frame["note"].notna()]
    if len(noted) > 3:
        return "holiday or note: point at it for its name"
    return plain(", ".join(f"{day:%-d %b} {words}" for day, words in zip(noted["day"], noted["note"], strict=True)))


def trend_frame(page: Opened) -> pd.DataFrame:
    """One row per day, with ``lib.charts.trend.COLUMNS``; money in whole units."""
    period, currency = page.scope.period, page.currency
    found = course_of(page)
    now = found.within(period)
    frame = pd.DataFrame({"day": [pd.Timestamp(day_of(int(day))) for day in now["day"]]})
    frame["value"] = [major(v, currency) for v in now["net_sales"]]
    frame["before"], frame["before_day"] = None, None
    if page.before:
        before = dailies(page.mart, ("net_sales",), page.before)
        n = min(len(frame), len(before))
        frame["before"] = pd.Series([major(v, currency) for v in before["net_sales"][:n]], dtype="float64")
        frame["before_day"] = pd.Series([f"{day_of(int(d)):%-d %b %Y}" for d in before["day"][:n]], dtype="object")
    country = page.house.store.country
    ranges = found.ranges["net_sales"]
    known = ranges.set_index("day").reindex(now["day"]) if len(ranges) else None
    for name in ("low", "high"):
        frame[name] = None if known is None else [major(v, currency) for v in known[name]]
        frame[name] = frame[name].astype("float64")
    frame["is_outside"] = False if known is None else [bool(v) if v == v else False for v in known["is_outside"]]
    marks = marked_days(country, period.start, period.end)
    frame["note"] = pd.Series([marks.get(day.date()) for day in frame["day"]], dtype="object")
    frame["before"] = frame["before"].astype("float64")
    return frame


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _drivers(scope: Scope, before: Scope, version: int, _page: Opened) -> dict[str, int]:
    now, earlier = sales.driver_totals(_page.mart, scope), sales.driver_totals(_page.mart, before)
    step = (now["net"] + now["unknown_net"]) - (earlier["net"] + earlier["unknown_net"])
    return whole_parts(sales_drivers(earlier, now), round(step))


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _segments(scope: Scope, before: Scope, dimension: str, version: int, _page: Opened) -> pd.DataFrame:
    earlier = sales.segment_totals(_page.mart, before, dimension)
    return mix_and_rate(earlier, sales.segment_totals(_page.mart, scope, dimension))


@st.fragment
def draw_drivers(page: Opened) -> None:
    """What moved net sales between the two periods: drivers, or a split into mix and rate."""
    st.subheader("What moved net sales", anchor=False)
    if page.before is None:
        st.caption("Choose a comparison under Filters to see what moved net sales.")
        return
    now, before = figure_of(page, "net_sales"), figure_of(page, "net_sales", before=True)
    step = now - before
    sign = "+" if step > 0 else ""
    money = [written(v, Unit.MONEY, page.currency) for v in (before, now, step)]
    st.caption(plain(f"{money[0]} → {money[1]} ({sign}{money[2]})"))
    if not now and not before:
        st.caption("No sales in either period.")
        return
    chosen = st.selectbox("Split by", list(SPLITS), key="split", label_visibility="collapsed")
    dimension = SPLITS.get(chosen)
    if dimension is None:
        parts = _drivers(page.scope, page.before, page.version, page)
        shown = {DRIVERS[key]: amount for key, amount in parts.items() if amount or key != "unknown_customers"}
        _draw_parts(page, shown)
        st.caption("Exact parts of the change (Shapley): arithmetic, not proof of a cause.")
        return
    frame = _segments(page.scope, page.before, dimension, page.version, page)
    top = frame.head(MOST_SEGMENTS)
    shown = {_slice(str(name)): round(step) for name, step in zip(top["segment"], top["change"], strict=True)}
    if len(frame) > MOST_SEGMENTS:
        shown[f"{len(frame) - MOST_SEGMENTS} others"] = round(float(frame["change"][MOST_SEGMENTS:].sum()))
    _draw_parts(page, shown)
    mix, rate = float(frame["mix"].sum()), float(frame["rate"].sum() + frame["other"].sum())
    volume = float(frame["volume"].sum())
    words = [written(v, Unit.MONEY, page.currency) for v in (volume, mix, rate)]
    unit = "units" if dimension == "category" else "orders"
    said = f"{words[0]} from the number of {unit}, {words[1]} from a shifted mix"
    st.caption(plain(f"Of the change: {said}, {words[2]} from the amount per {unit[:-1]}."))
    with st.popover("As a table", icon=":material/table_rows:"):
        _segment_table(page, frame)


def _slice(name: str) -> str:
    return {"new": "New customers", "returning": "Returning customers", "unknown": "Unknown"}.get(name, name)


def _draw_parts(page: Opened, parts: dict[str, int]) -> None:
    frame = pd.DataFrame({"label": list(parts), "amount": [major(amount, page.currency) for amount in parts.values()]})
    signed = [("+" if v > 0 else "") + written(v, Unit.MONEY, page.currency) for v in parts.values()]
    st.vega_lite_chart(
        frame,
        contribution.contribution_spec(page.symbol, len(parts)),
        alt=contribution.describe(frame, signed),
        key="moved_chart",
    )


def _segment_table(page: Opened, frame: pd.DataFrame) -> None:
    names = {"before": "Before", "after": "Now", "change": "Change", "volume": "Volume", "mix": "Mix", "rate": "Rate"}
    shown = pd.DataFrame({"Segment": [_slice(str(s)) for s in frame["segment"]]})
    for name, label in names.items():
        shown[label] = [round(major(v, page.currency), 2) for v in frame[name]]
    number = {label: st.column_config.NumberColumn(format="%,.2f") for label in names.values()}
    st.caption(f"Amounts in {page.currency}")
    table(
        shown,
        alt="Net sales by segment, before and now, and what of the change is volume, mix and rate",
        columns=number,
    )
    download("Download (CSV)", "net_sales_by_segment", lambda: shown, key="csv_segments")


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _best(scope: Scope, before: Scope, version: int, _page: Opened) -> pd.DataFrame:
    return sales.best_sellers(_page.mart, scope, before, limit=8)


def draw_best_sellers(page: Opened) -> None:
    """The products that sold most, with their change."""
    st.subheader("Best sellers", anchor=False)
    before = page.before or Scope(
        period=page.scope.period.previous(), as_of=page.scope.period.start, filters=page.scope.filters
    )
    frame = _best(page.scope, before, page.version, page)
    if frame.empty:
        st.caption("Nothing was sold in this period.")
        return
    st.caption("Net sales of the period's orders, less what was refunded of them since.")
    shown = pd.DataFrame(
        {
            "Product": frame["product"].astype(str),
            "Net sales": [float(to_major(int(v), page.currency)) for v in frame["net_minor"]],
            "Units": frame["units"].astype("int64"),
            "Orders": frame["orders"].astype("int64"),
            "Change": [
                None if not b else 100 * (n - b) / b
                for n, b in zip(frame["net_minor"], frame["net_before_minor"], strict=True)
            ],
        }
    )
    if page.before is None:
        shown = shown.drop(columns="Change")
    config = {
        "Product": st.column_config.TextColumn(width="medium"),
        "Net sales": st.column_config.NumberColumn(f"Net sales ({page.currency})", format="%,.0f"),
        "Units": st.column_config.NumberColumn(format="%,d"),
        "Orders": st.column_config.NumberColumn(format="%,d"),
        "Change": st.column_config.NumberColumn(
            format="%+.0f%%", help="Against the days compared with; empty where nothing was sold then."
        ),
    }
    table(shown, alt="Best sellers of the period", columns=config)


def draw_bridge(page: Opened) -> None:
    """From our net sales to the figures that Shopify and WooCommerce would show."""
    st.subheader("In other tools", anchor=False)
    st.caption("Why a Shopify or WooCommerce report shows another net sales: each difference in money.")
    frame = _bridge(page.scope, page.version, page)
    shown = frame[(frame["kind"] == "total") | (frame["amount_minor"] != 0)]
    shown = shown.assign(amount=[written(v, Unit.MONEY, page.currency, exact=True) for v in shown["amount_minor"]])
    st.table(
        {
            _weighed(label, kind): _weighed(amount, kind)
            for label, kind, amount in zip(shown["label"], shown["kind"], shown["amount"], strict=True)
        },
        border="horizontal",
        alt="From Encore's net sales to Shopify-style and WooCommerce-style",
    )
    if len(shown) == 4:
        st.caption("All three agree here: no cancelled, voided or unpaid orders in these days.")


def _weighed(words: str, kind: str) -> str:
    return f"**{words}**" if kind == "total" else words


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _bridge(scope: Scope, version: int, _page: Opened) -> pd.DataFrame:
    return sales.bridge(_page.mart, scope)
