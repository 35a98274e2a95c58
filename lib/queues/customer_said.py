"""What a customer said, and what was said to her: reviews, tickets, questions, surveys, messages and offers."""

from typing import Any

from sqlalchemy import Row, func, select

from lib.db.tables.offers import offer_assignments, offers, outbox_messages
from lib.db.tables.products import products
from lib.db.tables.reviews import reviews
from lib.db.tables.surveys import questions, survey_answers, surveys
from lib.db.tables.tickets import tickets
from lib.queues.customer_event import ME, WORDS, Happened, Kind, Place

_REVIEWS = (
    select(reviews, products.c.name.label("product"))
    .outerjoin(products, products.c.product_id == reviews.c.product_id)
    .where(reviews.c.customer_id == ME, reviews.c.state != "spam")
)


def _review(row: Row[Any], _: Place) -> Happened:
    parts = [row.product or "", "answered" if row.answered_at else ""]
    return Happened(
        kind="review",
        key=row.review_id,
        at=row.written_at,
        title=f"{row.rating} star{'' if row.rating == 1 else 's'}",
        detail=", ".join(part for part in parts if part),
        words=(row.title or row.body or "")[:WORDS],
        is_bad=row.rating <= 2,
    )


_TICKETS = select(tickets).where(tickets.c.customer_id == ME)


def _ticket(row: Row[Any], _: Place) -> Happened:
    state = row.status.replace("_", " ")
    if row.merged_into_id is not None:
        state = f"merged into ticket {row.merged_into_id}"
    return Happened(
        kind="ticket",
        key=row.ticket_id,
        at=row.opened_at,
        title=f"Ticket by {row.channel}",
        detail=state,
        words=(row.subject or "")[:WORDS],
        is_bad=row.status == "open" and row.merged_into_id is None,
    )


_SURVEY_AT = func.coalesce(survey_answers.c.answered_at, survey_answers.c.sent_at)


_SURVEYS = (
    select(survey_answers, surveys.c.name, surveys.c.kind, _SURVEY_AT.label("happened_at"))
    .join(surveys, surveys.c.survey_id == survey_answers.c.survey_id)
    .where(survey_answers.c.customer_id == ME)
)


def _survey(row: Row[Any], _: Place) -> Happened:
    if row.score is not None:
        most = {"nps": 10, "csat": 5}.get(row.kind)
        detail = f"answered {row.score}" + (f" of {most}" if most else "")
    else:
        detail = "answered" if row.answered_at else "not answered"
    return Happened(
        kind="survey",
        key=row.survey_answer_id,
        at=row.happened_at,
        title=f"Survey: {row.name}",
        detail=detail,
        words=(row.comment or "")[:WORDS],
        is_bad=row.score is not None and row.score <= {"nps": 6, "csat": 2}.get(row.kind, -1),
    )


_QUESTIONS = (
    select(questions, products.c.name.label("product"))
    .outerjoin(products, products.c.product_id == questions.c.product_id)
    .where(questions.c.customer_id == ME)
)


def _question(row: Row[Any], _: Place) -> Happened:
    return Happened(
        kind="question",
        key=row.question_id,
        at=row.asked_at,
        title=f"Question about {row.product}" if row.product else "Question",
        detail="answered" if row.answered_at else "not answered",
        words=row.body[:WORDS],
        is_bad=row.answered_at is None,
    )


_MESSAGE_AT = func.coalesce(outbox_messages.c.sent_at, outbox_messages.c.queued_at)


_MESSAGES = select(outbox_messages, _MESSAGE_AT.label("happened_at")).where(outbox_messages.c.customer_id == ME)


def _message(row: Row[Any], _: Place) -> Happened:
    channel = {"email": "E-mail", "webhook": "Webhook", "audience": "File"}[row.channel]
    return Happened(
        kind="message",
        key=row.outbox_message_id,
        at=row.happened_at,
        title=f"{channel} from us" if row.channel == "email" else channel,
        detail=row.status.replace("_", " ") + (f", about a {row.about.replace('_', ' ')}" if row.about else ""),
        words=(row.subject or "")[:WORDS],
        is_bad=row.status in ("failed", "held_back"),
    )


_OFFERS = (
    select(offer_assignments, offers.c.name)
    .join(offers, offers.c.offer_id == offer_assignments.c.offer_id)
    .where(offer_assignments.c.customer_id == ME)
)


def _offer(row: Row[Any], _: Place) -> Happened:
    if row.arm == "holdout":
        detail = "gets nothing, to compare"
    else:
        steps = (("redeemed", row.redeemed_at), ("opened", row.opened_at), ("sent", row.sent_at))
        detail = next((step for step, at in steps if at is not None), "assigned, not sent yet")
    return Happened(
        kind="offer", key=row.offer_assignment_id, at=row.assigned_at, title=f"Offer: {row.name}", detail=detail
    )


TICKET = Kind(_TICKETS, tickets.c.opened_at, tickets.c.ticket_id, _ticket)
REVIEW = Kind(_REVIEWS, reviews.c.written_at, reviews.c.review_id, _review)
QUESTION = Kind(_QUESTIONS, questions.c.asked_at, questions.c.question_id, _question)
SURVEY = Kind(_SURVEYS, _SURVEY_AT, survey_answers.c.survey_answer_id, _survey)
MESSAGE = Kind(_MESSAGES, _MESSAGE_AT, outbox_messages.c.outbox_message_id, _message)
OFFER = Kind(_OFFERS, offer_assignments.c.assigned_at, offer_assignments.c.offer_assignment_id, _offer)
