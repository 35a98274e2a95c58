"""Who may see a page, and what a page is given to begin with.

Every page calls ``open_page`` (with figures) or ``open_desk`` (without) first, naming what its reader must
be allowed: the gate has one place, and every workflow asks again.
"""

import logging
import secrets
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn

import streamlit as st

from lib.db.store import Store
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.metrics.definition import Mart, Scope
from lib.periods import day_of
from lib.staff import May, Staff
from lib.ui.cached import slices
from lib.ui.choices import Choice, chosen
from lib.ui.live import House, open_house
from lib.ui.places import IMPORTS
from lib.ui.text import ago, clock, symbol_of
from lib.ui.visit import reader

log = logging.getLogger("encore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a page begins with: the store, its figures, and the question that the reader chose."""

    house: House
    mart: Mart
    choice: Choice
    today: date
    staff: Staff
    # What was asked during this run already: a cache would copy it out each time.
    asked: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def scope(self) -> Scope:
        """The chosen days, as known now: the as-of day is the period's end, at most today."""
        return self.choice.scope(self.as_of)

    @property
    def before(self) -> Scope | None:
        """The days compared with, as they were known at their own end."""
        if self.choice.before is None:
            return None
        return Scope(period=self.choice.before, as_of=self.choice.before.end, filters=self.choice.filters)

    @property
    def as_of(self) -> date:
        return self.choice.period.end

    @property
    def currency(self) -> str:
        return self.house.currency

    @property
    def symbol(self) -> str:
        return symbol_of(self.currency)

    @property
    def first_day(self) -> date:
        """The day of the first order."""
        first = self.mart.about.first_day
        return day_of(int(first)) if first is not None else self.today

    @property
    def version(self) -> int:
        return int(self.mart.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a page of live lists begins with; it needs no figures."""

    store: Store
    staff: Staff


def open_desk(what: May) -> Desk:
    """Let the reader in to a page that needs no figures, or refuse.

    Raises:
        NotAllowed: the reader's role may not do ``what``.
    """
    staff = reader()
    staff.must(what)
    return Desk(store=open_house().store, staff=staff)


def open_page(what: May) -> Opened:
    """Let the reader in and hand over what the page needs; without figures, say what to do instead and stop.

    Raises:
        NotAllowed: the reader's role may not do ``what``.
    """
    staff = reader()
    staff.must(what)
    house = open_house()
    if house.mart is None or house.is_empty:
        say_nothing_yet(house)
    today = house.store.today()
    channels = slices(house.mart, "channel")
    return Opened(house=house, mart=house.mart, choice=chosen(today, channels), today=today, staff=staff)


def say_nothing_yet(house: House) -> NoReturn:
    """Tell a reader without figures why there are none, and what to do; the page ends here."""
    with st.container(border=True, gap="small", key="nothing_yet"):
        if house.mart is None:
            st.header("Preparing the figures", anchor=False)
            st.write(
                "Encore is reading the order database for the first time. This page opens by itself when it is done."
            )
            _look_again()
        else:
            st.header("No orders yet", anchor=False)
            st.write(
                "Import your shop's export (Shopify, WooCommerce, any CSV or a database) "
                "and this page fills itself. Nothing leaves this computer."
            )
            if st.button("Import orders", type="primary", icon=":material/upload:", key="go_import"):
                st.switch_page(IMPORTS)
    st.stop()
    raise AssertionError("st.stop ends the script")


@st.fragment(run_every=2.0)
def _look_again() -> None:
    if open_house().mart is not None:
        st.rerun()
    st.progress(0, text="Waiting for the first refresh …")


def show_error(error: BaseException) -> bool:
    """Show what went wrong: Encore's own words where it has some, else an id that the log knows.

    Returns:
        True: nothing more need be shown.
    """
    if isinstance(error, EncoreError):
        st.error(str(error), icon=":material/error:")
        return True
    number = secrets.token_hex(4)
    log.error("Error %s on a page", number, exc_info=error)
    st.error(
        f"Something went wrong here; the rest of Encore still works. The log of this computer has it as **{number}**.",
        icon=":material/error:",
    )
    return True


def freshness(house: House) -> str:
    """``Orders up to 14:20 today, refreshed 3 minutes ago``."""
    if house.mart is None:
        return "Not refreshed yet"
    about = house.mart.about
    today = house.store.today()
    refreshed = f"refreshed {ago(about.refreshed_at, now())}"
    if about.fresh_to_at is None:
        return f"No orders yet, {refreshed}"
    return f"Orders up to {clock(about.fresh_to_at, house.store.zone, today)}, {refreshed}"
