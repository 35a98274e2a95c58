"""``python -m lib audit``: is the log of who did what whole? And the log as a file."""

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from lib.cli.staff import COMMAND_LINE
from lib.db import audit
from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.queues.audit import Entry, Wanted, all_entries
from lib.settings import settings
from lib.workflows.audit import record_log_export

COLUMNS = ("audit_id", "at", "staff_id", "actor", "action", "subject", "address", "details", "customer_id")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("verify", help="walk the whole chain; 1 when an entry was changed, added or removed")
    export = actions.add_parser("export", help="write every entry as CSV, without personal values; itself logged")
    export.add_argument("file", type=Path, metavar="FILE", help="the CSV to write; - for the screen")


def run(args: argparse.Namespace) -> int:
    """Do what the action says."""
    engine = order_database(settings())
    if args.action == "verify":
        with reading(engine) as connection:
            broken = audit.verify(connection)
            entries = sum(1 for _ in all_entries(connection, Wanted()))
        if broken is None:
            print(f"The log is whole: {entries:,} entries, each fits the one before.")
            return 0
        print(f"The log is broken at entry {broken.audit_id}: {broken.reason}.", file=sys.stderr)
        return 1
    with writing(engine) as connection:
        found = list(all_entries(connection, Wanted()))
        record_log_export(connection, COMMAND_LINE, rows=len(found), at=now())
    content = as_csv(found)
    if str(args.file) == "-":
        sys.stdout.write(content)
        return 0
    with os.fdopen(os.open(args.file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    print(f"Wrote {len(found):,} entries to {args.file}.")
    return 0


def as_csv(found: Iterable[Entry]) -> str:
    """Entries as CSV; no cell begins as a formula would."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in found:
        cells = [getattr(entry, name) for name in COLUMNS]
        cells[1] = entry.at.isoformat()
        cells[7] = json.dumps(entry.details, ensure_ascii=False) if entry.details else ""
        writer.writerow([f"'{c}" if isinstance(c, str) and c.startswith(("=", "+", "-", "@")) else c for c in cells])
    return text.getvalue()
