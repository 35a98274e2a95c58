"""Taking rows out of Encore leaves a trace: whoever exports is in the log before the file is made."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from lib.db import audit
from lib.staff import May, Staff


def record_export(connection: Connection, by: Staff, what: str, *, rows: int, at: datetime, **about: Any) -> None:
    """Note that rows were taken out.

    Args:
        what: ``<noun>:<key>`` of what was taken, such as ``figure:net_sales``.
        about: what else tells which rows: days, filters; nothing personal.
    Raises:
        NotAllowed: the role may not download rows.
    """
    by.must(May.EXPORT)
    audit.record(connection, by, "rows.exported", what, at=at, after={"rows": rows, **about})


def record_log_export(connection: Connection, by: Staff, *, rows: int, at: datetime, **about: Any) -> None:
    """Note that the log itself was taken out.

    Raises:
        NotAllowed: the role may not see the log.
    """
    by.must(May.SEE_AUDIT)
    audit.record(connection, by, "audit.exported", "audit:log", at=at, after={"rows": rows, **about})
