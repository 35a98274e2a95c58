"""Three stores to draw pages of: the demo store, one without orders, and one with a single order."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

import lib.settings
from lib.db.engine import order_database, writing
from lib.db.migrate import migrate
from lib.db.store import Store, write_store
from lib.db.tables.columns import now
from lib.db.tables.customers import customers
from lib.db.tables.orders import order_items, orders
from lib.demo.build import make_demo
from lib.jobs.refresh import refresh
from lib.settings import ROOT, Settings, read_settings
from lib.staff import LOCAL, Staff
from lib.ui.visit import Kind, Visitor
from lib.workflows.sessions import Signed

SHELL = str(ROOT / "lib" / "ui" / "shell.py")
Open = Callable[..., AppTest]
SitDown = Callable[[Staff], None]


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Settings]:
    """The three stores, each built once and only read."""
    made = {name: _settings(tmp_path_factory.mktemp(name)) for name in ("demo", "empty", "single")}
    make_demo(made["demo"], orders=3000, seed=7, replace=False, progress=None)
    for name in ("empty", "single"):
        engine = order_database(made[name])
        migrate(engine)
        with writing(engine) as connection:
            write_store(connection, Store("Corner shop", "Europe/Berlin", "EUR", "DE", ("en",), False))
    _one_order(made["single"])
    for each in made.values():
        refresh(each)
    return made


def _settings(folder: Path) -> Settings:
    return read_settings({"ENCORE_DATA_DIR": str(folder / "data")})


def _one_order(settings: Settings) -> None:
    at = now() - timedelta(days=2)
    told = {"source": "test", "fingerprint": "x"}
    order = {
        **told,
        "external_id": "1",
        "order_id": 1,
        "customer_id": 1,
        "number": "#1",
        "placed_at": at,
        "payment_status": "paid",
        "channel": "web",
        "country": "DE",
        "currency": "EUR",
        "original_currency": "EUR",
        "original_total_minor": 2500,
        "gross_minor": 2500,
        "total_minor": 2500,
    }
    item = {
        "order_id": 1,
        "line_number": 1,
        "name": "Mug <b>*bold*</b>",
        "quantity": 1,
        "currency": "EUR",
        "unit_price_minor": 2500,
        "gross_minor": 2500,
    }
    with writing(order_database(settings)) as connection:
        connection.execute(insert(customers).values(**told, external_id="1", customer_id=1, name="Ann"))
        connection.execute(insert(orders).values(**order))
        connection.execute(insert(order_items).values(**item))


@pytest.fixture
def open_page(stores: dict[str, Settings], monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a page of one of the stores, with what the URL says; the page has run once."""

    def opened(store: str | Path, page: str = "", **url: str) -> AppTest:
        folder = store if isinstance(store, Path) else stores[store].data_dir
        monkeypatch.setitem(os.environ, "ENCORE_DATA_DIR", str(folder))
        lib.settings.settings.cache_clear()
        st.cache_data.clear()
        at = AppTest.from_file(SHELL, default_timeout=60)
        for name, value in url.items():
            at.query_params[name] = value
        at.run()
        if page:
            at.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
        return at

    yield opened
    st.cache_data.clear()


@pytest.fixture
def sit_down(monkeypatch: pytest.MonkeyPatch) -> SitDown:
    """Have somebody sit at the pages of this test, whoever else works in the store; signing in is tested apart."""

    def seated(staff: Staff) -> None:
        signed = Signed(session_id=1, staff=staff, mark="test", seen_at=now()) if staff is not LOCAL else None
        found = Visitor(Kind.LOCAL if signed is None else Kind.STAFF, "test", signed)
        monkeypatch.setattr("lib.ui.visit.visitor", lambda *_args, **_kept: found)

    return seated
