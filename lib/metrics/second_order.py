"""Who came back for a second order, and when: read from the grouped table, or from the customers.

Several orders of one customer on one store day are one purchase occasion. The customers of a question are
those whose first order is in the period. Nothing on or after the as-of day is known.
"""

from collections.abc import Callable
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Integer, Select, String, and_, case, cast, func, literal, null, select

from lib.errors import NotEnoughData, UnknownFigure
from lib.mart.schema import FIRST_DIMENSIONS, dim_customer, second_order
from lib.metrics.definition import Figure, Mart, Part, Scope, Unit, Worked
from lib.metrics.measure import days
from lib.periods import day_index, day_of
from lib.stats import survival
from lib.stats.intervals import wilson

WITHIN = (30, 60, 90, 180, 365)


def first_source(scope: Scope, by: str | None) -> Select[Any]:
    """Customers by ``first_day`` and ``gap`` (and ``slice``): with how many, ``n``.

    From ``second_order`` when at most one dimension is named, else from the customers.
    """
    wanted = dict.fromkeys([*(name for name, _ in scope.filters), *([by] if by else [])])
    for name in wanted:
        if name not in FIRST_DIMENSIONS:
            possible = ", ".join(FIRST_DIMENSIONS)
            raise UnknownFigure(f"Customers are not split by {name!r} of their first order, only by {possible}.")
    start, end = days(scope)
    if len(wanted) <= 1 and len(scope.filters) <= 1:
        table = second_order.c
        piece = scope.filters[0][1] if scope.filters else "all"
        asked = table.dimension == next(iter(wanted), "all")
        if not by or scope.filters:
            asked = and_(asked, table.slice == piece)
        part: list[Any] = [table.slice] if by else []
        return select(*part, table.first_day, table.gap, table.n).where(
            asked, table.first_day >= start, table.first_day < end
        )
    person = dim_customer.c
    part = [person[f"first_{by}"].label("slice")] if by else []
    return (
        select(*part, person.first_day, person.second_gap.label("gap"), cast(func.count(), BigInteger).label("n"))
        .where(_in_question(scope))
        .group_by(*part, person.first_day, person.second_gap)
    )


def _in_question(scope: Scope) -> ColumnElement[bool]:
    start, end = days(scope)
    person = dim_customer.c
    return and_(
        person.first_day >= start,
        person.first_day < end,
        *(person[f"first_{name}"] == piece for name, piece in scope.filters),
    )


def _sum(condition: ColumnElement[bool], n: ColumnElement[int], label: str) -> ColumnElement[Any]:
    return cast(func.coalesce(func.sum(case((condition, n), else_=0)), 0), BigInteger).label(label)


def shares(mart: Mart, scope: Scope, within: tuple[int, ...] = WITHIN, by: str | None = None) -> pd.DataFrame:
    """The share that came back within so many days, of those who have been followed so long.

    Returns:
        rows of ``slice``, ``days``, ``mature``, ``repeated``, ``immature`` (customers), ``share``, ``low``,
        ``high`` (NaN when nobody is mature); largest slice first.
    """
    source = first_source(scope, by).subquery("source")
    first, gap, n = source.c.first_day, source.c.gap, source.c.n
    as_of = day_index(scope.as_of)
    columns: list[Any] = [cast(func.sum(n), BigInteger).label("customers")]
    for days_ in within:
        is_mature = first + days_ < as_of
        columns.append(_sum(is_mature, n, f"mature_{days_}"))
        columns.append(_sum(and_(is_mature, gap <= days_), n, f"repeated_{days_}"))
    part: list[Any] = [source.c.slice] if by else []
    wide = mart.frame(select(*part, *columns).group_by(*part))
    rows: list[tuple[Any, ...]] = []
    for row in wide.to_dict("records"):
        if pd.isna(row["customers"]):
            continue
        for days_ in within:
            mature, repeated = int(row[f"mature_{days_}"]), int(row[f"repeated_{days_}"])
            low, high = wilson(repeated, mature) if mature else (float("nan"), float("nan"))
            share = repeated / mature if mature else float("nan")
            immature = int(row["customers"]) - mature
            rows.append((row.get("slice", "all"), days_, mature, repeated, immature, share, low, high))
    names = ["slice", "days", "mature", "repeated", "immature", "share", "low", "high"]
    found = pd.DataFrame(rows, columns=names)
    return found.sort_values(
        ["mature", "immature", "slice", "days"], ascending=[False, False, True, True], kind="stable"
    )


def spells(mart: Mart, scope: Scope, by: str | None = None, *, largest: int | None = 20) -> dict[str, pd.DataFrame]:
    """Customers by days to their second order, as they stood on the morning of the as-of day.

    Args:
        largest: only so many slices, those with most customers; None: all.
    Returns:
        slice (``all`` without ``by``) → rows of ``day`` (days since the first order), ``events``,
        ``censored`` (customers), for lib.stats.survival; most customers first.
    """
    source = first_source(scope, by).subquery("source")
    first, gap, n = source.c.first_day, source.c.gap, source.c.n
    as_of = day_index(scope.as_of)
    back = and_(gap.is_not(None), first + gap < as_of)
    day = cast(case((back, gap), else_=as_of - 1 - first), Integer)
    part: list[Any] = [source.c.slice] if by else []
    statement = select(*part, day.label("day"), _sum(back, n, "events"), _sum(~back, n, "censored"))
    if by and largest is not None:
        statement = statement.where(source.c.slice.in_(_largest(mart, scope, by, largest)))
    counted = mart.frame(statement.group_by(*part, day)).sort_values("day", ignore_index=True)
    if not by:
        return {"all": counted} if len(counted) else {}
    # By number, not by name: thousands of rows of a text are slow to compare.
    place, names = pd.factorize(counted["slice"])
    counted = counted[["day", "events", "censored"]]
    groups = [(str(name), counted[place == number].reset_index(drop=True)) for number, name in enumerate(names)]
    sizes = {name: int(rows["events"].sum()) + int(rows["censored"].sum()) for name, rows in groups}
    return dict(sorted(groups, key=lambda item: (-sizes[item[0]], item[0])))


def _largest(mart: Mart, scope: Scope, by: str, count: int) -> list[str]:
    """The slices with most customers."""
    sizes = first_source(scope, by).subquery("sizes").c
    most = select(sizes.slice).group_by(sizes.slice).order_by(func.sum(sizes.n).desc(), sizes.slice).limit(count)
    return [str(piece) for piece in mart.frame(most)["slice"]]


def _within_figures(mart: Mart, metric: Worked, scope: Scope, *, within: int) -> list[Figure]:
    found = shares(mart, scope, (within,), scope.by)
    if found.empty and not scope.by:
        found = pd.DataFrame([{"slice": "all", "mature": 0, "repeated": 0, "immature": 0}])
    figures = []
    for row in found.to_dict("records"):
        mature, repeated, immature = int(row["mature"]), int(row["repeated"]), int(row["immature"])
        low, high = wilson(repeated, mature) if mature else (None, None)
        figures.append(
            _answer(
                metric,
                scope,
                str(row["slice"]),
                value=repeated / mature if mature else None,
                numerator=repeated,
                denominator=mature,
                n=mature,
                left_out={"immature": immature} if immature else {},
                low=low,
                high=high,
                note=_mature_on(metric, scope, within) if immature else metric.note,
            )
        )
    return figures


def _mature_on(metric: Worked, scope: Scope, within: int) -> str:
    """When the youngest customers that the question may know of have been followed for so long."""
    youngest = days(scope)[1] - 1
    return f"All are mature on {day_of(survival.mature_from(youngest, within)):%-d %b %Y}. {metric.note}"


def _ever_figures(mart: Mart, metric: Worked, scope: Scope) -> list[Figure]:
    figures = []
    groups = spells(mart, scope, scope.by, largest=None)
    if not groups and not scope.by:
        groups = {"all": pd.DataFrame({"events": [0], "censored": [0]})}
    for piece, rows in groups.items():
        back, still = int(rows["events"].sum()), int(rows["censored"].sum())
        total = back + still
        low, high = wilson(back, total) if total else (None, None)
        figures.append(
            _answer(
                metric,
                scope,
                piece,
                value=back / total if total else None,
                numerator=back,
                denominator=total,
                n=total,
                low=low,
                high=high,
                note=f"As of {scope.as_of}. {metric.note}",
            )
        )
    return figures


def _time_figures(mart: Mart, metric: Worked, scope: Scope, *, share: float) -> list[Figure]:
    groups = spells(mart, scope, scope.by, largest=None)
    if not groups and not scope.by:
        groups = {"all": pd.DataFrame({"day": [], "events": [], "censored": []})}
    figures = []
    for piece, rows in groups.items():
        back, still = int(rows["events"].sum()), int(rows["censored"].sum())
        value: int | None = None
        low = high = None
        note = metric.note
        try:
            curve = survival.worth_showing(survival.kaplan_meier(rows))
            reached = survival.time_reached(curve, share)
            value, low, high = reached.day, reached.low, reached.high
            if value is None:
                last = 1 - float(curve["survival"].iloc[-1]) if len(curve) else 0.0
                note = f"Not reached: {100 * last:.1f} % are back while at least 50 are at risk. {note}"
        except NotEnoughData as refused:
            note = f"{refused} {note}"
        figures.append(
            _answer(
                metric,
                scope,
                piece,
                value=value,
                numerator=back,
                denominator=back + still,
                n=back + still,
                low=low,
                high=high,
                note=note.strip(),
            )
        )
    return figures


def _answer(metric: Worked, scope: Scope, piece: str, **told: Any) -> Figure:
    filtered = " & ".join(f"{name}={value}" for name, value in scope.filters) or "all"
    return Figure(
        **{
            "key": metric.key,
            "unit": metric.unit,
            "definition": metric.meaning,
            "period": scope.period,
            "as_of": scope.as_of,
            "slice": piece if scope.by else filtered,
            "note": metric.note,
            **told,
        }
    )


def _customers_behind(within: int | None) -> Callable[[Worked, Scope, Part], Select[Any]]:
    """The customers behind a share: one row each, placed on the day of the first order."""

    def behind(metric: Worked, scope: Scope, part: Part) -> Select[Any]:
        person = dim_customer.c
        as_of = day_index(scope.as_of)
        mature = person.first_day + within < as_of if within else person.first_day < as_of
        wanted = {
            "numerator": and_(
                mature, person.second_gap <= within if within else person.first_day + person.second_gap < as_of
            ),
            "denominator": mature,
            "left_out": ~mature,
        }[part]
        what = {"numerator": "came back", "denominator": "customer", "left_out": "immature"}[part]
        columns: list[ColumnElement[Any]] = [
            literal(what).label("what"),
            person.first_day.label("day"),
            cast(null(), String).label("number"),
            cast(null(), BigInteger).label("order_id"),
            person.customer_id,
            person.customer_id.label("row_id"),
            cast(literal(1), BigInteger).label("amount"),
        ]
        return select(*columns).where(_in_question(scope), wanted)

    return behind


def _repeat_within(within: int) -> Worked:
    return Worked(
        key=f"repeat_within_{within}",
        label=f"Repeat within {within} days",
        unit=Unit.SHARE,
        good_is="up",
        meaning=f"Of customers whose first order is more than {within} days before the as-of day, "
        f"the share who bought again 1 to {within} store days later.",
        formula=f"customers back within {within} days ÷ customers followed for {within} days",
        dimensions=FIRST_DIMENSIONS,
        answer=lambda mart, metric, scope: _within_figures(mart, metric, scope, within=within),
        behind=_customers_behind(within),
        note="Customers whose first order is in the period; those not yet followed so long are left out as immature.",
    )


def _time_to_second(key: str, label: str, share: float) -> Worked:
    return Worked(
        key=key,
        label=label,
        unit=Unit.DAYS,
        good_is="down",
        meaning=f"Store days until {100 * share:.0f} % of customers have placed their second order (Kaplan-Meier).",
        formula=f"first day with S(t) ≤ {1 - share:.2f}, immature customers censored",
        dimensions=FIRST_DIMENSIONS,
        answer=lambda mart, metric, scope: _time_figures(mart, metric, scope, share=share),
        behind=_customers_behind(None),
        note="Customers whose first order is in the period; shown while at least 50 are at risk.",
    )


REPEAT_WITHIN = tuple(_repeat_within(days_) for days_ in WITHIN)
TIME_TO_SECOND_ORDER = _time_to_second("time_to_second_order", "Time to second order, median", 0.5)
TIME_TO_SECOND_ORDER_P25 = _time_to_second("time_to_second_order_p25", "Time to second order, first quarter", 0.25)
TIME_TO_SECOND_ORDER_P10 = _time_to_second("time_to_second_order_p10", "Time to second order, first tenth", 0.1)
LIFETIME_REPEATERS = Worked(
    key="lifetime_repeaters",
    label="Lifetime repeaters",
    unit=Unit.SHARE,
    meaning="Customers with two or more purchase occasions before the as-of day divided by all customers.",
    formula="customers with ≥ 2 occasions ÷ customers",
    dimensions=FIRST_DIMENSIONS,
    answer=_ever_figures,
    behind=_customers_behind(None),
    note="It drifts upward with age: it is not a repeat rate. Customers whose first order is in the period.",
)
