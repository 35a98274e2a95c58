"""Where customers stand between two orders: how many at each stage, with their sales, and who they are."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.metrics import customers as metric
from lib.metrics.customers import ALL, MANY, Standing
from lib.metrics.definition import Mart, Unit
from lib.periods import day_of
from lib.privacy import mask_name
from lib.queues.customer_person import names
from lib.settings import settings
from lib.staff import May
from lib.stats.lifecycle import Stage, Waits
from lib.ui.access import show_error
from lib.ui.drill_down import open_button
from lib.ui.live import House, open_house
from lib.ui.places import CUSTOMERS
from lib.ui.tables import download, in_money, number_format, pick, still
from lib.ui.text import major, plain, written
from lib.ui.visit import reader

PAGE = 25
LABELS: dict[Stage | None, str] = {
    Stage.NEW: "New",
    Stage.ACTIVE: "Active",
    Stage.DUE: "Due",
    Stage.AT_RISK: "At risk",
    Stage.LAPSED: "Lapsed",
    None: "Too early to tell",
}
MEANINGS: dict[Stage | None, str] = {
    Stage.NEW: "One order, and half of those who come back still take as long.",
    Stage.ACTIVE: "Two orders or more, the last no longer ago than half of such gaps last.",
    Stage.DUE: "Longer ago than half of the gaps: now they order, or begin to drift.",
    Stage.AT_RISK: "Longer ago than 80% of the gaps.",
    Stage.LAPSED: "Longer ago than 95% of the gaps: hardly anybody still comes back by themselves.",
    None: "Everybody who ordered: too few have come back so far to tell stages apart.",
}


@st.cache_data(ttl="1h", max_entries=4, show_spinner=False)
def gaps_of(version: int, as_of: date, _mart: Mart) -> dict[int, pd.DataFrame]:
    """The days from order to order, by which it was."""
    return metric.order_gaps(_mart, as_of)


def waits_of(mart: Mart, as_of: date) -> dict[int, Waits]:
    """What parts the stages, by number of orders."""
    return metric.known_waits(gaps_of(int(mart.version), as_of, mart))


@st.cache_data(ttl="1h", max_entries=4, show_spinner=False)
def _standings(version: int, as_of: date, _mart: Mart) -> list[Standing]:
    return metric.standings(_mart, waits_of(_mart, as_of), as_of)


def draw_stages(house: House) -> None:
    """A card for each stage, and what they mean."""
    st.header("Where they stand", anchor=False)
    if house.mart is None:
        st.caption("The figures are being prepared; the stages appear when they are there.")
        return
    today = house.store.today()
    found = _standings(int(house.mart.version), today, house.mart)
    everybody = sum(standing.customers for standing in found)
    if not everybody:
        st.caption("Nobody has ordered yet. Import your shop's orders, and the stages fill themselves.")
        return
    st.caption(
        f"{everybody:,} customer{'' if everybody == 1 else 's'} who ordered, by the days since the last order. "
        "Net sales are those of their whole life, less refunds."
    )
    with st.grid(max(3, len(found)), min_column_width=170, gap="small", key="stages"):
        for standing in found:
            with st.container(border=True, height="stretch", gap="small", key=f"stage_{_slug(standing.stage)}"):
                _card(standing, everybody, house.currency)
    with st.expander("How the stages are told apart"):
        _explain(waits_of(house.mart, today))


def _card(standing: Standing, everybody: int, currency: str) -> None:
    label = LABELS[standing.stage]
    st.metric(
        label,
        f"{standing.customers:,}",
        help=MEANINGS[standing.stage],
    )
    share = written(standing.customers / everybody, Unit.SHARE, "")
    st.caption(plain(f"{share} of them, {written(standing.net_minor, Unit.MONEY, currency)} net sales"))
    if standing.customers and open_button(
        f"open_stage_{_slug(standing.stage)}", f"See the {standing.customers:,} customers: {label}"
    ):
        st.dialog(f"{label}: customers", width="large")(_dialog)(standing.stage)


def _explain(known: Mapping[int, Waits]) -> None:
    for stage in Stage if known else (None,):
        st.markdown(f"**{LABELS[stage]}**: {plain(MEANINGS[stage])}")
    if not known:
        return
    st.caption(
        "The gaps are the days from one order to the next of customers with as many orders, by Kaplan–Meier, so that "
        "those who are still open count too; the shares are of those who come back within the days followed. "
        "Days in which somebody ordered twice are one order."
    )
    rows = [
        {
            "Orders so far": f"{number}" if number < MANY else f"{MANY} or more",
            "Half back after": known[number].half,
            "80% after": known[number].most,
            "95% after": known[number].nearly_all,
            "Followed for": known[number].horizon,
            "Customers": known[number].customers,
            "Came back": known[number].back,
        }
        for number in sorted(known)
        if number != ALL
    ]
    frame = pd.DataFrame(rows)
    counts: dict[str, Callable[[Any], str]] = dict.fromkeys(frame.columns[1:], lambda count: f"{count:,}")
    still(frame, alt="The days that part the stages, by number of orders", numbers=counts)
    st.caption("In days. Where too few have placed as many orders, all customers are taken together.")


def _dialog(stage: Stage | None) -> None:
    try:
        _list(stage)
    except Exception as error:
        show_error(error)


def _list(stage: Stage | None) -> None:
    """A page of the customers at a stage; choosing one opens their page."""
    house = open_house()
    if house.mart is None:
        st.info("The figures are being prepared. Close this and try again in a moment.")
        return
    mart, today, key = house.mart, house.store.today(), _slug(stage)
    known = waits_of(mart, today)
    standing = next(one for one in _standings(int(mart.version), today, mart) if one.stage == stage)
    st.caption(plain(MEANINGS[stage]))
    state = st.session_state.get(f"page_stage_{key}", 1)
    page = state if isinstance(state, int) and state > 0 else 1
    rows = metric.customers_at(mart, stage, known, today, offset=(page - 1) * PAGE, limit=PAGE)
    st.caption(
        plain(
            f"{standing.customers:,} customers with {written(standing.net_minor, Unit.MONEY, house.currency)} net "
            "sales, those with most first. Choose one to see their story. The file names them by number alone."
        )
    )
    chosen = pick(
        _shown(rows, names_of(rows["customer_id"].tolist()), house.currency),
        alt=f"Customers at the stage {LABELS[stage]}",
        columns=_columns(house.currency),
        key=f"stage_rows_{key}_{page}",
    )
    if chosen is not None:
        st.switch_page(CUSTOMERS, query_params={"customer": str(int(rows["customer_id"].iloc[chosen]))})
    pages = -(-standing.customers // PAGE)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        if pages > 1:
            st.pagination(pages, key=f"page_stage_{key}")
        download(
            "Download all of them (CSV)",
            f"customers_{key}_{today}",
            lambda: in_money(_dated(metric.customers_at(mart, stage, known, today, limit=None)), house.currency),
            key=f"csv_stage_{key}",
        )


def _dated(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(last_day=[day_of(int(day)) for day in rows["last_day"]])


def names_of(keys: list[int]) -> list[str]:
    """What customers are called, as far as this reader may know it, with their numbers."""
    sees = reader().may(May.SEE_PERSONAL_DATA)
    with reading(order_database(settings())) as connection:
        known = names(connection, keys)
    shown = {key: name if sees else mask_name(name) for key, name in known.items()}
    return [f"{shown[key]} (#{key})" if shown.get(key) else f"#{key}" for key in keys]


def _shown(rows: pd.DataFrame, called: list[str], currency: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Customer": [
                f"{name} (#{key})" if name else f"#{key}" for name, key in zip(called, rows["customer_id"], strict=True)
            ],
            "Orders": rows["orders"],
            "Last order": [day_of(int(day)) for day in rows["last_day"]],
            "Days ago": rows["waited"],
            "Net sales": [major(int(value), currency) for value in rows["net_minor"]],
        }
    )


def _columns(currency: str) -> dict[str, Any]:
    return {
        "Customer": st.column_config.TextColumn(help="With Encore's own number of the customer."),
        "Orders": st.column_config.NumberColumn(format="%,d"),
        "Last order": st.column_config.DateColumn(format="D MMM YYYY"),
        "Days ago": st.column_config.NumberColumn(format="%,d"),
        "Net sales": st.column_config.NumberColumn(
            f"Net sales ({currency})", format=number_format(Unit.MONEY, currency)
        ),
    }


def _slug(stage: Stage | None) -> str:
    return "unknown" if stage is None else stage.value.replace(" ", "_")
