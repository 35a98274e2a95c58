"""What must hold after many worked at once: every accepted reply is there once, every refused one nowhere."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, func, select

from bench.person_at_work import Person
from lib.db import audit
from lib.db.engine import reading, writing
from lib.db.service import settle
from lib.db.tables.offers import outbox_messages
from lib.db.tables.reviews import review_replies
from lib.db.tables.staff import audit_log
from lib.db.tables.tickets import ticket_messages, tickets

# What the log calls them; a merge is told of both tickets.
LOGGED = {
    "answer": "ticket.answered",
    "answer again": "ticket.answered",
    "answer review": "review.replied",
    "note": "ticket.noted",
    "hear": "ticket.heard",
    "merge": "ticket.merged",
    "part": "ticket.parted",
    "snooze": "ticket.snoozed",
}


def broken(engine: Engine, persons: Sequence[Person]) -> list[str]:
    """Every promise that was broken, in words; none: every accepted reply is there once, every refused one nowhere."""
    found: list[str] = []
    with reading(engine) as conn:
        keys, ours = [person.who.staff_id for person in persons], f"%{persons[0].mark}"
        written, replied, mailed = (
            Counter(conn.scalars(select(column).where(column.like(ours), column.not_like("Begun:%"))).all())
            for column in (ticket_messages.c.body, review_replies.c.body, outbox_messages.c.body)
        )
        logged = Counter(
            tuple(row)
            for row in conn.execute(
                select(audit_log.c.staff_id, audit_log.c.action).where(
                    audit_log.c.staff_id.in_(keys), audit_log.c.audit_id > persons[0].log_began
                )
            )
        )
        for person in persons:
            found += _broken_of(person, written, replied, mailed, logged)
        if (fault := audit.verify(conn)) is not None:
            found.append(f"the log does not verify at {fault.audit_id}: {fault.reason}")
        found += _broken_tickets(conn)
    found += _broken_deadlines(engine)
    return found


def _broken_of(
    person: Person, written: Counter[str], replied: Counter[str], mailed: Counter[str],
    logged: Counter[tuple[object, ...]],
) -> list[str]:  # fmt: skip
    found = []
    told: Counter[str] = Counter()
    for one in person.done:
        wrote_ticket = one.action in {"answer", "answer again", "note", "hear"} and not one.refusal
        wrote_reply = one.action == "answer review" and not one.refusal
        leaves = one.action in {"answer", "answer again", "answer review"} and not one.refusal
        for name, there, wanted in (
            ("messages", written[one.words], wrote_ticket),
            ("replies to reviews", replied[one.words], wrote_reply),
            ("mails", mailed[one.words], leaves),
        ):
            if there != int(wanted):
                found.append(f"{one.words}: {one.action} {one.refusal or 'accepted'}, but {there} {name}")
        if not one.refusal and one.action in LOGGED:
            told[LOGGED[one.action]] += 2 if one.action == "merge" else 1
    for action, due in told.items():
        there = logged[(person.who.staff_id, action)]
        if action == "review.replied":
            there += logged[(person.who.staff_id, "review.corrected")]
        if there != due:
            found.append(f"{person.who.name}: {due} times {action}, but {there} entries in the log")
    return found


def _broken_tickets(conn: Connection) -> list[str]:
    found = []
    into = tickets.alias("into")
    chained = conn.scalar(
        select(func.count())
        .select_from(tickets.join(into, into.c.ticket_id == tickets.c.merged_into_id))
        .where(into.c.merged_into_id.is_not(None))
    )
    if chained:
        found.append(f"{chained} tickets are merged into one that was merged itself")
    alive = conn.scalar(
        select(func.count())
        .select_from(tickets)
        .where(tickets.c.merged_into_id.is_not(None), tickets.c.response_due_at.is_not(None))
    )
    if alive:
        found.append(f"{alive} tickets wait though they were merged away")
    gaps = conn.scalar(
        select(func.count()).select_from(
            select(review_replies.c.review_id)
            .group_by(review_replies.c.review_id)
            .having(func.max(review_replies.c.revision) != func.count())
            .subquery()
        )
    )
    if gaps:
        found.append(f"{gaps} reviews have versions of their reply missing or twice")
    return found


def _broken_deadlines(engine: Engine) -> list[str]:
    """Deadlines worked out anew must be those that are stored."""
    columns = (tickets.c.ticket_id, tickets.c.waiting_since, tickets.c.response_due_at)
    worked = select(*columns).where(tickets.c.version > 1)
    with writing(engine) as conn:
        before = {row.ticket_id: tuple(row) for row in conn.execute(worked)}
        settle(conn, before)
        after = {row.ticket_id: tuple(row) for row in conn.execute(worked)}
    return [
        f"ticket {key}: stored {before[key][1:]}, due {after[key][1:]}" for key in before if before[key] != after[key]
    ]
