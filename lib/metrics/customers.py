"""Customers by where they stand between two orders, and one of them beside the others: read from the mart.

Net sales here are those of a customer's whole life, on the behaviour basis: refunds set against their orders.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Integer, and_, case, cast, func, literal, select

from lib.errors import NotEnoughData
from lib.mart.schema import dim_customer, fact_order
from lib.metrics.definition import Mart
from lib.periods import day_index
from lib.stats.lifecycle import Stage, Waits, waits
from lib.stats.rfm import Rank, Rfm, score

# Customers with this many orders or more are told as one.
MANY = 5
# Where too few have placed as many orders, all are taken together under this number.
ALL = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """What the mart knows of one customer: purchase occasions, orders, the days of the first and last."""

    occasions: int
    orders: int
    first_day: int
    last_day: int
    net_minor: int

    def waited(self, as_of: date) -> int:
        """Whole days since the last order."""
        return max(0, day_index(as_of) - self.last_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many customers stand at a stage, with their orders and net sales; ``stage`` null: too few data to tell."""

    stage: Stage | None
    customers: int
    orders: int
    net_minor: int


def order_gaps(mart: Mart, as_of: date) -> dict[int, pd.DataFrame]:
    """The days from each order to the next, by which order it was: 1 to 4, ``MANY`` or more, and ``ALL`` together.

    Returns:
        number → rows of ``day``, ``events`` (came back on that day), ``censored`` (still open), as they stood on the
        morning of ``as_of``.
    """
    order, cut = fact_order.c, day_index(as_of)
    is_back = and_(order.next_gap.is_not(None), order.day + order.next_gap < cut)
    number = case((order.occasion >= MANY, MANY), else_=order.occasion)
    day = cast(case((is_back, order.next_gap), else_=cut - 1 - order.day), Integer)
    found = mart.frame(
        select(
            number.label("number"),
            day.label("day"),
            cast(func.sum(case((is_back, 1), else_=0)), BigInteger).label("events"),
            cast(func.sum(case((is_back, 0), else_=1)), BigInteger).label("censored"),
        )
        .where(order.is_valid, order.is_first_of_day, order.customer_id.is_not(None), order.day < cut)
        .group_by(number, day)
    ).sort_values(["number", "day"], ignore_index=True)
    groups = {
        number: rows.drop(columns="number").reset_index(drop=True)
        for number in range(1, MANY + 1)
        if len(rows := found[found["number"] == number])
    }
    groups[ALL] = found.groupby("day", as_index=False)[["events", "censored"]].sum()
    return groups


def known_waits(gaps: Mapping[int, pd.DataFrame]) -> dict[int, Waits]:
    """What parts the stages, by number of orders 1 to ``MANY``; of too few, that of all; nothing at all of too few."""
    found: dict[int, Waits] = {}
    try:
        every = waits(gaps[ALL])
    except NotEnoughData:
        return {}
    for number in range(1, MANY + 1):
        try:
            found[number] = waits(gaps[number]) if number in gaps else every
        except NotEnoughData:
            found[number] = every
    return found


def standings(mart: Mart, known: Mapping[int, Waits], as_of: date) -> list[Standing]:
    """How many customers stand at each stage, every stage named, with net sales: together all who ever ordered."""
    person = dim_customer.c
    where: ColumnElement[Any] = stage_of(known, as_of).label("stage")
    counted: list[ColumnElement[Any]] = [
        cast(func.count(), BigInteger).label("customers"),
        cast(func.sum(person.orders), BigInteger).label("orders"),
        cast(func.sum(person.net_minor), BigInteger).label("net_minor"),
    ]
    found = mart.frame(select(where, *counted).where(person.occasions > 0).group_by(where))
    rows = {str(row["stage"]): row for row in found.to_dict("records")}
    named: list[Stage | None] = [*Stage] if known else [None]
    return [
        Standing(
            stage=stage,
            customers=int(row.get("customers", 0)),
            orders=int(row.get("orders", 0)),
            net_minor=int(row.get("net_minor", 0)),
        )
        for stage in named
        for row in (rows.get(_name(stage), {}),)
    ]


def customers_at(
    mart: Mart, stage: Stage | None, known: Mapping[int, Waits], as_of: date, *, offset: int = 0, limit: int | None = 25
) -> pd.DataFrame:
    """Customers who stand at a stage, those of most net sales first; ``limit`` None gives all.

    Returns:
        rows of ``customer_id``, ``orders``, ``last_day`` (int), ``waited`` (days), ``net_minor``.
    """
    person = dim_customer.c
    waited = _waited(as_of).label("waited")
    asked = (
        select(person.customer_id, person.orders, person.last_day, waited, person.net_minor)
        .where(person.occasions > 0, stage_of(known, as_of) == _name(stage))
        .order_by(person.net_minor.desc(), person.customer_id)
    )
    return mart.frame(asked if limit is None else asked.limit(limit).offset(offset))


def bought(mart: Mart, customer_id: int) -> Bought | None:
    """What one customer bought; null when she never did, or the figures do not know her yet."""
    person = dim_customer.c
    found = mart.frame(
        select(person.occasions, person.orders, person.first_day, person.last_day, person.net_minor).where(
            person.customer_id == customer_id, person.occasions > 0
        )
    ).to_dict("records")
    return Bought(**{str(name): int(value) for name, value in found[0].items()}) if found else None


def rfm(mart: Mart, who: Bought) -> Rfm | None:
    """One customer beside the others: one-time buyers among themselves; null where they are too few."""
    person = dim_customer.c
    group = person.occasions == 1 if who.occasions == 1 else person.occasions > 1
    # Worse: whose last order is longer ago, who ordered less often, who spent less.
    ranks = {"last_day": who.last_day, "occasions": who.occasions, "net_minor": who.net_minor}
    counted: list[ColumnElement[Any]] = [cast(func.count(), BigInteger).label("of")]
    for name, value in ranks.items():
        counted.append(_times(person[name] < value).label(f"{name}_worse"))
        counted.append(_times(person[name] == value).label(f"{name}_level"))
    row = mart.frame(select(*counted).where(group)).to_dict("records")[0]

    def rank(name: str) -> Rank:
        return Rank(worse=int(row[f"{name}_worse"]), level=int(row[f"{name}_level"]), of=int(row["of"]))

    return score(rank("last_day"), rank("occasions") if who.occasions > 1 else None, rank("net_minor"))


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), BigInteger)


def _waited(as_of: date) -> ColumnElement[int]:
    days = literal(day_index(as_of)) - dim_customer.c.last_day
    return cast(case((days > 0, days), else_=0), Integer)


def stage_of(known: Mapping[int, Waits], as_of: date) -> ColumnElement[str]:
    """The stage of a customer, as lib.stats.lifecycle.stage says it."""
    person, waited = dim_customer.c, _waited(as_of)
    if not known:
        # A value alone cannot be grouped by.
        return case((person.occasions > 0, _name(None)))

    def until(name: str) -> ColumnElement[int]:
        first = [(person.occasions == number, getattr(known[number], name)) for number in range(1, MANY)]
        return case(*first, else_=getattr(known[MANY], name))

    return case(
        (waited <= until("half"), case((person.occasions == 1, Stage.NEW.value), else_=Stage.ACTIVE.value)),
        (waited <= until("most"), Stage.DUE.value),
        (waited <= until("nearly_all"), Stage.AT_RISK.value),
        else_=Stage.LAPSED.value,
    )


def _name(stage: Stage | None) -> str:
    return "unknown" if stage is None else stage.value
