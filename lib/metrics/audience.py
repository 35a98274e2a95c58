"""Whom an audience holds: counted, told rule by rule, compared with others, and streamed, all from the mart.

The mart is as old as its last refresh; what must hold at the moment of sending (consent, open tickets, messages
lately) is asked once more of the order database (lib/outbox/contact_rules.py). Nobody erased is in any audience.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
)

from lib.audience import FIELDS, Ask, Audience, Rule
from lib.mart.schema import dim_customer, product_day
from lib.metrics.audience_rules import BOUGHT, WORDS, condition, everyone, met, waits_of
from lib.metrics.customers import MANY, stage_of
from lib.metrics.definition import Mart
from lib.periods import day_index

_PERSON = dim_customer.c
# Products beyond these are found by typing a rule's words, not by scrolling.
MOST_OPTIONS = 1_000
BATCH_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rule of an audience: ``alone`` customers meet it by itself, ``left`` meet it and all the rules before."""

    rule: Rule
    alone: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Everybody who ever bought, and what each rule leaves of them."""

    everyone: int
    steps: tuple[Step, ...]

    @property
    def count(self) -> int:
        """How many the audience holds."""
        return self.steps[-1].left if self.steps else self.everyone


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What the mart knows of reasons against a message; ``customers`` are alike in all of it."""

    has_address: bool
    has_consent: bool
    has_late_parcel: bool
    has_open_ticket: bool
    has_open_return: bool
    is_due: bool
    customers: int


# A parcel that was promised longer ago is lost to the carrier's data, not on its way (as in lib/outbox).
LATE_FOR_DAYS = 60
_CARE = ("has_address", "has_consent", "has_late_parcel", "has_open_ticket", "has_open_return", "is_due")


def count(mart: Mart, audience: Audience, as_of: date) -> int:
    """How many customers an audience holds on the morning of ``as_of``."""
    return int(mart.frame(select(_counted()).where(condition(mart, audience, as_of)))["n"].iloc[0])


def funnel(mart: Mart, audience: Audience, as_of: date) -> Funnel:
    """How many each rule leaves, in one question."""
    asked = [met(mart, rule, as_of) for rule in audience.rules]
    columns: list[Any] = [_counted()]
    for place, rule in enumerate(asked):
        columns.append(_times(rule).label(f"alone_{place}"))
        columns.append(_times(and_(*asked[: place + 1])).label(f"left_{place}"))
    row = mart.frame(select(*columns).where(everyone())).to_dict("records")[0]
    return Funnel(
        everyone=_whole(row["n"]),
        steps=tuple(
            Step(rule=rule, alone=_whole(row[f"alone_{place}"]), left=_whole(row[f"left_{place}"]))
            for place, rule in enumerate(audience.rules)
        ),
    )


def overlaps(mart: Mart, audience: Audience, others: Sequence[Audience], as_of: date) -> list[int]:
    """How many of an audience are in each of the others too."""
    if not others:
        return []
    shared = [_times(condition(mart, other, as_of)).label(f"other_{place}") for place, other in enumerate(others)]
    asked: Any = select(*shared)
    row = mart.frame(asked.where(condition(mart, audience, as_of))).to_dict("records")[0]
    return [_whole(row[f"other_{place}"]) for place in range(len(others))]


def care(mart: Mart, audience: Audience, as_of: date) -> list[Care]:
    """An audience parted by what speaks against a message: at most 64 groups."""
    flags = _care_flags(mart, as_of)
    rows = mart.frame(
        select(*flags, _counted()).where(condition(mart, audience, as_of)).group_by(*(each.element for each in flags))
    )
    return [
        Care(**{name: bool(row[name]) for name in _CARE}, customers=_whole(row["n"])) for row in rows.to_dict("records")
    ]


def care_of(mart: Mart, audience: Audience, customer_ids: Iterable[int], as_of: date) -> dict[int, Care]:
    """The same of single customers, those of them who are in the audience."""
    ids = sorted(customer_ids)
    if not ids:
        return {}
    rows = mart.frame(
        select(_PERSON.customer_id, *_care_flags(mart, as_of)).where(
            condition(mart, audience, as_of), _among(_PERSON.customer_id, ids)
        )
    )
    return {
        int(row["customer_id"]): Care(**{name: bool(row[name]) for name in _CARE}, customers=1)
        for row in rows.to_dict("records")
    }


def members(mart: Mart, audience: Audience, as_of: date, *, rows: int = BATCH_ROWS) -> Iterator[pd.DataFrame]:
    """Everybody in an audience, batch by batch in the order of their keys; no more than one batch is held.

    Yields:
        rows of ``customer_id``, ``lifecycle``, ``purchases``, ``days_since_last``, ``net_minor``, ``country``,
        ``language``.
    """
    statement = _members(mart, as_of).where(condition(mart, audience, as_of)).order_by(_PERSON.customer_id)
    yield from mart.batches(statement, rows=rows)


def page(mart: Mart, audience: Audience, as_of: date, *, offset: int = 0, limit: int = 50) -> pd.DataFrame:
    """Some of an audience, those of the highest net sales first, with the columns of :func:`members`."""
    return mart.frame(
        _members(mart, as_of)
        .where(condition(mart, audience, as_of))
        .order_by(_PERSON.net_minor.desc(), _PERSON.customer_id)
        .limit(limit)
        .offset(offset)
    )


def is_in(mart: Mart, audience: Audience, customer_ids: Iterable[int], as_of: date) -> set[int]:
    """Which of some customers an audience holds."""
    ids = sorted(customer_ids)
    if not ids:
        return set()
    rows = mart.frame(
        select(_PERSON.customer_id).where(condition(mart, audience, as_of), _among(_PERSON.customer_id, ids))
    )
    return {int(one) for one in rows["customer_id"]}


def options(mart: Mart, field: str) -> list[str]:
    """What the store's own values of a field are, the most frequent first; a field with fixed values gives those."""
    known = FIELDS[field]
    if known.values or known.ask is not Ask.ONE_OF:
        return list(known.values)
    if field in BOUGHT:
        table = product_day.c
        column: ColumnElement[Any] = table[field.removeprefix("bought_")]
        asked = (
            select(column.label("value"))
            .where(table.dimension == "all")
            .group_by(column)
            .order_by(func.sum(table.orders).desc(), column)
        )
    else:
        column = WORDS[field]
        asked = (
            select(column.label("value"))
            .where(everyone(), column.is_not(None))
            .group_by(column)
            .order_by(func.count().desc(), column)
        )
    return [str(one) for one in mart.frame(asked.limit(MOST_OPTIONS))["value"]]


def reorder_windows(mart: Mart, as_of: date) -> dict[int, tuple[int, int]]:
    """From how many days after her last purchase to how many a customer is due, by her number of purchases.

    The last number stands for itself and all above it. Empty while too few came back to tell.
    """
    return {number: (waits.half + 1, waits.most) for number, waits in waits_of(mart, as_of).items()}


def _care_flags(mart: Mart, as_of: date) -> list[Any]:
    today, windows = day_index(as_of), reorder_windows(mart, as_of)
    waited = today - _PERSON.last_day
    due = or_(
        false(),
        *(
            and_(
                _PERSON.occasions == number if number < MANY else _PERSON.occasions >= number,
                waited.between(least, most),
            )
            for number, (least, most) in windows.items()
        ),
    )
    late = func.coalesce(_PERSON.late_parcel_day >= today - LATE_FOR_DAYS, literal(False))
    flags = {
        "has_address": _PERSON.has_address,
        "has_consent": _PERSON.has_consent,
        "has_late_parcel": late,
        "has_open_ticket": _PERSON.has_open_ticket,
        "has_open_return": _PERSON.has_open_return,
        "is_due": due,
    }
    return [flags[name].label(name) for name in _CARE]


def _members(mart: Mart, as_of: date) -> Any:
    known = waits_of(mart, as_of)
    return select(
        _PERSON.customer_id,
        (stage_of(known, as_of) if known else cast(null(), String)).label("lifecycle"),
        _PERSON.occasions.label("purchases"),
        (literal(day_index(as_of)) - _PERSON.last_day).label("days_since_last"),
        _PERSON.net_minor,
        _PERSON.last_country.label("country"),
        _PERSON.language,
    )


def _among(column: ColumnElement[Any], ids: Sequence[int]) -> ColumnElement[bool]:
    """``column IN ids``, for any number of them in one value."""
    listed = func.unnest(func.string_split(literal(",".join(map(str, ids))), ","))
    return column.in_(select(cast(listed, BigInteger)))


def _counted() -> ColumnElement[int]:
    return cast(func.count(), BigInteger).label("n")


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), BigInteger)


def _whole(value: object) -> int:
    return 0 if pd.isna(value) else int(value)  # type: ignore[call-overload]  # a number or null
