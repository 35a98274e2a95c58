"""Read any SQL database through a mapping of SELECTs, each day only what is new.

How far each SELECT was read is its watermark: the greatest value of the column that the mapping names. The
caller keeps it, once everything that was read is stored. The next run begins a little before it (rows
written late, several at the same instant): what it reads again is unchanged and stored once.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import URL, Connection, bindparam, text
from sqlalchemy.types import NullType

from lib.errors import MappingInvalid
from lib.importers.cell_reading import CellReading, Cells
from lib.importers.dates import DateReader
from lib.importers.fields import Holds, field_of, fields
from lib.importers.mapped_csv import BUILD
from lib.importers.mapped_orders import build_order
from lib.importers.mapping import Mapping as Columns
from lib.importers.records import (
    Origin,
    ReadContext,
    Record,
    RefundItemRecord,
    RefundRecord,
    Rejected,
)
from lib.importers.sql_mapping import Query, SqlMapping
from lib.importers.sql_source import read_only, shown, source_url
from lib.importers.table_rows import as_text

BATCH: Final = 500
# Where the first reading begins, unless the mapping says it.
BEGINNING: Final = "1970-01-01 00:00:00"
LEAST: Final = -(2**63)
LINE_FIELDS_OF_REFUNDS: Final = ("refund_id", "line_id", "item_name", "sku", "product_id", "quantity", "line_total")
_KEYS: Final = {
    "orders": "order_id",
    "refunds": "refund_id",
    "products": "product_id",
    "customers": "customer_id",
    "shipments": "order_id",
    "reviews": "review_id",
    "tickets": "ticket_id",
}


@dataclass(slots=True)
class SqlReading:
    """The records of a database: iterate it once. ``watermarks`` (section → value) grow while it is read.

    A value covers all records of its section that came before it, so the caller may keep them whenever
    everything so far is stored; at the end they say how far everything was read.
    """

    url: URL
    mapping: SqlMapping
    context: ReadContext
    start: dict[str, str] = field(default_factory=dict)
    watermarks: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Which mapping is read where, without secrets: the key to keep its watermarks under."""
        return f"{self.mapping.name} {shown(self.url.set(query={}))}"

    def __iter__(self) -> Iterator[Record | Rejected]:
        self.watermarks.update(self.start)
        with read_only(self.url) as connection:
            # MySQL's drivers allow one open answer per connection: the lines are then asked on another.
            if connection.dialect.name in ("mysql", "mariadb"):
                with read_only(self.url) as other:
                    yield from self._sections(connection, other)
            else:
                yield from self._sections(connection, connection)

    def _sections(self, connection: Connection, other: Connection) -> Iterator[Record | Rejected]:
        for query in self.mapping.queries:
            yield from self._section(query, connection, other)

    def _section(self, query: Query, connection: Connection, other: Connection) -> Iterator[Record | Rejected]:
        dialect = "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
        statement = text(self.mapping.statement(query.select, dialect)).bindparams(
            bindparam("watermark", type_=NullType())
        )
        begin = _begin(self.start.get(query.kind, ""), query.start, self.mapping.overlap_seconds, dialect)
        streaming = {"stream_results": True, "yield_per": BATCH}
        answer = connection.execute(statement, {"watermark": begin}, execution_options=streaming)
        key = _KEYS[query.kind]
        number = 0
        with closing(answer) as found:
            names = list(map(str, found.keys()))
            reading = self._reading(query, names)
            at = names.index(key) if key in names else 0
            while rows := list(islice(found, BATCH)):
                batch = [self._cells(names, row) for row in rows]
                keys = list(dict.fromkeys(row[at] for row in rows if row[at] is not None))
                lines = self._lines(query, keys, other, dialect) if query.lines and keys else {}
                for cells in batch:
                    number += 1
                    own = lines.get(cells.get(key, ""), [])
                    yield _record(query.kind, cells, own, number, reading, self.mapping)
                # Only rows that were handed on count: whoever stops here has read no further.
                self._advance(query, batch)

    def _advance(self, query: Query, batch: list[Cells]) -> None:
        known = self.watermarks.get(query.kind, "")
        for cells in batch:
            value = cells[query.watermark]
            if value and (not known or _order(value) > _order(known)):
                known = value
        if known:
            self.watermarks[query.kind] = known

    def _lines(self, query: Query, keys: list[Any], connection: Connection, dialect: str) -> dict[str, list[Cells]]:
        """The lines of a batch, by the key of what they belong to."""
        key = _KEYS[query.kind]
        statement = text(self.mapping.statement(query.lines, dialect)).bindparams(
            bindparam("keys", expanding=True, type_=NullType())
        )
        found = connection.execute(statement, {"keys": keys})
        names = list(map(str, found.keys()))
        allowed = LINE_FIELDS_OF_REFUNDS if query.kind == "refunds" else tuple(f.name for f in fields()[query.kind])
        _check(names, (*allowed, key), (key,), f"The lines of [{query.kind}] of {self.mapping.name}")
        lines: dict[str, list[Cells]] = {}
        for row in found:
            cells = self._cells(names, row)
            lines.setdefault(cells[key], []).append(cells)
        return lines

    def _reading(self, query: Query, names: list[str]) -> CellReading:
        known = fields()[query.kind]
        needed = (*(f.name for f in known if f.is_needed), query.watermark, _KEYS[query.kind])
        if query.kind == "reviews":
            needed = tuple(name for name in needed if name != "review_id")
        what = f"The SELECT of [{query.kind}] of {self.mapping.name}"
        _check(names, (*(f.name for f in known), query.watermark), needed, what)
        columns = {name: name for name in names if field_of(query.kind, name) is not None}
        for f in known:
            if query.lines and f.of_line:
                columns[f.name] = f.name
        zone = ZoneInfo(self.mapping.zone or self.context.time_zone)
        mapping = Columns(
            kind=query.kind,
            columns=columns,
            shape="line" if query.lines else "order",
            prices_include_tax=self.mapping.prices_include_tax,
        )
        # Times of a database are written one way; the ISO form leaves nothing open.
        return CellReading(mapping, self.context, dates={}, any_date=DateReader(zone), sign=".")

    def _cells(self, names: list[str], row: Iterable[Any]) -> Cells:
        return {
            name: self._amount(name, value).strip() if value is not None else ""
            for name, value in zip(names, row, strict=True)
        }

    def _amount(self, name: str, value: object) -> str:
        """A value as text; an amount in whole units of its currency."""
        written = as_text(value)
        if self.mapping.divide_amounts_by == 1 or not written or name not in _amounts():
            return written
        try:
            return format(
                (Decimal(written) / self.mapping.divide_amounts_by).quantize(Decimal("1e-9")).normalize(), "f"
            )
        except InvalidOperation:
            return written


def read_sql(address: str, mapping: SqlMapping, watermarks: Mapping[str, str], context: ReadContext) -> SqlReading:
    """Read a database's records, from where its watermarks stand.

    Args:
        address: ``sqlite:///FILE``, ``postgresql://…`` or ``mysql://…``; ``${NAME}`` for a secret.
        watermarks: section → value, as an earlier reading left them; empty: from the beginning.
    Returns:
        the records to iterate, and the new ``watermarks`` once that is done.
    Raises:
        SourceUnavailable: here or while iterating: the database cannot be opened or read.
        MappingInvalid: while iterating: a SELECT answers with columns that are no fields, or lacks one.
    """
    return SqlReading(source_url(address, context.secrets), mapping, context, dict(watermarks))


def _record(
    kind: str, cells: Cells, lines: list[Cells], number: int, reading: CellReading, mapping: SqlMapping
) -> Record | Rejected:
    place = f"{mapping.name}: {kind}"
    told = json.dumps({**cells, "lines": lines} if lines else cells, ensure_ascii=False)
    key = cells.get(_KEYS[kind], "")
    try:
        if kind == "orders":
            if not key:
                raise ValueError("There is no order_id.")
            record: Record = build_order([{**line, **cells} for line in lines] or [cells], reading)
        else:
            record = BUILD[kind](cells, reading)
        if isinstance(record, RefundRecord) and kind == "refunds":
            # A shop's own tables count orders and refunds apart or together: the prefix keeps them apart here.
            record = replace(_with_items(record, lines, reading), external_id=f"refund:{key}")
    except ValueError as error:
        return Rejected(kind.removesuffix("s"), place, number, str(error), told, external_id=key)
    return replace(record, origin=Origin(place, number, told))


def _with_items(record: RefundRecord, lines: list[Cells], reading: CellReading) -> RefundRecord:
    """A refund with its lines, where these account for goods alone; a sum without lines stays a sum."""
    items = []
    for line in lines:
        quantity = abs(reading.count(line, "quantity") or 0)
        goods = abs(reading.minor(line, "line_total", record.currency) or 0)
        if quantity or goods:
            name = line.get("item_name") or line.get("sku") or line.get("product_id") or "Refund"
            items.append(
                RefundItemRecord(
                    name=name,
                    quantity=quantity,
                    goods_minor=goods,
                    sku=line.get("sku") or None,
                    product_id=line.get("product_id") or None,
                    item_external_id=line.get("line_id") or None,
                )
            )
    goods = sum(item.goods_minor for item in items)
    if not items or goods > record.goods_minor:
        return record
    # What no line accounts for went to fees: they are refunded too, but are no goods.
    return replace(record, items=tuple(items), goods_minor=goods, fees_minor=record.goods_minor - goods)


def _check(names: list[str], allowed: Iterable[str], needed: Iterable[str], what: str) -> None:
    allowed, needed = set(allowed), set(needed)
    if strange := sorted(set(names) - allowed):
        raise MappingInvalid(f"{what} answers with {strange[0]!r}, which is no field: {', '.join(sorted(allowed))}.")
    if missing := sorted(needed - set(names)):
        raise MappingInvalid(f"{what} does not answer with {' and '.join(missing)}.")


@cache
def _amounts() -> frozenset[str]:
    return frozenset(f.name for known in fields().values() for f in known if f.holds is Holds.AMOUNT)


def _begin(watermark: str, start: str | int | None, seconds: int, dialect: str) -> str | int:
    """Where to begin: a little before a time, at a number itself; the SELECT compares with ``>=``."""
    if not watermark:
        # In SQLite the least whole number stands before every number and every text.
        return start if start is not None else LEAST if dialect == "sqlite" else BEGINNING
    if watermark.isdecimal():
        return int(watermark)
    try:
        moment = datetime.fromisoformat(watermark) - timedelta(seconds=seconds)
    except ValueError:
        return watermark
    return moment.isoformat(sep=" ", timespec="seconds")


def _order(watermark: str) -> tuple[int, Any]:
    """Watermarks in their own order: numbers as numbers, times as instants, else as text."""
    if watermark.isdecimal():
        return (0, int(watermark))
    try:
        moment = datetime.fromisoformat(watermark)
    except ValueError:
        return (2, watermark)
    return (1, moment if moment.tzinfo else moment.replace(tzinfo=UTC))
