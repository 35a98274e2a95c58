"""``python -m lib mail``: take in what arrived in the mailbox."""

import argparse
from datetime import date

from lib.jobs.mailbox import poll
from lib.settings import settings

WAIT_SECONDS = 60.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    polls = actions.add_parser("poll", help="read what is new in the mailbox and make tickets of it")
    polls.add_argument(
        "--since",
        type=date.fromisoformat,
        metavar="DAY",
        help="read again from this day on, such as 2026-01-31; what is known already stays as it is",
    )


def run(args: argparse.Namespace) -> int:
    """Read the mailbox and say what came of it."""
    done = poll(settings(), since=args.since, wait_seconds=WAIT_SECONDS)
    if not done.read:
        print("Nothing is new in the mailbox.")
        return 0
    outcomes = done.outcomes
    print(
        f"{done.read} mails read: {done.begun} new tickets, {outcomes['ticket'] + outcomes['automatic']} mails stored, "
        f"{outcomes['automatic']} of them automatic, {outcomes['bounce']} bounces, {outcomes['loop']} of our own, "
        f"{outcomes['known']} known already."
    )
    return 0
