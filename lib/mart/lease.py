"""One refresher of the mart at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from lib.db.lease import Lease
from lib.db.lease import take as take_lease
from lib.errors import RefreshBusy

NAME = "mart"


def take(engine: Engine) -> Lease:
    """Take the right to refresh.

    Raises:
        RefreshBusy: another process holds it.
    """
    return take_lease(engine, NAME, refusal=RefreshBusy)


@contextmanager
def lease(engine: Engine) -> Iterator[Lease]:
    """Hold the right to refresh for the length of a block.

    Raises:
        RefreshBusy: another process holds it.
    """
    with take(engine) as held:
        yield held
