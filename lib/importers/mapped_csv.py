"""Read any CSV or Parquet file through a mapping.

A file is looked through once before it is read, where that is needed: to prove its dates and decimals from
all rows, and to see whether the lines of each order stand together. Where they do not, they are brought
together on disk, so that memory does not grow with the file.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Final

from lib.errors import MappingInvalid
from lib.importers.amounts import decimal_sign
from lib.importers.cell_reading import CellReading, Cells
from lib.importers.dates import DateOrder, DateReader, date_reader, reader_for
from lib.importers.fields import Holds, field_of
from lib.importers.gather import Gatherer, Kept, Lookup
from lib.importers.mapped_orders import build_order
from lib.importers.mapped_people import (
    build_customer,
    build_product,
    build_refund,
    build_review,
    build_shipment,
    build_ticket,
)
from lib.importers.mapping import Mapping
from lib.importers.records import Origin, ReadContext, Record, Rejected
from lib.importers.source_file import SourceFile
from lib.importers.table_rows import table_rows

BUILD: Final[dict[str, Callable[[Cells, CellReading], Record]]] = {
    "customers": build_customer,
    "products": build_product,
    "reviews": build_review,
    "tickets": build_ticket,
    "shipments": build_shipment,
    "refunds": build_refund,
}
# Lines of one order in a row: more are no order but a broken key.
MAX_LINES: Final = 20_000
TOO_LONG: Final = f"{MAX_LINES:,} rows or more name this order; it is no order's number."
_SIGNS_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file: as they stand there, and as they are understood."""

    header: list[str]
    rows: list[list[str]]
    records: list[Record | Rejected]


@dataclass(slots=True)
class _Survey:
    """What all rows of a file prove."""

    orders: dict[str, DateOrder]
    priced: frozenset[str]
    amounts: dict[str, None] = field(default_factory=dict)
    are_together: bool = True


# The order that a row belongs to (or nothing), the row, and its file's header.
_Row = tuple[str, Kept, str]


def read_table(files: Sequence[SourceFile], mapping: Mapping, context: ReadContext) -> Iterator[Record | Rejected]:
    """Yield one record per order (or customer, product …), or the rows that cannot be trusted.

    Raises:
        MappingInvalid: a column is missing, or the decimals may be read in two ways and nothing says which.
        AmbiguousDates: days and months may be read in two ways and nothing says which.
    """
    places = {file.name: mapping.check(table_rows(file).header, file.name) for file in files}
    by_line = mapping.kind == "orders" and mapping.shape == "line"
    survey = _look_through(files, places, mapping, by_line=by_line)
    reading = _reading(files, mapping, context, survey)
    rows = chain.from_iterable(_rows(file, places[file.name], mapping) for file in files)
    if not by_line:
        yield from _row_by_row(rows, reading)
    elif survey.are_together:
        yield from _neighbours(rows, reading)
    else:
        yield from _brought_together(rows, reading)


def _row_by_row(rows: Iterator[_Row], reading: CellReading) -> Iterator[Record | Rejected]:
    """One record of each row; an order that comes again with other contents is rejected, never overwritten."""
    with Lookup() as seen:
        for key, row, header in rows:
            is_again = key and not row.problem and not seen.keep(key, [row.text])
            if is_again and seen.find(key) != [row.text]:
                reason = f'Order {key} came before; where each row is a line of an order, write shape = "line".'
                yield _rejected([row], reason, header, key, reading)
            else:
                yield _one(key, [row], header, reading)


def _neighbours(rows: Iterator[_Row], reading: CellReading) -> Iterator[Record | Rejected]:
    """One record of the rows that follow each other under one order."""
    for key, group in groupby(rows, key=itemgetter(0)):
        kept: list[Kept] = []
        header, is_too_long = "", False
        for _, row, header in group:
            kept.append(row)
            if len(kept) == MAX_LINES:
                is_too_long = True
                yield _rejected(kept, TOO_LONG, header, key, reading)
                kept = []
        if kept and is_too_long:
            yield _rejected(kept, TOO_LONG, header, key, reading)
        elif kept:
            yield _one(key, kept, header, reading)


def _brought_together(rows: Iterator[_Row], reading: CellReading) -> Iterator[Record | Rejected]:
    """One record of the rows of one order, wherever they stand."""
    headers: dict[str, str] = {}
    with Gatherer() as gatherer:
        for key, row, header in rows:
            headers[row.file] = header
            # A row without an order's number belongs to no other.
            gatherer.keep(key or f"\x00{row.file}:{row.line}", row)
        for key, kept in gatherer.groups():
            header = headers[kept[0].file]
            if len(kept) >= MAX_LINES:
                yield _rejected(kept, TOO_LONG, header, key, reading)
            else:
                yield _one("" if key.startswith("\x00") else key, kept, header, reading)


def preview(file: SourceFile, mapping: Mapping, context: ReadContext, rows: int = 10) -> Preview:
    """Show the first rows of a file as they would be understood.

    Raises:
        MappingInvalid, AmbiguousDates: as for ``read_table``, judged by the first rows alone.
    """
    table = table_rows(file)
    places = mapping.check(table.header, file.name)
    sample = list(islice(_rows(file, places, mapping), max(rows * 50, 1_000)))
    survey = _survey(mapping)
    names = list(places)
    for _, row, _ in sample:
        _see(row, names, survey)
    reading = _reading([file], mapping, context, survey)
    by_line = mapping.kind == "orders" and mapping.shape == "line"
    shown = sample[:rows]
    records: list[Record | Rejected] = []
    if by_line:
        groups: dict[str, list[Kept]] = {}
        wanted = {key for key, _, _ in shown}
        for key, row, _ in sample:
            if key in wanted:
                groups.setdefault(key, []).append(row)
        records = [_one(key, kept, "", reading) for key, kept in groups.items()]
    else:
        records = [_one(key, [row], "", reading) for key, row, _ in shown]
    first = [row.values for row in islice(table, rows)]
    return Preview(table.header, first, records)


def _rows(file: SourceFile, places: dict[str, int], mapping: Mapping) -> Iterator[_Row]:
    """Yield each row's order (or nothing), its mapped cells and the header."""
    rows = table_rows(file)
    wanted = list(places.values())
    key_place = list(places).index("order_id") if mapping.kind == "orders" else None
    for row in rows:
        values = [row.values[place].strip() for place in wanted]
        key = values[key_place] if key_place is not None else ""
        yield key, Kept("", file.name, row.line, row.text.rstrip("\r\n"), values, row.problem), rows.header_text


def _look_through(
    files: Sequence[SourceFile], places: dict[str, dict[str, int]], mapping: Mapping, *, by_line: bool
) -> _Survey:
    """Look through all rows once."""
    survey = _survey(mapping)
    last = ""
    with Lookup() as seen:
        for file in files:
            names = list(places[file.name])
            for key, row, _ in _rows(file, places[file.name], mapping):
                if not row.problem:
                    _see(row, names, survey)
                if by_line and survey.are_together and key != last:
                    survey.are_together = bool(key) and seen.keep(key, [])
                    last = key
    return survey


def _see(row: Kept, names: list[str], survey: _Survey) -> None:
    for name, value in zip(names, row.values, strict=True):
        if not value:
            continue
        order = survey.orders.get(name)
        if order is not None:
            order.see(value)
        elif ("." in value or "," in value) and len(survey.amounts) < _SIGNS_KEPT and name in survey.priced:
            survey.amounts[value] = None


def _survey(mapping: Mapping) -> _Survey:
    known = {name: found.holds for name in mapping.columns if (found := field_of(mapping.kind, name)) is not None}
    return _Survey(
        orders={name: DateOrder() for name, holds in known.items() if holds is Holds.TIME},
        priced=frozenset(name for name, holds in known.items() if holds is Holds.AMOUNT),
    )


def _reading(files: Sequence[SourceFile], mapping: Mapping, context: ReadContext, survey: _Survey) -> CellReading:
    declared = replace(context, date_format=mapping.dates or context.date_format)
    dates: dict[str, DateReader] = {}
    orders = {order.order for order in survey.orders.values() if order.order}
    named = ", ".join(file.name for file in files[:3])
    for name, order in survey.orders.items():
        # Another date column of the same file proves the order for one that is open itself.
        is_told = order.is_open and not order.contradicts and len(orders) == 1
        known = replace(declared, date_format=declared.date_format or next(iter(orders))) if is_told else declared
        dates[name] = reader_for(order, known, column=mapping.columns[name], file=named)
    sign = mapping.decimal
    if not sign:
        try:
            proved = decimal_sign(survey.amounts)
        except ValueError as error:
            raise MappingInvalid(f'In {named} {error}; write decimal = "." or "," into the mapping.') from error
        if proved is None:
            example = next(iter(survey.amounts))
            raise MappingInvalid(
                f"The amounts of {named} can be read in two ways: {example} may be a thousand or a fraction. "
                'Write decimal = "." or decimal = "," into the mapping.'
            )
        sign = proved
    return CellReading(mapping, context, dates=dates, any_date=date_reader([], declared), sign=sign)


def _one(key: str, rows: list[Kept], header: str, reading: CellReading) -> Record | Rejected:
    """One record of its rows, or the rows as rejected."""
    kind = reading.mapping.kind
    first = rows[0]
    names = reading.mapping.columns
    cells = [dict(zip(names, row.values, strict=True)) for row in rows]
    try:
        for row in rows:
            if row.problem:
                raise ValueError(row.problem)
        if kind == "orders":
            if not key:
                raise ValueError(f"There is no {reading.mapping.columns['order_id']}.")
            record: Record = build_order(cells, reading)
        else:
            record = BUILD[kind](cells[0], reading)
    except ValueError as error:
        return _rejected(rows, str(error), header, key, reading)
    return replace(record, origin=Origin(first.file, first.line, "\n".join(row.text for row in rows), header))


def _rejected(rows: list[Kept], reason: str, header: str, key: str, reading: CellReading) -> Rejected:
    """Rows kept with their reason; an order's day and worth too, as far as they can be read."""
    kind = reading.mapping.kind
    first = rows[0]
    cells = dict(zip(reading.mapping.columns, first.values, strict=True))
    placed_day = amount = None
    if kind == "orders":
        with suppress(ValueError):
            placed_day = reading.day(cells, "placed_at")
            amount = reading.minor(cells, "total", reading.currency(cells))
    return Rejected(
        kind=kind.removesuffix("s"),
        file=first.file,
        line=first.line,
        reason=reason,
        text="\n".join(row.text for row in rows),
        header=header,
        external_id=key,
        placed_day=placed_day,
        amount_minor=amount,
    )
