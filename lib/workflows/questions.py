"""Answer a question about a product."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from lib.db import audit
from lib.db.tables.customers import customers
from lib.db.tables.surveys import answers, questions
from lib.errors import Conflict
from lib.outbox.queue import EMAIL, enqueue, is_address
from lib.staff import May, Staff
from lib.workflows import desk
from lib.workflows.tickets import cleaned, key_of

_SUBJECTS = {"de": "Unsere Antwort auf Ihre Frage", "en": "Our answer to your question"}


def answer_question(conn: Connection, by: Staff, question_id: int, text: str, *, version: int, at: datetime) -> bool:
    """Keep the answer, and mail it where there is an address; true when it was queued as a mail.

    She asked, so an answer needs no consent to advertising.

    Raises:
        NotAllowed: the role may not.
        InvalidInput: no words, or too many.
        Conflict: it was answered already, or somebody changed it since ``version``; nothing was written.
    """
    by.must(May.ANSWER_TICKETS)
    body = cleaned(text)
    row = (
        conn.execute(select(questions).where(questions.c.question_id == question_id).with_for_update())
        .mappings()
        .first()
    )
    desk.locked(conn, "question", question_id, version=version, at=at)
    if row is None or row["answered_at"] is not None:
        raise Conflict("This question was answered already, or is not there any more. Nothing was sent.")
    values = {"question_id": question_id, "staff_id": by.staff_id, "answered_at": at, "body": body}
    key = key_of(conn.execute(insert(answers).values(**values, updated_at=at)))
    conn.execute(update(questions).where(questions.c.question_id == question_id).values(answered_at=at, updated_at=at))
    is_mailed = _mail(conn, row["customer_id"], question_id, key, body, at)
    audit.record(
        conn,
        by,
        "question.answered",
        f"question:{question_id}",
        at=at,
        after={"answer": key, "by": ["mail"] if is_mailed else []},
        about=row["customer_id"],
        personal={"answer": body} if row["customer_id"] is not None else None,
    )
    return is_mailed


def _mail(conn: Connection, customer_id: int | None, question_id: int, key: int, body: str, at: datetime) -> bool:
    who = conn.execute(
        select(customers.c.email, customers.c.name, customers.c.language).where(
            customers.c.customer_id == customer_id, customers.c.erased_at.is_(None)
        )
    ).first()
    if who is None or not who.email or not is_address(who.email):
        return False
    enqueue(
        conn,
        idempotency_key=f"question:{question_id}:answer:{key}:email",
        channel=EMAIL,
        recipient=who.email,
        subject=_SUBJECTS["de" if (who.language or "").lower().startswith("de") else "en"],
        body=body,
        about="question",
        about_id=question_id,
        customer_id=customer_id,
        extra={"name": who.name or ""},
        at=at,
    )
    return True
