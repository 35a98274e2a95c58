"""A backup that is older than an erasure brings nobody back."""

import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select

from lib.db.backup import backup
from lib.db.engine import open_engine, reading, writing
from lib.db.erase import unfinished
from lib.db.forgotten import kept_list
from lib.db.person import find
from lib.db.restore import restore
from lib.db.store import Store
from lib.db.tables.customers import suppressions
from lib.db.tables.orders import orders
from lib.db.tables.tickets import tickets
from lib.jobs.erasure import erase_everywhere
from lib.jobs.refresh import refresh
from lib.settings import ROOT, Settings, read_settings
from lib.staff import LOCAL
from tests.one_person import EMAIL, HER, fill, named, texts, where_she_is

# Restores in a process of its own that kills itself as the last thing of the transaction, or of the files after it.
_RESTORES = """
import os, signal, sys
from pathlib import Path
import lib.db.restore as r
from lib.db.engine import open_engine

def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(r, sys.argv[3], die)
r.restore(open_engine(sys.argv[1]), Path(sys.argv[2]), data_dir=Path(sys.argv[4]), replace=True)
"""


@pytest.fixture
def shop(database: Engine, store: Store, settings: Settings, noon: datetime) -> Engine:
    with writing(database) as connection:
        fill(connection, settings.data_dir, noon)
    return database


@pytest.fixture
def old_backup(shop: Engine, settings: Settings, noon: datetime, tmp_path: Path) -> Path:
    """Made before she was erased; then she was."""
    path = tmp_path / "before.encore-backup"
    backup(shop, path, data_dir=settings.data_dir)
    with reading(shop) as connection:
        person = find(connection, HER)
    assert person is not None
    assert erase_everywhere(settings, LOCAL, person, confirmed=EMAIL, at=noon).left_to_do == ""
    return path


def _is_gone(engine: Engine) -> bool:
    with reading(engine) as connection:
        return not any(named(what) for _, what in texts(connection))


def test_restoring_an_older_backup_erases_again(
    shop: Engine, settings: Settings, old_backup: Path, noon: datetime
) -> None:
    done = restore(shop, old_backup, data_dir=settings.data_dir, replace=True)
    assert done.erased == 1
    assert _is_gone(shop)
    assert not list((settings.data_dir / "attachments").iterdir())
    with reading(shop) as connection:
        mine = select(func.count(), func.sum(orders.c.total_minor)).where(orders.c.customer_id == HER)
        assert connection.execute(mine).one() == (2, 4_522)
        her = find(connection, HER)
        assert her is not None
        assert her.erased_at == noon
        assert len(unfinished(connection)) == 1
    refresh(settings)
    assert where_she_is(settings.data_dir) == []
    with reading(shop) as connection:
        assert unfinished(connection) == []


@pytest.mark.parametrize("step", ["replay", "_let_nothing_leave", "bring_back_files"])
def test_a_restore_that_is_killed_leaves_nobody_unerased_and_can_be_repeated(
    shop: Engine, database_url: str, settings: Settings, old_backup: Path, step: str
) -> None:
    command = [sys.executable, "-c", _RESTORES, database_url, str(old_backup), step, str(settings.data_dir)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert _is_gone(shop)
    assert restore(shop, old_backup, data_dir=settings.data_dir, replace=True).erased == 1
    assert _is_gone(shop)
    refresh(settings)
    assert where_she_is(settings.data_dir) == []


def test_the_list_beside_the_database_outlives_it(settings: Settings, old_backup: Path, tmp_path: Path) -> None:
    assert len(kept_list(settings.data_dir)) == 2
    fresh = read_settings(
        {"ENCORE_DATA_DIR": str(tmp_path / "fresh"), "ENCORE_DATABASE_URL": f"sqlite:///{tmp_path}/n.db"}
    )
    other = open_engine(fresh.database_url)
    assert restore(other, old_backup, data_dir=settings.data_dir).erased == 1
    assert _is_gone(other)
    with reading(other) as connection:
        assert connection.scalar(select(func.count()).select_from(suppressions)) == 2


def test_what_an_erased_address_wrote_later_is_a_new_contact(
    shop: Engine, settings: Settings, old_backup: Path, noon: datetime, tmp_path: Path
) -> None:
    assert old_backup.exists()
    told = {"source": "mail", "external_id": "new", "fingerprint": "f", "channel": "email", "updated_at": noon}
    with writing(shop) as connection:
        connection.execute(
            insert(tickets).values(
                **told, subject="It is me again", requester_email=EMAIL, opened_at=noon + timedelta(days=9)
            )
        )
    backup(shop, tmp_path / "after", data_dir=settings.data_dir)
    assert restore(shop, tmp_path / "after", data_dir=settings.data_dir, replace=True).erased == 0
    with reading(shop) as connection:
        assert connection.scalars(select(tickets.c.subject).where(tickets.c.requester_email == EMAIL)).all() == [
            "It is me again"
        ]
