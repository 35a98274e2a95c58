"""What a figure is, what is asked of it, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from lib.periods import Period


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
    ``low`` and ``high`` are a 95 % interval where the figure has one.
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
            "definition": self.definition,
        }
