"""``python -m lib outbox``: what leaves the house, and whether it may."""

import argparse
import json

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.jobs.outbox import deliver
from lib.outbox.switch import sending_since
from lib.queues.outbox import STATUSES, counts, messages
from lib.settings import settings
from lib.staff import LOCAL
from lib.workflows.outbox import disable_sending, enable_sending, send_again


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("run", help="send what is due now, then stop")
    listing = actions.add_parser("list", help="show messages with their state and why they did not leave")
    listing.add_argument("--status", choices=STATUSES, help="only those in this state")
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (default %(default)s)")
    listing.add_argument("--json", action="store_true", help="print JSON")
    retry = actions.add_parser("retry", help="queue messages that failed or were held back once more")
    retry.add_argument("id", type=int, nargs="+", metavar="ID", help="the messages, as `outbox list` numbers them")
    actions.add_parser("enable", help="let mails and webhooks leave the house")
    actions.add_parser("disable", help="let nothing leave; what is queued waits")


def run(args: argparse.Namespace) -> int:
    """Do what the action says; 1 when a message failed or waits for a person."""
    engine = order_database(settings())
    if args.action == "run":
        done = deliver(settings())
        if done.why:
            print(done.why)
            return 1
        print(f"{done.sent} sent, {done.later} to be tried again, {done.failed} failed, {done.unknown} to be decided.")
        return 1 if done.failed or done.unknown else 0
    if args.action == "list":
        return _list(args)
    with writing(engine) as connection:
        if args.action == "enable":
            enable_sending(connection, LOCAL, at=now())
            print("Sending is on: what is queued leaves from now on.")
        elif args.action == "disable":
            disable_sending(connection, LOCAL, at=now())
            print("Sending is off: what is queued waits.")
        else:
            for key in args.id:
                send_again(connection, LOCAL, key, at=now())
            print(f"Queued once more: {', '.join(str(key) for key in args.id)}.")
    return 0


def _list(args: argparse.Namespace) -> int:
    with reading(order_database(settings())) as connection:
        rows = messages(connection, status=args.status, limit=args.limit).rows
        total, since = counts(connection), sending_since(connection)
    if args.json:
        print(json.dumps(rows.to_dict("records"), default=str, indent=1, ensure_ascii=False))
        return 0
    for row in rows.to_dict("records"):
        about = f"{row['about']}:{row['about_id']}" if row["about"] else ""
        print(
            f"{row['outbox_message_id']:>7}  {row['status']:<9} {row['channel']:<8} {row['recipient'] or ''}  {about}"
        )
        if row["failure"]:
            print(f"         {row['failure']}")
    state = "on" if since else "off"
    print(
        f"Sending is {state}. " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in total.items()) + "."
    )
    return 0
