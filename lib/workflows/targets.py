"""How fast an answer is promised: changed by whom, from what to what."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from lib.db import audit
from lib.db.tables.desk import targets
from lib.db.tables.store import deleted_rows
from lib.errors import Conflict, InvalidInput
from lib.staff import May, Staff

# Five minutes to four weeks: anything else is a slip.
LEAST_MINUTES = 5
MOST_MINUTES = 28 * 24 * 60


def set_target(
    conn: Connection, by: Staff, work: str, minutes: int, *, version: int, at: datetime, clock: str = "calendar"
) -> None:
    """Promise an answer within so many minutes; every figure is worked out anew at the next refresh.

    Args:
        work: ``review``, ``negative_review``, ``question`` or a channel of tickets.
        version: of the target as seen; 0 while the default of the definitions holds.
        clock: ``calendar``, or ``business`` for the store's opening hours.

    Raises:
        InvalidInput: the time is too short or too long.
        Conflict: somebody changed it since ``version``.
    """
    by.must(May.SET_GOALS)
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise InvalidInput("A target is between 5 minutes and 4 weeks.")
    row = conn.execute(select(targets).where(targets.c.work == work).with_for_update()).mappings().first()
    if (row["version"] if row else 0) != version:
        raise Conflict("Somebody changed this target meanwhile. Look at it again.")
    values = {"minutes": minutes, "clock": clock, "updated_at": at}
    if row is None:
        try:
            with conn.begin_nested():
                conn.execute(insert(targets).values(work=work, **values))
        except IntegrityError as error:
            raise Conflict("Somebody changed this target meanwhile. Look at it again.") from error
    else:
        conn.execute(update(targets).where(targets.c.work == work).values(**values, version=version + 1))
    # Says to the refresh that any row may have changed.
    conn.execute(insert(deleted_rows).values(table_name="*", row_id=0, deleted_at=at))
    before = {"minutes": row["minutes"], "clock": row["clock"]} if row else None
    audit.record(
        conn,
        by,
        "target.set",
        f"target:{work}",
        at=at,
        before=before,
        after={"minutes": minutes, "clock": clock},
    )
