"""What staff do to a ticket, and what each refusal leaves as it was."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update

from lib.db import audit
from lib.db.engine import reading, writing
from lib.db.service import Target, read_promises, settle, settle_open, settle_unsettled
from lib.db.store import Store
from lib.db.tables.customers import customers
from lib.db.tables.desk import targets
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.staff import audit_log, staff
from lib.db.tables.store import store as store_table
from lib.db.tables.tickets import ticket_messages, tickets
from lib.errors import Conflict, InvalidInput, NotAllowed
from lib.staff import Role, Staff
from lib.workflows import ticket_shape
from lib.workflows import tickets as work
from lib.workflows.targets import set_hours, set_target
from lib.workflows.ticket_intake import create
from lib.workflows.ticket_mail import Way, mail_address

ANN = Staff(staff_id=1, name="Ann", role=Role.SUPPORT)
BEN = Staff(staff_id=2, name="Ben", role=Role.SUPPORT)
EVE = Staff(staff_id=3, name="Eve", role=Role.VIEWER)
MINUTE = timedelta(minutes=1)
TOLD = {"source": "test", "fingerprint": "x"}


@pytest.fixture
def desk(database: Engine, store: Store, noon: datetime) -> Engine:
    """Three people, a customer, and two of her tickets: by mail and by chat, opened at noon."""
    with writing(database) as conn:
        for who in (ANN, BEN, EVE):
            conn.execute(
                insert(staff).values(
                    staff_id=who.staff_id, email=f"{who.name}@shop.test", name=who.name, role=who.role, created_at=noon
                )
            )
        conn.execute(
            insert(customers).values(
                **TOLD, external_id="1", customer_id=1, name="Bea", email="bea@example.com",
                email_normalised="bea@example.com",
            )
        )  # fmt: skip
        for key, channel in ((1, "email"), (2, "chat")):
            conn.execute(
                insert(tickets).values(
                    **TOLD,
                    external_id=str(key),
                    customer_id=1,
                    channel=channel,
                    subject="Where is it?",
                    opened_at=noon,
                )
            )
            conn.execute(insert(ticket_messages).values(**_message(key, noon), mail_id=f"m{key}@example.com"))
        settle(conn, [1, 2])
    return database


def _message(
    ticket_id: int, at: datetime, author: str = "customer", body: str = "Where is my parcel?"
) -> dict[str, Any]:
    return {"ticket_id": ticket_id, "author": author, "sent_at": at, "body": body}


def _ticket(engine: Engine, key: int) -> dict[str, Any]:
    with reading(engine) as conn:
        return dict(conn.execute(select(tickets).where(tickets.c.ticket_id == key)).mappings().one())


def _count(engine: Engine, table: Any) -> int:
    with reading(engine) as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def _state(engine: Engine) -> tuple[Any, ...]:
    with reading(engine) as conn:
        rows = conn.execute(select(tickets).order_by(tickets.c.ticket_id)).all()
        said = conn.execute(select(ticket_messages).order_by(ticket_messages.c.ticket_message_id)).all()
    return tuple(map(tuple, rows)), tuple(map(tuple, said)), _count(engine, outbox_messages), _count(engine, audit_log)


def test_a_deadline_follows_the_target_of_the_channel(desk: Engine, noon: datetime) -> None:
    assert _ticket(desk, 1)["response_due_at"] == noon + 60 * MINUTE
    assert _ticket(desk, 2)["response_due_at"] == noon + 5 * MINUTE


def test_a_changed_target_moves_every_open_deadline(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        conn.execute(insert(targets).values(work="chat", minutes=15))
        assert read_promises(conn).targets["chat"] == Target("chat", 15, "calendar", 1)
        assert settle_open(conn) == 2
    assert _ticket(desk, 2)["response_due_at"] == noon + 15 * MINUTE
    assert _ticket(desk, 1)["response_due_at"] == noon + 60 * MINUTE


def test_business_hours_are_counted_where_the_target_says_so(desk: Engine, noon: datetime) -> None:
    friday_night = datetime.fromisoformat("2026-11-20T22:00:00+01:00")
    with writing(desk) as conn:
        conn.execute(insert(targets).values(work="chat", minutes=30, clock="business"))
        conn.execute(update(tickets).where(tickets.c.ticket_id == 2).values(opened_at=friday_night))
        conn.execute(update(ticket_messages).where(ticket_messages.c.ticket_id == 2).values(sent_at=friday_night))
        settle(conn, [2])
    assert _ticket(desk, 2)["response_due_at"] == datetime.fromisoformat("2026-11-23T09:30:00+01:00")


MEG = Staff(staff_id=None, name="Meg", role=Role.MANAGER)


def test_a_target_moves_open_deadlines_at_once_and_no_others(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        work.answer(conn, ANN, 1, "Tomorrow.", version=1, at=noon + MINUTE)
        set_target(conn, MEG, "chat", 30, version=0, at=noon)
        set_target(conn, MEG, "email", 30, version=0, at=noon)
    assert _ticket(desk, 2)["response_due_at"] == noon + 30 * MINUTE
    assert _ticket(desk, 1)["response_due_at"] is None
    with writing(desk) as conn:
        set_target(conn, MEG, "chat", 120, version=1, at=noon, clock="business")
    # Noon is 13:00 in Berlin, on a Monday; the store closes at 18:00.
    assert _ticket(desk, 2)["response_due_at"] == noon + 120 * MINUTE


def test_opening_hours_move_deadlines_of_the_business_clock(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        set_target(conn, MEG, "chat", 30, version=0, at=noon, clock="business")
        (version,) = conn.execute(select(store_table.c.version)).one()
        set_hours(conn, MEG, [("08:00", "10:00")] * 7, version=version, at=noon)
    due = datetime.fromisoformat("2026-03-03T08:30:00+01:00")
    assert (_ticket(desk, 1)["response_due_at"], _ticket(desk, 2)["response_due_at"]) == (noon + 60 * MINUTE, due)
    with pytest.raises(Conflict, match="meanwhile"), writing(desk) as conn:
        set_hours(conn, MEG, [None] * 7, version=version, at=noon)


@pytest.mark.parametrize(
    ("work_", "minutes", "clock", "refusal"),
    [
        ("chat", 4, "calendar", "between 5 minutes"),
        ("chat", 60, "lunar", "Choose"),
        ("pigeon", 60, "calendar", "Choose"),
        ("chat", 40_320, "business", "more than a year"),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused(
    desk: Engine, noon: datetime, work_: str, minutes: int, clock: str, refusal: str
) -> None:
    with writing(desk) as conn:
        (version,) = conn.execute(select(store_table.c.version)).one()
        set_hours(conn, MEG, [("09:00", "10:00"), *[None] * 6], version=version, at=noon)
    before = _state(desk)
    with pytest.raises(InvalidInput, match=refusal), writing(desk) as conn:
        set_target(conn, MEG, work_, minutes, version=0, at=noon, clock=clock)
    with pytest.raises(NotAllowed), writing(desk) as conn:
        set_target(conn, ANN, "chat", 60, version=0, at=noon)
    assert _state(desk) == before
    assert _count(desk, targets) == 0


def test_hours_are_not_cut_below_what_was_promised(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        set_target(conn, MEG, "chat", 40_320, version=0, at=noon, clock="business")
        (version,) = conn.execute(select(store_table.c.version)).one()
    before = _ticket(desk, 2)["response_due_at"]
    for week, refusal in (([("09:00", "10:00"), *[None] * 6], "more than a year"), ([("09:00", "09:00")] * 7, "same")):
        with pytest.raises(InvalidInput, match=refusal), writing(desk) as conn:
            set_hours(conn, MEG, week, version=version, at=noon)
    assert _ticket(desk, 2)["response_due_at"] == before


def test_who_answers_what_is_nobodys_takes_it_and_takes_nothing_from_others(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        conn.execute(update(tickets).where(tickets.c.ticket_id == 2).values(owner_id=BEN.staff_id))
        work.answer(conn, ANN, 1, "Soon.", version=1, at=noon)
        work.answer(conn, ANN, 2, "Soon.", version=1, at=noon)
    assert [_ticket(desk, key)["owner_id"] for key in (1, 2)] == [ANN.staff_id, BEN.staff_id]


def test_who_waits_in_a_ticket_that_was_merged_waits_in_the_other(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        work.answer(conn, ANN, 1, "Tomorrow.", version=1, at=noon + MINUTE)
        conn.execute(insert(ticket_messages).values(**_message(2, noon + 2 * MINUTE)))
        settle(conn, [2])
        ticket_shape.merge(conn, ANN, 2, 1, version=1, into_version=2, at=noon + 3 * MINUTE)
    kept = _ticket(desk, 1)
    # What came before the answer is answered by it; what came after waits for one.
    assert (kept["status"], kept["waiting_since"]) == ("open", noon + 2 * MINUTE)
    assert kept["response_due_at"] == noon + 62 * MINUTE
    with writing(desk) as conn:
        work.answer(conn, ANN, 1, "Today.", version=3, at=noon + 4 * MINUTE)
    assert _ticket(desk, 1)["response_due_at"] is None


def test_tickets_from_before_there_were_deadlines_get_theirs(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        conn.execute(update(tickets).values(response_due_at=None, waiting_since=None))
        assert settle_unsettled(conn) == 2
        assert settle_unsettled(conn) == 0
    assert _ticket(desk, 2)["response_due_at"] == noon + 5 * MINUTE


def test_an_answer_stops_the_clock_and_leaves_by_mail_in_its_thread(desk: Engine, noon: datetime) -> None:
    at = noon + 10 * MINUTE
    with writing(desk) as conn:
        way = Way(email=mail_address(conn, 1)[0])
        work.answer(conn, ANN, 1, " It is on its way. ", version=1, at=at, way=way)
    ticket = _ticket(desk, 1)
    assert (ticket["first_response_at"], ticket["status"], ticket["version"]) == (at, "waiting_for_customer", 2)
    assert (ticket["waiting_since"], ticket["response_due_at"], ticket["paused_since"]) == (None, None, at)
    with reading(desk) as conn:
        mail = conn.execute(select(outbox_messages)).mappings().one()
        said = (
            conn.execute(select(ticket_messages).order_by(ticket_messages.c.ticket_message_id.desc()))
            .mappings()
            .first()
        )
        entry = conn.execute(select(audit_log)).mappings().one()
        assert audit.unsealed(conn, dict(entry)) == {"answer": "It is on its way."}
    assert (mail["recipient"], mail["subject"], mail["body"]) == (
        "bea@example.com",
        "Re: Where is it?",
        "It is on its way.",
    )
    assert mail["extra"]["in_reply_to"] == "m1@example.com"
    assert said is not None
    assert said["outbox_message_id"] == mail["outbox_message_id"]
    assert (entry["action"], entry["actor"]) == ("ticket.answered", "Ann")
    assert "on its way" not in str(entry)


def test_the_same_answer_twice_is_sent_once(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        way = Way(email="bea@example.com")
        first = work.answer(conn, ANN, 1, "On its way.", version=1, at=noon + MINUTE, way=way)
    with writing(desk) as conn:
        assert work.answer(conn, ANN, 1, "On its way.", version=1, at=noon + 2 * MINUTE, way=way) == first
    assert _count(desk, outbox_messages) == 1
    assert _count(desk, ticket_messages) == 3


def test_the_second_of_two_is_told_and_sends_nothing(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        work.answer(conn, ANN, 1, "On its way.", version=1, at=noon + MINUTE)
    before = _state(desk)
    with pytest.raises(Conflict, match="Ann answered this ticket"), writing(desk) as conn:
        work.answer(conn, BEN, 1, "It is lost.", version=1, at=noon + 2 * MINUTE)
    assert _state(desk) == before


@pytest.mark.parametrize("text", ["", "  \n", "\x00\x07", "x" * 20_001])
def test_an_answer_without_words_or_with_too_many_is_refused(desk: Engine, noon: datetime, text: str) -> None:
    before = _state(desk)
    with pytest.raises(InvalidInput), writing(desk) as conn:
        work.answer(conn, ANN, 1, text, version=1, at=noon)
    assert _state(desk) == before


def test_a_viewer_may_nothing(desk: Engine, noon: datetime) -> None:
    before = _state(desk)
    for act in (
        lambda c: work.answer(c, EVE, 1, "Hi", version=1, at=noon),
        lambda c: work.note(c, EVE, 1, "Hi", at=noon),
        lambda c: work.set_status(c, EVE, 1, "closed", version=1, at=noon),
        lambda c: work.set_priority(c, EVE, 1, "high", version=1, at=noon),
        lambda c: create(c, EVE, channel="phone", subject="", text="Hi", at=noon, once="a"),
        lambda c: ticket_shape.merge(c, EVE, 1, 2, version=1, into_version=1, at=noon),
    ):
        with pytest.raises(NotAllowed), writing(desk) as conn:
            act(conn)
    assert _state(desk) == before


def test_an_address_that_is_not_the_customers_is_refused(desk: Engine, noon: datetime) -> None:
    before = _state(desk)
    with pytest.raises(InvalidInput, match="cannot be mailed"), writing(desk) as conn:
        work.answer(conn, ANN, 1, "Hi", version=1, at=noon, way=Way(email="eve@example.com"))
    assert _state(desk) == before


def test_nothing_is_mailed_to_somebody_who_was_erased(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        conn.execute(update(customers).values(erased_at=noon))
        assert mail_address(conn, 1) == (None, "This customer was erased.")


def test_a_note_stays_inside_and_stops_no_clock(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        first = work.note(conn, ANN, 1, "Ask the carrier", at=noon)
        assert work.note(conn, ANN, 1, "Ask the carrier", at=noon) == first
    assert _count(desk, outbox_messages) == 0
    ticket = _ticket(desk, 1)
    assert (ticket["first_response_at"], ticket["response_due_at"], ticket["version"]) == (None, noon + 60 * MINUTE, 1)


def test_waiting_for_the_customer_is_no_time_of_ours(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        work.answer(conn, ANN, 1, "Which order?", version=1, at=noon + 10 * MINUTE)
        work.hear(conn, ANN, 1, "Number 7", version=2, at=noon + 40 * MINUTE)
    ticket = _ticket(desk, 1)
    assert (ticket["paused_seconds"], ticket["paused_since"], ticket["status"]) == (1800, None, "open")
    assert ticket["waiting_since"] == noon + 40 * MINUTE
    assert ticket["response_due_at"] == noon + 100 * MINUTE


def test_a_closed_ticket_that_is_opened_again_counts_it(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        work.answer(conn, ANN, 1, "Done.", version=1, at=noon + MINUTE, then="closed")
    assert (_ticket(desk, 1)["status"], _ticket(desk, 1)["closed_at"]) == ("closed", noon + MINUTE)
    with writing(desk) as conn:
        work.set_status(conn, BEN, 1, "open", version=2, at=noon + 5 * MINUTE)
    ticket = _ticket(desk, 1)
    assert (ticket["closed_at"], ticket["reopened_count"], ticket["reopened_at"]) == (None, 1, noon + 5 * MINUTE)
    # Answered, and the customer said nothing since: nobody waits.
    assert ticket["response_due_at"] is None


def test_closing_many_leaves_what_others_changed(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        work.set_priority(conn, BEN, 2, "high", version=1, at=noon)
        assert work.close_all(conn, ANN, {1: 1, 2: 1}, at=noon) == [2]
    assert [_ticket(desk, key)["status"] for key in (1, 2)] == ["closed", "open"]


def test_merging_keeps_every_word_and_can_be_taken_back(desk: Engine, noon: datetime) -> None:
    before = _count(desk, ticket_messages)
    with writing(desk) as conn:
        ticket_shape.merge(conn, ANN, 2, 1, version=1, into_version=1, at=noon + MINUTE)
    merged = _ticket(desk, 2)
    assert (merged["merged_into_id"], merged["status"], merged["response_due_at"]) == (1, "closed", None)
    assert _count(desk, ticket_messages) == before
    with pytest.raises(InvalidInput, match="merged into ticket 1"), writing(desk) as conn:
        work.answer(conn, ANN, 2, "Hello", version=2, at=noon)
    with writing(desk) as conn:
        ticket_shape.part(conn, ANN, 2, version=2, at=noon + 2 * MINUTE)
    assert (_ticket(desk, 2)["merged_into_id"], _ticket(desk, 2)["response_due_at"]) == (None, noon + 5 * MINUTE)


def test_a_ticket_is_not_merged_into_itself_nor_over_somebodys_change(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        work.set_priority(conn, BEN, 1, "high", version=1, at=noon)
    before = _state(desk)
    with pytest.raises(InvalidInput, match="itself"), writing(desk) as conn:
        ticket_shape.merge(conn, ANN, 1, 1, version=2, into_version=2, at=noon)
    with pytest.raises(Conflict, match="Ben"), writing(desk) as conn:
        ticket_shape.merge(conn, ANN, 2, 1, version=1, into_version=1, at=noon)
    assert _state(desk) == before


def test_splitting_moves_one_message_into_a_ticket_of_its_own(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        work.hear(conn, ANN, 1, "And another thing", version=1, at=noon + MINUTE)
        last = conn.scalar(select(func.max(ticket_messages.c.ticket_message_id)))
        assert last is not None
        new = ticket_shape.split(conn, ANN, last, version=2, at=noon + 2 * MINUTE)
    ticket = _ticket(desk, new)
    assert (ticket["split_from_id"], ticket["customer_id"], ticket["opened_at"]) == (1, 1, noon + MINUTE)
    assert ticket["response_due_at"] == noon + 61 * MINUTE
    before = _state(desk)
    with pytest.raises(InvalidInput, match="only message"), writing(desk) as conn:
        ticket_shape.split(conn, ANN, last, version=1, at=noon)
    assert _state(desk) == before


def test_a_call_that_is_written_down_twice_is_one_ticket(desk: Engine, noon: datetime) -> None:
    told: dict[str, Any] = {"channel": "phone", "subject": "", "text": "She called.", "email": "BEA@example.com"}
    with writing(desk) as conn:
        first = create(conn, ANN, **told, at=noon, once="form-1")
        assert create(conn, ANN, **told, at=noon, once="form-1") == first
    ticket = _ticket(desk, first)
    assert (ticket["customer_id"], ticket["subject"], ticket["owner_id"]) == (1, "She called.", 1)
    assert ticket["response_due_at"] == noon + 60 * MINUTE


def test_an_order_that_does_not_exist_is_not_linked(desk: Engine, noon: datetime) -> None:
    with writing(desk) as conn:
        conn.execute(
            insert(orders).values(
                **TOLD,
                external_id="1",
                order_id=5,
                customer_id=1,
                number="#1001",
                placed_at=noon,
                currency="EUR",
                original_currency="EUR",
                original_total_minor=0,
            )
        )
        work.link(conn, ANN, 1, order_number="1001", version=1, at=noon)
    assert _ticket(desk, 1)["order_id"] == 5
    before = _state(desk)
    with pytest.raises(InvalidInput, match="no order 9"), writing(desk) as conn:
        work.link(conn, ANN, 1, order_number="9", version=2, at=noon)
    assert _state(desk) == before
