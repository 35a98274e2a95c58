"""What every queue shares: counting without end, and reading page by page from where one stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

# A queue counts up to here and then says "more than": a count must cost the same in any shop.
MOST = 1_000
# What has waited longer is history, not work for this morning.
RECENT = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a queue, and the place to go on from; ``after`` is null at the end."""

    rows: pd.DataFrame
    after: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One line of what waits for somebody.

    ``key`` names the queue. ``count`` above ``MOST`` means: more than that many. ``title`` and ``detail``
    are plain text; they may hold words from customers' data.
    """

    key: str
    count: int
    title: str
    detail: str
    is_urgent: bool


def counted(count: int, one: str, many: str) -> str:
    """``1 parcel``, ``12 parcels``, ``more than 1,000 parcels``."""
    if count > MOST:
        return f"More than {MOST:,} {many}"
    return f"{count:,} {one if count == 1 else many}"


def count_up_to(connection: Connection, statement: Select[Any], most: int = MOST) -> int:
    """How many rows a statement has, looking at no more than ``most`` and one."""
    return connection.execute(select(func.count()).select_from(statement.limit(most + 1).subquery())).scalar_one()


def read_page(
    connection: Connection,
    statement: Select[Any],
    *,
    order: Sequence[ColumnElement[Any]],
    after: tuple[Any, ...] | None,
    limit: int,
    newest_first: bool = False,
) -> Page:
    """Read the next rows in the order of two columns, the second unique: no offset, so page 900 costs as page 1.

    Both columns are selected too, as ``_first`` and ``_second``, and left out of the rows.
    """
    first, second = order
    if after is not None:
        beyond = (first < after[0]) if newest_first else (first > after[0])
        tied = (second < after[1]) if newest_first else (second > after[1])
        statement = statement.where(or_(beyond, and_(first == after[0], tied)))
    directed = [column.desc() if newest_first else column.asc() for column in order]
    statement = statement.add_columns(first.label("_first"), second.label("_second"))
    found = connection.execute(statement.order_by(*directed).limit(limit + 1)).mappings().all()
    shown = found[:limit]
    columns = [str(key) for key in (found[0] if found else {}) if key not in {"_first", "_second"}]
    rows = pd.DataFrame([[row[column] for column in columns] for row in shown], columns=columns)
    last = (shown[-1]["_first"], shown[-1]["_second"]) if len(found) > limit else None
    return Page(rows, last)


def waited(since: datetime, at: datetime) -> str:
    """How long something has waited, in the largest unit that fits: ``12 minutes``, ``3 hours``, ``5 days``."""
    minutes = max(0, int((at - since).total_seconds() // 60))
    for size, one in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            n = minutes // size
            return f"{n} {one}{'' if n == 1 else 's'}"
    return "less than a minute"
