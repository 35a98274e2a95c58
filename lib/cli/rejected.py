"""``python -m lib rejected``: the rows that an import put aside."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from sqlalchemy import Connection

from lib.cli.imports import said
from lib.db.engine import order_database, reading, writing
from lib.errors import ImportRefused
from lib.importers.rejected import RejectedRow, rejected, set_status, write_list, write_template
from lib.importers.sources import source_named
from lib.jobs.imports import run_import
from lib.jobs.refresh import refresh
from lib.settings import settings

STATUSES = ("open", "resolved", "dismissed", "all")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show the rows, with file, line and reason")
    _choice(listing)
    listing.add_argument("--status", choices=STATUSES, default="open", help="which rows (default %(default)s)")
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (default %(default)s)")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    export = actions.add_parser("export", help="write a CSV of file, line, reason and text, safe for a spreadsheet")
    export.add_argument("file", type=Path, metavar="FILE", help="the CSV to write; - for the screen")
    _choice(export)
    export.add_argument("--status", choices=STATUSES, default="open", help="which rows (default %(default)s)")
    template = actions.add_parser("template", help="write the rows as a file of their own form, to be corrected")
    template.add_argument("file", type=Path, metavar="FILE", help="the file to write; - for the screen")
    _choice(template)
    again = actions.add_parser("import", help="import a corrected file; the rows it corrects become resolved")
    again.add_argument("file", type=Path, metavar="FILE", help="the corrected file")
    again.add_argument("--mapping", type=Path, metavar="FILE", help="for rows of a table: its mapping")
    again.add_argument("--dates", default="", metavar="FORMAT", help="as for import")
    _choice(again)
    dismiss = actions.add_parser("dismiss", help="set rows aside for good: they count as missing no more")
    _choice(dismiss)


def _choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--id", type=int, nargs="+", default=[], metavar="ID", help="only these rows")
    parser.add_argument("--source", default="", help="only rows of this source")
    parser.add_argument("--run", dest="run_id", type=int, metavar="ID", help="only rows of this import run")


def run(args: argparse.Namespace) -> int:
    """Do what the action says; 1 when corrected rows were rejected again."""
    if args.source:
        name, sign, shop = args.source.partition(":")
        args.source = source_named(name).name + sign + shop
    if args.action == "import":
        return _import(args)
    if args.action == "dismiss":
        if not (args.id or args.source or args.run_id):
            raise ImportRefused("Name what to dismiss: --id, --source or --run.")
        with writing(order_database(settings())) as connection:
            count = set_status(connection, "dismissed", ids=args.id, source=args.source, run_id=args.run_id)
        print(f"Dismissed {count:,} rows.")
        return 0
    with reading(order_database(settings())) as connection:
        rows = _rows(connection, args)
    if args.action == "list":
        print(json.dumps([asdict(row) for row in rows], default=str, indent=2) if args.json else _listed(rows))
        return 0
    writes = write_list if args.action == "export" else write_template
    if str(args.file) == "-":
        writes(rows, sys.stdout)
        return 0
    with _private(args.file) as stream:
        writes(rows, stream)
    print(f"Wrote {len(rows):,} rows to {args.file}.")
    if args.action == "template" and rows:
        print(f"Correct it, then: python -m lib rejected import {args.file} --source {rows[0].source}")
    return 0


def _rows(connection: Connection, args: argparse.Namespace) -> list[RejectedRow]:
    status = getattr(args, "status", "open")
    return rejected(
        connection,
        ids=args.id,
        source=args.source,
        status="" if status == "all" else status,
        run_id=args.run_id,
        limit=getattr(args, "limit", None),
    )


def _private(path: Path) -> TextIO:
    """A file that only its owner may read: it holds what customers wrote."""
    path.touch(mode=0o600, exist_ok=True)
    return path.open("w", encoding="utf-8", newline="")


def _import(args: argparse.Namespace) -> int:
    if not args.source:
        raise ImportRefused("Name the source of the corrected rows, as in --source shopify.")
    report = run_import(
        settings(),
        args.source,
        [args.file],
        mapping=args.mapping,
        date_format=args.dates,
        started_by="python -m lib rejected import",
    )
    chosen = bool(args.id or args.run_id)
    if chosen and report.read and not report.rejected:
        # Rows that have no key of their own are told apart by nothing else.
        with writing(order_database(settings())) as connection:
            set_status(connection, "resolved", ids=args.id, source=args.source, run_id=args.run_id)
    if report.stored:
        refresh(settings(), wait_seconds=120)
    print(said(report, source_named(args.source).label))
    with reading(order_database(settings())) as connection:
        left = len(rejected(connection, source=args.source))
    print(f"{left:,} rows of {args.source} are still open." if left else "No row is left open.")
    return 1 if report.rejected else 0


def _listed(rows: list[RejectedRow]) -> str:
    if not rows:
        return "No rejected rows."
    return "\n".join(
        f"{row.rejected_row_id:>7}  {row.status:<9} {row.source} {row.kind}  {row.file}:{row.line}"
        f"{f'  {row.external_id}' if row.external_id else ''}\n         {row.reason}"
        for row in rows
    )
