"""Ask the mart for many sums at once: which table answers, in one query for each table.

A question without filters, or with one prepared dimension, is answered from a grouped table where there is
one for it; every other from the facts. Both give the same numbers to the cent.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Double,
    Select,
    Table,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.sql.visitors import iterate

from lib.errors import UnknownFigure
from lib.mart.schema import fact_item, fact_order
from lib.metrics.definition import OF_LINES, Age, Combined, Mart, Metric, Ratio, Scope, Spread
from lib.periods import day_index, start_of_day

Atom: TypeAlias = Metric | Spread | Age
# One row of slice (and day, when asked daily) → value; a slice without rows is absent.
Answer: TypeAlias = dict[tuple[Any, ...], Any]

AS_OF_DAY = bindparam("as_of_day", type_=BigInteger())
AS_OF_AT = bindparam("as_of_at", type_=DateTime())
# Marks the queries of grouped tables among those of the facts.
_PREPARED = "prepared"
# Waits that a question may subtract from the as-of instant, in seconds.
WAITS = (60 * 60, 24 * 3600, 48 * 3600, 7 * 24 * 3600)


class Quantile(GenericFunction[float]):
    """``quantile(values, share)``, interpolated between neighbours, as numpy and pandas do by default."""

    type = Double()
    inherit_cache = True
    name = "encore_quantile"


@compiles(Quantile)
def _quantile(element: Quantile, compiler: SQLCompiler, **kw: Any) -> str:
    values, share = element.clauses
    return f"quantile_cont({compiler.process(values, **kw)}, {compiler.process(share, literal_binds=True)})"


@compiles(Quantile, "clickhousedb")
def _quantile_clickhouse(element: Quantile, compiler: SQLCompiler, **kw: Any) -> str:
    values, share = element.clauses
    return f"quantileExactInclusive({compiler.process(share, literal_binds=True)})({compiler.process(values, **kw)})"


def before_as_of(seconds: int) -> ColumnElement[Any]:
    """The instant so long before the as-of day begins; ``seconds`` is one of WAITS."""
    return bindparam(f"as_of_less_{WAITS[WAITS.index(seconds)]}", type_=DateTime())


def parameters(mart: Mart, scope: Scope) -> dict[str, Any]:
    """What the expressions of a question may refer to."""
    at = start_of_day(scope.as_of, ZoneInfo(mart.about.time_zone)).replace(tzinfo=None)
    return {
        "start_day": day_index(scope.period.start),
        "as_of_day": day_index(scope.as_of),
        "as_of_at": at,
        **{f"as_of_less_{wait}": at - timedelta(seconds=wait) for wait in WAITS},
    }


def sums_of(metric: Metric | Combined) -> list[Metric]:
    """The sums that a value is put together from."""
    return [metric] if isinstance(metric, Metric) else [term for _, term in metric.terms]


def atoms_of(metric: Metric | Combined | Ratio | Spread | Age) -> list[Atom]:
    """What must be measured for a figure's value, then for its cases."""
    found: list[Atom]
    match metric:
        case Metric() | Combined():
            found = [*sums_of(metric)]
        case Ratio():
            found = [*sums_of(metric.top), *sums_of(metric.bottom)]
        case Spread() | Age():
            found = [metric]
    return found if metric.cases is None else [*found, metric.cases]


def measure(mart: Mart, atoms: Iterable[Atom], scope: Scope, *, daily: bool = False) -> dict[Atom, Answer]:
    """Measure each atom: ``{(slice,): value}``, or ``{(slice, day): value}`` when daily.

    Without ``scope.by`` the slice is ``"all"``. Atoms of one table share a query.

    Raises:
        UnknownFigure: an atom cannot be split or filtered by a dimension that was asked for.
    """
    queries: dict[tuple[Any, ...], list[tuple[Atom, Atom]]] = {}
    for atom in dict.fromkeys(atoms):
        form = form_of(atom, scope)
        prepared = _prepared_as(atom, daily=daily) if _is_prepared(atom, scope, daily=daily) else None
        is_state = day_of_row(atom) is None
        key = _facts_key(form) if prepared is None else (_table_of(prepared).name, is_state, _PREPARED)
        queries.setdefault(key, []).append((atom, form))
    answers: dict[Atom, Answer] = {}
    for key, pairs in queries.items():
        if key[-1] == _PREPARED:
            statement = _prepared([atom for atom, _ in pairs], scope, daily=daily, is_state=bool(key[1]))
        else:
            statement = _facts([form for _, form in pairs], scope, key, daily=daily)
        frame = mart.frame(statement, **parameters(mart, scope))
        index = _index(frame, scope, daily=daily)
        for position, (atom, _) in enumerate(pairs):
            values = (None if pd.isna(value) else value for value in frame[f"m{position}"].tolist())
            answers[atom] = dict(zip(index, values, strict=True))
    return answers


def days(scope: Scope) -> tuple[int, int]:
    """First day and end of what may be known: the period, cut at the as-of day."""
    start = day_index(scope.period.start)
    return start, max(start, min(day_index(scope.period.end), day_index(scope.as_of)))


def filters_of(over: Table, scope: Scope) -> ColumnElement[bool]:
    """All the question's filters, as a condition on the rows of a table."""
    conditions: list[ColumnElement[bool]] = []
    for dimension, piece in scope.filters:
        if dimension in over.c:
            conditions.append(over.c[dimension] == piece)
        else:
            start, end = days(scope)
            having = select(fact_item.c.order_id).where(
                fact_item.c[dimension] == piece, fact_item.c.day >= start, fact_item.c.day < end
            )
            conditions.append(fact_order.c.order_id.in_(having))
    return and_(true(), *conditions)


def condition(atom: Metric | Age) -> ColumnElement[bool]:
    """Which rows count, given what is known at the as-of day."""
    known = [column < AS_OF_DAY for column in atom.known] if isinstance(atom, Metric) else []
    where = atom.where if isinstance(atom, Metric) else atom.cases.where
    return and_(true() if where is None else where, *known)


def day_of_row(atom: Atom) -> Column[Any] | None:
    """The column that places a row in a period; None for what is a state."""
    metric = atom if isinstance(atom, Metric) else atom.cases
    return metric.over.c.day if isinstance(metric.day, str) else metric.day


def form_of(atom: Atom, scope: Scope) -> Atom:
    """The atom as asked of the lines where a category or product is named; else itself."""
    wanted = {name for name, _ in scope.filters} | ({scope.by} if scope.by else set())
    for dimension in sorted(wanted):
        if dimension not in atom.dimensions:
            possible = ", ".join(atom.dimensions) or "nothing"
            raise UnknownFigure(f"{atom.label} cannot be split or filtered by {dimension}, only by {possible}.")
    if not wanted.isdisjoint(OF_LINES) and isinstance(atom, Metric) and atom.per_line is not None:
        return atom.per_line
    return atom


def _prepared_as(atom: Atom, *, daily: bool) -> ColumnElement[Any] | None:
    """The atom as a sum over a grouped table, if there is one."""
    if not isinstance(atom, Metric):
        return None
    return atom.prepared_daily if daily and atom.prepared_daily is not None else atom.prepared


def _is_prepared(atom: Atom, scope: Scope, *, daily: bool) -> bool:
    if not isinstance(atom, Metric) or _prepared_as(atom, daily=daily) is None:
        return False
    wanted = {name for name, _ in scope.filters} | ({scope.by} if scope.by else set())
    return len(wanted) <= 1 and len(scope.filters) <= 1 and wanted <= set(atom.prepared_dimensions)


def _table_of(expression: ColumnElement[Any]) -> Table:
    """The one table that an expression's columns are of."""
    (table,) = {element.table for element in iterate(expression) if isinstance(element, Column)}
    assert isinstance(table, Table)
    return table


def _facts_key(atom: Atom) -> tuple[Any, ...]:
    """Atoms of one key share a query: table, day, and the column whose distinct values are counted."""
    day = day_of_row(atom)
    counted = atom.distinct if isinstance(atom, Metric) else None
    return (atom.over.name, None if day is None else day.name, None if counted is None else counted.name)


def _prepared(atoms: list[Atom], scope: Scope, *, daily: bool, is_state: bool) -> Select[Any]:
    start, end = days(scope)
    values = [value for value in (_prepared_as(atom, daily=daily) for atom in atoms) if value is not None]
    over = _table_of(values[0]).c
    dimension, piece = "all", "all"
    if scope.filters:
        dimension, piece = scope.filters[0]
    dimension = scope.by or dimension
    split: list[Any] = [over.slice] if scope.by else []
    if daily:
        split.append(over.day)
    statement = select(*split, *(cast(v, BigInteger).label(f"m{i}") for i, v in enumerate(values))).where(
        over.dimension == dimension, over.day < AS_OF_DAY if is_state else and_(over.day >= start, over.day < end)
    )
    if scope.filters or not scope.by:
        statement = statement.where(over.slice == piece)
    return statement.group_by(*split)


def _facts(atoms: list[Atom], scope: Scope, key: tuple[Any, ...], *, daily: bool) -> Select[Any]:
    start, end = days(scope)
    over, day = atoms[0].over, day_of_row(atoms[0])
    split: list[Any] = []
    source: Any = over
    if scope.by:
        if scope.by in over.c:
            split.append(over.c[scope.by].label("slice"))
        else:
            lines = select(fact_item.c.order_id, fact_item.c[scope.by])
            held = lines.where(fact_item.c.day >= start, fact_item.c.day < end).distinct().subquery("held")
            source = over.join(held, over.c.order_id == held.c.order_id)
            split.append(held.c[scope.by].label("slice"))
    if daily:
        split.append((over.c.day if day is None else day).label("day"))
    in_time = over.c.day < AS_OF_DAY if day is None else and_(day >= start, day < end)
    asked = and_(filters_of(over, scope), in_time)
    if key[2] is not None:
        return _distinct(atoms, split, source, asked)
    columns = [_value(atom).label(f"m{i}") for i, atom in enumerate(atoms)]
    return select(*split, *columns).select_from(source).where(asked).group_by(*split)


def _distinct(atoms: list[Atom], split: list[Any], source: Any, asked: ColumnElement[bool]) -> Select[Any]:
    """Distinct values in two steps, each value once and then their number: several counts share one grouping."""
    metrics = [atom for atom in atoms if isinstance(atom, Metric)]
    counted = metrics[0].distinct
    if counted is None:
        raise TypeError("nothing distinct to count")
    marks = [func.max(case((condition(m), 1), else_=0)).label(f"m{i}") for i, m in enumerate(metrics)]
    each = select(*split, *marks).select_from(source).where(asked, counted.is_not(None))
    values = each.group_by(*split, counted).subquery("each_value")
    named = [values.c[column.key] for column in split]
    sums = [cast(func.sum(values.c[f"m{i}"]), BigInteger).label(f"m{i}") for i in range(len(metrics))]
    return select(*named, *sums).group_by(*named)


def _value(atom: Atom) -> ColumnElement[Any]:
    match atom:
        case Spread():
            values = case((condition(atom.cases), atom.amount))
            return func.avg(values) if atom.at is None else Quantile(values, literal(atom.at))
        case Age():
            return func.min(case((condition(atom.cases), atom.since)))
        case Metric():
            adds = literal(1) if atom.amount is None else atom.amount
            return cast(func.sum(case((condition(atom), adds), else_=0)), BigInteger)


def _index(frame: pd.DataFrame, scope: Scope, *, daily: bool) -> list[tuple[Any, ...]]:
    slices: list[Any] = [str(s) for s in frame["slice"].tolist()] if scope.by else ["all"] * len(frame)
    if not daily:
        return [(piece,) for piece in slices]
    return list(zip(slices, (int(day) for day in frame["day"].tolist()), strict=True))


def value_of(part: Metric | Combined, answers: Mapping[Atom, Answer], at: tuple[Any, ...]) -> int:
    """A sum at one slice (and day); what has no rows adds nothing."""
    if isinstance(part, Metric):
        return int(answers[part].get(at) or 0)
    return sum(sign * int(answers[term].get(at) or 0) for sign, term in part.terms)
