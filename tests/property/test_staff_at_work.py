"""Ten people work the same inbox at once: every accepted reply is there once, every refused one left no trace."""

import pytest
from sqlalchemy import Engine, insert, select

from bench.nothing_lost import broken
from bench.staff_at_work import at_work, furnish
from lib.db.engine import writing
from lib.db.store import Store
from lib.db.tables.tickets import ticket_messages


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_people_at_once_lose_nothing_and_send_nothing_twice(database: Engine, store: Store, seed: int) -> None:
    # So few tickets that they meet at every step.
    persons = at_work(database, furnish(database, 10, work=8), actions=25, pause=0, seed=seed)
    assert broken(database, persons) == []
    done = [one for person in persons for one in person.done]
    assert len(done) == 250
    # They did meet, and not everybody was turned away.
    assert any(one.refusal for one in done)
    assert sum(one.action == "answer" and not one.refusal for one in done) > 10


def test_a_reply_that_is_lost_or_doubled_would_be_found(database: Engine, store: Store) -> None:
    persons = at_work(database, furnish(database, 2, work=3), actions=20, pause=0)
    assert broken(database, persons) == []
    (first, *_) = [one for person in persons for one in person.done if one.action == "answer" and not one.refusal]
    with writing(database) as conn:
        (row,) = conn.execute(select(ticket_messages).where(ticket_messages.c.body == first.words)).mappings()
        conn.execute(
            insert(ticket_messages).values({name: row[name] for name in ("ticket_id", "author", "sent_at", "body")})
        )
    assert any("2 messages" in fault for fault in broken(database, persons))
