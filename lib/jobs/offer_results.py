"""After each refresh: write down the planned looks that have come, and pause what crossed a limit."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from lib.db.engine import order_database, reading, writing
from lib.db.store import Store, read_store
from lib.db.tables.columns import now
from lib.errors import EncoreError, MartUnavailable
from lib.mart.snapshot import Snapshot, current
from lib.metrics.offer_guardrails import limits, spent_so_far
from lib.metrics.offer_reading import read_offer
from lib.periods import day_index, day_of, store_day
from lib.settings import Settings
from lib.workflows.offer_limits import pause_where_crossed
from lib.workflows.offer_looks import looks_of, note_looks
from lib.workflows.offer_trials import SentOffer, all_tested, complaints_of

log = logging.getLogger("encore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found: how many looks were written down, and the offers that were paused, with the reason."""

    looks: int
    paused: dict[int, str]


def check_offers(settings: Settings, *, at: datetime | None = None) -> Checked:
    """Look at every offer that is out or whose last look is not written down yet.

    Doing it twice does it once: a look is written down once, a paused offer is not paused again.
    """
    at = at or now()
    try:
        mart = current(settings.mart_dir)
    except MartUnavailable:
        return Checked(looks=0, paused={})
    engine = order_database(settings)
    with reading(engine) as connection:
        store = read_store(connection, settings)
        waiting = [one for one in all_tested(connection, store.zone) if not _is_done(connection, one)]
    looks, paused = 0, {}
    for tested in waiting:
        try:
            found, reason = _check(settings, mart, store, tested, at)
        except EncoreError as refused:
            log.warning("The result of offer %s could not be read: %s", tested.offer_id, refused)
            continue
        looks += found
        if reason is not None:
            paused[tested.offer_id] = reason
    return Checked(looks=looks, paused=paused)


def _is_done(connection: Connection, tested: SentOffer) -> bool:
    """It is over, and what was to be said at its planned end is written down."""
    trial = tested.trial
    if not tested.is_over or trial.last_day is None:
        return False
    end = day_of(trial.last_day + trial.window_days + 1)
    return any(look["looked_day"] >= end for number, look in looks_of(connection, tested.offer_id).items() if number)


def _check(settings: Settings, mart: Snapshot, store: Store, tested: SentOffer, at: datetime) -> tuple[int, str | None]:
    today = day_index(store_day(at, store.zone))
    found = read_offer(mart, tested.trial, today=today, is_over=tested.is_over)
    engine = order_database(settings)
    with writing(engine) as connection:
        looks = len(note_looks(connection, found, at=at))
        if tested.status != "running" or tested.plan is None:
            return looks, None
        spent = spent_so_far(mart, tested.trial, tested.plan)
        complaints = complaints_of(connection, tested.offer_id)
        crossed = limits(spent, tested.plan.guardrails, complaints=complaints)
        return looks, pause_where_crossed(connection, tested.offer_id, crossed, currency=store.currency, at=at)


def check_quietly(settings: Settings) -> None:
    """The same beside the app: what goes wrong is logged and must not end the refreshing."""
    try:
        done = check_offers(settings)
    except EncoreError as error:
        log.warning("The results of offers could not be read: %s", error)
        return
    except Exception:
        log.exception("The results of offers could not be read")
        return
    for offer_id, reason in done.paused.items():
        log.info("Offer %s was paused: %s", offer_id, reason)
