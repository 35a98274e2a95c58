"""After each refresh: write down planned looks that have come, pause what crossed a limit, score what was foretold."""

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
from lib.workflows.demo_what_ifs import foretold, keep_foretold, nothing_kept
from lib.workflows.offer_limits import pause_where_crossed
from lib.workflows.offer_looks import looks_of, note_looks
from lib.workflows.offer_trials import SentOffer, all_tested, complaints_of, due_what_ifs
from lib.workflows.what_ifs import score_what_if

log = logging.getLogger("encore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found: how many looks were written down, what-ifs scored, and offers paused, with the reason."""

    looks: int
    paused: dict[int, str]
    scored: int = 0


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
        sent = all_tested(connection, store.zone)
        waiting = [one for one in sent if not _is_done(connection, one)]
        is_untold = store.is_demo and nothing_kept(connection)
    if is_untold:
        rows = foretold(mart, sent, store.zone)
        with writing(engine) as connection:
            keep_foretold(connection, rows)
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
    return Checked(looks=looks, paused=paused, scored=_score_due(settings, mart, store, at))


def _score_due(settings: Settings, mart: Snapshot, store: Store, at: datetime) -> int:
    """Set each what-if that has come due against what its offer really brought, once every window is over."""
    engine, today = order_database(settings), day_index(store_day(at, store.zone))
    with reading(engine) as connection:
        due = due_what_ifs(connection, at=at)
        sent = {one.offer_id: one for one in all_tested(connection, store.zone)} if due else {}
    scored = 0
    for what_if_id, offer_id in due:
        one = sent.get(offer_id)
        found = None if one is None else read_offer(mart, one.trial, today=today, is_over=one.is_over)
        if found is None or found.read is None or not found.read.is_over or "profit" not in found.read.effects:
            continue
        effect = found.read.effects["profit"]
        try:
            with writing(engine) as connection:
                score_what_if(
                    connection,
                    what_if_id,
                    actual=effect.difference,
                    se=effect.se,
                    customers=found.counts.mature,
                    at=at,
                )
            scored += 1
        except EncoreError as refused:
            # It was worked out elsewhere, or another process scored it first.
            log.info("What-if %s was not scored: %s", what_if_id, refused)
    return scored


def _is_done(connection: Connection, tested: SentOffer) -> bool:
    """It is over, and what was to be said at its planned end is written down."""
    trial = tested.trial
    if tested.plan is None and trial.holdout_share == 0:
        # A campaign of before Encore: context, with nothing to look at.
        return True
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
