"""Which how-to guides are missing: what customers ask how to do, product by product."""

from datetime import date

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.periods import start_of_day
from lib.queues.how_to import MOST, asked_of_products
from lib.settings import settings
from lib.stats.how_to import UNKNOWN, asks_how, missing_guides
from lib.ui.access import Opened
from lib.ui.drill_down import open_button
from lib.ui.places import TICKETS
from lib.ui.tables import download, table
from lib.ui.text import plain

_SHOWN = 25


@st.cache_data(ttl="1h", max_entries=12, show_spinner=False)
def _asked(url: str, start: date, end: date, zone: str, version: int, _page: Opened) -> pd.DataFrame:
    zone_info = _page.house.store.zone
    with reading(order_database(settings())) as connection:
        return asked_of_products(connection, start_of_day(start, zone_info), start_of_day(end, zone_info))


def draw_missing_guides(page: Opened) -> None:
    """A row for each product, the most asked first."""
    st.header("Missing how-to guides", anchor=False)
    period, store = page.scope.period, page.house.store
    asked = _asked(settings().database_url, period.start, period.end, store.time_zone, page.version, page)
    found = missing_guides(asked)
    if found.empty:
        st.caption("Nobody asked how to do something in these days, in English or German.")
        return
    words = "Tickets and questions that ask how something is done, by their words in English and German."
    st.caption(f"{words} Of each kind the newest {MOST:,} are read." if len(asked) >= MOST else words)
    shown = pd.DataFrame(
        {
            "Product": found["product"],
            "Ask how": found["n"].astype("int64"),
            "Of all": 100 * found["share"],
            "Last asked": found["latest"],
        }
    )
    table(
        shown,
        alt="Products by how many ask how to do something with them",
        columns={
            "Ask how": st.column_config.NumberColumn(format="%,d"),
            "Of all": st.column_config.NumberColumn(format="%.0f%%", help="Of all that was asked about the product."),
            "Last asked": st.column_config.DatetimeColumn(format="D MMM YYYY"),
        },
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if open_button("open_guides", "What they asked, product by product"):
            st.dialog("Missing how-to guides", width="large")(_dialog)(asked, list(found["product"]))
        download("Download (CSV)", "missing_how_to_guides", lambda: found, key="csv_ticket_guides")


def _dialog(asked: pd.DataFrame, products: list[str]) -> None:
    chosen = st.selectbox("Product", products, key="guide_product")
    wanted = "" if chosen == UNKNOWN else chosen
    rows = asked[asked["product"] == wanted]
    rows = rows[[asks_how(str(text)) for text in rows["text"]]]
    newest = f", the newest {_SHOWN}" if len(rows) > _SHOWN else ""
    st.caption(f"{len(rows):,} ask how{newest}. A guide answers them all.")
    for row in rows.head(_SHOWN).itertuples():
        with st.container(border=True, gap="xsmall"):
            st.caption(plain(f"{row.kind}, {row.asked_at:%-d %b %Y}".capitalize()))
            st.text(str(row.text)[:600])
            if row.kind == "ticket":
                st.page_link(TICKETS, label="Open it in the inbox", query_params={"ticket": str(row.key)})
