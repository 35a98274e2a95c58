"""Signing in: by password, with a code as second step where one is set up, or by an identity provider.

An attempt is written down before it is compared, in a transaction of its own, so that a crowd of guesses at
once is counted too; everything else of a refused sign-in leaves nothing behind.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyotp
from sqlalchemy import ColumnElement, Connection, Engine, Row, func, select, update

from lib.db import audit
from lib.db.engine import reading, writing
from lib.db.tables.staff import staff
from lib.db.vault import Vault
from lib.errors import SignInRefused, StaffRefused
from lib.staff import LOCAL, Role, Staff
from lib.workflows import attempts, links, passwords, sessions
from lib.workflows import staff as people
from lib.workflows.sessions import CODE_WANTED, CODE_WITHIN, Caller, Lifetimes

WRONG = "The e-mail address or the password is not right."
WRONG_CODE = "This code is not right, or it was used already. Wait for the next one."
NO_KEY = (
    "The key that opens your authenticator's secret is not on this machine (secret.key in the data folder, or "
    "ENCORE_SECRET_KEY). An owner can turn the code off: under Staff, or by python -m lib staff link --without-code."
)
STEP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session began; ``token`` goes into the browser's cookie."""

    staff_id: int
    token: str


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """The password was right; ``token`` admits a code within ten minutes."""

    token: str


def with_password(
    engine: Engine,
    email: str,
    password: str,
    caller: Caller,
    *,
    at: datetime,
    lifetimes: Lifetimes,
    old_token: str | None = None,
) -> SignedIn | CodeWanted:
    """Sign in, or go on to the code; the browser's former session ends.

    Raises:
        SignInRefused: no such account, or not its password: the words and the time taken are the same.
        TooManyAttempts: says how long to wait.
    """
    email = email.strip().lower()
    with writing(engine) as connection:
        attempt = attempts.admit(connection, email, caller.address, at=at)
    with reading(engine) as connection:
        row = _person(connection, staff.c.email == email)
    stored = row.password_hash if row is not None else None
    if not passwords.matches(stored, password) or row is None or stored is None:
        raise SignInRefused(WRONG)
    renewed = passwords.hashed(password) if passwords.is_outdated(stored) else None
    with writing(engine) as connection:
        row = _person(connection, staff.c.email == email)
        if row is None or row.password_hash != stored:
            raise SignInRefused(WRONG)
        if renewed is not None:
            connection.execute(update(staff).where(staff.c.staff_id == row.staff_id).values(password_hash=renewed))
        if row.totp_confirmed_at is not None:
            attempts.take_back(connection, attempt)
            return CodeWanted(
                sessions.begin(connection, row.staff_id, caller, method=CODE_WANTED, at=at, lasts=CODE_WITHIN)
            )
        attempts.was_right(connection, attempt)
        return _let_in(connection, row, caller, "password", at, lifetimes, old_token)


def with_code(
    engine: Engine,
    step_token: str,
    code: str,
    caller: Caller,
    *,
    vault: Vault,
    at: datetime,
    lifetimes: Lifetimes,
    old_token: str | None = None,
) -> SignedIn:
    """The second step: a code that the person's authenticator shows now, good once.

    Raises:
        SignInRefused: the first step is too long ago, the code is wrong or was used, or its key is not here.
        TooManyAttempts: says how long to wait.
    """
    with reading(engine) as connection:
        row = _awaited(connection, step_token, at)
    with writing(engine) as connection:
        attempt = attempts.admit(connection, row.email, caller.address, at=at)
    with writing(engine) as connection:
        row = _awaited(connection, step_token, at)
        secret = vault.opened(row.totp_secret)
        if row.totp_secret is not None and secret is None:
            raise SignInRefused(NO_KEY)
        step = matching_step(secret, code, at=at, after=row.totp_step)
        if step is None or not _use_step(connection, row.staff_id, step):
            raise SignInRefused(WRONG_CODE)
        if secret is not None and not vault.is_sealed(row.totp_secret):
            # Kept from before secrets were sealed.
            sealed = vault.seal(secret)
            connection.execute(update(staff).where(staff.c.staff_id == row.staff_id).values(totp_secret=sealed))
        attempts.was_right(connection, attempt)
        sessions.end(connection, step_token, at=at)
        return _let_in(connection, row, caller, "password and code", at, lifetimes, old_token)


def with_identity(
    engine: Engine,
    *,
    issuer: str,
    subject: str,
    email: str,
    is_verified: bool,
    caller: Caller,
    at: datetime,
    lifetimes: Lifetimes,
    old_token: str | None = None,
) -> SignedIn:
    """Sign in whom an identity provider vouches for, if an owner invited that person.

    The first time the verified e-mail address decides, and the provider's name for the person is pinned;
    from then on that name alone counts, whatever address the provider says.

    Raises:
        SignInRefused: nobody was invited by that address, or the account belongs to another identity.
    """
    pinned = f"{issuer}|{subject}"
    with writing(engine) as connection:
        row = _person(connection, staff.c.oidc_subject == pinned)
        if row is None:
            row = _person(connection, staff.c.email == email.strip().lower()) if is_verified and email else None
            if row is None or row.oidc_subject is not None:
                raise SignInRefused("Nobody was invited here by that address. Ask an owner of the store to invite you.")
            mine = connection.execute(
                update(staff)
                .where(staff.c.staff_id == row.staff_id, staff.c.oidc_subject.is_(None))
                .values(oidc_subject=pinned)
            )
            if mine.rowcount != 1:
                raise SignInRefused("Somebody else came in by that address a moment ago. Ask an owner of the store.")
            # Who came in this way has accepted; the link that still waits would let in whoever finds it.
            links.void(connection, row.staff_id)
        return _let_in(connection, row, caller, "identity provider", at, lifetimes, old_token)


def with_link(
    engine: Engine, token: str, password: str, caller: Caller, *, at: datetime, lifetimes: Lifetimes, name: str = ""
) -> SignedIn | None:
    """Set the password that a link allows to set, and sign in; null when a code is still to be asked for.

    Raises:
        SignInRefused: the link is not good, or the password is too easy.
    """
    with writing(engine) as connection:
        link = links.accept(connection, token, password, caller, at=at, name=name)
        if link.has_code:
            return None
        row = connection.execute(select(staff).where(staff.c.staff_id == link.staff_id)).one()
        return _let_in(connection, row, caller, link.kind, at, lifetimes, None)


def as_first_owner(
    engine: Engine, email: str, name: str, password: str, caller: Caller, *, at: datetime, lifetimes: Lifetimes
) -> SignedIn:
    """Make the account of the person at this machine, and sign in; from then on everybody does.

    Raises:
        StaffRefused: somebody has an account already, or no e-mail address.
        SignInRefused: the password is too easy.
    """
    passwords.check(password, about=(email, name))
    with writing(engine) as connection:
        if sessions.anyone(connection):
            raise StaffRefused("Somebody has an account already: sign in.")
        _, token = people.invite(connection, LOCAL, email, Role.OWNER, at=at, name=name)
        # Writing to the log takes turns: whoever comes second sees the first one's account by now.
        if connection.execute(select(func.count()).where(staff.c.is_active)).scalar_one() > 1:
            raise StaffRefused("Somebody made the first account a moment ago: sign in, or ask for an invitation.")
        link = links.accept(connection, token, password, caller, at=at, name=name)
        row = connection.execute(select(staff).where(staff.c.staff_id == link.staff_id)).one()
        return _let_in(connection, row, caller, "password", at, lifetimes, None)


def sign_out(engine: Engine, token: str, *, at: datetime, address: str | None = None) -> None:
    """End the session of a token; a token that opens nothing is nobody's."""
    with writing(engine) as connection:
        whose = sessions.end(connection, token, at=at)
        if whose is not None:
            row = connection.execute(select(staff).where(staff.c.staff_id == whose)).one()
            audit.record(connection, person(row, address), "staff.signed_out", f"staff:{whose}", at=at)


def person(row: Row[Any], address: str | None) -> Staff:
    """Somebody as the log names them, from a row of ``staff``."""
    return Staff(staff_id=row.staff_id, name=row.name, role=Role(row.role), email=row.email, address=address)


def matching_step(secret: str | None, code: str, *, at: datetime, after: int | None) -> int | None:
    """The time step whose code it is: this one or a neighbour, and later than the last that was used."""
    digits = "".join(code.split())
    if not secret or not digits.isascii() or not digits.isdecimal():
        return None
    authenticator, now = pyotp.TOTP(secret), int(at.timestamp()) // STEP_SECONDS
    for step in (now, now - 1, now + 1):
        if (after is None or step > after) and pyotp.utils.strings_equal(authenticator.at(step * STEP_SECONDS), digits):
            return step
    return None


def _use_step(connection: Connection, staff_id: int, step: int) -> bool:
    """Note that a step's code was used; false when another sign-in was quicker."""
    return (
        connection.execute(
            update(staff)
            .where(staff.c.staff_id == staff_id, staff.c.totp_step.is_(None) | (staff.c.totp_step < step))
            .values(totp_step=step)
        ).rowcount
        == 1
    )


def _person(connection: Connection, which: ColumnElement[bool]) -> Row[Any] | None:
    return connection.execute(select(staff).where(which, staff.c.is_active)).first()


def _awaited(connection: Connection, step_token: str, at: datetime) -> Row[Any]:
    staff_id = sessions.waiting_for_code(connection, step_token, at=at)
    row = _person(connection, staff.c.staff_id == staff_id) if staff_id is not None else None
    if row is None:
        raise SignInRefused("That took too long. Sign in again.")
    return row


def _let_in(
    connection: Connection,
    row: Row[Any],
    caller: Caller,
    method: str,
    at: datetime,
    lifetimes: Lifetimes,
    old_token: str | None,
) -> SignedIn:
    if old_token:
        sessions.end(connection, old_token, at=at)
    token = sessions.begin(connection, row.staff_id, caller, method=method, at=at, lasts=lifetimes.longest)
    connection.execute(update(staff).where(staff.c.staff_id == row.staff_id).values(signed_in_at=at))
    audit.record(
        connection,
        person(row, caller.address),
        "staff.signed_in",
        f"staff:{row.staff_id}",
        at=at,
        after={"method": method},
    )
    return SignedIn(row.staff_id, token)
