"""The list for the day: joined per customer, ranked by deadline and money, and worked through, on each engine."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, Table, create_engine, event, func, insert, select, update
from sqlalchemy.pool import NullPool

from lib.db import audit
from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.customers import customer_notes, customers
from lib.db.tables.desk import work_items
from lib.db.tables.offers import offer_looks, offer_versions, offers, outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.returns import returns
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.staff import audit_log
from lib.db.tables.surveys import answers, questions
from lib.db.tables.tickets import tickets
from lib.errors import Conflict, EncoreError, InvalidInput, NotAllowed
from lib.queues import to_do_pieces
from lib.queues.to_do import Deed, Found, Item, View, counts, done_between, open_item, read_items
from lib.staff import LOCAL, Role, Staff
from lib.workflows import to_do
from lib.workflows.questions import answer_question
from lib.workflows.shipments import announce_delay, announcement

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
VIEWER = Staff(staff_id=None, name="Vic", role=Role.VIEWER)
ANN, BOB = 1, 2


def _imported(number: int) -> dict[str, Any]:
    return {"source": "test", "external_id": str(number), "fingerprint": str(number)}


def _order(number: int, customer: int | None, placed_at: datetime, total: int, **other: Any) -> dict[str, Any]:
    return {
        **_imported(number),
        "order_id": number,
        "customer_id": customer,
        "number": f"#{number}",
        "placed_at": placed_at,
        "payment_status": "paid",
        "currency": "EUR",
        "original_currency": "EUR",
        "gross_minor": total,
        "total_minor": total,
        **other,
    }


@pytest.fixture
def shop(database: Engine, store: Store, noon: datetime) -> Engine:
    """Ann has a late parcel, a ticket and a one-star review of one order; Bob owes; the rest is of nobody known."""
    today = store.today(noon)
    with writing(database) as connection:
        for key, name in ((ANN, "Ann Becker"), (BOB, "Bob Lang")):
            connection.execute(
                insert(customers).values(
                    **_imported(key), customer_id=key, name=name, email=f"{name[:3].lower()}@example.org", language="en"
                )
            )
        connection.execute(insert(orders).values(**_order(1, ANN, noon - 9 * DAY, 4000)))
        connection.execute(
            insert(orders).values(**_order(2, BOB, noon - 2 * DAY, 9000, payment_status="pending", paid_minor=1000))
        )
        connection.execute(insert(orders).values(**_order(3, None, noon - 9 * DAY, 700)))
        connection.execute(
            insert(shipments).values(
                **_imported(1), order_id=1, carrier="DHL", status="in_transit", promised_day=today - 3 * DAY
            )
        )
        connection.execute(
            insert(tickets).values(
                **_imported(1),
                customer_id=ANN,
                order_id=1,
                channel="email",
                subject="Where is it?",
                opened_at=noon - 3 * HOUR,
                waiting_since=noon - 3 * HOUR,
                response_due_at=noon - 2 * HOUR,
            )
        )
        connection.execute(
            insert(reviews).values(
                **_imported(1), customer_id=ANN, order_id=1, rating=1, title="Late", written_at=noon - 2 * HOUR
            )
        )
        connection.execute(
            insert(returns).values(**_imported(1), order_id=3, status="requested", requested_at=noon, currency="EUR")
        )
        connection.execute(insert(questions).values(**_imported(1), customer_id=BOB, asked_at=noon, body="How long?"))
        connection.execute(
            insert(offers).values(**_imported(1), name="Spring", kind="coupon", status="draft", window_days=30)
        )
    return database


def _read(database: Engine, store: Store, noon: datetime, view: View = View.ALL, **other: Any) -> Found:
    with reading(database) as connection:
        return read_items(connection, view, at=noon, zone=store.zone, staff_id=None, **other)


def _subjects(item: Item) -> list[str]:
    return [piece.subject for piece in item.pieces]


def _count(database: Engine, table: Table) -> int:
    with reading(database) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def _named(item: Item) -> list[to_do.Piece]:
    return [(piece.subject, piece.subject_id, piece.version) for piece in item.pieces]


def test_what_waits_for_one_customer_is_one_item_and_her_order_counts_once(
    shop: Engine, store: Store, noon: datetime
) -> None:
    found = _read(shop, store, noon)
    assert [(item.name, _subjects(item), item.value_minor) for item in found.items] == [
        ("Ann Becker", ["shipment", "ticket", "review"], 4000),
        # Both are due tomorrow by the store's clock: what is unpaid, 90 less 10.
        ("Bob Lang", ["order", "question"], 8000),
        ("", ["return"], 700),
        ("", ["offer"], None),
    ]
    assert (found.after, found.cut) == (None, ())


def test_of_two_due_on_one_day_the_one_with_more_money_comes_first(shop: Engine, store: Store, noon: datetime) -> None:
    with writing(shop) as connection:
        connection.execute(
            insert(orders).values(**_order(4, None, noon - 2 * DAY + HOUR, 8001, payment_status="pending"))
        )
    assert [item.value_minor for item in _read(shop, store, noon).items] == [4000, 8001, 8000, 700, None]


def test_pages_hold_each_item_once_and_in_order(shop: Engine, store: Store, noon: datetime) -> None:
    whole, keys, after = [item.key for item in _read(shop, store, noon).items], [], None
    for _ in whole:
        page = _read(shop, store, noon, limit=1, after=after)
        keys += [item.key for item in page.items]
        after = page.after
    assert keys == whole
    assert after is None


def test_what_is_beyond_the_ranked_ones_still_joins_its_customer(
    shop: Engine, store: Store, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(shop) as connection:
        connection.execute(insert(questions).values(**_imported(2), customer_id=ANN, asked_at=noon, body="And mine?"))
    monkeypatch.setattr(to_do_pieces, "MOST_OF_KIND", 1)
    monkeypatch.setattr("lib.queues.to_do.MOST_OF_KIND", 1)
    found = _read(shop, store, noon)
    assert found.cut == ("questions",)
    assert _subjects(found.items[0]) == ["shipment", "ticket", "review", "question"]
    assert len(found.items) == 4


def test_views_count_what_they_show(shop: Engine, store: Store, noon: datetime) -> None:
    with reading(shop) as connection:
        told = counts(connection, at=noon, zone=store.zone, staff_id=None)
    assert told == {View.ALL: 4, View.OVERDUE: 1, View.NOBODYS: 4, View.MINE: 0, View.ASLEEP: 0}
    assert {view: len(_read(shop, store, noon, view).items) for view in View} == told


def test_all_of_an_item_is_put_off_and_comes_back_by_itself(shop: Engine, store: Store, noon: datetime) -> None:
    ann = _read(shop, store, noon).items[0]
    with writing(shop) as connection:
        to_do.put_off(connection, LOCAL, _named(ann), noon + DAY, at=noon)
    assert ann.key not in [item.key for item in _read(shop, store, noon).items]
    assert [item.key for item in _read(shop, store, noon, View.ASLEEP).items] == [ann.key]
    assert ann.key in [item.key for item in _read(shop, store, noon + DAY).items]
    with reading(shop) as connection:
        opened = open_item(connection, ann.key, at=noon, zone=store.zone)
    assert opened is not None and _subjects(opened) == ["shipment", "ticket", "review"]


def test_an_outcome_finishes_all_but_tickets_and_its_words_are_sealed(
    shop: Engine, store: Store, noon: datetime
) -> None:
    ann = _read(shop, store, noon).items[0]
    rest = [piece for piece in _named(ann) if piece[0] != "ticket"]
    with writing(shop) as connection:
        to_do.finish(connection, LOCAL, rest, "Customer told", "Rang her", customer_id=ANN, at=noon)
    assert _subjects(_read(shop, store, noon).items[0]) == ["ticket"]
    with reading(shop) as connection:
        assert connection.execute(select(work_items.c.outcome)).scalars().all() == ["Customer told"]
        assert connection.execute(select(customer_notes.c.body)).scalars().all() == ["Rang her"]
        log = connection.execute(select(audit_log).order_by(audit_log.c.audit_id)).mappings().all()
        assert [row["action"] for row in log] == ["review.done", "shipment.done", "customer.noted"]
        assert "Rang her" not in str([dict(row) for row in log])
        assert audit.unsealed(connection, dict(log[-1])) == {"body": "Rang her"}
        assert audit.verify(connection) is None


@pytest.mark.parametrize(
    ("by", "outcome", "words", "customer", "with_ticket", "error"),
    [
        (VIEWER, "Solved", "", ANN, False, NotAllowed),
        (LOCAL, "Whatever", "", ANN, False, InvalidInput),
        (LOCAL, "Solved", "", ANN, True, InvalidInput),
        (LOCAL, "Solved", "Words", None, False, InvalidInput),
    ],
)
def test_what_cannot_be_finished_writes_nothing(
    shop: Engine,
    store: Store,
    noon: datetime,
    by: Staff,
    outcome: str,
    words: str,
    customer: int | None,
    with_ticket: bool,
    error: type[EncoreError],
) -> None:
    some = [piece for piece in _named(_read(shop, store, noon).items[0]) if with_ticket or piece[0] != "ticket"]
    with pytest.raises(error), writing(shop) as connection:
        to_do.finish(connection, by, some, outcome, words, customer_id=customer, at=noon)
    assert [_count(shop, table) for table in (work_items, customer_notes, audit_log)] == [0, 0, 0]


def test_one_piece_changed_meanwhile_keeps_all_of_the_item(shop: Engine, store: Store, noon: datetime) -> None:
    ann = _read(shop, store, noon).items[0]
    with writing(shop) as connection:
        connection.execute(update(tickets).values(version=tickets.c.version + 1))
    with pytest.raises(Conflict), writing(shop) as connection:
        to_do.put_off(connection, LOCAL, _named(ann), noon + DAY, at=noon)
    assert _count(shop, work_items) == _count(shop, audit_log) == 0
    assert _read(shop, store, noon, View.ASLEEP).items == []


def test_a_delay_is_announced_once_and_the_parcel_leaves_the_list(shop: Engine, store: Store, noon: datetime) -> None:
    with writing(shop) as connection:
        address, words = announcement(connection, 1)
        announce_delay(connection, LOCAL, 1, words, version=0, at=noon)
    assert address == "ann@example.org"
    assert "your order #1 was to arrive on 27 February 2026" in words
    with pytest.raises(Conflict, match="told already"), writing(shop) as connection:
        announce_delay(connection, LOCAL, 1, words, version=0, at=noon)
    with reading(shop) as connection:
        (mail,) = connection.execute(select(outbox_messages)).mappings().all()
        assert connection.scalar(select(shipments.c.announced_late_at)) == noon
    assert (mail["recipient"], mail["body"], mail["about"], mail["status"]) == (address, words, "shipment", "queued")
    assert _subjects(_read(shop, store, noon).items[0]) == ["ticket", "review"]
    assert _count(shop, audit_log) == 1


@pytest.mark.parametrize(
    ("by", "text", "parcel", "customer", "error"),
    [
        (VIEWER, "Late", {}, {}, NotAllowed),
        (LOCAL, " ", {}, {}, InvalidInput),
        (LOCAL, "Late", {}, {"email": None}, InvalidInput),
        (LOCAL, "Late", {"promised_day": None}, {}, Conflict),
        (LOCAL, "Late", {"delivered_at": datetime.fromisoformat("2026-03-01T00:00Z")}, {}, Conflict),
    ],
)
def test_a_delay_that_cannot_be_announced_sends_nothing(
    shop: Engine,
    noon: datetime,
    by: Staff,
    text: str,
    parcel: dict[str, Any],
    customer: dict[str, Any],
    error: type[EncoreError],
) -> None:
    with writing(shop) as connection:
        for table, values in ((shipments, parcel), (customers, customer)):
            if values:
                connection.execute(update(table).values(**values))
    with pytest.raises(error), writing(shop) as connection:
        announce_delay(connection, by, 1, text, version=0, at=noon)
    assert _count(shop, outbox_messages) == _count(shop, audit_log) == 0


def test_a_question_is_answered_once_and_mailed(shop: Engine, noon: datetime) -> None:
    with writing(shop) as connection:
        assert answer_question(connection, LOCAL, 1, "Two days.", version=0, at=noon)
    with pytest.raises(Conflict), writing(shop) as connection:
        answer_question(connection, LOCAL, 1, "Three days.", version=0, at=noon)
    with reading(shop) as connection:
        assert connection.execute(select(answers.c.body)).scalars().all() == ["Two days."]
        assert connection.execute(select(outbox_messages.c.recipient)).scalars().all() == ["bob@example.org"]
        assert connection.scalar(select(questions.c.answered_at)) == noon
        assert "Two days." not in str(connection.execute(select(audit_log)).all())


def test_a_viewer_answers_no_question(shop: Engine, noon: datetime) -> None:
    with pytest.raises(NotAllowed), writing(shop) as connection:
        answer_question(connection, VIEWER, 1, "Two days.", version=0, at=noon)
    assert _count(shop, answers) == _count(shop, outbox_messages) == _count(shop, audit_log) == 0


def test_what_was_done_is_told_by_whom_within_its_day_alone(shop: Engine, noon: datetime) -> None:
    with writing(shop) as connection:
        for hours in (0, 1, 24):
            at = noon + hours * HOUR
            to_do.put_off(connection, LOCAL, [("order", 2, hours if hours < 2 else 2)], at + DAY, at=at)
        audit.record(connection, LOCAL, "store.changed", "store:1", at=noon)
    with reading(shop) as connection:
        assert done_between(connection, noon, noon + DAY) == [Deed(LOCAL.name, "order.snoozed", 2)]


def test_sqlite_walks_no_table_but_the_few_offers(sqlite_template: Path, noon: datetime) -> None:
    steps: list[str] = []
    engine = create_engine(f"sqlite:///{sqlite_template}", poolclass=NullPool)
    with engine.connect() as connection:

        @event.listens_for(engine, "before_cursor_execute")
        def note(_c: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
            if "work_items" in statement or "reviews" in statement or "FROM tickets" in statement:
                steps.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())

        read_items(connection, View.ALL, at=noon, zone=ZoneInfo("Europe/Berlin"), staff_id=None)
        open_item(connection, 10, at=noon, zone=ZoneInfo("Europe/Berlin"))
    assert any("ix_shipments_undelivered" in step for step in steps)
    assert any("ix_tickets_response_due_at" in step for step in steps)
    assert {step for step in steps if step.startswith("SCAN")} == {"SCAN offers"}


def test_an_offer_waits_once_its_result_is_in_or_a_limit_is_crossed(
    database: Engine, store: Store, noon: datetime
) -> None:
    states: tuple[tuple[str, dict[str, object], str | None], ...] = (
        ("Runs on", {"status": "running"}, "too early"),
        ("Works", {"status": "running"}, "keep"),
        ("Decided", {"status": "running", "decision": "keep"}, "keep"),
        ("At the end", {"status": "running", "planned_looks": 1}, "no difference"),
        ("Crossed", {"status": "paused", "pause_reason": "Limit crossed. Refunds, at most 10.0%: now 12.0%."}, None),
        ("By hand", {"status": "paused", "pause_reason": "Sold out"}, None),
        ("Over", {"status": "finished"}, "keep"),
    )
    with writing(database) as connection:
        for number, (name, state, call) in enumerate(states, start=1):
            told = {"planned_looks": 8, **state}
            connection.execute(
                insert(offers).values(
                    **_imported(number), offer_id=number, name=name, kind="coupon", starts_at=noon - 40 * DAY, **told
                )
            )
            if call is not None:
                look = {"offer_id": number, "number": 1, "looked_day": noon.date(), "looked_at": noon}
                connection.execute(insert(offer_looks).values(**look, result={"call": call}))
    found = _read(database, store, noon)
    assert {item.pieces[0].title: item.pieces[0].detail for item in found.items} == {
        "Works": "Its result is in: it works. Keep it or roll it out",
        "At the end": "Its result is in: no difference was found. Decide",
        "Crossed": "Paused. Limit crossed. Refunds, at most 10.0%: now 12.0%.",
    }


def test_an_offer_waits_for_its_start_and_for_the_approval_of_a_change(
    database: Engine, store: Store, noon: datetime
) -> None:
    states: tuple[tuple[str, dict[str, object], tuple[int, ...]], ...] = (
        ("Approved, no day", {"status": "approved", "approved_number": 1}, (1,)),
        ("Approved, later", {"status": "approved", "approved_number": 1, "starts_at": noon + DAY}, (1,)),
        ("Changed", {"status": "running", "approved_number": 1, "starts_at": noon - DAY}, (1, 2)),
        ("As approved", {"status": "running", "approved_number": 2, "starts_at": noon - DAY}, (1, 2)),
        ("Changed, dropped", {"status": "stopped", "approved_number": 1, "starts_at": noon - DAY}, (1, 2)),
    )
    with writing(database) as connection:
        for number, (name, state, versions) in enumerate(states, start=1):
            told = {**_imported(number), "offer_id": number, "name": name, "kind": "coupon", **state}
            connection.execute(insert(offers).values(**told))
            for version in versions:
                made = {"offer_id": number, "number": version, "settings": {}, "created_at": noon}
                connection.execute(insert(offer_versions).values(**made))
    found = _read(database, store, noon)
    assert {item.pieces[0].title: item.pieces[0].detail for item in found.items} == {
        "Approved, no day": "Approved, and its first day has come: start it or move it",
        "Changed": "A change waits for approval",
    }
