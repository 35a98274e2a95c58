"""What holds for all offers together, shown and set."""

from dataclasses import replace

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.access import show_error
from lib.ui.desk import act, told
from lib.ui.visit import reader
from lib.workflows.contact_rules import LARGEST_HOLDOUT, MOST_DAYS, MOST_MESSAGES, rules_in_force, set_contact_rules

_HOURS = list(range(24))
# What Encore always keeps to, whatever is set.
_ALWAYS = (
    ("Consent", "Advertising goes only to customers who agreed to it. Word of her own order needs no consent."),
    ("What came back", "Nobody who unsubscribed or complained, until she agrees again; no address that takes no mail."),
    ("Favours", "No review request, survey or wish to share while a parcel is late or a ticket or return is open."),
    ("Natural reorders", "No discount while a customer is due: half of those who come back have done so by then."),
    ("Two on one day", "One offer a day. Of two that are due, the one with the lower priority number goes."),
)


@st.fragment
def draw_contact_rules(store: Store) -> None:
    """The rules in force, and the form to change them."""
    try:
        _draw(reader(), store)
    except Exception as error:
        show_error(error)


def _draw(staff: Staff, store: Store) -> None:
    told()
    with reading(order_database(settings())) as connection:
        rules = rules_in_force(connection)
    may, owns = staff.may(May.PLAN_OFFERS), staff.may(May.APPROVE_OFFERS)
    key = f"contact_rules_{rules.version}"
    left, right = st.columns([1.2, 1], gap="medium")
    card = left.container(border=True, gap="small", key="contact_rules_set")
    with card:
        st.markdown("**What you set**")
        first, second = st.columns(2)
        messages = first.number_input(
            "Messages of offers, at most",
            0,
            MOST_MESSAGES,
            rules.most_messages,
            disabled=not may,
            key=f"{key}_messages",
            help="Per customer, all offers together. 0 stops them all.",
        )
        days = second.number_input(
            "in so many days", 1, MOST_DAYS, rules.most_days, disabled=not may, key=f"{key}_days"
        )
        quiet_from = first.selectbox(
            "Quiet from",
            _HOURS,
            rules.quiet_from,
            format_func=_hour,
            disabled=not may,
            key=f"{key}_from",
            help="By the clock of the customer's country. What is due then goes out when the quiet is over.",
        )
        quiet_to = second.selectbox(
            "Quiet to", _HOURS, rules.quiet_to, format_func=_hour, disabled=not may, key=f"{key}_to"
        )
        if quiet_from == quiet_to:
            st.caption("The same hour twice: there are no quiet hours.")
        share = st.number_input(
            "Global holdout, % of all customers",
            0.0,
            100 * LARGEST_HOLDOUT,
            100 * rules.global_holdout_share,
            step=1.0,
            disabled=not owns,
            key=f"{key}_share",
            help="They never get any offer, so that all offers together can be measured. An owner sets it.",
        )

    wanted = replace(
        rules,
        most_messages=int(messages),
        most_days=int(days),
        quiet_from=int(quiet_from),
        quiet_to=int(quiet_to),
        global_holdout_share=round(float(share) / 100, 6),
    )

    def save() -> None:
        act(
            lambda c: set_contact_rules(c, staff, wanted, version=rules.version, at=now()),
            "Saved. The rules hold from now on.",
        )

    with card:
        st.button("Save", type="primary", key=f"{key}_save", disabled=not may, on_click=save)
        if not may:
            st.caption("Managers and owners change these rules.")
    with right, st.container(border=True, gap="small", key="contact_rules_always"):
        st.markdown("**What always holds**")
        for name, words in _ALWAYS:
            st.markdown(f"**{name}.** {words}")


def _hour(hour: int) -> str:
    return f"{hour:02d}:00"
