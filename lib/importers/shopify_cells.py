"""The cells of Shopify's orders export, by column name: texts, amounts, times and currencies."""

from datetime import UTC, datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from lib.importers.amounts import minor, whole
from lib.importers.dates import DateReader, date_reader
from lib.importers.decimals import decimals_of
from lib.importers.records import ReadContext
from lib.importers.rows import Row, Rows, read_rows
from lib.money import currencies, to_minor

AMOUNTS = ("Lineitem price", "Total", "Subtotal", "Taxes", "Shipping", "Discount Amount", "Refunded Amount")
DATES = ("Created at", "Paid at", "Fulfilled at", "Cancelled at")


class Untrusted(ValueError):
    """A row of an order cannot be trusted; the order is put aside whole."""

    def __init__(self, reason: str, row: Row) -> None:
        super().__init__(reason)
        self.row = row


@lru_cache(maxsize=1_024)
def _instant(text: str, zone: ZoneInfo) -> datetime:
    """2025-12-06 10:37:33 -0500, in UTC; an order names the same instant more than once."""
    at = datetime.fromisoformat(text[:19] + text[20:] if text[19:20] == " " else text)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


class OrderCells:
    """Reads single cells of one file; knows where its columns stand."""

    def __init__(self, rows: Rows, context: ReadContext) -> None:
        self.file = rows.file
        self.places = {name.strip(): place for place, name in reversed(list(enumerate(rows.header)))}
        self.zone = ZoneInfo(context.time_zone)
        self.context = context
        self.decimal = decimals_of(rows.file, AMOUNTS)

    def has(self, name: str) -> bool:
        """Whether the export has this column at all."""
        return name in self.places

    def text(self, row: Row, name: str) -> str | None:
        """A cell's text, or None when the column or the text is missing."""
        place = self.places.get(name)
        # Most cells of this export are empty, and every order has dozens of them.
        if place is None or not (raw := row.values[place]) or not (text := raw.strip()):
            return None
        # Shopify writes '560029 so that a spreadsheet keeps it as text.
        if text[0] == "'" and len(text) > 1 and text[1] in "0123456789=+-@":
            return text[1:]
        return text

    def amount(self, row: Row, name: str, currency: str) -> int | None:
        text = self.text(row, name)
        if text is None:
            return None
        try:
            return to_minor(text, currency) if self.decimal == "." else minor(text, currency, self.decimal)
        except ValueError:
            # Nothing that Shopify writes; a spreadsheet may have grouped the thousands.
            pass
        try:
            return minor(text, currency, self.decimal)
        except ValueError as error:
            raise Untrusted(f"{name} {text!r} is not an amount", row) from error

    def pieces(self, row: Row, name: str) -> int | None:
        """A number of pieces; ``2.0`` is 2."""
        text = self.text(row, name)
        try:
            return None if text is None else int(text) if text.isdecimal() else whole(text, self.decimal)
        except ValueError as error:
            raise Untrusted(f"{name} {text!r} is not a whole number", row) from error

    def instant(self, row: Row, name: str) -> datetime | None:
        text = self.text(row, name)
        if text is None:
            return None
        try:
            return _instant(text, self.zone)
        except OverflowError as error:
            raise Untrusted(f"{name} {text!r} is out of range for a time", row) from error
        except ValueError:
            return self._rewritten(row, name, text)

    def _rewritten(self, row: Row, name: str, text: str) -> datetime:
        """Read a time that a spreadsheet has written anew, if the file proves how."""
        try:
            return self._dates.at(text)
        except ValueError as error:
            raise Untrusted(f"{name} {text!r} is not a time such as 2025-12-06 10:37:33 -0500", row) from error

    @cached_property
    def _dates(self) -> DateReader:
        """How the file writes its dates: one column may prove what another leaves open."""
        rows = read_rows(self.file)
        places = [rows.column(name) for name in DATES if rows.has(name)]
        texts = (each.values[place] for each in rows for place in places)
        return date_reader(texts, self.context, column=DATES[0], file=self.file.name)

    def currency(self, row: Row) -> str:
        code = (self.text(row, "Currency") or self.context.currency).upper()
        if not code:
            raise Untrusted("the order names no currency; set ENCORE_STORE_CURRENCY", row)
        if code not in currencies():
            raise Untrusted(f"{code!r} is no currency", row)
        return code
