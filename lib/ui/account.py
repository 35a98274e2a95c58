"""An account on the screen: what a number means, how it came about, and the rows that add up to it."""

from typing import Any

import pandas as pd
import streamlit as st

from lib.metrics import drill
from lib.metrics.account import SMALL, Account, Number
from lib.metrics.definition import Mart, Unit
from lib.ui.places import CUSTOMERS
from lib.ui.tables import amounts, download, number_format, pick, still, table
from lib.ui.text import NO_DATA, of_days, plain, written

PAGE = 25


def draw_account(account: Account, mart: Mart, currency: str, *, key: str) -> None:
    """Value and meaning, formula with its numbers, who is counted and who is not, and the rows, a page at a time.

    Args:
        key: tells this account's widgets from those of others in the same dialog.
    """
    left, right = st.columns([1, 2.2])
    with left:
        st.metric(of_days(account.period, year=True), _value(account, currency))
        for line in facts(account, currency):
            st.caption(plain(line))
    with right:
        st.markdown("**What it means**")
        st.text(account.meaning)
        st.markdown("**Formula**")
        st.text(account.formula)
        if account.worked:
            st.text(put_in(account, currency))
        st.markdown("**Counted**")
        st.text(account.counted)
    has_meanings = any(number.meaning for number in account.numbers)
    if account.numbers and account.left_out and not has_meanings:
        left, right = st.columns(2)
    else:
        left = right = st.container()
    if account.numbers:
        with left:
            _draw_numbers(account, currency)
    if account.left_out:
        with right:
            _draw_left_out(account)
    _draw_rows(account, mart, currency, key)


def facts(account: Account, currency: str) -> list[str]:
    """The lines below the value: its interval, its cases, and what else must be known of it."""
    lines = []
    if account.low is not None and account.high is not None:
        low, high = (written(v, account.unit, currency, exact=True) for v in (account.low, account.high))
        lines.append(f"95% interval {low} to {high}")
    if account.n is not None:
        lines.append(f"From {account.n:,} case{'' if account.n == 1 else 's'}")
    if account.is_small_sample:
        lines.append(SMALL)
    return [*lines, *account.notes]


def put_in(account: Account, currency: str) -> str:
    """The formula with its numbers, and what they come to."""
    numbers = {number.name: _number(number, currency) for number in account.numbers}
    return f"{account.worked.format(**numbers)} = {_value(account, currency)}"


def _value(account: Account, currency: str) -> str:
    return NO_DATA if account.value is None else written(account.value, account.unit, currency, exact=True)


def _number(number: Number, currency: str) -> str:
    if number.value is None:
        return NO_DATA
    if number.unit is Unit.RATIO:
        return f"{number.value:,.4f}"
    return written(number.value, number.unit, currency, exact=True)


def _draw_numbers(account: Account, currency: str) -> None:
    st.markdown("**The numbers in it**")
    frame = pd.DataFrame(
        {
            "Number": [number.label for number in account.numbers],
            "Value": [_number(number, currency) for number in account.numbers],
        }
    )
    if any(number.meaning for number in account.numbers):
        frame["Meaning"] = [number.meaning for number in account.numbers]
    still(frame, alt=f"The numbers that make {account.label}")


def _draw_left_out(account: Account) -> None:
    st.markdown("**Left out**")
    frame = pd.DataFrame(
        {
            "Reason": [reason.capitalize() for reason in account.left_out],
            "Cases": [f"{count:,}" for count in account.left_out.values()],
        }
    )
    still(frame, alt="Cases left out, by reason")


def _draw_rows(account: Account, mart: Mart, currency: str, key: str) -> None:
    """The rows of a part, and exactly those as a file."""
    if not account.parts:
        st.caption("Nothing was counted, so there are no rows.")
        return
    parts = dict(account.parts)
    name = next(iter(parts))
    st.markdown("**The rows behind it**")
    if len(parts) > 4:
        chosen = st.selectbox("Part", list(parts), key=f"part_{key}")
    elif len(parts) > 1:
        chosen = st.segmented_control("Part", list(parts), default=name, required=True, key=f"part_{key}")
    else:
        chosen = name
    name = chosen if chosen in parts else name
    part = parts[name]
    at = f"{key}_{list(parts).index(name)}"
    state = st.session_state.get(f"page_{at}", 1)
    page = state if isinstance(state, int) and state > 0 else 1
    found = drill.page(mart, part, offset=(page - 1) * PAGE, limit=PAGE)
    knows = bool(found.frame["customer_id"].notna().any())
    st.caption(plain(summed(found, part, currency) + (" Choose a row to see its customer's story." if knows else "")))
    _draw_page(found.frame, part, currency, alt=f"Rows behind {account.label}: {name}", key=f"rows_{at}_{page}")
    pages = -(-found.total_rows // PAGE)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        if pages > 1:
            st.pagination(pages, key=f"page_{at}")
        download(
            "Download these rows (CSV)",
            f"{account.key}_{account.period.start}_{account.period.end}",
            lambda: exported(drill.page(mart, part, limit=None).frame, part, currency),
            key=f"csv_{at}",
        )


def _draw_page(rows: pd.DataFrame, part: drill.Behind, currency: str, *, alt: str, key: str) -> None:
    """One page of rows; a row of a known customer can be chosen, and opens her story."""
    frame, columns = shown(rows, part, currency), row_columns(part, currency)
    if not rows["customer_id"].notna().any():
        table(frame, alt=alt, columns=columns, key=key)
        return
    chosen = pick(frame, alt=alt, columns=columns, key=key)
    customer = None if chosen is None else rows["customer_id"].tolist()[chosen]
    if customer is not None and pd.notna(customer):
        st.switch_page(CUSTOMERS, query_params={"customer": str(int(customer))})


def summed(found: drill.Rows, part: drill.Behind, currency: str) -> str:
    """``12 rows add up to €340.00.``"""
    count = f"{found.total_rows:,} row{'' if found.total_rows == 1 else 's'}"
    if not part.adds_up:
        return f"{count}."
    verb = "adds" if found.total_rows == 1 else "add"
    nothing = " What adds nothing is not listed." if part.unit is Unit.MONEY else ""
    return f"{count} {verb} up to {written(found.total_value, part.unit, currency, exact=True)}.{nothing}"


def shown(frame: pd.DataFrame, part: drill.Behind, currency: str) -> pd.DataFrame:
    """The rows as a reader sees them."""
    turned = amounts(frame, "amount", part.unit, currency)
    columns = {"day": "Day", "number": "Order", "customer_id": "Customer", "what": "What"}
    has_orders = bool(frame["number"].notna().any())
    # A row is named by its order; one that has none, by its customer.
    has_customers = bool(frame["customer_id"].notna().any()) and not has_orders
    hidden = {name for name, has in (("number", has_orders), ("customer_id", has_customers)) if not has}
    columns = {name: heading for name, heading in columns.items() if name not in hidden}
    columns |= {**dict(part.more), "amount": "Amount"}
    found = turned[list(columns)].rename(columns=columns)
    found["Amount"] = pd.to_numeric(found["Amount"]) if len(found) else found["Amount"]
    return found


def exported(frame: pd.DataFrame, part: drill.Behind, currency: str) -> pd.DataFrame:
    """The rows as they are downloaded: exact amounts, and every key."""
    turned = amounts(frame, "amount", part.unit, currency)
    if part.unit is Unit.MONEY:
        turned["currency"] = currency
    return turned.rename(columns={"number": "order"})


def row_columns(part: drill.Behind, currency: str) -> dict[str, Any]:
    """How the columns of rows are shown."""
    heading = f"Amount ({currency})" if part.unit is Unit.MONEY else "Counts"
    weeks = st.column_config.NumberColumn(format="%,.2f")
    return {
        **{label: weeks for name, label in part.more if name.startswith("t")},
        "Day": st.column_config.DateColumn(format="D MMM YYYY"),
        "Customer": st.column_config.NumberColumn(format="#%d", help="Encore's own number of the customer."),
        "Amount": st.column_config.NumberColumn(heading, format=number_format(part.unit, currency)),
    }
