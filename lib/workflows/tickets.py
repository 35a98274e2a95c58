"""What staff do to a ticket: answer it, note something, close and reopen it, and set its priority, topic and links.

Nothing anybody wrote is deleted or changed. How an answer leaves is in ``ticket_mail.py``,
merging and splitting in ``ticket_shape.py``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from lib.db import audit
from lib.db.service import settle
from lib.db.tables.orders import orders
from lib.db.tables.products import products
from lib.db.tables.tickets import TICKET_PRIORITIES, ticket_messages, tickets
from lib.errors import Conflict, InvalidInput
from lib.staff import May, Staff
from lib.workflows.desk import hold, locked
from lib.workflows.drafts import drop_draft
from lib.workflows.ticket_mail import Way, mail_address, send

LONGEST_MESSAGE = 20_000
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def answer(
    conn: Connection,
    by: Staff,
    ticket_id: int,
    text: str,
    *,
    version: int,
    at: datetime,
    way: Way | None = None,
    then: str = "waiting_for_customer",
) -> int:
    """Answer the customer and return the message's key. Sending the very same words twice is sending them once.

    Args:
        then: the status afterwards: ``waiting_for_customer``, ``open`` or ``closed``.

    Raises:
        NotAllowed: the role may not.
        InvalidInput: no words, too many, or a way that this ticket has not.
        Conflict: somebody else answered or changed it since ``version``; nothing was sent.
    """
    by.must(May.ANSWER_TICKETS)
    body = cleaned(text)
    if then not in {"waiting_for_customer", "open", "closed"}:
        raise InvalidInput("After an answer a ticket waits for the customer, stays open or is closed.")
    try:
        row = _locked(conn, ticket_id, version, at)
    except Conflict:
        if (known := _same_again(conn, by, ticket_id, body, is_public=True)) is not None:
            return known
        raise
    if row["status"] == "spam":
        raise InvalidInput("This is marked as spam. Take that back before you answer it.")
    way = way or Way()
    if way.email is not None and way.email != mail_address(conn, ticket_id)[0]:
        raise InvalidInput("This answer cannot be mailed to that address. Open the ticket again.")
    message_id = _write(conn, by, ticket_id, body, is_public=True, at=at)
    values: dict[str, Any] = {"first_response_at": func.coalesce(tickets.c.first_response_at, at)}
    # Who answers what is nobody's takes it.
    values |= {"owner_id": func.coalesce(tickets.c.owner_id, by.staff_id), "snoozed_until": None}
    values |= status_values(row, then, at)
    _change(conn, ticket_id, values)
    settle(conn, [ticket_id])
    drop_draft(conn, by, "ticket", ticket_id)
    send(conn, row, message_id, body, way, at)
    ways = [name for name, on in (("mail", way.email), ("webhook", way.webhook)) if on]
    after = {"message": message_id, "status": then, "by": ways}
    record(conn, by, row, "answered", at, after=after, personal={"answer": body})
    return message_id


def note(conn: Connection, by: Staff, ticket_id: int, text: str, *, at: datetime) -> int:
    """Write something down for colleagues alone; it never leaves the house and stops no clock.

    A note loses nothing of others, so no version is asked; the same words twice are one note.
    """
    by.must(May.ANSWER_TICKETS)
    body = cleaned(text)
    row = _locked(conn, ticket_id, None, at)
    if (known := _same_again(conn, by, ticket_id, body, is_public=False)) is not None:
        return known
    message_id = _write(conn, by, ticket_id, body, is_public=False, at=at)
    drop_draft(conn, by, "ticket", ticket_id)
    record(conn, by, row, "noted", at, after={"message": message_id}, personal={"note": body})
    return message_id


def hear(conn: Connection, by: Staff, ticket_id: int, text: str, *, version: int, at: datetime) -> int:
    """Write down what the customer said, on the phone for instance; it reopens a closed ticket."""
    by.must(May.ANSWER_TICKETS)
    body = cleaned(text)
    row = _locked(conn, ticket_id, version, at)
    values = {"ticket_id": ticket_id, "author": "customer", "is_public": True, "sent_at": at, "updated_at": at}
    message_id = key_of(conn.execute(insert(ticket_messages).values(**values, body=body)))
    _change(conn, ticket_id, status_values(row, "open", at))
    settle(conn, [ticket_id])
    record(conn, by, row, "heard", at, after={"message": message_id}, personal={"words": body})
    return message_id


def set_status(conn: Connection, by: Staff, ticket_id: int, status: str, *, version: int, at: datetime) -> None:
    """Close it, reopen it, wait for the customer, or mark it as spam; spam counts in no figure and stays readable.

    Raises:
        InvalidInput: no such status, or it has that status already.
        Conflict: somebody changed it since ``version``.
    """
    by.must(May.ANSWER_TICKETS)
    if status not in {"open", "waiting_for_customer", "closed", "spam"}:
        raise InvalidInput("A ticket is open, waits for the customer, is closed or is spam.")
    row = _locked(conn, ticket_id, version, at)
    if row["status"] == status:
        raise InvalidInput("It has that status already.")
    _change(conn, ticket_id, status_values(row, status, at))
    settle(conn, [ticket_id])
    verbs = {"closed": "closed", "open": "reopened", "spam": "marked_spam", "waiting_for_customer": "waits"}
    record(conn, by, row, verbs[status], at, before={"status": row["status"]}, after={"status": status})


def close_all(conn: Connection, by: Staff, versions: Mapping[int, int], *, at: datetime) -> list[int]:
    """Close several; those that others changed meanwhile, or that are closed already, are returned."""
    by.must(May.ANSWER_TICKETS)
    hold(conn, "ticket", versions)
    kept = []
    for key, version in sorted(versions.items()):
        try:
            set_status(conn, by, key, "closed", version=version, at=at)
        except (Conflict, InvalidInput):
            kept.append(key)
    return kept


def set_priority(conn: Connection, by: Staff, ticket_id: int, priority: str, *, version: int, at: datetime) -> None:
    """Say how urgent it is."""
    by.must(May.WORK_QUEUE)
    if priority not in TICKET_PRIORITIES:
        raise InvalidInput(f"A priority is one of {', '.join(TICKET_PRIORITIES)}.")
    _set(conn, by, ticket_id, {"priority": priority}, "prioritised", version=version, at=at)


def set_topic(conn: Connection, by: Staff, ticket_id: int, topic: str | None, *, version: int, at: datetime) -> None:
    """Say what it is about; null: unknown."""
    by.must(May.WORK_QUEUE)
    kept = " ".join(CONTROL.sub("", topic or "").split())[:100] or None
    _set(conn, by, ticket_id, {"topic": kept}, "sorted", version=version, at=at)


def link(
    conn: Connection,
    by: Staff,
    ticket_id: int,
    *,
    order_number: str | None = None,
    product_id: int | None = None,
    version: int,
    at: datetime,
) -> None:
    """Say which order and which product it is about; an order also tells whose ticket it is.

    Raises:
        InvalidInput: no such order or product.
    """
    by.must(May.WORK_QUEUE)
    values: dict[str, Any] = {"order_id": None, "product_id": None}
    if order_number and (wanted := order_number.strip()):
        found = conn.execute(
            select(orders.c.order_id, orders.c.customer_id)
            .where(orders.c.number.in_({wanted, f"#{wanted.lstrip('#')}", wanted.lstrip("#")}))
            .order_by(orders.c.placed_at.desc())
            .limit(1)
        ).first()
        if found is None:
            raise InvalidInput(f"There is no order {wanted[:60]}. Type its number as it stands on the order.")
        values["order_id"] = found.order_id
        if found.customer_id is not None:
            values["customer_id"] = found.customer_id
    if product_id is not None:
        if conn.scalar(select(products.c.product_id).where(products.c.product_id == product_id)) is None:
            raise InvalidInput("There is no such product any more.")
        values["product_id"] = product_id
    _set(conn, by, ticket_id, values, "linked", version=version, at=at)


def _set(
    conn: Connection, by: Staff, ticket_id: int, values: dict[str, Any], verb: str, *, version: int, at: datetime
) -> None:
    row = _locked(conn, ticket_id, version, at)
    _change(conn, ticket_id, values)
    record(conn, by, row, verb, at, before={name: row[name] for name in values}, after=values)


def _locked(conn: Connection, ticket_id: int, version: int | None, at: datetime) -> dict[str, Any]:
    """The ticket, held until the transaction ends.

    Raises:
        Conflict: it is gone or was changed.
        InvalidInput: it was merged into another.
    """
    row = locked(conn, "ticket", ticket_id, version=version, at=at)
    assert row is not None  # a ticket has a row of its own
    if row["merged_into_id"] is not None:
        raise InvalidInput(f"This ticket was merged into ticket {row['merged_into_id']}. Go on there.")
    return {str(name): row[name] for name in row}


def status_values(row: Mapping[str, Any], status: str, at: datetime) -> dict[str, Any]:
    """What changes with the status: when it closed or reopened, and the time that waits for the customer."""
    values: dict[str, Any] = {"status": status}
    if status == "closed":
        values["closed_at"] = at
    elif row["status"] == "closed" and status in {"open", "waiting_for_customer"}:
        values |= {"closed_at": None, "reopened_at": at, "reopened_count": tickets.c.reopened_count + 1}
    if status == "waiting_for_customer":
        values["paused_since"] = row["paused_since"] or at
    elif row["paused_since"] is not None:
        paused = max(0, int((at - row["paused_since"]).total_seconds()))
        values |= {"paused_since": None, "paused_seconds": tickets.c.paused_seconds + paused}
    return values


def _change(conn: Connection, ticket_id: int, values: Mapping[str, Any]) -> None:
    conn.execute(
        update(tickets).where(tickets.c.ticket_id == ticket_id).values(**values, version=tickets.c.version + 1)
    )


def _write(conn: Connection, by: Staff, ticket_id: int, body: str, *, is_public: bool, at: datetime) -> int:
    values = {"staff_id": by.staff_id, "is_public": is_public, "sent_at": at, "updated_at": at}
    return key_of(
        conn.execute(insert(ticket_messages).values(ticket_id=ticket_id, author="staff", body=body, **values))
    )


def _same_again(conn: Connection, by: Staff, ticket_id: int, body: str, *, is_public: bool) -> int | None:
    """The newest message, when it is this very one of the same person."""
    message = ticket_messages.c
    last = conn.execute(
        select(message.ticket_message_id, message.body, message.staff_id, message.author, message.is_public)
        .where(message.ticket_id == ticket_id)
        .order_by(message.sent_at.desc(), message.ticket_message_id.desc())
        .limit(1)
    ).first()
    if last is None or (last.author, last.staff_id, last.body, last.is_public) != (
        "staff",
        by.staff_id,
        body,
        is_public,
    ):
        return None
    return int(last.ticket_message_id)


def cleaned(text: str) -> str:
    """The words of a message, without signs that no reader can see.

    Raises:
        InvalidInput: no words, or too many.
    """
    body = CONTROL.sub("", text).strip()
    if not body:
        raise InvalidInput("Write something first: there are no words to send.")
    if len(body) > LONGEST_MESSAGE:
        raise InvalidInput(f"A message has at most {LONGEST_MESSAGE:,} characters; this one has {len(body):,}.")
    return body


def key_of(result: Any) -> int:
    """The key of the row that was inserted."""
    return int((result.inserted_primary_key or (0,))[0])


def record(
    conn: Connection,
    by: Staff,
    row: Mapping[str, Any],
    verb: str,
    at: datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> None:
    """Put it into the log; what is personal is sealed, or left out where nobody knows whose it is."""
    about = row["customer_id"]
    audit.record(
        conn,
        by,
        f"ticket.{verb}",
        f"ticket:{row['ticket_id']}",
        at=at,
        before=before,
        after=after,
        about=about,
        personal=personal if about is not None else None,
    )
