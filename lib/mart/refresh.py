"""Bring the mart up to date: everything, or only the owners whose rows changed."""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from lib.db.store import Store
from lib.db.tables.columns import now
from lib.errors import RefreshFailed
from lib.mart.about import About, clean, publish, read_pointer, snapshot_file, write_pointer
from lib.mart.build import Progress, Workshop, build_full, open_workshop
from lib.mart.changes import find_touched
from lib.mart.increment import build_increment
from lib.mart.schema import SCHEMA_VERSION
from lib.mart.source import Source, open_source

# Beyond this share of the owners, computing everything is the quicker way.
LARGEST_SHARE = 0.2
FEW_OWNERS = 1_000
# What changed in place leaves gaps in the file; beyond this it is written anew.
LARGEST_GROWTH = 2.0
SMALL_FILE = 64 * 1024 * 1024
_STAYS = "The figures stay as they were."


@dataclass(frozen=True, kw_only=True)
class Done:
    """What was done: full, incremental or unchanged, and why."""

    how: str
    why: str
    owners: int
    rows: int
    about: About


@contextmanager
def _told_plainly(mart_dir: Path) -> Iterator[None]:
    """Say in a sentence what to do about a machine that has no room, no memory or no right to write."""
    try:
        yield
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        raise RefreshFailed(
            "The mart could not be refreshed: memory ran out. Close other programs, or change ENCORE_MEMORY_LIMIT_MB."
            f" {_STAYS}"
        ) from error
    except (OSError, duckdb.IOException) as error:
        number = error.errno if isinstance(error, OSError) else None
        if number in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
            what = f"there is no room left on the disk of {mart_dir}"
        elif number in (errno.EACCES, errno.EPERM, errno.EROFS) or "Permission denied" in str(error):
            what = f"{mart_dir} may not be written"
        else:
            raise
        raise RefreshFailed(f"The mart could not be refreshed: {what}. {_STAYS}") from error


def bring_up_to_date(
    mart_dir: Path,
    database_url: str,
    store: Store,
    *,
    memory_limit_mb: int,
    before_publishing: Callable[[], None],
    full: bool = False,
    at: datetime | None = None,
    progress: Progress | None = None,
) -> Done:
    """Make the next snapshot and publish it. The caller holds the lease.

    Args:
        before_publishing: asked last of all; it raises when the result must not be published.
        at: the instant of the refresh; by default now.

    Raises:
        RefreshFailed: no room on the disk, no memory, or no right to write; the last snapshot stays.
        DatabaseUnavailable: the order database cannot be read.
    """
    with _told_plainly(mart_dir):
        clean(mart_dir)
        before = read_pointer(mart_dir)
        at = at or now()
        why = "asked for" if full else _why_full(mart_dir, before, store, at)
        with (
            open_source(database_url) as source,
            open_workshop(mart_dir, store, at, memory_limit_mb=memory_limit_mb) as workshop,
        ):
            if before is not None and not why:
                done, why = _increment(mart_dir, workshop, source, before, progress)
            else:
                done = None
            if done is None:
                # Versions go on from the clock when there is nothing to count on from, so that none returns.
                version = before.version + 1 if before else int(time.time())
                about, rows = build_full(workshop, source, version, progress)
                done = Done(how="full", why=why, owners=about.customers, rows=rows, about=about)
        before_publishing()
        if done.how == "unchanged":
            write_pointer(mart_dir, done.about)
        else:
            publish(mart_dir, workshop.work, done.about)
        return done


def _why_full(mart_dir: Path, before: About | None, store: Store, at: datetime) -> str:
    """Why everything must be built anew; empty when what changed suffices."""
    if before is None:
        return "first build"
    if before.schema_version != SCHEMA_VERSION:
        return "the mart's tables have changed"
    if before.time_zone != store.time_zone:
        return "the time zone has changed"
    if before.currency != store.currency:
        return "the currency has changed"
    if before.is_demo != store.is_demo:
        return "the demo store has come or gone"
    if before.watermark_at > at:
        return "the clock was set back"
    if snapshot_file(mart_dir, before.version).stat().st_size > SMALL_FILE + LARGEST_GROWTH * before.full_bytes:
        return "the file has grown"
    return ""


def _increment(
    mart_dir: Path, workshop: Workshop, source: Source, before: About, progress: Progress | None
) -> tuple[Done | None, str]:
    """Refresh what changed; ``None`` and a reason when everything is to be built instead."""
    if progress:
        progress("looking for changes")
    engine, snapshot = workshop.engine, snapshot_file(mart_dir, before.version)
    try:
        workshop.look_at(snapshot)
    except duckdb.Error:
        return None, "the last mart cannot be read"
    (owners,) = engine.execute(
        "SELECT (SELECT count(*) FROM old.dim_customer) + "
        "(SELECT count(*) FROM old.fact_order WHERE customer_id IS NULL)"
    ).fetchone() or (0,)
    enough = int(max(FEW_OWNERS, LARGEST_SHARE * owners))
    touched = find_touched(engine, source, before.watermark_at, workshop.today, enough)
    if engine.execute("SELECT 1 FROM changes.gone WHERE table_name = '*'").fetchone():
        engine.execute("DETACH old")
        return None, "a backup was restored, or a target changed"
    if touched > enough:
        engine.execute("DETACH old")
        return None, "much has changed"
    (products,) = engine.execute(
        "SELECT (SELECT count(*) FROM changes.products) + "
        "(SELECT count(*) FROM changes.gone WHERE table_name = 'products')"
    ).fetchone() or (0,)
    if touched == 0 and products == 0:
        about = replace(
            before,
            store_name=workshop.store.name,
            country=workshop.store.country or None,
            refreshed_at=datetime.now(UTC),
            watermark_at=workshop.at,
        )
        return Done(how="unchanged", why="nothing new", owners=0, rows=0, about=about), ""
    about, rows = build_increment(workshop, source, before, snapshot, progress)
    return Done(how="incremental", why="changes", owners=touched, rows=rows, about=about), ""
