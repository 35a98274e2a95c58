"""How fast an answer is promised and when the store is open: changed by whom, from what to what."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from lib.db import audit
from lib.db.service import DEFAULT_MINUTES, hours_of, read_promises, settle_open
from lib.db.tables.desk import targets
from lib.db.tables.store import deleted_rows, store
from lib.db.tables.tickets import TICKET_CHANNELS
from lib.errors import Conflict, InvalidInput
from lib.hours import Hours
from lib.staff import May, Staff

# Five minutes to four weeks: anything else is a slip.
LEAST_MINUTES = 5
MOST_MINUTES = 28 * 24 * 60
CLOCKS = ("calendar", "business")
# A promise of open time must come within a year.
_MOST_WEEKS = 50
_CHANGED = "Somebody changed this target meanwhile. Look at it again."
_TOO_SLOW = (
    "The store is open for so few hours that this promise would take more than a year. "
    "Open it longer, promise less time, or use the calendar clock."
)


def set_target(
    conn: Connection, by: Staff, work: str, minutes: int, *, version: int, at: datetime, clock: str = "calendar"
) -> None:
    """Promise an answer within so many minutes.

    The deadlines of open tickets move at once; every figure is worked out anew at the next refresh.

    Args:
        work: ``review``, ``negative_review``, ``question`` or a channel of tickets.
        version: of the target as seen; 0 while the default of the definitions holds.
        clock: ``calendar``, or ``business`` for the store's opening hours.

    Raises:
        InvalidInput: no such work or clock, or the time is too short or too long.
        Conflict: somebody changed it since ``version``.
    """
    by.must(May.SET_GOALS)
    if work not in DEFAULT_MINUTES or clock not in CLOCKS:
        raise InvalidInput("Choose what the target is for, and the calendar or the business clock.")
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise InvalidInput("A target is between 5 minutes and 4 weeks.")
    row = conn.execute(select(targets).where(targets.c.work == work).with_for_update()).mappings().first()
    if (row["version"] if row else 0) != version:
        raise Conflict(_CHANGED)
    _check(read_promises(conn).hours, minutes, clock)
    values = {"minutes": minutes, "clock": clock, "updated_at": at}
    if row is None:
        try:
            with conn.begin_nested():
                conn.execute(insert(targets).values(work=work, **values))
        except IntegrityError as error:
            raise Conflict(_CHANGED) from error
    else:
        conn.execute(update(targets).where(targets.c.work == work).values(**values, version=version + 1))
    if work in TICKET_CHANNELS:
        settle_open(conn)
    before = {"minutes": row["minutes"], "clock": row["clock"]} if row else None
    _told(conn, by, "target.set", f"target:{work}", before, {"minutes": minutes, "clock": clock}, at)


def set_hours(conn: Connection, by: Staff, week: Sequence[Sequence[str] | None], *, version: int, at: datetime) -> None:
    """Say when the store is open: seven days, Monday first, each ``("09:00", "18:00")`` or null for closed.

    Raises:
        InvalidInput: a time that is none, or too few hours for a promise on the business clock.
        Conflict: somebody changed the store since ``version``.
    """
    by.must(May.SET_GOALS)
    row = conn.execute(select(store).with_for_update()).mappings().first()
    if row is None or row["version"] != version:
        raise Conflict("Somebody changed the opening hours meanwhile. Look at them again.")
    zone = ZoneInfo(row["time_zone"])
    hours, before = Hours.of(zone, week), hours_of(zone, row["business_hours"])
    if any(entry is not None and entry[0] == entry[1] for entry in hours.week):
        raise InvalidInput("A day that opens and closes at the same time is closed: say so, or change one of them.")
    for target in read_promises(conn).targets.values():
        _check(hours, target.minutes, target.clock)
    kept = [list(entry) if entry else None for entry in hours.week]
    conn.execute(
        update(store).where(store.c.store_id == 1).values(business_hours=kept, version=version + 1, updated_at=at)
    )
    settle_open(conn)
    _told(conn, by, "hours.set", "store:1", {"week": before.week}, {"week": kept}, at)


def _check(hours: Hours, minutes: int, clock: str) -> None:
    if clock != "business" or not hours.is_ever_open:
        return  # a store that never opens keeps its promises by the calendar
    if minutes > hours.minutes_of_week * _MOST_WEEKS:
        raise InvalidInput(_TOO_SLOW)


def _told(
    conn: Connection, by: Staff, action: str, subject: str, before: dict[str, object] | None, after: dict[str, object],
    at: datetime,
) -> None:  # fmt: skip
    # Says to the refresh that any row may have changed.
    conn.execute(insert(deleted_rows).values(table_name="*", row_id=0, deleted_at=at))
    audit.record(conn, by, action, subject, at=at, before=before, after=after)
