"""What customers have been worth, drawn month by month since their first order."""

from functools import partial

import pandas as pd
import streamlit as st

from lib.charts import repeat
from lib.metrics import cohorts
from lib.metrics.account import Account
from lib.metrics.cohort_rows import worth_account
from lib.metrics.definition import Mart, Scope, Unit
from lib.ui.access import Opened
from lib.ui.chart import draw_chart
from lib.ui.cohorts import triangle
from lib.ui.drill_down import open_accounts, open_button
from lib.ui.tables import download, in_money
from lib.ui.text import major, plain, written

ENOUGH = 50


def draw_worth(page: Opened, scope: Scope) -> None:
    """What a customer has brought, month by month since the first order."""
    st.header("What a customer is worth over time", anchor=False)
    found = cohorts.worth(triangle(scope, page.version, page))
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
    draw_chart(
        frame,
        repeat.worth_spec(page.symbol),
        alt="Net sales per customer, by month since the first order",
        words=repeat.describe_worth(frame, words),
        key="worth_chart",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if open_button("open_worth", "Choose a month: its net sales, order by order, and the customers followed"):
            choices = {f"After {k} month{'' if k == 1 else 's'}": partial(_account, scope, int(k)) for k in found["k"]}
            open_accounts("What a customer is worth", choices, key="worth", asked="Month", first=list(choices)[-1])
        download("Download (CSV)", "worth_by_month", lambda: in_money(found, page.currency), key="csv_worth")


def _account(scope: Scope, k: int, mart: Mart) -> Account:
    return worth_account(mart, scope, k)
