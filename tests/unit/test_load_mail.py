"""A mail joins the ticket it belongs to and no other, reopens it only for a person, and its files lie safe."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update

from lib.db.attachments import content_of, forget_unnamed
from lib.db.engine import reading, writing
from lib.db.service import customer_wrote
from lib.db.store import Store
from lib.db.tables.customers import customer_identities, customers
from lib.db.tables.mail import received_mails
from lib.db.tables.offers import outbox_messages
from lib.db.tables.reviews import reviews
from lib.db.tables.tickets import attachments, ticket_messages, tickets
from lib.importers.load_mail import MOST_PER_HOUR, Taken, take_in
from lib.importers.mail_message import AttachedFile, MailRecord

ANN, EVE = "ann@example.com", "eve@evil.example"


@pytest.fixture
def first(noon: datetime) -> MailRecord:
    return MailRecord(
        fingerprint="1" * 64,
        mail_id="first@example.com",
        from_name="Ann",
        from_email=ANN,
        subject="Where is it?",
        sent_at=noon,
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


def after(mail: MailRecord, number: int, **values: Any) -> MailRecord:
    """Another mail, some minutes later."""
    told = {"fingerprint": f"{number:064d}", "mail_id": f"{number}@example.com"}
    return replace(mail, **{**told, "sent_at": mail.sent_at + timedelta(minutes=number), **values})


def take(database: Engine, mail: MailRecord, folder: Path = Path("/nowhere")) -> Taken:
    with writing(database) as connection:
        return take_in(connection, mail, data_dir=folder, customer_wrote=customer_wrote)


def rows(database: Engine, table: Any) -> list[Any]:
    with reading(database) as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)))


def change(database: Engine, **values: Any) -> None:
    with writing(database) as connection:
        connection.execute(update(tickets).values(**values))


def test_a_known_sender_begins_a_ticket_of_their_own(
    database: Engine, store: Store, first: MailRecord, noon: datetime
) -> None:
    with writing(database) as connection:
        told = {"source": "shop", "external_id": "1", "fingerprint": "x", "updated_at": noon}
        connection.execute(insert(customers).values(customer_id=5, name="Ann", **told))
        connection.execute(insert(customer_identities).values(customer_id=5, source="email", external_id=ANN))
    assert take(database, first) == Taken("ticket", 1, True)
    (ticket,) = rows(database, tickets)
    assert (ticket.customer_id, ticket.channel, ticket.status, ticket.waiting_since) == (5, "email", "open", noon)
    assert take(database, after(first, 2, is_disowned=True)).is_new
    assert rows(database, tickets)[1].customer_id is None, "a forged sender is nobody we know"


def test_an_answer_joins_by_the_mail_it_answers_and_by_the_number_in_its_subject(
    database: Engine, store: Store, first: MailRecord
) -> None:
    take(database, first)
    assert take(database, after(first, 2, answers=("first@example.com",))) == Taken("ticket", 1, False)
    assert take(database, after(first, 3, ticket_ids=(1,))) == Taken("ticket", 1, False)
    assert take(database, after(first, 4, ticket_ids=(99,))) == Taken("ticket", 2, True)
    assert [message.doubt for message in rows(database, ticket_messages)] == [None] * 4


@pytest.mark.parametrize("how", [{"answers": ("first@example.com",)}, {"ticket_ids": (1,)}])
def test_a_stranger_cannot_write_into_a_ticket(
    database: Engine, store: Store, first: MailRecord, how: dict[str, Any]
) -> None:
    take(database, first)
    change(database, status="closed", closed_at=first.sent_at)
    assert take(database, after(first, 2, from_email=EVE, **how)) == Taken("ticket", 2, True)
    one, two = rows(database, tickets)
    assert (one.status, one.version, two.requester_email) == ("closed", 1, EVE)
    assert "its sender takes no part" in rows(database, ticket_messages)[1].doubt


def test_a_forged_sender_cannot_write_into_a_ticket(database: Engine, store: Store, first: MailRecord) -> None:
    take(database, first)
    assert take(database, after(first, 2, ticket_ids=(1,), is_disowned=True)) == Taken("ticket", 2, True)
    assert "seems forged" in rows(database, ticket_messages)[1].doubt


def test_whom_we_wrote_to_may_answer(database: Engine, store: Store, first: MailRecord, noon: datetime) -> None:
    take(database, first)
    told = {"channel": "email", "recipient": "Bob@Example.com", "body": "x", "queued_at": noon, "status": "sent"}
    with writing(database) as connection:
        connection.execute(
            insert(outbox_messages).values(
                idempotency_key="a", about="ticket", about_id=1, mail_id="ours@shop.example", **told
            )
        )
    answer = after(first, 2, from_email="bob@example.com", answers=("ours@shop.example",))
    assert take(database, answer) == Taken("ticket", 1, False)


def test_an_answer_opens_again_what_was_closed_and_lifts_pause_and_snooze(
    database: Engine, store: Store, first: MailRecord, noon: datetime
) -> None:
    take(database, first)
    change(
        database, status="closed", closed_at=noon, paused_since=noon, waiting_since=None,
        snoozed_until=noon + timedelta(days=9),
    )  # fmt: skip
    take(database, after(first, 10, ticket_ids=(1,)))
    (ticket,) = rows(database, tickets)
    assert (ticket.status, ticket.closed_at, ticket.snoozed_until, ticket.paused_since) == ("open", None, None, None)
    assert (ticket.reopened_count, ticket.reopened_at, ticket.paused_seconds, ticket.version) == (
        1, noon + timedelta(minutes=10), 600, 2,
    )  # fmt: skip
    assert ticket.waiting_since == noon + timedelta(minutes=10), "closing ended the first wait"


def test_an_answer_to_a_merged_ticket_joins_the_one_it_was_merged_into(
    database: Engine, store: Store, first: MailRecord
) -> None:
    take(database, first)
    take(database, after(first, 2))
    with writing(database) as connection:
        connection.execute(update(tickets).where(tickets.c.ticket_id == 1).values(merged_into_id=2, status="closed"))
    assert take(database, after(first, 3, answers=("first@example.com",))) == Taken("ticket", 2, False)


def test_who_takes_part_in_a_merged_ticket_takes_part_in_the_one_that_stays(
    database: Engine, store: Store, first: MailRecord
) -> None:
    take(database, first)
    take(database, after(first, 2, from_email="bob@example.com"))
    with writing(database) as connection:
        connection.execute(update(tickets).where(tickets.c.ticket_id == 1).values(merged_into_id=2, status="closed"))
    assert take(database, after(first, 3, ticket_ids=(1,))) == Taken("ticket", 2, False)
    assert take(database, after(first, 4, ticket_ids=(2,))) == Taken("ticket", 2, False)
    assert take(database, after(first, 5, ticket_ids=(1,), from_email=EVE)).ticket_id == 3


def test_what_no_person_wrote_opens_nothing_and_asks_for_no_answer(
    database: Engine, store: Store, first: MailRecord
) -> None:
    take(database, first)
    change(database, status="closed", waiting_since=None)
    joined = take(database, after(first, 2, ticket_ids=(1,), automatic="it says Precedence: bulk"))
    alone = take(database, after(first, 3, automatic="it came by a mailing list"))
    assert (joined, alone) == (Taken("automatic", 1, False), Taken("automatic", 2, True))
    one, two = rows(database, tickets)
    assert (one.status, one.waiting_since, one.version) == ("closed", None, 1)
    assert (two.status, two.topic, two.waiting_since) == ("spam", "automatic mail", None)
    assert [message.author for message in rows(database, ticket_messages)] == ["customer", "automatic", "automatic"]


def test_our_own_mail_that_comes_back_is_left_alone(
    database: Engine, store: Store, first: MailRecord, noon: datetime
) -> None:
    told = {"channel": "email", "recipient": ANN, "body": "x", "queued_at": noon, "status": "sent"}
    with writing(database) as connection:
        connection.execute(insert(outbox_messages).values(idempotency_key="a", mail_id="first@example.com", **told))
    assert take(database, first) == Taken("loop")
    assert take(database, after(first, 2, is_own=True)) == Taken("loop")
    assert rows(database, tickets) == []
    assert [mail.outcome for mail in rows(database, received_mails)] == ["loop", "loop"]


def test_a_flood_from_one_sender_becomes_one_quiet_ticket(database: Engine, store: Store, first: MailRecord) -> None:
    for number in range(MOST_PER_HOUR):
        assert take(database, after(first, 1000 + number, sent_at=first.sent_at)).outcome == "ticket"
    many = [take(database, after(first, 2000 + number, sent_at=first.sent_at)) for number in range(3)]
    assert {one.outcome for one in many} == {"automatic"}
    assert not any(one.is_new for one in many)
    assert take(database, after(first, 3, from_email=EVE)).outcome == "ticket"
    assert take(database, after(first, 90)).outcome == "ticket", "an hour later it may write again"


def test_an_answer_to_our_reply_to_a_review_begins_one_ticket_beside_it(
    database: Engine, store: Store, first: MailRecord, noon: datetime
) -> None:
    with writing(database) as connection:
        told = {"source": "shop", "external_id": "1", "fingerprint": "x", "updated_at": noon}
        connection.execute(insert(customers).values(customer_id=5, **told))
        connection.execute(insert(reviews).values(review_id=7, rating=1, written_at=noon, customer_id=5, **told))
        connection.execute(
            insert(outbox_messages).values(
                idempotency_key="a", channel="email", recipient=ANN, body="x", queued_at=noon, status="sent",
                about="review", about_id=7, customer_id=5, mail_id="ours@shop.example",
            )
        )  # fmt: skip
    assert take(database, after(first, 2, answers=("ours@shop.example",))) == Taken("ticket", 1, True)
    assert take(database, after(first, 3, answers=("ours@shop.example",))) == Taken("ticket", 1, False)
    (ticket,) = rows(database, tickets)
    assert (ticket.review_id, ticket.customer_id) == (7, 5)
    assert take(database, after(first, 4, answers=("ours@shop.example",), from_email=EVE)) == Taken("ticket", 2, True)
    assert rows(database, tickets)[1].review_id is None


def test_many_readers_at_once_store_a_mail_once(database: Engine, store: Store, first: MailRecord) -> None:
    found: list[Taken] = []
    threads = [threading.Thread(target=lambda: found.append(take(database, first))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.outcome for one in found) == ["known"] * 5 + ["ticket"]
    assert len(rows(database, ticket_messages)) == 1


def test_files_lie_under_their_hash_for_their_owner_alone(
    database: Engine, store: Store, first: MailRecord, tmp_path: Path
) -> None:
    good, bad = AttachedFile("a.pdf", "application/pdf", b"%PDF", None), AttachedFile("b.exe", "x/y", b"MZ", "It runs.")
    take(database, replace(first, files=(good, good, bad)), tmp_path)
    one, twin, refused = rows(database, attachments)
    assert (one.sha256, one.bytes, one.file_name, one.refusal) == (twin.sha256, 4, "a.pdf", None)
    assert (refused.file_name, refused.refusal, refused.bytes) == ("b.exe", "It runs.", 2)
    (kept,) = (tmp_path / "attachments").iterdir()
    assert (kept.name, kept.stat().st_mode & 0o777) == (one.sha256, 0o600)
    assert (tmp_path / "attachments").stat().st_mode & 0o777 == 0o700
    assert content_of(tmp_path, one.sha256) == b"%PDF"
    assert content_of(tmp_path, refused.sha256) is None
    with pytest.raises(ValueError, match="not the name"):
        content_of(tmp_path, "../../secret")
    with writing(database) as connection:
        assert forget_unnamed(connection, tmp_path, [one.sha256]) == 0
        connection.execute(attachments.delete())
        assert forget_unnamed(connection, tmp_path, [one.sha256]) == 1
    assert content_of(tmp_path, one.sha256) is None
