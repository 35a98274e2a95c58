"""``python -m lib demo``: make the demo store."""

import argparse
import json
import sys

from tqdm import tqdm

from lib.demo.build import ORDERS, SEED, make_demo
from lib.errors import SettingsError
from lib.settings import settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--orders", type=int, default=ORDERS, metavar="N", help=f"about how many orders (default {ORDERS:,})"
    )
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="the same seed gives the same store")
    parser.add_argument("--replace", action="store_true", help="put it in the place of an earlier demo store")
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def run(args: argparse.Namespace) -> int:
    """Make the store and say what was made."""
    if args.orders < 1000:
        raise SettingsError("A demo store needs at least 1,000 orders; try --orders 60000.")
    if args.seed < 0:
        raise SettingsError("The seed must not be negative.")
    with tqdm(unit=" orders", file=sys.stderr, disable=None, leave=False) as bar:

        def show(what: str, done: int, of: int) -> None:
            bar.set_description(what)
            bar.total = of
            bar.n = done
            bar.refresh()

        report = make_demo(settings(), orders=args.orders, seed=args.seed, replace=args.replace, progress=show)
    if args.json:
        print(
            json.dumps(
                {
                    "orders": report.orders,
                    "customers": report.customers,
                    "first_day": report.first_day.isoformat(),
                    "last_day": report.last_day.isoformat(),
                    "seed": report.seed,
                    "truth": str(report.truth),
                }
            )
        )
        return 0
    print(
        f"Made a demo store of {report.orders:,} orders by {report.customers:,} customers, "
        f"{report.first_day:%-d %B %Y} to {report.last_day:%-d %B %Y} (seed {report.seed})."
    )
    print(f"What is true of it: {report.truth}")
    return 0
