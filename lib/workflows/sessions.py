"""Sessions: who is signed in, from when to when. The browser holds a random token, the database its hash."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, insert, select, update

from lib.db.tables.staff import sessions, staff
from lib.settings import Settings
from lib.staff import Role, Staff

# A password was right and the code is still to come: good for the code and nothing else.
CODE_WANTED = "code wanted"
CODE_WITHIN = timedelta(minutes=10)
# What is noted of a browser, for its owner to recognise it by.
_BROWSER_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lasts: without a click, and at most."""

    idle: timedelta
    longest: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "Lifetimes":
        """As the settings say."""
        return cls(timedelta(hours=settings.session_idle_hours), timedelta(days=settings.session_days))


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from."""

    address: str | None = None
    browser: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A session in force, and whose it is. ``mark`` changes whenever what the person may do does."""

    session_id: int
    staff: Staff
    seen_at: datetime
    mark: str


def digest(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """A token that cannot be guessed: 256 random bits."""
    return secrets.token_urlsafe(32)


def begin(connection: Connection, staff_id: int, caller: Caller, *, method: str, at: datetime, lasts: timedelta) -> str:
    """Begin a session and return its token, which is kept nowhere."""
    token = new_token()
    connection.execute(
        insert(sessions).values(
            staff_id=staff_id,
            token_hash=digest(token),
            created_at=at,
            seen_at=at,
            expires_at=at + lasts,
            address=caller.address,
            browser=caller.browser[:_BROWSER_LENGTH],
            method=method,
        )
    )
    return token


def signed_in(
    connection: Connection, token: str, *, at: datetime, idle: timedelta, address: str | None = None
) -> Signed | None:
    """Whose session a token opens; null when it is none, is over, or its owner may no longer come in."""
    row = connection.execute(
        select(
            sessions.c.session_id,
            sessions.c.seen_at,
            staff.c.staff_id,
            staff.c.name,
            staff.c.email,
            staff.c.role,
        )
        .join(staff, staff.c.staff_id == sessions.c.staff_id)
        .where(
            sessions.c.token_hash == digest(token),
            sessions.c.method != CODE_WANTED,
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > at,
            sessions.c.seen_at > at - idle,
            staff.c.is_active,
        )
    ).first()
    if row is None:
        return None
    person = Staff(staff_id=row.staff_id, name=row.name, role=Role(row.role), email=row.email, address=address)
    return Signed(
        session_id=row.session_id,
        staff=person,
        seen_at=row.seen_at,
        mark=f"{row.session_id}:{row.role}",
    )


def waiting_for_code(connection: Connection, token: str, *, at: datetime) -> int | None:
    """The person whose password was right and whose code is awaited."""
    return connection.scalar(
        select(sessions.c.staff_id)
        .join(staff, staff.c.staff_id == sessions.c.staff_id)
        .where(
            sessions.c.token_hash == digest(token),
            sessions.c.method == CODE_WANTED,
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > at,
            staff.c.is_active,
        )
    )


def anyone(connection: Connection) -> bool:
    """Whether anybody has an account: from then on everybody signs in."""
    return bool(connection.scalar(select(exists().where(staff.c.is_active))))


def seen(connection: Connection, session_id: int, *, at: datetime) -> None:
    """Note that a session is in use."""
    connection.execute(
        update(sessions).where(sessions.c.session_id == session_id, sessions.c.seen_at < at).values(seen_at=at)
    )


def end(connection: Connection, token: str, *, at: datetime) -> int | None:
    """End the session of a token; returns whose it was, null when it was over already."""
    whose = connection.scalar(
        update(sessions)
        .where(sessions.c.token_hash == digest(token), sessions.c.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(sessions.c.staff_id)
    )
    return None if whose is None else int(whose)


def end_all(connection: Connection, staff_id: int, *, at: datetime, but: int | None = None) -> int:
    """End every session of a person, except one; returns how many were open."""
    still = [sessions.c.staff_id == staff_id, sessions.c.revoked_at.is_(None)]
    if but is not None:
        still.append(sessions.c.session_id != but)
    return connection.execute(update(sessions).where(*still).values(revoked_at=at)).rowcount
