"""The words of reviews, for what is read out of them: at most so many, the newest first."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, func, select

from lib.db.tables.products import products
from lib.db.tables.reviews import reviews

# More are not read: what they say does not change with the twenty-thousand-and-first.
MOST = 20_000
# Of each review so many characters.
LONGEST = 2_000


def words_of_reviews(connection: Connection, since: datetime, until: datetime, most: int = MOST) -> pd.DataFrame:
    """The reviews with words written in ``[since, until)``, without spam, the newest first.

    Returns:
        ``review_id``, ``rating``, ``language`` (empty when unknown), ``text`` (title and body), ``topic`` (named by a
        person, or empty), ``product``, ``written_at``.
    """
    row = reviews.c
    found = connection.execute(
        select(
            row.review_id,
            row.rating,
            row.language,
            row.title,
            func.substr(row.body, 1, LONGEST).label("body"),
            row.topic,
            products.c.name,
            row.written_at,
        )
        .select_from(reviews.outerjoin(products, products.c.product_id == row.product_id))
        .where(row.written_at >= since, row.written_at < until, row.state != "spam")
        .order_by(row.written_at.desc(), row.review_id.desc())
        .limit(most)
    )
    rows = [
        (r.review_id, r.rating, r.language or "", text, r.topic or "", r.name or "", r.written_at)
        for r in found
        if (text := "\n".join(part for part in (r.title, r.body) if part))
    ]
    columns = ["review_id", "rating", "language", "text", "topic", "product", "written_at"]
    return pd.DataFrame(rows, columns=columns)
