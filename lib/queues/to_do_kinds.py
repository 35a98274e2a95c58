"""Each kind of thing that waits: what is read of it, until when it is due, and in what words it is told.

Deadlines of reviews, tickets and questions are the store's own targets. The definitions are silent on the others,
so this is what was chosen: a parcel is due when its promised day ends, an unpaid order three days after it was
placed, a return two days after it was asked for or came in, an offer when it was to begin, when its last day was
over or when its result came in.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, null, or_, select

from lib.db.service import Promises
from lib.db.tables.desk import work_items
from lib.db.tables.offers import CROSSED, offer_looks, offer_versions, offers
from lib.db.tables.orders import AWAITING_PAYMENT, orders
from lib.db.tables.products import products
from lib.db.tables.returns import PENDING, returns
from lib.db.tables.reviews import UNANSWERED as UNANSWERED_REVIEWS
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import UNDELIVERED, shipments
from lib.db.tables.surveys import UNANSWERED as UNANSWERED_QUESTIONS
from lib.db.tables.surveys import questions
from lib.db.tables.tickets import tickets
from lib.periods import start_of_day, store_day
from lib.queues.listing import RECENT
from lib.queues.reviews import NEGATIVE, OPEN_STATES
from lib.queues.to_do_pieces import Kind, Waiting

PAYMENT_TIME = timedelta(days=3)
RETURN_TIME = timedelta(days=2)
_OVER = ("delivered", "lost", "damaged")
_NO_ORDER = (null().label("order_id"), null().label("order_minor"), null().label("currency"))


def _awake(waiting: Waiting, until: ColumnElement[Any]) -> ColumnElement[bool]:
    return until > waiting.at if waiting.asleep else or_(until.is_(None), until <= waiting.at)


def _select(key: ColumnElement[Any], state: Any, customer: ColumnElement[Any], *columns: Any) -> Select[Any]:
    shared = (state.version, state.owner_id, state.snoozed_until)
    return select(key.label("subject_id"), *shared, customer.label("customer_id"), *columns)


def _worth() -> tuple[ColumnElement[Any], ...]:
    """The order's key, money and currency; a cancelled or test order is worth nothing any more."""
    one = orders.c
    is_valid = and_(one.cancelled_at.is_(None), one.is_test.is_(False))
    return one.order_id, case((is_valid, one.total_minor)).label("order_minor"), one.currency


def _with_work(joined: Any, subject: str, key: ColumnElement[Any]) -> Any:
    return joined.outerjoin(work_items, and_(work_items.c.subject == subject, work_items.c.subject_id == key))


def _open_work(waiting: Waiting) -> tuple[ColumnElement[bool], ...]:
    return work_items.c.done_at.is_(None), _awake(waiting, work_items.c.snoozed_until)


def _reviews(condition: ColumnElement[bool]) -> Callable[[Waiting], Select[Any]]:
    def statement(waiting: Waiting) -> Select[Any]:
        one = reviews.c
        joined = reviews.outerjoin(orders, orders.c.order_id == one.order_id).outerjoin(
            products, products.c.product_id == one.product_id
        )
        return (
            _select(
                one.review_id, one, one.customer_id, *_worth(), one.rating, one.title, one.written_at, products.c.name
            )
            .select_from(joined)
            .where(
                UNANSWERED_REVIEWS,
                condition,
                one.written_at > waiting.at - RECENT,
                one.written_at <= waiting.at,
                one.is_survey.is_(False),
                one.state.in_(OPEN_STATES),
                one.done_at.is_(None),
                _awake(waiting, one.snoozed_until),
            )
        )

    return statement


def _review_words(row: Any, _: Waiting) -> tuple[str, str]:
    stars = f"{row.rating} star{'' if row.rating == 1 else 's'}"
    return f"{stars}: {row.title}" if row.title else f"{stars} without a reply", row.name or ""


def _tickets(waiting: Waiting) -> Select[Any]:
    one = tickets.c
    return (
        _select(one.ticket_id, one, one.customer_id, *_worth(), one.subject, one.channel, one.response_due_at)
        .select_from(tickets.outerjoin(orders, orders.c.order_id == one.order_id))
        .where(one.response_due_at > waiting.at - RECENT, one.status == "open", _awake(waiting, one.snoozed_until))
    )


def _parcels(waiting: Waiting) -> Select[Any]:
    one, today = shipments.c, store_day(waiting.at, waiting.zone)
    joined = shipments.join(orders, orders.c.order_id == one.order_id)
    return (
        _select(one.shipment_id, work_items.c, orders.c.customer_id, *_worth())
        .add_columns(orders.c.number, one.promised_day, one.carrier, one.status)
        .select_from(_with_work(joined, "shipment", one.shipment_id))
        .where(
            UNDELIVERED,
            one.promised_day >= today - RECENT,
            one.promised_day < today,
            one.status.not_in(_OVER),
            one.announced_late_at.is_(None),
            *_open_work(waiting),
        )
    )


def _parcel_words(row: Any, waiting: Waiting) -> tuple[str, str]:
    days = (store_day(waiting.at, waiting.zone) - row.promised_day).days
    parts = (row.carrier, row.status.replace("_", " "))
    late = f"{days} day{'' if days == 1 else 's'} late"
    return f"Parcel of {row.number} is {late}", ", ".join(part for part in parts if part)


def _unpaid(waiting: Waiting) -> Select[Any]:
    one = orders.c
    owed = (one.total_minor - func.coalesce(one.paid_minor, 0)).label("order_minor")
    return (
        _select(one.order_id, work_items.c, one.customer_id, one.order_id, owed, one.currency)
        .add_columns(one.number, one.placed_at, one.payment_status, one.payment_method)
        .select_from(_with_work(orders, "order", one.order_id))
        .where(
            AWAITING_PAYMENT,
            one.placed_at > waiting.at - RECENT,
            one.placed_at <= waiting.at,
            one.cancelled_at.is_(None),
            one.is_test.is_(False),
            one.total_minor > 0,
            *_open_work(waiting),
        )
    )


def _unpaid_words(row: Any, _: Waiting) -> tuple[str, str]:
    parts = (row.payment_status.replace("_", " "), row.payment_method)
    return f"{row.number} is not paid", ", ".join(part for part in parts if part)


def _returns(waiting: Waiting) -> Select[Any]:
    one = returns.c
    joined = returns.join(orders, orders.c.order_id == one.order_id)
    who = func.coalesce(one.customer_id, orders.c.customer_id)
    return (
        _select(one.return_id, work_items.c, who, *_worth())
        .add_columns(orders.c.number, one.status, one.reason, one.requested_at, one.received_at)
        .select_from(_with_work(joined, "return", one.return_id))
        .where(
            PENDING,
            # What is approved or under way waits for the customer and the carrier, not for us.
            one.status.in_(("requested", "received")),
            one.requested_at > waiting.at - RECENT,
            one.requested_at <= waiting.at,
            *_open_work(waiting),
        )
    )


def _return_due(row: Any, _: Promises, __: ZoneInfo) -> datetime:
    since: datetime = row.received_at if row.status == "received" and row.received_at else row.requested_at
    return since + RETURN_TIME


def _return_words(row: Any, _: Waiting) -> tuple[str, str]:
    what = "settle" if row.status == "received" else "approve"
    return f"Return from {row.number} to {what}", (row.reason or "").replace("_", " ")


def _questions(waiting: Waiting) -> Select[Any]:
    one = questions.c
    joined = questions.outerjoin(products, products.c.product_id == one.product_id)
    return (
        _select(one.question_id, work_items.c, one.customer_id, *_NO_ORDER, one.body, one.asked_at, products.c.name)
        .select_from(_with_work(joined, "question", one.question_id))
        .where(
            UNANSWERED_QUESTIONS,
            one.asked_at > waiting.at - RECENT,
            one.asked_at <= waiting.at,
            *_open_work(waiting),
        )
    )


def _offers(waiting: Waiting) -> Select[Any]:
    """What an offer waits for: an approval, its start, a word after it crossed a limit, a decision on its result.

    A result can be decided once a look said so, or was the last.
    """
    one, look, version = offers.c, offer_looks.c, offer_versions.c
    said = look.result["call"].as_string()
    result = (
        select(func.max(said))
        .where(
            look.offer_id == one.offer_id,
            look.number > 0,
            or_(said.in_(("keep", "stop")), look.number >= func.coalesce(one.planned_looks, 1)),
        )
        .scalar_subquery()
    )
    is_out = one.status.in_(("running", "paused"))
    newer = exists().where(version.offer_id == one.offer_id, version.number > one.approved_number)
    return (
        _select(one.offer_id, work_items.c, null(), *_NO_ORDER, one.name, one.status, one.starts_at, one.ends_at)
        .add_columns(one.pause_reason, one.updated_at, result.label("result"), newer.label("has_newer"))
        .select_from(_with_work(offers, "offer", one.offer_id))
        .where(
            or_(
                one.status == "draft",
                # Without a first day it begins whenever somebody starts it.
                and_(one.status == "approved", func.coalesce(one.starts_at, waiting.at) <= waiting.at),
                and_(is_out, newer),
                and_(one.status == "paused", one.pause_reason.startswith(CROSSED, autoescape=True)),
                and_(is_out, one.decision.is_(None), result.is_not(None)),
                # Nobody was held out: no look will ever come.
                and_(is_out, one.holdout_share == 0, one.ends_at <= waiting.at),
            ),
            *_open_work(waiting),
        )
    )


def _offer_words(row: Any, _: Waiting) -> tuple[str, str]:
    if row.status == "paused" and (row.pause_reason or "").startswith(CROSSED):
        return row.name, f"Paused. {row.pause_reason}"
    if row.result is None and row.status in {"running", "paused"} and row.has_newer:
        return row.name, "A change waits for approval"
    return row.name, _RESULTS.get(row.result) or _OFFER_WORDS[row.status]


def _offer_due(row: Any, _: Promises, __: ZoneInfo) -> datetime | None:
    due: datetime | None = row.starts_at if row.status in {"draft", "approved"} else row.updated_at
    return due


_OFFER_WORDS = {
    "draft": "A draft: approve it or drop it",
    "approved": "Approved, and its first day has come: start it or move it",
    "running": "Its last day is over, and nobody was held out: finish it",
    "paused": "Paused past its last day: finish it",
}
_RESULTS = {
    "keep": "Its result is in: it works. Keep it or roll it out",
    "stop": "Its result is in: it does not pay. Stop it",
    "no difference": "Its result is in: no difference was found. Decide",
    "too few": "Its last look was taken: too few bought to say. Decide",
    "blocked": "Its last look was taken: the split is off. Find out why",
    "too early": "Its last look was taken: nothing could be compared. Decide",
}

KINDS = (
    Kind(
        name="unhappy reviews",
        subject="review",
        statement=_reviews(reviews.c.rating <= NEGATIVE),
        key=reviews.c.review_id,
        since=reviews.c.written_at,
        customer=reviews.c.customer_id,
        due=lambda row, promises, _: promises.due("negative_review", row.written_at),
        words=_review_words,
    ),
    Kind(
        name="other reviews",
        subject="review",
        statement=_reviews(reviews.c.rating > NEGATIVE),
        key=reviews.c.review_id,
        since=reviews.c.written_at,
        customer=reviews.c.customer_id,
        due=lambda row, promises, _: promises.due("review", row.written_at),
        words=_review_words,
    ),
    Kind(
        name="tickets",
        subject="ticket",
        statement=_tickets,
        key=tickets.c.ticket_id,
        since=tickets.c.response_due_at,
        customer=tickets.c.customer_id,
        due=lambda row, _, __: row.response_due_at,
        words=lambda row, _: (row.subject or "A ticket without a subject", f"by {row.channel}"),
    ),
    Kind(
        name="late parcels",
        subject="shipment",
        statement=_parcels,
        key=shipments.c.shipment_id,
        since=shipments.c.promised_day,
        customer=orders.c.customer_id,
        due=lambda row, _, zone: start_of_day(row.promised_day + timedelta(days=1), zone),
        words=_parcel_words,
    ),
    Kind(
        name="unpaid orders",
        subject="order",
        statement=_unpaid,
        key=orders.c.order_id,
        since=orders.c.placed_at,
        customer=orders.c.customer_id,
        due=lambda row, _, __: row.placed_at + PAYMENT_TIME,
        words=_unpaid_words,
    ),
    Kind(
        name="returns",
        subject="return",
        statement=_returns,
        key=returns.c.return_id,
        since=returns.c.requested_at,
        customer=func.coalesce(returns.c.customer_id, orders.c.customer_id),
        due=_return_due,
        words=_return_words,
    ),
    Kind(
        name="questions",
        subject="question",
        statement=_questions,
        key=questions.c.question_id,
        since=questions.c.asked_at,
        customer=questions.c.customer_id,
        due=lambda row, promises, _: promises.due("question", row.asked_at),
        words=lambda row, _: (row.body[:200], row.name or ""),
    ),
    Kind(
        name="offers",
        subject="offer",
        statement=_offers,
        key=offers.c.offer_id,
        since=offers.c.starts_at,
        customer=None,
        due=_offer_due,
        words=_offer_words,
    ),
)
