"""Whom an audience holds: counted, told rule by rule, compared with others, and streamed, all from the mart.

The mart is as old as its last refresh; what must hold at the moment of sending (consent, open tickets, messages
lately) is asked once more of the order database (lib/outbox/contact_rules.py). Nobody erased is in any audience.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Integer,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)

from lib.audience import FIELDS, Ask, Audience, Rule
from lib.mart.schema import dim_customer, fact_item, product_day
from lib.metrics.customers import MANY, known_waits, order_gaps, stage_of
from lib.metrics.definition import Mart
from lib.periods import day_index
from lib.stats.lifecycle import Waits
from lib.stats.rfm import ENOUGH, FIFTHS

_PERSON = dim_customer.c
# Text of the last order, and of the person.
_WORDS = {
    "country": _PERSON.last_country,
    "channel": _PERSON.last_channel,
    "device": _PERSON.last_device,
    "payment_method": _PERSON.last_payment_method,
    "delivery_type": _PERSON.last_delivery_type,
    "language": _PERSON.language,
}
_FLAGS = {
    "was_late": func.coalesce(_PERSON.last_is_late, literal(False)),
    "has_open_ticket": _PERSON.has_open_ticket,
    "has_open_return": _PERSON.has_open_return,
    "is_member": _PERSON.is_member,
    "has_consent": _PERSON.has_consent,
}
_BOUGHT = {"bought_category": fact_item.c.category, "bought_product": fact_item.c.product}
_SCORED = {
    "recency_score": _PERSON.last_day,
    "frequency_score": _PERSON.occasions,
    "monetary_score": _PERSON.net_minor,
}
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
    met = [_met(mart, rule, as_of) for rule in audience.rules]
    columns: list[Any] = [_counted()]
    for place, rule in enumerate(met):
        columns.append(_times(rule).label(f"alone_{place}"))
        columns.append(_times(and_(*met[: place + 1])).label(f"left_{place}"))
    row = mart.frame(select(*columns).where(_everyone())).to_dict("records")[0]
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
    if field in _BOUGHT:
        table = product_day.c
        column: ColumnElement[Any] = table[field.removeprefix("bought_")]
        asked = (
            select(column.label("value"))
            .where(table.dimension == "all")
            .group_by(column)
            .order_by(func.sum(table.orders).desc(), column)
        )
    else:
        column = _WORDS[field]
        asked = (
            select(column.label("value"))
            .where(_everyone(), column.is_not(None))
            .group_by(column)
            .order_by(func.count().desc(), column)
        )
    return [str(one) for one in mart.frame(asked.limit(MOST_OPTIONS))["value"]]


def reorder_windows(mart: Mart, as_of: date) -> dict[int, tuple[int, int]]:
    """From how many days after her last purchase to how many a customer is due, by her number of purchases.

    The last number stands for itself and all above it. Empty while too few came back to tell.
    """
    return {number: (waits.half + 1, waits.most) for number, waits in _waits(mart, as_of).items()}


def condition(mart: Mart, audience: Audience, as_of: date) -> ColumnElement[bool]:
    """What a row of ``dim_customer`` must meet to be in an audience."""
    return and_(_everyone(), *(_met(mart, rule, as_of) for rule in audience.rules))


def _everyone() -> ColumnElement[bool]:
    return and_(_PERSON.occasions > 0, not_(_PERSON.is_erased))


def _met(mart: Mart, rule: Rule, as_of: date) -> ColumnElement[bool]:
    """Whether a customer meets a rule; null where the field is not known, whichever way it is asked."""
    found = _asked(mart, rule.checked(), as_of)
    return not_(found) if rule.is_not else found


def _asked(mart: Mart, rule: Rule, as_of: date) -> ColumnElement[bool]:
    name, today = rule.field, literal(day_index(as_of))
    if name in _WORDS:
        return _WORDS[name].in_(rule.any_of)
    if name in _FLAGS:
        return _FLAGS[name]
    if name in _BOUGHT:
        item = fact_item.c
        bought = select(item.customer_id).where(
            item.is_valid, item.customer_id.is_not(None), _BOUGHT[name].in_(rule.any_of)
        )
        return _PERSON.customer_id.in_(bought)
    if name in _SCORED:
        return _scored(mart, name, rule)
    if name == "lifecycle":
        known = _waits(mart, as_of)
        if not known:
            return cast(null(), Boolean)
        return stage_of(known, as_of).in_([value.replace("_", " ") for value in rule.any_of])
    column = {
        "purchases": _PERSON.occasions,
        "days_since_last": today - _PERSON.last_day,
        "days_since_first": today - _PERSON.first_day,
        "spent": _PERSON.net_minor,
        "rating": _PERSON.last_rating,
    }[name]
    return _between(column, rule.least, rule.most)


def _between(column: ColumnElement[Any], least: int | None, most: int | None) -> ColumnElement[bool]:
    ends = [column >= least] if least is not None else []
    return and_(*ends, *([column <= most] if most is not None else []))


def _scored(mart: Mart, name: str, rule: Rule) -> ColumnElement[bool]:
    """One-time buyers are compared among themselves, and so are those who came back (lib/stats/rfm.py)."""
    column = _SCORED[name]
    starts = _starts(mart, name)

    def within(group: str) -> ColumnElement[bool]:
        if group not in starts or (group == "once" and name == "frequency_score"):
            return cast(null(), Boolean)
        low = true() if rule.least is None else _from(column, starts[group], rule.least)
        high = true() if rule.most is None else not_(_from(column, starts[group], rule.most + 1))
        return and_(low, high)

    return case((_PERSON.occasions == 1, within("once")), else_=within("again"))


def _from(column: ColumnElement[Any], starts: Mapping[int, int], score: int) -> ColumnElement[bool]:
    """Whether a value has this score or a higher one."""
    values = [value for fifth, value in starts.items() if fifth >= score]
    return column >= min(values) if values else literal(False)


def _starts(mart: Mart, name: str) -> dict[str, dict[int, int]]:
    """The lowest value of each fifth, by group; a group that is too small to be parted is absent.

    The fifth of a value is that of lib.stats.rfm.fifth: the middle of the places that equal values take.
    """
    group = case((_PERSON.occasions == 1, "once"), else_="again")
    each = (
        select(group.label("part"), _SCORED[name].label("value"), cast(func.count(), BigInteger).label("level"))
        .where(_PERSON.occasions > 0)
        .group_by(group, _SCORED[name])
        .subquery("each")
        .c
    )
    upto = func.sum(each.level).over(partition_by=each.part, order_by=each.value)
    of = func.sum(each.level).over(partition_by=each.part)
    ranked = select(each.part, each.value, each.level, upto.label("upto"), of.label("total")).subquery("ranked").c
    middle = cast(ranked.upto - ranked.level, Double) + cast(ranked.level + 1, Double) / 2
    fifth = cast(func.least(FIFTHS, func.ceil(FIFTHS * middle / cast(ranked.total, Double))), Integer)
    rows = mart.frame(
        select(ranked.part, fifth.label("fifth"), func.min(ranked.value).label("value"))
        .where(ranked.total >= ENOUGH)
        .group_by(ranked.part, fifth)
    )
    found: dict[str, dict[int, int]] = {}
    for row in rows.to_dict("records"):
        found.setdefault(str(row["part"]), {})[int(row["fifth"])] = int(row["value"])
    return found


# What parts the customers of a snapshot, worked out once: a count while somebody types must not wait for it.
_KNOWN: WeakKeyDictionary[Mart, dict[tuple[str, date], Any]] = WeakKeyDictionary()


def _waits(mart: Mart, as_of: date) -> dict[int, Waits]:
    known = _KNOWN.setdefault(mart, {})
    if ("waits", as_of) not in known:
        known["waits", as_of] = known_waits(order_gaps(mart, as_of))
    waits: dict[int, Waits] = known["waits", as_of]
    return waits


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
    known = _waits(mart, as_of)
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
