"""What moved net sales between two periods: the drivers and the segments, each with the orders behind it."""

from dataclasses import dataclass

import pandas as pd

from lib.errors import UnknownFigure
from lib.metrics.account import FEW, SMALL, Account, Number, counted_in
from lib.metrics.definition import Combined, Mart, Metric, Scope, Unit
from lib.metrics.drill import Behind, Term, behind_terms, terms_of
from lib.metrics.measure import measure, value_of
from lib.metrics.net_sales import NET_SALES
from lib.metrics.orders import CUSTOMERS, LEFT_OUT_ORDERS, ORDERS, UNITS
from lib.metrics.sales import driver_totals, segment_totals
from lib.stats.drivers import (
    AVERAGE_ORDER_VALUE,
    ORDERS_PER_CUSTOMER,
    UNKNOWN,
    mix_and_rate,
    sales_drivers,
    whole_parts,
)
from lib.stats.drivers import CUSTOMERS as MORE_CUSTOMERS

WHOLE = "whole"
NAMES = {
    MORE_CUSTOMERS: "Customers",
    ORDERS_PER_CUSTOMER: "Orders per customer",
    AVERAGE_ORDER_VALUE: "Order value",
    UNKNOWN: "Unknown customers",
}
NOW, THEN = "these days", "compared with"
_KNOWN_KINDS = ("new", "returning")
_EXACT = "An exact part of the change (Shapley): arithmetic, not proof of a cause."
_MEANINGS = {
    MORE_CUSTOMERS: "What of the change in net sales comes from more or fewer known customers who bought.",
    ORDERS_PER_CUSTOMER: "What of the change in net sales comes from customers ordering more or less often.",
    AVERAGE_ORDER_VALUE: "What of the change in net sales comes from larger or smaller orders, refunds included.",
    UNKNOWN: "What of the change in net sales comes from orders and refunds of no known customer.",
}
# Each factor's part: its own step times the mean of the two other factors over every order of the steps.
_SHAPLEY = (
    "({now} − {then}) × ({other_then} × {third_then} ÷ 3 + ({other_then} × {third_now} + {other_now} × {third_then}) "
    "÷ 6 + {other_now} × {third_now} ÷ 3)"
)
_FACTORS = {MORE_CUSTOMERS: "customers", ORDERS_PER_CUSTOMER: "orders_each", AVERAGE_ORDER_VALUE: "value_each"}


@dataclass(frozen=True, slots=True)
class Moved:
    """The totals of two periods (as ``driver_totals`` has them) and the parts of their difference, in minor units."""

    before: dict[str, float]
    after: dict[str, float]
    parts: dict[str, int]


def drivers(mart: Mart, scope: Scope, before: Scope) -> Moved:
    """The difference of net sales as whole parts: customers, orders each, value of an order, unknown customers."""
    earlier, now = driver_totals(mart, before), driver_totals(mart, scope)
    step = (now["net"] + now["unknown_net"]) - (earlier["net"] + earlier["unknown_net"])
    return Moved(earlier, now, whole_parts(sales_drivers(earlier, now), round(step)))


def segments(mart: Mart, scope: Scope, before: Scope, dimension: str) -> pd.DataFrame:
    """The difference of net sales by segment, as ``lib.stats.drivers.mix_and_rate`` splits it.

    Raises:
        UnknownFigure: not one of the prepared dimensions.
    """
    return mix_and_rate(segment_totals(mart, before, dimension), segment_totals(mart, scope, dimension))


def driver_account(mart: Mart, scope: Scope, before: Scope, name: str) -> Account:
    """A driver with the totals of both periods in its formula, and the orders that they count.

    Args:
        name: a key of NAMES, or WHOLE for the change itself.
    Raises:
        UnknownFigure: no such driver.
    """
    if name not in (*NAMES, WHOLE):
        raise UnknownFigure(f"No driver is called {name!r}; there are {', '.join(NAMES)}.")
    found = drivers(mart, scope, before)
    value = sum(found.parts.values()) if name == WHOLE else found.parts[name]
    formula, worked = _formula(name)
    left_out, out = _left_out(mart, scope, before)
    return Account(
        key=f"driver_{name}",
        label="The whole change" if name == WHOLE else NAMES[name],
        period=scope.period,
        value=value,
        unit=Unit.MONEY,
        meaning=f"{NET_SALES.label} of these days less those of the days compared with."
        if name == WHOLE
        else f"{_MEANINGS[name]} {_EXACT}",
        formula=formula,
        counted=_both(scope, before),
        worked=worked,
        numbers=_totals(found, name),
        notes=_driver_notes(found, name),
        left_out=left_out,
        parts=_driver_parts(mart, scope, before, name) | out,
    )


def segment_account(mart: Mart, scope: Scope, before: Scope, dimension: str, segment: str) -> Account:
    """A segment's change with the orders and refunds of both periods behind it.

    Raises:
        UnknownFigure: not a prepared dimension, or no such segment in either period.
    """
    table = segments(mart, scope, before, dimension)
    rows = table[table["segment"] == segment]
    if rows.empty:
        raise UnknownFigure(f"Nothing was sold or refunded in {dimension} {segment!r} in either period.")
    row = {name: float(rows[name].iloc[0]) for name in ("before", "after", "change", "volume", "mix", "rate", "other")}
    volume = UNITS if dimension == "category" else ORDERS
    totals = {place: segment_totals(mart, each, dimension) for place, each in ((NOW, scope), (THEN, before))}
    pieces = {place: float(t.loc[t["segment"] == segment, "volume"].sum()) for place, t in totals.items()}
    parts = {
        "volume": "of it from the volume of the whole store",
        "mix": "of it from its share of the volume",
        "rate": f"of it from the amount per {volume.label.lower().removesuffix('s')}",
        "other": f"of it from refunds without {volume.label.lower()}",
    }
    one, other = _narrowed(scope, dimension, segment), _narrowed(before, dimension, segment)
    left_out, out = _left_out(mart, one, other)
    return Account(
        key=f"segment_{dimension}",
        label=segment,
        period=scope.period,
        value=round(row["change"]),
        unit=Unit.MONEY,
        meaning="Net sales of this segment in these days less those in the days compared with. The change is split "
        "exactly into volume, mix and rate (Shapley): arithmetic, not proof of a cause.",
        formula=f"Net sales {NOW} − net sales {THEN}; a segment's net sales are the store's volume × the segment's "
        "share of it × net sales per unit of volume",
        counted=_both(one, other),
        worked="{after} − {before}",
        numbers=(
            Number(name="after", label=f"Net sales, {NOW}", value=round(row["after"]), unit=Unit.MONEY),
            Number(name="before", label=f"Net sales, {THEN}", value=round(row["before"]), unit=Unit.MONEY),
            *(
                Number(name=f"volume_{at}", label=f"{volume.label}, {place}", value=pieces[place], unit=Unit.COUNT)
                for at, place in enumerate((NOW, THEN))
            ),
            *(
                Number(
                    name=f"store_{at}",
                    label=f"{volume.label} of all segments, {place}",
                    value=float(totals[place]["volume"].sum()),
                    unit=Unit.COUNT,
                )
                for at, place in enumerate((NOW, THEN))
            ),
            *(
                Number(name=name, label=name.capitalize(), value=row[name], unit=Unit.MONEY, meaning=words)
                for name, words in parts.items()
                if row[name] or name != "other"
            ),
        ),
        notes=(SMALL,) if min(pieces.values()) <= FEW else (),
        left_out=left_out,
        parts={
            "The change": _change(mart, [one], [other]),
            **_pair(mart, NET_SALES, [one], [other]),
            **_pair(mart, volume, [one], [other]),
            **out,
        },
    )


def _formula(name: str) -> tuple[str, str]:
    """In words, and with places for the totals of both periods."""
    if name == WHOLE:
        return f"Net sales {NOW} − net sales {THEN}", "{net_now} − {net_then}"
    if name == UNKNOWN:
        return (
            f"Net sales of unknown customers {NOW} − the same {THEN}",
            "{unknown_now} − {unknown_then}",
        )
    other, third = (factor for factor in _FACTORS.values() if factor != _FACTORS[name])
    places = {f"{place}": f"{{{_FACTORS[name]}_{place}}}" for place in ("now", "then")}
    for kind, factor in (("other", other), ("third", third)):
        places |= {f"{kind}_{place}": f"{{{factor}_{place}}}" for place in ("now", "then")}
    words = (
        f"The step of {NAMES[name].lower()}, times the two other factors, averaged over every order in which the three "
        "could have changed; net sales are customers × orders per customer × order value"
    )
    return words, _SHAPLEY.format(**places)


def _totals(found: Moved, name: str) -> tuple[Number, ...]:
    """The totals of both periods, then the factors made of them."""

    def both(key: str, label: str, now: float | None, then: float | None, unit: Unit) -> tuple[Number, Number]:
        return (
            Number(name=f"{key}_now", label=f"{label}, {NOW}", value=now, unit=unit),
            Number(name=f"{key}_then", label=f"{label}, {THEN}", value=then, unit=unit),
        )

    now, then = found.after, found.before
    unknown = both("unknown", "Net sales of unknown customers", now["unknown_net"], then["unknown_net"], Unit.MONEY)
    if name == UNKNOWN:
        return unknown
    if name == WHOLE:
        whole = [t["net"] + t["unknown_net"] for t in (now, then)]
        return both("net", "Net sales", whole[0], whole[1], Unit.MONEY)
    each = _each(now, then, "orders", "customers")
    value = _each(now, then, "net", "orders")
    return (
        *both("customers", "Known customers", now["customers"], then["customers"], Unit.COUNT),
        *both("orders", "Their orders", now["orders"], then["orders"], Unit.COUNT),
        *both("net", "Their net sales", now["net"], then["net"], Unit.MONEY),
        *both("orders_each", "Orders per customer", *each, Unit.RATIO),
        *both("value_each", "Net sales per order", *value, Unit.MONEY),
    )


def _each(now: dict[str, float], then: dict[str, float], top: str, bottom: str) -> tuple[float, float]:
    """A ratio of both periods; one without a bottom takes the other's, as the drivers do."""
    first = now[top] / now[bottom] if now[bottom] else None
    second = then[top] / then[bottom] if then[bottom] else None
    one = first if first is not None else second or 0.0
    return one, second if second is not None else one


def _driver_notes(found: Moved, name: str) -> tuple[str, ...]:
    notes = []
    fewest = min(found.before["orders"], found.after["orders"])
    if name in _FACTORS and fewest <= FEW:
        notes.append(SMALL)
    if name in _FACTORS and not fewest:
        notes.append(
            "One of the periods has no order of a known customer: its ratios are taken from the other, and its refunds "
            "are laid on the order value."
        )
    return tuple(notes)


def _left_out(mart: Mart, scope: Scope, before: Scope) -> tuple[dict[str, int], dict[str, Behind]]:
    """What both periods leave out, by reason, and its rows."""
    counts: dict[str, int] = {}
    terms: list[Term] = []
    for place, each in ((NOW, scope), (THEN, before)):
        answers = measure(mart, [metric for _, metric in LEFT_OUT_ORDERS], each)
        for reason, metric in LEFT_OUT_ORDERS:
            if count := value_of(metric, answers, ("all",)):
                counts[f"{reason}, {place}"] = count
            terms.append(Term(sign=1, metric=metric, scope=each, what=f"{reason}, {place}"))
    return counts, {"Left out": behind_terms(mart, terms, Unit.COUNT)} if counts else {}


def _driver_parts(mart: Mart, scope: Scope, before: Scope, name: str) -> dict[str, Behind]:
    now, then = [scope], [before]
    if name == WHOLE:
        return {"The change": _change(mart, now, then), **_pair(mart, NET_SALES, now, then)}
    if name == UNKNOWN:
        one, other = _of_kinds(scope, "unknown"), _of_kinds(before, "unknown")
        return {"The change": _change(mart, one, other), **_pair(mart, NET_SALES, one, other)}
    known, earlier = _of_kinds(scope, *_KNOWN_KINDS), _of_kinds(before, *_KNOWN_KINDS)
    # Someone who was new and came back in one period is of both kinds, but one customer.
    customers = _pair(mart, CUSTOMERS, now, then)
    orders = _pair(mart, ORDERS, known, earlier)
    net = _pair(mart, NET_SALES, known, earlier)
    return {
        MORE_CUSTOMERS: customers | orders | net,
        ORDERS_PER_CUSTOMER: orders | customers | net,
        AVERAGE_ORDER_VALUE: net | orders | customers,
    }[name]


def _pair(mart: Mart, metric: Metric | Combined, now: list[Scope], then: list[Scope]) -> dict[str, Behind]:
    """The rows of a figure in each of the two periods."""
    return {
        f"{metric.label}, {place}": behind_terms(
            mart, [term for each in scopes for term in terms_of(metric, each)], metric.unit
        )
        for place, scopes in ((NOW, now), (THEN, then))
    }


def _change(mart: Mart, now: list[Scope], then: list[Scope]) -> Behind:
    """The rows of both periods, those of the earlier one taken away: they add up to the change of net sales."""
    terms = [
        Term(sign=sign * term.sign, metric=term.metric, scope=each, what=f"{term.what}, {place}")
        for sign, place, scopes in ((1, NOW, now), (-1, THEN, then))
        for each in scopes
        for term in terms_of(NET_SALES, each)
    ]
    return behind_terms(mart, terms, Unit.MONEY)


def _of_kinds(scope: Scope, *kinds: str) -> list[Scope]:
    return [_narrowed(scope, "customer_kind", kind) for kind in kinds]


def _narrowed(scope: Scope, dimension: str, piece: str) -> Scope:
    return Scope(period=scope.period, as_of=scope.as_of, filters=(*scope.filters, (dimension, piece)))


def _both(scope: Scope, before: Scope) -> str:
    return f"{counted_in(scope)}; compared with {counted_in(before)}. Refunds count on the day they were made (cash)."
