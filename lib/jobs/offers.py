"""Send offers out: find who is due, ask the rules, draw the lot, write it down, and queue the messages.

In batches, each of which is one transaction: both arms, their codes and the messages, or nothing of it. Running it
twice, two at once, or one that was killed, assigns and sends once: who has been drawn is passed over, and the message
of an offer to a customer has one key.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from lib.db.engine import order_database, reading, writing, writing_often
from lib.db.lease import lease
from lib.db.store import Store, read_store
from lib.db.tables.columns import now
from lib.errors import EncoreError, JobBusy, MartUnavailable
from lib.jobs import outbox
from lib.jobs.offer_due import due
from lib.jobs.refresh import refresh
from lib.jobs.snapshot import newest
from lib.mart.snapshot import Snapshot
from lib.metrics.audience import reorder_windows
from lib.offer import Channel
from lib.outbox.contact_rules import Reorder
from lib.outbox.queue import DEMO, EMAIL, WEBHOOK, enqueue_many
from lib.outbox.rules import read_rules
from lib.outbox.switch import sending_since
from lib.outbox.unsubscribe import made_link_key
from lib.periods import store_day
from lib.settings import Settings
from lib.workflows.assignments import draw, drawn_before, write_down
from lib.workflows.offer_going import Going, as_it_goes, going_out
from lib.workflows.offer_messages import Sender, messages_for

log = logging.getLogger("encore")
LEASE = "offers"
# So many customers in one transaction: a pause waits for no longer than that, and a crash costs no more.
BATCH = 2_000
# How long to wait for a refresh that runs just now: who ordered a minute ago must not be told to come back.
REFRESH_SECONDS = 60.0
STOPPED = "It was paused, stopped or changed meanwhile; the next run goes on with what is in force then."
Progress = Callable[[str], None]


@dataclass(kw_only=True)
class Sent:
    """What a run did for one offer. ``why``: what kept it from going out, or ended it early."""

    offer_id: int
    name: str
    due: int = 0
    treated: int = 0
    kept_out: int = 0
    before: int = 0
    queued: int = 0
    held: Counter[str] = field(default_factory=Counter)
    why: str = ""


def run(
    settings: Settings,
    *,
    only: Collection[int] = (),
    clock: Callable[[], datetime] = now,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> list[Sent]:
    """Send out whatever is due now, offer by offer in the order of their priority.

    Args:
        only: these offers alone; none: all that run.
    Raises:
        JobBusy: another process is at it.
        MartUnavailable: there are no figures yet to tell who is due.
    """
    engine = order_database(settings)
    with reading(engine) as connection:
        going, wrong = going_out(connection, at=clock())
    for one in wrong:
        log.warning("An offer cannot go out: %s", one)
    going = [one for one in going if not only or one.offer_id in only]
    if not going:
        return []
    with lease(engine, LEASE):
        mart = _fresh(settings)
        with writing(engine) as connection:
            made_link_key(connection)
        done = [_run_one(settings, mart, one, clock, batch, progress) for one in going]
    if any(one.queued for one in done):
        outbox.wake()
    return done


def _run_one(
    settings: Settings,
    mart: Snapshot,
    going: Going,
    clock: Callable[[], datetime],
    batch: int,
    progress: Progress | None,
) -> Sent:
    engine = order_database(settings)
    done = Sent(offer_id=going.offer_id, name=going.name)
    with reading(engine) as connection:
        store = read_store(connection, settings)
        done.why = obstacle(connection, settings, going, store)
    if done.why:
        return done
    found = due(mart, going, at=clock(), zone=store.zone)
    done.due = len(found)
    reorder = Reorder(windows=reorder_windows(mart, store_day(clock(), store.zone)))
    with reading(engine) as connection:
        # Asked once for all; each batch asks again, for two may run at once where a lease ran out.
        known = found["customer_id"].isin(drawn_before(connection, going.offer_id))
    done.before, found = int(known.sum()), found[~known]
    with writing_often(engine) as connection:
        for about in batches(found, batch):
            with connection.begin():
                # Held until the batch is written: a pause comes before it or after it, never into it.
                current = as_it_goes(connection, going.offer_id, lock=True)
                if not current.is_out(clock()) or current.version_id != going.version_id:
                    done.why = STOPPED
                    break
                _send(connection, settings, current, store, about, clock(), done, reorder)
            if progress is not None:
                progress(f"{going.name}: {done.treated + done.kept_out + done.before:,} of {done.due:,}")
    return done


def _send(
    connection: Connection,
    settings: Settings,
    going: Going,
    store: Store,
    about: Mapping[int, int | None],
    at: datetime,
    done: Sent,
    reorder: Reorder,
) -> None:
    """One batch, in the current transaction."""
    rules = read_rules(connection)
    drawn = draw(connection, going, about.keys(), rules, at=at, reorder=reorder)
    held = dict.fromkeys(drawn.treated, DEMO) if store.is_demo and going.goes_by_outbox else {}
    codes = write_down(connection, going, drawn, at=at, held=held)
    sender = sender_of(connection, settings, store, at)
    messages = messages_for(connection, going, sender, {one: about[one] for one in drawn.treated}, codes)
    enqueue_many(connection, messages)
    done.treated += len(drawn.treated)
    done.kept_out += len(drawn.kept_out)
    done.before += len(drawn.before)
    done.queued += len(messages)
    done.held.update(drawn.held.values())


_BY_OUTBOX = {Channel.EMAIL: EMAIL, Channel.WEBHOOK: WEBHOOK}


def sender_of(connection: Connection, settings: Settings, store: Store, at: datetime) -> Sender:
    """What every message shares; the secret of links must be there already."""
    return Sender(
        store=store,
        rules=read_rules(connection),
        link_key=made_link_key(connection),
        public_url=settings.public_url or f"http://{settings.address}:{settings.port}",
        at=at,
    )


def obstacle(connection: Connection, settings: Settings, going: Going, store: Store) -> str:
    """What keeps an offer that runs from going out; empty when nothing does.

    Nobody is drawn while nothing can leave: her time would run before she was written to.
    """
    if why := going.obstacle(public_url=settings.public_url, is_demo=store.is_demo):
        return why
    channel = _BY_OUTBOX.get(going.plan.channel)
    if channel is None or store.is_demo:
        return ""
    if channel not in outbox.channels_of(settings):
        name = (
            "mail server is set: see ENCORE_SMTP_URL" if channel == EMAIL else "webhook is set: see ENCORE_WEBHOOK_URL"
        )
        return f"No {name}."
    if sending_since(connection) is None:
        return "Sending is off: an owner turns it on under Outbox."
    return ""


def batches(found: pd.DataFrame, size: int) -> Iterator[dict[int, int | None]]:
    """The customers of a frame of ``due`` in pieces, each with the order that it is about."""
    orders = [None if pd.isna(one) else int(one) for one in found["order_id"]]
    customers = [int(one) for one in found["customer_id"]]
    for start in range(0, len(customers), size):
        yield dict(zip(customers[start : start + size], orders[start : start + size], strict=True))


def _fresh(settings: Settings) -> Snapshot:
    """The figures as of now, or the newest there are while another process is at them."""
    with suppress(JobBusy):
        refresh(settings, wait_seconds=REFRESH_SECONDS)
    return newest(settings)


_STARTED: set[str] = set()
_STARTING = threading.Lock()
_WOKEN = threading.Event()


def wake() -> None:
    """Have the background run look now, as after an offer was started."""
    _WOKEN.set()


def start_background(settings: Settings) -> None:
    """Look every ``ENCORE_OFFERS_MINUTES``, once per process and database; with 0 nothing runs beside the app."""
    if settings.offers_minutes <= 0:
        return
    with _STARTING:
        if settings.database_url in _STARTED:
            return
        _STARTED.add(settings.database_url)
    threading.Thread(target=_keep_running, args=(settings,), name="offers", daemon=True).start()


def _keep_running(settings: Settings) -> None:
    while True:
        _WOKEN.clear()
        try:
            for one in run(settings):
                if one.why:
                    log.info("Offer %s did not go out: %s", one.offer_id, one.why)
        except (JobBusy, MartUnavailable):
            pass  # another process does it, or there is nothing to ask yet: the next look serves as well
        except EncoreError as error:
            log.warning("Offers could not go out: %s", error)
        except Exception:
            # A bug must not end the looking for good; the next round may find other offers.
            log.exception("Offers could not go out")
        _WOKEN.wait(settings.offers_minutes * 60)
