"""One's own account: name, password, the second step, and where one is signed in."""

from datetime import datetime
from typing import Any

import pyotp
from sqlalchemy import Connection, Engine, Row, select, update

from lib.db import audit
from lib.db.engine import reading, writing
from lib.db.tables.staff import sessions as sessions_table
from lib.db.tables.staff import staff
from lib.db.vault import Vault
from lib.errors import NotSignedIn, SignInRefused, StaffRefused
from lib.staff import Staff
from lib.workflows import attempts, passwords, sessions
from lib.workflows.sign_in import matching_step

ISSUER = "Encore"


def rename(connection: Connection, by: Staff, name: str, *, at: datetime) -> None:
    """Change the name that others read.

    Raises:
        StaffRefused: no name.
    """
    row, called = _own(connection, by), " ".join(name.split())[:200]
    if not called:
        raise StaffRefused("A name needs at least one letter.")
    if called == row.name:
        return
    _write(connection, row, name=called)
    audit.record(connection, by, "staff.renamed", _subject(row), at=at)


def change_password(engine: Engine, by: Staff, old: str, new: str, *, at: datetime, keep: int | None = None) -> None:
    """Set another password; every other session ends.

    Args:
        keep: the session that stays.
    Raises:
        SignInRefused: the old password is wrong, the new one too easy.
        TooManyAttempts: says how long to wait.
    """
    with reading(engine) as connection:
        row = _own(connection, by)
    passwords.check(new, about=(row.email, row.name))
    with writing(engine) as connection:
        attempt = attempts.admit(connection, row.email, by.address, at=at)
    if row.password_hash is not None and not passwords.matches(row.password_hash, old):
        raise SignInRefused("The old password is not right.")
    new_hash = passwords.hashed(new)
    with writing(engine) as connection:
        if _own(connection, by).password_hash != row.password_hash:
            raise SignInRefused("The password was changed elsewhere a moment ago.")
        attempts.was_right(connection, attempt)
        _write(connection, row, password_hash=new_hash)
        sessions.end_all(connection, row.staff_id, at=at, but=keep)
        audit.record(connection, by, "staff.password_changed", _subject(row), at=at)


def begin_second_step(connection: Connection, by: Staff, vault: Vault) -> tuple[str, str]:
    """A new secret for an authenticator; nothing is asked for until a code confirms it.

    Returns:
        the secret, and the address that a QR code of it holds.
    Raises:
        StaffRefused: a second step is set up already.
    """
    row = _own(connection, by)
    if row.totp_confirmed_at is not None:
        raise StaffRefused("The second step is set up already. Turn it off first.")
    secret = vault.opened(row.totp_secret)
    if secret is None:
        secret = pyotp.random_base32()
        sealed = vault.seal(secret)
        connection.execute(update(staff).where(staff.c.staff_id == row.staff_id).values(totp_secret=sealed))
    return secret, pyotp.TOTP(secret).provisioning_uri(name=row.email, issuer_name=ISSUER)


def confirm_second_step(connection: Connection, by: Staff, code: str, *, vault: Vault, at: datetime) -> None:
    """Ask for a code from now on, once one proved that the authenticator has the secret.

    Raises:
        SignInRefused: the code is wrong.
    """
    row = _own(connection, by)
    step = matching_step(vault.opened(row.totp_secret), code, at=at, after=None)
    if row.totp_confirmed_at is not None or step is None:
        raise SignInRefused("This code is not right. Take the one that the authenticator shows now.")
    _write(connection, row, totp_confirmed_at=at, totp_step=step)
    audit.record(connection, by, "staff.second_step_set_up", _subject(row), at=at)


def remove_second_step(engine: Engine, by: Staff, password: str, *, at: datetime) -> None:
    """Sign in by password alone again.

    Raises:
        SignInRefused: the password is wrong.
        TooManyAttempts: says how long to wait.
    """
    with reading(engine) as connection:
        row = _own(connection, by)
    with writing(engine) as connection:
        attempt = attempts.admit(connection, row.email, by.address, at=at)
    if not passwords.matches(row.password_hash, password):
        raise SignInRefused("The password is not right.")
    with writing(engine) as connection:
        attempts.was_right(connection, attempt)
        _write(connection, row, totp_secret=None, totp_confirmed_at=None, totp_step=None)
        audit.record(connection, by, "staff.second_step_removed", _subject(row), at=at)


def end_session(connection: Connection, by: Staff, session_id: int, *, at: datetime) -> None:
    """Sign out one of one's own sessions, somewhere else."""
    row = _own(connection, by)
    ended = connection.execute(
        update(sessions_table)
        .where(
            sessions_table.c.session_id == session_id,
            sessions_table.c.staff_id == row.staff_id,
            sessions_table.c.revoked_at.is_(None),
        )
        .values(revoked_at=at)
    ).rowcount
    if ended:
        audit.record(connection, by, "staff.session_ended", _subject(row), at=at)


def _own(connection: Connection, by: Staff) -> Row[Any]:
    row = connection.execute(select(staff).where(staff.c.staff_id == by.staff_id, staff.c.is_active)).first()
    if row is None:
        raise NotSignedIn("Nobody is signed in here.")
    return row


def _subject(row: Row[Any]) -> str:
    return f"staff:{row.staff_id}"


def _write(connection: Connection, row: Row[Any], **values: Any) -> None:
    connection.execute(
        update(staff).where(staff.c.staff_id == row.staff_id).values(**values, version=staff.c.version + 1)
    )
