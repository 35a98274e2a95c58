"""Imports that run beside the screens: one at a time, followed by whoever asks."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from lib.db import audit
from lib.db.engine import order_database, writing
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.importers.mapping import Mapping
from lib.importers.report import ImportReport
from lib.jobs.imports import run_import
from lib.jobs.refresh import refresh, wake
from lib.settings import Settings
from lib.staff import May, Staff

log = logging.getLogger("encore")
# A refresh that already runs may take this long before the new one begins.
PATIENCE_SECONDS = 300.0
_KEPT = 20


@dataclass(slots=True)
class Started:
    """One import under way or done. ``stage``: reading, refreshing, done, refused, failed."""

    names: list[str]
    stage: str = "reading"
    share: float = 0.0
    report: ImportReport | None = None
    message: str = ""

    @property
    def is_over(self) -> bool:
        return self.stage in {"done", "refused", "failed"}


_STARTED: dict[str, Started] = {}
_BUSY = threading.Lock()


def start_import(
    settings: Settings,
    source: str,
    paths: Sequence[Path | str],
    *,
    mapping: Mapping | Path | None = None,
    date_format: str = "",
    names: Sequence[str] | None = None,
    secrets: dict[str, str] | None = None,
    replace_demo: bool = False,
    by: Staff,
) -> str:
    """Begin an import in a thread of its own, and return the name by which ``followed`` knows it.

    ``names``: how what is read is called where it is no file; ``secrets`` as for ``run_import``, kept nowhere.

    Raises:
        NotAllowed: the role may not import; nothing began.
        EncoreError: another import runs.
    """
    by.must(May.IMPORT)
    if not _BUSY.acquire(blocking=False):
        raise EncoreError("Another import is running. Wait until it is through, then start this one.")
    name = token_hex(8)
    job = Started(list(names) if names is not None else [Path(path).name for path in paths])
    while len(_STARTED) >= _KEPT:
        _STARTED.pop(next(iter(_STARTED)))
    try:
        with writing(order_database(settings)) as connection:
            told = {"source": source, "files": job.names, "replaces_demo": replace_demo}
            audit.record(connection, by, "import.started", f"import:{name}", at=now(), after=told)
    except BaseException:
        _BUSY.release()
        raise
    _STARTED[name] = job

    def follow(report: ImportReport, share: float) -> None:
        job.report, job.share = report, share

    def run() -> None:
        try:
            job.report = run_import(
                settings,
                source,
                list(paths),
                mapping=mapping,
                date_format=date_format,
                replace_demo=replace_demo,
                started_by=by.name,
                secrets=secrets,
                progress=follow,
            )
            job.stage, job.share = "refreshing", 1.0
            if job.report.replaced_demo:
                refresh(settings, full=True, wait_seconds=PATIENCE_SECONDS)
            else:
                refresh(settings, wait_seconds=PATIENCE_SECONDS)
            job.stage = "done"
        except EncoreError as refusal:
            job.stage, job.message = "refused", str(refusal)
        except Exception as error:
            number = token_hex(4)
            log.error("Error %s in an import", number, exc_info=error)
            job.stage, job.message = "failed", f"The import broke off; the log of this computer has it as {number}."
        finally:
            _BUSY.release()
            wake()

    threading.Thread(target=run, name="encore-import", daemon=True).start()
    return name


def followed(name: str) -> Started | None:
    """An import that this process started; null when it knows none of that name."""
    return _STARTED.get(name)
