"""One person at work in the inboxes: what they do at random, on what they saw last, and what each act took."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection, Engine, select

from lib.db.engine import reading, writing
from lib.db.tables.columns import now
from lib.db.tables.tickets import tickets
from lib.errors import EncoreError
from lib.queues import review_inbox, ticket_inbox
from lib.queues.ticket import open_ticket
from lib.staff import Staff
from lib.workflows import desk, drafts, ticket_shape
from lib.workflows import reviews as review_work
from lib.workflows import tickets as ticket_work
from lib.workflows.ticket_mail import Way, mail_address

# What people do, and how often beside one another.
WEIGHTS = {
    "open": 20,
    "draft": 16,
    "answer": 16,
    "answer again": 4,
    "answer review": 10,
    "note": 6,
    "assign": 6,
    "assign many": 3,
    "snooze": 4,
    "close": 6,
    "close many": 3,
    "hear": 8,
    "merge": 4,
    "part": 2,
}


@dataclass(frozen=True, slots=True)
class Done:
    """One action: what, how long it took (milliseconds), the words it wrote and the key they got, or the refusal."""

    action: str
    took: float
    words: str = ""
    key: int | None = None
    refusal: str = ""


@dataclass(slots=True)
class Person:
    """Somebody at work: what they saw last, and what they did."""

    engine: Engine
    who: Staff
    chance: random.Random
    # What tells the words of this run from those of others, and the log's last entry before it.
    mark: str
    log_began: int
    # Ticket to the version that was on the screen: it may be stale by now, as a screen is.
    seen: dict[int, int] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)

    def act(self, number: int) -> None:
        """Do one thing. A refusal is an answer; any other error ends the run."""
        action = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if not self.seen:
            action = "open"
        words = f"{self.who.name} writes number {number} of {self.mark}"
        started, key, refusal = time.perf_counter(), None, ""
        try:
            key = ACTIONS[action](self, words)
        except EncoreError as error:
            refusal = str(error) or type(error).__name__
        self.done.append(Done(action, 1000 * (time.perf_counter() - started), words, key, refusal))

    def pick(self) -> tuple[int, int]:
        """A ticket and its version: mostly as it is, now and then as it was when this one last looked."""
        ticket_id, version = self.chance.choice(sorted(self.seen.items()))
        if self.chance.random() < 0.7:
            with reading(self.engine) as conn:
                version = conn.execute(select(tickets.c.version).where(tickets.c.ticket_id == ticket_id)).scalar_one()
            self.seen[ticket_id] = version
        return ticket_id, version


def _open(person: Person, _: str) -> None:
    at = now()
    with reading(person.engine) as conn:
        view = person.chance.choice((ticket_inbox.View.DUE, ticket_inbox.View.MINE, ticket_inbox.View.ALL))
        found = ticket_inbox.inbox(
            conn, view, ticket_inbox.Asked(), at=at, staff_id=person.who.staff_id, limit=20
        ).lines
        ticket_inbox.counts(conn, at=at, staff_id=person.who.staff_id)
        if not found:
            return
        line = person.chance.choice(found)
        open_ticket(conn, line.ticket_id)
    person.seen[line.ticket_id] = line.version
    with writing(person.engine) as conn:
        drafts.take(conn, person.who, "ticket", line.ticket_id, holder=person.who.name, at=at)


def _draft(person: Person, words: str) -> None:
    with writing(person.engine) as conn:
        drafts.save_draft(conn, person.who, "ticket", person.pick()[0], f"Begun: {words}", at=now())


def _answer(person: Person, words: str) -> int:
    ticket_id, version = person.pick()
    then = person.chance.choice(("waiting_for_customer", "open", "closed"))
    return _send(person, ticket_id, version, words, then)


def _answer_again(person: Person, words: str) -> int:
    """The same words sent twice, as by one who clicked again; the second may be refused, never taken as another."""
    ticket_id, version = person.pick()
    key = _send(person, ticket_id, version, words, "open")
    with suppress(EncoreError):
        _send(person, ticket_id, version, words, "open")
    return key


def _send(person: Person, ticket_id: int, version: int, words: str, then: str) -> int:
    with writing(person.engine) as conn:
        way = Way(email=mail_address(conn, ticket_id)[0])
        return ticket_work.answer(conn, person.who, ticket_id, words, version=version, at=now(), way=way, then=then)


def _answer_review(person: Person, words: str) -> int | None:
    at = now()
    with reading(person.engine) as conn:
        found = review_inbox.inbox(
            conn, review_inbox.View.ALL, review_inbox.Asked(), at=at, staff_id=person.who.staff_id, limit=20
        ).lines
    line = person.chance.choice(found)
    # Others may answer while this one thinks.
    time.sleep(person.chance.random() / 100)
    with writing(person.engine) as conn:
        way = review_work.Way(email=review_work.mail_address(conn, line.review_id)[0])
        review_work.publish_reply(conn, person.who, line.review_id, words, version=line.version, at=now(), way=way)
    return line.review_id


def _changing(change: Callable[[Person, Connection, int, int, str], object]) -> Callable[[Person, str], None]:
    def act(person: Person, words: str) -> None:
        ticket_id, version = person.pick()
        with writing(person.engine) as conn:
            change(person, conn, ticket_id, version, words)

    return act


def _note(person: Person, words: str) -> int:
    with writing(person.engine) as conn:
        return ticket_work.note(conn, person.who, person.pick()[0], words, at=now())


def _hear(person: Person, words: str) -> int:
    ticket_id, version = person.pick()
    with writing(person.engine) as conn:
        return ticket_work.hear(conn, person.who, ticket_id, words, version=version, at=now())


def _some(person: Person) -> dict[int, int]:
    return dict(person.chance.sample(sorted(person.seen.items()), min(4, len(person.seen))))


def _assign_many(person: Person, _: str) -> None:
    with writing(person.engine) as conn:
        desk.assign_all(conn, person.who, "ticket", _some(person), person.who.staff_id, at=now())


def _close_many(person: Person, _: str) -> None:
    with writing(person.engine) as conn:
        ticket_work.close_all(conn, person.who, _some(person), at=now())


def _merge(person: Person, _: str) -> None:
    (ticket_id, version), (into_id, into_version) = person.pick(), person.pick()
    with writing(person.engine) as conn:
        ticket_shape.merge(conn, person.who, ticket_id, into_id, version=version, into_version=into_version, at=now())


ACTIONS: dict[str, Callable[[Person, str], int | None]] = {
    "open": _open,
    "draft": _draft,
    "answer": _answer,
    "answer again": _answer_again,
    "answer review": _answer_review,
    "note": _note,
    "assign": _changing(
        lambda p, c, key, version, _: desk.assign(c, p.who, "ticket", key, p.who.staff_id, version=version, at=now())
    ),
    "assign many": _assign_many,
    "snooze": _changing(
        lambda p, c, key, version, _: desk.snooze(
            c, p.who, "ticket", key, now() + timedelta(seconds=p.chance.randrange(1, 600)), version=version, at=now()
        )
    ),
    "close": _changing(
        lambda p, c, key, version, _: ticket_work.set_status(c, p.who, key, "closed", version=version, at=now())
    ),
    "close many": _close_many,
    "hear": _hear,
    "merge": _merge,
    "part": _changing(lambda p, c, key, version, _: ticket_shape.part(c, p.who, key, version=version, at=now())),
}
