"""Passwords: what is asked of one, how it is kept, and how it is compared."""

import secrets
import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from lib.errors import SignInRefused

SHORTEST = 12
LONGEST = 1000
# Argon2id with the library's own parameters (RFC 9106, the variant for little memory).
_HASHER = PasswordHasher()
# Each hash takes 64 MB for its time: a crowd of sign-ins must not take all memory.
_TURNS = BoundedSemaphore(2)


def check(password: str, *, about: tuple[str, ...] = ()) -> None:
    """Refuse a password that is easily guessed.

    Args:
        about: what everybody knows of the person: the e-mail address, the name.
    Raises:
        SignInRefused: says what is missing.
    """
    if len(password) < SHORTEST:
        raise SignInRefused(f"A password needs at least {SHORTEST} characters. A few words in a row are easy to keep.")
    if len(password) > LONGEST:
        raise SignInRefused(f"A password may have at most {LONGEST} characters.")
    if len(set(password.lower())) < 5:
        raise SignInRefused("This password repeats too few characters. A few words in a row are easy to keep.")
    if password.strip().lower() in {known.strip().lower() for known in about}:
        raise SignInRefused("Your name or e-mail address is no password.")


def hashed(password: str) -> str:
    """What is stored of a password."""
    with _TURNS:
        return _HASHER.hash(_composed(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the password; takes as long when there is none to compare with."""
    with _TURNS:
        try:
            _HASHER.verify(stored or _nobodys(), _composed(password)[:LONGEST])
        except (Argon2Error, InvalidHashError):
            return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def _composed(password: str) -> str:
    # The same letters, typed on two keyboards, may come as different code points.
    return unicodedata.normalize("NFC", password)


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe())
