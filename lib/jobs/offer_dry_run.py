"""A dry run: who would get an offer if it went out now, and why the others would not. Nothing is written or sent."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from lib.db.engine import order_database, reading
from lib.db.store import read_store
from lib.jobs.offer_due import due
from lib.jobs.offers import BATCH, batches, obstacle
from lib.jobs.snapshot import newest
from lib.mart.snapshot import Snapshot
from lib.metrics.audience import reorder_windows
from lib.outbox.consent import told
from lib.outbox.contact_rules import Reorder
from lib.outbox.quiet_hours import send_at
from lib.outbox.rules import read_rules
from lib.outbox.unsubscribe import link_key
from lib.periods import store_day
from lib.settings import Settings
from lib.workflows.assignments import draw
from lib.workflows.offer_codes import code_of
from lib.workflows.offer_content import Rendered
from lib.workflows.offer_going import Going, going_out
from lib.workflows.offer_messages import Sender, letter_to
from lib.workflows.offer_values import countries_of, recipients_of

GETS, KEPT_OUT, NOT_NOW, BEFORE = "gets it", "held out", "not now", "had it before"
COLUMNS = ("customer_id", "outcome", "reason", "code", "send_at", "order_id")


@dataclass(kw_only=True)
class Tried:
    """What would become of everybody who is due for one offer.

    ``rows``: one customer each: ``outcome`` (one of the above), ``reason`` (in words, where it is not now), ``code``
    (of her own), ``send_at`` (null: not by mail or webhook), ``order_id`` (what it is about).
    ``why``: what would keep it from going out at all.
    """

    offer_id: int
    name: str
    rows: pd.DataFrame
    why: str = ""
    held: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: str) -> int:
        """How many would meet an outcome."""
        return int((self.rows["outcome"] == outcome).sum())


def dry_run_of_all(settings: Settings, *, at: datetime, only: Collection[int] = ()) -> tuple[list[Tried], list[str]]:
    """Try whatever runs, in the order of its priority; returns that and what is wrong with offers that cannot run."""
    mart, done, ahead = newest(settings), [], set[int]()
    with reading(order_database(settings)) as connection:
        going, wrong = going_out(connection, at=at)
        for one in going:
            tried = dry_run(connection, mart, settings, one, at=at, ahead=ahead)
            if not one.is_service:
                ahead |= set(tried.rows.loc[tried.rows["outcome"] == GETS, "customer_id"])
            done.append(tried)
    return [one for one in done if not only or one.offer_id in only], wrong


def dry_run(
    connection: Connection,
    mart: Snapshot,
    settings: Settings,
    going: Going,
    *,
    at: datetime,
    ahead: Collection[int] = frozenset(),
) -> Tried:
    """Try one offer as if it went out at this instant, whatever state it is in."""
    store = read_store(connection, settings)
    rules = read_rules(connection)
    found = pd.DataFrame(columns=["customer_id", "day", "order_id"])
    if not going.unasked:
        found = due(mart, going, at=at, zone=store.zone)
    reorder = Reorder(windows=reorder_windows(mart, store_day(at, store.zone)))
    parts: list[tuple[int, str, str | None, str | None, datetime | None, int | None]] = []
    held: Counter[str] = Counter()
    for about in batches(found, BATCH):
        drawn = draw(connection, going, about.keys(), rules, at=at, reorder=reorder, ahead=ahead)
        held.update(told(reason) for reason in drawn.held.values())
        countries = countries_of(connection, drawn.treated)
        for one in drawn.treated:
            code = code_of(going.plan.code, going.salt, one) if going.salt else None
            leaves = send_at(at, countries.get(one), rules, store.zone) if going.goes_by_outbox else None
            parts.append((one, GETS, None, code or going.plan.code.shared or None, leaves, about[one]))
        parts.extend((one, KEPT_OUT, None, None, None, about[one]) for one in drawn.kept_out)
        parts.extend((one, NOT_NOW, told(reason), None, None, about[one]) for one, reason in drawn.held.items())
        parts.extend((one, BEFORE, None, None, None, about[one]) for one in drawn.before)
    rows = pd.DataFrame(parts, columns=list(COLUMNS))
    rows["order_id"] = rows["order_id"].astype("Int64")
    return Tried(
        offer_id=going.offer_id,
        name=going.name,
        rows=rows.sort_values("customer_id", ignore_index=True),
        why=obstacle(connection, settings, going, store),
        held=held,
    )


def letter_of(
    connection: Connection, settings: Settings, going: Going, customer_id: int, order_id: int | None, *, at: datetime
) -> Rendered | None:
    """What a customer of a dry run would read; null where she is gone or the offer has no words."""
    store = read_store(connection, settings)
    sender = Sender(
        store=store,
        rules=read_rules(connection),
        # Without a secret nothing was ever sent, and this link is good for nothing.
        link_key=link_key(connection) or b"dry run",
        public_url=settings.public_url or f"http://{settings.address}:{settings.port}",
        at=at,
    )
    people = recipients_of(connection, going.plan, {customer_id: order_id}, language=sender.language)
    if customer_id not in people or not going.plan.content:
        return None
    return letter_to(going, sender, people[customer_id], code_of(going.plan.code, going.salt, customer_id))
