"""Ask for figures: the one door through which screens and commands read the mart."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import select

from lib.errors import UnknownFigure
from lib.mart.schema import DIMENSIONS, by_day
from lib.metrics.catalogue import CALENDAR, find, with_checked
from lib.metrics.definition import (
    Age,
    AnyMetric,
    Combined,
    Figure,
    Mart,
    Metric,
    NetShare,
    Ratio,
    Scope,
    Spread,
    Unit,
    Worked,
)
from lib.metrics.drill import rows
from lib.metrics.measure import Answer, Atom, atoms_of, days, measure, parameters, sums_of, value_of
from lib.periods import Period, day_of
from lib.stats.intervals import net_share, wilson

__all__ = ["dailies", "daily", "figures", "named", "population", "rows", "slices"]


def figures(mart: Mart, keys: Sequence[str], scope: Scope) -> list[Figure]:
    """Answer each key, in this order; with ``scope.by`` one figure per slice.

    ``scope.by`` is a dimension of all the keys, or ``day``, ``week`` or ``month``.

    Raises:
        UnknownFigure: a key, or a dimension that a figure cannot be split or filtered by.
    """
    metrics = [with_checked(key, scope) for key in keys]
    if scope.by in CALENDAR:
        return _by_calendar(mart, keys, scope)
    plain = [metric for metric in metrics if not isinstance(metric, Worked)]
    wanted = [atom for m in plain for atom in (*atoms_of(m), *(aside for _, aside in (*m.left_out, *_beside(m))))]
    answers = measure(mart, wanted, scope)
    found: list[Figure] = []
    for metric in metrics:
        if isinstance(metric, Worked):
            found.extend(metric.answer(mart, metric, scope))
        else:
            found.extend(_figure(mart, metric, answers, scope, piece) for piece in _slices(metric, answers, scope))
    return found


def daily(mart: Mart, key: str, scope: Scope) -> pd.DataFrame:
    """One figure day by day: ``day`` (int), ``value``, with every day of the period present.

    A day without sales is 0, a ratio over nothing and a day not yet known are NaN.
    """
    return dailies(mart, [key], scope).rename(columns={key: "value"})


def dailies(mart: Mart, keys: Sequence[str], scope: Scope) -> pd.DataFrame:
    """Several figures day by day, asked at once: ``day`` and a column of float for each key.

    Raises:
        UnknownFigure: a key that has no value of a single day.
    """
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    metrics = [with_checked(key, scope) for key in keys]
    for metric in metrics:
        if isinstance(metric, Worked | Age):
            raise UnknownFigure(f"{metric.label} has no value of a single day.")
    plain = [m for m in metrics if not isinstance(m, Worked)]
    answers = measure(mart, [atom for m in plain for atom in atoms_of(m)], scope, daily=True)
    start, known_end = days(scope)
    columns = {"day": np.arange(start, start + scope.period.days, dtype=np.int64)}
    for key, metric in zip(keys, metrics, strict=True):
        values = [_daily_value(metric, answers, ("all", day)) for day in range(start, known_end)]
        values.extend([float("nan")] * (scope.period.days - len(values)))
        columns[key] = np.array(values, dtype=np.float64)
    return pd.DataFrame(columns)


def slices(mart: Mart, dimension: str) -> list[str]:
    """The slices of a prepared dimension, most orders first.

    Raises:
        UnknownFigure: no prepared dimension of that name.
    """
    if dimension not in DIMENSIONS:
        raise UnknownFigure(f"No dimension is called {dimension!r}; there are {', '.join(DIMENSIONS)}.")
    frame = mart.frame(
        select(by_day.c.slice, by_day.c.orders).where(by_day.c.dimension == dimension).order_by(by_day.c.slice)
    )
    orders = frame.groupby("slice", sort=True)["orders"].sum().sort_values(ascending=False, kind="stable")
    return [str(piece) for piece in orders.index]


def population(key: str, scope: Scope) -> str:
    """Who and what is counted, in a sentence or two."""
    metric = find(key)
    last = scope.period.end - timedelta(days=1)
    parts = [f"{scope.period.start:%-d %b %Y} to {last:%-d %b %Y}"]
    if scope.period.days == 0:
        parts = ["no day"]
    parts.append(f"as known before {scope.as_of:%-d %b %Y}")
    parts.extend(f"{name.replace('_', ' ')} {piece}" for name, piece in scope.filters)
    text = f"{metric.meaning} {metric.formula[0].upper()}{metric.formula[1:]}: {', '.join(parts)}."
    return f"{text} {metric.note}".strip()


def named(filters: Iterable[tuple[str, str]]) -> str:
    """How a slice is called: ``all``, or ``channel=web & country=DE``."""
    return " & ".join(f"{name}={piece}" for name, piece in filters) or "all"


def _slices(metric: AnyMetric, answers: dict[Atom, Answer], scope: Scope) -> list[str]:
    if not scope.by or isinstance(metric, Worked):
        return ["all"]
    # A slice in which nothing happened is none.
    return sorted({str(at[0]) for atom in atoms_of(metric) for at, value in answers[atom].items() if value})


def _figure(mart: Mart, metric: AnyMetric, answers: dict[Atom, Answer], scope: Scope, piece: str) -> Figure:
    if isinstance(metric, Worked):
        raise TypeError("a worked figure answers for itself")
    at = (piece,)
    value: float | int | None
    numerator: float | int | None = None
    denominator: float | int | None = None
    low = high = None
    n = None if metric.cases is None else value_of(metric.cases, answers, at)
    match metric:
        case Metric() | Combined():
            value = numerator = value_of(metric, answers, at)
            if n is None and metric.unit is Unit.COUNT:
                n = int(value)
            if isinstance(metric, Combined) and metric.is_unknown_without_cases and not n:
                value = numerator = None
        case NetShare():
            up, down = (value_of(term, answers, at) for term in sums_of(metric.top))
            numerator, denominator = up - down, value_of(metric.bottom, answers, at)
            value = 100 * numerator / denominator if denominator else None
            n = denominator
            if denominator:
                low, high = (100 * limit for limit in net_share(up, down, denominator))
        case Ratio():
            numerator, denominator = value_of(metric.top, answers, at), value_of(metric.bottom, answers, at)
            value = numerator / denominator if denominator else None
            n = denominator if n is None else n
            if metric.has_interval and denominator > 0 and 0 <= numerator <= denominator:
                low, high = wilson(numerator, denominator)
        case Spread():
            value = answers[metric].get(at)
        case Age():
            since = answers[metric].get(at)
            until = pd.Timestamp(parameters(mart, scope)["as_of_at"])
            value = None if since is None else (until - pd.Timestamp(since)).total_seconds() / 3600
    left_out = {reason: value_of(counted, answers, at) for reason, counted in metric.left_out}
    return Figure(
        key=metric.key,
        value=value,
        unit=metric.unit,
        definition=metric.meaning,
        period=scope.period,
        as_of=scope.as_of,
        numerator=numerator,
        denominator=denominator,
        n=n,
        left_out={reason: count for reason, count in left_out.items() if count},
        slice=piece if scope.by else named(scope.filters),
        low=low,
        high=high,
        note=_note(mart, metric, scope),
        beside={name: value_of(counted, answers, at) for name, counted in _beside(metric)},
    )


def _beside(metric: AnyMetric) -> tuple[tuple[str, Metric], ...]:
    return metric.beside if isinstance(metric, Ratio) else ()


def _note(mart: Mart, metric: AnyMetric, scope: Scope) -> str:
    last = mart.about.last_day
    if last is None or scope.as_of > day_of(int(last)):
        return metric.note
    past = "Cancellations and voids are as known at the last refresh, not as of that day."
    return f"{metric.note} {past}".strip()


def _by_calendar(mart: Mart, keys: Sequence[str], scope: Scope) -> list[Figure]:
    found: dict[str, list[Figure]] = {key: [] for key in keys}
    for name, piece in _pieces(scope):
        part = Scope(period=piece, as_of=scope.as_of, filters=scope.filters)
        for figure in figures(mart, list(found), part):
            at = name if figure.slice == "all" else f"{name} {figure.slice}"
            found[figure.key].append(replace(figure, slice=at))
    return [figure for key in keys for figure in found[key]]


def _pieces(scope: Scope) -> list[tuple[str, Period]]:
    pieces: list[tuple[str, Period]] = []
    day = scope.period.start
    while day < scope.period.end:
        if scope.by == "month":
            after = date(day.year + day.month // 12, day.month % 12 + 1, 1)
            name = f"{day:%Y-%m}"
        elif scope.by == "week":
            after = day + timedelta(days=7 - day.weekday())
            name = f"{day:%G-W%V}"
        else:
            after = day + timedelta(days=1)
            name = day.isoformat()
        after = min(after, scope.period.end)
        pieces.append((name, Period(day, after)))
        day = after
    return pieces


def _daily_value(metric: AnyMetric, answers: dict[Atom, Answer], at: tuple[str, int]) -> float:
    match metric:
        case Metric() | Combined():
            return float(value_of(metric, answers, at))
        case Ratio():
            bottom = value_of(metric.bottom, answers, at)
            scale = 100 if isinstance(metric, NetShare) else 1
            return scale * value_of(metric.top, answers, at) / bottom if bottom else float("nan")
        case Spread():
            value = answers[metric].get(at)
            return float("nan") if value is None else float(value)
        case _:
            return float("nan")
