"""A mapping: which column of somebody's table means what. Kept as TOML that people can read and correct."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lib.errors import MappingInvalid, SourceUnavailable
from lib.importers.dates import DAY_FIRST, MONTH_FIRST
from lib.importers.fields import field_of, fields
from lib.money import currencies

SHAPES = ("order", "line")
# How an order's own amounts stand in a table of lines: on every line the same, on one of them, or each its share.
ORDER_AMOUNTS = ("repeated", "first", "each")
SIGNS = ("", ".", ",")
# Of these fields, a table of each kind needs one at least: what an order is worth, who a customer is …
ONE_OF = {
    "orders": ("total", "subtotal", "unit_price", "line_total"),
    "customers": ("customer_id", "email"),
    "shipments": ("tracking_number", "shipped_at", "delivered_at", "promised_day", "status"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What the file does not tell and a person must; ``setting`` is the mapping's entry that answers it."""

    setting: str
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """How one table is read.

    ``columns``: field → header. ``dates``: day-first, month-first, a strptime format, or empty where they
    prove themselves. ``decimal``: the sign before the decimals, likewise. ``currency``: where no column
    names it. ``tax_percent``: to take tax out of prices that include it where no column holds it. ``shop``: whose
    table it is, where tables of several shops are imported; tables of one shop share it.
    ``words``: per field, the file's own words in terms of Encore's, such as ``Erledigt`` for paid.
    ``confidence`` (field → 0 to 1) and ``questions`` come from a guess and are not kept.
    """

    kind: str
    columns: dict[str, str]
    shape: str = "order"
    dates: str = ""
    decimal: str = ""
    currency: str = ""
    prices_include_tax: bool = False
    tax_percent: Decimal | None = None
    order_amounts: str = "repeated"
    shop: str = ""
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict, compare=False)
    questions: tuple[Question, ...] = field(default=(), compare=False)

    def to_toml(self, header: Sequence[str] = ()) -> str:
        """Write the mapping, with the meaning of each field and the columns that are left aside."""
        lines = [
            "# How Encore reads this table. `python -m lib import table FILE --mapping THIS-FILE` uses it.",
            f"kind = {_quoted(self.kind)}  # {', '.join(fields())}",
            f"shop = {_quoted(self.shop)}  # where tables of several shops are imported: each shop's name",
        ]
        if self.kind == "orders":
            lines.append(f"shape = {_quoted(self.shape)}  # one row per order, or per line")
        lines += [
            f"dates = {_quoted(self.dates)}  # day-first, month-first, a format such as %d/%m/%Y; empty: they tell",
            f'decimal = {_quoted(self.decimal)}  # "." or ","; empty: the amounts tell',
        ]
        if self.kind in ("orders", "products", "refunds"):
            lines.append(f"currency = {_quoted(self.currency)}  # where no column names it; empty: the store's")
        if self.kind == "orders":
            lines.append(f"prices_include_tax = {str(self.prices_include_tax).lower()}")
            percent = "" if self.tax_percent is None else str(self.tax_percent)
            lines.append(f"tax_percent = {_quoted(percent)}  # to take tax out of prices where no column holds it")
            if self.shape == "line":
                told = '"repeated" on each line, on the "first", or "each" its share'
                lines.append(f"order_amounts = {_quoted(self.order_amounts)}  # the order's own amounts: {told}")
        lines += ["", "[columns]"]
        for known in fields()[self.kind]:
            if known.name in self.columns:
                lines.append(f"{known.name} = {_quoted(self.columns[known.name])}  # {known.meaning}")
        for name in sorted(self.words):
            lines += ["", f"[words.{name}]  # the file's own word = Encore's"]
            lines += [f"{_quoted(own)} = {_quoted(ours)}" for own, ours in sorted(self.words[name].items())]
        aside = [column for column in header if column and column not in self.columns.values()]
        if aside:
            lines += ["", "# Columns left aside:", *(f"#   {column}".replace("\n", " ") for column in aside)]
        free = [known.name for known in fields()[self.kind] if known.name not in self.columns]
        if free:
            lines += ["", "# Fields without a column:", *_wrapped(free)]
        return "\n".join(lines) + "\n"

    def check(self, header: Sequence[str], file: str) -> dict[str, int]:
        """Where each field's column stands in a file's header.

        Raises:
            MappingInvalid: a column that the file does not have, or a field that is needed and missing.
        """
        places: dict[str, int] = {}
        known = {column.casefold().strip(): place for place, column in reversed(list(enumerate(header)))}
        for name, column in self.columns.items():
            place = known.get(column.casefold().strip())
            if place is None:
                raise MappingInvalid(
                    f"The mapping reads {name} from a column {column!r}, which {file} does not have. "
                    f"Its columns: {', '.join(header[:60])}."
                )
            places[name] = place
        self.check_fields(file, header)
        return places

    def check_fields(self, file: str = "the table", header: Sequence[str] = ()) -> None:
        """Raise MappingInvalid where a field is missing that a table of this kind must have."""
        there = f" Its columns: {', '.join(header[:60])}." if header else ""
        needed = [known.name for known in fields()[self.kind] if known.is_needed and known.name not in self.columns]
        if needed:
            raise MappingInvalid(
                f"The mapping of {file} names no column for {' and '.join(needed)}, which {self.kind} need.{there}"
            )
        choice = ONE_OF.get(self.kind, ())
        if choice and not any(name in self.columns for name in choice):
            raise MappingInvalid(
                f"The mapping of {file} names no column for any of {', '.join(choice)}; {self.kind} need one.{there}"
            )


def load_mapping(path: Path) -> Mapping:
    """Read a mapping from a TOML file.

    Raises:
        SourceUnavailable: the file cannot be opened.
        MappingInvalid: it is no TOML, or says something that no mapping says.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceUnavailable(f"The mapping {path.name} cannot be read. Name a TOML file.") from error
    return from_toml(text, path.name)


def from_toml(text: str, name: str = "the mapping") -> Mapping:
    """Read a mapping.

    Raises:
        MappingInvalid: as for ``load_mapping``.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingInvalid(f"{name} is no valid TOML: {error}.") from error
    unknown = sorted(told.keys() - set(_ENTRIES))
    if unknown:
        raise MappingInvalid(f"{name} says {unknown[0]!r}, which no mapping says. It may say: {', '.join(_ENTRIES)}.")
    kind = _one_of(told, "kind", tuple(fields()), name, default="orders")
    columns = _texts(told.get("columns", {}), f"[columns] of {name}")
    for field_name in (*columns, *told.get("words", {})):
        if field_of(kind, field_name) is None:
            listed = ", ".join(known.name for known in fields()[kind])
            raise MappingInvalid(f"{name} maps a field {field_name!r}, which {kind} do not have. They have: {listed}.")
    currency = str(told.get("currency", "")).upper()
    if currency and currency not in currencies():
        raise MappingInvalid(f"{name} says currency = {currency!r}, which is no ISO currency. Write one such as EUR.")
    dates = str(told.get("dates", ""))
    if dates and dates not in (DAY_FIRST, MONTH_FIRST) and "%" not in dates:
        raise MappingInvalid(f"{name} says dates = {dates!r}; write day-first, month-first or a format as %d/%m/%Y.")
    include = told.get("prices_include_tax", False)
    if not isinstance(include, bool):
        raise MappingInvalid(f"{name} says prices_include_tax = {include!r}; write true or false.")
    return Mapping(
        kind=kind,
        columns={column: where for column, where in columns.items() if where},
        shape=_one_of(told, "shape", SHAPES, name),
        dates=dates,
        decimal=_one_of(told, "decimal", SIGNS, name),
        currency=currency,
        prices_include_tax=include,
        tax_percent=_percent(told.get("tax_percent", ""), name),
        order_amounts=_one_of(told, "order_amounts", ORDER_AMOUNTS, name),
        shop=str(told.get("shop", "")),
        words={of: _texts(words, f"[words.{of}] of {name}") for of, words in told.get("words", {}).items()},
    )


_ENTRIES = (
    "kind",
    "shop",
    "shape",
    "dates",
    "decimal",
    "currency",
    "prices_include_tax",
    "tax_percent",
    "order_amounts",
    "columns",
    "words",
)


def _one_of(told: dict[str, Any], entry: str, choices: tuple[str, ...], name: str, *, default: str = "") -> str:
    value = told.get(entry, default or choices[0])
    if value not in choices:
        raise MappingInvalid(f"{name} says {entry} = {value!r}; it may be {', '.join(map(repr, choices))}.")
    return str(value)


def _texts(table: object, what: str) -> dict[str, str]:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise MappingInvalid(f'{what} must hold texts only, such as order_id = "Order".')
    return dict(table)


def _percent(value: object, name: str) -> Decimal | None:
    if value in ("", None):
        return None
    try:
        percent = Decimal(str(value))
    except InvalidOperation:
        percent = Decimal(-1)
    if not 0 <= percent < 100:
        raise MappingInvalid(f"{name} says tax_percent = {value!r}; write a number such as 19.")
    return percent


def _quoted(text: str) -> str:
    # A TOML basic string is written as JSON writes it.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _wrapped(names: Sequence[str], width: int = 100) -> list[str]:
    lines = ["#  "]
    for name in names:
        if len(lines[-1]) + len(name) > width:
            lines.append("#  ")
        lines[-1] += f" {name}"
    return lines
