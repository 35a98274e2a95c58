"""The pages of the inbox of reviews.

Each page costs the same in any shop: waiting reviews are read through partial indexes, "negative first" rating by
rating, and whatever no index knows (words, tags) looks at no more than ``WINDOW`` reviews at a time and says how
far back it has looked.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, Select, func, literal, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from lib.db.tables.products import products
from lib.db.tables.reviews import UNANSWERED, reviews
from lib.db.tables.staff import staff
from lib.queues.listing import beyond, count_up_to, read_rows
from lib.queues.reviews import NEGATIVE, OPEN_STATES

# A search that no index helps looks at so many reviews at once.
WINDOW = 25_000


class View(StrEnum):
    """The saved views of the inbox."""

    UNANSWERED = "unanswered"
    NEGATIVE = "negative"
    MINE = "mine"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the inbox is asked for besides a view. Empty or null: any."""

    product_id: int | None = None
    ratings: tuple[int, ...] = ()
    languages: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    tag: str = ""

    @property
    def needs_looking(self) -> bool:
        """Whether no index knows the answer: it may be rare, or nowhere."""
        return bool(self.words.strip() or self.tag or self.ratings or self.languages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One review of the list."""

    review_id: int
    version: int
    rating: int
    title: str
    body: str
    product: str
    reviewer: str
    written_at: datetime
    answered_at: datetime | None
    done_at: datetime | None
    snoozed_until: datetime | None
    owner: str
    tags: str
    state: str
    is_survey: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A page of reviews; ``after`` goes on. ``looked_back_to``: a search stopped there, with more behind."""

    lines: list[Line]
    after: tuple[Any, ...] | None
    looked_back_to: datetime | None = None


def inbox(
    connection: Connection,
    view: View,
    asked: Asked,
    *,
    at: datetime,
    staff_id: int | None,
    after: tuple[Any, ...] | None = None,
    limit: int = 20,
) -> Found:
    """A page of a view."""
    if view is View.NEGATIVE:
        return _negative_first(connection, asked, at=at, after=after, limit=limit)
    if after is not None:
        # The tighter of two bounds is the one that an index can use: say no other.
        asked = replace(asked, until=min(after[0], asked.until or at))
    floor = _floor(connection, view, asked, at=at, staff_id=staff_id, after=after) if asked.needs_looking else None
    statement = _lines(view, asked, at=at, staff_id=staff_id)
    if floor is not None:
        statement = statement.where(reviews.c.written_at >= floor)
    order = (reviews.c.written_at, reviews.c.review_id)
    rows, more = read_rows(connection, statement, order=order, after=after, limit=limit, newest_first=True)
    lines = _as_lines(rows)
    if more is None and floor is not None:
        # Nothing more in what was looked at, but more behind it: go on from there.
        return Found(lines, (floor, 0), floor)
    return Found(lines, more)


def counts(connection: Connection, *, at: datetime, since: datetime, staff_id: int | None) -> dict[View, int]:
    """How many reviews each view holds since a moment, each counted no further than needed."""
    asked = Asked(since=since)
    found = {
        view: count_up_to(connection, _question(view, asked, at, staff_id, reviews.c.review_id))
        for view in (View.UNANSWERED, View.MINE, View.ALL)
    }
    negative = _question(View.UNANSWERED, asked, at, staff_id, reviews.c.review_id).where(reviews.c.rating <= NEGATIVE)
    return found | {View.NEGATIVE: count_up_to(connection, negative)}


def languages(connection: Connection) -> list[str]:
    """The languages that the newest reviews are written in."""
    newest = select(reviews.c.language).order_by(reviews.c.written_at.desc()).limit(2_000).subquery()
    rows = connection.execute(
        select(newest.c.language)
        .where(newest.c.language.is_not(None))
        .group_by(newest.c.language)
        .order_by(func.count().desc())
    )
    return [str(row[0]) for row in rows]


def tags(connection: Connection) -> list[str]:
    """The tags of the newest reviews that have some, by name."""
    row = reviews.c
    touched = select(row.tags).where(row.tags.is_not(None)).order_by(row.written_at.desc()).limit(2_000)
    found = {tag.strip() for (text,) in connection.execute(touched) for tag in text.split(",")}
    return sorted(found - {""})


def reviewed_products(connection: Connection, words: str = "", most: int = 200) -> list[tuple[int, str]]:
    """Products by name that have reviews, at most so many."""
    statement = (
        select(products.c.product_id, products.c.name)
        .where(select(reviews.c.review_id).where(reviews.c.product_id == products.c.product_id).exists())
        .order_by(products.c.name, products.c.product_id)
        .limit(most)
    )
    if words.strip():
        statement = statement.where(products.c.name.icontains(words.strip(), autoescape=True))
    return [(row.product_id, row.name or "") for row in connection.execute(statement)]


def _negative_first(
    connection: Connection, asked: Asked, *, at: datetime, after: tuple[Any, ...] | None, limit: int
) -> Found:
    """The lowest stars first, of equal ones the longest waiting; rating by rating, so that an index serves each."""
    lines: list[Line] = []
    begin = after[0] if after else 1
    for rating in range(begin, 6):
        if asked.ratings and rating not in asked.ratings:
            continue
        here = after[1:] if after and rating == after[0] else None
        statement = _lines(View.UNANSWERED, asked, at=at, staff_id=None).where(reviews.c.rating == rating)
        order = (reviews.c.written_at, reviews.c.review_id)
        rows, more = read_rows(connection, statement, order=order, after=here, limit=limit - len(lines))
        lines += _as_lines(rows)
        if more is not None:
            return Found(lines, (rating, *more))
        if len(lines) == limit:
            # Full to the brim: the next page begins after the last line, if anything is left.
            rest = _question(View.UNANSWERED, asked, at, None, reviews.c.review_id).where(reviews.c.rating > rating)
            is_more = connection.execute(rest.limit(1)).first() is not None
            return Found(lines, (rating, lines[-1].written_at, lines[-1].review_id) if is_more else None)
    return Found(lines, None)


def _question(view: View, asked: Asked, at: datetime, staff_id: int | None, *columns: Any) -> Select[Any]:
    row = reviews.c
    where: list[ColumnElement[bool]] = []
    if view in (View.UNANSWERED, View.NEGATIVE):
        where += [
            UNANSWERED,  # type: ignore[list-item]  # the very words of the index
            row.is_survey.is_(False),
            row.state.in_(OPEN_STATES),
            row.done_at.is_(None),
            or_(row.snoozed_until.is_(None), row.snoozed_until <= at),
        ]
    elif view is View.MINE:
        where += [
            row.owner_id == staff_id,
            row.done_at.is_(None),
            or_(row.snoozed_until.is_(None), row.snoozed_until <= at),
        ]
    where.append(row.written_at <= (asked.until or at))
    if asked.since is not None:
        where.append(row.written_at > asked.since)
    if asked.product_id is not None:
        where.append(row.product_id == asked.product_id)
    if asked.ratings:
        where.append(row.rating.in_(asked.ratings))
    if asked.languages:
        where.append(row.language.in_(asked.languages))
    if asked.tag:
        where.append(row.tags.is_not(None))
        where.append(or_(*(row.tags.like(pattern, escape="!") for pattern in _tag_patterns(asked.tag))))
    where += [_has(word) for word in asked.words.split()[:8]]
    return select(*columns).where(*where)


def _lines(view: View, asked: Asked, *, at: datetime, staff_id: int | None) -> Select[Any]:
    row = reviews.c
    statement = _question(
        view,
        asked,
        at,
        staff_id,
        row.review_id,
        row.version,
        row.rating,
        row.title,
        # A megabyte of one review must not weigh down the list.
        func.substr(row.body, 1, 200).label("body"),
        products.c.name.label("product"),
        row.reviewer_name.label("reviewer"),
        row.written_at,
        row.answered_at,
        row.done_at,
        row.snoozed_until,
        staff.c.name.label("owner"),
        row.tags,
        row.state,
        row.is_survey,
    )
    return statement.select_from(
        reviews.outerjoin(products, products.c.product_id == row.product_id).outerjoin(
            staff, staff.c.staff_id == row.owner_id
        )
    )


def _as_lines(rows: list[dict[str, Any]]) -> list[Line]:
    texts = ("title", "body", "product", "reviewer", "owner", "tags")
    return [Line(**{**row, **{name: row[name] or "" for name in texts}}) for row in rows]


def _floor(
    connection: Connection,
    view: View,
    asked: Asked,
    *,
    at: datetime,
    staff_id: int | None,
    after: tuple[Any, ...] | None,
) -> datetime | None:
    """How far back a search may look from its place; null: to the end."""
    plain = Asked(product_id=asked.product_id, since=asked.since, until=asked.until)
    statement = _question(view, plain, at, staff_id, reviews.c.written_at)
    if asked.tag:
        statement = statement.where(reviews.c.tags.is_not(None))
    if after is not None:
        statement = statement.where(beyond((reviews.c.written_at, reviews.c.review_id), after, newest_first=True))
    edge = statement.order_by(reviews.c.written_at.desc(), reviews.c.review_id.desc()).offset(WINDOW).limit(1)
    found: datetime | None = connection.execute(edge).scalar()
    return found


def _has(word: str) -> ColumnElement[bool]:
    """Whether title, words or name hold a word; SQLite folds only ASCII letters, so others are asked in each case."""
    cases = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    row = reviews.c
    places = (row.body, row.title, row.reviewer_name)
    return or_(*(_like(place, f"%{_literal(case)}%") for place in places for case in sorted(cases)))


class _Like(FunctionElement[bool]):
    """``text LIKE pattern``, small letters and capitals alike: SQLite's LIKE does so by itself, and fast."""

    type = Boolean()
    inherit_cache = True
    name = "encore_like"


def _like(place: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = _Like(place, literal(pattern))
    return found


@compiles(_Like)
def _like_anywhere(element: _Like, compiler: SQLCompiler, **kw: Any) -> str:
    place, pattern = element.clauses
    return f"{compiler.process(place, **kw)} ILIKE {compiler.process(pattern, **kw)} ESCAPE '!'"


@compiles(_Like, "sqlite")
def _like_on_sqlite(element: _Like, compiler: SQLCompiler, **kw: Any) -> str:
    place, pattern = element.clauses
    return f"{compiler.process(place, **kw)} LIKE {compiler.process(pattern, **kw)} ESCAPE '!'"


def _tag_patterns(tag: str) -> Iterator[str]:
    held = _literal(tag)
    yield from (held, f"{held}, %", f"%, {held}", f"%, {held}, %")


def _literal(text: str) -> str:
    for sign in ("!", "%", "_"):
        text = text.replace(sign, f"!{sign}")
    return text
