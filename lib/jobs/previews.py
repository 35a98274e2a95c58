"""Look before importing: whose files these are, how their first rows are understood, what their columns mean."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from lib.db.store import Store
from lib.errors import MappingInvalid
from lib.importers.archives import MEGABYTE
from lib.importers.fields import fields
from lib.importers.files import SourceFile, source_files
from lib.importers.mapped_csv import preview as preview_table
from lib.importers.mapping import Mapping, load_mapping
from lib.importers.mapping_guess import guess
from lib.importers.records import ReadContext, Record, Rejected
from lib.importers.sources import SOURCES, detect, source_named
from lib.importers.table_rows import table_rows
from lib.money import exponent, to_major
from lib.settings import Settings

ASIDE = "(leave aside)"
_WHEN = ("placed_at", "refunded_at", "written_at", "opened_at", "requested_at", "shipped_at", "day")
_WHAT = ("number", "name", "email", "title", "subject")


@dataclass(frozen=True, slots=True)
class Recognised:
    """The files that were named, and whose export they look like; ``source`` is null when unsure."""

    files: list[str]
    source: str | None


def offered() -> dict[str, tuple[str, str]]:
    """The sources that take files: name → label, and what each accepts."""
    return {s.name: (s.label, s.accepts) for s in SOURCES.values() if s.name != "sql"}


def recognise(settings: Settings, store: Store, paths: Sequence[Path]) -> Recognised:
    """Open what was named and tell whose it is.

    Raises:
        ImportRefused: it cannot be opened, is too large, or is nothing that can be read.
    """
    files = _files(settings, store, paths, "")
    return Recognised([file.name for file in files], detect(files))


def preview(
    settings: Settings,
    store: Store,
    source: str,
    paths: Sequence[Path],
    *,
    mapping: Mapping | None = None,
    date_format: str = "",
    rows: int = 10,
) -> pd.DataFrame:
    """The first records as they are understood, one row each: kind, key, when, what, amount, lines, problem.

    Raises:
        ImportRefused: the files cannot be read as this source, and why.
    """
    context = _context(settings, store, date_format)
    files = source_files(paths, context)
    found: list[Record | Rejected]
    if source == "table":
        if mapping is None:
            raise MappingInvalid("Say what the columns mean first.")
        found = preview_table(files[0], mapping, context, rows).records
    else:
        found = list(islice(source_named(source).reader()(files, context), rows))
    return frame_of(found)


def frame_of(found: Sequence[Record | Rejected]) -> pd.DataFrame:
    """Records as they are understood, one row each."""
    return pd.DataFrame([_shown(record) for record in found])


def _shown(record: Any) -> dict[str, object]:
    if isinstance(record, Rejected):
        return {
            "Kind": record.kind,
            "Key": record.external_id,
            "When": "",
            "What": record.text[:60],
            "Amount": "",
            "Lines": "",
            "Problem": record.reason,
        }
    when = next((getattr(record, name) for name in _WHEN if getattr(record, name, None) is not None), None)
    what = next((getattr(record, name) for name in _WHAT if getattr(record, name, None)), "")
    minor = getattr(record, "total_minor", getattr(record, "price_minor", None))
    currency = getattr(record, "currency", None)
    amount = f"{to_major(minor, currency):,.{exponent(currency)}f} {currency}" if minor is not None and currency else ""
    items = getattr(record, "items", ())
    return {
        "Kind": type(record).__name__.removesuffix("Record").lower(),
        "Key": getattr(record, "external_id", ""),
        "When": f"{when:%Y-%m-%d %H:%M} UTC" if isinstance(when, datetime) else str(when or ""),
        "What": str(what or ""),
        "Amount": amount,
        "Lines": "; ".join(f"{item.quantity} × {getattr(item, 'name', '')}" for item in items[:3])
        + (" …" if len(items) > 3 else ""),
        "Problem": "",
    }


@dataclass(frozen=True, slots=True)
class Columns:
    """A table's columns with their first values, and what each field of its kind means."""

    header: list[str]
    samples: list[list[str]]
    meanings: dict[str, str]


def guessed(settings: Settings, store: Store, paths: Sequence[Path], kind: str = "") -> Mapping:
    """What the columns of the first file seem to mean.

    Raises:
        ImportRefused: no column means anything that is known.
    """
    context = _context(settings, store, "")
    return guess(source_files(paths, context)[0], context, kind)


def columns_of(settings: Settings, store: Store, paths: Sequence[Path], kind: str) -> Columns:
    """The columns of the first file."""
    table = table_rows(_files(settings, store, paths, "")[0])
    rows = [row.values for row in islice(table, 5)]
    header = list(table.header)
    samples = [[row[place] for row in rows if place < len(row)] for place in range(len(header))]
    return Columns(header, samples, {field.name: field.meaning for field in fields()[kind]})


def kinds() -> list[str]:
    """The kinds of table that can be read."""
    return list(fields())


def saved(path: Path) -> Mapping:
    """A mapping that was saved."""
    return load_mapping(path)


def corrected(mapping: Mapping, columns: dict[str, str], **settings: Any) -> Mapping:
    """The mapping with other columns (field → header) and settings."""
    return replace(mapping, columns=columns, **settings)


def _context(settings: Settings, store: Store, date_format: str) -> ReadContext:
    return ReadContext(
        time_zone=store.time_zone,
        currency=store.currency,
        date_format=date_format,
        upload_limit_bytes=settings.upload_limit_mb * MEGABYTE,
    )


def _files(settings: Settings, store: Store, paths: Sequence[Path], date_format: str) -> list[SourceFile]:
    return source_files(paths, _context(settings, store, date_format))
