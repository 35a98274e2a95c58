"""Guess a mapping from a table's headers and contents, with how sure it is and what it must ask.

A header that is a field's own word counts fully, one that holds such a word among others less; contents must
look like what the field holds, and alone (an e-mail address, a currency's code) count little. What two
readings fit is asked, not guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Final

from lib.errors import ImportRefused, UnknownFormat
from lib.importers.amounts import currency_in, decimal_sign, is_amount, whole
from lib.importers.countries import country_code
from lib.importers.dates import DAY_FIRST, MONTH_FIRST, date_order, is_date
from lib.importers.fields import Field, Holds, fields, plain
from lib.importers.mapped_csv import preview
from lib.importers.mapping import ONE_OF, Mapping, Question
from lib.importers.records import OrderRecord, ReadContext, Record, Rejected
from lib.importers.source_file import SourceFile
from lib.importers.table_rows import table_rows
from lib.money import currencies

SAMPLE: Final = 5_000
JUDGED: Final = 200
SURE: Final = 0.9
# How many rows are tried with prices that include tax and with prices that do not.
TRIED: Final = 300
# What content alone is worth, where a header says nothing.
CONTENT_ALONE: Final = {Holds.EMAIL: 0.6, Holds.CURRENCY: 0.6, Holds.TIME: 0.45}
ORDER_LEVEL: Final = ("total", "shipping", "discount", "tax", "subtotal", "fees")


@dataclass(frozen=True, slots=True)
class _Column:
    place: int
    header: str
    words: str
    values: list[str]


def guess(file: SourceFile, context: ReadContext, kind: str = "") -> Mapping:
    """Guess how a file is to be read.

    Args:
        kind: the kind of table, where it is known; else the kind that explains most columns.
    Returns:
        a mapping with ``confidence`` per field and ``questions``; it may still lack a needed field.
    Raises:
        UnknownFormat: no column means anything that is known.
    """
    rows = table_rows(file)
    sample = [row.values for row in islice(rows, SAMPLE) if not row.problem]
    columns = [
        _Column(place, header, plain(header), [value for row in sample if (value := row[place].strip())])
        for place, header in enumerate(rows.header)
        if header and header not in rows.header[:place]
    ]
    kinds = [kind] if kind else list(fields())
    found = {name: _assign(columns, fields()[name]) for name in kinds}
    best = max(kinds, key=lambda name: _explains(name, found[name]))
    assigned = found[best]
    if not assigned:
        raise UnknownFormat(
            f"No column of {file.name} is known: {', '.join(rows.header[:20])}. Write a mapping by hand."
        )
    mapping = _completed(best, assigned, columns, sample, context)
    return _with_tax(mapping, file, context) if best == "orders" else mapping


def _assign(columns: Sequence[_Column], known: Sequence[Field]) -> dict[str, tuple[float, _Column]]:
    """Give each field the column that fits it best, the surest first; no column serves twice."""
    scores = sorted(
        ((_score(column, field), -place, field, column) for place, field in enumerate(known) for column in columns),
        key=lambda found: (found[0], found[1], -found[3].place),
        reverse=True,
    )
    taken: dict[str, tuple[float, _Column]] = {}
    used: set[int] = set()
    for score, _, field, column in scores:
        if score > 0.3 and field.name not in taken and column.place not in used:
            taken[field.name] = (round(score, 2), column)
            used.add(column.place)
    return taken


def _score(column: _Column, field: Field) -> float:
    named = _named(column.words, field.headers)
    if not named:
        alone = CONTENT_ALONE.get(field.holds, 0.0) if field.is_needed or field.holds is not Holds.TIME else 0.0
        return alone if alone and column.values and _fits(column.values, field.holds) >= SURE else 0.0
    if not column.values:
        return 0.0 if field.is_needed else named * 0.5
    fit = _fits(column.values, field.holds)
    return named * fit if fit >= 0.5 else 0.0


def _named(words: str, phrases: Sequence[str]) -> float:
    """How well a header says a field: 1 for its own name, less for other words, least for one among several."""
    if words == phrases[0]:
        return 1.0
    if words in phrases:
        return 0.95
    bare = words.replace(" ", "")
    if any(bare == phrase.replace(" ", "") for phrase in phrases):
        return 0.93
    best = 0.0
    padded = f" {words} "
    for phrase in phrases:
        if f" {phrase} " in padded and len(phrase) > 2:
            # The last word says what it is: a "review comment title" is a title.
            last = 0.1 if words.endswith(phrase) else 0.0
            best = max(best, 0.35 + last + 0.45 * len(phrase) / len(words))
    return best


def _fits(values: Sequence[str], holds: Holds) -> float:
    """The share of values that look like what a field holds."""
    judged = values[:JUDGED]
    return sum(_looks_like(value, holds) for value in judged) / len(judged)


def _looks_like(value: str, holds: Holds) -> bool:
    if holds is Holds.TIME:
        return is_date(value) or (value.isdecimal() and len(value) in (8, 10, 13))
    if holds is Holds.AMOUNT:
        return is_amount(value)
    if holds is Holds.COUNT:
        try:
            whole(value)
        except ValueError:
            return is_amount(value) and value.replace(",", ".").partition(".")[2].strip("0") == ""
        return True
    if holds is Holds.EMAIL:
        return "@" in value and "." in value.rpartition("@")[2] and " " not in value
    if holds is Holds.CURRENCY:
        return value.upper() in currencies() or currency_in(value) is not None
    if holds is Holds.COUNTRY:
        return country_code(value) is not None or len(value) > 3
    if holds is Holds.KEY:
        return not is_date(value) and len(value) <= 100
    if holds is Holds.TEXT:
        return not (is_date(value) and not value.isdecimal())
    return True


def _explains(kind: str, assigned: dict[str, tuple[float, _Column]]) -> tuple[float, int]:
    """How well a kind explains the columns; one that lacks what it needs explains nothing well."""
    total = sum(score for score, _ in assigned.values())
    needed = [field.name for field in fields()[kind] if field.is_needed]
    missing = sum(name not in assigned for name in needed)
    if kind in ONE_OF and not any(name in assigned for name in ONE_OF[kind]):
        missing += 1
    return total - 2 * missing, -list(fields()).index(kind)


def _completed(
    kind: str,
    assigned: dict[str, tuple[float, _Column]],
    columns: Sequence[_Column],
    sample: Sequence[Sequence[str]],
    context: ReadContext,
) -> Mapping:
    """Add what the contents tell of shape, dates, decimals and currency, and ask what they do not."""
    places = {name: column for name, (_, column) in assigned.items()}
    questions: list[Question] = []
    shape, order_amounts = "order", "repeated"
    if kind == "orders" and "order_id" in places:
        shape, order_amounts, asked = _shape(places, sample)
        questions += asked
    known = {field.name: field for field in fields()[kind]}
    named = [name for name in known if name in places]
    dates = (
        ""
        if context.date_format
        else _ask_dates([places[name] for name in named if known[name].holds is Holds.TIME], questions)
    )
    amounts = [value for name in named if known[name].holds is Holds.AMOUNT for value in places[name].values]
    decimal = _ask_decimal(amounts, questions)
    currency = ""
    if kind in ("orders", "products", "refunds") and "currency" not in places:
        own = {code for value in amounts if (code := currency_in(value))}
        currency = own.pop() if len(own) == 1 else context.currency
        if not currency:
            questions.append(Question("currency", "Which currency are the amounts in?"))
    for field in known.values():
        if field.is_needed and field.name not in places:
            questions.append(Question(f"columns.{field.name}", f"Which column says {field.name}? {field.meaning}"))
    if kind in ONE_OF and not any(name in places for name in ONE_OF[kind]):
        text = f"Which column says one of {', '.join(ONE_OF[kind])}?"
        questions.append(Question(f"columns.{ONE_OF[kind][0]}", text))
    return Mapping(
        kind=kind,
        columns={name: places[name].header for name in named},
        shape=shape,
        dates=dates,
        decimal=decimal,
        currency=currency,
        order_amounts=order_amounts,
        confidence={name: assigned[name][0] for name in named},
        questions=tuple(questions),
    )


def _shape(places: dict[str, _Column], sample: Sequence[Sequence[str]]) -> tuple[str, str, list[Question]]:
    """One row per order or per line, and how the order's own amounts stand on its lines."""
    key = places["order_id"].place
    rows = sorted((row for row in sample if row[key].strip()), key=lambda row: row[key])
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row[key])]
    several = [group for group in groups if len(group) > 1]
    has_line = any(name in places for name in ("unit_price", "line_total")) or (
        "quantity" in places and ("sku" in places or "item_name" in places)
    )
    if not several:
        return ("line" if has_line and "total" not in places else "order"), "repeated", []
    evidence: set[str] = set()
    for group in several:
        for name in ORDER_LEVEL:
            if name not in places:
                continue
            found = [row[places[name].place].strip() for row in group]
            rest = [value for value in found[1:] if _is_something(value)]
            if not _is_something(found[0]):
                continue
            if not rest:
                evidence.add("first")
            elif set(rest) == {found[0]} and len(rest) == len(found) - 1:
                evidence.add("repeated")
            else:
                evidence.add("each")
    if "each" in evidence:
        amounts = "each"
    elif len(evidence) == 1:
        amounts = evidence.pop()
    else:
        amounts = "repeated"
        if evidence:
            text = "Do the order's own amounts stand on each of its lines, or on the first alone?"
            return "line", amounts, [Question("order_amounts", text, ("repeated", "first", "each"))]
    return "line", amounts, []


def _is_something(value: str) -> bool:
    return bool(value.strip("0.,-€$£ "))


def _ask_dates(columns: Sequence[_Column], questions: list[Question]) -> str:
    orders = [date_order(column.values) for column in columns]
    told = {order.order for order in orders if order.order}
    if len(told) == 1 and not any(order.contradicts for order in orders):
        return told.pop()
    for column, order in zip(columns, orders, strict=True):
        if order.is_open:
            text = f"Is {order.example} in {column.header!r} {order.readings}?"
            questions.append(Question("dates", text, (DAY_FIRST, MONTH_FIRST)))
            break
    return ""


def _ask_decimal(amounts: Sequence[str], questions: list[Question]) -> str:
    try:
        sign = decimal_sign(amounts)
    except ValueError as error:
        questions.append(Question("decimal", f"Which sign parts the decimals? {error}.", (".", ",")))
        return ""
    if sign is None:
        example = next(value for value in amounts if "." in value or "," in value)
        questions.append(Question("decimal", f"Is {example} a thousand and more, or a fraction?", (".", ",")))
        return ""
    return sign if any("." in value or "," in value for value in amounts) else ""


def _fits_well(record: Record | Rejected, mapping: Mapping) -> bool:
    """Whether a taxed order's sums meet without a discount or fee that the table does not name."""
    return (
        isinstance(record, OrderRecord)
        and record.tax_minor > 0
        and (record.discount_minor == 0 or "discount" in mapping.columns or "line_discount" in mapping.columns)
        and (record.fees_minor == 0 or "fees" in mapping.columns)
    )


def _with_tax(mapping: Mapping, file: SourceFile, context: ReadContext) -> Mapping:
    """Whether prices include tax: as the sums of the first orders tell, else it is asked."""
    if "tax" not in mapping.columns:
        text = "No column holds tax. Where prices include it: which percentage? Sales are counted without tax."
        return replace(mapping, questions=(*mapping.questions, Question("tax_percent", text)))
    fitting = {}
    for included in (False, True):
        try:
            shown = preview(file, replace(mapping, prices_include_tax=included), context, TRIED).records
        except ImportRefused:
            break
        fitting[included] = sum(_fits_well(record, mapping) for record in shown)
    best = max(fitting, key=lambda included: fitting[included], default=False)
    if fitting and fitting[best] > 4 * fitting.get(not best, 0):
        return replace(mapping, prices_include_tax=best)
    question = Question("prices_include_tax", "Do the prices include tax?", ("true", "false"))
    return replace(mapping, questions=(*mapping.questions, question))
