"""Beginning an offer: a draft of a kind, opened at once."""

from dataclasses import replace

import streamlit as st
from sqlalchemy import Connection

from lib.db.store import Store
from lib.db.tables.columns import now
from lib.offer import KINDS, Moment
from lib.ui.desk import act
from lib.ui.offer_terms import ICONS
from lib.ui.places import OFFERS
from lib.ui.visit import reader
from lib.workflows.offer_starters import starter
from lib.workflows.offers import copy_offer, create_offer


def new_offer_button(store: Store) -> None:
    """A menu of all kinds; choosing one begins a draft of it."""
    labels = {f"{ICONS[kind.name]} {kind.label}": kind.name for kind in KINDS.values()}
    chosen = st.menu_button("New offer", list(labels), icon=":material/add:", type="primary", key="new_offer")
    if chosen:
        begin_offer(store, labels[chosen])


def begin_offer(store: Store, kind: str, *, moment: Moment | None = None) -> None:
    """Write down a draft of a kind and open it."""
    made: list[int] = []
    terms = starter(kind, languages=store.languages, zone=store.zone, at=now())
    if moment is not None:
        terms = replace(terms, plan=replace(terms.plan, moment=moment, delay_days=0))

    def do(connection: Connection) -> None:
        made.append(create_offer(connection, reader(), terms, at=now()))

    if act(do, "A draft was begun. Say what is yours to say: what it gives, whom it is for, and until when."):
        open_offer(made[0])


def begin_copy(offer_id: int, name: str) -> None:
    """Begin a draft from another offer and open it."""
    made: list[int] = []

    def do(connection: Connection) -> None:
        made.append(copy_offer(connection, reader(), offer_id, name=f"{name[:90]}, again", at=now()))

    if act(do, "Copied as a new draft. Its days and a code for all are not copied."):
        open_offer(made[0])


def open_offer(offer_id: int) -> None:
    """Go to an offer's own page."""
    st.switch_page(OFFERS, query_params={"offer": str(offer_id)})
