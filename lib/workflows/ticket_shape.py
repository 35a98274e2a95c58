"""Which messages make one ticket: two that are one are merged, one that is two is split. No word is lost in either."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from lib.db import audit
from lib.db.service import settle
from lib.db.tables.tickets import ticket_messages, tickets
from lib.errors import InvalidInput
from lib.staff import May, Staff
from lib.workflows.desk import hold, locked
from lib.workflows.tickets import status_values


def merge(
    conn: Connection, by: Staff, ticket_id: int, into_id: int, *, version: int, into_version: int, at: datetime
) -> None:
    """Make two tickets one: the messages stay where they came in and are read together under the other.

    The merged one is closed, points to the other and counts in no figure. ``part`` takes it back.

    Raises:
        InvalidInput: a ticket into itself, or either was merged before.
        Conflict: somebody changed one of them meanwhile.
    """
    by.must(May.ANSWER_TICKETS)
    if ticket_id == into_id:
        raise InvalidInput("A ticket cannot be merged into itself. Choose another one.")
    hold(conn, "ticket", (ticket_id, into_id))
    row = locked(conn, "ticket", ticket_id, version=version, at=at)
    into = locked(conn, "ticket", into_id, version=into_version, at=at)
    assert row is not None and into is not None  # tickets have rows of their own
    if row["merged_into_id"] is not None or into["merged_into_id"] is not None:
        raise InvalidInput("One of them was merged into another ticket already. Open that one.")
    # What was merged into this one before comes along.
    conn.execute(update(tickets).where(tickets.c.merged_into_id == ticket_id).values(merged_into_id=into_id))
    conn.execute(
        update(tickets)
        .where(tickets.c.ticket_id == ticket_id)
        .values(
            merged_into_id=into_id,
            status="closed",
            closed_at=func.coalesce(tickets.c.closed_at, at),
            paused_since=None,
            version=tickets.c.version + 1,
        )
    )
    # Whoever still waits in the one that goes waits in the one that stays.
    opened = status_values(into, "open", at) if row["waiting_since"] is not None and into["status"] != "open" else {}
    conn.execute(update(tickets).where(tickets.c.ticket_id == into_id).values(**opened, version=tickets.c.version + 1))
    settle(conn, [ticket_id, into_id])
    for key, other in ((ticket_id, {"into": into_id}), (into_id, {"merged": ticket_id})):
        audit.record(conn, by, "ticket.merged", f"ticket:{key}", at=at, after=other)


def part(conn: Connection, by: Staff, ticket_id: int, *, version: int, at: datetime) -> None:
    """Take a merge back: the ticket is open again, with its own messages."""
    by.must(May.ANSWER_TICKETS)
    into_id = conn.scalar(select(tickets.c.merged_into_id).where(tickets.c.ticket_id == ticket_id))
    hold(conn, "ticket", [key for key in (ticket_id, into_id) if key is not None])
    row = locked(conn, "ticket", ticket_id, version=version, at=at)
    assert row is not None  # a ticket has a row of its own
    if row["merged_into_id"] is None:
        raise InvalidInput("This ticket was not merged into another.")
    conn.execute(
        update(tickets)
        .where(tickets.c.ticket_id == ticket_id)
        .values(merged_into_id=None, status="open", closed_at=None, version=tickets.c.version + 1)
    )
    settle(conn, [ticket_id, row["merged_into_id"]])
    audit.record(conn, by, "ticket.parted", f"ticket:{ticket_id}", at=at, before={"into": row["merged_into_id"]})


def split(conn: Connection, by: Staff, ticket_message_id: int, *, version: int, at: datetime) -> int:
    """Make a ticket of its own of one message of the customer, and return its key; it points back.

    Raises:
        InvalidInput: it is no message of a customer, or the only one.
        Conflict: somebody changed the ticket meanwhile.
    """
    by.must(May.ANSWER_TICKETS)
    message = (
        conn.execute(select(ticket_messages).where(ticket_messages.c.ticket_message_id == ticket_message_id))
        .mappings()
        .first()
    )
    if message is None or message["author"] != "customer":
        raise InvalidInput("Only a message of the customer can become a ticket of its own.")
    ticket_id = message["ticket_id"]
    row = locked(conn, "ticket", ticket_id, version=version, at=at)
    assert row is not None  # a ticket has a row of its own
    others = conn.scalar(
        select(func.count())
        .select_from(ticket_messages)
        .where(
            ticket_messages.c.ticket_id == ticket_id,
            ticket_messages.c.author == "customer",
            ticket_messages.c.ticket_message_id != ticket_message_id,
        )
    )
    if not others:
        raise InvalidInput("This is the customer's only message here: there is nothing to split it from.")
    values = {
        name: row[name]
        for name in ("customer_id", "order_id", "channel", "priority", "requester_name", "requester_email", "owner_id")
    }
    made = conn.execute(
        insert(tickets).values(
            **values,
            source="encore",
            external_id=f"split:{ticket_message_id}:{row['version']}",
            fingerprint="encore",
            status="open",
            subject=message["subject"] or row["subject"],
            opened_at=message["sent_at"],
            split_from_id=ticket_id,
            updated_at=at,
        )
    ).inserted_primary_key
    new_id = int((made or (0,))[0])
    conn.execute(
        update(ticket_messages)
        .where(ticket_messages.c.ticket_message_id == ticket_message_id)
        .values(ticket_id=new_id, updated_at=at)
    )
    conn.execute(update(tickets).where(tickets.c.ticket_id == ticket_id).values(version=tickets.c.version + 1))
    settle(conn, [ticket_id, new_id])
    for key, after in ((ticket_id, {"new": new_id}), (new_id, {"from": ticket_id})):
        told = {**after, "message": ticket_message_id}
        audit.record(conn, by, "ticket.split", f"ticket:{key}", at=at, after=told)
    return new_id
