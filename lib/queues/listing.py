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
    """Read the next rows as a table; see ``read_rows``."""
    found, last = read_rows(connection, statement, order=order, after=after, limit=limit, newest_first=newest_first)
    columns = list(found[0]) if found else []
    return Page(pd.DataFrame([[row[column] for column in columns] for row in found], columns=columns), last)


def read_rows(
    connection: Connection,
    statement: Select[Any],
    *,
    order: Sequence[ColumnElement[Any]],
    after: tuple[Any, ...] | None,
    limit: int,
    newest_first: bool = False,
) -> tuple[list[dict[str, Any]], tuple[Any, ...] | None]:
    """Read the next rows in the order of some columns, the last unique: no offset, so page 900 costs as page 1.

    The columns are selected too, as ``_0``, ``_1`` …, and left out of the rows.

    Returns:
        the rows by column, and the place to go on from; null at the end.
    """
    if after is not None:
        statement = statement.where(beyond(order, after, newest_first=newest_first))
    directed = [column.desc() if newest_first else column.asc() for column in order]
    names = [f"_{place}" for place in range(len(order))]
    statement = statement.add_columns(*(column.label(name) for column, name in zip(order, names, strict=True)))
    found = connection.execute(statement.order_by(*directed).limit(limit + 1)).mappings().all()
    last = tuple(found[limit - 1][name] for name in names) if len(found) > limit else None
    return [{str(key): row[key] for key in row if key not in names} for row in found[:limit]], last


def beyond(
    order: Sequence[ColumnElement[Any]], after: tuple[Any, ...], *, newest_first: bool = False
) -> ColumnElement[bool]:
    """Past a place in an order: later in the first column, or level there and later in the next, and so on.

    The first column alone is said too, so that an index of it is entered at the right place.
    """
    first = order[0] <= after[0] if newest_first else order[0] >= after[0]
    steps = []
    for place, column in enumerate(order):
        level = [order[i] == after[i] for i in range(place)]
        steps.append(and_(*level, column < after[place] if newest_first else column > after[place]))
    return and_(first, or_(*steps))


def waited(since: datetime, at: datetime) -> str:
    """How long something has waited, in the largest unit that fits: ``12 minutes``, ``3 hours``, ``5 days``."""
    minutes = max(0, int((at - since).total_seconds() // 60))
    for size, one in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            n = minutes // size
            return f"{n} {one}{'' if n == 1 else 's'}"
    return "less than a minute"
