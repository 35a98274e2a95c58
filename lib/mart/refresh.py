"""Bring the mart up to date: everything, or only the owners whose rows changed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.db.store import Store
from lib.db.tables.columns import now
from lib.mart.about import About, clean, publish, read_pointer
from lib.mart.build import Progress, build_full, open_workshop
from lib.mart.source import open_source


@dataclass(frozen=True, kw_only=True)
class Done:
    """What was done: full, incremental or unchanged, and why."""

    how: str
    why: str
    owners: int
    rows: int
    about: About


def bring_up_to_date(
    mart_dir: Path,
    database_url: str,
    store: Store,
    *,
    memory_limit_mb: int,
    before_publishing: Callable[[], None],
    full: bool = False,
    progress: Progress | None = None,
) -> Done:
    """Build the next snapshot and publish it. The caller holds the lease.

    Args:
        before_publishing: asked last of all; it raises when the result must not be published.
    """
    clean(mart_dir)
    before = read_pointer(mart_dir)
    # Versions go on from the clock when there is nothing to count on from, so that none is ever used twice.
    version = before.version + 1 if before else int(time.time())
    at = now()
    with (
        open_source(database_url) as source,
        open_workshop(mart_dir, store, at, memory_limit_mb=memory_limit_mb) as workshop,
    ):
        about, rows = build_full(workshop, source, version, progress)
    before_publishing()
    publish(mart_dir, workshop.work, about)
    return Done(how="full", why="asked" if full else "first build", owners=about.customers, rows=rows, about=about)
