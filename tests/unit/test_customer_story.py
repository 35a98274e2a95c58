"""A customer's story on each engine: found, told on one timeline, added up as the mart does, and noted."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from lib.db import audit
from lib.db.engine import reading, writing
from lib.db.person import find
from lib.db.store import Store
from lib.db.tables.carts import carts
from lib.db.tables.customers import consents, customer_identities, customer_notes, customers
from lib.db.tables.loyalty import loyalty_entries, loyalty_members
from lib.db.tables.offers import offer_assignments, offers, outbox_messages
from lib.db.tables.orders import orders, refund_items, refunds
from lib.db.tables.returns import returns
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.staff import audit_log, staff
from lib.db.tables.surveys import questions, survey_answers, surveys
from lib.db.tables.tickets import tickets
from lib.errors import Conflict, InvalidInput, NotAllowed
from lib.periods import store_day
from lib.queues.customer import story
from lib.queues.customer_account import account
from lib.queues.customer_event import Happened, Place
from lib.queues.customer_events import KINDS, counts, timeline
from lib.queues.customer_person import read_notes, read_person
from lib.queues.customer_search import MOST_FOUND, FoundPeople, find_people
from lib.staff import LOCAL, Role, Staff
from lib.workflows.customers import add_note, correct_note
from lib.workflows.erasure import erase_person, to_confirm

HOUR = timedelta(hours=1)
ANN = Staff(staff_id=1, name="Ann", role=Role.SUPPORT)
BEN = Staff(staff_id=2, name="Ben", role=Role.SUPPORT)
VIEWER = Staff(staff_id=3, name="Vic", role=Role.VIEWER)


def _imported(key: int | str) -> dict[str, Any]:
    return {"source": "test", "external_id": str(key), "fingerprint": "x"}


def _customer(conn: Connection, key: int, name: str | None, email: str | None = None, **other: Any) -> None:
    normalised = email.lower() if email else None
    conn.execute(
        insert(customers).values(
            **_imported(key), customer_id=key, name=name, email=email, email_normalised=normalised, **other
        )
    )
    if normalised:
        conn.execute(insert(customer_identities).values(customer_id=key, source="email", external_id=normalised))


def _order(conn: Connection, key: int, at: datetime, *, buyer: int | None = 1, **other: Any) -> None:
    values = {"payment_status": "paid", "gross_minor": 1000, "total_minor": 1000, **other}
    conn.execute(
        insert(orders).values(
            **_imported(key),
            order_id=key,
            number=f"#{1000 + key}",
            customer_id=buyer,
            placed_at=at,
            currency="EUR",
            original_currency="EUR",
            **values,
        )
    )


def _refund(conn: Connection, key: int, at: datetime, goods: int, **other: Any) -> None:
    conn.execute(
        insert(refunds).values(
            **_imported(key),
            refund_id=key,
            refunded_at=at,
            currency="EUR",
            goods_minor=goods,
            **{"total_minor": goods} | other,
        )
    )


def _found(engine: Engine, words: str, **how: bool) -> FoundPeople:
    with reading(engine) as conn:
        return find_people(conn, words, **how)


def _keys(found: FoundPeople) -> list[int]:
    return [person.customer_id for person in found.people]


@pytest.fixture
def people(database: Engine, noon: datetime) -> Engine:
    with writing(database) as conn:
        _customer(conn, 1, "Anna Maria Becker", "Anna@Example.org")
        _customer(conn, 2, "anna schmidt", "anna.s@example.org")
        _customer(conn, 3, "Özlem Öztürk", "oez@example.org")
        _customer(conn, 4, None, None, erased_at=noon)
        _customer(conn, 5, "100% Wool_Shop", "wool@example.org")
        for key, buyer in ((1, 1), (2, 4), (3, None), (11, 2)):
            _order(conn, key, noon, buyer=buyer)
        conn.execute(insert(customer_identities).values(customer_id=1, source="email", external_id="old@example.net"))
    return database


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("anna", [1, 2]),
        ("ANNA M", [1]),
        ("maria b", [1]),
        ("Schmidt", [2]),
        ("özl", [3]),
        ("ÖZTÜRK", [3]),
        ("anna@example.org", [1]),
        ("ANNA@EXAMPLE.ORG ", [1]),
        ("anna.s@", [2]),
        ("old@example.net", [1]),
        ("#1001", [1]),
        ("1001", [1]),
        ("100%", [5]),
        ("wool_", [5]),
        ("100_", []),
        ("%", []),
        ("nobody", []),
        ("", []),
        ("  \x00 ", []),
    ],
)
def test_people_are_found_by_how_it_begins(people: Engine, words: str, keys: list[int]) -> None:
    assert sorted(_keys(_found(people, words))) == keys


def test_a_beginning_of_a_number_finds_whose_orders_they_are_the_whole_one_first(people: Engine) -> None:
    assert _keys(_found(people, "#10")) == [1, 4, 2]
    assert _keys(_found(people, "1011")) == [2]
    found = _found(people, "1003")
    assert (found.people, found.of_nobody) == ((), ("#1003",))


def test_an_erased_person_is_found_by_an_order_alone_and_named_as_erased(people: Engine) -> None:
    (person,) = _found(people, "#1002").people
    assert (person.is_erased, person.name, person.email, person.order) == (True, "", "", "#1002")


def test_names_cannot_be_tried_by_those_who_may_not_see_them(people: Engine) -> None:
    for words in ("anna", "anna@example.org", "Becker", "old@example.net"):
        assert _found(people, words, by_order_alone=True).people == ()
    assert _keys(_found(people, "1001", by_order_alone=True)) == [1]


def test_more_than_fit_are_cut_and_said_to_be(database: Engine) -> None:
    with writing(database) as conn:
        for key in range(1, MOST_FOUND + 5):
            _customer(conn, key, f"Zoe {key}")
    found = _found(database, "zoe")
    assert (len(found.people), found.is_cut) == (MOST_FOUND, True)


def test_a_search_enters_an_index_of_what_is_searched(people: Engine) -> None:
    explain = "EXPLAIN QUERY PLAN " if people.dialect.name == "sqlite" else "EXPLAIN "
    with reading(people) as conn:
        asked: list[tuple[str, Any]] = []
        real = conn.execute

        def noted(statement: Any, *given: Any, **kept: Any) -> Any:
            compiled = statement.compile(conn, compile_kwargs={"literal_binds": True})
            asked.append((str(compiled).replace("%%", "%"), statement))
            return real(statement, *given, **kept)

        conn.execute = noted  # type: ignore[method-assign]  # listens only
        find_people(conn, "anna 1")
        if people.dialect.name == "postgresql":
            # A table of a few rows is read whole; what is asked is whether the index could be.
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        assert len(asked) > 5
        for words, _ in asked:
            plan = "\n".join(str(row) for row in conn.exec_driver_sql(explain + words.replace("%", "%%")))
            assert "SCAN customers" not in plan and "SCAN orders" not in plan, plan
            assert "Seq Scan" not in plan, plan
            assert "ix_" in plan or "uq_" in plan or "autoindex" in plan, plan


@pytest.fixture
def lived(database: Engine, noon: datetime) -> Engine:
    """Two customers; the first has something of every kind, some of it at the same moment."""
    with writing(database) as conn:
        _customer(conn, 1, "Anna Becker", "anna@example.org")
        _customer(conn, 2, "Ben", "ben@example.org")
        told = {"customer_id": 1}
        _order(conn, 1, noon - 30 * HOUR)
        _order(conn, 2, noon - 20 * HOUR, cancelled_at=noon)
        _order(conn, 3, noon - 20 * HOUR, payment_status="pending")
        _order(conn, 9, noon - HOUR, buyer=2)
        _add(
            conn,
            shipments,
            order_id=1,
            status="delivered",
            delivered_at=noon - 5 * HOUR,
            carrier="DHL",
            promised_day=store_day(noon - 5 * HOUR, _ZONE) - timedelta(days=2),
        )
        _add(conn, shipments, order_id=3, status="in_transit", promised_day=store_day(noon, _ZONE))
        _add(
            conn,
            returns,
            order_id=1,
            customer_id=1,
            status="requested",
            requested_at=noon - 4 * HOUR,
            currency="EUR",
            reason="too_small",
            comment="Does not fit me",
        )
        _refund(conn, 1, noon - 3 * HOUR, 300, order_id=1, reason="Anna rang")
        _refund(conn, 2, noon - 2 * HOUR, 50, customer_id=1)
        _refund(conn, 3, noon - 2 * HOUR, 70, customer_id=2)
        _add(conn, reviews, **told, rating=1, title="Bad", body="Broke", written_at=noon - 2 * HOUR)
        _add(conn, reviews, **told, rating=5, title="Spam", written_at=noon, state="spam")
        _add(conn, tickets, **told, channel="email", subject="Where is it?", opened_at=noon - 2 * HOUR)
        _add(conn, surveys, survey_id=1, kind="nps", name="After the sale", question="Would you?")
        _add(
            conn,
            survey_answers,
            survey_id=1,
            **told,
            sent_at=noon - 9 * HOUR,
            answered_at=noon - 8 * HOUR,
            score=3,
            comment="Slow",
        )
        _add(conn, questions, **told, asked_at=noon - 7 * HOUR, body="Is it blue?")
        _add(conn, loyalty_members, loyalty_member_id=1, **told, joined_at=noon)
        _add(
            conn,
            loyalty_entries,
            loyalty_member_id=1,
            kind="issued",
            points=120,
            currency="EUR",
            value_minor=60,
            occurred_at=noon - 6 * HOUR,
        )
        _add(conn, offers, offer_id=1, name="Come back", kind="coupon")
        conn.execute(insert(offer_assignments).values(offer_id=1, **told, arm="holdout", assigned_at=noon - 10 * HOUR))
        conn.execute(
            insert(outbox_messages).values(
                idempotency_key="a",
                channel="email",
                **told,
                status="failed",
                about="ticket",
                subject="Re: Where",
                queued_at=noon - HOUR,
            )
        )
        _add(
            conn,
            carts,
            **told,
            created_at=noon - 12 * HOUR,
            last_event_at=noon - 11 * HOUR,
            currency="EUR",
            value_minor=999,
        )
    return database


_KEYS: Callable[[], int] = iter(range(1, 10_000)).__next__


def _add(conn: Connection, table: Table, **values: Any) -> None:
    conn.execute(insert(table).values(**_imported(_KEYS()), **values))


_ZONE = Store("x", "Europe/Berlin", "EUR", "DE", ("en",), False).zone


def _place(noon: datetime) -> Place:
    return Place(store_day(noon, _ZONE), _ZONE)


def _told(one: Happened) -> tuple[str, str, str, str, bool]:
    return one.kind, one.title, one.detail, one.words, one.is_bad


def test_everything_stands_on_one_timeline_newest_first(lived: Engine, noon: datetime) -> None:
    with reading(lived) as conn:
        found = timeline(conn, 1, _place(noon), limit=50)
    assert found.after is None
    assert [_told(one) for one in found.rows] == [
        ("message", "E-mail from us", "failed, about a ticket", "Re: Where", True),
        ("refund", "Refund of no known order", "€0.50", "", False),
        ("ticket", "Ticket by email", "open", "Where is it?", True),
        ("review", "1 star", "", "Bad", True),
        ("refund", "Refund of #1001", "€3.00", "Anna rang", False),
        ("return", "Return from #1001", "requested, too small", "Does not fit me", False),
        ("parcel", "Parcel of #1001", "delivered, 2 days late, DHL", "", True),
        ("points", "120 points issued", "worth €0.60", "", False),
        ("question", "Question", "not answered", "Is it blue?", True),
        ("survey", "Survey: After the sale", "answered 3 of 10", "Slow", True),
        ("offer", "Offer: Come back", "gets nothing, to compare", "", False),
        ("cart", "Cart", "€9.99, not ordered", "", False),
        ("parcel", "Parcel of #1003", "in transit", "", False),
        ("order", "Order #1003", "€10.00, not paid yet", "", False),
        ("order", "Order #1002", "€10.00, cancelled, not counted", "", False),
        ("order", "Order #1001", "€10.00", "", False),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_put_together_are_the_whole_and_in_its_order(lived: Engine, noon: datetime, limit: int) -> None:
    with reading(lived) as conn:
        whole = timeline(conn, 1, _place(noon), limit=50).rows
        seen: list[Happened] = []
        after = None
        while True:
            page = timeline(conn, 1, _place(noon), after=after, limit=limit)
            assert len(page.rows) <= limit
            seen += page.rows
            if (after := page.after) is None:
                break
    assert seen == whole
    assert all(one.at >= other.at for one, other in pairwise(whole))


def test_each_kind_is_counted_and_can_be_asked_for_alone(lived: Engine, noon: datetime) -> None:
    with reading(lived) as conn:
        many = counts(conn, 1)
        assert many == {**dict.fromkeys(KINDS, 1), "order": 3, "parcel": 2, "refund": 2}
        for kind, count in many.items():
            rows = timeline(conn, 1, _place(noon), kinds=[kind], limit=50).rows
            assert [one.kind for one in rows] == [kind] * count
        assert counts(conn, 2) == {"order": 1, "refund": 1}
        assert counts(conn, 99) == {}


def test_the_sums_add_up_and_say_what_is_left_out(lived: Engine, noon: datetime) -> None:
    with writing(lived) as conn:
        _order(conn, 4, noon, payment_status="voided")
        _order(conn, 5, noon, is_test=True)
        _order(conn, 6, noon, gross_minor=500, discount_minor=500, total_minor=0)
        _order(conn, 7, noon, gross_minor=2000, discount_minor=200, tax_minor=342, shipping_minor=400, total_minor=2542)
        _refund(conn, 4, noon, 250, order_id=1, tax_minor=47, total_minor=297)
        # One cancellation that undoes lines of two orders.
        conn.execute(
            insert(refund_items).values(
                [
                    {"refund_id": 4, "order_id": None, "currency": "EUR", "goods_minor": 100},
                    {"refund_id": 4, "order_id": 7, "currency": "EUR", "goods_minor": 150},
                ]
            )
        )
    with reading(lived) as conn:
        found = account(conn, 1)
        assert found is not None
        assert account(conn, 99) is None
    assert (found.orders, found.unpaid_orders, found.currency) == (3, 1, "EUR")
    assert (found.gross_minor, found.discount_minor) == (4000, 200)
    # Order 1: 300 without items, 100 of the second refund; order 7: 150.
    assert found.refunded_goods_minor == 550
    assert found.net_minor == 4000 - 200 - 550
    assert found.total_minor == 4000 - 200 + 400 + 342
    assert (found.paid_back_minor, found.refunds) == (300 + 50 + 297, 3)
    assert [(one.reason, one.orders, one.total_minor) for one in found.left_out] == [
        ("cancelled", 1, 1000),
        ("test", 1, 1000),
        ("voided", 1, 1000),
        ("zero value", 1, 0),
    ]


def test_the_orders_of_a_tester_are_counted_nowhere(lived: Engine, noon: datetime) -> None:
    with writing(lived) as conn:
        conn.execute(update(customers).where(customers.c.customer_id == 1).values(is_test=True))
    with reading(lived) as conn:
        found, short = account(conn, 1), story(conn, 1, at=noon, zone=_ZONE)
        assert found is not None and short is not None
        orders_told = [one.detail for one in timeline(conn, 1, _place(noon), kinds=["order"]).rows]
    assert (found.orders, found.net_minor, short.orders) == (0, 0, 0)
    assert [(one.reason, one.orders) for one in found.left_out] == [("cancelled", 1), ("test", 2)]
    assert orders_told == ["€10.00, test, not counted", "€10.00, cancelled, not counted", "€10.00, test, not counted"]


def test_a_person_is_read_with_consents_and_every_address(lived: Engine, noon: datetime) -> None:
    with writing(lived) as conn:
        conn.execute(insert(customer_identities).values(customer_id=1, source="email", external_id="old@example.net"))
        conn.execute(
            insert(consents).values(customer_id=1, channel="email", state="given", stated_at=noon, source="shopify")
        )
    with reading(lived) as conn:
        found = read_person(conn, 1)
        assert read_person(conn, 99) is None
    assert found is not None
    assert (found.name, found.emails) == ("Anna Becker", ("anna@example.org", "old@example.net"))
    assert [(one.channel, one.state, one.stated_at) for one in found.consents] == [("email", "given", noon)]


@pytest.fixture
def noted(lived: Engine, noon: datetime) -> Engine:
    with writing(lived) as conn:
        for who in (ANN, BEN, VIEWER):
            conn.execute(
                insert(staff).values(
                    staff_id=who.staff_id, email=f"{who.name}@s.test", name=who.name, role=who.role, created_at=noon
                )
            )
    return lived


def _rows(engine: Engine, table: Table) -> int:
    with reading(engine) as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_note_is_kept_and_its_words_are_sealed_in_the_log(noted: Engine, noon: datetime) -> None:
    with writing(noted) as conn:
        key = add_note(conn, ANN, 1, "  Rings on Mondays.\x00 ", at=noon)
    with reading(noted) as conn:
        (note,) = read_notes(conn, 1)
        entry = conn.execute(select(audit_log)).mappings().one()
        assert audit.unsealed(conn, {str(name): entry[name] for name in entry}) == {"body": "Rings on Mondays."}
    assert (note.note_id, note.body, note.author, note.written_at) == (key, "Rings on Mondays.", "Ann", noon)
    assert (entry["action"], entry["subject"]) == ("customer.noted", "customer:1")
    assert "Mondays" not in str(entry["details"])


def test_a_correction_takes_the_place_of_the_note_and_the_old_words_stay(noted: Engine, noon: datetime) -> None:
    with writing(noted) as conn:
        first = add_note(conn, ANN, 1, "Rings on Mondays.", at=noon)
        other = add_note(conn, LOCAL, 1, "Likes blue.", at=noon)
        second = correct_note(conn, BEN, first, "Rings on Tuesdays.", at=noon + HOUR)
        third = correct_note(conn, ANN, second, "Never rings.", at=noon + 2 * HOUR)
    with reading(noted) as conn:
        newest, plain = read_notes(conn, 1)
        assert audit.verify(conn) is None
    assert (newest.note_id, newest.body, newest.author) == (third, "Never rings.", "Ann")
    assert [(one.body, one.author) for one in newest.before] == [
        ("Rings on Tuesdays.", "Ben"),
        ("Rings on Mondays.", "Ann"),
    ]
    assert (plain.note_id, plain.author, plain.before) == (other, "", ())


def test_the_second_of_two_who_correct_a_note_is_told_and_nothing_is_written(noted: Engine, noon: datetime) -> None:
    with writing(noted) as conn:
        key = add_note(conn, ANN, 1, "Rings on Mondays.", at=noon)
        correct_note(conn, BEN, key, "Rings on Tuesdays.", at=noon)
    before = _rows(noted, customer_notes), _rows(noted, audit_log)
    with pytest.raises(Conflict, match="Ben corrected this note first"), writing(noted) as conn:
        correct_note(conn, ANN, key, "Rings daily.", at=noon)
    assert (_rows(noted, customer_notes), _rows(noted, audit_log)) == before


@pytest.mark.parametrize(
    ("by", "customer", "body", "refusal"),
    [
        (VIEWER, 1, "Words", NotAllowed),
        (ANN, 1, " \x00 ", InvalidInput),
        (ANN, 1, "x" * 100_001, InvalidInput),
        (ANN, 99, "Words", InvalidInput),
        (ANN, 2, "Words", InvalidInput),
    ],
)
def test_a_note_that_is_refused_leaves_nothing_behind(
    noted: Engine, noon: datetime, by: Staff, customer: int, body: str, refusal: type[Exception]
) -> None:
    with writing(noted) as conn:
        conn.execute(update(customers).where(customers.c.customer_id == 2).values(erased_at=noon))
    with pytest.raises(refusal), writing(noted) as conn:
        add_note(conn, by, customer, body, at=noon)
    assert (_rows(noted, customer_notes), _rows(noted, audit_log)) == (0, 0)


def test_a_correction_that_corrects_nothing_is_refused(noted: Engine, noon: datetime) -> None:
    with writing(noted) as conn:
        key = add_note(conn, ANN, 1, "Rings on Mondays.", at=noon)
    for by, note_id, body, refusal in (
        (VIEWER, key, "Other", NotAllowed),
        (ANN, key, "Rings on Mondays. ", InvalidInput),
        (ANN, key + 7, "Other", InvalidInput),
    ):
        with pytest.raises(refusal), writing(noted) as conn:
            correct_note(conn, by, note_id, body, at=noon)
    assert (_rows(noted, customer_notes), _rows(noted, audit_log)) == (1, 1)


def test_a_corrected_note_goes_whole_when_the_person_is_erased(noted: Engine, noon: datetime) -> None:
    with writing(noted) as conn:
        key = add_note(conn, ANN, 1, "Rings on Mondays.", at=noon)
        correct_note(conn, BEN, key, "Rings on Tuesdays.", at=noon)
        person = find(conn, 1)
        assert person is not None
        erase_person(conn, LOCAL, person, confirmed=to_confirm(person), at=noon)
    with reading(noted) as conn:
        assert read_notes(conn, 1) == ()
        assert conn.execute(select(customer_notes)).all() == []
        assert audit.verify(conn) is None
