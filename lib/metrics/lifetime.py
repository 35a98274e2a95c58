"""What customers are worth: the lifetime model over all purchases known at the as-of day, with its backtest."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lib.errors import NotEnoughData, UnknownFigure
from lib.mart.schema import FIRST_DIMENSIONS
from lib.metrics.definition import Figure, Mart, Scope, Unit, Worked
from lib.metrics.lifetime_input import NOW, THEN, WORTH, first_day, read_input
from lib.money import exponent
from lib.periods import day_index
from lib.stats import lifetime as model
from lib.stats.bgnbd import ENOUGH_WEEKS, coarsen

# How far ahead worth is told, and the longest stretch that a backtest holds back.
AHEAD_WEEKS = 52
HELD_BACK_WEEKS = 26
_KEPT = 16
# With more groups than this by day, weeks are counted in steps of 1, then 2, then 4: a fit of a second takes many
# otherwise. On a million orders steps of 4 weeks move the orders and the worth expected by 0.1 %, the share of
# active customers by 0.5 %, the backtest by 0.1 %.
MANY_GROUPS = 10_000
STEPS = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The fitted model, and what it says of the customers of the question.

    ``groups``: rows of ``x``, ``t_x``, ``t`` (weeks), ``n``, ``value`` (major units), ``chance_active``,
    ``orders`` and ``worth`` (major units) of the next AHEAD_WEEKS weeks, of one customer of the row.
    ``step``: weeks to which times were rounded; 0: exact days.
    """

    model: model.LifetimeModel
    groups: pd.DataFrame
    step: int = 0


_FITTED: OrderedDict[tuple[Any, ...], Lifetime | NotEnoughData] = OrderedDict()


def lifetime(mart: Mart, scope: Scope) -> Lifetime:
    """Fit the model to the customers whose first order is in the period, as known at the as-of day.

    The last third of the history, at most 26 weeks, is held back for the backtest. A fit is kept for as long
    as the mart's version is current.

    Raises:
        NotEnoughData: fewer than 500 customers, 100 repeaters or 26 weeks, or a parameter at its bound.
        UnknownFigure: a filter that is no dimension of the first order.
    """
    about = mart.about
    version = (about.version, about.store_name, about.fresh_to_at, about.orders, about.customers)
    key = (*version, scope.period, scope.as_of, scope.filters)
    if key not in _FITTED:
        try:
            _FITTED[key] = _fit(mart, scope)
        except NotEnoughData as refused:
            _FITTED[key] = refused
        while len(_FITTED) > _KEPT:
            _FITTED.popitem(last=False)
    found = _FITTED[key]
    if isinstance(found, NotEnoughData):
        raise NotEnoughData(str(found))
    return found


def forget() -> None:
    """Forget every fit of this process, as when measuring what one costs."""
    _FITTED.clear()


def _fit(mart: Mart, scope: Scope) -> Lifetime:
    as_of = day_index(scope.as_of)
    scale = float(10 ** exponent(mart.about.currency))
    first = first_day(mart, scope)
    history = 0.0 if first is None else (as_of - 1 - first) / 7
    weeks = float(min(HELD_BACK_WEEKS, int(history / 3)))
    is_tested = weeks >= 1 and history - weeks >= ENOUGH_WEEKS
    read = read_input(mart, scope, as_of, cut=as_of - int(7 * weeks) if is_tested else as_of)
    groups, step = _coarse(_groups(read[read["kind"] == NOW], as_of))
    tested = None
    if is_tested:
        try:
            held_back, _ = _coarse(_groups(read[read["kind"] == THEN], as_of - int(7 * weeks)))
            tested = model.backtest(held_back, weeks)
        except NotEnoughData:
            tested = None
    values = read.loc[read["kind"] == WORTH, ["x", "mean", "n"]].rename(columns={"mean": "value"})
    values["value"] = values["value"].astype("float64") / scale
    fitted = model.fit(groups, values=values, tested=tested)
    means = groups["repeat_net"] / (groups["x"] * groups["n"]).where(groups["x"] > 0) / scale
    groups["value"] = means.fillna(0.0).clip(lower=0.0)
    ahead = fitted.worth(groups, AHEAD_WEEKS)
    columns = ["x", "t_x", "t", "n", "value", "chance_active", "orders", "worth"]
    return Lifetime(model=fitted, groups=ahead[columns], step=step)


def _coarse(groups: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Few enough groups for a fit, and the step in weeks to which their times were rounded (0: days)."""
    found, step = groups, 0
    for wider in STEPS:
        if len(found) <= MANY_GROUPS:
            break
        found, step = coarsen(groups, weeks=wider), wider
    return found, step


def _groups(read: pd.DataFrame, day: int) -> pd.DataFrame:
    """Customers as they stood on the morning of a day: ``x``, ``t_x``, ``t``, ``n``, ``later``, ``repeat_net``."""
    return pd.DataFrame(
        {
            "x": read["x"].astype("int64"),
            "t_x": (read["last_day"] - read["first_day"]).astype("float64") / 7,
            "t": (day - 1 - read["first_day"]).astype("float64") / 7,
            "n": read["n"].astype("int64"),
            "later": read["later"].astype("int64"),
            "repeat_net": read["repeat_net"].astype("float64"),
        }
    )


def _answered(mart: Mart, metric: Worked, scope: Scope) -> list[Figure]:
    if scope.by:
        raise UnknownFigure(f"{metric.label} is fitted to all customers together; use --where, not --by.")
    try:
        found = lifetime(mart, scope)
    except NotEnoughData as refused:
        return [_figure(metric, scope, note=str(refused))]
    fitted, groups = found.model, found.groups
    customers = int(groups["n"].sum())
    tested = fitted.backtest
    ratio = tested.ratio() if tested else None
    rounded = f"Times are counted in steps of {found.step} week{'s' if found.step > 1 else ''}." if found.step else ""
    note = " ".join(filter(None, [_backtested(tested), *fitted.warnings, rounded, metric.note]))
    match metric.key:
        case "lifetime_backtest":
            top = tested.forecasts[tested.better] if tested else None
            bottom = int(tested.actual) if tested else None
            return [_figure(metric, scope, value=ratio, numerator=top, denominator=bottom, n=customers, note=note)]
        case "lifetime_active_share":
            told: dict[str, Any] = {"numerator": float((groups["chance_active"] * groups["n"]).sum())}
        case "lifetime_worth":
            scale = 10 ** exponent(mart.about.currency)
            told = {"numerator": None if fitted.money is None else float((groups["worth"] * groups["n"]).sum()) * scale}
        case _:
            told = {"numerator": float((groups["orders"] * groups["n"]).sum()), "beside": _parameters(fitted, ratio)}
    top = told["numerator"]
    value = None if top is None else top / customers
    return [_figure(metric, scope, value=value, denominator=customers, n=customers, note=note, **told)]


def _parameters(fitted: model.LifetimeModel, ratio: float | None) -> dict[str, float]:
    found = {name: getattr(fitted.orders, name) for name in ("r", "alpha", "a", "b", "log_likelihood")}
    if fitted.money is not None:
        found |= {name: getattr(fitted.money, name) for name in ("p", "q", "v")}
    if ratio is not None:
        found["backtest_ratio"] = ratio
    return found


def _backtested(tested: model.Backtest | None) -> str:
    if tested is None:
        return ""
    ratio = tested.ratio()
    told = "nothing came" if ratio is None else f"foretold {ratio:.2f} times what came"
    return f"Orders by {tested.better}; backtest over {tested.weeks:.0f} weeks: {told}."


def _figure(metric: Worked, scope: Scope, **told: Any) -> Figure:
    piece = " & ".join(f"{name}={value}" for name, value in scope.filters) or "all"
    return Figure(
        **{
            "key": metric.key,
            "value": None,
            "unit": metric.unit,
            "definition": metric.meaning,
            "period": scope.period,
            "as_of": scope.as_of,
            "slice": piece,
            **told,
        }
    )


def _worked(key: str, label: str, unit: Unit, meaning: str, formula: str, top: Unit = Unit.COUNT) -> Worked:
    return Worked(
        key=key,
        label=label,
        unit=unit,
        good_is=None if key == "lifetime_backtest" else "up",
        meaning=meaning,
        formula=formula,
        dimensions=FIRST_DIMENSIONS,
        answer=_answered,
        units_of_parts=(top, Unit.COUNT),
        note="Customers whose first order is in the period. A model, not a promise.",
    )


METRICS = (
    _worked(
        "lifetime_model",
        "Orders to come per customer",
        Unit.RATIO,
        f"Purchase occasions that the lifetime model expects of a customer in the next {AHEAD_WEEKS} weeks.",
        "expected occasions of all customers (BG/NBD or MBG/NBD, whichever backtests better) ÷ customers",
    ),
    _worked(
        "lifetime_worth",
        "Worth to come per customer",
        Unit.MONEY,
        f"Net sales (behaviour) that the lifetime model expects of a customer in the next {AHEAD_WEEKS} weeks.",
        "expected occasions × expected value of an occasion (Gamma-Gamma), over customers",
        Unit.MONEY,
    ),
    _worked(
        "lifetime_active_share",
        "Customers still active",
        Unit.SHARE,
        "Chance that a customer still buys, averaged over customers (MBG/NBD).",
        "sum of each customer's chance to be active ÷ customers",
    ),
    _worked(
        "lifetime_backtest",
        "Lifetime model, backtest",
        Unit.RATIO,
        "Occasions foretold for the last third of the history (at most 26 weeks) from what was known before, "
        "divided by those that came: 1.10 foretold a tenth too many.",
        "occasions foretold ÷ occasions that came",
    ),
)
