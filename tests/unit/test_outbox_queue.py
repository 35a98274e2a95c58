"""What leaves the house is queued once, claimed by one, and its end is known or said to be unknown."""

import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update

from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.customers import customers
from lib.db.tables.offers import outbox_messages
from lib.db.tables.store import store as store_table
from lib.errors import Conflict, MessageRefused
from lib.outbox import claims
from lib.outbox.claims import LEASE, MAYBE_SENT, MOST_ATTEMPTS, Message, pause_after
from lib.outbox.queue import DEMO, enqueue, enqueue_many, is_address

BOTH = ("email", "webhook")


def queue(database: Engine, at: datetime, key: str = "review:1:reply:1", **values: Any) -> int:
    told = {"channel": "email", "recipient": "ann@example.com", "subject": "Your review", "body": "Thank you, Ann."}
    with writing(database) as connection:
        return enqueue(connection, idempotency_key=key, at=at, **{**told, **values})


def take(database: Engine, at: datetime) -> Message:
    with writing(database) as connection:
        found = claims.claim(connection, channels=BOTH, at=at)
    assert found is not None
    return found


def state(database: Engine, key: int) -> Any:
    with reading(database) as connection:
        return connection.execute(select(outbox_messages).where(outbox_messages.c.outbox_message_id == key)).one()


def count(database: Engine) -> int:
    with reading(database) as connection:
        return connection.scalar(select(func.count()).select_from(outbox_messages)) or 0


def test_queueing_twice_is_queueing_once(database: Engine, store: Store, noon: datetime) -> None:
    first = queue(database, noon, about="review", about_id=1)
    assert queue(database, noon, body="Something else.") == first
    assert count(database) == 1
    assert state(database, first).body == "Thank you, Ann."
    assert (state(database, first).status, state(database, first).due_at) == ("queued", noon)


def test_many_messages_are_queued_like_one_each_once(database: Engine, store: Store, noon: datetime) -> None:
    queue(database, noon, "offer:1:customer:2")
    told: dict[str, Any] = {
        "channel": "email",
        "subject": "Refill",
        "body": "Soon empty?",
        "at": noon,
        "offer_id": None,
    }
    letters = [{**told, "idempotency_key": f"offer:1:customer:{n}", "recipient": f"c{n}@example.com"} for n in range(5)]
    for _ in range(2):
        with writing(database) as connection:
            enqueue_many(connection, letters)
        assert count(database) == 5
    with pytest.raises(MessageRefused), writing(database) as connection:
        enqueue_many(connection, [{**letters[0], "idempotency_key": "x"}, {**letters[1], "recipient": "nobody"}])
    assert count(database) == 5


def test_many_at_once_queue_one_message(database: Engine, store: Store, noon: datetime) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(queue(database, noon))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert count(database) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipient": None},
        {"recipient": "no address"},
        {"recipient": "ann@example.com\nBcc: all@example.com"},
        {"recipient": "ann@example.com, bob@example.com"},
        {"subject": "Hello\r\nBcc: all@example.com"},
        {"subject": " "},
        {"body": " \n"},
        {"channel": "webhook", "body": "no json"},
    ],
)
def test_what_cannot_leave_is_refused_and_not_queued(
    database: Engine, store: Store, noon: datetime, wrong: dict[str, Any]
) -> None:
    with pytest.raises(MessageRefused):
        queue(database, noon, **wrong)
    assert count(database) == 0


def test_addresses_that_could_end_a_header_or_a_command_are_none() -> None:
    assert is_address("ann.o'neil+shop@mail.example.co.uk")
    assert is_address("jürgen@exämple.de")
    for text in (
        "ann",
        "ann@example",
        "<ann@example.com>",
        "ann@example.com>",
        "a b@example.com",
        "ann@exa\u202emple.com",
    ):
        assert not is_address(text), text


def test_the_demo_store_holds_back_everything(database: Engine, store: Store, noon: datetime) -> None:
    before = queue(database, noon, "a")
    with writing(database) as connection:
        connection.execute(update(store_table).values(is_demo=True))
    after = queue(database, noon, "b")
    assert (state(database, after).status, state(database, after).failure) == ("held_back", DEMO)
    with writing(database) as connection:
        assert claims.claim(connection, channels=BOTH, at=noon) is None
    assert (state(database, before).status, state(database, before).failure) == ("held_back", DEMO)


def test_an_erased_or_invented_customer_gets_nothing(database: Engine, store: Store, noon: datetime) -> None:
    told = {"fingerprint": "x", "updated_at": noon}
    with writing(database) as connection:
        connection.execute(
            insert(customers), [{**told, "customer_id": 1, "source": "shop", "external_id": "1", "erased_at": noon}]
        )
        connection.execute(insert(customers), [{**told, "customer_id": 2, "source": "demo", "external_id": "2"}])
    erased, invented = queue(database, noon, "a", customer_id=1), queue(database, noon, "b", customer_id=2)
    wanted = queue(database, noon, "c")
    assert take(database, noon).outbox_message_id == wanted
    assert state(database, erased).failure == claims.ERASED
    assert state(database, invented).failure == DEMO


def test_a_claimed_message_is_nobody_elses_until_its_sender_is_dead(
    database: Engine, store: Store, noon: datetime
) -> None:
    key = queue(database, noon)
    first = take(database, noon)
    with writing(database) as connection:
        assert claims.claim(connection, channels=BOTH, at=noon) is None
        assert claims.recover(connection, at=noon + LEASE - timedelta(seconds=1)) == (0, 0)
        assert claims.recover(connection, at=noon + LEASE) == (1, 0)
    second = take(database, noon + LEASE)
    assert second.outbox_message_id == first.outbox_message_id == key
    with pytest.raises(Conflict), writing(database) as connection:
        claims.hand_over(connection, first, at=noon + LEASE)
    with pytest.raises(Conflict), writing(database) as connection:
        claims.mark_sent(connection, first, at=noon + LEASE)
    with writing(database) as connection:
        claims.mark_sent(connection, second, at=noon + LEASE)
    assert (state(database, key).status, state(database, key).attempts) == ("sent", 2)


def test_a_mail_whose_sender_died_while_handing_it_over_waits_for_a_person(
    database: Engine, store: Store, noon: datetime
) -> None:
    key = queue(database, noon)
    message = take(database, noon)
    with writing(database) as connection:
        claims.hand_over(connection, message, mail_id="1@shop.example", at=noon)
        assert claims.recover(connection, at=noon + LEASE) == (0, 1)
        assert claims.claim(connection, channels=BOTH, at=noon + timedelta(days=9)) is None
    kept = state(database, key)
    assert (kept.status, kept.failure, kept.mail_id) == ("held_back", MAYBE_SENT, "1@shop.example")


def test_a_webhook_whose_sender_died_is_sent_again(database: Engine, store: Store, noon: datetime) -> None:
    key = queue(database, noon, channel="webhook", recipient=None, subject=None, body="{}")
    message = take(database, noon)
    with writing(database) as connection:
        claims.hand_over(connection, message, at=noon)
        assert claims.recover(connection, at=noon + LEASE) == (1, 0)
    assert take(database, noon + LEASE).outbox_message_id == key


def test_pauses_double_from_a_minute_to_four_hours_with_some_chance() -> None:
    assert [pause_after(n, 0).total_seconds() / 60 for n in range(1, 13)] == [1, 2, 4, 8, 16, 32, 64, 128, *[240] * 4]
    assert pause_after(3, 1.0) == timedelta(minutes=6)


def test_after_the_last_attempt_it_fails_with_the_reason(database: Engine, store: Store, noon: datetime) -> None:
    key, at = queue(database, noon), noon
    for attempt in range(1, MOST_ATTEMPTS + 1):
        message = take(database, at)
        assert message.attempts == attempt
        with writing(database) as connection:
            claims.try_later(connection, message, "The mail server is busy.", at=at, chance=lambda: 0.5)
            assert claims.claim(connection, channels=BOTH, at=at) is None
        at += timedelta(hours=6)
    kept = state(database, key)
    assert kept.status == "failed"
    assert kept.failure == "The mail server is busy. Encore gave up after 12 attempts."


def test_threads_that_deliver_at_once_get_each_message_once(database: Engine, store: Store, noon: datetime) -> None:
    for number in range(40):
        queue(database, noon, f"message:{number}")
    delivered: Counter[int] = Counter()

    def deliver() -> None:
        while True:
            with writing(database) as connection:
                message = claims.claim(connection, channels=BOTH, at=noon)
            if message is None:
                return
            delivered[message.outbox_message_id] += 1
            with writing(database) as connection:
                claims.mark_sent(connection, message, at=noon)

    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(delivered) == 40
    assert set(delivered.values()) == {1}
