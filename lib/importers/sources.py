"""Where records come from: every source by its name, and how to tell one from its files."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib import import_module
from typing import Final, cast
from unicodedata import normalize

from lib.errors import ImportRefused, UnknownFormat
from lib.importers import rates, reviews, tickets
from lib.importers.records import ReadContext, Record, Rejected
from lib.importers.rows import read_rows
from lib.importers.source_file import SourceFile

SHOP_LENGTH: Final = 40
_BETWEEN: Final = re.compile(r"[^a-z0-9]+")

Reader = Callable[[Sequence[SourceFile], ReadContext], Iterator[Record | Rejected]]


@dataclass(frozen=True, slots=True)
class Source:
    """A source as people choose it; ``accepts`` says what it takes."""

    name: str
    label: str
    module: str
    accepts: str

    def reader(self) -> Reader:
        """The reader of the source's files."""
        return cast(Reader, import_module(f"lib.importers.{self.module}").read)


SOURCES: Final[dict[str, Source]] = {
    source.name: source
    for source in (
        Source("shopify", "Shopify", "shopify", "CSV exports of orders, customers and products"),
        Source("woocommerce", "WooCommerce", "woocommerce", "REST API answers (JSON), Analytics order export (CSV)"),
        Source("olist", "Olist", "olist", "the folder or ZIP of Olist's CSV files"),
        Source("online_retail", "UCI Online Retail", "online_retail", "the data set's CSV, either edition"),
        Source("judgeme", "Judge.me", "reviews", "CSV export of reviews"),
        Source("loox", "Loox", "reviews", "CSV export of reviews"),
        Source("yotpo", "Yotpo", "reviews", "CSV export of reviews"),
        Source("gorgias", "Gorgias", "tickets", "CSV export of tickets"),
        Source("zendesk", "Zendesk", "tickets", "CSV export of tickets"),
        Source("freshdesk", "Freshdesk", "tickets", "CSV export of tickets"),
        Source("table", "Any table", "mapped_csv", "any CSV or Parquet file, with a mapping"),
        Source("sql", "SQL database", "sql", "a database's address, with a mapping"),
        Source("rates", "Exchange rates", "rates", "CSV with the columns currency, day, rate and, if need be, target"),
    )
}


def kept_under(source: str, shop: str) -> str:
    """The name under which rows of one shop are kept, where a source may serve several shops.

    Rows of two shops may have the same keys, and under one name the one would overwrite the other.

    >>> kept_under("table", "Nord & Süd"), kept_under("table", "")
    ('table:nord-sud', 'table')
    """
    plain = normalize("NFKD", shop).encode("ascii", "ignore").decode().lower()
    told = _BETWEEN.sub("-", plain).strip("-")[:SHOP_LENGTH]
    if shop.strip() and not told:
        # Written in no Latin letters at all: still a name of its own.
        told = blake2b(shop.strip().casefold().encode(), digest_size=6).hexdigest()
    return f"{source}:{told}" if told else source


def source_named(name: str) -> Source:
    """The source of a name, however it is spelt; of ``table:north``, which rows of one shop are kept under, the table.

    Raises:
        ImportRefused: there is none; the text lists them.
    """
    spelt = name.partition(":")[0].strip().lower().replace("-", "_").replace(".", "").replace(" ", "_")
    if spelt not in SOURCES:
        raise ImportRefused(f"No source is called {name!r}. There are: {', '.join(SOURCES)}.")
    return SOURCES[spelt]


def detect(files: Sequence[SourceFile]) -> str | None:
    """The source that files come from, told by their content; None when nothing fits.

    When in doubt (files of several sources) also None: a person must say.
    """
    found: set[str] = set()
    for file in files:
        name = _source_of(file)
        if name is None:
            return None
        found.add(name)
    return found.pop() if len(found) == 1 else None


def refuse_others(chosen: Source, files: Sequence[SourceFile]) -> None:
    """Refuse a file that another platform exported, though the same reader reads both.

    Stored under a wrong name it would be there twice once it is imported under its own.

    Raises:
        UnknownFormat: naming the file and its source.
    """
    for file in files:
        name = _source_of(file)
        if name is not None and name != chosen.name and SOURCES[name].module == chosen.module:
            raise UnknownFormat(f"{file.name} is an export of {SOURCES[name].label}: import it as {name}.")


def _source_of(file: SourceFile) -> str | None:
    if file.format == "json":
        return "woocommerce"
    if file.format == "parquet":
        return "table"
    try:
        rows = read_rows(file)
    except UnknownFormat:
        return None
    header = rows.header
    names = {name.casefold() for name in header}
    if rates.is_rates(header):
        return "rates"
    if (review := reviews.export_of(header)) is not None:
        return review.platform.lower().replace(".", "")
    if (ticket := tickets.export_of(header)) is not None:
        return ticket.platform.lower()
    if names & set(_OLIST):
        return "olist"
    if {name.replace(" ", "") for name in names} >= _ONLINE_RETAIL:
        return "online_retail"
    if names >= _ANALYTICS:
        return "woocommerce"
    is_shopify = any(marks <= names for marks in _SHOPIFY)
    return "shopify" if is_shopify else None


_OLIST: Final = (
    "order_purchase_timestamp",
    "customer_unique_id",
    "review_answer_timestamp",
    "product_category_name_english",
    "product_photos_qty",
    "seller_zip_code_prefix",
    "geolocation_lat",
    "payment_sequential",
    "shipping_limit_date",
)
_ONLINE_RETAIL: Final = frozenset({"stockcode", "description", "quantity", "invoicedate"})
_ANALYTICS: Final = frozenset({"order #", "n. revenue"})
# Orders; products; customers, in the current and the older spelling.
_SHOPIFY: Final = (
    {"name", "lineitem name"},
    {"handle", "title"},
    {"email", "total spent"},
    {"email", "accepts email marketing"},
)
