"""Mail goes out through a real server, an answer comes back through a real mailbox, and joins its ticket."""

import email
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update

from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.db.tables.customers import customers
from lib.db.tables.mail import received_mails
from lib.db.tables.offers import contact_events, outbox_messages
from lib.db.tables.store import store as store_table
from lib.db.tables.store import watermarks
from lib.db.tables.tickets import attachments, ticket_messages, tickets
from lib.errors import MailboxUnavailable, SettingsError
from lib.importers.mail_message import read_mail
from lib.importers.mailbox import MailboxAddress, mailbox_address, open_mailbox
from lib.jobs.mailbox import poll
from lib.jobs.outbox import deliver
from lib.outbox.queue import enqueue
from lib.outbox.switch import set_sending
from lib.settings import ROOT, Settings
from tests.mail_servers import Imap, Smtp, behind_tls, imap_server, self_signed, smtp_server

ANN = "Ann Doe <ann@example.com>"


@pytest.fixture
def imap() -> Iterator[Imap]:
    with imap_server() as server:
        yield server


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[Smtp]:
    with smtp_server(tmp_path) as server:
        yield server


@pytest.fixture
def shop(settings: Settings, store: Store, imap: Imap, smtp: Smtp) -> Settings:
    """A shop with a mail server, a mailbox, and sending turned on."""
    return replace(settings, imap_url=imap.url, smtp_url=smtp.url, mail_from="Test store <help@shop.example>")


def written(body: str, *, sender: str = ANN, subject: str = "Where is my parcel?", **headers: str) -> bytes:
    lines = [f"From: {sender}", "To: help@shop.example", f"Subject: {subject}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join([*lines, "", body]) + "\r\n").encode()


def rows(database: Engine, table: Any) -> list[Any]:
    with reading(database) as connection:
        return list(connection.execute(select(table).order_by(*table.primary_key.columns)))


def test_an_answer_goes_out_and_the_answer_to_it_joins_the_ticket(
    shop: Settings, database: Engine, imap: Imap, smtp: Smtp
) -> None:
    imap.put(written("Where is it?", Message_ID="<first@example.com>"))
    assert poll(shop).begun == 1
    (ticket,) = rows(database, tickets)
    assert (ticket.subject, ticket.requester_email, ticket.status) == ("Where is my parcel?", "ann@example.com", "open")
    assert ticket.waiting_since == ticket.opened_at
    with writing(database) as connection:
        set_sending(connection, now())
        queued = enqueue(
            connection,
            idempotency_key="ticket:1:reply:1",
            channel="email",
            recipient="ann@example.com",
            subject="Re: Where is my parcel?",
            body="It arrives tomorrow.",
            about="ticket",
            about_id=ticket.ticket_id,
            at=now(),
        )
        told = {"ticket_id": ticket.ticket_id, "author": "staff", "sent_at": now(), "body": "It arrives tomorrow."}
        connection.execute(insert(ticket_messages).values(**told, outbox_message_id=queued))
        connection.execute(
            update(tickets).values(status="closed", closed_at=now(), waiting_since=None, first_response_at=now())
        )
    assert deliver(shop).sent == 1
    (mail,) = smtp.mails()
    assert mail["Subject"] == f"Re: Where is my parcel? [#{ticket.ticket_id}]"
    assert mail["In-Reply-To"] == "<first@example.com>"
    sent_as = mail["Message-ID"].strip("<>")
    assert rows(database, ticket_messages)[1].mail_id == sent_as

    answer = "Thank you!\r\n\r\nOn Tue, 24 Nov 2026, Test store wrote:\r\n> It arrives tomorrow."
    imap.put(written(answer, subject="AW: something else", In_Reply_To=f"<{sent_as}>", Message_ID="<2@example.com>"))
    done = poll(shop)
    assert (done.read, done.begun) == (1, 0)
    (ticket,) = rows(database, tickets)
    assert (ticket.status, ticket.closed_at, ticket.reopened_count) == ("open", None, 1)
    assert ticket.waiting_since is not None
    message = rows(database, ticket_messages)[2]
    assert (message.author, message.body, message.doubt) == ("customer", "Thank you!", None)
    assert message.quoted.startswith("On Tue, 24 Nov 2026, Test store wrote:")


def test_reading_twice_stores_once_also_when_the_mailbox_numbers_its_mails_anew(
    shop: Settings, database: Engine, imap: Imap
) -> None:
    for number in range(3):
        imap.put(written(f"Question {number}", Message_ID=f"<{number}@example.com>"))
    assert poll(shop).begun == 3
    assert poll(shop).read == 0
    again = poll(shop, since=(now() - timedelta(days=1)).date())
    assert (again.read, again.begun, again.outcomes["known"]) == (3, 0, 3)
    with imap_server() as other, other.box():
        for number in range(4):
            other.put(written(f"Question {number}", Message_ID=f"<{number}@example.com>"))
        # The same place by its name, with another UIDVALIDITY.
        moved = replace(shop, imap_url=other.url)
        with writing(database) as connection:
            connection.execute(update(watermarks).values(mapping=mailbox_address(other.url).place))
        done = poll(moved)
    assert (done.outcomes["known"], done.begun) == (3, 1)
    assert len(rows(database, tickets)) == 4


def test_a_mailbox_is_only_read_unless_marking_is_asked_for(shop: Settings, imap: Imap) -> None:
    imap.put(written("Hello", Message_ID="<1@example.com>"))
    poll(shop)
    assert not any(b"Seen" in flags for flags in imap.flags())
    imap.put(written("Hello again", Message_ID="<2@example.com>"))
    poll(replace(shop, imap_mark_seen=True))
    assert [b"Seen" in flags for flags in imap.flags()] == [False, True]


def test_old_mail_stays_out_when_a_mailbox_is_first_read(shop: Settings, database: Engine, imap: Imap) -> None:
    imap.put(written("Years ago", Message_ID="<old@example.com>"), at=datetime(2020, 1, 1, tzinfo=UTC))
    assert poll(shop).read == 0
    imap.put(written("Now", Message_ID="<new@example.com>"))
    assert poll(shop).begun == 1
    assert [ticket.opened_at.year >= 2026 for ticket in rows(database, tickets)] == [True]


def test_a_mail_that_breaks_the_reading_is_a_ticket_and_keeps_no_other_out(
    shop: Settings, database: Engine, imap: Imap, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = read_mail

    def breaks(raw: bytes, **values: Any) -> Any:
        if b"poison" in raw:
            raise RecursionError("too deep")
        return real(raw, **values)

    monkeypatch.setattr("lib.jobs.mailbox.read_mail", breaks)
    imap.put(written("poison", Message_ID="<1@example.com>"))
    imap.put(written("fine", Message_ID="<2@example.com>"))
    done = poll(shop)
    assert (done.begun, done.outcomes["refused"]) == (2, 1)
    first = rows(database, tickets)[0]
    assert first.subject == "A mail that could not be read"
    (file,) = rows(database, attachments)
    kept = shop.data_dir / "attachments" / file.sha256
    assert b"poison" in kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_the_demo_store_takes_no_mail_in(shop: Settings, database: Engine, imap: Imap) -> None:
    imap.put(written("Hello", Message_ID="<1@example.com>"))
    with writing(database) as connection:
        connection.execute(update(store_table).values(is_demo=True))
    with pytest.raises(MailboxUnavailable, match="demo store"):
        poll(shop)
    assert rows(database, received_mails) == []


def test_a_bounce_marks_the_message_as_failed_and_tells_the_ticket(
    shop: Settings, database: Engine, imap: Imap, smtp: Smtp
) -> None:
    imap.put(written("Where is it?", Message_ID="<first@example.com>"))
    poll(shop)
    with writing(database) as connection:
        set_sending(connection, now())
        ann = connection.execute(
            insert(customers)
            .values(source="test", external_id="ann", fingerprint="ann", email="ann@example.com")
            .returning(customers.c.customer_id)
        ).scalar_one()
        told: dict[str, Any] = {"recipient": "ann@example.com", "subject": "Re: it", "body": "Tomorrow."}
        told["channel"] = "email"
        enqueue(connection, idempotency_key="a", about="ticket", about_id=1, customer_id=ann, at=now(), **told)
    deliver(shop)
    sent_as = smtp.mails()[0]["Message-ID"]
    report = email.message_from_bytes(BOUNCE.replace(b"MAIL_ID", sent_as.encode()), policy=default)
    imap.put(report.as_bytes())
    assert poll(shop).outcomes["bounce"] == 1
    (message,) = rows(database, outbox_messages)
    assert (message.status, message.failure) == ("failed", "It came back: 550 5.1.1 <ann@example.com> is unknown.")
    note = rows(database, ticket_messages)[1]
    assert (note.author, note.is_public) == ("automatic", False)
    assert note.body == "The answer to ann@example.com did not arrive: 550 5.1.1 <ann@example.com> is unknown."
    # No offer goes to that address any more.
    (event,) = rows(database, contact_events)
    assert (event.kind, event.customer_id, event.source) == ("bounced", ann, "mail")


def test_passwords_travel_only_under_lock_and_are_in_no_words() -> None:
    with pytest.raises(SettingsError, match="in the open"):
        mailbox_address("imap://shop:secret@mail.example.com/INBOX")
    address = mailbox_address("imaps://shop:se%40cret@127.0.0.1:1/INBOX")
    assert address.password == "se@cret"
    assert "cret" not in f"{address} {address!r} {address.place}"
    with pytest.raises(MailboxUnavailable) as refused, open_mailbox(address, timeout=2):
        pass
    assert "cret" not in str(refused.value)


def test_a_wrong_password_and_a_missing_folder_are_said(imap: Imap) -> None:
    wrong = mailbox_address(imap.url.replace("secret", "guess"))
    with pytest.raises(MailboxUnavailable, match="does not know this user and password"), open_mailbox(wrong):
        pass
    nowhere = mailbox_address(imap.url.replace("INBOX", "Nowhere"))
    with pytest.raises(MailboxUnavailable, match="no folder 'Nowhere'"), open_mailbox(nowhere):
        pass


def test_a_certificate_that_nobody_vouches_for_gets_no_password(
    imap: Imap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)

    def address(port: int) -> MailboxAddress:
        return mailbox_address(f"imaps://shop:secret%40pass@127.0.0.1:{port}/INBOX")

    refused = pytest.raises(MailboxUnavailable, match="CERTIFICATE_VERIFY_FAILED")
    with behind_tls(imap.port, certificate) as port, refused, open_mailbox(address(port)):
        pass
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with behind_tls(imap.port, certificate) as port, open_mailbox(address(port)) as box:
        assert list(box.uids_after(0)) == []


POLL = """
import sys
from dataclasses import replace
from pathlib import Path
from lib.jobs import mailbox
from lib.settings import read_settings
names = ("ENCORE_DATA_DIR", "ENCORE_DATABASE_URL", "ENCORE_IMAP_URL")
here = read_settings(dict(zip(names, sys.argv[1:])))
kept = mailbox.take_in
def slowly(*args, **values):
    print("storing", flush=True)
    return kept(*args, **values)
mailbox.take_in = slowly
mailbox.poll(here)
"""


def test_a_reading_that_is_killed_is_completed_by_the_next(shop: Settings, database: Engine, imap: Imap) -> None:
    for number in range(12):
        imap.put(written(f"Question {number}", Message_ID=f"<{number}@example.com>"))
    command = [sys.executable, "-c", POLL, str(shop.data_dir), shop.database_url, shop.imap_url]
    for stored in (1, 3):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(stored):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    time.sleep(0.2)
    poll(shop, wait_seconds=10)
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(tickets)) == 12
        assert connection.scalar(select(func.count()).select_from(ticket_messages)) == 12
    assert sorted(message.body for message in rows(database, ticket_messages)) == sorted(
        f"Question {number}" for number in range(12)
    )


BOUNCE = b"""From: MAILER-DAEMON@mail.test
To: help@shop.example
Subject: Undelivered Mail Returned to Sender
Return-Path: <>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver it.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.test

Final-Recipient: rfc822; ann@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ann@example.com> is unknown

--b
Content-Type: text/rfc822-headers

From: help@shop.example
Message-ID: MAIL_ID
Subject: Re: it
--b--
"""
