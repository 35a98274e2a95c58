"""Erase and export by command; an erasure that is killed at any step is completed by the next."""

import json
import os
import signal
import stat
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from lib.cli.main import main
from lib.db.engine import reading, writing
from lib.db.erase import unfinished
from lib.db.personal import GOES, Fate, tables_with
from lib.db.store import Store
from lib.db.tables.customers import customers
from lib.db.tables.staff import audit_log
from lib.jobs.refresh import refresh
from lib.settings import ROOT, Settings
from tests.one_person import EMAIL, HER, NAME, WORDS, fill, named, texts, where_she_is

# Kills itself at the step that is named, in place of doing it.
_ERASES = """
import os, signal, sys
from importlib import import_module
from lib.cli.main import main

module, name = sys.argv[1].rsplit(".", 1)
setattr(import_module(module), name, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))
main(["erase-person", sys.argv[2], "--yes"])
"""


@pytest.fixture
def shop(database: Engine, store: Store, settings: Settings, noon: datetime, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("ENCORE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENCORE_DATABASE_URL", settings.database_url)
    with writing(database) as connection:
        fill(connection, settings.data_dir, noon)
    refresh(settings)
    (settings.data_dir / "errors.log").write_text(EMAIL)
    return database


def _is_named(engine: Engine) -> bool:
    with reading(engine) as connection:
        return any(named(what) for _, what in texts(connection))


def test_a_dry_run_says_what_goes_and_writes_nothing(shop: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with reading(shop) as connection:
        before = sorted(texts(connection))
    assert main(["erase-person", EMAIL.upper(), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(NAME)
    assert "  - 1 postal address\n" in said
    assert "  - 2 orders worth €45.22" in said
    with reading(shop) as connection:
        assert sorted(texts(connection)) == before


def test_erase_by_command_and_again(shop: Engine, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase-person", EMAIL, "--yes"]) == 0
    assert "every copy that Encore keeps is clean" in capsys.readouterr().out
    assert where_she_is(settings.data_dir) == []
    assert not _is_named(shop)
    assert main(["erase-person", str(HER), "--yes"]) == 0
    assert capsys.readouterr().out == "Customer 1 was erased on " + f"{_erased_at(shop):%Y-%m-%d}: nothing is left.\n"
    assert main(["erase-person", EMAIL, "--yes"]) == 2
    assert main(["export-person", str(HER), "none.json"]) == 2
    assert not Path("none.json").exists()


def _erased_at(engine: Engine) -> datetime:
    with reading(engine) as connection:
        at: datetime | None = connection.scalar(select(customers.c.erased_at).where(customers.c.customer_id == HER))
    assert at is not None
    return at


@pytest.mark.parametrize("typed", ["no\n", ""])
def test_without_the_typed_address_nothing_is_erased(shop: Engine, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    lines = iter(typed.splitlines())

    def answer(_: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", answer)
    assert main(["erase-person", EMAIL]) == 2
    with reading(shop) as connection:
        assert connection.scalar(select(customers.c.erased_at).where(customers.c.customer_id == HER)) is None
        assert connection.scalar(select(func.count()).where(audit_log.c.action == "person.erased")) == 0


@pytest.mark.parametrize(
    "step",
    [
        "lib.workflows.erasure.erase",
        "lib.db.erase._blot_out",
        "lib.jobs.refresh._refresh",
        "lib.jobs.refresh.forget_older_snapshots",
        "lib.jobs.clean.forget_unnamed",
        "lib.jobs.clean.keep_list",
        "lib.jobs.clean.sweep",
        "lib.jobs.clean.note_cleaned",
    ],
)
def test_an_erasure_that_is_killed_is_completed_by_the_next(shop: Engine, settings: Settings, step: str) -> None:
    env = {**os.environ, "ENCORE_REFRESH_MINUTES": "0"}
    command = [sys.executable, "-c", _ERASES, step, EMAIL]
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    if step in ("lib.workflows.erasure.erase", "lib.db.erase._blot_out"):
        assert _is_named(shop)
    else:
        # All of the tables, or nothing.
        assert not _is_named(shop)
    with reading(shop) as connection:
        assert bool(unfinished(connection)) == (not _is_named(shop))
    assert main(["erase-person", str(HER), "--yes"]) == 0
    assert where_she_is(settings.data_dir) == []
    assert not _is_named(shop)
    with reading(shop) as connection:
        assert unfinished(connection) == []
        assert connection.scalar(select(func.count()).where(audit_log.c.action == "person.erased")) == 1


def test_the_check_tells_of_an_erasure_that_waits(
    shop: Engine, settings: Settings, noon: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    from lib.db.erase import erase
    from lib.db.person import find

    with writing(shop) as connection:
        person = find(connection, HER)
        assert person is not None
        erase(connection, person, at=noon)
    main(["check", "--no-refresh"])
    assert "LOOK  erasures: 1 person was erased, but copies are not cleaned yet" in capsys.readouterr().out
    refresh(settings)
    main(["check", "--no-refresh"])
    assert "ok    erasures" in capsys.readouterr().out


def test_an_export_holds_all_that_is_known(shop: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "anna.json"
    assert main(["export-person", EMAIL, str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["emails"] == [EMAIL]
    known = told["known"]
    hidden = {"person_keys", "received_mails"}
    missing = ({table.name for table in tables_with(Fate.ERASED)} | GOES) - known.keys() - hidden
    assert missing == set()
    assert known["customers"][0]["name"] == NAME
    assert [row["file_name"] for row in known["attachments"]] == [f"{WORDS}.png"]
    assert {row["line"] for row in known["rejected_rows"]} == {7, 8}
    assert "secret" not in path.read_text(encoding="utf-8")
    assert [entry["personal"] for entry in told["log"]] == [{"note": WORDS}, None]
    assert "Ben Other" not in path.read_text(encoding="utf-8")
    with reading(shop) as connection:
        entry = connection.execute(select(audit_log).where(audit_log.c.action == "person.exported")).mappings().one()
    assert (entry["subject"], entry["sealed"]) == ("customer:1", None)
    assert not named(json.dumps(entry["details"]))
    # The file is there already: nothing is written, and no second entry.
    capsys.readouterr()
    assert main(["export-person", EMAIL, str(path)]) == 2
    assert "is there already" in capsys.readouterr().err
    with reading(shop) as connection:
        assert connection.scalar(select(func.count()).where(audit_log.c.action == "person.exported")) == 1
