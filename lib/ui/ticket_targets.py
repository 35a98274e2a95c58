"""How fast an answer is promised, channel by channel, and when the store is open: seen by all, changed by a few."""

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from lib.db.engine import order_database, reading, writing
from lib.db.service import Promises, Target, read_promises
from lib.db.tables.columns import now
from lib.db.tables.tickets import TICKET_CHANNELS
from lib.errors import EncoreError
from lib.queues.opening import Opening, opening_of
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.text import plain
from lib.workflows.targets import set_hours, set_target

_CLOCKS = {"calendar": "Calendar: nights and weekends count", "business": "Business: only opening hours count"}
_SIZES = {"minutes": 1, "hours": 60, "days": 24 * 60}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CLOSED = "closed"
_TIMES = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in range(0, 24 * 60 + 1, 30)]


def draw_ticket_targets(staff: Staff) -> None:
    """What is promised in one line, and for those who may the ways to change it."""
    with reading(order_database(settings())) as connection:
        promises, opening = read_promises(connection), opening_of(connection)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="ticket_targets"):
        st.caption(plain(f"A first answer is promised within {promised(promises)}."))
        if not staff.may(May.SET_GOALS):
            return
        with st.popover("Change", icon=":material/timer:"):
            _change(staff, promises)
        if opening is not None:
            with st.popover("Opening hours", icon=":material/schedule:"):
                _hours(staff, opening)
    if refused := st.session_state.pop("targets_refused", None):
        st.error(plain(refused))


def promised(promises: Promises) -> str:
    """The promises of all channels in words, those alike together: ``5 minutes (chat), 1 hour (all others)``."""
    alike: dict[str, list[str]] = {}
    for channel in TICKET_CHANNELS:
        target = promises.targets[channel]
        words = span(target.minutes) + (" of opening time" if target.clock == "business" else "")
        alike.setdefault(words, []).append(channel)
    if len(alike) == 1:
        return next(iter(alike))
    *few, (most, rest) = sorted(alike.items(), key=lambda item: len(item[1]))
    named = [f"{words} ({', '.join(channels)})" for words, channels in few]
    others = "all others" if len(rest) > 1 else rest[0]
    return f"{', '.join(named)}, {most} ({others})"


def span(minutes: int) -> str:
    """A time in its largest whole unit: ``90 minutes``, ``1 hour``, ``2 days``."""
    for size, one in ((1440, "day"), (60, "hour")):
        if minutes % size == 0:
            return f"{minutes // size:,} {one}{'' if minutes == size else 's'}"
    return f"{minutes:,} minutes"


def _change(staff: Staff, promises: Promises) -> None:
    channel = st.selectbox("Channel", TICKET_CHANNELS, key="target_channel", format_func=str.capitalize)
    target = promises.targets[channel]
    size = next(name for name in reversed(_SIZES) if target.minutes % _SIZES[name] == 0)
    # The keys know the version: what somebody else saved meanwhile is shown, not typed over.
    key = f"target_{channel}_{target.version}"
    with st.form(key, border=False):
        left, right = st.columns([1, 1.3])
        left.number_input("Answered within", 1, 40_320, target.minutes // _SIZES[size], key=f"{key}_number")
        right.selectbox("Unit", list(_SIZES), index=list(_SIZES).index(size), key=f"{key}_unit")
        st.radio(
            "Clock",
            list(_CLOCKS),
            index=list(_CLOCKS).index(target.clock),
            format_func=lambda one: _CLOCKS[one],
            key=f"{key}_clock",
        )
        st.form_submit_button(
            "Save", type="primary", key=f"{key}_save", on_click=_save_target, args=(staff, target, key)
        )
    st.caption("Deadlines of open tickets move at once; the figures follow at the next refresh.")


def _save_target(staff: Staff, target: Target, key: str) -> None:
    number, unit, clock = (st.session_state[f"{key}_{name}"] for name in ("number", "unit", "clock"))
    _save(
        lambda c: set_target(
            c, staff, target.work, int(number) * _SIZES[unit], version=target.version, clock=str(clock), at=now()
        )
    )


def _hours(staff: Staff, opening: Opening) -> None:
    key = f"hours_{opening.version}"
    with st.form(key, border=False):
        for place, name in enumerate(_DAYS):
            entry = opening.week[place] or (_CLOSED, _CLOSED)
            for column, label, known in zip(st.columns(2), ("from", "to"), entry, strict=True):
                options = [_CLOSED, *sorted({*_TIMES, known} - {_CLOSED})]
                column.selectbox(f"{name} {label}", options, index=options.index(known), key=f"{key}_{place}_{label}")
        st.caption("By the store's own clock. An end before the beginning runs past midnight.")
        st.form_submit_button(
            "Save", type="primary", key=f"{key}_save", on_click=_save_hours, args=(staff, opening, key)
        )


def _save_hours(staff: Staff, opening: Opening, key: str) -> None:
    chosen = [[str(st.session_state[f"{key}_{place}_{label}"]) for label in ("from", "to")] for place in range(7)]
    week = [None if _CLOSED in pair else pair for pair in chosen]
    _save(lambda c: set_hours(c, staff, week, version=opening.version, at=now()))


def _save_button(key: str, save: Callable[..., None], *args: object) -> None:
    st.form_submit_button("Save", type="primary", key=f"{key}_save", on_click=save, args=args)


def _save(change: Callable[[Connection], None]) -> None:
    try:
        with writing(order_database(settings())) as connection:
            change(connection)
    except EncoreError as refused:
        st.session_state["targets_refused"] = str(refused)
