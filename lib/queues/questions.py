"""Questions about products that nobody has answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from lib.db.tables.products import products
from lib.db.tables.surveys import UNANSWERED, questions
from lib.queues.listing import RECENT, Need, Page, count_up_to, counted, read_page, waited

KEY = "questions"


def _waiting(at: datetime, *columns: Any) -> Select[Any]:
    return select(*columns).where(UNANSWERED, questions.c.asked_at > at - RECENT, questions.c.asked_at <= at)


def need(connection: Connection, at: datetime) -> Need | None:
    """How many questions wait, and the oldest; null when none does."""
    count = count_up_to(connection, _waiting(at, questions.c.question_id))
    if not count:
        return None
    oldest = connection.execute(_waiting(at, func.min(questions.c.asked_at))).scalar_one()
    return Need(
        key=KEY,
        count=count,
        title=counted(count, "question unanswered", "questions unanswered"),
        detail=f"The oldest waits {waited(oldest, at)}",
        is_urgent=False,
    )


def waiting(connection: Connection, at: datetime, *, after: tuple[Any, ...] | None = None, limit: int = 50) -> Page:
    """The questions without an answer, oldest first."""
    statement = _waiting(
        at,
        questions.c.asked_at.label("Asked"),
        products.c.name.label("Product"),
        questions.c.body.label("Question"),
    ).outerjoin_from(questions, products, products.c.product_id == questions.c.product_id)
    order = (questions.c.asked_at, questions.c.question_id)
    return read_page(connection, statement, order=order, after=after, limit=limit)
