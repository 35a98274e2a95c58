"""The list for the day: its views and lines, and what was done yesterday by whom."""

from datetime import datetime, timedelta
from typing import cast

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.money import format_money
from lib.periods import start_of_day
from lib.privacy import mask_name
from lib.queues import to_do
from lib.queues.listing import waited
from lib.queues.to_do import Item, Rank, View
from lib.queues.to_do_pieces import MOST_OF_KIND
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.desk import people
from lib.ui.inbox import LINES, draw_inbox
from lib.ui.inbox_state import After, Inbox, Line, Lines
from lib.ui.tables import table
from lib.ui.to_do_item import ICONS, draw_item

VIEWS = {
    View.ALL: "All",
    View.OVERDUE: "Overdue",
    View.NOBODYS: "Nobody's",
    View.MINE: "Mine",
    View.ASLEEP: "Put off",
}
EMPTY = {
    View.ALL: "Nothing waits. Well done.",
    View.OVERDUE: "Nothing is past its time.",
    View.NOBODYS: "Everything that waits has somebody.",
    View.MINE: "Nothing is yours at the moment.",
    View.ASLEEP: "Nothing is put off.",
}
# How long before its deadline an item is marked.
_SOON = timedelta(hours=4)


def draw_to_do(store: Store) -> None:
    """The whole list, the open item beside it."""
    st.caption(
        "By the day it is due, then by the money of the orders it is about: what they cost, or what is unpaid. "
        "That is what is at stake, not what will be lost."
    )
    has_people = bool(people())
    draw_inbox(
        Inbox(
            name="item",
            # While nobody has an account there is nobody to give work to.
            views={str(v): label for v, label in VIEWS.items() if has_people or v not in {View.MINE, View.NOBODYS}},
            counts=lambda staff: {
                str(view): count
                for view, count in _counts(settings().database_url, staff.staff_id, store.time_zone, store).items()
            },
            read=lambda staff, view, after: _read(staff, store, View(view), after),
            draw=lambda staff, key: draw_item(staff, store, key),
            empty={str(view): words for view, words in EMPTY.items()},
        ),
        May.SEE_QUEUE,
    )


@st.cache_data(ttl=10, max_entries=50, show_spinner=False)
def _counts(url: str, staff_id: int | None, zone: str, _store: Store) -> dict[View, int]:
    with reading(order_database(settings())) as connection:
        return to_do.counts(connection, at=now(), zone=_store.zone, staff_id=staff_id)


def _read(staff: Staff, store: Store, view: View, after: After) -> Lines:
    at = now()
    with reading(order_database(settings())) as connection:
        found = to_do.read_items(
            connection,
            view,
            at=at,
            zone=store.zone,
            staff_id=staff.staff_id,
            after=cast(Rank | None, after),
            limit=LINES,
        )
    note = "Of the last 60 days."
    if found.cut:
        note += f" Of {' and '.join(found.cut)} the {MOST_OF_KIND} due first are ranked; the rest follows as these go."
    return Lines([_line(staff, item, at) for item in found.items], found.after, note)


def _line(staff: Staff, item: Item, at: datetime) -> Line:
    first, many = item.pieces[0], len(item.pieces)
    sees = staff.may(May.SEE_PERSONAL_DATA)
    name = (item.name if sees else mask_name(item.name)) or ("A customer" if item.customer_id else "")
    parts = [when(item.due_at, at)]
    if item.value_minor:
        parts.append(format_money(item.value_minor, item.currency, cents=False))
    parts.append(first.title if many == 1 else f"{many} things: {first.title}")
    icons = " ".join(dict.fromkeys(ICONS[piece.subject] for piece in item.pieces))
    colour = "gray"
    if item.due_at is not None:
        colour = "red" if item.due_at < at else "orange" if item.due_at < at + _SOON else "gray"
    return Line(
        key=item.key,
        version=sum(piece.version for piece in item.pieces),
        title=name or first.title,
        detail=" · ".join(parts),
        mark=f":{colour}[{icons}]",
    )


def when(due_at: datetime | None, at: datetime) -> str:
    """How late something is, or how long is left."""
    if due_at is None:
        return "no deadline"
    return f"{waited(due_at, at)} past its time" if due_at < at else f"due in {waited(at, due_at)}"


def draw_done(store: Store) -> None:
    """What was done yesterday and by whom, from the audit log."""
    today = store.today()
    yesterday = today - timedelta(days=1)
    start, end = start_of_day(yesterday, store.zone), start_of_day(today, store.zone)
    with reading(order_database(settings())) as connection:
        deeds = to_do.done_between(connection, start, end)
    with st.container(border=True, gap="small", key="done_yesterday"):
        st.markdown(f"**{yesterday:%A, %-d %B}**")
        if not deeds:
            st.caption("Nobody did anything in the lists yesterday.")
            return
        rows = [(one.actor, *_deed(one.action), one.count) for one in deeds]
        frame = pd.DataFrame(rows, columns=["Who", "What", "Done", "Times"])
        table(frame, alt="What was done yesterday, by whom and how often", columns={})


def _deed(action: str) -> tuple[str, str]:
    subject, _, verb = action.partition(".")
    return {"shipment": "Parcel"}.get(subject, subject.capitalize()), verb.replace("_", " ")
