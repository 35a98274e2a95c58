"""The inbox of tickets: its views, its pages, its searches, and the indexes that keep them fast."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, insert
from sqlalchemy.pool import NullPool

from lib.db.engine import reading, writing
from lib.db.service import settle_open
from lib.db.store import Store
from lib.db.tables.customers import customers
from lib.db.tables.staff import staff
from lib.db.tables.tickets import ticket_messages, tickets
from lib.queues import ticket_inbox
from lib.queues.ticket import open_ticket, similar
from lib.queues.ticket_inbox import Asked, View, counts, inbox, overdue

HOUR = timedelta(hours=1)
ALL = Asked()


def _add(engine: Engine, noon: datetime, *rows: dict[str, Any]) -> None:
    base = {
        "source": "test",
        "fingerprint": "x",
        "channel": "email",
        "status": "open",
        "subject": None,
        "requester_name": None,
        "customer_id": None,
        "first_response_at": None,
        "snoozed_until": None,
        "owner_id": None,
        "merged_into_id": None,
        "tags": None,
    }
    with writing(engine) as conn:
        conn.execute(insert(staff).values(staff_id=1, email="a@s.test", name="Ann", role="support", created_at=noon))
        conn.execute(
            insert(customers).values(source="t", external_id="1", fingerprint="x", customer_id=1, name="Bea Berg")
        )
        conn.execute(
            insert(tickets),
            [
                {**base, "ticket_id": key, "external_id": str(key), "opened_at": noon - key * HOUR, **row}
                for key, row in enumerate(rows, 1)
            ],
        )
        settle_open(conn)


def _keys(engine: Engine, view: View, asked: Asked, noon: datetime, *, limit: int = 3) -> list[int]:
    """Every key of a view, page by page."""
    seen: list[int] = []
    after = None
    with reading(engine) as conn:
        while True:
            found = inbox(conn, view, asked, at=noon, staff_id=1, after=after, limit=limit)
            assert len(found.lines) <= limit
            seen += [line.ticket_id for line in found.lines]
            if (after := found.after) is None:
                return seen


def test_each_view_holds_its_tickets_the_most_overdue_first(database: Engine, store: Store, noon: datetime) -> None:
    _add(
        database,
        noon,
        {},
        {"channel": "chat"},
        {"channel": "chat", "opened_at": noon - HOUR / 60},
        {"status": "closed"},
        {"status": "waiting_for_customer", "owner_id": 1},
        {"status": "spam"},
        {"snoozed_until": noon + HOUR},
        {"owner_id": 1},
        {"first_response_at": noon - HOUR},
    )
    # The email of 8 hours ago was due 7 hours ago, the chat of 2 hours ago 115 minutes ago, the first one now.
    assert _keys(database, View.DUE, ALL, noon) == [8, 2, 1, 3]
    assert _keys(database, View.UNOWNED, ALL, noon) == [2, 1, 3]
    assert _keys(database, View.MINE, ALL, noon) == [5, 8]
    assert _keys(database, View.WITH_CUSTOMER, ALL, noon) == [5]
    assert _keys(database, View.ALL, ALL, noon) == [3, 1, 2, 4, 5, 6, 7, 8, 9]
    with reading(database) as conn:
        assert counts(conn, at=noon, staff_id=1) == {
            View.DUE: 4,
            View.UNOWNED: 3,
            View.MINE: 2,
            View.WITH_CUSTOMER: 1,
        }
        assert overdue(conn, noon) == 2


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        (Asked(channels=("chat",)), [2]),
        (Asked(statuses=("closed", "spam")), [3]),
        (Asked(words="parcel"), [1, 4]),
        (Asked(words="MÜLLER"), [2]),
        (Asked(words="berg"), [3]),
        (Asked(words="50%"), [4]),
        (Asked(words="_"), []),
        (Asked(tag="vip"), [2]),
        (Asked(since=datetime.fromisoformat("2000-01-01T00:00:00+00:00")), [1, 2, 3, 4]),
    ],
)
def test_a_filter_keeps_what_it_says(
    database: Engine, store: Store, noon: datetime, asked: Asked, keys: list[int]
) -> None:
    _add(
        database,
        noon,
        {"subject": "Where is my parcel?"},
        {"channel": "chat", "requester_name": "Müller", "tags": "gift, vip"},
        {"status": "closed", "customer_id": 1},
        {"subject": "Voucher"},
    )
    with writing(database) as conn:
        conn.execute(
            insert(ticket_messages).values(
                ticket_id=4, author="customer", sent_at=noon, body="50% off, and where is the PARCEL"
            )
        )
    assert _keys(database, View.ALL, asked, noon) == keys


def test_pages_follow_one_another_without_gap_or_repeat(database: Engine, store: Store, noon: datetime) -> None:
    _add(database, noon, *({"opened_at": noon - (n // 4) * HOUR} for n in range(30)))
    for view in (View.DUE, View.ALL):
        for limit in (1, 4, 7, 30, 100):
            assert sorted(_keys(database, view, ALL, noon, limit=limit)) == list(range(1, 31))


def test_a_search_stops_where_it_looked_and_goes_on_from_there(
    database: Engine, store: Store, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_inbox, "WINDOW", 10)
    _add(database, noon, *({"subject": "needle" if n in (3, 27) else "hay"} for n in range(1, 31)))
    with reading(database) as conn:
        first = inbox(conn, View.ALL, Asked(words="needle"), at=noon, staff_id=1)
    assert [line.ticket_id for line in first.lines] == [3]
    assert first.looked_back_to == noon - 11 * HOUR
    assert _keys(database, View.ALL, Asked(words="needle"), noon) == [3, 27]


def test_an_opened_ticket_reads_what_was_merged_into_it(database: Engine, store: Store, noon: datetime) -> None:
    _add(database, noon, {"customer_id": 1}, {"customer_id": 1, "merged_into_id": 1}, {"customer_id": 1})
    with writing(database) as conn:
        for key, body in ((1, "first"), (2, "x" * 1_000_000), (3, "other")):
            conn.execute(
                insert(ticket_messages).values(ticket_id=key, author="customer", sent_at=noon + key * HOUR, body=body)
            )
    with reading(database) as conn:
        ticket = open_ticket(conn, 1)
        assert ticket is not None
        assert [(one.ticket_id, one.length) for one in ticket.messages] == [(1, 5), (2, 1_000_000)]
        assert len(ticket.messages[1].body) == 20_000
        assert ticket.merged == (2,)
        assert [one["ticket_id"] for one in similar(conn, ticket)] == [3]
        assert open_ticket(conn, 99) is None


@pytest.mark.parametrize(
    ("view", "index"),
    [
        (View.DUE, "ix_tickets_response_due_at"),
        (View.UNOWNED, "ix_tickets_response_due_at"),
        (View.WITH_CUSTOMER, "ix_tickets_with_customer"),
        (View.ALL, "ix_tickets_opened_at"),
    ],
)
def test_sqlite_reads_each_view_by_its_index_and_sorts_nothing(
    sqlite_template: Path, noon: datetime, view: View, index: str
) -> None:
    plans: list[str] = []
    engine = create_engine(f"sqlite:///{sqlite_template}", poolclass=NullPool)
    with engine.connect() as connection:

        @event.listens_for(engine, "before_cursor_execute")
        def note(_c: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())

        for after in (None, (noon, 5)):
            inbox(connection, view, ALL, at=noon, staff_id=1, after=after)
    scanned = [step for step in plans if "tickets" in step]
    assert scanned
    assert all(f"USING INDEX {index}" in step or f"INDEX {index} " in step for step in scanned), scanned
    assert not [step for step in plans if "TEMP B-TREE" in step]


def test_a_filter_that_fits_nearly_nothing_looks_no_further_than_a_search(
    database: Engine, store: Store, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_inbox, "WINDOW", 10)
    _add(database, noon, *({"status": "spam" if n == 27 else "open"} for n in range(1, 31)))
    asked = Asked(statuses=("spam",))
    with reading(database) as conn:
        first = inbox(conn, View.ALL, asked, at=noon, staff_id=1)
    assert (first.lines, first.looked_back_to) == ([], noon - 11 * HOUR)
    assert _keys(database, View.ALL, asked, noon) == [27]
