"""How fast an answer is promised, where the store has set it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from lib.db.tables.desk import targets


@dataclass(frozen=True, slots=True)
class Target:
    """A promise in minutes, by the ``calendar`` or the ``business`` clock; version 0 is the default."""

    minutes: int
    clock: str
    version: int


def targets_of(connection: Connection, work: Sequence[str]) -> dict[str, Target]:
    """The store's own targets of some kinds of work; a kind that keeps its default is absent."""
    rows = connection.execute(select(targets).where(targets.c.work.in_(work)))
    return {row.work: Target(row.minutes, row.clock, row.version) for row in rows}
