"""What customers ask about products, in tickets and as questions: read to see which guides are missing."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from lib.db.tables.orders import order_items
from lib.db.tables.products import products
from lib.db.tables.surveys import questions
from lib.db.tables.tickets import ticket_messages, tickets

# Of each kind no more are read, the newest first: what is missing does not change with the next thousand.
MOST = 10_000
# Of each so many characters.
LONGEST = 2_000
COLUMNS = ("kind", "key", "product", "text", "asked_at")


def asked_of_products(connection: Connection, since: datetime, until: datetime, most: int = MOST) -> pd.DataFrame:
    """What was asked in ``[since, until)``: the first words of tickets, spam and merged ones left out, and questions.

    A ticket is about its own product, else about that of its order where that has one alone.

    Returns:
        ``COLUMNS``: ``kind`` (``ticket`` or ``question``), ``key``, ``product`` (empty when unknown), ``text``,
        ``asked_at``; the newest first.
    """
    rows = [*_tickets(connection, since, until, most), *_questions(connection, since, until, most)]
    rows.sort(key=lambda row: row[-1], reverse=True)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _tickets(connection: Connection, since: datetime, until: datetime, most: int) -> list[tuple[Any, ...]]:
    row, said = tickets.c, ticket_messages.c
    newest = (
        select(row.ticket_id, row.subject, row.product_id, row.order_id, row.opened_at)
        .where(
            row.opened_at >= since,
            row.opened_at < until,
            row.status != "spam",
            row.is_started_by_us.is_(False),
            row.merged_into_id.is_(None),
        )
        .order_by(row.opened_at.desc(), row.ticket_id.desc())
        .limit(most)
        .subquery("newest")
    )
    one = newest.c
    first = (
        select(func.substr(said.body, 1, LONGEST))
        .where(said.ticket_id == one.ticket_id, said.author == "customer")
        .order_by(said.sent_at, said.ticket_message_id)
        .limit(1)
        .scalar_subquery()
    )
    item = order_items.c
    # min = max: one product alone.
    only = (
        select(func.min(item.product_id))
        .where(item.order_id == one.order_id, item.product_id.is_not(None))
        .having(func.min(item.product_id) == func.max(item.product_id))
        .scalar_subquery()
    )
    about = func.coalesce(one.product_id, only)
    found = connection.execute(
        select(one.ticket_id, one.subject, first.label("said"), products.c.name, one.opened_at).select_from(
            newest.outerjoin(products, products.c.product_id == about)
        )
    )
    return [
        ("ticket", r.ticket_id, r.name or "", "\n".join(part for part in (r.subject, r.said) if part), r.opened_at)
        for r in found
    ]


def _questions(connection: Connection, since: datetime, until: datetime, most: int) -> list[tuple[Any, ...]]:
    row = questions.c
    found = connection.execute(
        select(row.question_id, func.substr(row.body, 1, LONGEST).label("said"), products.c.name, row.asked_at)
        .select_from(questions.outerjoin(products, products.c.product_id == row.product_id))
        .where(row.asked_at >= since, row.asked_at < until)
        .order_by(row.asked_at.desc(), row.question_id.desc())
        .limit(most)
    )
    return [("question", r.question_id, r.name or "", r.said, r.asked_at) for r in found]
