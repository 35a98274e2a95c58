"""Links that let somebody set a password: an invitation, or a reset. Each serves once, until it expires."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from lib.db import audit
from lib.db.tables.staff import staff, staff_links
from lib.errors import SignInRefused
from lib.staff import Role, Staff
from lib.workflows import passwords, sessions
from lib.workflows.sessions import Caller

INVITATION, RESET = "invitation", "reset"
LASTS = {INVITATION: timedelta(days=7), RESET: timedelta(hours=24)}
# One that somebody asked for themselves, sent by mail.
ASKED_FOR = timedelta(hours=1)
NOT_GOOD = "This link has expired or was used already. Ask an owner of the store for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that is good now, and whose it is."""

    kind: str
    staff_id: int
    email: str
    name: str
    has_code: bool


def issue(connection: Connection, staff_id: int, kind: str, *, at: datetime, lasts: timedelta | None = None) -> str:
    """Make a link and return its token, which is kept nowhere; the person's earlier links are void."""
    void(connection, staff_id)
    token = sessions.new_token()
    connection.execute(
        insert(staff_links).values(
            staff_id=staff_id,
            kind=kind,
            token_hash=sessions.digest(token),
            created_at=at,
            expires_at=at + (lasts or LASTS[kind]),
        )
    )
    return token


def void(connection: Connection, staff_id: int) -> None:
    """Make every link of a person that still waits good for nothing."""
    connection.execute(delete(staff_links).where(staff_links.c.staff_id == staff_id, staff_links.c.used_at.is_(None)))


def path_of(kind: str, token: str) -> str:
    """Where a link leads, below the address of the app."""
    return f"/{kind}/{token}"


def opened(connection: Connection, token: str, *, at: datetime) -> Link:
    """What a link is good for; opening it does not use it.

    Raises:
        SignInRefused: unknown, expired or used, or the person may no longer come in.
    """
    row = connection.execute(
        select(staff_links.c.kind, staff.c.staff_id, staff.c.email, staff.c.name, staff.c.totp_confirmed_at)
        .join(staff, staff.c.staff_id == staff_links.c.staff_id)
        .where(
            staff_links.c.token_hash == sessions.digest(token),
            staff_links.c.used_at.is_(None),
            staff_links.c.expires_at > at,
            staff.c.is_active,
        )
    ).first()
    if row is None:
        raise SignInRefused(NOT_GOOD)
    return Link(
        kind=row.kind,
        staff_id=row.staff_id,
        email=row.email,
        name=row.name,
        has_code=row.totp_confirmed_at is not None,
    )


def accept(connection: Connection, token: str, password: str, caller: Caller, *, at: datetime, name: str = "") -> Link:
    """Set the password that a link allows to set, once; every session of the person ends.

    Raises:
        SignInRefused: the link is not good, or the password is too easy; the link stays good then.
    """
    link = opened(connection, token, at=at)
    called = " ".join(name.split()) or link.name
    passwords.check(password, about=(link.email, called))
    used = connection.execute(
        update(staff_links)
        .where(staff_links.c.token_hash == sessions.digest(token), staff_links.c.used_at.is_(None))
        .values(used_at=at)
    )
    if used.rowcount != 1:
        raise SignInRefused(NOT_GOOD)
    row = connection.execute(
        update(staff)
        .where(staff.c.staff_id == link.staff_id)
        .values(password_hash=passwords.hashed(password), name=called[:200], version=staff.c.version + 1)
        .returning(staff.c.role)
    ).one()
    sessions.end_all(connection, link.staff_id, at=at)
    by = Staff(staff_id=link.staff_id, name=called[:200], role=Role(row.role), email=link.email, address=caller.address)
    action = "staff.accepted" if link.kind == INVITATION else "staff.password_reset"
    audit.record(connection, by, action, f"staff:{link.staff_id}", at=at)
    return link
