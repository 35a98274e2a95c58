"""Import runs: one row each, alive as long as its heart beats.

Two imports may run at once: each batch waits for its turn, so they write one after the other. A run whose
process is gone, or whose heart has not beaten for a while, is marked as interrupted; importing the same
files again completes it, since what it stored is found unchanged.
"""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select, update

from lib.db.engine import reading, writing
from lib.db.tables.columns import now
from lib.db.tables.store import import_runs
from lib.importers.report import ImportReport

STALE_AFTER: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Run:
    """A run that has begun."""

    run_id: int
    source: str
    started_at: datetime


def start(engine: Engine, source: str, paths: Sequence[str], *, started_by: str = "") -> Run:
    """Begin a run, after marking those that died."""
    at = now()
    with writing(engine) as connection:
        mark_interrupted(connection, at=at)
        run_id = connection.execute(
            insert(import_runs)
            .values(
                source=source,
                paths="\n".join(paths),
                started_at=at,
                heartbeat_at=at,
                started_by=started_by[:400] or None,
                counts={"process": _this_process()},
            )
            .returning(import_runs.c.import_run_id)
        ).scalar_one()
    return Run(run_id, source, at)


def beat(connection: Connection, run: Run, report: ImportReport) -> None:
    """Write down how far the run is, in the transaction of the batch it counts."""
    connection.execute(
        update(import_runs)
        .where(import_runs.c.import_run_id == run.run_id)
        .values(heartbeat_at=now(), counts={**report.as_dict(), "process": _this_process()}, **_counts(report))
    )


def finish(engine: Engine, run: Run, report: ImportReport, *, status: str = "finished", message: str = "") -> None:
    """End a run; ``status`` is finished, refused or interrupted."""
    at = now()
    with writing(engine) as connection:
        connection.execute(
            update(import_runs)
            .where(import_runs.c.import_run_id == run.run_id)
            .values(
                status=status,
                heartbeat_at=at,
                finished_at=at,
                message=message or report.message or None,
                counts=report.as_dict(),
                **_counts(report),
            )
        )


def was_read_as(connection: Connection, source: str) -> bool:
    """Whether there was a run under this name."""
    return (
        connection.scalar(select(import_runs.c.import_run_id).where(import_runs.c.source == source).limit(1))
        is not None
    )


def is_importing(connection: Connection) -> bool:
    """Whether a run is under way, as far as its heart and its process tell."""
    rows = connection.execute(
        select(import_runs.c.heartbeat_at, import_runs.c.counts).where(import_runs.c.status == "running")
    )
    at = now()
    return any(at - beat_at <= STALE_AFTER and not _is_gone(counts) for beat_at, counts in rows)


def mark_interrupted(connection: Connection, *, at: datetime) -> int:
    """Mark runs that died as interrupted; returns how many."""
    rows = connection.execute(
        select(import_runs.c.import_run_id, import_runs.c.heartbeat_at, import_runs.c.counts).where(
            import_runs.c.status == "running"
        )
    ).all()
    dead = [run_id for run_id, beat_at, counts in rows if at - beat_at > STALE_AFTER or _is_gone(counts)]
    if dead:
        connection.execute(
            update(import_runs)
            .where(import_runs.c.import_run_id.in_(dead))
            .values(
                status="interrupted",
                finished_at=at,
                message="The import stopped before its end. Import the same files again: nothing is doubled.",
            )
        )
    return len(dead)


def history(engine: Engine, *, limit: int = 50) -> list[dict[str, Any]]:
    """The latest runs, newest first, as rows of ``import_runs``."""
    with reading(engine) as connection:
        rows = connection.execute(select(import_runs).order_by(import_runs.c.import_run_id.desc()).limit(limit))
        return [dict(row) for row in rows.mappings()]


def _counts(report: ImportReport) -> dict[str, int]:
    return {
        "read_count": report.read,
        "stored_count": report.stored,
        "unchanged_count": report.unchanged,
        "rejected_count": report.rejected,
    }


def _this_process() -> dict[str, Any]:
    return {"host": platform.node(), "pid": os.getpid()}


def _is_gone(counts: dict[str, Any]) -> bool:
    """Whether the run's process, on this very machine, is no more."""
    process = counts.get("process") or {}
    if process.get("host") != platform.node() or not isinstance(process.get("pid"), int) or os.name != "posix":
        return False
    try:
        os.kill(process["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
