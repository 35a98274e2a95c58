"""The log of who did what, on a screen: filtered, opened, taken out, and whether it is whole."""

import json
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from lib.db import audit
from lib.db.engine import order_database, reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.queues.audit import Entry, Wanted, actions, actors, all_entries, entries, entry, instants
from lib.settings import settings
from lib.staff import May
from lib.ui.access import Desk, show_error
from lib.ui.tables import table, to_csv
from lib.ui.visit import my_token, staff_of
from lib.workflows.audit import record_log_export

PAGE = 50
EVERYBODY, EVERYTHING = "Everybody", "Everything"


@st.cache_data(ttl=60, max_entries=4, show_spinner="Checking the log …")
def _chain(url: str) -> str:
    with reading(order_database(settings())) as connection:
        broken = audit.verify(connection)
    return "" if broken is None else f"Entry {broken.audit_id}: {broken.reason}."


def draw_chain() -> None:
    """Whether every entry fits the one before."""
    broken = _chain(settings().database_url)
    if broken:
        st.error(f"The log is not whole. {broken} Keep a backup, and find out who can write to the database.")
    else:
        st.badge("Whole: each entry fits the one before", icon=":material/verified:", color="green")


def draw_entries(desk: Desk) -> None:
    """The entries that are asked for, newest first; select one to open it."""
    wanted, words = _asked(desk.store)
    trail: list[int | None] = st.session_state.setdefault("audit_trail", [None])
    if st.session_state.get("audit_asked") != words:
        st.session_state["audit_asked"], trail[:] = words, [None]
    with reading(order_database(settings())) as connection:
        found, more = entries(connection, wanted, before_id=trail[-1], limit=PAGE)
    if not found:
        st.info("Nothing of the kind is in the log.")
        return
    event = st.dataframe(
        _frame(found, desk.store),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config={"When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss")},
        placeholder="–",
        alt="Entries of the log, newest first",
        key=f"audit_rows_{trail[-1]}",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(trail) > 1 and st.button("Newer entries", icon=":material/chevron_left:", key="audit_newer"):
            trail.pop()
            st.rerun()
        if more is not None and st.button("Older entries", icon=":material/chevron_right:", key="audit_older"):
            trail.append(more)
            st.rerun()
        # The role may change before the file is asked for: whoever presses is asked for then.
        token, address = my_token(), st.context.ip_address
        st.download_button(
            "Download these entries (CSV)",
            data=lambda: _export(wanted, token, address),
            file_name="audit.csv",
            mime="text/csv",
            icon=":material/download:",
            key="audit_csv",
            on_click="ignore",
        )
    picked = [found[place] for place in event.selection.rows if place < len(found)]
    if picked:
        _open(desk, picked[0].audit_id)


def _asked(store: Store) -> tuple[Wanted, str]:
    with reading(order_database(settings())) as connection:
        people, kinds = actors(connection), actions(connection)
    with st.grid(4, min_column_width=170, gap="small", key="audit_filters"):
        who = st.selectbox("Person", [EVERYBODY, *people], key="audit_actor")
        what = st.selectbox("Action", [EVERYTHING, *kinds], key="audit_action")
        subject = st.text_input("Subject", key="audit_subject", placeholder="such as review:17")
        today = store.today()
        days = st.date_input("Days", (today - timedelta(days=29), today), max_value=today, key="audit_days")
    first, last = _days(days, today)
    since, before = instants(first, last, store.zone)
    wanted = Wanted(
        actor="" if who == EVERYBODY else str(who),
        action="" if what == EVERYTHING else str(what),
        subject=subject.strip(),
        since=since,
        before=before,
    )
    return wanted, f"{who}|{what}|{subject}|{first}|{last}"


def _days(chosen: Any, today: date) -> tuple[date, date]:
    """The chosen days; while only the first is chosen, up to today."""
    days = [day for day in (chosen if isinstance(chosen, tuple) else (chosen,)) if isinstance(day, date)]
    return (days[0], days[-1] if len(days) > 1 else today) if days else (today - timedelta(days=29), today)


def _frame(found: list[Entry], store: Store) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "When": [each.at.astimezone(store.zone).replace(tzinfo=None) for each in found],
            "Who": [each.actor for each in found],
            "What": [each.action for each in found],
            "Subject": [each.subject for each in found],
            "From": [each.address or None for each in found],
            "Details": [_short(each.details) for each in found],
        }
    )


def _short(details: dict[str, Any]) -> str | None:
    before, after = details.get("before") or {}, details.get("after") or {}
    parts = [
        f"{name}: {before[name]} → {value}" if name in before else f"{name}: {value}" for name, value in after.items()
    ]
    parts += [f"{name}: {value} → –" for name, value in before.items() if name not in after]
    return ", ".join(parts)[:300] or None


def _open(desk: Desk, audit_id: int) -> None:
    """One entry: before and after, and personal values for those who may see them."""
    may_see = desk.staff.may(May.SEE_PERSONAL_DATA)
    with reading(order_database(settings())) as connection:
        found = entry(connection, audit_id, personal=may_see)
    if found is None:
        return
    one, personal = found
    with st.container(border=True, key="audit_entry"):
        st.header(f"Entry {one.audit_id}", anchor=False)
        at = one.at.astimezone(desk.store.zone)
        st.text(f"{one.actor}, {at:%-d %B %Y, %H:%M:%S} ({desk.store.time_zone})")
        where = f", from {one.address}" if one.address else ""
        st.text(f"{one.action} · {one.subject}{where}")
        left, right = st.columns(2)
        for column, name in ((left, "before"), (right, "after")):
            with column:
                st.markdown(f"**{name.capitalize()}**")
                _values(one.details.get(name), f"Values {name}")
        if not one.is_sealed:
            return
        st.markdown("**Personal values**")
        if not may_see:
            st.caption("Sealed: your role may not see personal data.")
        elif personal is None:
            st.caption("Erased: the person was forgotten, and nobody can read them any more.")
        else:
            _values(personal, "Personal values")


def _values(values: dict[str, Any] | None, alt: str) -> None:
    if not values:
        st.caption("Nothing")
        return
    written = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values.values()]
    table(pd.DataFrame({"What": list(values), "Value": written}), alt=alt)


def _export(wanted: Wanted, token: str | None, address: str | None) -> bytes:
    """The entries as a file; that they were taken out is the next entry."""
    try:
        staff = staff_of(token, at=now(), address=address)
        with writing(order_database(settings())) as connection:
            found = list(all_entries(connection, wanted))
            record_log_export(connection, staff, rows=len(found), at=now())
    except Exception as error:
        show_error(error)
        raise
    frame = pd.DataFrame(
        [
            {
                "entry": each.audit_id,
                "at": each.at.isoformat(),
                "who": each.actor,
                "what": each.action,
                "subject": each.subject,
                "from": each.address,
                "details": json.dumps(each.details, ensure_ascii=False) if each.details else "",
                "customer_id": each.customer_id,
            }
            for each in found
        ]
    )
    return to_csv(frame)
