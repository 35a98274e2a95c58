"""The lifetime model opened: its parameters and what they mean, its grouped input, and the customers behind it."""

from typing import Any, Literal, TypeAlias, get_args

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Double, String, cast, func, literal, null, select

from lib.errors import UnknownFigure
from lib.mart.schema import fact_order
from lib.metrics.account import REFUNDS_KNOWN_NOW, Account, Number, counted_in, left_out_of
from lib.metrics.definition import Mart, Scope, Unit
from lib.metrics.drill import Behind
from lib.metrics.lifetime import AHEAD_WEEKS, Lifetime, lifetime
from lib.metrics.lifetime_input import customers, known_orders
from lib.metrics.orders import UNKNOWN
from lib.money import exponent
from lib.periods import day_index
from lib.stats.bgnbd import Buying, Model

Told: TypeAlias = Literal["active", "orders", "worth", "backtest"]
LABELS: dict[Told, str] = {
    "active": "Still buying",
    "orders": "Orders to come",
    "worth": "Sales to come",
    "backtest": "Backtest",
}
# Customers with so many purchases or more are one group.
MOST_PURCHASES = 5
_MEANINGS: dict[Told, str] = {
    "active": "Chance that a customer still buys, averaged over customers (MBG/NBD).",
    "orders": f"Purchase occasions expected of all these customers together in the next {AHEAD_WEEKS} weeks.",
    "worth": f"Net sales expected of all these customers in the next {AHEAD_WEEKS} weeks, not discounted: occasions "
    "expected × value expected of each (Gamma-Gamma).",
    "backtest": "The model fitted to what was known some weeks ago, asked for the weeks since: occasions it foretold "
    "divided by those that came. 1.00 is perfect, 1.10 foretold a tenth too many; beyond 0.80 to 1.20 do not plan "
    "with it.",
}
_MEANS: dict[Told, str] = {
    "active": "Chance that a customer with {} so far still buys, the mean of them (MBG/NBD).",
    "orders": "Purchase occasions expected of a customer with {} so far "
    f"in the next {AHEAD_WEEKS} weeks, the mean of them.",
    "worth": f"Net sales expected in the next {AHEAD_WEEKS} weeks of a customer with " + "{} so far, the mean of them.",
}
_FORMULAS: dict[Told, str] = {
    "active": "Sum over customers of 1 ÷ (1 + likelihood that she stopped ÷ likelihood that she still buys), ÷ "
    "customers; both likelihoods follow from x, t_x, T and the parameters",
    "orders": "Sum over customers of the occasions expected of her, given x, t_x and T and the parameters",
    "worth": "Sum over customers of the occasions expected × p × (v + x × her mean) ÷ (p × x + q − 1)",
    "backtest": "Occasions foretold ÷ occasions that came",
}
_PARAMETERS = {
    "r": "How alike customers buy while they do: the smaller, the more they differ.",
    "alpha": "In weeks: r ÷ alpha is the mean number of purchases a week while a customer still buys.",
    "a": "With b: a ÷ (a + b) is the mean chance to stop for good after a purchase.",
    "b": "See a: the larger a and b together, the more alike customers are in this.",
}
_VALUES = {
    "p": "How steady the value of one customer's purchases is: the larger, the steadier.",
    "q": "How alike customers' mean values are: the larger, the more alike.",
    "v": "With p and q: the mean value of a purchase is p × v ÷ (q − 1).",
}
_COLUMNS = (("x", "x: repeat purchases"), ("t_x", "t_x: weeks to the last"), ("t", "T: weeks known"))
_ORDER = fact_order.c


def lifetime_account(mart: Mart, scope: Scope, told: Told, purchases: int | None = None) -> Account:
    """A number of the lifetime model with its parameters, its input and its customers.

    Args:
        told: which number.
        purchases: of the customers with so many purchases so far alone, the mean of one of them.
    Raises:
        NotEnoughData: the model cannot be fitted, or has no backtest.
        UnknownFigure: no such number, or a filter that is no dimension of the first order.
    """
    if told not in get_args(Told):
        raise UnknownFigure(f"The lifetime model has no number {told!r}.")
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    found = lifetime(mart, scope)
    groups = _of_purchases(found.groups, purchases)
    n = int(groups["n"].sum())
    value, numbers = _value(found, groups, told, exponent(mart.about.currency), is_mean=purchases is not None)
    left_out, out = _left_out(mart, scope)
    return Account(
        key=f"lifetime_{told}" + (f"_{purchases}" if purchases else ""),
        label=LABELS[told],
        period=scope.period,
        value=value,
        unit=_unit(told, is_mean=purchases is not None),
        meaning=_MEANINGS[told] if purchases is None else _MEANS[told].format(_so_far(purchases)),
        formula=_FORMULAS[told] if purchases is None or told == "active" else f"{_FORMULAS[told]}, ÷ customers",
        counted=f"Customers whose first order lies in these days: {counted_in(scope)}. Several orders of one store "
        f"day are one purchase. {REFUNDS_KNOWN_NOW}",
        worked={"active": "{sum} ÷ {n}", "backtest": "{foretold} ÷ {came}"}.get(told, "")
        if value is not None and purchases is None
        else "",
        # The backtest was fitted to less than is known now, with parameters of its own.
        numbers=numbers if told == "backtest" else (*numbers, *_parameters(found, told, exponent(mart.about.currency))),
        notes=_notes(found),
        n=n,
        left_out=left_out,
        parts=_parts(scope, found, told, purchases) | out,
    )


def _so_far(purchases: int) -> str:
    more = " or more" if purchases == MOST_PURCHASES else ""
    return f"{purchases}{more} purchase{'' if purchases == 1 else 's'}"


def _of_purchases(groups: pd.DataFrame, purchases: int | None) -> pd.DataFrame:
    if purchases is None:
        return groups
    return groups[groups["x"].clip(upper=MOST_PURCHASES - 1) == purchases - 1]


def _unit(told: Told, *, is_mean: bool) -> Unit:
    match told:
        case "active":
            return Unit.SHARE
        case "worth":
            return Unit.MONEY
        case "orders" if not is_mean:
            return Unit.COUNT
        case _:
            return Unit.RATIO


def _value(
    found: Lifetime, groups: pd.DataFrame, told: Told, decimals: int, *, is_mean: bool
) -> tuple[float | None, tuple[Number, ...]]:
    n = int(groups["n"].sum())
    count = Number(name="n", label="Customers", value=n, unit=Unit.COUNT)
    if told == "backtest":
        tested = found.model.backtest
        if tested is None:
            return None, (count,)
        foretold = tested.forecasts[tested.better]
        return tested.ratio(), (
            Number(name="foretold", label=f"Foretold by {tested.better}", value=foretold, unit=Unit.COUNT),
            *(
                Number(name=f"by_{model.name.lower()}", label=f"Foretold by {model}", value=other, unit=Unit.COUNT)
                for model, other in tested.forecasts.items()
                if model is not tested.better
            ),
            Number(name="came", label="Occasions that came", value=int(tested.actual), unit=Unit.COUNT),
            Number(name="weeks", label="Weeks held back", value=tested.weeks, unit=Unit.COUNT),
            Number(name="known", label="Customers known then", value=tested.customers, unit=Unit.COUNT),
        )
    column = {"active": "chance_active", "orders": "orders", "worth": "worth"}[told]
    if told == "worth" and found.model.money is None:
        return None, (count,)
    total = float((groups[column] * groups["n"]).sum()) * (10**decimals if told == "worth" else 1)
    if told == "active":
        return total / n, (Number(name="sum", label="Sum of the chances", value=total, unit=Unit.COUNT), count)
    return (total / n if is_mean else total), (count,)


def _parameters(found: Lifetime, told: Told, decimals: int) -> tuple[Number, ...]:
    model: Buying = found.model.active if told == "active" else found.model.orders
    numbers = [
        Number(name=name, label=f"{name} ({model.model})", value=getattr(model, name), unit=Unit.RATIO, meaning=words)
        for name, words in _PARAMETERS.items()
    ]
    money = found.model.money
    if told == "worth" and money is not None:
        for name, words in _VALUES.items():
            is_money = name == "v"
            value = getattr(money, name) * (10**decimals if is_money else 1)
            unit = Unit.MONEY if is_money else Unit.RATIO
            numbers.append(Number(name=name, label=f"{name} (Gamma-Gamma)", value=value, unit=unit, meaning=words))
    return tuple(numbers)


def _notes(found: Lifetime) -> tuple[str, ...]:
    notes = [*found.model.warnings]
    if found.step:
        notes.append(f"Fitted with times rounded to steps of {found.step} week{'' if found.step == 1 else 's'}.")
    tested = found.model.backtest
    ratio = tested.ratio() if tested else None
    if tested and ratio is not None:
        notes.append(f"Backtest of {tested.weeks:.0f} weeks by {tested.better}: ratio {ratio:.2f}.")
    if found.model.orders.model is Model.BG:
        notes.append("Orders by BG/NBD, which backtests better; who still buys always by MBG/NBD.")
    return tuple(notes)


def _parts(scope: Scope, found: Lifetime, told: Told, purchases: int | None) -> dict[str, Behind]:
    as_of = day_index(scope.as_of)
    if told == "backtest":
        tested = found.model.backtest
        if tested is None:
            return {}
        cut = as_of - int(7 * tested.weeks)
        return {
            "Occasions that came": Behind(statement=_occasions(scope, cut, as_of), unit=Unit.COUNT),
            "Customers known then": _people(scope, cut, as_of, None, "n"),
            "Grouped input known then": _grouped(scope, cut, as_of, None),
        }
    return {
        "Customers": _people(scope, as_of, as_of, purchases, "n"),
        "Repeat purchases": _people(scope, as_of, as_of, purchases, "x"),
        "Net sales of repeat purchases": _people(scope, as_of, as_of, purchases, "repeat_net"),
        "Grouped input": _grouped(scope, as_of, as_of, purchases),
    }


def _times(one: Any, cut: int) -> tuple[Any, Any]:
    """Days from the first to the last purchase, and from the first to the last day known."""
    return one.last_day - one.first_day, literal(cut - 1) - one.first_day


def _asked(one: Any, purchases: int | None) -> ColumnElement[bool]:
    x: ColumnElement[int] = one.x
    least = 0 if purchases is None else purchases - 1
    return x.between(least, 10**9 if purchases in (None, MOST_PURCHASES) else least)


def _people(scope: Scope, cut: int, as_of: int, purchases: int | None, counted: str) -> Behind:
    """One row per customer on the day of her first order: counted as one, by repeat purchases, or by their money."""
    one = customers(scope, cut, as_of).c
    t_x, t = _times(one, cut)
    amount: Any = literal(1) if counted == "n" else one[counted]
    columns: list[Any] = [
        literal("customer").label("what"),
        one.first_day.label("day"),
        cast(null(), String).label("number"),
        cast(null(), BigInteger).label("order_id"),
        cast(one.customer_id, BigInteger).label("customer_id"),
        cast(one.customer_id, BigInteger).label("row_id"),
        cast(amount, BigInteger).label("amount"),
        one.x.label("x"),
        (cast(t_x, Double) / 7).label("t_x"),
        (cast(t, Double) / 7).label("t"),
    ]
    where = [_asked(one, purchases)]
    if counted != "n":
        where.append(amount != 0)
    unit = Unit.MONEY if counted == "repeat_net" else Unit.COUNT
    return Behind(statement=select(*columns).where(*where), unit=unit, more=_COLUMNS)


def _grouped(scope: Scope, cut: int, as_of: int, purchases: int | None) -> Behind:
    """What the model is fitted to: customers alike in x, t_x and T are one row, counted by n."""
    one = customers(scope, cut, as_of).c
    t_x, t = _times(one, cut)
    each = (
        select(one.x, t_x.label("days_x"), t.label("days_t"), func.count().label("n"))
        .where(_asked(one, purchases))
        .group_by(one.x, t_x, t)
        .subquery("grouped")
        .c
    )
    columns: list[Any] = [
        literal("group").label("what"),
        (literal(cut - 1) - each.days_t).label("day"),
        cast(null(), String).label("number"),
        cast(null(), BigInteger).label("order_id"),
        cast(null(), BigInteger).label("customer_id"),
        # Unique, and in the order of x, T and t_x.
        (cast(each.x, BigInteger) * 10**12 + cast(each.days_t, BigInteger) * 10**6 + each.days_x).label("row_id"),
        cast(each.n, BigInteger).label("amount"),
        each.x.label("x"),
        (cast(each.days_x, Double) / 7).label("t_x"),
        (cast(each.days_t, Double) / 7).label("t"),
    ]
    return Behind(statement=select(*columns), unit=Unit.COUNT, more=_COLUMNS)


def _occasions(scope: Scope, cut: int, as_of: int) -> Any:
    """The purchases after the cut of customers known then: the first order of each customer's day."""
    columns: list[ColumnElement[Any]] = [
        literal("purchase").label("what"),
        _ORDER.day,
        cast(_ORDER.number, String).label("number"),
        cast(_ORDER.order_id, BigInteger).label("order_id"),
        cast(_ORDER.customer_id, BigInteger).label("customer_id"),
        cast(_ORDER.order_id, BigInteger).label("row_id"),
        cast(literal(1), BigInteger).label("amount"),
    ]
    later = (_ORDER.day >= cut, _ORDER.day < as_of, _ORDER.is_first_of_day)
    return select(*columns).where(known_orders(scope, cut), *later)


def _left_out(mart: Mart, scope: Scope) -> tuple[dict[str, int], dict[str, Behind]]:
    """Orders that no customer can be told of; where the question can be asked of orders."""
    reason, metric = UNKNOWN
    if not all(name in metric.dimensions for name, _ in scope.filters):
        return {}, {}
    return left_out_of(mart, ((f"order of an {reason}", metric),), scope)
