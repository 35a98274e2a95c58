"""What moved net sales, drawn: the drivers, or a split of the change into mix and rate."""

from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from lib.charts import contribution
from lib.metrics import moved
from lib.metrics.account import Account
from lib.metrics.definition import Mart, Scope, Unit
from lib.ui.access import Opened
from lib.ui.cards import figure_of
from lib.ui.chart import draw_chart
from lib.ui.drill_down import open_accounts, open_button
from lib.ui.tables import download, in_money
from lib.ui.text import major, plain, written

SPLITS = {
    "Drivers": None,
    "Channel": "channel",
    "Category": "category",
    "New or returning": "customer_kind",
    "Country": "country",
}
MOST_SEGMENTS = 6


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _drivers(scope: Scope, before: Scope, version: int, _page: Opened) -> dict[str, int]:
    return moved.drivers(_page.mart, scope, before).parts


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _segments(scope: Scope, before: Scope, dimension: str, version: int, _page: Opened) -> pd.DataFrame:
    return moved.segments(_page.mart, scope, before, dimension)


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
        shown = {key: amount for key, amount in parts.items() if amount or key != "unknown_customers"}
        _draw_parts(page, {moved.NAMES[key]: amount for key, amount in shown.items()})
        st.caption("Exact parts of the change (Shapley): arithmetic, not proof of a cause.")
        if open_button("open_moved", "The whole change and each driver: its formula with the numbers, and its orders"):
            _open_drivers(page, page.before, list(shown))
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
    with st.container(horizontal=True, vertical_alignment="center"):
        if open_button("open_moved", "The whole change and each segment: volume, mix and rate, and its orders"):
            _open_segments(page, page.before, dimension, [str(name) for name in frame["segment"]])
        download("Download (CSV)", "net_sales_by_segment", lambda: _segments_file(page, frame), key="csv_segments")


def _open_drivers(page: Opened, before: Scope, keys: list[str]) -> None:
    names = {"The whole change": moved.WHOLE, **{moved.NAMES[key]: key for key in keys}}
    choices = {label: partial(_of_driver, page.scope, before, key) for label, key in names.items()}
    open_accounts("What moved net sales", choices, key="driver", asked="Part of the change")


def _of_driver(scope: Scope, before: Scope, name: str, mart: Mart) -> Account:
    return moved.driver_account(mart, scope, before, name)


def _open_segments(page: Opened, before: Scope, dimension: str, names: list[str]) -> None:
    choices = {"The whole change": partial(_of_driver, page.scope, before, moved.WHOLE)}
    choices |= {_slice(name): partial(_of_segment, page.scope, before, dimension, name) for name in names}
    open_accounts("What moved net sales", choices, key=f"segment_{dimension}", asked="Part of the change")


def _of_segment(scope: Scope, before: Scope, dimension: str, name: str, mart: Mart) -> Account:
    return replace(moved.segment_account(mart, scope, before, dimension, name), label=_slice(name))


def _slice(name: str) -> str:
    return {"new": "New customers", "returning": "Returning customers", "unknown": "Unknown"}.get(name, name)


def _draw_parts(page: Opened, parts: dict[str, int]) -> None:
    frame = pd.DataFrame({"label": list(parts), "amount": [major(amount, page.currency) for amount in parts.values()]})
    signed = [("+" if v > 0 else "") + written(v, Unit.MONEY, page.currency) for v in parts.values()]
    draw_chart(
        frame,
        contribution.contribution_spec(page.symbol, len(parts)),
        alt="What moved net sales, by part of the change",
        words=contribution.describe(frame, signed),
        key="moved_chart",
    )


def _segments_file(page: Opened, frame: pd.DataFrame) -> pd.DataFrame:
    """Net sales by segment, before and now, and what of the change is volume, mix and rate."""
    columns = ("before", "after", "change", "volume", "mix", "rate", "other")
    shown = frame.rename(columns={name: f"{name}_minor" for name in columns})
    shown["segment"] = [_slice(str(name)) for name in frame["segment"]]
    return in_money(shown, page.currency)
