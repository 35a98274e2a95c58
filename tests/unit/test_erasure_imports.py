"""What is imported again of an erased person comes without anything personal, and moves no figure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from lib.db.engine import reading, writing
from lib.db.erase import erase
from lib.db.person import find_by_email
from lib.db.service import customer_wrote
from lib.db.signs import ERASED
from lib.db.store import Store
from lib.db.tables.customers import customers
from lib.db.tables.mail import received_mails
from lib.db.tables.orders import orders, refunds
from lib.db.tables.reviews import review_replies, reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.store import rejected_rows
from lib.db.tables.tickets import ticket_messages, tickets
from lib.importers.load import load
from lib.importers.load_mail import take_in
from lib.importers.mail_message import MailRecord
from lib.importers.records import (
    AddressRecord,
    CustomerRecord,
    ItemRecord,
    MessageRecord,
    OrderRecord,
    Record,
    RefundItemRecord,
    RefundRecord,
    Rejected,
    ReplyRecord,
    ReviewRecord,
    ShipmentEventRecord,
    ShipmentRecord,
    TicketRecord,
)
from lib.importers.report import ImportReport
from lib.importers.runs import start
from lib.settings import Settings
from tests.one_person import CITY, EMAIL, NAME, PHONE, SHOP_KEY, STREET, WORDS, named, texts

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(days=60)
HER = CustomerRecord(
    SHOP_KEY,
    EMAIL.upper(),
    NAME,
    phone=PHONE,
    city=CITY,
    note=WORDS,
    addresses=(AddressRecord("shipping", name=NAME, street=STREET, city=CITY),),
)
PARCEL = ShipmentRecord(
    "p1",
    "1",
    status="in_transit",
    tracking_number=f"JJD-{WORDS}",
    shipped_at=AT,
    events=(ShipmentEventRecord(AT, "in_transit", f"Left with {NAME}", CITY),),
)
ORDER = OrderRecord(
    "1",
    "#1",
    AT,
    "EUR",
    1_000,
    1_000,
    customer=HER,
    city=CITY,
    region=CITY,
    tags=WORDS,
    note=f"For {NAME}",
    items=(ItemRecord("Tea", 1, 1_000, 1_000, sku="T"),),
    refunds=(RefundRecord("w1", AT, "EUR", 100, 100, reason=WORDS, items=(RefundItemRecord("Tea", 0, 100, sku="T"),)),),
    shipments=(PARCEL,),
)
ALONE = ShipmentRecord("p2", "1", tracking_number=f"JJE-{WORDS}")
MATCHED = RefundRecord(
    "m1",
    AT + timedelta(days=2),
    "EUR",
    300,
    300,
    customer=HER,
    match_purchase=True,
    reason=WORDS,
    items=(RefundItemRecord("Tea", 1, 300, sku="T", unit_price_minor=1_000),),
)
REVIEW = ReviewRecord(
    "v1", 2, AT, WORDS, f"{WORDS} was cold", "en", NAME, HER, "1", reply=ReplyRecord(f"Dear {NAME}", AT)
)
NAMELESS = ReviewRecord("v2", 4, AT, WORDS, f"{WORDS} again", "en", NAME, order_id="1")
TICKET = TicketRecord(
    "t1",
    AT,
    "email",
    "open",
    subject=WORDS,
    tags=WORDS,
    customer=HER,
    messages=(
        MessageRecord("customer", AT, f"{WORDS}? {NAME}", external_id=f"mail of {EMAIL}"),
        MessageRecord("staff", AT + timedelta(hours=1), f"Dear {NAME}"),
    ),
)
FIRST: tuple[Record, ...] = (HER, ORDER, ALONE, MATCHED, REVIEW, NAMELESS, TICKET)
CHANGED: tuple[Record, ...] = (
    replace(HER, tags="vip"),
    replace(ORDER, fulfillment_status="fulfilled", shipments=(replace(PARCEL, carrier="DHL"),)),
    replace(ALONE, carrier="DHL"),
    replace(MATCHED, reason=f"{WORDS} twice"),
    replace(REVIEW, body=f"{WORDS} was very cold"),
    replace(NAMELESS, body=f"{WORDS} once more"),
    replace(TICKET, status="closed", closed_at=AT + timedelta(days=1)),
)
COUNTED = (customers, orders, refunds, shipments, reviews, review_replies, tickets, ticket_messages)


class Shop:
    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings

    def load(self, records: Sequence[Record | Rejected]) -> ImportReport:
        run = start(self.engine, "shop", ["test"])
        return load(self.engine, "shop", iter(records), run=run, settings=self.settings)

    def owners(self) -> dict[str, list[Any]]:
        """Whose every order, refund, review and ticket is, and how many rows each table has."""
        with reading(self.engine) as connection:
            found: dict[str, list[Any]] = {
                table.name: list(
                    connection.execute(select(table.c.external_id, table.c.customer_id).order_by(table.c.external_id))
                )
                for table in (orders, refunds, reviews, tickets)
            }
            found["counts"] = [connection.scalar(select(func.count()).select_from(table)) for table in COUNTED]
            money = select(func.sum(orders.c.total_minor), func.sum(refunds.c.total_minor)).join(refunds, full=True)
            return {**found, "money": list(connection.execute(money))}

    def named(self) -> list[tuple[str, str]]:
        with reading(self.engine) as connection:
            return [(where, what) for where, what in texts(connection) if named(what)]


@pytest.fixture
def shop(database: Engine, store: Store, settings: Settings) -> Shop:
    made = Shop(database, settings)
    report = made.load(FIRST)
    assert (report.stored, report.rejected, report.forgotten) == (7, 0, 0)
    with writing(database) as connection:
        person = find_by_email(connection, EMAIL)
        assert person is not None
        erase(connection, person, at=LATER)
    return made


def test_the_same_export_again_changes_nothing(shop: Shop) -> None:
    before = shop.owners()
    shop.load(FIRST)
    assert shop.named() == []
    assert shop.owners() == before


def test_a_changed_export_brings_nothing_personal_and_stays_with_the_emptied_customer(shop: Shop) -> None:
    before = shop.owners()
    report = shop.load(CHANGED)
    assert shop.named() == []
    assert shop.owners() == before
    assert report.rejected == 0
    assert report.forgotten == 7
    with reading(shop.engine) as connection:
        assert connection.scalar(select(orders.c.fulfillment_status)) == "fulfilled"
        assert connection.scalar(select(tickets.c.status)) == "closed"
        assert set(connection.scalars(select(shipments.c.carrier))) == {"DHL"}
        assert set(connection.scalars(select(ticket_messages.c.body))) == {ERASED}
        assert connection.scalars(select(review_replies.c.body)).all() == [ERASED]
    # And once more: it is unchanged then.
    assert shop.load(CHANGED[1:]).stored == 0


def test_what_she_buys_and_writes_anew_is_an_unknown_customers(shop: Shop) -> None:
    report = shop.load(
        [
            replace(ORDER, external_id="9", number="#9", refunds=(), shipments=()),
            replace(REVIEW, external_id="v9", order_id=None),
            replace(TICKET, external_id="t9"),
            replace(MATCHED, external_id="m9", match_purchase=False, order_id=None),
        ]
    )
    assert (report.stored, report.forgotten) == (4, 4)
    assert shop.named() == []
    owners = shop.owners()
    assert [owner for key, owner in (*owners["orders"], *owners["reviews"], *owners["tickets"]) if "9" in key] == [
        None,
        None,
        None,
    ]
    with reading(shop.engine) as connection:
        assert connection.scalar(select(reviews.c.rating).where(reviews.c.external_id == "v9")) == 2


def test_a_row_put_aside_keeps_no_word_of_her(shop: Shop) -> None:
    aside = [
        Rejected("order", "o.csv", 7, f"{EMAIL} has no amount", f"#7,{EMAIL},{NAME}", "Name,Email,Billing Name", "7"),
        Rejected("refund", "r.csv", 8, "no amount", f"{SHOP_KEY};{WORDS}", "", "8"),
        Rejected("order", "o.csv", 9, "no amount", "#9,ben@example.org,Ben", "", "9"),
    ]
    for _ in range(2):
        shop.load(aside)
        assert shop.named() == []
    with reading(shop.engine) as connection:
        found = connection.execute(select(rejected_rows.c.line, rejected_rows.c.text).order_by(rejected_rows.c.line))
        assert [tuple(row) for row in found] == [(7, ERASED), (8, ERASED), (9, "#9,ben@example.org,Ben")]


@pytest.mark.parametrize(("days", "begun"), [(-1, 0), (1, 1)])
def test_an_old_mail_of_hers_is_no_ticket_and_a_new_one_is(shop: Shop, tmp_path: Path, days: int, begun: int) -> None:
    mail = MailRecord(
        fingerprint="1" * 64,
        mail_id="first@example.com",
        from_name="A person",
        from_email=EMAIL,
        subject="Where is it?",
        sent_at=LATER + timedelta(days=days),
        answers=(),
        ticket_ids=(),
        body="Hello",
        quoted="",
        files=(),
        automatic=None,
        bounce=None,
        is_own=False,
        is_disowned=False,
        doubts=(),
    )
    with writing(shop.engine) as connection:
        taken = take_in(connection, mail, data_dir=tmp_path, customer_wrote=customer_wrote)
    assert taken.outcome == ("ticket" if begun else "refused")
    with reading(shop.engine) as connection:
        new = connection.execute(select(tickets.c.customer_id).where(tickets.c.source == "mail")).all()
        assert [tuple(row) for row in new] == [(None,)] * begun
        hashes = connection.scalars(select(received_mails.c.sender_hash)).all()
        assert [each is None for each in hashes] == [not begun]
