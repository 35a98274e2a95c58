"""Orders prepared for the loader: nothing of the record is lost, and it matters not where they were prepared."""

import pickle
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from lib.db.store import Store
from lib.db.tables.columns import now
from lib.db.tables.orders import orders
from lib.db.tables.store import rejected_rows
from lib.importers.aside import read_aside
from lib.importers.batch import Present
from lib.importers.packed import pack, unpack
from lib.importers.prepared import Prepared, Preparing, prepare
from lib.importers.records import CustomerRecord, OrderRecord, Origin, RateRecord, Record, Rejected
from lib.settings import Settings
from tests.unit.test_load import AT, Shop, full_order, order

PRESENT = Present(now())
ORIGIN = Origin("orders.csv", 7, "#1,ann@example.com\n", "Name,Email")


@pytest.fixture
def shop(database: Engine, settings: Settings, store: Store) -> Shop:
    return Shop(database, settings)


SPECIMENS = [
    full_order(),
    replace(full_order(), origin=ORIGIN, note="left at the door", tags="a, b", paid_minor=5),
    order("2", email=None),
    order("3", customer=CustomerRecord("c1", registered_at=AT, is_guest=True)),
    OrderRecord("", "", AT, "EUR", 0, 0),
]


def specimens(_: Any) -> Iterator[Record | Rejected]:
    """A reader of another process."""
    yield from SPECIMENS


@pytest.mark.parametrize("record", SPECIMENS)
def test_what_is_unpacked_equals_what_was_packed(record: OrderRecord) -> None:
    again = unpack(pickle.loads(pickle.dumps(pack(record))))
    assert again == record
    assert again.origin == record.origin


def test_an_order_that_cannot_be_trusted_is_prepared_with_the_reason_and_the_record() -> None:
    bad = replace(order("1"), total_minor=999, origin=ORIGIN)
    made = prepare(bad, PRESENT)
    assert "do not add up" in made.reason
    assert (made.facts, made.fingerprint, made.lines) == ((), "", ())
    assert made.record == bad


def test_texts_are_clipped_and_what_is_blank_is_unknown() -> None:
    made = prepare(replace(order("1"), number="  ", channel=" web ", city="x" * 500, country="germany"), PRESENT)
    channel, country, _, city = made.facts[6:10]
    assert made.facts[0] == "1"
    assert (channel, country, city) == ("web", None, "x" * 400)


def test_another_process_prepares_the_same() -> None:
    there = list(read_aside(Preparing(specimens), []))
    assert [type(each) for each in there] == [Prepared] * len(SPECIMENS)
    # The last has no key, and each says so.
    assert there == [prepare(each, PRESENT) for each in SPECIMENS]
    assert [bool(each.reason) for each in there if isinstance(each, Prepared)] == [False] * 4 + [True]


def test_orders_of_another_currency_are_converted_wherever_they_were_prepared(shop: Shop) -> None:
    rate = RateRecord("USD", "EUR", date(2025, 1, 1), Decimal("0.5"))
    dollars = [replace(order(str(n)), currency="USD") for n in range(3)]
    made = [prepare(record, PRESENT) for record in dollars]
    shop.load(rate, source="rates")
    assert shop.load_all(iter(made)).stored == 3
    assert shop.rows(orders, "currency", "original_currency", "total_minor") == [("EUR", "USD", 500)] * 3
    assert shop.load(*dollars).unchanged == 3


def test_a_prepared_order_that_is_refused_keeps_its_place_and_its_text(shop: Shop) -> None:
    made = [
        prepare(replace(order("1"), total_minor=999, origin=ORIGIN), PRESENT),
        prepare(replace(order("2"), currency="USD", origin=ORIGIN), PRESENT),
    ]
    report = shop.load_all(iter(made))
    assert (report.stored, report.rejected) == (0, 2)
    kept = shop.rows(rejected_rows, "file", "line", "text", "header", "external_id")
    assert kept == [("orders.csv", 7, ORIGIN.text, "Name,Email", key) for key in ("1", "2")]
    assert shop.count(orders) == 0
