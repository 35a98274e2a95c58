"""Rows that were put aside: kept once, shown, exported, corrected, dismissed; never lost."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TextIO

from sqlalchemy import ColumnElement, Connection, func, select, update

from lib.db.tables.columns import now
from lib.db.tables.store import rejected_rows
from lib.errors import ImportRefused
from lib.importers.batch import Batch, clip, fingerprint
from lib.importers.records import Rejected

COLUMNS: Final = (
    "import_run_id",
    "source",
    "kind",
    "file",
    "line",
    "external_id",
    "reason",
    "header",
    "text",
    "fingerprint",
    "placed_day",
    "amount_minor",
    "status",
    "created_at",
    "updated_at",
)
SEEN_AGAIN: Final = ("import_run_id", "file", "line", "reason", "header", "status", "updated_at")
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row put aside, as it is kept."""

    rejected_row_id: int
    import_run_id: int
    source: str
    kind: str
    file: str
    line: int
    external_id: str | None
    reason: str
    header: str | None
    text: str
    placed_day: date | None
    amount_minor: int | None
    status: str
    created_at: datetime


def keep(batch: Batch, run_id: int, rejected: Sequence[Rejected]) -> None:
    """Keep rejected rows; one that was kept before is not doubled, one that was resolved is open again."""
    if not rejected:
        return
    by_print = {fingerprint(row.kind, row.external_id, row.text): row for row in rejected}
    table = rejected_rows.c
    stored = {
        known: (key, status)
        for known, key, status in batch.connection.execute(
            select(table.fingerprint, table.rejected_row_id, table.status).where(
                table.source == batch.source, batch.writer.among(table.fingerprint, by_print)
            )
        )
    }
    new: list[tuple[Any, ...]] = []
    again: list[tuple[Any, ...]] = []
    for known, row in by_print.items():
        header, text = _plain(row.header), _plain(row.text)
        file = clip(row.file) or "unknown"
        if known in stored:
            key, status = stored[known]
            kept = "dismissed" if status == "dismissed" else "open"
            again.append((run_id, file, row.line, row.reason, header, kept, batch.stamp, key))
            continue
        new.append(
            (
                run_id,
                batch.source,
                row.kind,
                file,
                row.line,
                clip(row.external_id),
                _plain(row.reason),
                header,
                text,
                known,
                row.placed_day.isoformat() if row.placed_day else None,
                row.amount_minor if row.amount_minor is None or abs(row.amount_minor) < 2**62 else None,
                "open",
                batch.stamp,
                batch.stamp,
            )
        )
    batch.writer.insert(rejected_rows, COLUMNS, new)
    batch.writer.update(rejected_rows, SEEN_AGAIN, again)


def _plain(text: str) -> str:
    """Text that both databases take: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def resolve_stored(batch: Batch, stored: Mapping[str, Iterable[str]]) -> None:
    """Mark rejected rows whose record is now stored as resolved (``stored``: kind → source keys)."""
    table = rejected_rows.c
    kinds = set(
        batch.connection.scalars(
            select(table.kind).where(table.source == batch.source, table.status == "open").distinct()
        )
    )
    for kind in kinds & set(stored):
        batch.connection.execute(
            update(rejected_rows)
            .where(
                table.source == batch.source,
                table.status == "open",
                table.kind == kind,
                batch.writer.among(table.external_id, {key for key in stored[kind] if key}),
            )
            .values(status="resolved", updated_at=batch.at, reason=table.reason)
        )


def _chosen(
    ids: Sequence[int] = (), source: str = "", status: str = "open", run_id: int | None = None
) -> list[ColumnElement[bool]]:
    table = rejected_rows.c
    conditions: list[ColumnElement[bool]] = []
    if ids:
        conditions.append(table.rejected_row_id.in_(ids))
    if source:
        conditions.append(table.source == source)
    if status:
        conditions.append(table.status == status)
    if run_id is not None:
        conditions.append(table.import_run_id == run_id)
    return conditions


def rejected(
    connection: Connection,
    *,
    ids: Sequence[int] = (),
    source: str = "",
    status: str = "open",
    run_id: int | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[RejectedRow]:
    """The rows put aside, newest first; an empty ``status`` means every status."""
    table = rejected_rows.c
    rows = connection.execute(
        select(*(table[name] for name in RejectedRow.__slots__))
        .where(*_chosen(ids, source, status, run_id))
        .order_by(table.rejected_row_id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [RejectedRow(*row) for row in rows]


def count_open(connection: Connection) -> list[tuple[str, str, int, int | None]]:
    """What is missing: per source and kind how many rows are open, and their known amounts in minor units."""
    table = rejected_rows.c
    rows = connection.execute(
        select(table.source, table.kind, func.count(), func.sum(table.amount_minor))
        .where(table.status == "open")
        .group_by(table.source, table.kind)
        .order_by(table.source, table.kind)
    )
    return [(source, kind, count, None if total is None else int(total)) for source, kind, count, total in rows]


def set_status(
    connection: Connection, status: str, *, ids: Sequence[int] = (), source: str = "", run_id: int | None = None
) -> int:
    """Mark open rows as ``dismissed`` or ``resolved``; returns how many were."""
    return connection.execute(
        update(rejected_rows).where(*_chosen(ids, source, "open", run_id)).values(status=status, updated_at=now())
    ).rowcount


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> harmless("=1+1"), harmless("plain")
    ("'=1+1", 'plain')
    """
    return f"'{cell}" if cell.lstrip(" \n").startswith(_DANGEROUS) else cell


def write_list(rows: Iterable[RejectedRow], stream: TextIO) -> None:
    """Write the list for people: where each row stood, why it was put aside, and its text."""
    writer = csv.writer(stream)
    writer.writerow(("id", "status", "source", "kind", "file", "line", "key", "reason", "text"))
    for row in rows:
        cells = (row.status, row.source, row.kind, row.file, row.line, row.external_id or "", row.reason, row.text)
        writer.writerow((row.rejected_row_id, *(harmless(c) if isinstance(c, str) else c for c in cells)))


def write_template(rows: Sequence[RejectedRow], stream: TextIO) -> None:
    """Write the rows as a file of their source's own form, to be corrected and imported again.

    The text stands as it stood, since it is read again by the importer and by no spreadsheet.

    Raises:
        ImportRefused: the rows come from files of different forms; export one form at a time.
    """
    if not rows:
        raise ImportRefused("No rejected row is chosen, so there is nothing to correct.")
    ordered = sorted(rows, key=lambda row: (row.file, row.line))
    headers = {row.header or "" for row in ordered}
    if len(headers) > 1:
        files = ", ".join(sorted({row.file for row in ordered})[:5])
        raise ImportRefused(f"The rows come from files with different headers ({files}). Choose those of one file.")
    (header,) = headers
    if header:
        stream.write(header.rstrip("\r\n") + "\n")
        for row in ordered:
            stream.write(row.text.rstrip("\r\n") + "\n")
        return
    objects = []
    for row in ordered:
        try:
            objects.append(json.loads(row.text))
        except ValueError as error:
            raise ImportRefused(
                f"The row {row.rejected_row_id} was kept without its header. Correct it where it was exported."
            ) from error
    json.dump(objects, stream, ensure_ascii=False, indent=1)
