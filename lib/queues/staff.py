"""The people who work here and where they are signed in, as they are now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from lib.db.tables.staff import sessions, staff, staff_links


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account. ``state``: active, invited, invitation expired, deactivated."""

    staff_id: int
    email: str
    name: str
    role: str
    state: str
    has_second_step: bool
    has_password: bool
    has_identity: bool
    sessions: int
    signed_in_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One place where somebody is signed in."""

    session_id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    browser: str
    method: str


def people(connection: Connection, *, at: datetime) -> list[Person]:
    """Everybody, those who may come in first, then by name."""
    running = (
        select(sessions.c.staff_id, func.count().label("n"))
        .where(sessions.c.revoked_at.is_(None), sessions.c.expires_at > at, sessions.c.method != "code wanted")
        .group_by(sessions.c.staff_id)
        .subquery()
    )
    waiting = (
        select(staff_links.c.staff_id, func.max(staff_links.c.expires_at).label("until"))
        .where(staff_links.c.used_at.is_(None))
        .group_by(staff_links.c.staff_id)
        .subquery()
    )
    found = connection.execute(
        select(staff, running.c.n, waiting.c.until)
        .outerjoin(running, running.c.staff_id == staff.c.staff_id)
        .outerjoin(waiting, waiting.c.staff_id == staff.c.staff_id)
        .order_by(case((staff.c.is_active, 0), else_=1), func.lower(staff.c.name), staff.c.staff_id)
    ).all()
    return [
        Person(
            staff_id=row.staff_id,
            email=row.email,
            name=row.name,
            role=row.role,
            state=_state(
                is_active=row.is_active,
                came_in=row.password_hash is not None or row.oidc_subject is not None,
                link_until=row.until,
                at=at,
            ),
            has_second_step=row.totp_confirmed_at is not None,
            has_password=row.password_hash is not None,
            has_identity=row.oidc_subject is not None,
            sessions=row.n or 0,
            signed_in_at=row.signed_in_at,
            version=row.version,
        )
        for row in found
    ]


def person(connection: Connection, staff_id: int, *, at: datetime) -> Person | None:
    """One of them."""
    return next((one for one in people(connection, at=at) if one.staff_id == staff_id), None)


def sessions_of(connection: Connection, staff_id: int, *, at: datetime, idle_since: datetime) -> list[Session]:
    """Where somebody is signed in now, latest use first."""
    found = connection.execute(
        select(sessions)
        .where(
            sessions.c.staff_id == staff_id,
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > at,
            sessions.c.seen_at > idle_since,
            sessions.c.method != "code wanted",
        )
        .order_by(sessions.c.seen_at.desc())
    ).all()
    return [
        Session(
            session_id=row.session_id,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=row.expires_at,
            address=row.address or "this computer",
            browser=row.browser or "",
            method=row.method,
        )
        for row in found
    ]


def _state(*, is_active: bool, came_in: bool, link_until: datetime | None, at: datetime) -> str:
    if not is_active:
        return "deactivated"
    if came_in:
        return "active"
    return "invited" if link_until is not None and link_until > at else "invitation expired"
