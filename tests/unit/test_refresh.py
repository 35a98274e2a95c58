"""The refresh job: one at a time, killed or not, and what it tells."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select

from lib.cli.main import main
from lib.db.engine import writing
from lib.db.tables.columns import now
from lib.db.tables.orders import orders
from lib.errors import DatabaseUnavailable, RefreshBusy
from lib.jobs import refresh as job
from lib.jobs.refresh import refresh
from lib.mart.lease import lease
from lib.mart.schema import fact_order
from lib.mart.snapshot import current
from lib.settings import ROOT, Settings

# Stops in the middle of a build and says so.
STUCK = """
import time
from lib.jobs.refresh import refresh
from lib.settings import settings
def stop(step):
    if step.startswith("preparing"):
        print("stuck", flush=True)
        time.sleep(60)
refresh(settings(), full=True, progress=stop)
"""


def place(database: Engine, number: int) -> None:
    with writing(database) as connection:
        connection.execute(
            insert(orders).values(
                source="test",
                external_id=str(number),
                fingerprint="f",
                # Longer ago than what a refresh would rather read twice.
                updated_at=now() - timedelta(seconds=10),
                number=str(number),
                placed_at=datetime(2025, 6, 1, 12, tzinfo=UTC),
                payment_status="paid",
                currency="EUR",
                original_currency="EUR",
                gross_minor=1000,
                total_minor=1000,
            )
        )


def count(settings: Settings) -> int:
    frame = current(settings.mart_dir).frame(select(func.count().label("n")).select_from(fact_order))
    return int(frame["n"].iloc[0])


def test_a_refresh_tells_what_it_did(database: Engine, settings: Settings) -> None:
    place(database, 1)
    assert (refresh(settings).how, count(settings)) == ("full", 1)
    assert refresh(settings).how == "unchanged"
    place(database, 2)
    report = refresh(settings)
    assert (report.how, report.owners, report.orders, count(settings)) == ("incremental", 1, 2, 2)


def test_killed_in_the_middle_the_last_snapshot_stays_and_the_next_refresh_works(
    database: Engine, settings: Settings
) -> None:
    place(database, 1)
    refresh(settings)
    place(database, 2)
    environment = {
        **os.environ,
        "ENCORE_DATA_DIR": str(settings.data_dir),
        "ENCORE_DATABASE_URL": settings.database_url,
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "stuck\n"
    with pytest.raises(RefreshBusy):
        refresh(settings)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    left = {file.name.split("-")[0] for file in settings.mart_dir.iterdir()}
    assert {"work", "stage"} <= left
    assert count(settings) == 1
    assert refresh(settings).how == "incremental"
    assert count(settings) == 2
    assert {file.name.split("-")[0] for file in settings.mart_dir.iterdir()} == {"current.json", "mart"}


def test_a_refresh_waits_for_another_as_long_as_it_is_told(database: Engine, settings: Settings) -> None:
    place(database, 1)
    held = lease(database)
    held.__enter__()
    with pytest.raises(RefreshBusy):
        refresh(settings, wait_seconds=0.3)
    release = threading.Timer(0.5, held.__exit__, (None, None, None))
    release.start()
    assert refresh(settings, wait_seconds=30).how == "full"
    release.join()


def test_the_background_refresh_brings_in_what_it_is_woken_for(
    database: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_STARTED", set())
    place(database, 1)
    job.start_background(replace(settings, refresh_minutes=1000))
    _until(lambda: (settings.mart_dir / "current.json").exists() and count(settings) == 1)
    place(database, 2)
    job.wake()
    _until(lambda: count(settings) == 2)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def test_without_tables_the_refresh_says_what_to_type(empty_url: str, tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(DatabaseUnavailable, match="migrate"):
        refresh(replace(settings, database_url=empty_url))


def test_the_command_prints_its_report(
    settings: Settings, database: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENCORE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENCORE_DATABASE_URL", settings.database_url)
    place(database, 1)
    assert main(["refresh", "--json"]) == 0
    assert '"how": "full"' in capsys.readouterr().out
    assert main(["refresh"]) == 0
    version = current(settings.mart_dir).version
    assert capsys.readouterr().out == f"Nothing has changed: version {version} with 1 orders stays.\n"
