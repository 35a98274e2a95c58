"""Cohorts by the month of the first order: who bought in each month after, and what they were worth."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, cast, func, select

from lib.errors import UnknownFigure
from lib.mart.schema import FIRST_DIMENSIONS, by_cohort, dim_customer, fact_order
from lib.metrics.definition import Figure, Mart, Scope, Unit, Worked
from lib.metrics.measure import days
from lib.metrics.second_order import first_source
from lib.periods import Period, day_index, day_of, month_index, month_start
from lib.stats.intervals import wilson


def cohorts(mart: Mart, scope: Scope) -> pd.DataFrame:
    """The cohort triangle, of every cohort month that the period touches.

    Cohorts are whole months. The cell of month k is mature when that whole calendar month has passed before
    the as-of day; until then its figures are null, never 0. Month 0 is the month of the first order.

    Returns:
        rows of ``cohort_month`` and ``k``, with ``size`` (customers), ``customers`` (who bought in month k),
        ``share``, ``month_net_minor`` (of month k), ``net_minor`` (months 0 to k together) and
        ``net_per_customer_minor`` on the behaviour basis, ``is_mature`` and ``matures_on`` (date).
    Raises:
        UnknownFigure: a filter that is no dimension of the first order.
    """
    sizes = _sizes(mart, scope)
    if sizes.empty:
        return pd.DataFrame(columns=_COLUMNS)
    cells = _cells(mart, scope, int(sizes.index.min()), int(sizes.index.max()))
    last = month_index(day_of(day_index(scope.as_of) - 1))
    grid = pd.DataFrame(
        [(month, k, int(size)) for month, size in sizes.items() for k in range(last - int(str(month)) + 1)],
        columns=["cohort_month", "k", "size"],
    )
    found = grid.merge(cells, on=["cohort_month", "k"], how="left")
    found[["customers", "month_net_minor"]] = found[["customers", "month_net_minor"]].fillna(0).astype("float64")
    found["net_minor"] = found.groupby("cohort_month")["month_net_minor"].cumsum()
    matures_on = [month_start(month + k + 1) for month, k in zip(found["cohort_month"], found["k"], strict=True)]
    found["matures_on"] = matures_on
    found["is_mature"] = [day <= scope.as_of for day in matures_on]
    unknown = ~found["is_mature"]
    found.loc[unknown, ["customers", "month_net_minor", "net_minor"]] = float("nan")
    found["share"] = found["customers"] / found["size"]
    found["net_per_customer_minor"] = found["net_minor"] / found["size"]
    return found[_COLUMNS]


_COLUMNS = [
    "cohort_month",
    "k",
    "size",
    "customers",
    "share",
    "month_net_minor",
    "net_minor",
    "net_per_customer_minor",
    "is_mature",
    "matures_on",
]


def worth(cells: pd.DataFrame) -> pd.DataFrame:
    """What a customer has been worth, month by month since the first order: mature ones of ``cohorts`` only.

    Each month's net sales per customer are those of all cohorts mature in that month, sum over sum; the
    months are then added up, so every cohort counts for as long as it has been followed.

    Returns:
        rows of ``k``, ``customers`` (followed so long), ``month_minor``, ``net_per_customer_minor``.
    """
    mature = cells[cells["is_mature"].astype(bool)] if len(cells) else cells
    sums = mature.groupby("k", sort=True).agg(customers=("size", "sum"), net=("month_net_minor", "sum")).reset_index()
    sums["month_minor"] = sums["net"].astype("float64") / sums["customers"]
    sums["net_per_customer_minor"] = sums["month_minor"].cumsum()
    return sums[["k", "customers", "month_minor", "net_per_customer_minor"]]


def _whole_months(scope: Scope) -> Scope:
    """The same question of the whole months that the period touches."""
    start, end = days(scope)
    if start == end:
        return scope
    first, last = month_index(day_of(start)), month_index(day_of(end - 1))
    period = Period(month_start(first), month_start(last + 1))
    return Scope(period=period, as_of=scope.as_of, filters=scope.filters)


def _sizes(mart: Mart, scope: Scope) -> "pd.Series[int]":
    source = first_source(_whole_months(scope), None).subquery("source")
    size = cast(func.sum(source.c.n), BigInteger).label("size")
    frame = mart.frame(select(source.c.first_day, size).group_by(source.c.first_day))
    months = frame["first_day"].map(lambda day: month_index(day_of(int(day))))
    return frame.groupby(months)["size"].sum().sort_index()


def _cells(mart: Mart, scope: Scope, first: int, last: int) -> pd.DataFrame:
    """``cohort_month``, ``k``, ``customers``, ``month_net_minor``: from the grouped table, or the facts."""
    if len(scope.filters) <= 1:
        dimension, piece = scope.filters[0] if scope.filters else ("all", "all")
        cell = by_cohort.c
        statement: Any = select(cell.cohort_month, cell.month, cell.customers, cell.net_minor).where(
            cell.dimension == dimension, cell.slice == piece, cell.cohort_month.between(first, last)
        )
    else:
        order, person = fact_order.c, dim_customer.c
        statement = (
            select(
                order.cohort_month,
                order.month,
                cast(func.count(func.distinct(order.customer_id)), BigInteger).label("customers"),
                cast(func.sum(order.net_minor), BigInteger).label("net_minor"),
            )
            .select_from(fact_order.join(dim_customer, order.customer_id == person.customer_id))
            .where(
                order.is_valid,
                order.cohort_month.between(first, last),
                *(person[f"first_{name}"] == value for name, value in scope.filters),
            )
            .group_by(order.cohort_month, order.month)
        )
    frame = mart.frame(statement)
    return pd.DataFrame(
        {
            "cohort_month": frame["cohort_month"].astype("int64"),
            "k": frame["month"].astype("int64") - frame["cohort_month"].astype("int64"),
            "customers": frame["customers"],
            "month_net_minor": frame["net_minor"],
        }
    )


def _figures(mart: Mart, metric: Worked, scope: Scope) -> list[Figure]:
    if scope.by:
        raise UnknownFigure(f"{metric.label} is split by cohort and month already; use --where, not --by.")
    is_share = metric.unit is Unit.SHARE
    figures = []
    for cell in cohorts(mart, scope).to_dict("records"):
        size, is_mature = int(cell["size"]), bool(cell["is_mature"])
        top = (int(cell["customers"]) if is_share else int(cell["net_minor"])) if is_mature else None
        low, high = wilson(top, size) if is_share and top is not None else (None, None)
        figures.append(
            Figure(
                key=metric.key,
                value=None if top is None else top / size,
                unit=metric.unit,
                definition=metric.meaning,
                period=scope.period,
                as_of=scope.as_of,
                numerator=top,
                denominator=size if is_mature else None,
                n=size,
                left_out={} if is_mature else {"immature": size},
                slice=f"{month_start(int(cell['cohort_month'])):%Y-%m} +{cell['k']}",
                low=low,
                high=high,
                note=metric.note if is_mature else f"Mature on {cell['matures_on']}. {metric.note}",
            )
        )
    return figures


_NOTE = "Whole cohort months that the period touches; month 0 is that of the first order."
COHORT_RETENTION = Worked(
    key="cohort_retention",
    label="Cohort retention",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Share of the customers with a first order in a month who bought in month k after it (not cumulative).",
    formula="customers who bought in month k ÷ customers of the cohort",
    dimensions=FIRST_DIMENSIONS,
    answer=_figures,
    note=_NOTE,
)
COHORT_REVENUE = Worked(
    key="cohort_revenue",
    label="Cohort revenue per customer",
    unit=Unit.MONEY,
    good_is="up",
    meaning="Net sales (behaviour) of a first-order-month cohort up to and with month k, per customer.",
    formula="net sales of months 0 to k ÷ customers of the cohort",
    dimensions=FIRST_DIMENSIONS,
    answer=_figures,
    units_of_parts=(Unit.MONEY, Unit.COUNT),
    note=_NOTE,
)
