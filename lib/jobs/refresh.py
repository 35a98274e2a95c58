"""Bring the mart up to date: by command, after an import, and every few minutes beside the app."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, OperationalError

from lib.db.engine import order_database, private_folder, reading, writing
from lib.db.lease import Lease
from lib.db.service import has_unsettled, settle_unsettled
from lib.db.store import read_store
from lib.errors import DatabaseUnavailable, EncoreError, RefreshBusy
from lib.importers.first_load import put_back_after_death
from lib.jobs.clean import clean_copies, forget_older_snapshots, what_is_left
from lib.jobs.offer_results import check_quietly
from lib.mart.lease import lease
from lib.mart.refresh import bring_up_to_date
from lib.mart.snapshot import warm
from lib.settings import Settings

Progress = Callable[[str], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReport:
    """What a refresh did.

    ``how``: full, incremental, or unchanged (nothing new: only the description was renewed); ``why`` says
    what led to it. ``owners`` counts the customers (and orders of unknown ones) that were recomputed,
    ``rows`` the rows read from the order database, ``orders`` those in the mart, valid or not.
    """

    how: str
    why: str
    seconds: float
    owners: int
    rows: int
    version: int
    orders: int


def refresh(
    settings: Settings, *, full: bool = False, wait_seconds: float = 0.0, progress: Progress | None = None
) -> RefreshReport:
    """Bring the mart up to date and publish it; after an erasure also clean every copy of who was erased.

    What changes a snapshot in place leaves old bytes in its file, so then everything is built anew.

    Args:
        full: build everything anew, whatever changed.
        wait_seconds: how long to wait while another process refreshes.

    Raises:
        RefreshBusy: another process is still refreshing.
        JobBusy: copies of who was erased are not cleaned yet, for the database is in use all the time.
        RefreshFailed: the mart cannot be written; the last snapshot stays.
        DatabaseUnavailable: the order database cannot be reached or is not migrated.
    """
    started = time.monotonic()
    while True:
        try:
            with lease(order_database(settings)) as held:
                put_back_after_death(order_database(settings))
                _settle(settings)
                left = what_is_left(order_database(settings))
                report = _refresh(settings, held, full or bool(left), progress, started)
                if left:
                    forget_older_snapshots(settings.mart_dir)
            if left:
                clean_copies(settings, left)
            return report
        except RefreshBusy:
            if time.monotonic() - started >= wait_seconds:
                raise
            time.sleep(0.2)
        except DBAPIError as error:
            if "no such table" in str(error) or "UndefinedTable" in str(error):
                raise DatabaseUnavailable(
                    "The order database has no tables yet: run `python -m lib migrate`."
                ) from error
            if isinstance(error, OperationalError):
                # Locked for longer than we wait, or the connection is gone.
                raise DatabaseUnavailable(
                    f"The order database cannot be used just now: {str(error.orig).strip().splitlines()[0]}."
                    " Try again in a moment."
                ) from error
            raise


def _settle(settings: Settings) -> None:
    """Give tickets from before there were deadlines theirs; asks first, so that nobody waits for a writer in vain."""
    with reading(order_database(settings)) as connection:
        if not has_unsettled(connection):
            return
    with writing(order_database(settings)) as connection:
        settle_unsettled(connection)


def _refresh(settings: Settings, held: Lease, full: bool, progress: Progress | None, started: float) -> RefreshReport:
    with reading(order_database(settings)) as connection:
        store = read_store(connection, settings)
    done = bring_up_to_date(
        private_folder(settings.mart_dir),
        settings.database_url,
        store,
        memory_limit_mb=settings.memory_limit_mb,
        before_publishing=held.must_hold,
        full=full,
        progress=progress,
    )
    return RefreshReport(
        how=done.how,
        why=done.why,
        seconds=round(time.monotonic() - started, 3),
        owners=done.owners,
        rows=done.rows,
        version=done.about.version,
        orders=done.about.orders,
    )


class _Calls:
    """Counts the calls to refresh, so that one that comes during a refresh is not lost."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = threading.Condition()

    def add(self) -> None:
        with self.changed:
            self.count += 1
            self.changed.notify_all()

    def wait_after(self, count: int, seconds: float) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.count != count, timeout=seconds)


_CALLS = _Calls()
_STARTED: set[str] = set()
_STARTING = threading.Lock()


def wake() -> None:
    """Have the background refresh run now, as after an import."""
    _CALLS.add()


def start_background(settings: Settings) -> None:
    """Refresh on start, every ``ENCORE_REFRESH_MINUTES``, and when woken; once per process and mart.

    With 0 minutes nothing runs beside the app: the mart is refreshed by command only.
    """
    if settings.refresh_minutes <= 0:
        return
    with _STARTING:
        if settings.mart_url in _STARTED:
            return
        _STARTED.add(settings.mart_url)
    threading.Thread(target=_run, args=(settings,), name="mart-refresh", daemon=True).start()


def _run(settings: Settings) -> None:
    while True:
        count = _CALLS.count
        try:
            refresh(settings)
            warm(settings.mart_dir)
            check_quietly(settings)
        except RefreshBusy:
            pass  # another process is at it, which serves as well
        except EncoreError as error:
            log.warning("The mart could not be refreshed: %s", error)
        except Exception:
            # A bug must not end the refreshing for good; the next round may find other data.
            log.exception("The mart could not be refreshed")
        _CALLS.wait_after(count, settings.refresh_minutes * 60)
