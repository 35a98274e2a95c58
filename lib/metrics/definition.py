"""What a figure is, what is asked of it, and what it answers.

A metric is one object: a sentence and an expression over one table of the mart. The kinds:

Metric    a sum, a count of rows, or a count of distinct values
Combined  sums with a sign: net sales = gross sales - discounts - refunds
Ratio     sum over sum; an empty bottom gives no value
NetShare  a share less another share of the same cases, in percent: the net promoter score
Spread    a median, a quantile or a mean of single values
Age       how long the oldest of what waits has been waiting
Worked    what needs more than one expression: cohorts, survival, lifetime
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias

import pandas as pd
from sqlalchemy import Column, ColumnElement, Select, Table

from lib.mart.schema import DIMENSIONS, fact_order
from lib.periods import Period

# What a question may filter and split by; each table of the mart knows some of them.
ALL_DIMENSIONS = (
    *DIMENSIONS,
    *("product", "carrier", "status", "resolution", "reason", "state", "language", "priority", "topic", "assignee"),
    *("owner", "hour_of_week", "survey", "tier"),
)
# Those that an order has by its lines: it is of every category and product of which it has a line.
OF_LINES = ("category", "product")
# What a row of each table is, for people.
GRAINS = {
    "fact_order": "orders",
    "fact_refund": "refunded items",
    "fact_item": "order lines",
    "fact_shipment": "parcels",
    "fact_return": "returns",
    "fact_review": "reviews",
    "fact_ticket": "tickets",
    "fact_cart": "carts",
    "fact_survey": "surveys",
    "fact_question": "questions",
    "fact_member": "members",
    "fact_points": "entries of points",
}


class Unit(StrEnum):
    """How a value is to be read. Money is in minor units of the store's currency."""

    COUNT = "count"
    MONEY = "money"
    SHARE = "share"
    DAYS = "days"
    HOURS = "hours"
    SECONDS = "seconds"
    STARS = "stars"
    POINTS = "points"
    RATIO = "ratio"
    SCORE = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is asked: which days, as of when, for which part of the store.

    ``as_of`` is a store day, itself excluded: what happened on it or later is not known yet.
    ``filters`` pairs a dimension with one slice; several must all hold. ``by`` splits by a dimension.
    """

    period: Period
    as_of: date
    filters: tuple[tuple[str, str], ...] = ()
    by: str | None = None

    def within(self, period: Period) -> "Scope":
        """The same question of other days."""
        return Scope(period=period, as_of=self.as_of, filters=self.filters, by=self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One answer, with all that is needed to check it.

    ``value`` is null when there is nothing to divide by. ``n`` counts the cases behind it.
    ``low`` and ``high`` are a 95 % interval where the figure has one. ``beside`` holds counts that must be
    shown next to it, such as how many customers were both new and returning.
    """

    key: str
    value: float | int | None
    unit: Unit
    definition: str
    period: Period
    as_of: date
    numerator: float | int | None = None
    denominator: float | int | None = None
    n: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    slice: str = "all"
    low: float | None = None
    high: float | None = None
    note: str = ""
    beside: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_small_sample(self) -> bool:
        """A figure from 5 or fewer cases says so."""
        return self.n is not None and self.n <= 5

    def as_json(self) -> dict[str, Any]:
        """The figure as ``python -m lib figures --json`` prints it."""
        return {
            "key": self.key,
            "value": self.value,
            "unit": str(self.unit),
            "numerator": self.numerator,
            "denominator": self.denominator,
            "n": self.n,
            "left_out": dict(self.left_out),
            "from": self.period.start.isoformat(),
            "to": self.period.end.isoformat(),
            "as_of": self.as_of.isoformat(),
            "slice": self.slice,
            "low": self.low,
            "high": self.high,
            "note": self.note,
            "beside": dict(self.beside),
            "definition": self.definition,
        }


class Mart(Protocol):
    """A published state of the mart, as the metrics read it."""

    @property
    def version(self) -> int: ...

    @property
    def about(self) -> Any: ...  # the fields of the table ``snapshot``
    def frame(self, statement: Select[Any], **params: Any) -> pd.DataFrame: ...
    def batches(self, statement: Select[Any], *, rows: int, **params: Any) -> Iterator[pd.DataFrame]: ...


Good: TypeAlias = Literal["up", "down"] | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Named:
    """What every kind of metric says about itself.

    ``good_is``: the direction a manager hopes for. ``note`` is shown under the figure.
    """

    key: str
    label: str
    unit: Unit
    meaning: str
    good_is: Good = None
    note: str = ""

    @property
    def parts(self) -> tuple[Unit, Unit]:
        """The units of the numerator and of the denominator."""
        return self.unit, self.unit


@dataclass(frozen=True, kw_only=True, eq=False)
class Metric(Named):
    """A sum over the rows of one table; a count of rows when ``amount`` is None.

    Args:
        over: the table; its grain is that of the drill-down.
        amount: what each row adds.
        distinct: count the distinct values of this column instead.
        where: which rows count.
        day: the column that places a row in a period; by default ``day``. None: the state at the as-of
            day, whatever the period, of rows whose ``over.c.day`` lies before it.
        known: days that must lie before the as-of day for a row to be known then.
        prepared: the same as a sum over a grouped table (may use ``START``, for whole periods then).
        prepared_daily: the same, where ``prepared`` is not right for single days.
        prepared_dimensions: what that table can be asked by, one at a time.
        per_line: the same asked of the order's lines, where a category or product is named.
        cases: what ``n`` counts; by default the rows.
        left_out: reason and the metric that counts what was left out for it.
    """

    over: Table
    amount: ColumnElement[Any] | None = None
    distinct: Column[Any] | None = None
    where: ColumnElement[bool] | None = None
    day: Column[Any] | Literal["day"] | None = "day"
    known: tuple[Column[Any], ...] = ()
    prepared: ColumnElement[Any] | None = None
    prepared_daily: ColumnElement[Any] | None = None
    prepared_dimensions: tuple[str, ...] = DIMENSIONS
    per_line: "Metric | None" = None
    cases: "Metric | None" = None
    left_out: tuple[tuple[str, "Metric"], ...] = ()

    @property
    def formula(self) -> str:
        """How it is worked out, for people."""
        grain = GRAINS.get(self.over.name, self.over.name)
        if self.distinct is not None:
            return f"distinct {self.distinct.name.removesuffix('_id')}s of {grain}"
        return f"count of {grain}" if self.amount is None else f"sum over {grain}"

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What it can be filtered and split by. Orders are of a category or product when one of their lines is."""
        by_lines = self.over is fact_order and (self.amount is None or self.per_line is not None)
        return tuple(name for name in ALL_DIMENSIONS if name in self.over.c or (name in OF_LINES and by_lines))


@dataclass(frozen=True, kw_only=True, eq=False)
class Combined(Named):
    """Sums with a sign, each over its own table."""

    terms: tuple[tuple[int, Metric], ...]
    cases: Metric | None = None
    left_out: tuple[tuple[str, Metric], ...] = ()
    # Without a single case it is not 0 but unknown: no cost is known, so there is no margin to tell.
    is_unknown_without_cases: bool = False

    @property
    def formula(self) -> str:
        """How it is worked out, for people."""
        text = " ".join(f"{'+' if sign > 0 else '−'} {term.label}" for sign, term in self.terms)
        return text.removeprefix("+ ")

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What all its terms can be filtered and split by."""
        return _shared(*(term.dimensions for _, term in self.terms))


def _shared(*dimensions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in dimensions[0] if all(name in others for others in dimensions))


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratio(Named):
    """Sum over sum; an empty bottom is None."""

    top: Metric | Combined
    bottom: Metric | Combined
    cases: Metric | None = None
    left_out: tuple[tuple[str, Metric], ...] = ()
    beside: tuple[tuple[str, Metric], ...] = ()
    has_interval: bool = False

    @property
    def parts(self) -> tuple[Unit, Unit]:
        return self.top.unit, self.bottom.unit

    @property
    def formula(self) -> str:
        """How it is worked out, for people."""
        return f"{self.top.label} ÷ {self.bottom.label}"

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What both its sides can be filtered and split by."""
        return _shared(self.top.dimensions, self.bottom.dimensions)


@dataclass(frozen=True, kw_only=True, eq=False)
class NetShare(Ratio):
    """A share less another of the same cases, in percent: ``top`` has two terms, to add and to take away."""

    @property
    def formula(self) -> str:
        """How it is worked out, for people."""
        return f"100 × ({self.top.label}) ÷ {self.bottom.label}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread(Named):
    """A quantile (``at``) or the mean (``at`` None) of single values; ``cases`` counts those values."""

    over: Table
    amount: ColumnElement[Any]
    at: float | None
    cases: Metric
    left_out: tuple[tuple[str, Metric], ...] = ()

    @property
    def formula(self) -> str:
        """How it is worked out, for people."""
        named = {None: "mean", 0.5: "median"}.get(self.at, f"{100 * (self.at or 0):.0f} % quantile")
        return f"{named} over {self.cases.label}"

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What it can be filtered and split by."""
        return self.cases.dimensions


@dataclass(frozen=True, kw_only=True, eq=False)
class Age(Named):
    """Hours since the earliest ``since`` of what waits at the as-of day, whatever the period."""

    over: Table
    since: Column[Any]
    cases: Metric
    left_out: tuple[tuple[str, Metric], ...] = ()

    @property
    def formula(self) -> str:
        """How it is worked out, for people."""
        return f"hours from the earliest of {self.cases.label} to the as-of day"

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What it can be filtered and split by."""
        return self.cases.dimensions


Part: TypeAlias = Literal["numerator", "denominator", "left_out"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Worked(Named):
    """A figure worked out by a function.

    Args:
        formula: how, for people.
        dimensions: what it can be filtered and split by.
        answer: gives the figures, one per slice.
        behind: the statement of the rows behind a part, with a column ``amount``; None: the rows are
            those of the grouped table named in ``formula``.
    """

    formula: str
    dimensions: tuple[str, ...]
    answer: "Callable[[Mart, Worked, Scope], list[Figure]]"
    units_of_parts: tuple[Unit, Unit] = (Unit.COUNT, Unit.COUNT)
    behind: "Callable[[Worked, Scope, Part], Select[Any] | None] | None" = None

    @property
    def parts(self) -> tuple[Unit, Unit]:
        return self.units_of_parts


AnyMetric: TypeAlias = Metric | Combined | Ratio | Spread | Age | Worked
