"""The lifetime model on a page: computed when it is asked for, refused by name when data are too few."""

from functools import partial

import pandas as pd
import streamlit as st

from lib.errors import NotEnoughData
from lib.metrics.account import Account
from lib.metrics.definition import Mart, Scope, Unit
from lib.metrics.lifetime import AHEAD_WEEKS, Lifetime, lifetime
from lib.metrics.lifetime_rows import LABELS, MOST_PURCHASES, Told, lifetime_account
from lib.money import exponent
from lib.ui.access import Opened
from lib.ui.drill_down import open_accounts, open_button
from lib.ui.tables import download, table
from lib.ui.text import plain, written

# A backtest this far from 1 is not a forecast to plan with.
FAR = 0.2


@st.fragment
def draw_lifetime(page: Opened, scope: Scope) -> None:
    """What customers will still bring, and how well that would have been foretold."""
    st.header("What they will still bring", anchor=False)
    st.caption("A model of who still buys and how often (BG/NBD, MBG/NBD) and for how much (Gamma–Gamma).")
    if not st.session_state.get("lifetime_wanted"):
        st.caption("It reads every customer's purchases, so it is worked out only when you ask.")
        if st.button("Work it out", icon=":material/calculate:", key="lifetime_ask"):
            st.session_state["lifetime_wanted"] = True
            st.rerun(scope="fragment")
        return
    try:
        with st.spinner("Fitting the model …"):
            found = lifetime(page.mart, scope)
    except NotEnoughData as refused:
        st.info(str(refused), icon=":material/hourglass_empty:")
        return
    _draw(page, scope, found)


def _draw(page: Opened, scope: Scope, found: Lifetime) -> None:
    groups, fitted = found.groups, found.model
    customers = int(groups["n"].sum())
    active = float((groups["chance_active"] * groups["n"]).sum())
    orders = float((groups["orders"] * groups["n"]).sum())
    scale = 10 ** exponent(page.currency)
    worth = None if fitted.money is None else float((groups["worth"] * groups["n"]).sum()) * scale
    with st.grid(3, min_column_width=130, gap="small"):
        words = "Expected share of customers who still buy (MBG/NBD)."
        st.metric("Still buying", f"{active / customers:.0%}", help=words)
        st.metric("Orders to come", f"{orders:,.0f}", help=f"Expected in the next {AHEAD_WEEKS} weeks.")
        st.metric(
            "Sales to come",
            written(worth, Unit.MONEY, page.currency),
            help=f"Expected net sales of the next {AHEAD_WEEKS} weeks, not discounted.",
        )
    tested = fitted.backtest
    ratio = tested.ratio() if tested else None
    if tested is None or ratio is None:
        st.warning("No backtest: the history is too short to hold a part of it back. Read the figures as a sketch.")
    else:
        forecast = tested.forecasts[tested.better]
        told = f"Fitted {tested.weeks:.0f} weeks ago, it foretold {forecast:,.0f} orders; {tested.actual:,.0f} came."
        line = f"Backtest: {told} Ratio {ratio:.2f} (1.00 is perfect)."
        if abs(ratio - 1) > FAR:
            st.warning(line + " Too far off to plan with.")
        else:
            st.caption(plain(line))
    for warning in fitted.warnings:
        st.caption(plain(warning))
    st.caption(plain(f"{customers:,} customers, by purchases so far; sales in {page.currency}:"))
    rows = by_purchases(groups)
    columns = {
        "Customers": st.column_config.NumberColumn(format="%,d"),
        "Still buying": st.column_config.NumberColumn(format="%.0f%%"),
        "Orders to come": st.column_config.NumberColumn("Orders each", format="%.2f"),
        "Sales to come": st.column_config.NumberColumn("Sales each", format="%,.2f"),
    }
    table(rows, alt="Expected orders and sales by number of purchases so far", columns=columns)
    with st.container(horizontal=True, vertical_alignment="center"):
        if open_button("open_lifetime", "Choose a number: the parameters, the model's input and its customers"):
            _open(scope, rows["So far"].tolist(), has_backtest=tested is not None)
        download("Download (CSV)", "lifetime_model", lambda: groups, key="csv_lifetime")


def _open(scope: Scope, so_far: list[str], *, has_backtest: bool) -> None:
    """The numbers of the model; of the table's rows, what one customer of each is expected to bring."""
    choices = {
        label: partial(_account, scope, told, None)
        for told, label in LABELS.items()
        if has_backtest or told != "backtest"
    }
    for name in so_far:
        purchases = int(name.split()[0])
        for told in ("active", "orders", "worth"):
            choices[f"{name}: {LABELS[told].lower()}, each"] = partial(_account, scope, told, purchases)
    open_accounts("What they will still bring", choices, key="lifetime")


def _account(scope: Scope, told: Told, purchases: int | None, mart: Mart) -> Account:
    return lifetime_account(mart, scope, told, purchases)


def by_purchases(groups: pd.DataFrame) -> pd.DataFrame:
    """The groups put together by purchases so far, means of one customer: shares in percent, money in whole units."""
    label = groups["x"].clip(upper=MOST_PURCHASES - 1)
    rows = []
    for x, part in groups.groupby(label, sort=True):
        n = float(part["n"].sum())
        mean = {name: float((part[name] * part["n"]).sum()) / n for name in ("chance_active", "orders", "worth")}
        purchases = int(str(x)) + 1
        name = (
            f"{purchases} purchase{'' if purchases == 1 else 's'}"
            if purchases < MOST_PURCHASES
            else f"{MOST_PURCHASES} or more"
        )
        rows.append((name, int(n), 100 * mean["chance_active"], mean["orders"], mean["worth"]))
    return pd.DataFrame(rows, columns=["So far", "Customers", "Still buying", "Orders to come", "Sales to come"])
