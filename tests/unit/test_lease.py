"""One refresher at a time, and a dead one is succeeded."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select, update

from lib.db.engine import writing
from lib.db.tables.columns import now
from lib.db.tables.store import refresh_locks
from lib.errors import RefreshBusy
from lib.mart.lease import NAME, lease
from lib.settings import ROOT

HOLD = """
import sys, time
from lib.db.engine import open_engine
from lib.mart.lease import take
with take(open_engine(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_process(database_url: str) -> "subprocess.Popen[str]":
    """Another process that holds the lease."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, database_url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]", how: signal.Signals) -> None:
    process.send_signal(how)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_second_process_is_refused_while_the_first_holds_the_lease(
    database: Engine, other_process: "subprocess.Popen[str]"
) -> None:
    try:
        with pytest.raises(RefreshBusy), lease(database):
            pytest.fail("two hold the lease")
    finally:
        end(other_process, signal.SIGKILL)


def test_a_holder_that_was_killed_is_succeeded_at_once(
    database: Engine, other_process: "subprocess.Popen[str]"
) -> None:
    end(other_process, signal.SIGKILL)
    started = time.monotonic()
    with lease(database):
        assert time.monotonic() - started < 10


def test_the_lease_is_given_back(database: Engine) -> None:
    with lease(database):
        pass
    with writing(database) as connection:
        assert connection.scalar(select(func.count()).select_from(refresh_locks)) == 0


def test_the_lease_of_another_machine_ends_when_it_runs_out(database: Engine) -> None:
    with writing(database) as connection:
        connection.execute(
            insert(refresh_locks).values(
                name=NAME, holder="elsewhere 1 0 token", taken_at=now(), expires_at=now() + timedelta(seconds=60)
            )
        )
    with pytest.raises(RefreshBusy), lease(database):
        pytest.fail("two hold the lease")
    with writing(database) as connection:
        connection.execute(update(refresh_locks).values(expires_at=now() - timedelta(seconds=1)))
    with lease(database) as held:
        held.must_hold()


def test_a_process_that_was_given_a_dead_holders_number_does_not_keep_its_lease(database: Engine) -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("this system does not tell when a process started")
    host = os.uname().nodename
    with writing(database) as connection:
        connection.execute(
            insert(refresh_locks).values(
                name=NAME,
                holder=f"{host} {os.getpid()} 1 token",
                taken_at=now(),
                expires_at=now() + timedelta(minutes=1),
            )
        )
    with lease(database) as held:
        held.must_hold()


def test_a_holder_that_was_overtaken_must_not_publish(database: Engine) -> None:
    with lease(database) as held:
        with writing(database) as connection:
            connection.execute(update(refresh_locks).values(holder="elsewhere 1 0 token"))
        with pytest.raises(RefreshBusy):
            held.must_hold()
