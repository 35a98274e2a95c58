"""Check that all is well; exit code 1 when something needs a look."""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, union_all

from lib.db import indexes, triggers
from lib.db.engine import order_database, reading
from lib.db.migrate import pending
from lib.db.tables.all import metadata
from lib.db.tables.columns import now
from lib.db.tables.store import deleted_rows, import_runs, rejected_rows
from lib.errors import EncoreError, RefreshBusy
from lib.importers.runs import is_importing
from lib.jobs.clean import what_is_left
from lib.jobs.refresh import refresh
from lib.mart.reconcile import Reconciliation, reconcile
from lib.mart.snapshot import Snapshot, current
from lib.settings import Settings, settings

# A change may wait this long for a refresh before somebody should look, if refreshes are not rarer.
PATIENCE = timedelta(minutes=30)
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    is_ok: bool
    message: str
    details: tuple[str, ...] = ()


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--no-refresh", action="store_true", help="compare the mart as it is, without a refresh first")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Check everything and report; a check that cannot be made counts as one that failed."""
    here = settings()
    engine = order_database(here)
    findings = list(_checks(here, engine, may_refresh=not args.no_refresh))
    is_ok = all(finding.is_ok for finding in findings)
    if args.json:
        print(json.dumps({"is_ok": is_ok, "checks": [asdict(f) for f in findings]}, indent=1, ensure_ascii=False))
    else:
        for finding in findings:
            print(f"{'ok  ' if finding.is_ok else 'LOOK'}  {finding.name}: {finding.message}")
            for line in finding.details:
                print(f"        {line}")
    return 0 if is_ok else 1


def _checks(here: Settings, engine: Engine, *, may_refresh: bool) -> Iterator[Finding]:
    waiting = pending(engine)
    if waiting:
        yield Finding("migrations", False, f"{', '.join(waiting)} pending: run `python -m lib migrate`")
        return
    yield Finding("migrations", True, "up to date")
    checks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("triggers", lambda: _triggers(engine)),
        ("indexes", lambda: _indexes(engine)),
        ("freshness", lambda: _freshness(here, engine, may_refresh=may_refresh)),
        ("mart", lambda: _mart(here, engine, may_refresh=may_refresh)),
        ("imports", lambda: _imports(engine)),
        ("rejected rows", lambda: _rejected(engine)),
        ("erasures", lambda: _erasures(engine)),
    )
    for name, check in checks:
        try:
            yield check()
        except EncoreError as error:
            yield Finding(name, False, str(error))


def _erasures(engine: Engine) -> Finding:
    left = what_is_left(engine)
    if left:
        many = f"{len(left):,} {'person was' if len(left) == 1 else 'people were'}"
        return Finding("erasures", False, f"{many} erased, but copies are not cleaned yet: run `python -m lib refresh`")
    return Finding("erasures", True, "no copy is left to be cleaned")


def _triggers(engine: Engine) -> Finding:
    with reading(engine) as connection:
        gone = triggers.missing(connection)
    if gone:
        return Finding("triggers", False, "some are gone, so changes can go unnoticed: restore a backup", tuple(gone))
    return Finding("triggers", True, "all there")


def _indexes(engine: Engine) -> Finding:
    with reading(engine) as connection:
        gone = [str(index.name) for index in indexes.missing(connection)]
        is_first_load = bool(gone) and is_importing(connection)
    if is_first_load:
        return Finding("indexes", True, "some come back when the import that is running ends")
    if gone:
        return Finding(
            "indexes", False, "some are gone, so questions take long: run `python -m lib refresh`", tuple(gone)
        )
    return Finding("indexes", True, "all there")


def _freshness(here: Settings, engine: Engine, *, may_refresh: bool) -> Finding:
    """Whether a change waits for the mart longer than refreshes are apart; refreshes if it may."""
    if may_refresh:
        _refresh(here)
    about = current(here.mart_dir).about
    with reading(engine) as connection:
        since = _oldest_waiting(connection, about.watermark_at)
    age = f"refreshed {_ago(now() - about.refreshed_at)}"
    if about.fresh_to_at:
        age = f"orders up to {about.fresh_to_at:%Y-%m-%d %H:%M} UTC, {age}"
    limit = max(PATIENCE, 3 * timedelta(minutes=here.refresh_minutes))
    if since and now() - since > limit:
        return Finding("freshness", False, f"{age}; a change waits since {since:%Y-%m-%d %H:%M} UTC")
    return Finding("freshness", True, age)


def _mart(here: Settings, engine: Engine, *, may_refresh: bool) -> Finding:
    """Whether the mart equals the order database; asked again when an import came between."""
    mart = current(here.mart_dir)
    found = _reconciled(engine, mart)
    if found.differences and may_refresh:
        _refresh(here)
        mart = current(here.mart_dir)
        found = _reconciled(engine, mart)
    if not found.differences:
        return Finding(
            "mart",
            True,
            f"equals the order database: {found.orders:,} orders, {found.months} months, {found.sums} sums",
        )
    shown = tuple(map(str, found.differences[:SHOWN]))
    more = len(found.differences) - len(shown)
    message = f"{len(found.differences)} of {found.sums} sums differ: run `python -m lib refresh --full`"
    return Finding("mart", False, message, shown + ((f"… and {more} more",) if more else ()))


def _imports(engine: Engine) -> Finding:
    newest = (
        select(func.max(import_runs.c.import_run_id))
        .where(import_runs.c.status != "running")
        .group_by(import_runs.c.source)
    )
    with reading(engine) as connection:
        last = connection.execute(
            select(import_runs.c.source, import_runs.c.status, import_runs.c.started_at)
            .where(import_runs.c.import_run_id.in_(newest))
            .order_by(import_runs.c.source)
        ).all()
    bad = [
        f"{run.source}: {run.status} on {run.started_at:%Y-%m-%d %H:%M} UTC" for run in last if run.status != "finished"
    ]
    if bad:
        return Finding("imports", False, "the last import did not finish: run it again", tuple(bad))
    return Finding("imports", True, f"the last of each source finished ({len(last)})" if last else "none yet")


def _rejected(engine: Engine) -> Finding:
    with reading(engine) as connection:
        waiting = connection.execute(
            select(rejected_rows.c.source, func.count().label("rows"))
            .where(rejected_rows.c.status == "open")
            .group_by(rejected_rows.c.source)
            .order_by(rejected_rows.c.source)
        ).all()
    if waiting:
        total = sum(row.rows for row in waiting)
        details = tuple(f"{row.source}: {row.rows:,}" for row in waiting)
        return Finding("rejected rows", False, f"{total:,} wait: see `python -m lib rejected`", details)
    return Finding("rejected rows", True, "none waits")


def _reconciled(engine: Engine, mart: Snapshot) -> Reconciliation:
    with reading(engine) as connection:
        return reconcile(connection, mart)


def _refresh(here: Settings) -> None:
    try:
        refresh(here, wait_seconds=120)
    except RefreshBusy:
        return  # what the other one publishes is compared


def _oldest_waiting(connection: Connection, watermark: datetime) -> datetime | None:
    """When the oldest change was made that the mart does not hold yet."""
    watched = [metadata.tables[name].c.updated_at for name in triggers.TOMBSTONED]
    moments = union_all(
        *(
            select(func.min(column).label("at")).where(column > watermark)
            for column in (*watched, deleted_rows.c.deleted_at)
        )
    ).subquery()
    oldest: datetime | None = connection.execute(select(func.min(moments.c.at))).scalar_one()
    return oldest


def _ago(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    return f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"
