"""Attempts to sign in: counted per account and per address, each wrong one makes the next wait longer."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, text, update

from lib.db.tables.staff import sign_in_attempts
from lib.errors import TooManyAttempts

# So many wrong ones cost nothing; from then on the wait doubles.
FREE_OF_ACCOUNT = 5
FREE_OF_ADDRESS = 20
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
# How far back wrong attempts count.
COUNTED = timedelta(hours=24)
# Any number will do, as long as nobody else uses it: attempts are counted one after the other on PostgreSQL.
_LOCK = 71_503_119


@dataclass(frozen=True, slots=True)
class _Past:
    count: int
    last_at: datetime | None


def account_hash(email: str) -> str:
    """The account as typed, so that whether it exists is nobody's business."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def admit(connection: Connection, email: str, address: str | None, *, at: datetime) -> int:
    """Count an attempt before anything is compared, as a wrong one until it proves right; returns its key.

    Raises:
        TooManyAttempts: says how long to wait; the attempt is not counted.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    account, place = account_hash(email), address or "this computer"
    right_at = connection.scalar(
        select(func.max(sign_in_attempts.c.attempted_at)).where(
            sign_in_attempts.c.account_hash == account, sign_in_attempts.c.is_success
        )
    )
    since = max(at - COUNTED, right_at) if right_at else at - COUNTED
    until = max(
        _free_again(_wrong(connection, sign_in_attempts.c.account_hash == account, since), FREE_OF_ACCOUNT, at),
        _free_again(_wrong(connection, sign_in_attempts.c.address == place, at - COUNTED), FREE_OF_ADDRESS, at),
    )
    if until > at:
        raise TooManyAttempts(f"Too many wrong attempts. Try again in {_in_words(until - at)}.")
    connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.attempted_at < at - 2 * COUNTED))
    values = {"account_hash": account, "address": place, "attempted_at": at, "is_success": False}
    (key,) = connection.execute(insert(sign_in_attempts).values(**values)).inserted_primary_key or (0,)
    return int(key)


def was_right(connection: Connection, key: int) -> None:
    """The attempt proved right: the wrong ones before it no longer count against the account."""
    connection.execute(
        update(sign_in_attempts).where(sign_in_attempts.c.sign_in_attempt_id == key).values(is_success=True)
    )


def take_back(connection: Connection, key: int) -> None:
    """The attempt was right so far, and another step is to come: it counts neither way."""
    connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.sign_in_attempt_id == key))


def wait_after(wrong: int, free: int) -> timedelta:
    """How long to wait after so many wrong attempts: nothing at first, then 5 s, 10 s, 20 s … 15 minutes."""
    if wrong < free:
        return timedelta()
    doubled: int = 2 ** min(wrong - free, 20)
    return min(LONGEST_WAIT, FIRST_WAIT * doubled)


def _wrong(connection: Connection, whose: ColumnElement[bool], since: datetime) -> _Past:
    row = connection.execute(
        select(func.count().label("n"), func.max(sign_in_attempts.c.attempted_at).label("last_at")).where(
            whose, ~sign_in_attempts.c.is_success, sign_in_attempts.c.attempted_at > since
        )
    ).one()
    return _Past(row.n, row.last_at)


def _free_again(past: _Past, free: int, at: datetime) -> datetime:
    return at if past.last_at is None else past.last_at + wait_after(past.count, free)


def _in_words(left: timedelta) -> str:
    seconds = max(1, round(left.total_seconds()))
    if seconds < 90:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{-(-seconds // 60)} minutes"
