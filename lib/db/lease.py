"""One process at a time for a job: a row in the order database that its holder keeps alive."""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from lib.db.engine import writing
from lib.db.tables.columns import now
from lib.db.tables.store import refresh_locks
from lib.errors import EncoreError, JobBusy

LASTS = timedelta(seconds=60)
BEATS_EVERY = 15.0


def _started(pid: int) -> str:
    """When a process of this machine started, in clock ticks; empty where the system does not tell.

    It tells a dead holder's process from another that was given the same number.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_alive(pid: int, started: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return started == "0" or _started(pid) in ("", started)


def _is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that is gone."""
    host, _, rest = holder.partition(" ")
    numbers = rest.split(" ")
    if host != socket.gethostname() or len(numbers) < 2 or not numbers[0].isdigit():
        return False
    return not _is_alive(int(numbers[0]), numbers[1])


class Lease:
    """The right to do a job, while it is held."""

    def __init__(self, engine: Engine, name: str, holder: str, refusal: Callable[[str], EncoreError]) -> None:
        self._engine = engine
        self._name = name
        self._refusal = refusal
        self.holder = holder
        self._stop = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=f"{name}-lease", daemon=True)

    def must_hold(self) -> None:
        """Renew the lease, or refuse to go on.

        Raises:
            JobBusy: it ran out meanwhile and another process has taken it.
        """
        if not self._renew():
            raise self._refusal("Another process took this over; its result counts.")

    def _renew(self) -> bool:
        with writing(self._engine) as connection:
            renewed = connection.execute(
                update(refresh_locks)
                .where(refresh_locks.c.name == self._name, refresh_locks.c.holder == self.holder)
                .values(expires_at=now() + LASTS)
            )
        return renewed.rowcount == 1

    def _beat(self) -> None:
        while not self._stop.wait(BEATS_EVERY):
            try:
                if not self._renew():
                    return
            except DBAPIError:
                # A long import may hold the database's write lock: the next beat tries again.
                continue

    def _release(self) -> None:
        self._stop.set()
        if self._beating.is_alive():
            self._beating.join()
        with writing(self._engine) as connection:
            connection.execute(
                delete(refresh_locks).where(refresh_locks.c.name == self._name, refresh_locks.c.holder == self.holder)
            )

    def __enter__(self) -> "Lease":
        self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._release()


def take(engine: Engine, name: str, *, refusal: Callable[[str], EncoreError] = JobBusy) -> Lease:
    """Take the lease of a job; a holder that died on this machine, or whose lease ran out, is succeeded.

    Args:
        refusal: makes the error of a job that has words of its own.

    Raises:
        JobBusy: another process holds it.
    """
    mine = f"{socket.gethostname()} {os.getpid()} {_started(os.getpid()) or '0'} {secrets.token_hex(8)}"
    at = now()
    values = {"holder": mine, "taken_at": at, "expires_at": at + LASTS}
    with writing(engine) as connection:
        held = connection.execute(select(refresh_locks).where(refresh_locks.c.name == name)).mappings().first()
        if held is not None:
            if held["expires_at"] > at and not _is_dead(held["holder"]):
                raise refusal("Another process is at this already; its result will be here in a moment.")
            # Compare and set: of two that see the same dead holder, one wins.
            taken = connection.execute(
                update(refresh_locks)
                .where(refresh_locks.c.name == name, refresh_locks.c.holder == held["holder"])
                .values(**values)
            )
            if taken.rowcount != 1:
                raise refusal("Another process has just begun this.")
            return Lease(engine, name, mine, refusal)
        try:
            connection.execute(insert(refresh_locks).values(name=name, **values))
        except IntegrityError as error:
            raise refusal("Another process has just begun this.") from error
    return Lease(engine, name, mine, refusal)


@contextmanager
def lease(engine: Engine, name: str) -> Iterator[Lease]:
    """Hold the lease of a job for the length of a block.

    Raises:
        JobBusy: another process holds it.
    """
    with take(engine, name) as held:
        yield held
