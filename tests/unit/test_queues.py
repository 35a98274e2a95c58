"""What waits for staff: counted live, listed page by page, on each engine."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, insert
from sqlalchemy.pool import NullPool

from lib.db.engine import reading, writing
from lib.db.service import settle_open
from lib.db.store import Store, write_store
from lib.db.tables.desk import targets
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.store import goals, import_runs, rejected_rows
from lib.db.tables.tickets import tickets
from lib.queues import day
from lib.queues import outbox as outbox_queue
from lib.queues import reviews as review_queue
from lib.queues import tickets as ticket_queue
from lib.queues.rejected import Missing, missing


def _imported(number: int) -> dict[str, Any]:
    return {"source": "test", "external_id": str(number), "fingerprint": str(number)}


def _order(number: int, placed_at: datetime, **other: Any) -> dict[str, Any]:
    return {
        **_imported(number),
        "order_id": number,
        "number": f"#{number}",
        "placed_at": placed_at,
        "payment_status": "paid",
        "currency": "EUR",
        "original_currency": "EUR",
        "gross_minor": 1000,
        "total_minor": 1000,
        "cancelled_at": None,
        **other,
    }


def _needs(database: Engine, store: Store, noon: datetime) -> dict[str, tuple[int, bool, str]]:
    with reading(database) as connection:
        found = day.needs(connection, at=noon, today=store.today(noon))
    return {need.key: (need.count, need.is_urgent, need.detail) for need in found}


def test_an_empty_store_needs_nothing(database: Engine, store: Store, noon: datetime) -> None:
    assert _needs(database, store, noon) == {}


def test_each_kind_counts_what_waits_and_nothing_else(database: Engine, store: Store, noon: datetime) -> None:
    hour, day_ = timedelta(hours=1), timedelta(days=1)
    today = store.today(noon)
    review = {"state": "published", "is_survey": False, "answered_at": None, "done_at": None, "snoozed_until": None}
    ticket = {"channel": "email", "status": "open", "first_response_at": None, "is_started_by_us": False}
    parcel = {"carrier": "DHL", "status": "in_transit", "delivered_at": None}
    some_reviews: list[tuple[int, timedelta, dict[str, Any]]] = [
        (1, 30 * hour, {}),
        (2, 2 * hour, {}),
        (5, hour, {}),
        (1, hour, {"answered_at": noon}),
        (1, hour, {"is_survey": True}),
        (1, hour, {"state": "spam"}),
        (1, hour, {"snoozed_until": noon + hour}),
        (1, 61 * day_, {}),
    ]
    some_tickets: list[tuple[timedelta, dict[str, Any]]] = [
        (2 * hour, {}),
        (3 * hour, {"channel": "phone"}),
        (timedelta(minutes=50), {}),
        (timedelta(minutes=10), {}),
        (timedelta(minutes=6), {"channel": "chat"}),
        (2 * hour, {"first_response_at": noon - hour}),
        (2 * hour, {"is_started_by_us": True}),
        (2 * hour, {"status": "closed"}),
    ]
    some_parcels: list[tuple[date | None, dict[str, Any]]] = [
        (today - day_, {}),
        (today - 2 * day_, {}),
        (today - day_, {"carrier": "GLS"}),
        (today, {}),
        (today - day_, {"status": "delivered", "delivered_at": noon}),
        (today - day_, {"status": "lost"}),
        (today - 61 * day_, {}),
        (None, {}),
    ]
    with writing(database) as connection:
        connection.execute(
            insert(orders),
            [
                _order(1, noon - day_),
                _order(2, noon - day_, payment_status="pending"),
                _order(3, noon - day_, payment_status="pending", cancelled_at=noon),
                _order(4, noon - 90 * day_, payment_status="pending"),
            ],
        )
        connection.execute(
            insert(reviews),
            [
                {**_imported(n), **review, "rating": rating, "written_at": noon - ago, **other}
                for n, (rating, ago, other) in enumerate(some_reviews)
            ],
        )
        connection.execute(
            insert(tickets),
            [
                {**_imported(n), **ticket, "opened_at": noon - ago, **other}
                for n, (ago, other) in enumerate(some_tickets)
            ],
        )
        connection.execute(insert(targets).values(work="phone", minutes=190))
        settle_open(connection)
        connection.execute(
            insert(shipments),
            [
                {**_imported(n), **parcel, "order_id": 1, "promised_day": promised, **other}
                for n, (promised, other) in enumerate(some_parcels)
            ],
        )
        connection.execute(
            insert(goals).values(metric="orders", starts_day=today, ends_day=today + 3 * day_, target=10)
        )
    assert _needs(database, store, noon) == {
        "reviews": (3, True, "2 with 1–2 stars, 1 past 24 h"),
        "tickets": (5, True, "2 past target, 2 due in 15 minutes, oldest 3 hours"),
        "parcels": (3, True, "2 of them with DHL"),
        "unpaid": (1, False, "€10 still to come in"),
        "ending": (1, False, "orders: in 2 days"),
    }


def test_messages_that_did_not_leave_need_somebody_but_not_in_the_demo_store(
    database: Engine, store: Store, noon: datetime
) -> None:
    told = {"channel": "email", "recipient": "ann@example.com", "body": "Hi", "queued_at": noon, "due_at": noon}
    with writing(database) as connection:
        for number, status in enumerate(("queued", "sending", "sent", "failed", "failed", "held_back")):
            connection.execute(
                insert(outbox_messages).values(idempotency_key=str(number), status=status, failure="No.", **told)
            )
    assert _needs(database, store, noon) == {"outbox": (3, True, "2 failed, 1 held back")}
    with reading(database) as connection:
        rows = outbox_queue.waiting(connection, noon, limit=2).rows
    assert rows["Status"].tolist() == ["failed", "failed"]
    assert "ann@example.com" not in rows.to_csv()
    with writing(database) as connection:
        write_store(connection, replace(store, is_demo=True))
    assert _needs(database, store, noon) == {}


def test_pages_follow_one_another_without_gap_or_repeat(database: Engine, store: Store, noon: datetime) -> None:
    with writing(database) as connection:
        # Three to a moment, so that the second column must break the tie.
        rows = [_order(n, noon - timedelta(hours=n // 3), payment_status="pending") for n in range(1, 24)]
        connection.execute(insert(orders), rows)
    seen: list[str] = []
    after = None
    with reading(database) as connection:
        while True:
            page = day.waiting(connection, "unpaid", at=noon, today=store.today(noon), after=after, limit=5)
            assert len(page.rows) <= 5
            seen += page.rows["Order"].tolist()
            if (after := page.after) is None:
                break
    assert len(seen) == 23
    assert len(set(seen)) == 23


def test_every_list_can_be_read_when_empty(database: Engine, store: Store, noon: datetime) -> None:
    with reading(database) as connection:
        for key in ("reviews", "tickets", "parcels", "unpaid", "returns", "questions", "ending"):
            page = day.waiting(connection, key, at=noon, today=store.today(noon), after=None)
            assert page.rows.empty
            assert page.after is None


def test_missing_orders_are_those_of_the_days_or_of_no_known_day(
    database: Engine, store: Store, noon: datetime
) -> None:
    today = store.today(noon)
    row = {"import_run_id": 1, "source": "shopify", "kind": "order", "file": "o.csv", "line": 2, "reason": "odd"}
    rows = [
        ("a", today, 500, "open", "order"),
        ("b", None, None, "open", "order"),
        ("c", today - timedelta(days=40), 700, "open", "order"),
        ("d", today, 900, "dismissed", "order"),
        ("e", today, 900, "open", "customer"),
    ]
    with writing(database) as connection:
        connection.execute(
            insert(import_runs).values(
                import_run_id=1, source="shopify", paths="o.csv", started_at=noon, heartbeat_at=noon, counts={}
            )
        )
        connection.execute(
            insert(rejected_rows),
            [
                {
                    **row,
                    "external_id": key,
                    "fingerprint": key,
                    "text": key,
                    "placed_day": placed,
                    "amount_minor": amount,
                    "status": status,
                    "kind": kind,
                    "created_at": noon,
                }
                for key, placed, amount, status, kind in rows
            ],
        )
    with reading(database) as connection:
        found = missing(connection, today - timedelta(days=7), today + timedelta(days=1))
    assert found == Missing(orders=2, amount_minor=500)


@pytest.mark.parametrize(
    ("module", "index"), [(review_queue, "ix_reviews_unanswered"), (ticket_queue, "ix_tickets_response_due_at")]
)
def test_sqlite_counts_by_the_index_of_what_waits(
    sqlite_template: Path, noon: datetime, module: Any, index: str
) -> None:
    asked: list[str] = []
    engine = create_engine(f"sqlite:///{sqlite_template}", poolclass=NullPool)
    with engine.connect() as connection:

        @event.listens_for(engine, "before_cursor_execute")
        def note(_c: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                asked.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())

        module.need(connection, noon)
    assert any(index in step for step in asked), asked
