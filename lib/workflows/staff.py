"""Who works here: invite, change a role, let go and take back, end sessions, help back in.

Whatever changes who is an owner takes turns: of two owners who remove each other at once, the second is told.
"""

import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from lib.db import audit
from lib.db.tables.staff import staff
from lib.errors import Conflict, NotAllowed, StaffRefused
from lib.staff import May, Role, Staff
from lib.workflows import links, sessions

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)*")
_LONGEST_EMAIL = 254


def invite(
    connection: Connection, by: Staff, email: str, role: Role, *, at: datetime, name: str = ""
) -> tuple[int, str]:
    """Give somebody an account; returns its key and the token of the invitation, which is kept nowhere.

    Raises:
        NotAllowed: not an owner.
        StaffRefused: no e-mail address, somebody has it already, or the first person is no owner.
    """
    by.must(May.MANAGE_STAFF)
    address = email.strip().lower()
    if not _EMAIL.fullmatch(address) or len(address) > _LONGEST_EMAIL:
        raise StaffRefused("This is no e-mail address. Write one such as anna@example.com.")
    owners = _owners(connection)
    _still_may(connection, by)
    if not owners and role is not Role.OWNER:
        raise StaffRefused("The first person must be an owner: somebody has to be able to let the others in.")
    there = connection.execute(select(staff).where(staff.c.email == address)).first()
    if there is not None:
        raise StaffRefused(
            "Somebody with this address works here already."
            if there.is_active
            else "Somebody with this address worked here before: take that account back instead."
        )
    called = " ".join(name.split())[:200] or address.partition("@")[0]
    values = {"email": address, "name": called, "role": role.value, "is_active": True, "created_at": at}
    (key,) = connection.execute(insert(staff).values(**values)).inserted_primary_key or (0,)
    token = links.issue(connection, int(key), links.INVITATION, at=at)
    audit.record(connection, by, "staff.invited", f"staff:{key}", at=at, after={"role": role.value})
    return int(key), token


def change_role(connection: Connection, by: Staff, staff_id: int, role: Role, *, version: int, at: datetime) -> None:
    """Give somebody another role; it counts from their next action on.

    Raises:
        NotAllowed: not an owner.
        StaffRefused: the last owner.
        Conflict: somebody else changed the account first.
    """
    owners, row = _to_change(connection, by, staff_id, version)
    if row.role == role.value:
        return
    if role is not Role.OWNER:
        _another_owner_stays(owners, row)
    _write(connection, row, role=role.value)
    audit.record(
        connection,
        by,
        "staff.role_changed",
        f"staff:{staff_id}",
        at=at,
        before={"role": row.role},
        after={"role": role.value},
    )


def deactivate(connection: Connection, by: Staff, staff_id: int, *, version: int, at: datetime) -> None:
    """Let somebody in no longer: sessions and links end at once; what they did stays on record.

    Raises:
        NotAllowed: not an owner.
        StaffRefused: the last owner.
        Conflict: somebody else changed the account first.
    """
    owners, row = _to_change(connection, by, staff_id, version)
    if not row.is_active:
        return
    _another_owner_stays(owners, row)
    _write(connection, row, is_active=False)
    sessions.end_all(connection, staff_id, at=at)
    links.void(connection, staff_id)
    audit.record(connection, by, "staff.deactivated", f"staff:{staff_id}", at=at)


def activate(connection: Connection, by: Staff, staff_id: int, *, version: int, at: datetime) -> None:
    """Take somebody back, with the role and the password they had.

    Raises:
        NotAllowed: not an owner.
        Conflict: somebody else changed the account first.
    """
    _, row = _to_change(connection, by, staff_id, version)
    if row.is_active:
        return
    _write(connection, row, is_active=True)
    audit.record(connection, by, "staff.activated", f"staff:{staff_id}", at=at)


def sign_out_everywhere(connection: Connection, by: Staff, staff_id: int, *, at: datetime) -> int:
    """End every session of a person; returns how many were open.

    Raises:
        NotAllowed: neither an owner nor the person.
    """
    if by.staff_id != staff_id:
        by.must(May.MANAGE_STAFF)
        _still_may(connection, by)
    ended = sessions.end_all(connection, staff_id, at=at)
    audit.record(connection, by, "staff.signed_out_everywhere", f"staff:{staff_id}", at=at, after={"sessions": ended})
    return ended


def new_link(connection: Connection, by: Staff, staff_id: int, *, at: datetime) -> tuple[str, str]:
    """A new link for somebody: an invitation until they have come in once, a reset afterwards.

    Returns:
        kind and token, which is kept nowhere; earlier links are void.
    Raises:
        NotAllowed: not an owner.
        StaffRefused: nobody there, or no longer.
    """
    _, row = _to_change(connection, by, staff_id, None)
    if not row.is_active:
        raise StaffRefused("This person no longer works here: take the account back first.")
    kind = links.RESET if _can_sign_in(row) else links.INVITATION
    token = links.issue(connection, staff_id, kind, at=at)
    audit.record(connection, by, f"staff.{kind}_sent", f"staff:{staff_id}", at=at)
    return kind, token


def remove_second_step(connection: Connection, by: Staff, staff_id: int, *, at: datetime) -> None:
    """Let somebody who lost the authenticator in by password alone.

    Raises:
        NotAllowed: not an owner.
    """
    _, row = _to_change(connection, by, staff_id, None)
    if row.totp_secret is None:
        return
    _write(connection, row, totp_secret=None, totp_confirmed_at=None, totp_step=None)
    audit.record(connection, by, "staff.second_step_removed", f"staff:{staff_id}", at=at)


def _to_change(
    connection: Connection, by: Staff, staff_id: int, version: int | None
) -> tuple[list[Row[Any]], Row[Any]]:
    """The owners, locked, and the row to change, once it is sure that ``by`` still may."""
    by.must(May.MANAGE_STAFF)
    owners = _owners(connection)
    _still_may(connection, by)
    row = connection.execute(select(staff).where(staff.c.staff_id == staff_id)).first()
    if row is None:
        raise StaffRefused("There is nobody of that number.")
    if version is not None and row.version != version:
        raise Conflict(f"Somebody else changed {row.name} a moment ago. Look again, then decide.")
    return owners, row


def _owners(connection: Connection) -> list[Row[Any]]:
    """The owners who may come in, locked until this transaction ends (on SQLite a writer is alone anyway)."""
    return list(
        connection.execute(
            select(staff)
            .where(staff.c.role == Role.OWNER.value, staff.c.is_active)
            .order_by(staff.c.staff_id)
            .with_for_update()
        )
    )


def _still_may(connection: Connection, by: Staff) -> None:
    """Whoever acts may have lost the role since the page was drawn."""
    if by.staff_id is None:
        return
    row = connection.execute(select(staff.c.role, staff.c.is_active).where(staff.c.staff_id == by.staff_id)).first()
    if row is None or not row.is_active:
        raise NotAllowed("You no longer work here.")
    Staff(staff_id=by.staff_id, name=by.name, role=Role(row.role)).must(May.MANAGE_STAFF)


def _another_owner_stays(owners: list[Row[Any]], row: Row[Any]) -> None:
    """Somebody must be able to let the others in: one invited but never seen cannot."""
    if row.role != Role.OWNER.value or not row.is_active:
        return
    others = [owner for owner in owners if owner.staff_id != row.staff_id]
    if not any(_can_sign_in(owner) for owner in others) and (_can_sign_in(row) or not others):
        raise StaffRefused(f"{row.name} is the last owner. Make somebody else an owner first.")


def _can_sign_in(row: Row[Any]) -> bool:
    return row.password_hash is not None or row.oidc_subject is not None


def _write(connection: Connection, row: Row[Any], **values: Any) -> None:
    connection.execute(
        update(staff).where(staff.c.staff_id == row.staff_id).values(**values, version=staff.c.version + 1)
    )
