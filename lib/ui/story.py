"""A customer's story in one card: what she bought, what went wrong, what is open."""

from datetime import datetime

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.money import format_money
from lib.privacy import mask_email, mask_name
from lib.queues.customer import Story, story
from lib.queues.customer_event import Happened
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.places import CUSTOMERS
from lib.ui.text import one_line

ICONS = {
    "order": "shopping_bag",
    "parcel": "local_shipping",
    "return": "assignment_return",
    "refund": "undo",
    "ticket": "support_agent",
    "review": "reviews",
    "question": "help",
    "survey": "ballot",
    "message": "mail",
    "offer": "redeem",
    "points": "loyalty",
    "cart": "shopping_cart",
}


def open_customer(customer_id: int, *, label: str = "See the whole story") -> None:
    """The way to a customer's own page."""
    st.page_link(CUSTOMERS, label=label, icon=":material/arrow_forward:", query_params={"customer": str(customer_id)})


def draw_story(staff: Staff, store: Store, customer_id: int | None, *, at: datetime) -> None:
    """The card of a customer; without a customer, it says so."""
    with st.container(border=True, gap="small", key="story"):
        st.markdown("**Customer**")
        found = None
        if customer_id is not None:
            with reading(order_database(settings())) as connection:
                found = story(connection, customer_id, at=at, zone=store.zone)
        if found is None:
            st.caption("Nobody knows which customer this is.")
            return
        _who(staff, found)
        _sums(found)
        for one in found.newest:
            _happened(one, store, at, shows_words=staff.may(May.SEE_PERSONAL_DATA))
        open_customer(found.customer_id)


def _who(staff: Staff, found: Story) -> None:
    if found.is_erased:
        st.caption("This person was erased.")
        return
    sees = staff.may(May.SEE_PERSONAL_DATA)
    name, email = (found.name, found.email) if sees else (mask_name(found.name), mask_email(found.email))
    with st.container(gap=None):
        st.markdown(f"**{one_line(name or 'Without a name', 60)}**")
        place = ", ".join(part for part in (found.city, found.country) if part)
        for line in (email, place):
            if line:
                st.caption(one_line(line, 60))


def _sums(found: Story) -> None:
    spent = format_money(found.spent_minor, found.currency, cents=False) if found.currency else ""
    many = f"{found.orders} order{'' if found.orders == 1 else 's'}"
    words = [f"**{many}**, {one_line(spent, 20)}" if spent else f"**{many}**"]
    if found.late_parcels:
        words.append(f":orange[**{found.late_parcels}** parcel{'' if found.late_parcels == 1 else 's'} late or lost]")
    if found.returns:
        words.append(f"**{found.returns}** return{'' if found.returns == 1 else 's'}")
    if found.tickets:
        is_open = f", :orange[{found.open_tickets} open]" if found.open_tickets else ""
        words.append(f"**{found.tickets}** ticket{'' if found.tickets == 1 else 's'}{is_open}")
    if found.points is not None:
        words.append(f"**{found.points:,}** points")
    st.markdown(" · ".join(words))


def _happened(one: Happened, store: Store, at: datetime, *, shows_words: bool) -> None:
    title = f"{one.title}: {one.words}" if one.words and shows_words else one.title
    local = one.at.astimezone(store.zone)
    day = f"{local:%-d %b}" if local.year == at.astimezone(store.zone).year else f"{local:%-d %b %Y}"
    icon = f":material/{ICONS[one.kind]}:"
    head = f":orange[{icon}]" if one.is_bad else f":gray[{icon}]"
    with st.container(gap=None):
        st.markdown(f"{head} {one_line(title, 48)}")
        st.caption(one_line(f"{day}: {one.detail}" if one.detail else day, 70))
