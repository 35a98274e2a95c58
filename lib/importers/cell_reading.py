"""Read the cells of a mapped table as what their fields hold, and say which column was wrong."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from lib.importers.amounts import amount, currency_in, whole
from lib.importers.countries import country_code
from lib.importers.dates import DateReader
from lib.importers.mapping import Mapping
from lib.importers.records import CustomerRecord, ReadContext
from lib.money import currencies, to_minor

Cells = dict[str, str]


def _beginnings(words: str) -> tuple[str, ...]:
    return tuple(words.split())


NO: Final = frozenset({"", "no", "false", "0", "n", "f", "never", "off", "nein", "non", "nee", "falsch", "faux", "-"})

# How statuses begin, in five languages; in this order, the first that fits counts.
CANCELLED: Final = _beginnings(
    "cancel annul storn void geannuleerd anulad abgebrochen unavailable failed fehlgeschlagen échou fallid trash"
)
REFUNDED: Final = _beginnings("refund erstattet rückerstattet rembours reembols devuelt terugbetaald chargeback")
PENDING: Final = _beginnings(
    "pending open offen wartend ausstehend attente pendiente hold created new neu nouveau nuevo unpaid unbezahlt "
    "impay draft invoiced awaiting afwachting not nicht non niet"
)
PAID: Final = _beginnings(
    "paid bezahlt payé paye pagad betaald complete abgeschlossen terminé terminee voltooid processing shipped versandt "
    "delivered geliefert zugestellt fulfilled captured settled erledigt livré entregad verzonden"
)


class CellReading:
    """Reads one table's cells; every ValueError it raises names the column."""

    def __init__(
        self, mapping: Mapping, context: ReadContext, *, dates: dict[str, DateReader], any_date: DateReader, sign: str
    ) -> None:
        self.mapping = mapping
        self._context = context
        self._dates = dates
        self._any_date = any_date
        self._sign = sign

    def text(self, cells: Cells, name: str) -> str | None:
        """A text, in Encore's words where the mapping translates it; None where there is none."""
        value = cells.get(name, "")
        return self.mapping.words.get(name, {}).get(value, value) or None

    def at(self, cells: Cells, name: str) -> datetime | None:
        """An instant in UTC."""
        value = cells.get(name, "")
        if not value:
            return None
        try:
            return self._dates.get(name, self._any_date).at(value)
        except ValueError as error:
            raise self._wrong(name, error) from error

    def needed_at(self, cells: Cells, name: str) -> datetime:
        """An instant that must be there."""
        instant = self.at(cells, name)
        if instant is None:
            raise ValueError(f"There is no {self._column(name)}.")
        return instant

    def day(self, cells: Cells, name: str) -> date | None:
        """A store day."""
        value = cells.get(name, "")
        if not value:
            return None
        try:
            return self._dates.get(name, self._any_date).day(value)
        except ValueError as error:
            raise self._wrong(name, error) from error

    def minor(self, cells: Cells, name: str, currency: str) -> int | None:
        """An amount in minor units; refused where it names another currency."""
        value = cells.get(name, "")
        if not value:
            return None
        try:
            own = None if value[0].isdigit() and value[-1].isdigit() else currency_in(value)
            if own is not None and own != currency:
                raise ValueError(f"{value!r} is not in {currency}")
            return to_minor(amount(value, self._sign), currency)
        except ValueError as error:
            raise self._wrong(name, error) from error

    def exact(self, cells: Cells, name: str) -> Decimal | None:
        """An amount as it is written, with all its decimals."""
        value = cells.get(name, "")
        if not value:
            return None
        try:
            return amount(value, self._sign)
        except ValueError as error:
            raise self._wrong(name, error) from error

    def count(self, cells: Cells, name: str) -> int | None:
        """A whole number."""
        value = cells.get(name, "")
        if not value:
            return None
        try:
            return whole(value, self._sign)
        except ValueError as error:
            raise self._wrong(name, error) from error

    def flag(self, cells: Cells, name: str) -> bool:
        """Whether a cell means yes; an empty one does not."""
        return (self.text(cells, name) or "").casefold() not in NO

    def currency(self, cells: Cells) -> str:
        """The row's currency: its column's, the mapping's, the store's.

        Raises:
            ValueError: none of them says one.
        """
        value = (self.text(cells, "currency") or self.mapping.currency or self._context.currency).upper()
        if value in currencies():
            return value
        if not value:
            raise ValueError('Nothing says the currency; write currency = "…" into the mapping.')
        found = currency_in(value)
        if found is None:
            raise ValueError(f"{self._column('currency')}: {value!r} is no ISO currency.")
        return found

    def country(self, cells: Cells) -> str | None:
        """Two letters, or None where there is no country of that name."""
        return country_code(cells.get("country", ""))

    def customer(self, cells: Cells) -> CustomerRecord | None:
        """The customer whom the row names by key or e-mail; a name alone is nobody in particular."""
        key, email = cells.get("customer_id", ""), cells.get("customer_email", "")
        email = email if "@" in email else ""
        if not key and not email:
            return None
        return CustomerRecord(
            external_id=key,
            email=email or None,
            name=self.text(cells, "customer_name"),
            phone=self.text(cells, "customer_phone"),
            country=self.country(cells),
            region=self.text(cells, "region"),
            city=self.text(cells, "city"),
            is_guest=not key,
        )

    def _column(self, name: str) -> str:
        return self.mapping.columns.get(name, name)

    def _wrong(self, name: str, error: ValueError) -> ValueError:
        return ValueError(f"{self._column(name)}: {error}.")


def says(words: tuple[str, ...], *texts: str | None) -> bool:
    """Whether a status is one of these words, or begins with one."""
    return any(part.startswith(word) for text in texts if text for part in _words(text) for word in words)


def _words(text: str) -> list[str]:
    return "".join(sign if sign.isalpha() else " " for sign in text.casefold()).split()
