"""The store's promises inside the mart's engine: how fast an answer is due, and when the store is open.

``stage.promise`` has a row for each channel of tickets. ``stage.open_span`` lays the open hours end to end: ``before``
is the open time, in microseconds, of all spans before one. So the open time up to an instant, and the instant at which
a promise of open time is used up, are one look-up each (``OPEN_AT``), the same as ``lib.hours`` counts.
"""

import json
from datetime import UTC, date, datetime, timedelta

import duckdb

from lib.db.service import DEFAULT_MINUTES, hours_of
from lib.db.store import Store
from lib.db.tables.tickets import TICKET_CHANNELS
from lib.mart.source import Source

# A promise made on the last day may run so long (lib.workflows.targets allows no longer one).
_RUNS_ON = timedelta(days=430)
# What the zone data know.
_FIRST, _LAST = date(1970, 1, 2), date(2059, 12, 31)
_MICROSECOND = timedelta(microseconds=1)


def lay_out(engine: duckdb.DuckDBPyConnection, source: Source, store: Store) -> None:
    """Write both tables for the tickets that are staged; the targets are staged too."""
    kept = {
        work: (minutes, clock == "business")
        for work, minutes, clock in engine.execute("SELECT work, minutes, clock FROM stage.main.targets").fetchall()
    }
    hours = hours_of(store.zone, _week(source))
    engine.execute("CREATE OR REPLACE TABLE stage.main.promise (work VARCHAR, minutes BIGINT, is_business BOOLEAN)")
    for channel in TICKET_CHANNELS:
        minutes, is_business = kept.get(channel, (DEFAULT_MINUTES[channel], False))
        engine.execute(
            "INSERT INTO stage.main.promise VALUES (?, ?, ?)", [channel, minutes, is_business and hours.is_ever_open]
        )
    engine.execute(
        "CREATE OR REPLACE TABLE stage.main.open_span (starts_at TIMESTAMP, ends_at TIMESTAMP, before BIGINT)"
    )
    first, last = engine.execute(
        "SELECT min(opened_at), max(greatest(opened_at, first_response_at)) FROM stage.main.tickets"
    ).fetchone() or (None, None)
    if first is None or not hours.is_ever_open:
        return
    rows, before = [], 0
    for opens, closes in hours.spans(*_days(first, last)):
        rows.append((_naive(opens), _naive(closes), before))
        before += (closes - opens) // _MICROSECOND
    engine.executemany("INSERT INTO stage.main.open_span VALUES (?, ?, ?)", rows)


def _days(first: datetime, last: datetime) -> tuple[date, date]:
    # A week earlier: what is open on the first day may have begun the day before.
    start, end = first.date() - timedelta(days=8), min(last.date(), _LAST - _RUNS_ON) + _RUNS_ON
    return max(_FIRST, start), end


def _week(source: Source) -> object:
    """The store's week as its row holds it; null while there is none."""
    (found,) = source.rows("SELECT CAST(business_hours AS TEXT) AS week FROM store").to_pydict().values()
    return json.loads(found[0]) if found and found[0] else None


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
