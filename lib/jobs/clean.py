"""Clean every copy after somebody was erased: files, uploads, exports, old snapshots, free pages of the database.

Nobody's name is known here any more, so what might hold it goes as a whole.
"""

import shutil
from pathlib import Path

from sqlalchemy import Engine

from lib.db.attachments import forget_unnamed
from lib.db.engine import order_database, reading, writing
from lib.db.erase import note_cleaned, unfinished
from lib.db.forgotten import keep_list
from lib.db.sweep import sweep
from lib.db.tables.columns import now
from lib.errors import JobBusy
from lib.importers.runs import is_importing
from lib.mart.about import read_pointer, snapshot_file
from lib.settings import Settings

ERROR_LOG = "errors.log"
# What waits in Encore for a while: files that were handed over, and lists of people that were written to be taken out.
FOLDERS = ("uploads", "exports")


def what_is_left(engine: Engine) -> dict[int, list[str]]:
    """Erasures whose copies are still to be cleaned, with the files to delete."""
    with reading(engine) as connection:
        return dict(unfinished(connection))


def forget_older_snapshots(mart_dir: Path) -> None:
    """Remove all snapshots but the current one, for the holder of the mart's lease; open ones go when they close."""
    about = read_pointer(mart_dir)
    keep = snapshot_file(mart_dir, about.version) if about else None
    for file in mart_dir.glob("mart-*.duckdb"):
        if file != keep:
            file.unlink(missing_ok=True)


def clean_copies(settings: Settings, left: dict[int, list[str]]) -> None:
    """Delete what is outside the tables, wipe what the database keeps of deleted rows, then note that it is done.

    Raises:
        JobBusy: an import reads its upload, or the database is in use all the time; the next refresh tries again.
    """
    engine = order_database(settings)
    with reading(engine) as connection:
        if is_importing(connection):
            raise JobBusy("An import is running: the copies that Encore keeps are cleaned when it is through.")
    files = [sha256 for each in left.values() for sha256 in each]
    with reading(engine) as connection:
        keep_list(connection, settings.data_dir)
        if files:
            forget_unnamed(connection, settings.data_dir, files)
    for folder in FOLDERS:
        shutil.rmtree(settings.data_dir / folder, ignore_errors=True)
    (settings.data_dir / ERROR_LOG).unlink(missing_ok=True)
    sweep(engine)
    with writing(engine) as connection:
        note_cleaned(connection, list(left), at=now())
