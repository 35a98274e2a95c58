"""The outbox on a page: whether anything leaves, each message with its state, and the mailbox."""

from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.jobs import mailbox, outbox
from lib.privacy import mask_email
from lib.queues.listing import MOST
from lib.queues.outbox import counts, messages, sending, taken_in
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.access import Desk
from lib.ui.text import ago, clock, plain
from lib.workflows.outbox import disable_sending, enable_sending, send_again, settle_as_sent

# The states as people sort them, and as the database names them.
STATES = {"Held back": "held_back", "Failed": "failed", "Waiting": "queued", "Sending": "sending", "Sent": "sent"}
EMPTY = {
    "Held back": "Nothing is held back.",
    "Failed": "Nothing has failed.",
    "Waiting": "Nothing waits to be sent.",
    "Sending": "Nothing is on its way at this moment.",
    "Sent": "Nothing was sent yet.",
}
CHANNELS = {"email": "Mail", "webhook": "Webhook", "audience": "Audience"}
OUTCOMES = {
    "ticket": "answered by a person or waiting",
    "automatic": "automatic",
    "bounce": "came back",
    "loop": "our own",
    "refused": "could not be read",
}
PAGE, LONGEST = 50, 500


def draw_switch(desk: Desk) -> None:
    """Whether mails and webhooks leave, by what way, and for an owner the switch."""
    st.header("Going out", anchor=False)
    with reading(order_database(settings())) as connection:
        state = sending(connection)
    ways = outbox.ways_out(settings())
    if state.is_demo:
        st.badge("Off: demo store", icon=":material/science:", color="orange")
        st.caption(
            "Nothing is ever sent to invented customers. What you try out here is held back below; "
            "what is listed as sent is part of the invented past."
        )
        return
    if state.since is not None:
        st.badge("On", icon=":material/check_circle:", color="green")
        st.caption(plain(f"Since {clock(state.since, desk.store.zone, desk.store.today())}."))
    else:
        st.badge("Off", icon=":material/pause_circle:", color="gray")
        st.caption("Nothing leaves; what is queued waits until an owner turns it on.")
    if ways:
        st.caption(plain(f"By {' and '.join(ways)}."))
    else:
        st.caption(plain("No mail server and no webhook is set. See ENCORE_SMTP_URL in docs/how-to/mail.md."))
    if desk.staff.may(May.CHANGE_STORE):
        _switch(desk, is_on=state.since is not None)
    else:
        st.caption("An owner can change this.")


def _switch(desk: Desk, *, is_on: bool) -> None:
    if is_on:
        if st.button("Turn off", icon=":material/pause:", key="outbox_off"):
            _decide(lambda connection: disable_sending(connection, desk.staff, at=now()))
    elif st.button("Turn on …", icon=":material/send:", key="outbox_on"):
        st.dialog("Let mails and webhooks leave?")(_confirm)(desk.staff)


def _confirm(staff: Staff) -> None:
    with reading(order_database(settings())) as connection:
        waiting = counts(connection)["queued"]
    many = "1 message leaves" if waiting == 1 else f"{_many(waiting)} messages leave"
    st.write(f"{many} at once, and each answer from now on. Customers get real mails.")
    with st.container(horizontal=True):
        if st.button("Turn on", type="primary", key="outbox_confirm"):
            _decide(lambda connection: enable_sending(connection, staff, at=now()))
        if st.button("Leave it off", key="outbox_cancel"):
            st.rerun()


def draw_mailbox(desk: Desk) -> None:
    """Which mailbox is read, when last, and what came of it."""
    st.header("Coming in", anchor=False)
    try:
        place = mailbox.place_of(settings())
    except EncoreError as refused:
        st.error(str(refused), icon=":material/error:")
        return
    if not place:
        st.badge("No mailbox", icon=":material/inbox:", color="gray")
        st.caption(plain("Mails become tickets once ENCORE_IMAP_URL names a mailbox. See docs/how-to/mail.md."))
        return
    looked = mailbox.last_look(settings())
    if looked is not None and looked.is_fault:
        st.badge("Cannot be read", icon=":material/error:", color="red")
    else:
        st.badge("Read", icon=":material/check_circle:", color="green")
    st.caption(plain(f"{place}."))
    if looked is not None:
        st.caption(plain(f"Looked {ago(looked.at, now())}: {looked.words}"))
    with reading(order_database(settings())) as connection:
        found = taken_in(connection, now() - timedelta(days=7))
    if found:
        parts = [f"{count:,} {OUTCOMES[outcome]}" for outcome, count in found.items() if outcome != "ticket"]
        rest = f", of them {', '.join(parts)}" if parts else ""
        st.caption(plain(f"Last 7 days: {sum(found.values()):,} mails{rest}."))
    if desk.staff.may(May.WORK_QUEUE) and st.button("Look now", icon=":material/refresh:", key="mailbox_look"):
        with st.spinner("Reading the mailbox …"):
            mailbox.look(settings())
        st.rerun()


def draw_messages(desk: Desk) -> None:
    """The messages of a state, newest first; what is stuck can be sent again."""
    st.header("Messages", anchor=False)
    with reading(order_database(settings())) as connection:
        found = counts(connection)
    first = next((label for label, state in STATES.items() if found[state]), "Held back")
    label = st.segmented_control(
        "State",
        list(STATES),
        default=first,
        required=True,
        format_func=lambda one: f"{one} {_many(found[STATES[one]])}" if found[STATES[one]] else one,
        key="outbox_state",
        label_visibility="collapsed",
    )
    shown = int(st.session_state.get("outbox_shown", PAGE))
    with reading(order_database(settings())) as connection:
        page = messages(connection, status=STATES[label], limit=shown)
    if page.rows.empty:
        st.caption(EMPTY[label])
        return
    may_work = desk.staff.may(May.WORK_QUEUE) and label in {"Held back", "Failed"}
    event: Any = st.dataframe(
        _table(page.rows, desk, label),
        hide_index=True,
        placeholder="–",
        height=min(560, 35 * (len(page.rows) + 1) + 2),
        on_select="rerun" if may_work else "ignore",
        selection_mode="multi-row",
        column_config={
            "Why": st.column_config.TextColumn(width="large"),
            "When": st.column_config.TextColumn(width=110),
            "By": st.column_config.TextColumn(width="small"),
            "Attempts": st.column_config.NumberColumn(format="%d", width="small"),
        },
        key=f"outbox_rows_{STATES[label]}",
        alt=f"Messages of the state {label.lower()}, newest first",
    )
    if label != "Sent":
        _reasons(page.rows)
    if may_work:
        chosen = [page.rows.iloc[place] for place in event.selection.rows if place < len(page.rows)]
        _with_chosen(desk, chosen)
    if page.after is not None and shown < LONGEST and st.button("Show more", key="outbox_more"):
        st.session_state["outbox_shown"] = min(shown + PAGE, LONGEST)
        st.rerun()
    if page.after is not None and shown >= LONGEST:
        st.caption(plain(f"The newest {LONGEST:,}; `python -m lib outbox list` shows more."))


def _reasons(rows: pd.DataFrame) -> None:
    """Why they did not leave, in full: a cell of the table would cut it."""
    for reason, count in rows["failure"].dropna().value_counts().head(5).items():
        st.caption(plain(f"{count} × {reason}"))


def _with_chosen(desk: Desk, chosen: list[pd.Series]) -> None:
    if not chosen:
        st.caption("Select messages to send them again.")
        return
    keys = [int(row["outbox_message_id"]) for row in chosen]
    maybe = [key for key, row in zip(keys, chosen, strict=True) if not pd.isna(row["handed_over_at"])]
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(f"Send {len(keys)} again", icon=":material/send:", key="outbox_again"):
            if maybe:
                st.dialog("Send what may have arrived?")(_confirm_again)(desk.staff, keys, len(maybe))
            else:
                _again(desk.staff, keys)
        if maybe and len(maybe) == len(keys):
            if st.button(f"Mark {len(keys)} as sent", icon=":material/done_all:", key="outbox_settle"):
                _settle(desk.staff, keys)
            st.caption("Look into the sent mails of your mail server first.")


def _confirm_again(staff: Staff, keys: list[int], maybe: int) -> None:
    st.write(f"{maybe} of {len(keys)} may have arrived already. If so, the customer gets the same mail twice.")
    if st.button("Send again", type="primary", key="outbox_again_confirm"):
        _again(staff, keys)


def _again(staff: Staff, keys: list[int]) -> None:
    def all_of_them(connection: Any) -> None:
        for key in keys:
            send_again(connection, staff, key, at=now())

    _decide(all_of_them)


def _settle(staff: Staff, keys: list[int]) -> None:
    def all_of_them(connection: Any) -> None:
        for key in keys:
            settle_as_sent(connection, staff, key, at=now())

    _decide(all_of_them)


def _decide(what: Any) -> None:
    """Do it in one transaction and draw the page anew, or say why not."""
    try:
        with writing(order_database(settings())) as connection:
            what(connection)
    except EncoreError as refused:
        st.error(str(refused), icon=":material/error:")
        return
    outbox.wake()
    st.rerun()


def _table(rows: pd.DataFrame, desk: Desk, label: str) -> pd.DataFrame:
    may_see = desk.staff.may(May.SEE_PERSONAL_DATA)
    zone, today = desk.store.zone, desk.store.today()
    when = "sent_at" if label == "Sent" else "queued_at"
    frame = pd.DataFrame(
        {
            "When": [_clock(at, zone, today) for at in rows[when]],
            "By": [CHANNELS.get(channel, channel) for channel in rows["channel"]],
            "To": [recipient if may_see else mask_email(recipient) for recipient in rows["recipient"]],
            "About": [_about(row) for row in rows.to_dict("records")],
            "Subject": rows["subject"],
            "Why": rows["failure"],
            "Attempts": rows["attempts"],
        }
    )
    if label in {"Sent", "Sending"}:
        return frame.drop(columns="Why")
    return frame


def _clock(at: Any, zone: Any, today: Any) -> str | None:
    return None if pd.isna(at) else clock(pd.Timestamp(at).to_pydatetime(), zone, today)


def _about(row: dict[Any, Any]) -> str | None:
    if not row["about"] or pd.isna(row["about_id"]):
        return None
    return f"{str(row['about']).capitalize()} {int(row['about_id'])}"


def _many(count: int) -> str:
    return f"{MOST:,}+" if count > MOST else f"{count:,}"
