"""Bring the order database's tables up to date."""

import argparse

from lib.db.engine import order_database
from lib.db.migrate import draft, migrate, pending
from lib.settings import settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--pending", action="store_true", help="only list what would be applied; exit code 1 if any")
    parser.add_argument(
        "--draft",
        metavar="MESSAGE",
        help="for developers: write a revision for how lib/db/tables differs from this database",
    )


def run(args: argparse.Namespace) -> int:
    """Migrate, or say what is pending."""
    engine = order_database(settings())
    if args.pending:
        waiting = pending(engine)
        print("\n".join(waiting) if waiting else "Nothing is pending.")
        return 1 if waiting else 0
    applied = migrate(engine)
    print(f"Applied {', '.join(applied)}." if applied else "The order database is up to date.")
    if args.draft:
        written = draft(engine, args.draft)
        print(f"Wrote {written}: read it before you keep it." if written else "The tables did not change.")
    return 0
