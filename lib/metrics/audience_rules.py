"""What a rule of an audience asks of a row of ``dim_customer``; null where the field is not known of a customer."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Integer,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    null,
    select,
    true,
)

from lib.audience import Audience, Rule
from lib.mart.schema import dim_customer, fact_item
from lib.metrics.customers import known_waits, order_gaps, stage_of
from lib.metrics.definition import Mart
from lib.periods import day_index
from lib.stats.lifecycle import Waits
from lib.stats.rfm import ENOUGH, FIFTHS

_PERSON = dim_customer.c
# Text of the last order, and of the person.
WORDS = {
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
BOUGHT = {"bought_category": fact_item.c.category, "bought_product": fact_item.c.product}
_SCORED = {
    "recency_score": _PERSON.last_day,
    "frequency_score": _PERSON.occasions,
    "monetary_score": _PERSON.net_minor,
}


def condition(mart: Mart, audience: Audience, as_of: date) -> ColumnElement[bool]:
    """What a row of ``dim_customer`` must meet to be in an audience."""
    return and_(everyone(), *(met(mart, rule, as_of) for rule in audience.rules))


def everyone() -> ColumnElement[bool]:
    """Everybody who ever bought, except who was erased."""
    return and_(_PERSON.occasions > 0, not_(_PERSON.is_erased))


def met(mart: Mart, rule: Rule, as_of: date) -> ColumnElement[bool]:
    """Whether a customer meets a rule; null where the field is not known, whichever way it is asked."""
    found = _asked(mart, rule.checked(), as_of)
    return not_(found) if rule.is_not else found


def _asked(mart: Mart, rule: Rule, as_of: date) -> ColumnElement[bool]:
    name, today = rule.field, literal(day_index(as_of))
    if name in WORDS:
        return WORDS[name].in_(rule.any_of)
    if name in _FLAGS:
        return _FLAGS[name]
    if name in BOUGHT:
        item = fact_item.c
        bought = select(item.customer_id).where(
            item.is_valid, item.customer_id.is_not(None), BOUGHT[name].in_(rule.any_of)
        )
        return _PERSON.customer_id.in_(bought)
    if name in _SCORED:
        return _scored(mart, name, rule)
    if name == "lifecycle":
        known = waits_of(mart, as_of)
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


def waits_of(mart: Mart, as_of: date) -> dict[int, Waits]:
    """The days that part the stages of the lifecycle, by number of purchases."""
    known = _KNOWN.setdefault(mart, {})
    if ("waits", as_of) not in known:
        known["waits", as_of] = known_waits(order_gaps(mart, as_of))
    waits: dict[int, Waits] = known["waits", as_of]
    return waits
