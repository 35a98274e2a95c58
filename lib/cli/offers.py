"""``python -m lib offers``: send out what is due, or say who would get what and why the others would not."""

import argparse
import json
from typing import Any

from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.jobs.offer_dry_run import BEFORE, GETS, KEPT_OUT, NOT_NOW, Tried, dry_run_of_all
from lib.jobs.offers import Sent
from lib.jobs.offers import run as send
from lib.outbox.consent import told
from lib.queues.offers import offer_list, reached
from lib.settings import settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    running = actions.add_parser("run", help="find who is due, draw the lot, queue the messages, then stop")
    running.add_argument("--dry-run", action="store_true", help="say who would get what and why not; change nothing")
    running.add_argument("--offer", type=int, action="append", default=[], metavar="ID", help="this offer alone")
    running.add_argument("--json", action="store_true", help="print JSON; with --dry-run every customer")
    listing = actions.add_parser("list", help="show the offers with their state and how many they reached")
    listing.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do what the action says; 1 when an offer that runs could not go out."""
    if args.action == "list":
        return _list(as_json=args.json)
    if args.dry_run:
        tried, wrong = dry_run_of_all(settings(), at=now(), only=args.offer)
        if args.json:
            print(json.dumps([_tried_json(one) for one in tried], default=str, indent=1, ensure_ascii=False))
        else:
            for one in tried:
                _tell_tried(one)
            print("\n".join(wrong) or _nothing(tried))
        return 1 if wrong or any(one.why for one in tried) else 0
    done = send(settings(), only=args.offer)
    if args.json:
        print(json.dumps([_sent_json(one) for one in done], indent=1, ensure_ascii=False))
    else:
        for sent in done:
            _tell_sent(sent)
        print(_nothing(done) or "Messages leave with the next round of the outbox.")
    return 1 if any(one.why for one in done) else 0


def _nothing(done: list[Any]) -> str:
    return "" if done else "No offer runs now. Plan and start one on the page Offers."


def _tell_sent(one: Sent) -> None:
    print(f"{one.offer_id:>5}  {one.name}")
    if one.why:
        print(f"       {one.why}")
    if one.due:
        print(
            f"       {one.due:,} due: {one.treated:,} get it, {one.kept_out:,} held out, {one.before:,} had it before, "
            f"{sum(one.held.values()):,} not now. {one.queued:,} messages queued."
        )
    for reason, count in one.held.most_common():
        print(f"       {count:>9,}  {told(reason)}")


def _sent_json(one: Sent) -> dict[str, Any]:
    names = ("offer_id", "name", "due", "treated", "kept_out", "before", "queued", "why")
    return {name: getattr(one, name) for name in names} | {"held": dict(one.held)}


def _tell_tried(one: Tried) -> None:
    print(f"{one.offer_id:>5}  {one.name}")
    if one.why:
        print(f"       It would not go out: {one.why}")
    print(
        f"       {len(one.rows):,} due: {one.count(GETS):,} would get it, {one.count(KEPT_OUT):,} held out, "
        f"{one.count(BEFORE):,} had it before, {one.count(NOT_NOW):,} not now."
    )
    for reason, count in one.held.most_common():
        print(f"       {count:>9,}  {reason}")


def _tried_json(one: Tried) -> dict[str, Any]:
    rows = one.rows.astype(object).where(one.rows.notna(), None)
    return {
        "offer_id": one.offer_id,
        "name": one.name,
        "why": one.why,
        "held": dict(one.held),
        "customers": rows.to_dict("records"),
    }


def _list(*, as_json: bool) -> int:
    with reading(order_database(settings())) as connection:
        found = [(one, reached(connection, one.offer_id)) for one in offer_list(connection)]
    if as_json:
        print(
            json.dumps(
                [
                    {
                        **{
                            name: getattr(one, name) for name in ("offer_id", "name", "kind", "status", "holdout_share")
                        },
                        "starts_at": one.starts_at,
                        "ends_at": one.ends_at,
                        "treated": so_far.treated,
                        "held_out": so_far.held_out,
                        "sent": so_far.sent,
                    }
                    for one, so_far in found
                ],
                default=str,
                indent=1,
                ensure_ascii=False,
            )
        )
        return 0
    for one, so_far in found:
        print(
            f"{one.offer_id:>5}  {one.status:<9} {one.label:<28} {so_far.treated:>9,} treated {so_far.held_out:>9,} "
            f"held out {so_far.sent:>9,} sent  {one.name}"
        )
    if not found:
        print("There are no offers yet. Plan one on the page Offers.")
    return 0
