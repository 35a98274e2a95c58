"""A figure opened: what it means, who was counted, and the rows that add up to it."""

from typing import Any

import pandas as pd
import streamlit as st

from lib.metrics import drill
from lib.metrics.catalogue import find
from lib.metrics.definition import Age, Combined, Figure, Mart, Metric, Part, Ratio, Scope, Spread, Unit, Worked
from lib.metrics.read import population
from lib.ui.access import show_error
from lib.ui.cached import figure
from lib.ui.live import open_house
from lib.ui.tables import amounts, download, number_format, table
from lib.ui.text import of_days, plain, written

PAGE = 25


def open_button(key: str, words: str, *, label: str = "Open") -> bool:
    """The one way in that every card has: the same words, arrow and weight; ``words`` say where it leads."""
    return st.button(
        label, type="tertiary", icon=":material/arrow_forward:", icon_position="right", key=key, help=words
    )


def open_figure(key: str, scope: Scope, *, label: str | None = None) -> None:
    """Open the dialog of a figure."""
    title = label or find(key).label
    st.dialog(title, width="large")(_dialog)(key, scope)


def _dialog(key: str, scope: Scope) -> None:
    try:
        _draw(key, scope)
    except Exception as error:
        show_error(error)


def _draw(key: str, scope: Scope) -> None:
    house = open_house()
    if house.mart is None:
        st.info("The figures are being prepared. Close this and try again in a moment.")
        return
    mart, currency = house.mart, house.currency
    metric, found = find(key), figure(house.mart, key, scope)
    left, right = st.columns([1, 2.2])
    with left:
        st.metric(of_days(scope.period, year=True), written(found.value, found.unit, currency, exact=True))
        for line in _facts(found, currency, metric):
            st.caption(plain(line))
    with right:
        st.markdown("**What it means**")
        st.text(metric.meaning)
        st.markdown("**Formula**")
        st.text(metric.formula[:1].upper() + metric.formula[1:])
        st.markdown("**Counted**")
        whole = population(key, scope).removeprefix(f"{metric.meaning} ")
        formula = f"{metric.formula[:1].upper()}{metric.formula[1:]}"
        st.text(whole.removeprefix(f"{formula}: "))
    if found.left_out:
        st.markdown("**Left out**")
        frame = pd.DataFrame(
            {"Reason": [r.capitalize() for r in found.left_out], "Cases": list(found.left_out.values())}
        )
        table(frame, alt="Cases left out, by reason", columns={"Cases": st.column_config.NumberColumn(format="%,d")})
    _rows(mart, key, scope, metric, currency)


def _facts(found: Figure, currency: str, metric: Any) -> list[str]:
    lines = []
    if found.denominator is not None and found.numerator is not None:
        top, bottom = metric.parts
        lines.append(
            f"{written(found.numerator, top, currency, exact=True)} of {written(found.denominator, bottom, currency)}"
        )
    if found.low is not None and found.high is not None:
        low, high = (written(v, found.unit, currency, exact=True) for v in (found.low, found.high))
        lines.append(f"95% interval {low} to {high}")
    if found.n is not None:
        lines.append(f"From {found.n:,} case{'' if found.n == 1 else 's'}")
    if found.is_small_sample:
        lines.append("Small sample: read it with care")
    # The figure's own note stands with what was counted; what is said of these days alone stands here.
    if more := found.note.replace(metric.note, "").strip():
        lines.append(more)
    return lines


def _parts(metric: Any, found_left_out: bool) -> dict[str, tuple[Part, Unit]]:
    """The parts of a figure that have rows, by the name a reader knows them by."""
    parts: dict[str, tuple[Part, Unit]] = {}
    match metric:
        case Ratio():
            parts[metric.top.label] = ("numerator", metric.top.unit)
            parts[metric.bottom.label] = ("denominator", metric.bottom.unit)
        case Worked():
            if metric.behind is not None:
                top, bottom = metric.parts
                parts["Counted"] = ("numerator", top)
                parts["Out of"] = ("denominator", bottom)
        case Metric() | Combined() | Spread():
            parts["Counted"] = ("numerator", metric.unit)
        case Age():
            parts["Counted"] = ("numerator", Unit.COUNT)
    if found_left_out and parts:
        parts["Left out"] = ("left_out", Unit.COUNT)
    return parts


def _rows(mart: Mart, key: str, scope: Scope, metric: Any, currency: str) -> None:
    parts = _parts(metric, bool(figure(mart, key, scope).left_out))
    if not parts:
        st.caption("This figure is worked out from grouped tables; it has no single rows.")
        return
    name = next(iter(parts))
    st.markdown("**The rows behind it**")
    if len(parts) > 1:
        chosen = st.segmented_control("Part", list(parts), default=name, required=True, key=f"part_{key}")
        name = chosen if chosen in parts else name
    part, unit = parts[name]
    state = st.session_state.get(f"page_{key}_{part}", 1)
    page = state if isinstance(state, int) and state > 0 else 1
    found = drill.rows(mart, key, scope, offset=(page - 1) * PAGE, limit=PAGE, part=part)
    total = written(found.total_value, unit, currency, exact=True)
    verb = "adds" if found.total_rows == 1 else "add"
    count = f"{found.total_rows:,} row{'' if found.total_rows == 1 else 's'}"
    st.caption(plain(count if isinstance(metric, Spread) else f"{count} {verb} up to {total}."))
    table(
        shown(found.frame, unit, currency),
        alt=f"Rows behind {metric.label}",
        columns=row_columns(unit, currency),
        key=f"rows_{key}_{part}",
    )
    pages = -(-found.total_rows // PAGE)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        if pages > 1:
            st.pagination(pages, key=f"page_{key}_{part}")
        download(
            "Download these rows (CSV)",
            f"{key}_{scope.period.start}_{scope.period.end}",
            lambda: exported(drill.all_rows(mart, key, scope, part=part), unit, currency),
            key=f"csv_{key}_{part}",
        )


def shown(frame: pd.DataFrame, unit: Unit, currency: str) -> pd.DataFrame:
    """The rows as a reader sees them."""
    turned = amounts(frame, "amount", unit, currency)
    columns = {"day": "Day", "number": "Order", "customer_id": "Customer", "what": "What", "amount": "Amount"}
    has_orders = bool(frame["number"].notna().any())
    # A row is named by its order; one that has none, by its customer.
    has_customers = bool(frame["customer_id"].notna().any()) and not has_orders
    hidden = {name for name, has in (("number", has_orders), ("customer_id", has_customers)) if not has}
    kept = [name for name in columns if name not in hidden]
    table = turned[kept].rename(columns=columns)
    table["Amount"] = pd.to_numeric(table["Amount"]) if len(table) else table["Amount"]
    return table


def exported(frame: pd.DataFrame, unit: Unit, currency: str) -> pd.DataFrame:
    """The rows as they are downloaded: exact amounts, and every key."""
    turned = amounts(frame, "amount", unit, currency)
    if unit is Unit.MONEY:
        turned["currency"] = currency
    return turned.rename(columns={"number": "order"})


def row_columns(unit: Unit, currency: str) -> dict[str, Any]:
    """How the columns of rows are shown."""
    heading = f"Amount ({currency})" if unit is Unit.MONEY else "Counts"
    return {
        "Day": st.column_config.DateColumn(format="D MMM YYYY"),
        "Customer": st.column_config.NumberColumn(format="#%d", help="Encore's own number of the customer."),
        "Amount": st.column_config.NumberColumn(heading, format=number_format(unit, currency)),
    }
