"""The loader: importing twice is importing once, nothing is lost, nothing is doubled."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from lib.db.engine import reading, writing
from lib.db.identities import suppression_hash
from lib.db.store import Store, read_store
from lib.db.tables.customers import addresses, consents, customer_identities, customers, suppressions
from lib.db.tables.offers import offer_assignments, offer_versions, offers
from lib.db.tables.orders import discounts_used, order_items, orders, refund_items, refunds
from lib.db.tables.products import products
from lib.db.tables.reviews import review_replies, reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.store import import_runs, rejected_rows
from lib.db.tables.tickets import ticket_messages, tickets
from lib.errors import ImportRefused, SourceUnavailable
from lib.importers.load import load
from lib.importers.prepared import Prepared
from lib.importers.records import (
    AddressRecord,
    ConsentRecord,
    CouponRecord,
    CustomerRecord,
    DiscountRecord,
    ItemRecord,
    MessageRecord,
    OrderRecord,
    ProductRecord,
    RateRecord,
    Record,
    RefundItemRecord,
    RefundRecord,
    Rejected,
    ReplyRecord,
    ReturnRecord,
    ReviewRecord,
    ShipmentRecord,
    TicketRecord,
)
from lib.importers.report import ImportReport
from lib.importers.runs import start
from lib.settings import ROOT, Settings

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)


def item(name: str = "Soap", quantity: int = 2, price: int = 500, **more: Any) -> ItemRecord:
    return ItemRecord(name, quantity, price, price * quantity, sku=more.pop("sku", name.upper()), **more)


def order(key: str = "1", *items: ItemRecord, email: str | None = "ann@example.com", **more: Any) -> OrderRecord:
    lines = items or (item(),)
    gross = sum(line.gross_minor for line in lines if line.kind == "goods")
    discount = sum(line.discount_minor for line in lines if line.kind == "goods")
    customer = more.pop("customer", CustomerRecord(email=email, name="Ann") if email else None)
    values: dict[str, Any] = {
        "number": f"#{key}",
        "placed_at": AT,
        "currency": "EUR",
        "gross_minor": gross,
        "discount_minor": discount,
        "total_minor": gross - discount,
        "customer": customer,
        "items": lines,
    }
    return OrderRecord(key, **{**values, **more})


def refund(key: str = "r1", goods: int = 500, **more: Any) -> RefundRecord:
    values: dict[str, Any] = {"refunded_at": AT + timedelta(days=3), "currency": "EUR", "total_minor": goods}
    return RefundRecord(key, goods_minor=goods, **{**values, **more})


class Shop:
    """An order database of the test's own, to load into and to look at."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings

    def load(self, *records: Record | Rejected, source: str = "shopify", batch: int = 100) -> ImportReport:
        return self.load_all(iter(records), source=source, batch=batch)

    def load_all(
        self, records: Iterator[Record | Rejected | Prepared], *, source: str = "shopify", batch: int = 100
    ) -> ImportReport:
        run = start(self.engine, source, ["test"])
        return load(self.engine, source, records, run=run, settings=self.settings, batch=batch)

    def rows(self, table: Any, *columns: str) -> list[tuple[Any, ...]]:
        (key,) = table.primary_key.columns
        chosen = [table.c[name] for name in columns] if columns else list(table.c)
        with reading(self.engine) as connection:
            return [tuple(row) for row in connection.execute(select(*chosen).order_by(key))]

    def count(self, table: Any) -> int:
        with reading(self.engine) as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def image(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that a shop's records become."""
        every = (
            customers, customer_identities, addresses, consents, products, orders, order_items, discounts_used,
            refunds, refund_items, shipments, reviews, review_replies, tickets, ticket_messages,
        )  # fmt: skip
        return {table.name: self.rows(table) for table in every}


@pytest.fixture
def shop(database: Engine, settings: Settings, store: Store) -> Shop:
    return Shop(database, settings)


def full_order(key: str = "1") -> OrderRecord:
    shipping = item("Standard", 1, 490, kind="shipping", sku=None)
    return order(
        key,
        replace(item("Soap", 3, 400), discount_minor=120, tax_minor=205),
        item("Oil", 1, 900),
        shipping,
        shipping_minor=490,
        tax_minor=475,
        total_minor=2100 - 120 + 490 + 475,
        discounts=(DiscountRecord("TEN", 120),),
        customer=CustomerRecord(
            "c1",
            "Ann@Example.com",
            "Ann",
            addresses=(AddressRecord("billing", "Ann", "Street 1", "Berlin", country="DE"),),
            consents=(ConsentRecord("email", "given", AT),),
        ),
        refunds=(refund(f"{key}:r", 400, items=(RefundItemRecord("Soap", 1, 400, sku="SOAP"),)),),
        shipments=(ShipmentRecord(f"{key}:s", key, "in_transit", shipped_at=AT + timedelta(days=1)),),
    )


def everything() -> list[Record]:
    return [
        ProductRecord("p1", "Soap", "soap", "SOAP", category="Bath", currency="EUR", cost_minor=100),
        CustomerRecord("c9", "bob@example.com", "Bob", tags="vip"),
        full_order("1"),
        full_order("2"),
        refund("r9", 400, order_id="2", items=(RefundItemRecord("Soap", 1, 400, sku="SOAP"),)),
        ShipmentRecord("s9", "2", "delivered", delivered_at=AT + timedelta(days=4)),
        ReturnRecord("t1", "2", AT + timedelta(days=5), "EUR", refund_minor=400),
        ReviewRecord("v1", 5, AT, body="Good", product_handle="soap", order_id="#1", reply=ReplyRecord("Thanks")),
        TicketRecord(
            "k1",
            AT,
            order_id="#2",
            messages=(
                MessageRecord("customer", AT, "Where is it?"),
                MessageRecord("automatic", AT + timedelta(seconds=5), "We got it"),
                MessageRecord("staff", AT + timedelta(hours=1), "Here"),
            ),
        ),
        CouponRecord("d1", "TEN", "percent", Decimal(10), AT),
    ]


def test_importing_twice_is_importing_once(shop: Shop) -> None:
    first = shop.load(*everything())
    image = shop.image()
    second = shop.load(*everything())
    assert (first.read, first.stored, first.unchanged, first.rejected) == (10, 10, 0, 0)
    assert (second.read, second.stored, second.unchanged, second.rejected) == (10, 0, 10, 0)
    assert shop.image() == image


def test_the_size_of_a_batch_changes_nothing(shop: Shop) -> None:
    shop.load(*everything(), batch=1)
    assert shop.load(*everything(), batch=3).unchanged == 10


def test_everything_of_an_order_is_stored_and_connected(shop: Shop) -> None:
    shop.load(*everything())
    assert shop.rows(orders, "number", "gross_minor", "discount_minor", "shipping_minor", "total_minor") == [
        ("#1", 2100, 120, 490, 2945),
        ("#2", 2100, 120, 490, 2945),
    ]
    assert shop.rows(order_items, "line_number", "name", "kind", "quantity", "cost_minor")[:3] == [
        (1, "Soap", "goods", 3, 300),
        (2, "Oil", "goods", 1, None),
        (3, "Standard", "shipping", 1, None),
    ]
    assert shop.rows(products, "external_id", "name", "category") == [("p1", "Soap", "Bath"), ("sku:OIL", "Oil", None)]
    assert shop.rows(customers, "email", "name", "email_normalised") == [
        ("bob@example.com", "Bob", "bob@example.com"),
        ("Ann@Example.com", "Ann", "ann@example.com"),
    ]
    assert [
        row[1:] for row in shop.rows(refund_items, "refund_item_id", "order_id", "order_item_id", "goods_minor")
    ] == [
        (1, 1, 400),
        (2, 4, 400),
        (2, 4, 400),
    ]
    assert shop.rows(reviews, "product_id", "order_id", "customer_id") == [(1, 1, 2)]
    assert shop.rows(tickets, "order_id", "customer_id", "first_response_at") == [(2, 2, AT + timedelta(hours=1))]


def test_an_overlapping_export_updates_what_changed_and_nothing_else(shop: Shop) -> None:
    shop.load(order("1"), order("2"))
    before = {row[0]: row for row in shop.rows(orders, "external_id", "order_id", "updated_at")}
    report = shop.load(order("1"), order("2", item(), item("Oil", 1, 900)), order("3"))
    after = {row[0]: row for row in shop.rows(orders, "external_id", "order_id", "updated_at")}
    assert (report.stored, report.unchanged) == (2, 1)
    assert after["1"] == before["1"]
    assert after["2"][1] == before["2"][1]
    assert after["2"][2] > before["2"][2]
    assert [row[0] for row in shop.rows(order_items, "name")] == ["Soap", "Soap", "Oil", "Soap"]


def test_a_line_keeps_its_key_when_others_come_and_go(shop: Shop) -> None:
    shop.load(order("1", item("A"), item("B"), item("C")))
    keys = dict(shop.rows(order_items, "name", "order_item_id"))
    shop.load(order("1", item("New"), item("C", 5), item("A")))
    after = dict(shop.rows(order_items, "name", "order_item_id"))
    assert {"A": keys["A"], "C": keys["C"]}.items() <= after.items()
    assert set(after) == {"New", "C", "A"}
    assert dict(shop.rows(order_items, "name", "quantity"))["C"] == 5


def test_refunds_parcels_and_discounts_that_an_order_no_longer_has_are_gone(shop: Shop) -> None:
    shop.load(full_order())
    shop.load(replace(full_order(), refunds=(), shipments=(), discounts=()))
    assert [shop.count(table) for table in (refunds, refund_items, shipments, discounts_used)] == [0, 0, 0, 0]


def test_refunds_that_a_poorer_export_says_nothing_of_stay(shop: Shop) -> None:
    shop.load(full_order())
    shop.load(replace(full_order(), refunds=(), says_refunds=False, note="older export"))
    assert shop.count(refunds) == len(full_order().refunds) > 0


def test_a_bare_amount_that_is_all_of_its_order_gives_back_its_parts(shop: Shop) -> None:
    shop.load(order("1", item("A", 2, 500), shipping_minor=490, tax_minor=190, total_minor=1680))
    shop.load(refund("r1", 1680, order_id="1"), refund("r2", 700, order_id="1"))
    parts = shop.rows(refunds, "external_id", "goods_minor", "shipping_minor", "tax_minor")
    assert parts == [("r1", 1000, 490, 190), ("r2", 700, 0, 0)]


def test_a_refund_read_by_itself_survives_a_change_of_its_order(shop: Shop) -> None:
    shop.load(order("1"), refund("r1", 500, order_id="1"))
    shop.load(order("1", note="gift"))
    assert shop.rows(refunds, "external_id", "goods_minor") == [("r1", 500)]


def test_an_estimated_mention_of_a_refund_never_overwrites_the_refund_itself(shop: Shop) -> None:
    mention = refund("r1", 500, is_date_estimated=True, refunded_at=AT)
    known = refund("r1", 500, order_id="1", refunded_at=AT + timedelta(days=9))
    shop.load(order("1", refunds=(mention,)), known)
    shop.load(order("1", refunds=(mention,), note="changed"))
    assert shop.rows(refunds, "refunded_at", "is_date_estimated") == [(AT + timedelta(days=9), False)]


def test_two_records_of_one_key_are_one_thing_and_the_later_stays(shop: Shop) -> None:
    report = shop.load(order("1"), order("1", note="later"), order("1", note="later"))
    assert (report.stored, report.unchanged) == (2, 1)
    assert shop.rows(orders, "note") == [("later",)]


# What cannot be trusted


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (order(total_minor=1), "do not add up"),
        (order(gross_minor=999, total_minor=999), "lines add up to"),
        (order("1", replace(item(), quantity=0)), "quantity of 'Soap' is 0"),
        (order(currency="XXY"), "no currency"),
        (order(placed_at=datetime(1970, 1, 1, tzinfo=UTC)), "before 1990"),
        (order(placed_at=datetime(2999, 1, 1, tzinfo=UTC)), "in the future"),
        (order(currency="USD"), "No rate for USD on 2025-03-01: import rates with `python -m lib import rates FILE`."),
        (order(""), "no key"),
        (order("x" * 401), "longer than"),
        (order(payment_status="odd"), "unknown"),
        (order(refunds=(refund(goods=5, total_minor=6),)), "refund does not add up"),
        (order(shipments=(ShipmentRecord("s", "1", "delivered"),)), "nobody says when"),
        (refund(order_id="404"), "order 404 of this refund is not stored"),
        (ShipmentRecord("s", "404"), "order 404 of this parcel is not stored"),
        (ReviewRecord("v", 6, AT), "1 to 5 stars"),
        (CustomerRecord(name="Nobody"), "neither a key nor a valid e-mail"),
        (RateRecord("USD", "EUR", date(2025, 1, 1), Decimal(-1)), "cannot be right"),
    ],
)
def test_a_record_that_cannot_be_trusted_is_put_aside_and_stops_no_other(
    shop: Shop, record: Record, reason: str
) -> None:
    report = shop.load(order("before"), record, order("after"))
    assert (report.read, report.stored, report.rejected) == (3, 2, 1)
    assert {row[0] for row in shop.rows(orders, "external_id")} == {"before", "after"}
    ((kept, status),) = shop.rows(rejected_rows, "reason", "status")
    assert reason in kept
    assert status == "open"


def test_what_the_database_refuses_is_isolated_and_the_rest_is_stored(shop: Shop) -> None:
    surrogate = order("worse", note="half \ud800 a pair")
    report = shop.load(*(order(str(n)) for n in range(9)), surrogate, *(order(str(n)) for n in range(9, 20)))
    assert (report.read, report.stored, report.rejected) == (21, 20, 1)
    assert "The database refuses it" in shop.rows(rejected_rows, "reason")[0][0]


def test_the_same_bad_file_twice_does_not_double_its_rejected_rows(shop: Shop) -> None:
    bad = Rejected("order", "a.csv", 7, "no total", "1,,", "a,b,c", "1")
    shop.load(bad, order("2", total_minor=5))
    shop.load(bad, order("2", total_minor=5))
    assert shop.count(rejected_rows) == 2


def test_a_rejected_row_whose_record_is_stored_later_becomes_resolved(shop: Shop) -> None:
    shop.load(order("1", total_minor=5), order("2", total_minor=5))
    shop.load(order("1"))
    assert shop.rows(rejected_rows, "external_id", "status") == [("1", "resolved"), ("2", "open")]
    shop.load(order("1", total_minor=5))
    assert shop.rows(rejected_rows, "external_id", "status") == [("1", "open"), ("2", "open")]


def test_a_refund_without_its_order_is_stored_once_the_order_is_there(shop: Shop) -> None:
    early = refund(order_id="1")
    assert shop.load(early).rejected == 1
    assert shop.load(order("1"), early).rejected == 0
    assert shop.rows(refunds, "order_id") == [(1,)]
    assert shop.rows(rejected_rows, "status") == [("resolved",)]


# Runs


def failing(records: Iterable[Record], error: Exception) -> Iterator[Record]:
    yield from records
    raise error


def test_a_file_that_breaks_midway_keeps_its_whole_batches_and_says_so(shop: Shop) -> None:
    with pytest.raises(SourceUnavailable, match="What was read before it is stored"):
        shop.load_all(failing([order(str(n)) for n in range(5)], SourceUnavailable("It is damaged.")), batch=2)
    assert shop.count(orders) == 4
    assert shop.rows(import_runs, "status", "read_count", "stored_count") == [("interrupted", 4, 4)]


def test_a_reader_that_refuses_at_once_leaves_a_refused_run_and_nothing_else(shop: Shop) -> None:
    with pytest.raises(ImportRefused, match=r"^Wrong file\.$"):
        shop.load_all(failing([], ImportRefused("Wrong file.")))
    assert shop.rows(import_runs, "status", "read_count") == [("refused", 0)]


def test_a_bug_in_a_reader_ends_the_run_as_interrupted(shop: Shop) -> None:
    with pytest.raises(ZeroDivisionError):
        shop.load_all(failing([order()], ZeroDivisionError()), batch=1)
    assert shop.rows(import_runs, "status", "stored_count") == [("interrupted", 1)]


def test_a_run_whose_process_is_gone_is_marked_by_the_next(shop: Shop) -> None:
    run = start(shop.engine, "shopify", ["a.csv"])
    with writing(shop.engine) as connection:
        connection.execute(
            import_runs.update()
            .where(import_runs.c.import_run_id == run.run_id)
            .values(counts={}, heartbeat_at=AT, updated_at=AT)
        )
    shop.load(order())
    assert [row[0] for row in shop.rows(import_runs, "status")] == ["interrupted", "finished"]


KILLED = """
import sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
sys.path.insert(0, {root!r})
from lib.db.engine import open_engine
from lib.importers.load import load
from lib.importers.prepared import Prepared
from lib.importers.runs import start
from lib.settings import read_settings
from tests.unit.test_load import order

def slowly():
    for number in range(400):
        if number == 250:
            Path({flag!r}).touch()
        if number > 250:
            time.sleep(0.02)
        yield order(str(number), email=f"person{{number % 50}}@example.com")

settings = read_settings({{"ENCORE_DATABASE_URL": {url!r}, "ENCORE_STORE_CURRENCY": "EUR"}})
engine = open_engine(settings.database_url)
load(engine, "shopify", slowly(), run=start(engine, "shopify", ["killed"]), settings=settings, batch=40)
"""


def test_a_killed_import_leaves_whole_batches_and_the_next_completes_it(
    shop: Shop, database_url: str, tmp_path: Path
) -> None:
    flag = tmp_path / "running"
    code = KILLED.format(root=str(ROOT), flag=str(flag), url=database_url)
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    deadline = time.monotonic() + 90
    while not flag.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.4)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    stored = shop.count(orders)
    assert 0 < stored < 400
    assert stored % 40 == 0
    assert shop.rows(import_runs, "status", "read_count", "stored_count") == [("running", stored, stored)]
    again = [order(str(n), email=f"person{n % 50}@example.com") for n in range(400)]
    report = shop.load(*again)
    assert (report.stored, report.unchanged) == (400 - stored, stored)
    assert [shop.count(table) for table in (orders, order_items, customers)] == [400, 400, 50]
    assert [row[0] for row in shop.rows(import_runs, "status")] == ["interrupted", "finished"]


def test_two_imports_at_once_store_everything_once(shop: Shop, tmp_path: Path, database_url: str) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from lib.db.engine import open_engine
from lib.importers.load import load
from lib.importers.prepared import Prepared
from lib.importers.runs import start
from lib.settings import read_settings
from tests.unit.test_load import order
settings = read_settings({{"ENCORE_DATABASE_URL": {database_url!r}, "ENCORE_STORE_CURRENCY": "EUR"}})
engine = open_engine(settings.database_url)
records = (order(f"{{n}}", email=f"person{{n % 20}}@example.com") for n in range(200))
report = load(engine, "shopify", records, run=start(engine, "shopify", ["x"]), settings=settings, batch=10)
assert report.rejected == 0, report.reasons
"""
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert [shop.count(table) for table in (orders, order_items, customers, products)] == [200, 200, 20, 1]
    runs = shop.rows(import_runs, "status", "read_count", "stored_count", "unchanged_count")
    assert [run[:2] for run in runs] == [("finished", 200)] * 2
    assert sum(run[2] for run in runs) == 200


# Money of another currency


def test_another_currency_is_converted_at_the_rate_of_the_orders_day_and_still_adds_up(shop: Shop) -> None:
    rates = [
        RateRecord("USD", "EUR", date(2025, 1, 1), Decimal("0.9")),
        RateRecord("USD", "EUR", date(2025, 3, 1), Decimal("0.9137")),
        RateRecord("USD", "EUR", date(2025, 3, 2), Decimal("0.5")),
    ]
    lines = [replace(item(f"I{n}", 1, 333), discount_minor=11) for n in range(7)]
    shop.load(*rates, order("1", *lines, currency="USD", shipping_minor=101, total_minor=7 * 322 + 101))
    (row,) = shop.rows(
        orders, "currency", "original_currency", "original_total_minor", "gross_minor", "discount_minor",
        "shipping_minor", "total_minor", "exchange_rate",
    )  # fmt: skip
    assert row[:3] == ("EUR", "USD", 2355)
    assert row[6] == round(2355 * 0.9137) == row[3] - row[4] + row[5]
    assert row[7] == Decimal("0.9137")
    items = shop.rows(order_items, "gross_minor", "discount_minor", "currency")
    assert (sum(r[0] for r in items), sum(r[1] for r in items)) == (row[3], row[4])
    assert {r[2] for r in items} == {"EUR"}


def test_a_refund_is_converted_at_its_orders_rate_so_that_it_undoes_it_exactly(shop: Shop) -> None:
    rates = [RateRecord("USD", "EUR", date(2025, m, 1), Decimal(r)) for m, r in ((1, "0.9"), (3, "0.7"))]
    bought = order("1", placed_at=AT - timedelta(days=20), currency="USD")
    shop.load(*rates, bought, refund("r1", 1000, currency="USD", order_id="1"))
    ((goods, total),) = shop.rows(refunds, "goods_minor", "total_minor")
    assert goods == total == 900 == shop.rows(orders, "total_minor")[0][0]


def test_a_record_refused_for_want_of_a_rate_is_stored_once_the_rate_is_there(shop: Shop) -> None:
    shop.load(order("1", currency="USD"))
    shop.load(RateRecord("USD", "EUR", date(2025, 1, 1), Decimal("0.9")), source="rates")
    assert shop.load(order("1", currency="USD")).stored == 1
    assert shop.rows(rejected_rows, "status") == [("resolved",)]


def test_the_first_order_decides_the_currency_of_a_store_that_has_none(database: Engine, settings: Settings) -> None:
    shop = Shop(database, settings)
    shop.load(order("1", currency="GBP"))
    with reading(database) as connection:
        assert read_store(connection, settings).currency == "GBP"
    assert shop.load(order("2")).rejected == 1


def test_a_setting_that_contradicts_the_stored_currency_refuses_the_import(shop: Shop) -> None:
    shop.load(order("1"))
    other = Shop(shop.engine, replace(shop.settings, store_currency="USD"))
    with pytest.raises(ImportRefused, match="stored orders are in EUR"):
        other.load(order("2"))


# Refunds


def ids(rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [row[0] for row in rows]


def test_a_refund_of_goods_always_has_items_that_add_up_to_it(shop: Shop) -> None:
    two = order("1", item("A", 1, 700), item("B", 2, 150))
    shop.load(
        replace(two, refunds=(refund("whole", 1000),)),
        replace(two, external_id="2", refunds=(refund("part", 300),)),
        replace(two, external_id="3", refunds=(refund("more", 900, items=(RefundItemRecord("A", 1, 700, sku="A"),)),)),
        refund("alone", 50),
    )
    with reading(shop.engine) as connection:
        sums = connection.execute(
            select(refunds.c.external_id, refunds.c.goods_minor, func.sum(refund_items.c.goods_minor), func.count())
            .join_from(refunds, refund_items)
            .group_by(refunds.c.refund_id)
            .order_by(refunds.c.refund_id)
        ).all()
    assert [(name, goods, int(total), count) for name, goods, total, count in sums] == [
        ("whole", 1000, 1000, 2),
        ("part", 300, 300, 1),
        ("more", 900, 900, 2),
        ("alone", 50, 50, 1),
    ]


def cancellation(key: str, quantity: int, day: int, price: int = 500, sku: str = "SOAP") -> RefundRecord:
    return refund(
        key,
        price * quantity,
        refunded_at=AT + timedelta(days=day),
        customer=CustomerRecord("c1"),
        match_purchase=True,
        items=(RefundItemRecord("Soap", quantity, price * quantity, sku=sku, unit_price_minor=price),),
    )


def purchase(key: str, quantity: int, day: int, **more: Any) -> OrderRecord:
    bought = item("Soap", quantity, more.pop("price", 500))
    who = CustomerRecord(more.pop("who", "c1"))
    return order(key, bought, placed_at=AT + timedelta(days=day), customer=who, **more)


def matched(shop: Shop) -> list[str | None]:
    """Per refund item the order it is set against, in the order of the refunds' keys."""
    with reading(shop.engine) as connection:
        return list(
            connection.scalars(
                select(orders.c.external_id)
                .select_from(refunds.join(refund_items).outerjoin(orders, refund_items.c.order_id == orders.c.order_id))
                .order_by(refunds.c.external_id)
            )
        )


def test_a_cancellation_is_set_against_the_latest_earlier_purchase_that_fits(shop: Shop) -> None:
    shop.load(
        purchase("early", 5, 0),
        purchase("late", 5, 2),
        purchase("after", 5, 9),
        purchase("dearer", 5, 3, price=600),
        purchase("other", 5, 3, who="c2"),
        purchase("void", 5, 3, cancelled_at=AT + timedelta(days=4)),
        cancellation("r", 5, 5),
    )
    assert matched(shop) == ["late"]


def test_a_piece_is_refunded_once_within_a_batch_and_across_batches(shop: Shop) -> None:
    bought = [purchase("early", 4, 0), purchase("late", 3, 1)]
    undone = [cancellation("r1", 2, 3), cancellation("r2", 2, 4), cancellation("r3", 2, 5), cancellation("r4", 2, 6)]
    shop.load(*bought, *undone)
    assert matched(shop) == ["late", "early", "early", None]
    shop.load(*bought, *undone, batch=1)
    assert matched(shop) == ["late", "early", "early", None]


def test_matching_across_batches_finds_the_same_as_within_one(shop: Shop) -> None:
    undone = [cancellation(f"r{n}", 2, 3 + n) for n in range(4)]
    shop.load(purchase("early", 4, 0), purchase("late", 3, 1), *undone, batch=1)
    assert matched(shop) == ["late", "early", "early", None]


def test_a_cancellation_by_nobody_or_of_more_than_was_bought_stays_unmatched(shop: Shop) -> None:
    unknown = replace(cancellation("r1", 1, 5), customer=None)
    shop.load(purchase("a", 2, 0), unknown, cancellation("r2", 3, 5))
    assert matched(shop) == [None, None]


def test_a_cancellation_that_came_first_is_set_against_its_purchase_later(shop: Shop) -> None:
    shop.load(cancellation("r1", 2, 5), cancellation("r2", 2, 6))
    assert matched(shop) == [None, None]
    shop.load(purchase("after", 9, 7), purchase("dearer", 9, 1, price=600), purchase("other", 9, 1, who="c2"))
    assert matched(shop) == [None, None]
    shop.load(purchase("a", 3, 0))
    assert matched(shop) == ["a", None]
    shop.load(purchase("b", 2, 4))
    assert matched(shop) == ["a", "b"]
    order_keys = {key: order_id for order_id, key in shop.rows(orders, "order_id", "external_id")}
    assert shop.rows(refunds, "order_id") == [(order_keys["a"],), (order_keys["b"],)]
    lines = dict(shop.rows(order_items, "order_id", "order_item_id"))
    assert [row[0] for row in shop.rows(refund_items, "order_item_id")] == [
        lines[order_keys["a"]],
        lines[order_keys["b"]],
    ]


def test_a_cancellation_matched_later_is_unchanged_when_it_comes_again(shop: Shop) -> None:
    shop.load(cancellation("r1", 2, 5))
    shop.load(purchase("a", 3, 0))
    assert shop.load(cancellation("r1", 2, 5)).unchanged == 1
    assert matched(shop) == ["a"]


def test_a_refund_that_looks_for_no_purchase_is_set_against_none_later(shop: Shop) -> None:
    shop.load(replace(cancellation("r1", 2, 5), match_purchase=False))
    shop.load(purchase("a", 3, 0))
    assert matched(shop) == [None]


# People


def test_a_guest_is_known_again_by_the_address_however_it_is_written(shop: Shop) -> None:
    shop.load(order("1", email="Ann@Example.com "), order("2", email="ann@example.COM"), order("3", email=None))
    assert shop.count(customers) == 1
    assert ids(shop.rows(orders, "customer_id")) == [1, 1, None]


def test_a_key_and_an_address_that_turn_out_to_be_one_person_are_merged(shop: Shop) -> None:
    by_key = CustomerRecord(
        "c1",
        name="Ann",
        addresses=(AddressRecord("billing", city="Berlin"),),
        consents=(ConsentRecord("email", "withdrawn", AT),),
    )
    by_address = CustomerRecord(
        email="ann@example.com",
        phone="1",
        addresses=(AddressRecord("billing", city="Bonn"), AddressRecord("shipping", city="Bonn")),
        consents=(ConsentRecord("email", "given", AT), ConsentRecord("sms", "given", AT)),
    )
    shop.load(
        order("1", customer=by_key),
        order("2", customer=by_address, refunds=(refund(),)),
        ReviewRecord("v", 5, AT, customer=by_address),
        TicketRecord("k", AT, customer=by_address),
    )
    assert shop.count(customers) == 2
    before = dict(shop.rows(orders, "external_id", "updated_at"))
    both = CustomerRecord("c1", "ann@example.com", "Ann")
    shop.load(order("3", customer=both))
    assert shop.rows(customers, "customer_id", "name", "email", "phone") == [(1, "Ann", "ann@example.com", "1")]
    for table in (orders, refunds, reviews, tickets):
        assert set(ids(shop.rows(table, "customer_id"))) == {1}, table.name
    after = dict(shop.rows(orders, "external_id", "updated_at"))
    assert after["1"] == before["1"]
    assert after["2"] > before["2"]
    assert sorted(shop.rows(addresses, "kind", "city")) == [("billing", "Berlin"), ("shipping", "Bonn")]
    assert sorted(shop.rows(consents, "channel", "state")) == [("email", "withdrawn"), ("sms", "given")]
    assert sorted(shop.rows(customer_identities, "source", "external_id", "customer_id")) == [
        ("email", "ann@example.com", 1),
        ("shopify", "c1", 1),
    ]


def test_a_merge_within_one_batch_leaves_one_person(shop: Shop) -> None:
    shop.load(
        order("1", customer=CustomerRecord("c1")),
        order("2", customer=CustomerRecord(email="ann@example.com")),
        order("3", customer=CustomerRecord("c1", "ann@example.com")),
    )
    assert shop.count(customers) == 1
    assert len(set(ids(shop.rows(orders, "customer_id")))) == 1


def test_a_customers_export_completes_the_guest_and_is_unchanged_the_second_time(shop: Shop) -> None:
    shop.load(order("1"))
    export = [
        CustomerRecord("c1", "ann@example.com", "Ann Smith", tags="vip"),
        CustomerRecord("c2", "ann@example.com", "Ann's second account"),
    ]
    assert shop.load(*export).stored == 2
    assert shop.rows(customers, "external_id", "name", "tags") == [("c1", "Ann Smith", "vip")]
    assert shop.load(*export).unchanged == 2


def test_an_erased_person_is_not_stored_again(shop: Shop) -> None:
    with writing(shop.engine) as connection:
        connection.execute(
            insert(suppressions).values(email_hash=suppression_hash("email", "ann@example.com"), erased_at=AT)
        )
    report = shop.load(order("1", email="Ann@example.com"), CustomerRecord("c1", "ann@example.com", "Ann"))
    assert (report.stored, report.unchanged) == (1, 1)
    assert shop.count(customers) == shop.count(customer_identities) == 0
    assert shop.rows(orders, "customer_id") == [(None,)]


def test_the_last_word_on_consent_stays_whatever_is_imported_first(shop: Shop) -> None:
    def said(state: str, day: int | None) -> CustomerRecord:
        at = None if day is None else AT + timedelta(days=day)
        return CustomerRecord(email="ann@example.com", consents=(ConsentRecord("email", state, at),))

    shop.load(order("1", customer=said("withdrawn", 5)), order("2", customer=said("given", 1)))
    shop.load(order("3", customer=said("given", None)))
    assert shop.rows(consents, "state", "stated_at") == [("withdrawn", AT + timedelta(days=5))]


def test_the_address_of_the_latest_order_stays_whatever_is_imported_first(shop: Shop) -> None:
    def lives(city: str) -> CustomerRecord:
        return CustomerRecord(email="ann@example.com", addresses=(AddressRecord("shipping", city=city),))

    shop.load(order("2", customer=lives("Bonn"), placed_at=AT + timedelta(days=5)))
    shop.load(order("1", customer=lives("Berlin"), placed_at=AT))
    assert shop.rows(addresses, "city") == [("Bonn",)]
    shop.load(order("3", customer=lives("Köln"), placed_at=AT + timedelta(days=6)))
    assert shop.rows(addresses, "city") == [("Köln",)]


# Products


def test_a_products_export_completes_what_orders_made_and_costs_their_lines(shop: Shop) -> None:
    shop.load(order("1", item("Soap", 3, 500), item("Oil", 1, 900, sku=None)))
    before = shop.rows(orders, "updated_at")
    export = [
        ProductRecord("p1", "Soap", "soap", "SOAP", category="Bath", currency="EUR", cost_minor=120),
        ProductRecord("p2", "Oil", "oil", "OIL-1"),
    ]
    assert shop.load(*export).stored == 2
    assert shop.rows(products, "external_id", "sku", "category") == [("p1", "SOAP", "Bath"), ("p2", "OIL-1", None)]
    assert shop.rows(order_items, "cost_minor") == [(360,), (None,)]
    assert shop.rows(orders, "updated_at") > before
    assert shop.load(*export).unchanged == 2


def test_two_skus_of_one_name_are_two_products(shop: Shop) -> None:
    shop.load(order("1", item("Soap", sku="S-1"), item("Soap", sku="S-2"), item("Soap", sku=None)))
    assert shop.rows(products, "sku") == [("S-1",), ("S-2",)]


# What staff wrote


def test_a_review_of_a_product_by_name_finds_it_though_its_variants_have_longer_ones(shop: Shop) -> None:
    shop.load(ProductRecord("TEA-1", "Tea - Green", parent_name="Tea"))
    shop.load(ReviewRecord("v1", 5, AT, product_name="Tea"), source="yotpo")
    assert shop.rows(reviews, "product_id") == [(1,)]


def test_an_import_leaves_alone_what_staff_set_on_a_review(shop: Shop) -> None:
    shop.load(ReviewRecord("v", 2, AT, body="Meh"))
    with writing(shop.engine) as connection:
        connection.execute(reviews.update().values(snoozed_until=AT, tags="late", version=4))
    shop.load(ReviewRecord("v", 3, AT, body="Better"))
    assert shop.rows(reviews, "rating", "body", "snoozed_until", "tags", "version") == [(3, "Better", AT, "late", 4)]


def test_messages_once_stored_stay_and_new_ones_are_added(shop: Shop) -> None:
    first = MessageRecord("customer", AT, "Hello?")
    shop.load(TicketRecord("k", AT, messages=(first,)))
    shop.load(TicketRecord("k", AT, messages=(first, MessageRecord("staff", AT + timedelta(hours=2), "Hi"))))
    shop.load(TicketRecord("k", AT, status="closed"))
    assert ids(shop.rows(ticket_messages, "body")) == ["Hello?", "Hi"]
    assert shop.rows(tickets, "status") == [("closed",)]


def test_coupons_become_offers_that_run_until_they_expire_and_prove_nothing(shop: Shop) -> None:
    coupons = [
        CouponRecord("d1", "TEN", "percent", Decimal(10), AT, expires_at=AT + timedelta(days=30), used_count=7),
        CouponRecord("d2", "POST", "free_shipping", Decimal(0), AT),
        CouponRecord("", "LOST", "percent", Decimal(5), AT),
    ]
    report = shop.load(*coupons, source="woocommerce")
    assert (report.stored, report.rejected) == (2, 1)
    assert shop.rows(offers, "source", "external_id", "name", "kind", "status", "holdout_share") == [
        ("woocommerce", "d1", "TEN", "coupon", "finished", 0.0),
        ("woocommerce", "d2", "POST", "free_shipping", "running", 0.0),
    ]
    assert shop.count(offer_assignments) == 0
    ended = replace(coupons[1], expires_at=AT + timedelta(days=1))
    again = shop.load(coupons[0], ended, source="woocommerce")
    assert (again.stored, again.unchanged) == (1, 1)
    assert shop.rows(offers, "status", "ends_at") == [
        ("finished", AT + timedelta(days=30)),
        ("finished", AT + timedelta(days=1)),
    ]
    settings = [row[0]["code"] for row in shop.rows(offer_versions, "settings")]
    assert settings == ["TEN", "POST", "POST"]
