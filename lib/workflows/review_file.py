"""The file that takes replies to the platform: in Judge.me's form for imports, each reply once, and logged.

Judge.me: Reviews, Import, from a CSV; a review it knows is given the reply. Dates are ``dd/mm/yyyy``.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection, select, update

from lib.db import audit
from lib.db.tables.customers import customers
from lib.db.tables.products import products
from lib.db.tables.reviews import PENDING, review_replies, reviews
from lib.errors import InvalidInput
from lib.staff import May, Staff

COLUMNS = (
    "title",
    "body",
    "rating",
    "review_date",
    "reviewer_name",
    "reviewer_email",
    "product_id",
    "product_handle",
    "reply",
    "picture_urls",
)
# So many replies fit into one file.
MOST = 5_000


def take_replies(conn: Connection, by: Staff, *, at: datetime, zone: ZoneInfo) -> pd.DataFrame:
    """Take the replies that wait for the platform, oldest first, and note that they left.

    Returns:
        ``COLUMNS``, as Judge.me imports them.
    Raises:
        NotAllowed: the role may not download rows, or not see addresses.
        InvalidInput: nothing waits.
    """
    by.must(May.EXPORT)
    by.must(May.SEE_PERSONAL_DATA)
    by.must(May.ANSWER_REVIEWS)
    row = reviews.c
    joined = (
        review_replies.join(reviews, row.review_id == review_replies.c.review_id)
        .outerjoin(customers, customers.c.customer_id == row.customer_id)
        .outerjoin(products, products.c.product_id == row.product_id)
    )
    found = (
        conn.execute(
            select(
                review_replies.c.review_reply_id,
                review_replies.c.body.label("reply"),
                row.title,
                row.body,
                row.rating,
                row.written_at,
                row.reviewer_name,
                customers.c.email.label("reviewer_email"),
                products.c.external_id.label("product_id"),
                products.c.handle.label("product_handle"),
            )
            .select_from(joined)
            .where(PENDING)
            .order_by(review_replies.c.review_reply_id)
            .limit(MOST)
            .with_for_update(of=review_replies)
        )
        .mappings()
        .all()
    )
    if not found:
        raise InvalidInput("No reply waits: everything that was answered here is in an earlier file.")
    keys = [one["review_reply_id"] for one in found]
    for begin in range(0, len(keys), 500):
        conn.execute(
            update(review_replies)
            .where(review_replies.c.review_reply_id.in_(keys[begin : begin + 500]))
            .values(exported_at=at, pending_since=None, updated_at=at)
        )
    audit.record(
        conn,
        by,
        "review.exported",
        "review:replies",
        at=at,
        after={"replies": len(keys), "first": keys[0], "last": keys[-1]},
    )
    return pd.DataFrame([_as_judgeme(dict(one), zone) for one in found], columns=list(COLUMNS))


def _as_judgeme(one: dict[Any, Any], zone: ZoneInfo) -> dict[str, Any]:
    kept = {name: one.get(name) or "" for name in COLUMNS}
    return kept | {"review_date": f"{one['written_at'].astimezone(zone):%d/%m/%Y}", "picture_urls": ""}
