"""Who is in an audience: a page of them with names, the whole list as a file, and files for other tools."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from lib.audience import Audience
from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.jobs.audience_files import TOOLS, Written, page_of, reasons_told, write_for_tool, write_members
from lib.jobs.reach import message_of
from lib.metrics import audience as metric
from lib.metrics.definition import Mart, Unit
from lib.settings import settings
from lib.staff import May
from lib.ui.access import show_error
from lib.ui.attachments import size
from lib.ui.audience import Sent
from lib.ui.tables import number_format, table
from lib.ui.text import major, plain
from lib.ui.visit import reader

PAGE = 25
Progress = Callable[[int], None]


@st.fragment
def draw_members(store: Store, mart: Mart, audience: Audience, sent: Sent, *, key: str, name: str) -> None:
    """The members of an audience, the highest net sales first, and the files."""
    try:
        _draw(store, mart, audience, sent, key, name)
    except Exception as error:
        show_error(error)


def _draw(store: Store, mart: Mart, audience: Audience, sent: Sent, key: str, name: str) -> None:
    staff, today, currency = reader(), store.today(), store.currency or "EUR"
    total = metric.count(mart, audience, today)
    if not total:
        st.caption("Nobody is in it, so there is nobody to list.")
        return
    pages = (total + PAGE - 1) // PAGE
    place = 0
    if pages > 1:
        place = int(st.number_input("Page", 1, pages, 1, key=f"{key}_page", width=140)) - 1
    message = message_of(mart, today, kind=sent.kind, at=now(), channel=sent.channel, pays=sent.pays)
    frame = metric.page(mart, audience, today, offset=PAGE * place, limit=PAGE)
    with reading(order_database(settings())) as connection:
        found = page_of(connection, frame["customer_id"].tolist(), message, sees=staff.may(May.SEE_PERSONAL_DATA))
    shown = pd.DataFrame(
        {
            "Customer": [found[one].name or f"No {one}" for one in frame["customer_id"]],
            "E-mail": [found[one].email for one in frame["customer_id"]],
            "Lifecycle": frame["lifecycle"].str.capitalize(),
            "Purchases": frame["purchases"],
            "Last, days ago": frame["days_since_last"],
            f"Net sales ({currency})": [major(value, currency) for value in frame["net_minor"]],
            "Held back now": [found[one].held for one in frame["customer_id"]],
        }
    )
    money = st.column_config.NumberColumn(format=number_format(Unit.MONEY, currency))
    table(
        shown,
        alt=f"Customers {PAGE * place + 1} to {PAGE * place + len(frame)} of {total:,}",
        columns={f"Net sales ({currency})": money},
    )
    st.caption(f"{PAGE * place + 1:,} to {PAGE * place + len(frame):,} of {total:,}, the highest net sales first.")
    if staff.may(May.EXPORT):
        _files(store, mart, audience, sent, total, key, name)


def _files(store: Store, mart: Mart, audience: Audience, sent: Sent, total: int, key: str, name: str) -> None:
    staff, today = reader(), store.today()
    may_hand_on = staff.may(May.PLAN_OFFERS) and staff.may(May.SEE_PERSONAL_DATA)
    options = {"list": "A list for people, with what holds each back"}
    if may_hand_on:
        options |= {tool.name: f"For {tool.label}" for tool in TOOLS}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        wanted = st.selectbox("As a file", list(options), format_func=options.__getitem__, key=f"{key}_file")
        asked = st.button("Write it", icon=":material/description:", key=f"{key}_write")
    note = next((tool.note for tool in TOOLS if tool.name == wanted), "")
    if note:
        st.caption(f"{note} Holdouts and everyone whom a contact rule holds back are left out.")
    if not asked:
        return
    bar = st.progress(0.0, text="Writing …")

    def progress(rows: int) -> None:
        bar.progress(min(1.0, rows / total), text=f"{rows:,} of {total:,} customers")

    message = message_of(mart, today, kind=sent.kind, at=now(), channel=sent.channel, pays=sent.pays)
    here = settings()
    try:
        if wanted == "list":
            written = write_members(here, mart, audience, today, message, staff, name=name, progress=progress)
        else:
            written = write_for_tool(
                here, mart, audience, today, message, staff, tool=wanted, name=name, progress=progress
            )
    except EncoreError as refused:
        bar.empty()
        st.error(plain(str(refused)), icon=":material/error:")
        return
    bar.empty()
    _done(written, is_list=wanted == "list")


def _done(written: Written, *, is_list: bool) -> None:
    with st.container(border=True, gap="small", key="audience_file"):
        st.link_button(
            plain(f"Download {written.path.name} ({size(written.path.stat().st_size)})"),
            f"/exports/{written.token}",
            icon=":material/download:",
            type="primary",
        )
        out = sum(written.left_out.values())
        words = f"{written.rows:,} customers are in it."
        if out:
            words += f" {out:,} {'of them are marked as held back' if is_list else 'were left out'}: "
            words += ", ".join(f"{told.lower()} {count:,}" for told, count in reasons_told(written.left_out)) + "."
        st.caption(plain(f"{words} The link is yours alone, for a day."))
