"""Make the demo store, whole or not at all."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, Engine, Table, select

from lib.db.bulk import filling
from lib.db.clear import KEPT, clear_store
from lib.db.engine import order_database
from lib.db.migrate import migrate
from lib.db.service import settle_open
from lib.db.store import Store, write_store
from lib.db.tables.all import metadata
from lib.db.tables.columns import now
from lib.db.tables.store import store
from lib.demo.books import item_keys, write_orders, write_products
from lib.demo.calendar import make_calendar
from lib.demo.carts import write_carts
from lib.demo.feedback import write_feedback
from lib.demo.loyalty import write_loyalty
from lib.demo.people import write_people
from lib.demo.plans import write_plans
from lib.demo.regret import settle
from lib.demo.returned import write_aftermath
from lib.demo.reviews import write_reviews
from lib.demo.sales import make_sales
from lib.demo.tickets import write_tickets
from lib.demo.truth import truth
from lib.errors import Conflict
from lib.periods import store_day
from lib.settings import Settings

ORDERS = 60_000
SEED = 1
NAME = "Harbour & Home (demo)"
TIME_ZONE = "Europe/Berlin"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What was made: orders of every kind, customers, the days covered, and where the truth is written."""

    orders: int
    customers: int
    first_day: date
    last_day: date
    seed: int
    truth: Path


def make_demo(
    settings: Settings,
    *,
    orders: int = ORDERS,
    seed: int = SEED,
    replace: bool = False,
    end: date | None = None,
    progress: Progress | None = None,
) -> DemoReport:
    """Make the demo store in the order database that the settings name, in one transaction.

    Args:
        orders: about how many orders.
        replace: put it in the place of an earlier demo store.
        end: the first day that is not in it; by default today in the store's zone.
        progress: hears (what, done, of how many).
    Raises:
        Conflict: the database holds a store that is not a demo, or a demo and ``replace`` is not given.
    """
    engine = order_database(settings)
    migrate(engine)
    return fill(engine, settings, wanted=orders, seed=seed, replace=replace, end=end, progress=progress)


def fill(
    engine: Engine,
    settings: Settings,
    *,
    wanted: int,
    seed: int,
    replace: bool,
    end: date | None = None,
    progress: Progress | None = None,
) -> DemoReport:
    """As ``make_demo``, in a database whose tables exist."""
    say = progress or (lambda _what, _done, _of: None)
    zone = ZoneInfo(settings.store_time_zone or TIME_ZONE)
    last = end or store_day(now(), zone)
    with filling(engine) as connection:
        _refuse_or_clear(connection, replace=replace)
        say("customers' lives", 0, 1)
        calendar = make_calendar(last, zone, seed)
        sales = make_sales(calendar, seed, wanted)
        after = settle(np.random.default_rng([seed, 6]), sales)
        n = len(sales)
        write_store(
            connection,
            Store(name=NAME, time_zone=zone.key, currency="EUR", country="DE", languages=("de", "en"), is_demo=True),
        )
        say("customers", 0, 1)
        write_products(connection, np.random.default_rng([seed, 7]))
        people = write_people(connection, np.random.default_rng([seed, 8]), sales)
        done = 0

        def tick(more: int) -> None:
            nonlocal done
            done += more
            say("orders", done, n)

        write_orders(connection, np.random.default_rng([seed, 9]), sales, tick=tick)
        say("what people say", n, n)
        write_aftermath(connection, sales, after, item_keys(sales))
        write_reviews(connection, np.random.default_rng([seed, 10]), sales, after, people)
        write_tickets(connection, np.random.default_rng([seed, 11]), sales, after, people)
        settle_open(connection)
        carts = write_carts(connection, np.random.default_rng([seed, 12]), sales)
        write_feedback(connection, np.random.default_rng([seed, 13]), sales, after, people)
        write_loyalty(connection, np.random.default_rng([seed, 14]), sales)
        write_plans(connection, np.random.default_rng([seed, 15]), sales, people)
        truth_file = settings.data_dir / "demo_truth.json"
        # Written before the commit, in its place only after it: the file beside a store is always that store's.
        written = write_private(truth_file.with_suffix(".part"), truth(sales, carts, seed=seed))
    written.replace(truth_file)
    return DemoReport(
        orders=n,
        customers=len(sales.people),
        first_day=calendar.first,
        last_day=calendar.date_of(calendar.days - 1),
        seed=seed,
        truth=truth_file,
    )


def _refuse_or_clear(connection: Connection, *, replace: bool) -> None:
    """Clear an earlier demo if asked; whatever did not come from a demo is never touched."""
    is_demo = connection.scalar(select(store.c.is_demo))
    own = [table.name for table in metadata.sorted_tables if _holds_own(connection, table, is_demo=bool(is_demo))]
    if is_demo is False or own:
        raise Conflict(
            "This order database holds a shop of its own, and the demo store never takes its place. "
            "Set ENCORE_DATA_DIR to another folder to look at the demo."
        )
    if is_demo is None:
        return
    if not replace:
        raise Conflict("There is a demo store already. Add --replace to make it anew.")
    clear_store(connection)


def _holds_own(connection: Connection, table: Table, *, is_demo: bool) -> bool:
    """Whether a table holds rows that are no demo's: in a demo those of another source, elsewhere any."""
    if table.name in KEPT:
        return False
    if not is_demo:
        found = select(table)
    elif "fingerprint" in table.c and "source" in table.c:
        found = select(table).where(table.c.source != "demo")
    else:
        return False
    return connection.execute(found.limit(1)).first() is not None


def write_private(file: Path, content: Any) -> Path:
    """Write JSON that its owner alone may read, and return where."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(content, out, indent=1, ensure_ascii=False)
    return file
