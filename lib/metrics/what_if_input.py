"""What a what-if stands on, read once for all groups and grouped by the engine: spells, baskets, margin, customers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Integer, Select, Subquery, and_, case, cast, false, func, literal, select, tuple_

from lib.audience import Audience, Rule
from lib.mart.schema import fact_order, points_day
from lib.metrics.definition import Mart
from lib.metrics.what_if_moments import SPLITS, starts
from lib.offer import Moment
from lib.periods import day_index
from lib.stats.ground import Ground

EVERYONE = "Everyone"
A_YEAR = 365
# A group with fewer purchases after the moment carries no curve.
ENOUGH_EVENTS = 100
# At most so many countries, channels and categories each.
MOST_OF_A_KIND = 6
# Values at the till are told apart by so many minor units, up to a highest step.
STEP, HIGHEST = 100, 5_000
_SPELL = ("day", "events", "censored")
_BASKET = ("value_minor", "orders", "net_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group that comes with Encore: what it is called, and whom it holds."""

    name: str
    audience: Audience


def ground(mart: Mart, audience: Audience, moment: Moment, as_of: date) -> Ground:
    """The ground of one audience; its spells are empty when nobody of it reached the moment."""
    begun = starts(moment, audience, day_index(as_of))
    spells, baskets = _read(mart, begun, (), day_index(as_of))
    return _ground(spells, baskets, _covered(mart, as_of), _points_kept(mart))


def grounds(mart: Mart, moment: Moment, as_of: date) -> dict[str, tuple[Group, Ground]]:
    """The ground of every group that comes with Encore, by its name.

    Everyone is always there; others only with ``ENOUGH_EVENTS`` purchases after the moment.
    """
    begun = starts(moment, Audience(), day_index(as_of))
    spells, baskets = _read(mart, begun, SPLITS, day_index(as_of))
    covered, kept = _covered(mart, as_of), _points_kept(mart)
    spells_of, baskets_of = (dict(list(frame.groupby(["kind", "slice"]))) for frame in (spells, baskets))
    return {
        group.name: (
            group,
            _ground(spells_of.get(place, spells.iloc[:0]), baskets_of.get(place, baskets.iloc[:0]), covered, kept),
        )
        for group, place in _groups(spells)
    }


def _groups(spells: pd.DataFrame) -> Iterator[tuple[Group, tuple[int, str]]]:
    """The groups that carry a curve, each with its kind and slice."""
    yield Group(name=EVERYONE, audience=Audience()), (0, "")
    happened = spells[spells["is_event"]].groupby(["kind", "slice"])["n"].sum().reset_index()
    for kind, name in enumerate(SPLITS, start=1):
        pieces = happened[(happened["kind"] == kind) & (happened["n"] >= ENOUGH_EVENTS)]
        pieces = pieces[pieces["slice"] != "unknown"].sort_values("n", ascending=False, kind="stable")
        for piece in pieces["slice"].head(MOST_OF_A_KIND):
            yield _group(name, str(piece)), (kind, str(piece))


def _group(name: str, piece: str) -> Group:
    if name == "times":
        is_first = piece == "first"
        rule = Rule(field="purchases", least=1 if is_first else 2, most=1 if is_first else None)
        return Group(name=f"After the {'first' if is_first else 'second or a later'} order", audience=Audience((rule,)))
    field = "bought_category" if name == "category" else name
    return Group(name=f"{name.capitalize()}: {piece}", audience=Audience((Rule(field=field, any_of=(piece,)),)))


def _read(mart: Mart, begun: Subquery, by: tuple[str, ...], as_of: int) -> list[pd.DataFrame]:
    """Spells and baskets with ``kind`` (0: all, else the place in ``by``) and ``slice`` (empty for all)."""
    found = []
    for question in (_spells(begun, by, as_of), _baskets(begun, by, as_of)):
        frame = mart.frame(question)
        frame["slice"] = frame["slice"].astype("object").where(frame["kind"] > 0, "")
        found.append(frame)
    return found


def _spells(begun: Subquery, by: tuple[str, ...], as_of: int) -> Select[Any]:
    """How many spells ended, or are open, after each day; ``recent``: of them began within a year."""
    of = begun.c
    is_event = func.coalesce(of.next_day < as_of, false())
    row = (
        select(
            case((is_event, of.next_day - of.start), else_=as_of - 1 - of.start).label("day"),
            is_event.label("is_event"),
            case((of.start >= as_of - A_YEAR, 1), else_=0).label("is_recent"),
            *(of[name] for name in by),
        )
        .subquery("spells")
        .c
    )
    counted = [cast(func.count(), BigInteger).label("n"), cast(func.sum(row.is_recent), BigInteger).label("recent")]
    return _split(row, by, [row.day, row.is_event], counted)


def _baskets(begun: Subquery, by: tuple[str, ...], as_of: int) -> Select[Any]:
    """The orders of the next purchase, by steps of their value at the till."""
    order, of = fact_order.c, begun.c
    at_till = order.gross_minor - order.discount_minor
    step = cast(func.floor(func.least(at_till / (1.0 * STEP), 1.0 * HIGHEST)), Integer)
    row = (
        select(
            (step * STEP).label("value_minor"),
            order.net_minor,
            order.costed_net_minor,
            order.cost_minor,
            *(of[name] for name in by),
        )
        .select_from(begun)
        .join(fact_order, and_(order.customer_id == of.customer_id, order.occasion == of.occasion + 1))
        .where(order.is_valid, order.day < as_of)
        .subquery("following")
        .c
    )
    summed = [cast(func.count(), BigInteger).label("orders")]
    summed += [cast(func.sum(row[n]), BigInteger).label(n) for n in ("net_minor", "costed_net_minor", "cost_minor")]
    return _split(row, by, [row.value_minor], summed)


def _split(row: Any, by: tuple[str, ...], keys: list[Any], sums: list[Any]) -> Select[Any]:
    """Sums by ``keys``: of all rows, and again by each column of ``by``, told apart by ``kind`` and ``slice``."""
    if not by:
        return select(cast(literal(0), Integer).label("kind"), literal("").label("slice"), *keys, *sums).group_by(*keys)
    # A bit is 0 for the column that a row is grouped by; the first column has the highest.
    bits = func.grouping(*(row[name] for name in by))
    everybody = 2 ** len(by) - 1
    kinds = [(bits == everybody - 2 ** (len(by) - place), place) for place in range(1, len(by) + 1)]
    sets = [tuple_(*keys), *(tuple_(row[name], *keys) for name in by)]
    return select(
        cast(case(*kinds, else_=0), Integer).label("kind"),
        func.coalesce(*(row[name] for name in by)).label("slice"),
        *keys,
        *sums,
    ).group_by(func.grouping_sets(*sets))


def _ground(spells: pd.DataFrame, baskets: pd.DataFrame, covered: int, points_kept: float) -> Ground:
    events = spells["n"].where(spells["is_event"].astype(bool), 0)
    table = pd.DataFrame({"day": spells["day"], "events": events, "censored": spells["n"] - events})
    table = table.groupby("day", as_index=False)[["events", "censored"]].sum().astype("int64")
    costed, cost, net = (int(baskets[name].sum()) for name in ("costed_net_minor", "cost_minor", "net_minor"))
    return Ground(
        spells=table[list(_SPELL)],
        baskets=baskets[list(_BASKET)].astype("int64").sort_values("value_minor", ignore_index=True),
        per_day=float(spells["recent"].sum()) / covered,
        margin=min(max((costed - cost) / costed, 0.0), 1.0) if costed > 0 else None,
        costed_share=min(max(costed / net, 0.0), 1.0) if net > 0 else 0.0,
        points_kept=points_kept,
    )


def _covered(mart: Mart, as_of: date) -> int:
    """Of the year before, the days since the first order: at least one."""
    first = mart.about.first_day
    return max(min(A_YEAR, day_index(as_of) - int(first)), 1) if first is not None else 1


def _points_kept(mart: Mart) -> float:
    """The share of points issued so far that did not expire: what is not redeemed yet may still be."""
    point = points_day.c
    sums = [func.sum(point[name]).label(name) for name in ("issued_points", "expired_points")]
    row = mart.frame(select(*sums).where(point.dimension == "all")).iloc[0]
    issued = 0.0 if pd.isna(row["issued_points"]) else float(row["issued_points"])
    return min(max(1 - float(row["expired_points"]) / issued, 0.0), 1.0) if issued > 0 else 1.0
