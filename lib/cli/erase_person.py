"""``python -m lib erase-person``: forget somebody, as privacy law asks."""

import argparse
import sys

from lib.cli.staff import COMMAND_LINE
from lib.db.engine import order_database, reading
from lib.db.migrate import pending
from lib.db.tables.columns import now
from lib.errors import DatabaseUnavailable, InvalidInput
from lib.jobs.clean import what_is_left
from lib.jobs.erasure import erase_everywhere
from lib.jobs.refresh import refresh
from lib.settings import settings
from lib.workflows.erasure import Foreseen, foresee, look_up


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("who", help="the person's e-mail address, or the customer's number in Encore")
    parser.add_argument("--dry-run", action="store_true", help="say what would go and what would stay, and do nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask to type the address first")


def run(args: argparse.Namespace) -> int:
    """Say what goes, ask, erase, and clean every copy; 1 when copies are left to be cleaned."""
    engine = order_database(settings())
    if pending(engine):
        raise DatabaseUnavailable("The order database is not up to date: run `python -m lib migrate` first.")
    if not args.dry_run and what_is_left(engine):
        # One that was broken off is finished first, also when its person is known by nothing any more.
        print("An erasure before this one was broken off: cleaning what it left.")
        refresh(settings(), wait_seconds=120)
    with reading(engine) as connection:
        told = foresee(connection, COMMAND_LINE, look_up(connection, COMMAND_LINE, args.who))
    if told.person.erased_at is not None and not told.rows:
        print(f"Customer {told.person.customer_id} was erased on {told.person.erased_at:%Y-%m-%d}: nothing is left.")
        return 0
    print(said(told))
    if args.dry_run:
        return 0
    done = erase_everywhere(settings(), COMMAND_LINE, told.person, confirmed=_confirmed(args, told), at=now())
    if done.left_to_do:
        print(f"Erased. Copies are not cleaned yet; the next refresh does it. {done.left_to_do}", file=sys.stderr)
        return 1
    print(f"Erased: {sum(done.gone.rows.values()):,} rows emptied, and every copy that Encore keeps is clean.")
    return 0


def _confirmed(args: argparse.Namespace, told: Foreseen) -> str:
    if args.yes:
        return told.to_confirm
    try:
        return input(f"This cannot be undone. Type {told.to_confirm} to erase: ")
    except EOFError as error:
        raise InvalidInput("Nobody is there to confirm it. Say --yes to erase without asking.") from error


def said(told: Foreseen) -> str:
    """What goes and what stays, as lines."""
    parts = [told.called, "Goes:", *(f"  - {line}" for line in told.goes)]
    parts += ["Stays:", *(f"  - {line}" for line in told.stays)]
    return "\n".join([*parts, *(f"Mind: {line}" for line in told.warnings)])
