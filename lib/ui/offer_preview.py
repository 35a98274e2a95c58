"""What an offer looks like to one customer, before anything leaves."""

import re
from dataclasses import replace
from datetime import timedelta

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.offer import Channel, Content
from lib.periods import store_day
from lib.queues.customer_search import find_people
from lib.queues.offer_sample import latest_customers
from lib.settings import settings
from lib.staff import May
from lib.ui.inbox import distinct
from lib.ui.offer_edit import Editing
from lib.ui.text import one_line, plain
from lib.workflows.offer_codes import code_of
from lib.workflows.offer_content import Rendered, must_unsubscribe, render
from lib.workflows.offer_values import Recipient, recipients_of, reward_values

# Who is written to in the preview of those who may not see customers.
EXAMPLE = "Anna (an example)"
_EXAMPLE_KNOWN = {"first_name": "Anna", "order": "#1042", "product": "Stoneware mug"}
_WAYS = ("As plain text", "As HTML")
# Light as mail programs show it, in either appearance of ours.
_PAPER = "background:#ffffff;color:#1f2523;border-radius:6px;overflow-wrap:anywhere"
_REACHES_OUT = re.compile(r'\s(?:href|src)="[^"]*"')


def draw_preview(one: Editing, content: Content) -> None:
    """The words of one language as somebody reads them."""
    st.markdown("**As a customer reads it**")
    who = _choose(one)
    letter = rendered(one, content, who)
    with st.container(border=True, gap="small", key="offer_preview"):
        if one.terms.plan.channel is not Channel.PARCEL:
            st.caption("Subject")
            st.text(letter.subject or "…")
        way = _WAYS[0]
        if letter.html:
            way = st.segmented_control(
                "Form",
                _WAYS,
                default=_WAYS[1],
                required=True,
                key=f"{one.key}_form",
                label_visibility="collapsed",
            )
        if way == _WAYS[1]:
            # Cleaned, the customer's values escaped, and nothing in it can be followed or fetched from here.
            st.html(f'<div style="{_PAPER}">{_REACHES_OUT.sub("", letter.html)}</div>')
        else:
            st.text(letter.text)
    if letter.missing:
        names = ", ".join(f"{{{name}}}" for name in letter.missing)
        st.markdown(plain_warning(f"Nobody knows {names} here: it leaves a gap. Give it words, as in {{order|it}}."))
    if not must_unsubscribe(one.terms.plan):
        st.caption("About her own parcel or without a mail: it needs no line to unsubscribe.")


def rendered(one: Editing, content: Content, who: Recipient | None) -> Rendered:
    """One language filled in for a customer, or for the example."""
    plan = replace(one.terms.plan, content=(content,))
    known = dict(who.known) if who is not None else dict(_EXAMPLE_KNOWN)
    last_day = store_day(now(), one.store.zone) + timedelta(days=plan.reward.expiry_days)
    known |= reward_values(plan, one.currency, content.language, last_day)
    code = plan.code.shared or code_of(plan.code, one.offer.salt, who.customer_id if who else 0)
    if code:
        known["code"] = code
    base = settings().public_url or "https://your-shop.example"
    known |= {"store": one.store.name, "unsubscribe": f"{base}/unsubscribe/…"}
    return render(plan, known, content.language, campaign=one.terms.name)


def plain_warning(words: str) -> str:
    """Words of advice, from data or not, marked."""
    return f":orange[:material/warning: {plain(words)}]"


def _choose(one: Editing) -> Recipient | None:
    if not one.staff.may(May.SEE_PERSONAL_DATA):
        st.caption("You may not see customers: this is an example.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        asked = st.text_input(
            "Find a customer", placeholder="Name, e-mail or order", key=f"{one.key}_who_find", width=200
        )
        with reading(order_database(settings())) as connection:
            if asked.strip():
                people = find_people(connection, asked).people
                found = {person.customer_id: person.name or person.email for person in people}
            else:
                found = {sample.customer_id: sample.name for sample in latest_customers(connection)}
        labels = distinct({0: EXAMPLE, **{key: one_line(name or "Without a name", 40) for key, name in found.items()}})
        options = [*found, 0]
        chosen = st.selectbox(
            "Written to",
            options,
            format_func=lambda key: labels[key],
            key=f"{one.key}_who_{asked.strip()[:40]}",
            width=260,
        )
    if not chosen:
        return None
    with reading(order_database(settings())) as connection:
        who = recipients_of(connection, one.terms.plan, {int(chosen): None}, language="").get(int(chosen))
    if who is not None and who.language:
        st.caption(plain(f"Reads {who.language}."))
    return who
