"""What the frame around every page knows: whose store it is, how fresh the figures are, what is missing."""

from dataclasses import dataclass
from datetime import date

import streamlit as st
from sqlalchemy.exc import OperationalError, ProgrammingError

from lib.db.engine import order_database, reading
from lib.db.store import Store, read_store
from lib.errors import DatabaseUnavailable, MartUnavailable
from lib.jobs.snapshot import newest
from lib.metrics.definition import Mart
from lib.queues.rejected import Missing, missing
from lib.settings import settings


@dataclass(frozen=True, slots=True)
class House:
    """The store and its newest figures; ``mart`` is null until the first refresh is through."""

    store: Store
    mart: Mart | None

    @property
    def currency(self) -> str:
        return (str(self.mart.about.currency) if self.mart else "") or self.store.currency

    @property
    def is_empty(self) -> bool:
        return self.mart is None or not self.mart.about.orders


@st.cache_data(ttl=15, max_entries=4, show_spinner=False)
def _store(url: str) -> Store:
    here = settings()
    try:
        with reading(order_database(here)) as connection:
            return read_store(connection, here)
    except (OperationalError, ProgrammingError) as error:
        raise DatabaseUnavailable(
            "The order database cannot be read. Type `make run` in Encore's folder: it prepares or updates it. "
            "With a PostgreSQL of your own, check ENCORE_DATABASE_URL."
        ) from error


def open_house() -> House:
    """The store and the newest snapshot.

    Raises:
        DatabaseUnavailable: the order database cannot be read.
    """
    here = settings()
    store = _store(here.database_url)
    try:
        return House(store, newest(here))
    except MartUnavailable:
        return House(store, None)


@st.cache_data(ttl=15, max_entries=50, show_spinner=False)
def missing_orders(url: str, start: date, end: date) -> Missing:
    """What imports could not take of these days."""
    with reading(order_database(settings())) as connection:
        return missing(connection, start, end)
