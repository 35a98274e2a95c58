"""The refresh job: one at a time, killed or not, and what it tells."""

import errno
import os
import signal
import stat
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
from lib.mart.about import snapshot_file
from lib.mart.lease import lease
from lib.mart.schema import fact_order
from lib.mart.snapshot import current
from lib.settings import ROOT, Settings
from tests.property.test_mart import differences

# Stops at a step of a refresh and says so.
STUCK = """
import sys, time
from lib.jobs.refresh import refresh
from lib.settings import settings
def stop(step):
    if step.startswith(sys.argv[1]):
        print("stuck", flush=True)
        time.sleep(60)
refresh(settings(), full=sys.argv[2] == "full", progress=stop)
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


def use(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the commands use these settings."""
    monkeypatch.setenv("ENCORE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENCORE_DATABASE_URL", settings.database_url)


def count(settings: Settings) -> int:
    frame = current(settings.mart_dir).frame(select(func.count().label("n")).select_from(fact_order))
    return int(frame["n"].iloc[0])


def stuck(settings: Settings, step: str, how: str) -> "subprocess.Popen[str]":
    """Another process that has come to a step of its refresh and stays there."""
    environment = {
        **os.environ,
        "ENCORE_DATA_DIR": str(settings.data_dir),
        "ENCORE_DATABASE_URL": settings.database_url,
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, step, how], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "stuck\n"
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


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
    process = stuck(settings, "preparing", "full")
    with pytest.raises(RefreshBusy):
        refresh(settings)
    kill(process)
    left = {file.name.split("-")[0] for file in settings.mart_dir.iterdir()}
    assert {"work", "stage"} <= left
    assert count(settings) == 1
    assert refresh(settings).how == "incremental"
    assert count(settings) == 2
    assert {file.name.split("-")[0] for file in settings.mart_dir.iterdir()} == {"current.json", "mart"}


@pytest.mark.parametrize("step", ["looking", "reading orders", "preparing lines", "grouping gaps", "writing"])
def test_killed_at_any_step_of_what_changed_the_last_snapshot_stays_and_nothing_is_lost(
    step: str, database: Engine, settings: Settings, tmp_path: Path
) -> None:
    place(database, 1)
    version = refresh(settings).version
    place(database, 2)
    kill(stuck(settings, step, "changes"))
    assert (current(settings.mart_dir).version, count(settings)) == (version, 1)
    report = refresh(settings)
    assert (report.how, report.version, count(settings)) == ("incremental", version + 1, 2)
    assert {file.name.split("-")[0] for file in settings.mart_dir.iterdir()} == {"current.json", "mart"}
    built = replace(settings, data_dir=tmp_path / "built", mart_url=f"duckdb:///{tmp_path / 'built'}")
    refresh(built, full=True)
    assert differences(settings.mart_dir, built.mart_dir) == {}


def test_without_room_on_the_disk_the_refresh_says_so_and_leaves_nothing_half(
    database: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use(settings, monkeypatch)
    place(database, 1)
    version = refresh(settings).version
    place(database, 2)

    def no_room(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("lib.mart.increment.copy_file", no_room)
        assert main(["refresh"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("RefreshFailed: The mart could not be refreshed: there is no room left on the disk")
    assert told.count("\n") == 1
    assert (current(settings.mart_dir).version, count(settings)) == (version, 1)
    assert {file.name.split("-")[0] for file in settings.mart_dir.iterdir()} == {"current.json", "mart"}
    assert main(["refresh"]) == 0
    assert count(settings) == 2


def test_a_mart_that_cannot_be_read_is_built_anew(database: Engine, settings: Settings) -> None:
    place(database, 1)
    version = refresh(settings).version
    file = snapshot_file(settings.mart_dir, version)
    file.write_bytes(b"\0" * file.stat().st_size)
    place(database, 2)
    report = refresh(settings)
    assert (report.how, report.why) == ("full", "the last mart cannot be read")
    assert count(settings) == 2


def test_a_fault_in_a_command_is_one_line_with_an_id_and_its_details_are_in_a_file(
    database: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(settings, monkeypatch)
    place(database, 1)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("lib.mart.refresh.build_full", broken)
    assert main(["refresh"]) == 3
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    number = told.partition("(error ")[2].partition(")")[0]
    log = settings.data_dir / "errors.log"
    assert f"error {number} in refresh" in log.read_text("utf-8")
    assert "ZeroDivisionError: a bug" in log.read_text("utf-8")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


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
    use(settings, monkeypatch)
    place(database, 1)
    assert main(["refresh", "--json"]) == 0
    assert '"how": "full"' in capsys.readouterr().out
    assert main(["refresh"]) == 0
    version = current(settings.mart_dir).version
    assert capsys.readouterr().out == f"Nothing has changed: version {version} with 1 orders stays.\n"
