"""The account of what a screen shows: its meaning, its formula with the numbers put in, and the rows behind it.

Every number on a screen opens to one of these: a figure of the catalogue here, a line of the bridge, a driver, a
product, a curve's point in the modules that work them out. One function draws them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lib.metrics.catalogue import find
from lib.metrics.definition import (
    Age,
    AnyMetric,
    Combined,
    Figure,
    Mart,
    Metric,
    Part,
    Ratio,
    Scope,
    Spread,
    Unit,
    Worked,
)
from lib.metrics.drill import Behind, Term, behind_figure, behind_terms, terms_of
from lib.metrics.measure import measure, value_of
from lib.metrics.read import figures, population
from lib.periods import Period

# A number from so few cases says so.
FEW = 5
SMALL = "Small sample: read it with care."
REFUNDS_KNOWN_NOW = "Refunds, cancellations and voids are as known at the last refresh."


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number that a formula is worked out with; ``name`` is its place in ``Account.worked``."""

    name: str
    label: str
    value: float | int | None
    unit: Unit
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One number of a screen, opened.

    Args:
        key: names files and widgets.
        value: as the screen has it; null when there is nothing to divide by.
        formula: how it is worked out, in words.
        worked: the same with places ``{name}`` for ``numbers``.
        counted: who and what is counted, and as known when.
        left_out: reason and how many cases were left out for it.
        parts: name of a part and the rows that add up to it, the first shown first.
    """

    key: str
    label: str
    period: Period
    value: float | int | None
    unit: Unit
    meaning: str
    formula: str
    counted: str
    worked: str = ""
    numbers: tuple[Number, ...] = ()
    notes: tuple[str, ...] = ()
    n: int | None = None
    low: float | None = None
    high: float | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, Behind] = field(default_factory=dict)

    @property
    def is_small_sample(self) -> bool:
        """Too few cases to rely on."""
        return self.n is not None and self.n <= FEW

    def noted(self, *notes: str) -> "Account":
        """The same with more said of it."""
        return replace(self, notes=(*self.notes, *(note for note in notes if note)))


def figure_account(mart: Mart, key: str, scope: Scope) -> Account:
    """The account of a figure of the catalogue.

    Raises:
        UnknownFigure: a key, or a dimension that the figure cannot be filtered by.
    """
    metric, found = find(key), figures(mart, [key], scope)[0]
    # The figure's own note stands with what was counted; what is said of these days alone stands by the value.
    more = found.note.replace(metric.note, "").strip()
    whole = population(key, scope).removeprefix(f"{metric.meaning} ")
    formula = f"{metric.formula[:1].upper()}{metric.formula[1:]}"
    worked, numbers = _with_numbers(mart, metric, scope, found)
    return Account(
        key=key,
        label=metric.label,
        period=scope.period,
        value=found.value,
        unit=found.unit,
        meaning=metric.meaning,
        formula=formula,
        counted=whole.removeprefix(f"{formula}: "),
        worked=worked,
        numbers=numbers,
        notes=(more,) if more else (),
        n=found.n,
        low=found.low,
        high=found.high,
        left_out=found.left_out,
        parts=_parts(mart, key, metric, scope, found),
    )


def counted_in(scope: Scope) -> str:
    """``1 Nov 2026 to 21 Nov 2026, as known before 22 Nov 2026, channel Web``."""
    return population("orders", scope).removeprefix(f"{find('orders').meaning} ").split(": ", 1)[1].rstrip(".")


def left_out_of(
    mart: Mart, reasons: Sequence[tuple[str, Metric]], scope: Scope
) -> tuple[dict[str, int], dict[str, Behind]]:
    """How many were left out and why, and their rows as a part of their own."""
    answers = measure(mart, [metric for _, metric in reasons], scope)
    counts = {reason: value_of(metric, answers, ("all",)) for reason, metric in reasons}
    counts = {reason: count for reason, count in counts.items() if count}
    if not counts:
        return {}, {}
    terms = [Term(sign=1, metric=metric, scope=scope, what=reason) for reason, metric in reasons]
    return counts, {"Left out": behind_terms(mart, terms, Unit.COUNT)}


def added_up(mart: Mart, terms: Sequence[Term]) -> tuple[str, str, tuple[Number, ...]]:
    """Signed sums in words (``Gross sales − Discounts``), the same with places for numbers, and the numbers."""
    numbers = []
    for place, term in enumerate(terms):
        value = value_of(term.metric, measure(mart, [term.metric], term.scope), ("all",))
        label = term.what or term.metric.label
        numbers.append(Number(name=f"t{place}", label=label, value=value, unit=term.metric.unit))
    signs = ["" if term.sign > 0 and not place else "+ " if term.sign > 0 else "− " for place, term in enumerate(terms)]
    words = " ".join(f"{sign}{number.label}" for sign, number in zip(signs, numbers, strict=True))
    worked = " ".join(f"{sign}{{{number.name}}}" for sign, number in zip(signs, numbers, strict=True))
    return words, worked, tuple(numbers)


def _with_numbers(mart: Mart, metric: AnyMetric, scope: Scope, found: Figure) -> tuple[str, tuple[Number, ...]]:
    """The formula with places for its numbers, and the numbers; those shown beside the figure come last."""
    worked = ""
    numbers: list[Number] = []
    top, bottom = metric.parts
    match metric:
        case Combined() if found.value is not None:
            _, worked, sums = added_up(mart, terms_of(metric, scope))
            numbers.extend(sums)
        case Ratio():
            numbers.append(Number(name="top", label=metric.top.label, value=found.numerator, unit=top))
            numbers.append(Number(name="bottom", label=metric.bottom.label, value=found.denominator, unit=bottom))
        case Worked() if found.denominator is not None:
            numbers.append(Number(name="top", label="Counted", value=found.numerator, unit=top))
            numbers.append(Number(name="bottom", label="Out of", value=found.denominator, unit=bottom))
    if found.denominator and (isinstance(metric, Ratio) or metric.unit is Unit.SHARE):
        worked = "{top} ÷ {bottom}"
    for name, value in found.beside.items():
        unit = Unit.COUNT if float(value).is_integer() else Unit.RATIO
        numbers.append(Number(name=name.replace(" ", "_"), label=name.capitalize(), value=value, unit=unit))
    return worked, tuple(numbers)


def _parts(mart: Mart, key: str, metric: AnyMetric, scope: Scope, found: Figure) -> dict[str, Behind]:
    names: dict[str, Part] = {}
    match metric:
        case Ratio():
            names = {metric.top.label: "numerator", metric.bottom.label: "denominator"}
        case Metric() | Combined() | Spread() | Age():
            names = {"Counted": "numerator"}
        case _:
            names = {"Counted": "numerator", "Out of": "denominator"}
    if found.left_out:
        names["Left out"] = "left_out"
    parts = {name: behind_figure(mart, key, scope, part) for name, part in names.items()}
    return {name: behind for name, behind in parts.items() if behind is not None}
