"""What is queued leaves once: by a real mail server, also when senders are killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from lib.db import audit
from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.db.tables.offers import outbox_messages
from lib.db.tables.staff import audit_log
from lib.db.tables.store import store as store_table
from lib.errors import Conflict, NotAllowed
from lib.jobs.outbox import deliver
from lib.outbox.claims import LEASE, MAYBE_SENT
from lib.outbox.queue import enqueue
from lib.outbox.switch import set_sending
from lib.settings import ROOT, Settings
from lib.staff import LOCAL, Role, Staff
from lib.workflows.outbox import disable_sending, enable_sending, send_again, settle_as_sent
from tests.mail_servers import Smtp, smtp_server

SUPPORT = Staff(staff_id=None, name="Sam", role=Role.SUPPORT)
VIEWER = Staff(staff_id=None, name="Vic", role=Role.VIEWER)


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[Smtp]:
    with smtp_server(tmp_path, pause=0.05) as server:
        yield server


@pytest.fixture
def shop(settings: Settings, store: Store, smtp: Smtp, database: Engine) -> Settings:
    """A shop with a mail server whose owner has turned sending on."""
    with writing(database) as connection:
        set_sending(connection, now())
    return replace(settings, smtp_url=smtp.url, mail_from="Test store <help@shop.example>")


def queue(database: Engine, recipient: str, key: str = "", **values: Any) -> int:
    told = {"subject": "Your review", "body": "Thank you.", "channel": "email"}
    with writing(database) as connection:
        return enqueue(
            connection, idempotency_key=key or recipient, recipient=recipient, at=now(), **{**told, **values}
        )


def state(database: Engine, key: int) -> Any:
    with reading(database) as connection:
        return connection.execute(select(outbox_messages).where(outbox_messages.c.outbox_message_id == key)).one()


def entries(database: Engine) -> list[str]:
    with reading(database) as connection:
        return list(connection.scalars(select(audit_log.c.action).order_by(audit_log.c.audit_id)))


def test_nothing_leaves_before_an_owner_lets_it(shop: Settings, database: Engine, smtp: Smtp) -> None:
    with writing(database) as connection:
        set_sending(connection, None)
    key = queue(database, "ann@example.com")
    assert "Sending is off" in deliver(shop).why
    for staff in (SUPPORT, VIEWER, Staff(staff_id=None, name="Max", role=Role.MANAGER)):
        with pytest.raises(NotAllowed), writing(database) as connection:
            enable_sending(connection, staff, at=now())
    assert entries(database) == []
    assert (state(database, key).status, smtp.lines()) == ("queued", [])
    with writing(database) as connection:
        enable_sending(connection, LOCAL, at=now())
    assert deliver(shop).sent == 1
    with writing(database) as connection:
        disable_sending(connection, LOCAL, at=now())
    assert entries(database) == ["outbox.enabled", "outbox.disabled"]
    with reading(database) as connection:
        assert audit.verify(connection) is None


def test_the_demo_store_cannot_be_let_send(shop: Settings, database: Engine, smtp: Smtp) -> None:
    key = queue(database, "ann@example.com")
    with writing(database) as connection:
        connection.execute(update(store_table).values(is_demo=True))
    assert deliver(shop).sent == 0
    with pytest.raises(Conflict, match="demo store"), writing(database) as connection:
        enable_sending(connection, LOCAL, at=now())
    with writing(database) as connection:
        connection.execute(update(outbox_messages).values(status="held_back"))
    with pytest.raises(Conflict, match="demo store"), writing(database) as connection:
        send_again(connection, LOCAL, key, at=now())
    assert smtp.lines() == []


def test_each_end_is_told_apart(shop: Settings, database: Engine, smtp: Smtp) -> None:
    sent, refused, busy = (queue(database, f"{name}@example.com") for name in ("ann", "nobody", "busy"))
    done = deliver(shop)
    assert (done.sent, done.failed, done.later, done.unknown) == (1, 1, 1, 0)
    assert state(database, sent).status == "sent"
    assert state(database, refused).status == "failed"
    assert state(database, refused).failure == "The mail server says: 550 5.1.1 No such user here."
    later = state(database, busy)
    assert (later.status, later.attempts) == ("queued", 1)
    assert later.failure == "The mail server says: 451 4.7.1 Greylisted, come back later."
    assert timedelta(seconds=55) < later.due_at - now() < timedelta(seconds=91)
    assert [line["to"] for line in smtp.lines()] == [["ann@example.com"]]


def test_a_line_that_breaks_after_the_mail_was_handed_over_is_decided_by_a_person(
    shop: Settings, database: Engine, smtp: Smtp
) -> None:
    key = queue(database, "gone@example.com")
    assert deliver(shop).unknown == 1
    kept = state(database, key)
    assert (kept.status, kept.failure) == ("held_back", MAYBE_SENT)
    assert deliver(shop, clock=lambda: now() + timedelta(days=2)).tried == 0
    with pytest.raises(NotAllowed), writing(database) as connection:
        settle_as_sent(connection, VIEWER, key, at=now())
    with writing(database) as connection:
        settle_as_sent(connection, SUPPORT, key, at=now())
    assert (state(database, key).status, state(database, key).sent_at) == ("sent", kept.handed_over_at)
    assert entries(database) == ["outbox.settled"]
    assert len(smtp.lines()) == 1


def test_what_a_person_sends_again_goes_as_the_same_mail(shop: Settings, database: Engine, smtp: Smtp) -> None:
    key = queue(database, "gone@example.com")
    deliver(shop)
    with writing(database) as connection:
        send_again(connection, SUPPORT, key, at=now())
    deliver(shop)
    first, second = (mail["Message-ID"] for mail in smtp.mails())
    assert first == second == f"<{state(database, key).mail_id}>"
    with pytest.raises(NotAllowed), writing(database) as connection:
        send_again(connection, VIEWER, key, at=now())
    assert entries(database) == ["outbox.sent_again"]


def test_what_failed_without_leaving_cannot_be_called_sent(shop: Settings, database: Engine) -> None:
    key = queue(database, "nobody@example.com")
    deliver(shop)
    with pytest.raises(Conflict, match="never left"), writing(database) as connection:
        settle_as_sent(connection, SUPPORT, key, at=now())
    assert state(database, key).status == "failed"
    assert entries(database) == []


def test_a_mail_server_that_is_away_ends_the_round_with_one_attempt(shop: Settings, database: Engine) -> None:
    keys = [queue(database, f"{name}@example.com") for name in ("ann", "bob", "cid")]
    away = replace(shop, smtp_url="smtp://127.0.0.1:1")
    done = deliver(away)
    assert (done.later, done.tried) == (1, 1)
    assert [state(database, key).attempts for key in keys] == [1, 0, 0]
    assert "cannot be reached" in state(database, keys[0]).failure


SEND = """
import sys
from lib.jobs.outbox import deliver
from lib.settings import read_settings
names = ("ENCORE_DATA_DIR", "ENCORE_DATABASE_URL", "ENCORE_SMTP_URL", "ENCORE_MAIL_FROM")
here = read_settings(dict(zip(names, sys.argv[1:])))
print("ready", flush=True)
deliver(here)
"""


def sender(shop: Settings) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SEND, str(shop.data_dir), shop.database_url, shop.smtp_url, shop.mail_from]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_are_killed_in_the_middle_send_nothing_twice_and_lose_nothing(
    shop: Settings, database: Engine, smtp: Smtp
) -> None:
    keys = {f"slow@{number}.example.com": queue(database, f"slow@{number}.example.com") for number in range(40)}
    for so_many in (3, 9, 16, 22):
        both = [sender(shop), sender(shop)]
        for process in both:
            assert process.stdout is not None
            process.stdout.readline()
        for _ in range(400):
            if len(smtp.lines()) >= so_many:
                break
            time.sleep(0.01)
        for process in both:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
    # The server finishes what it was given; nobody asks it any more.
    time.sleep(0.5)
    deliver(shop, clock=lambda: now() + LEASE * 2)
    arrived = Counter(str(line["to"][0]) for line in smtp.lines())  # type: ignore[index]  # a list of one
    states = {recipient: state(database, key) for recipient, key in keys.items()}
    assert set(arrived.values()) <= {1}
    assert {kept.status for kept in states.values()} <= {"sent", "held_back"}
    assert [r for r, kept in states.items() if kept.status == "sent" and arrived[r] != 1] == []
    assert [kept.failure for kept in states.values() if kept.status == "held_back"] == [
        MAYBE_SENT for kept in states.values() if kept.status == "held_back"
    ]
    # At most the one that each killed sender was handing over.
    assert sum(kept.status == "held_back" for kept in states.values()) <= 8
    assert sum(arrived.values()) >= 32


def test_the_app_itself_sends_and_is_killed_in_the_middle_without_harm(
    shop: Settings, database: Engine, smtp: Smtp
) -> None:
    keys = {f"slow@{number}.example.com": queue(database, f"slow@{number}.example.com") for number in range(24)}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ENCORE_")} | {
        "ENCORE_DATA_DIR": str(shop.data_dir),
        "ENCORE_DATABASE_URL": shop.database_url,
        "ENCORE_SMTP_URL": shop.smtp_url,
        "ENCORE_MAIL_FROM": shop.mail_from,
        "ENCORE_OUTBOX_SECONDS": "0.1",
        "ENCORE_REFRESH_MINUTES": "0",
    }
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port=0"]
    for so_many in (5, 12):
        app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(1200):
            if len(smtp.lines()) >= so_many:
                break
            time.sleep(0.05)
        os.kill(app.pid, signal.SIGKILL)
        app.wait()
    time.sleep(0.5)
    # What the killed app held is taken up once its lease has run out.
    deliver(shop, clock=lambda: now() + LEASE * 2)
    arrived = Counter(str(line["to"][0]) for line in smtp.lines())  # type: ignore[index]  # a list of one
    states = {recipient: state(database, key).status for recipient, key in keys.items()}
    assert set(arrived.values()) <= {1}
    assert [recipient for recipient, status in states.items() if status == "sent" and arrived[recipient] != 1] == []
    assert Counter(states.values())["held_back"] <= 2
    assert Counter(states.values())["sent"] >= 22


def test_two_processes_share_the_work(shop: Settings, database: Engine, smtp: Smtp) -> None:
    for number in range(30):
        queue(database, f"ann@{number}.example.com")
    both = [sender(shop), sender(shop)]
    for process in both:
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()
    arrived = Counter(str(line["to"][0]) for line in smtp.lines())  # type: ignore[index]  # a list of one
    assert len(arrived) == 30
    assert set(arrived.values()) == {1}
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).where(outbox_messages.c.status == "sent")) == 30
