"""Other programs tell of bounces, unsubscribes and complaints: only who knows the secret, and each event once."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update
from starlette.applications import Starlette

from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.db.tables.customers import consents, customers
from lib.db.tables.offers import contact_events, offer_assignments, offers, outbox_messages
from lib.errors import InvalidInput, NotAllowed
from lib.outbox.queue import enqueue
from lib.outbox.webhook import signature
from lib.settings import Settings
from lib.ui import hooks
from lib.ui.visit import Kind, Visitor
from lib.ui.wall import Wall
from lib.workflows.contact_hook import MOST_EVENTS, Told, signed_events, take_events
from tests.asgi_client import AppClient

SECRET = "s3cret-of-the-hook"


async def nobody(_scope: Any, *, is_action: bool = True) -> Visitor:
    return Visitor(Kind.NOBODY)


@pytest.fixture
def ann(database: Engine, store: Store, noon: datetime) -> int:
    """A customer who got an offer by mail, and for whom another message of it waits."""
    with writing(database) as connection:
        key = connection.execute(
            insert(customers)
            .values(
                source="test",
                external_id="ann",
                fingerprint="ann",
                email="Ann@Example.com",
                email_normalised="ann@example.com",
            )
            .returning(customers.c.customer_id)
        ).scalar_one()
        offer = connection.execute(
            insert(offers)
            .values(source="encore", external_id="o", fingerprint="o", name="Again", kind="coupon", status="running")
            .returning(offers.c.offer_id)
        ).scalar_one()
        connection.execute(
            insert(offer_assignments).values(offer_id=offer, customer_id=key, arm="treatment", assigned_at=noon)
        )
        told: dict[str, Any] = {"channel": "email", "recipient": "ann@example.com", "subject": "s", "body": "b"}
        sent = enqueue(connection, idempotency_key="1", customer_id=key, offer_id=offer, at=noon, **told)
        enqueue(connection, idempotency_key="2", customer_id=key, offer_id=offer, at=noon, **told)
        connection.execute(
            update(outbox_messages)
            .where(outbox_messages.c.outbox_message_id == sent)
            .values(status="sent", sent_at=noon, mail_id="encore.1@shop.example")
        )
    return int(key)


@pytest.fixture
def program(database: Engine, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> AppClient:
    monkeypatch.setattr(hooks, "settings", lambda: replace(settings, hook_secret=SECRET))
    return AppClient(Wall(Starlette(routes=hooks.routes()), ask=nobody), "http://localhost")


def send(
    program: AppClient, told: object, *, secret: str = SECRET, ago: float = 0, signed: bytes | None = None
) -> tuple[int, Any]:
    body = json.dumps(told).encode()
    seconds = int(now().timestamp() - ago)
    headers = {"Encore-Signature": signature(secret, seconds, body if signed is None else signed)}
    answer = program.post("/hooks/contact", content=body, headers=headers)
    return answer.status_code, answer.json()


def count(database: Engine) -> int:
    with reading(database) as connection:
        return connection.scalar(select(func.count()).select_from(contact_events)) or 0


def event(key: str = "e1", kind: str = "complained", **more: Any) -> dict[str, Any]:
    return {"id": key, "kind": kind, "email": " ANN@example.com"} | more


def test_a_complaint_withdraws_consent_and_holds_what_waits(program: AppClient, database: Engine, ann: int) -> None:
    assert send(program, event()) == (200, {"noted": 1, "known": 0, "unknown": 0})
    with reading(database) as connection:
        kept = connection.execute(select(contact_events)).one()
        consent = connection.execute(select(consents)).one()
        messages = connection.execute(select(outbox_messages).order_by(outbox_messages.c.outbox_message_id)).all()
        drawn = connection.execute(select(offer_assignments)).one()
    assert (kept.customer_id, kept.kind, kept.source) == (ann, "complained", "webhook")
    assert (consent.state, consent.channel) == ("withdrawn", "email")
    assert [(one.status, one.failure) for one in messages] == [
        ("sent", None),
        ("held_back", "The customer reported a mail as spam."),
    ]
    assert messages[1].due_at is None
    assert drawn.held_back == "complained"


def test_a_bounce_is_found_by_the_mail_and_says_which_offer(program: AppClient, database: Engine, ann: int) -> None:
    told = {"id": "b", "kind": "bounced", "message_id": "<encore.1@shop.example>"}
    assert send(program, told)[1]["noted"] == 1
    with reading(database) as connection:
        kept = connection.execute(select(contact_events)).one()
        assert connection.scalar(select(func.count()).select_from(consents)) == 0
    assert kept.customer_id == ann
    assert kept.offer_id is not None


def test_opening_is_noted_where_the_offer_is_read(program: AppClient, database: Engine, ann: int) -> None:
    told = {"id": "o", "kind": "opened", "message_id": "encore.1@shop.example", "at": "2026-03-02T13:00:00+01:00"}
    assert send(program, told)[0] == 200
    with reading(database) as connection:
        drawn = connection.execute(select(offer_assignments)).one()
        statuses = list(
            connection.scalars(select(outbox_messages.c.status).order_by(outbox_messages.c.outbox_message_id))
        )
    assert drawn.opened_at is not None
    assert (drawn.opened_at.isoformat(), drawn.held_back) == ("2026-03-02T12:00:00+00:00", None)
    assert statuses == ["sent", "queued"]


def test_telling_twice_is_telling_once(program: AppClient, database: Engine, ann: int) -> None:
    assert send(program, event())[1]["noted"] == 1
    assert send(program, event())[1] == {"noted": 0, "known": 1, "unknown": 0}
    assert count(database) == 1


def test_what_was_overheard_cannot_be_sent_again_later_or_changed(
    program: AppClient, database: Engine, ann: int
) -> None:
    for status, words in (
        (send(program, event(), ago=301), "more than 5 minutes old"),
        (send(program, event(), ago=-301), "more than 5 minutes old"),
        (send(program, event(), secret="another-secret-of-16"), "not right"),
        (send(program, event(), signed=json.dumps(event("other")).encode()), "not right"),
    ):
        assert status[0] == 401
        assert words in status[1]["error"]
    for header in ("", "t=1", "v1=00", f"t=1,v1={'0' * 64},v1={'0' * 64}", "t=99999999999999,v1=" + "0" * 64):
        answer = program.post("/hooks/contact", content=b"{}", headers={"Encore-Signature": header})
        assert answer.status_code == 401
    assert count(database) == 0


def test_without_a_secret_nothing_is_taken(
    program: AppClient, database: Engine, settings: Settings, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "settings", lambda: replace(settings, hook_secret=""))
    assert send(program, event(), secret="")[0] == 404
    assert count(database) == 0
    with pytest.raises(NotAllowed):
        signed_events("", signature("", 1, b"{}"), b"{}", at=now())


def test_a_body_that_is_too_large_is_not_read(program: AppClient, database: Engine, ann: int) -> None:
    assert send(program, [event("x" * 100)] * 4000)[0] == 413
    assert count(database) == 0


def test_one_event_that_makes_no_sense_keeps_all_out(program: AppClient, database: Engine, ann: int) -> None:
    later = now() + timedelta(hours=1)
    for wrong in (
        {},
        "x",
        event(key=""),
        event(key="a\nb"),
        event(kind="deleted"),
        {"id": "1", "kind": "bounced"},
        event(at="yesterday"),
        event(at="2026-03-02T12:00:00"),
        event(at=later.isoformat()),
    ):
        status, told = send(program, {"events": [event("good"), wrong]})
        assert status == 422, wrong
        assert told["error"].startswith("Event 2")
    assert send(program, {"events": []})[0] == 422
    assert count(database) == 0


def test_nobody_that_the_store_knows_is_counted_and_not_kept(program: AppClient, database: Engine, ann: int) -> None:
    told = [event("1", email="someone@else.example"), event("2", email="no address"), event("3", kind="bounced")]
    assert send(program, told) == (200, {"noted": 1, "known": 0, "unknown": 2})
    assert count(database) == 1


def test_two_customers_with_one_address_are_both_held(database: Engine, ann: int, noon: datetime) -> None:
    with writing(database) as connection:
        connection.execute(
            insert(customers).values(
                source="test",
                external_id="2",
                fingerprint="2",
                email="ann@example.com",
                email_normalised="ann@example.com",
            )
        )
        assert take_events(connection, event(), at=noon) == Told(noted=1)
        assert take_events(connection, event(), at=noon) == Told(known=1)
    assert count(database) == 2


def test_so_many_at_once_and_no_more(database: Engine, ann: int, noon: datetime) -> None:
    with writing(database) as connection, pytest.raises(InvalidInput, match="1 to 500"):
        take_events(connection, [event(str(n)) for n in range(MOST_EVENTS + 1)], at=noon)
    assert count(database) == 0
