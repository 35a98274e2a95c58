"""Campaigns of before Encore: a list to look things up in, and no evidence of anything."""

from typing import Any

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.metrics.definition import Unit
from lib.settings import settings
from lib.staff import May
from lib.ui.access import Opened, show_error
from lib.ui.desk import act
from lib.ui.tables import amounts, download, number_format, table
from lib.ui.text import one_line, plain
from lib.workflows.past_campaigns import COLUMNS, MOST_CHARACTERS, Taken, import_campaigns, past_campaigns

_EXAMPLE = ("Spring sale", "2025-03-01", "2025-03-14", "coupon", 5000, 2100, 180, 175, "8120.50", "newsletter")


def draw_past_campaigns(page: Opened) -> None:
    """What was told of each, and the way to bring more in."""
    with reading(order_database(settings())) as connection:
        found = past_campaigns(connection)
    with st.expander(f"Past campaigns without a holdout: {len(found):,}", icon=":material/history:"):
        st.caption(
            "Context, never evidence: nobody was held out, so nobody knows who would have bought anyway. They are not "
            "scored, and no what-if learns from them."
        )
        if found:
            table(
                _frame(found, page),
                alt="Past campaigns",
                columns={"Net sales": st.column_config.NumberColumn(format=number_format(Unit.MONEY, page.currency))},
                key="past_campaigns_table",
            )
        if page.staff.may(May.IMPORT):
            _draw_import(page)


def _frame(found: list[dict[str, Any]], page: Opened) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "Campaign": [one_line(one["name"], 80).replace("\\", "") for one in found],
            "From": [one["starts"] for one in found],
            "To": [one["ends"] for one in found],
            "Kind": [str(one["kind"]).replace("_", " ") for one in found],
            "Recipients": pd.array([one["recipients"] for one in found], dtype="Int64"),
            "Redeemed": pd.array([one["redeemed"] for one in found], dtype="Int64"),
            "Orders": pd.array([one["orders"] for one in found], dtype="Int64"),
            "Net sales": pd.array([one["net_minor"] for one in found], dtype="Int64"),
            "Note": [one["note"] for one in found],
        }
    )
    return amounts(frame, "Net sales", Unit.MONEY, page.currency)


@st.fragment
def _draw_import(page: Opened) -> None:
    try:
        _import(page)
    except Exception as error:
        show_error(error)


def _import(page: Opened) -> None:
    st.caption(
        plain(
            f"A CSV file with the columns {', '.join(COLUMNS[:3])} and, where known, {', '.join(COLUMNS[3:])}. Days as "
            f"2025-03-31, net sales in {page.currency or 'your currency'} without tax."
        )
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        file = st.file_uploader("CSV file of past campaigns", type="csv", max_upload_size=1, key="past_campaigns_file")
        download(
            "An example", "past_campaigns", lambda: pd.DataFrame([_EXAMPLE], columns=list(COLUMNS)), key="csv_campaigns"
        )
    if file is None or not st.button("Take them in as context", key="past_campaigns_take"):
        return
    try:
        text = file.getvalue()[: MOST_CHARACTERS * 4].decode("utf-8-sig")
    except UnicodeDecodeError:
        st.error("This file is not in UTF-8. Save it as CSV UTF-8 and choose it again.", icon=":material/error:")
        return
    taken: list[Taken] = []
    zone = page.house.store.zone
    currency = page.currency or "EUR"
    if not act(
        lambda c: taken.append(import_campaigns(c, page.staff, text, currency=currency, zone=zone, at=now())),
        "Taken in.",
    ):
        st.rerun()
    done = taken[0]
    st.success(
        f"{done.stored:,} taken in, {done.unchanged:,} known already, {len(done.rejected):,} refused.",
        icon=":material/check:",
    )
    for line, reason in done.rejected[:20]:
        st.caption(plain(f"Line {line}: {reason}."))
