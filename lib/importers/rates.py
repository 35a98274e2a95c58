"""Exchange rates: a CSV of currency, day and rate, with a target where it is not the store's currency."""

from collections.abc import Iterator, Sequence
from decimal import InvalidOperation

from lib.errors import MissingColumns
from lib.importers.amounts import amount, decimal_sign
from lib.importers.dates import DateReader, date_reader
from lib.importers.records import Origin, RateRecord, ReadContext, Rejected
from lib.importers.rows import Row, Rows, read_rows
from lib.importers.source_file import SourceFile


def is_rates(header: Sequence[str]) -> bool:
    """Whether a header line is that of a table of rates."""
    names = {name.casefold() for name in header}
    return {"currency", "day", "rate"} <= names and len(names) <= 6


def read(files: Sequence[SourceFile], context: ReadContext) -> Iterator[RateRecord | Rejected]:
    """Yield one record per row: one unit of ``currency`` was worth ``rate`` units of the target from ``day`` on.

    Raises:
        MissingColumns: no currency, day or rate; or no target, and the store has no currency yet.
        AmbiguousDates: days that can be read in two ways.
    """
    for file in files:
        rows = read_rows(file)
        currency, day, rate = rows.column("currency"), rows.column("day", "date", "valid_from"), rows.column("rate")
        target = rows.column("target") if rows.has("target") else None
        if target is None and not context.currency:
            raise MissingColumns(
                f"{file.name} does not say into which currency: add a column 'target', or set ENCORE_STORE_CURRENCY."
            )
        days = date_reader((row.values[day] for row in read_rows(file)), context, column="day", file=file.name)
        sign = decimal_sign(row.values[rate] for row in read_rows(file)) or "."
        for row in rows:
            yield _rate(rows, row, (currency, day, rate, target), days, sign, context.currency)


def _rate(
    rows: Rows, row: Row, places: tuple[int, int, int, int | None], days: DateReader, sign: str, otherwise: str
) -> RateRecord | Rejected:
    currency, day, rate, target = places
    if row.problem:
        return rows.rejected(row, "rate", row.problem)
    try:
        return RateRecord(
            row.values[currency].strip().upper(),
            (row.values[target].strip().upper() if target is not None else "") or otherwise,
            days.day(row.values[day]),
            amount(row.values[rate], sign),
            origin=Origin(rows.file.name, row.line, row.text.rstrip("\r\n"), rows.header_text),
        )
    except (ValueError, InvalidOperation) as error:
        return rows.rejected(row, "rate", str(error))
