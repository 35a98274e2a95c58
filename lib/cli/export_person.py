"""``python -m lib export-person``: hand out all that is known of somebody, as JSON."""

import argparse
import os
from pathlib import Path

from lib.cli.staff import COMMAND_LINE
from lib.db.engine import order_database, reading, writing
from lib.db.migrate import pending
from lib.db.person import rows_of
from lib.db.tables.columns import now
from lib.errors import DatabaseUnavailable, InvalidInput
from lib.settings import settings
from lib.workflows.erasure import look_up
from lib.workflows.person_export import as_json, export_person


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("who", help="the person's e-mail address, or the customer's number in Encore")
    parser.add_argument("file", type=Path, metavar="FILE", nargs="?", help="the file to write, which must not exist")
    parser.add_argument("--dry-run", action="store_true", help="say how many rows it would hold, and write nothing")


def run(args: argparse.Namespace) -> int:
    """Write the file, readable by its owner alone, and note in the log that it was written."""
    engine = order_database(settings())
    if pending(engine):
        raise DatabaseUnavailable("The order database is not up to date: run `python -m lib migrate` first.")
    if args.dry_run:
        with reading(engine) as connection:
            rows = rows_of(connection, look_up(connection, COMMAND_LINE, args.who))
        print("\n".join(f"{len(keys):>7,}  {name.replace('_', ' ')}" for name, keys in sorted(rows.items()) if keys))
        return 0
    if args.file is None:
        raise InvalidInput("Name the file to write, as in export-person ann@example.com ann.json")
    with writing(engine) as connection:
        content = as_json(
            export_person(connection, COMMAND_LINE, look_up(connection, COMMAND_LINE, args.who), at=now())
        )
        try:
            handle = os.open(args.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise InvalidInput(f"{args.file} is there already. Name a file that is not.") from error
        except OSError as error:
            raise InvalidInput(f"{args.file} cannot be written: {error.strerror}.") from error
        with os.fdopen(handle, "wb") as out:
            out.write(content)
    print(f"{args.file}: {len(content):,} bytes. It holds personal data: hand it to that person alone.")
    return 0
