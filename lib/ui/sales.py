"""Sales on a page: the days, what sold, and the bridge to others' figures."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from lib.charts import trend
from lib.metrics import sales
from lib.metrics.account import FEW, Account, figure_account
from lib.metrics.bridge import bridge, bridge_account
from lib.metrics.definition import Mart, Scope, Unit
from lib.metrics.product_rows import product_account
from lib.money import exponent
from lib.periods import Period, day_of
from lib.ui.access import Opened
from lib.ui.cached import dailies
from lib.ui.calendar import marked_days
from lib.ui.cards import course_of, figure_of
from lib.ui.chart import draw_chart
from lib.ui.drill_down import open_accounts, open_button
from lib.ui.tables import download, in_money, still
from lib.ui.text import major, plain, written

ENDS = ("low", "high")


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
    draw_chart(
        frame,
        trend.trend_spec("money", page.symbol, "Net sales"),
        alt="Net sales by day",
        words=trend.describe(frame, "Net sales", total),
        key="trend_chart",
    )
    if open_button("open_day", "Choose a day: what made its net sales, order by order"):
        _open_day(page, frame)


def _open_day(page: Opened, frame: pd.DataFrame) -> None:
    """The days of the chart, newest first, then those compared with; each with the range expected of it."""
    choices: dict[str, Callable[[Mart], Account]] = {}
    for row in frame.iloc[::-1].to_dict("records"):
        note = "" if pd.isna(row["note"]) else str(row["note"])
        if not pd.isna(row["low"]):
            low, high = (written(row[side] * 10 ** exponent(page.currency), Unit.MONEY, page.currency) for side in ENDS)
            note = f"Expected for the weekday: {low} to {high}. {note}".strip()
        choices[f"{row['day']:%a %-d %b %Y}"] = _of_day(page.scope, row["day"].date(), note)
    for each in reversed(range(page.before.period.days if page.before else 0)):
        if page.before is not None:
            day = page.before.period.start + timedelta(days=each)
            choices.setdefault(f"{day:%a %-d %b %Y}, compared with", _of_day(page.before, day, ""))
    open_accounts("Net sales of a day", choices, key="day", asked="Day")


def _of_day(scope: Scope, day: date, note: str) -> Callable[[Mart], Account]:
    one = scope.within(Period(day, day + timedelta(days=1)))
    return lambda mart: figure_account(mart, "net_sales", one).noted(note)


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
def _best(scope: Scope, before: Scope, version: int, _page: Opened) -> pd.DataFrame:
    return sales.best_sellers(_page.mart, scope, before, limit=8)


@st.fragment
def draw_best_sellers(page: Opened) -> None:
    """The products that sold most, with their change."""
    st.subheader("Best sellers", anchor=False)
    before = _before(page)
    frame = _best(page.scope, before, page.version, page)
    if frame.empty:
        st.caption("Nothing was sold in this period.")
        return
    few = f" {FEW} or fewer orders are a small sample." if (frame["orders"] <= FEW).any() else ""
    st.caption(f"Net sales of the period's orders, less what was refunded of them since.{few}")
    shown = pd.DataFrame(
        {
            "Product": frame["product"].astype(str),
            "Net sales": frame["net_minor"].astype("int64"),
            "Units": frame["units"].astype("int64"),
            "Orders": frame["orders"].astype("int64"),
            "Change": [
                None if not b or b <= 0 else (n - b) / b
                for n, b in zip(frame["net_minor"], frame["net_before_minor"], strict=True)
            ],
        }
    ).astype({"Change": "float64"})
    if page.before is None:
        shown = shown.drop(columns="Change")
    numbers: dict[str, Callable[[Any], str]] = {
        "Net sales": lambda v: written(v, Unit.MONEY, page.currency),
        "Units": lambda v: written(v, Unit.COUNT, ""),
        "Orders": lambda v: written(v, Unit.COUNT, ""),
        "Change": lambda v: f"{v:+.0%}".replace("-", "−"),
    }
    still(shown, alt="Best sellers of the period", numbers={name: numbers[name] for name in shown.columns[1:]})
    with st.container(horizontal=True, vertical_alignment="center"):
        is_asked = open_button("open_product", "Choose a product: its order lines, discounts and refunds")
        download("Download (CSV)", "best_sellers", lambda: in_money(frame, page.currency), key="csv_best")
    if is_asked:
        _open_product(page, frame)


def _before(page: Opened) -> Scope:
    """The days compared with; where there are none, those just before."""
    return page.before or Scope(
        period=page.scope.period.previous(), as_of=page.scope.period.start, filters=page.scope.filters
    )


def _open_product(page: Opened, frame: pd.DataFrame) -> None:
    choices: dict[str, Callable[[Mart], Account]] = {}
    for number, name in zip(frame["product_id"], frame["product"].astype(str), strict=True):
        label = name if name not in choices else f"{name} (#{number})"
        choices[label] = partial(_of_product, page.scope, _before(page), None if pd.isna(number) else int(number), name)
    open_accounts("Best sellers", choices, key="product", asked="Product")


def _of_product(scope: Scope, before: Scope, number: int | None, name: str, mart: Mart) -> Account:
    return product_account(mart, scope, before, number, name)


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
    if open_button("open_bridge", "Choose a line: the orders and refunds that make it"):
        lines = dict(zip(shown["label"], shown["line"], strict=True))
        choices = {str(label): partial(_of_line, page.scope, str(line)) for label, line in lines.items()}
        open_accounts("In other tools", choices, key="bridge", asked="Line")


def _of_line(scope: Scope, line: str, mart: Mart) -> Account:
    return bridge_account(mart, scope, line)


def _weighed(words: str, kind: str) -> str:
    return f"**{words}**" if kind == "total" else words


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _bridge(scope: Scope, version: int, _page: Opened) -> pd.DataFrame:
    return bridge(_page.mart, scope)
