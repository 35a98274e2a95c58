"""Reviews that nobody has answered, and how long they may wait."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from lib.db.tables.desk import targets
from lib.db.tables.products import products
from lib.db.tables.reviews import UNANSWERED, reviews
from lib.queues.listing import RECENT, Need, Page, count_up_to, counted, read_page

KEY = "reviews"
# Negative: the customer is unhappy, whatever the words say.
NEGATIVE = 2
TARGET = timedelta(hours=48)
NEGATIVE_TARGET = timedelta(hours=24)
# A review in another state needs no reply.
OPEN_STATES = ("published", "pending")


@dataclass(frozen=True, slots=True)
class Targets:
    """How long a review may wait for its reply."""

    usual: timedelta = TARGET
    negative: timedelta = NEGATIVE_TARGET

    def of(self, rating: int) -> timedelta:
        return self.negative if rating <= NEGATIVE else self.usual


def read_targets(connection: Connection) -> Targets:
    """The store's own targets, or those of the definitions."""
    kept = {
        row.work: timedelta(minutes=row.minutes)
        for row in connection.execute(
            select(targets.c.work, targets.c.minutes).where(targets.c.work.in_(("review", "negative_review")))
        )
    }
    return Targets(usual=kept.get("review", TARGET), negative=kept.get("negative_review", NEGATIVE_TARGET))


def _waiting(at: datetime, *columns: Any) -> Select[Any]:
    return select(*columns).where(
        UNANSWERED,
        reviews.c.written_at > at - RECENT,
        reviews.c.written_at <= at,
        reviews.c.is_survey.is_(False),
        reviews.c.state.in_(OPEN_STATES),
        reviews.c.done_at.is_(None),
        or_(reviews.c.snoozed_until.is_(None), reviews.c.snoozed_until <= at),
    )


def need(connection: Connection, at: datetime) -> Need | None:
    """How many wait, how many of them are negative and how many are past their target; null when none."""
    count = count_up_to(connection, _waiting(at, reviews.c.review_id))
    if not count:
        return None
    target = read_targets(connection).negative
    negative = count_up_to(connection, _waiting(at, reviews.c.review_id).where(reviews.c.rating <= NEGATIVE))
    late = count_up_to(
        connection,
        _waiting(at, reviews.c.review_id).where(reviews.c.rating <= NEGATIVE, reviews.c.written_at <= at - target),
    )
    if negative:
        detail = counted(negative, "with 1–2 stars", "with 1–2 stars")
        hours = f"{target.total_seconds() / 3600:g} h"
        detail += f", {late:,} past {hours}" if late else f", none past {hours}"
    else:
        detail = "None with 1–2 stars"
    return Need(
        key=KEY,
        count=count,
        title=counted(count, "review without a reply", "reviews without a reply"),
        detail=detail,
        is_urgent=late > 0,
    )


def waiting(connection: Connection, at: datetime, *, after: tuple[Any, ...] | None = None, limit: int = 50) -> Page:
    """The reviews without a reply, newest first."""
    statement = _waiting(
        at,
        reviews.c.written_at.label("Written"),
        reviews.c.rating.label("Stars"),
        products.c.name.label("Product"),
        reviews.c.title.label("Title"),
        reviews.c.body.label("Review"),
        reviews.c.reviewer_name.label("By"),
    ).outerjoin_from(reviews, products, products.c.product_id == reviews.c.product_id)
    order = (reviews.c.written_at, reviews.c.review_id)
    return read_page(connection, statement, order=order, after=after, limit=limit, newest_first=True)
