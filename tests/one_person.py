"""A person who left traces in every place that Encore has, beside another whom nobody erases."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Table, Text, cast, insert, select

from lib.db import attachments as kept
from lib.db import audit
from lib.db.personal import is_text
from lib.db.tables.all import metadata
from lib.staff import LOCAL

HER, HIM = 1, 2
EMAIL = "anna.zoe@example.org"
NAME = "Anna-Zoë Quirrelmann"
PHONE = "+49 170 5550199"
STREET = "Zimtsternweg 77"
CITY = "Kleinquitschdorf"
SHOP_KEY = "shopkey-880012345"
# In whatever she wrote, and in what others wrote about her.
WORDS = "glockenblumensuppe"
SIGNS = (EMAIL, NAME, "Quirrelmann", PHONE, "5550199", STREET, CITY, SHOP_KEY, WORDS)
FILE = b"the picture of her glockenblumensuppe"


class _Filling:
    def __init__(self, connection: Connection, at: datetime) -> None:
        self.connection, self.at = connection, at

    def add(self, name: str, /, **values: Any) -> int:
        table = metadata.tables[name]
        (key,) = table.primary_key.columns
        if "fingerprint" in table.c and "external_id" in table.c:
            there = self.connection.execute(select(key)).all()
            values = {"source": "shop", "external_id": f"{name}-{len(there)}", "fingerprint": "f", **values}
        for column, value in (("currency", "EUR"), ("original_currency", "EUR"), ("updated_at", self.at)):
            if column in table.c:
                values = {column: value, **values}
        made = self.connection.execute(insert(table).values(**values)).inserted_primary_key
        assert made is not None
        return int(made[0])


def fill(connection: Connection, data_dir: Path, at: datetime) -> None:
    """Write her traces, in the current transaction, and the file that came with her mail."""
    put = _Filling(connection, at)
    staff = put.add("staff", email="kim@shop.example", name="Kim", role="owner", created_at=at)
    product = put.add("products", name="Tea", sku="T1", category="Teas")
    for key, email, name in ((HER, EMAIL, NAME), (HIM, "ben@example.org", "Ben Other")):
        put.add(
            "customers",
            customer_id=key,
            external_id=SHOP_KEY if key == HER else "b2",
            email=email.upper(),
            email_normalised=email,
            name=name,
            phone=PHONE if key == HER else None,
            country="DE",
            region=CITY if key == HER else None,
            city=CITY if key == HER else None,
            language="de",
            registered_at=at,
            tags=f"vip {WORDS}" if key == HER else None,
            note=f"note {WORDS}" if key == HER else None,
        )
        put.add("customer_identities", customer_id=key, source="email", external_id=email)
        put.add("customer_identities", customer_id=key, source="shop", external_id=SHOP_KEY if key == HER else "b2")
        _orders(put, key, product, at)
    put.add(
        "addresses",
        customer_id=HER,
        kind="shipping",
        name=NAME,
        street=STREET,
        city=CITY,
        region=CITY,
        postal_code="99999",
        country="DE",
        phone=PHONE,
    )
    put.add("consents", customer_id=HER, channel="email", state="given", stated_at=at, source="shop")
    put.add("customer_notes", customer_id=HER, staff_id=staff, body=f"She said {WORDS}", written_at=at)
    _conversation(put, staff, data_dir, at)
    _feedback(put, staff, product, at)
    run = put.add(
        "import_runs",
        source="shop",
        paths=f"orders of {NAME}.csv",
        started_at=at,
        heartbeat_at=at,
        counts={"reasons": {f"{EMAIL!r} has no amount": 1}, "read": 1},
        message=f"Refused at {EMAIL}",
        status="finished",
    )
    put.add(
        "rejected_rows",
        import_run_id=run,
        source="shop",
        kind="order",
        file="orders.csv",
        line=7,
        external_id=f"{EMAIL}-7",
        reason=f"{EMAIL!r} has no amount",
        header="Email,First,Last,Phone,Note",
        text=f"{EMAIL},Anna-Zoë,Quirrelmann,0170/5550199,{WORDS}",
        fingerprint="r1",
        created_at=at,
    )
    put.add(
        "rejected_rows",
        import_run_id=run,
        source="shop",
        kind="refund",
        file="refunds.csv",
        line=8,
        reason="no amount",
        text=f"{SHOP_KEY};{WORDS}",
        fingerprint="r2",
        created_at=at,
    )
    day = at.date()
    put.add("annotations", starts_day=day, ends_day=day + timedelta(days=1), text=f"{NAME} complained of {WORDS}")
    audit.record(connection, LOCAL, "customer.noted", f"customer:{HER}", at=at, about=HER, personal={"note": WORDS})
    audit.record(connection, LOCAL, "customer.noted", f"customer:{HIM}", at=at, about=HIM, personal={"note": "his"})


def _orders(put: _Filling, customer: int, product: int, at: datetime) -> None:
    hers = customer == HER
    for number in range(2):
        order = put.add(
            "orders",
            number=f"#{customer}00{number}",
            customer_id=customer,
            placed_at=at - timedelta(days=40 - number * 20),
            channel="web",
            country="DE",
            region=CITY if hers else None,
            city=CITY if hers else None,
            landing_source=f"/welcome?mail={EMAIL}" if hers else "/welcome",
            gross_minor=1_999,
            discount_minor=99,
            tax_minor=361,
            total_minor=2_261,
            tags=f"{WORDS}" if hers else None,
            note=f"For {NAME}: {WORDS}" if hers else None,
        )
        item = put.add(
            "order_items",
            order_id=order,
            line_number=1,
            product_id=product,
            name=f"Tea for {EMAIL}" if hers else "Tea",
            quantity=1,
            gross_minor=1_999,
            discount_minor=99,
        )
        put.add("discounts_used", order_id=order, code=f"FOR {NAME}" if hers else "TEA", amount_minor=99)
    refund = put.add(
        "refunds",
        order_id=order,
        customer_id=customer,
        refunded_at=at,
        goods_minor=500,
        total_minor=500,
        reason=f"{WORDS} was cold" if hers else "cold",
    )
    put.add("refund_items", refund_id=refund, order_id=order, order_item_id=item, name="Tea", goods_minor=500)
    back = put.add(
        "returns",
        order_id=order,
        requested_at=at,
        reason=f"{NAME} did not like it" if hers else "damaged",
        comment=f"{WORDS} again" if hers else None,
        refund_minor=500,
    )
    put.add("return_items", return_id=back, quantity=1, value_minor=500)
    parcel = put.add(
        "shipments", order_id=order, tracking_number=f"JJD-{WORDS}" if hers else "X", carrier="DHL", shipped_at=at
    )
    put.add(
        "shipment_events",
        shipment_id=parcel,
        occurred_at=at,
        status="in_transit",
        message=f"Left with {NAME}" if hers else "Left",
        city=CITY if hers else None,
    )
    put.add("work_items", subject="shipment", subject_id=parcel, outcome=f"called {PHONE}" if hers else "called")
    cart = put.add(
        "carts",
        customer_id=customer,
        external_id=f"cart-of-{EMAIL}" if hers else "cart-b",
        is_contactable=True,
        created_at=at,
        last_event_at=at,
        value_minor=1_999,
    )
    put.add("cart_items", cart_id=cart, name="Tea", quantity=1, unit_price_minor=1_999)
    member = put.add(
        "loyalty_members", customer_id=customer, external_id=EMAIL if hers else "m-b", joined_at=at, tier="gold"
    )
    put.add("loyalty_entries", loyalty_member_id=member, kind="issued", points=10, value_minor=100, occurred_at=at)
    offer = put.add("offers", name=f"Win {NAME} back" if hers else "Win back", kind="coupon")
    put.add("offer_assignments", offer_id=offer, customer_id=customer, arm="treatment", assigned_at=at)


def _conversation(put: _Filling, staff: int, data_dir: Path, at: datetime) -> None:
    sent = put.add(
        "outbox_messages",
        idempotency_key="ticket:1:message:2",
        channel="email",
        customer_id=HER,
        recipient=EMAIL,
        subject=f"Re: {WORDS}",
        body=f"Dear {NAME}, {WORDS}",
        extra={"name": NAME},
        status="sent",
        queued_at=at,
        sent_at=at,
        failure=f"550 <{EMAIL}> unknown",
        mail_id="2@shop.example",
    )
    put.add(
        "outbox_messages",
        idempotency_key="offer:1:her",
        channel="email",
        recipient=EMAIL,
        subject="An offer",
        body=f"Dear {NAME}, come back",
        status="queued",
        queued_at=at,
        due_at=at,
    )
    ticket = put.add(
        "tickets",
        customer_id=HER,
        channel="email",
        subject=f"About {WORDS}",
        topic=f"the wish of {NAME}",
        tags=WORDS,
        opened_at=at - timedelta(hours=3),
        first_response_at=at - timedelta(hours=2),
        requester_name=NAME,
        requester_email=EMAIL,
    )
    heard = put.add(
        "ticket_messages",
        ticket_id=ticket,
        external_id=f"mail of {EMAIL}",
        author="customer",
        sent_at=at - timedelta(hours=3),
        body=f"I did not like the {WORDS}. {NAME}, {PHONE}",
        quoted=f"> {WORDS}",
        subject=f"About {WORDS}",
        from_name=NAME,
        from_email=EMAIL,
        mail_id=f"1.{WORDS}@mail.example",
        doubt=f"It says it is from {EMAIL}",
    )
    put.add(
        "ticket_messages",
        ticket_id=ticket,
        author="staff",
        staff_id=staff,
        sent_at=at - timedelta(hours=2),
        body=f"Dear {NAME}, sorry for the {WORDS}",
        outbox_message_id=sent,
    )
    put.add(
        "attachments",
        ticket_message_id=heard,
        file_name=f"{WORDS}.png",
        media_type="image/png",
        bytes=len(FILE),
        sha256=kept.keep(data_dir, FILE),
        created_at=at,
    )
    put.add(
        "received_mails",
        fingerprint="f" * 64,
        sender_hash="a" * 64,
        outcome="ticket",
        ticket_message_id=heard,
        received_at=at,
    )
    put.add("drafts", subject="ticket", subject_id=ticket, author_id=staff, body=f"Dear {NAME}, {WORDS}")
    # Before she was known as a customer, and after somebody else's ticket mentioned her.
    loose = put.add("tickets", channel="email", subject=WORDS, opened_at=at, requester_email=EMAIL.upper())
    put.add("ticket_messages", ticket_id=loose, author="customer", sent_at=at, body=WORDS, from_email=EMAIL)
    others = put.add("tickets", customer_id=HIM, channel="email", subject=f"Fwd: {EMAIL}", opened_at=at)
    put.add("ticket_messages", ticket_id=others, author="customer", sent_at=at, body=f"Ask {EMAIL.title()} about it!")


def _feedback(put: _Filling, staff: int, product: int, at: datetime) -> None:
    for customer in (HER, HIM):
        hers = customer == HER
        review = put.add(
            "reviews",
            customer_id=customer,
            product_id=product,
            rating=2 if hers else 5,
            title=f"{WORDS}!" if hers else "Good",
            body=f"The {WORDS} was cold, says {NAME}" if hers else "Good tea",
            reviewer_name=NAME if hers else "Ben",
            language="de",
            tags=WORDS if hers else None,
            written_at=at - timedelta(days=1),
            answered_at=at,
        )
        words = f"Dear {NAME}, no more {WORDS}" if hers else "Thank you"
        put.add("review_replies", review_id=review, staff_id=staff, body=words, replied_at=at)
    put.add(
        "review_shares",
        review_id=1,
        body=f"“{WORDS}”, {NAME}",
        consent=f"by {EMAIL}",
        consented_at=at,
        created_at=at,
    )
    survey = put.add("surveys", kind="nps", name="After delivery", question="Would you tell a friend?")
    put.add(
        "survey_answers", survey_id=survey, customer_id=HER, sent_at=at, answered_at=at, score=3, comment=f"No {WORDS}"
    )
    question = put.add("questions", product_id=product, customer_id=HER, asked_at=at, body=f"Is it {WORDS}?")
    put.add("answers", question_id=question, staff_id=staff, answered_at=at, body=f"No {WORDS}, {NAME}")


def texts(connection: Connection) -> Iterator[tuple[str, str]]:
    """Every text that the tables hold: where, and what."""
    for table in metadata.sorted_tables:
        yield from _texts_of(connection, table)


def _texts_of(connection: Connection, table: Table) -> Iterator[tuple[str, str]]:
    for column in table.c:
        if is_text(column):
            value = cast(column, Text) if isinstance(column.type, JSON) else column
            for found in connection.scalars(select(value).where(value.is_not(None))):
                yield f"{table.name}.{column.name}", str(found)


def named(text: str) -> list[str]:
    """Which of her signs a text holds."""
    told = text.casefold()
    return [sign for sign in SIGNS if sign.casefold() in told]


def where_she_is(folder: Path) -> list[tuple[str, str]]:
    """Files that hold one of her signs, as UTF-8 or UTF-16; names of files too."""
    found = []
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for sign in SIGNS:
            spelt = {sign, sign.upper(), sign.casefold()}
            if any(s.encode(c) in content for s in spelt for c in ("utf-8", "utf-16-le", "utf-16-be")) or sign in str(
                path.relative_to(folder)
            ):
                found.append((path.name, sign))
        if FILE in content:
            found.append((path.name, "her file"))
    return found
