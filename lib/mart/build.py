"""The workshop in which a snapshot is made, and the full build.

A working file ``work-….duckdb`` becomes the snapshot when it is complete; a staging database beside it
holds the source's rows meanwhile. Both are this process's own: whoever dies leaves them to be swept.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from duckdb_sqlalchemy import Dialect
from sqlalchemy import Table
from sqlalchemy.schema import CreateTable

from lib.db.store import Store
from lib.mart import facts, open_hours, stage
from lib.mart.about import About
from lib.mart.changes import note_seen
from lib.mart.clock import clock_macros
from lib.mart.grouped import GROUPED
from lib.mart.schema import SCHEMA_VERSION, mart_metadata
from lib.mart.source import Source
from lib.periods import day_index, store_day

Progress = Callable[[str], None]
THREADS = 2
STORAGE = "v1.4.0"


@dataclass(frozen=True)
class Workshop:
    """An engine with the store's clock, in which a snapshot is made.

    Its databases: ``changes`` in memory, ``stage`` once it is opened (in a file for a full build, in memory for
    a refresh), and ``mart``, the working file.
    """

    engine: duckdb.DuckDBPyConnection
    work: Path
    staging: Path
    store: Store
    at: datetime
    today: int

    def open_stage(self, *, in_memory: bool) -> None:
        """Begin the staging database, empty."""
        self.engine.execute(f"ATTACH '{':memory:' if in_memory else _quoted(self.staging)}' AS stage")

    def open_mart(self) -> None:
        """Open the working file to write, new or the copy of a snapshot that was made there."""
        # Nobody recovers a working file: without its log each change is written once. The storage version is the
        # first in which a checkpoint leaves alone what did not change.
        self.engine.execute(
            f"ATTACH '{_quoted(self.work)}' AS mart (RECOVERY_MODE NO_WAL_WRITES, STORAGE_VERSION '{STORAGE}')"
        )
        self.work.chmod(0o600)

    def look_at(self, snapshot: Path) -> None:
        """Attach a published snapshot as ``old``, to read."""
        self.engine.execute(f"ATTACH '{_quoted(snapshot)}' AS old (READ_ONLY)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write to the working file at once. Nothing else may be written meanwhile, not even in memory."""
        self.engine.execute("BEGIN")
        yield
        self.engine.execute("COMMIT")

    def use(self, *schemas: str) -> None:
        """Name the schemas in which the facts' and the grouped tables' statements find their tables."""
        self.engine.execute(f"SET search_path = '{','.join(schemas)}'")

    def create_tables(self, schema: str, tables: Iterable[Table] | None = None) -> None:
        """Create tables of the mart, by default all, empty."""
        self.use(schema)
        for table in tables or mart_metadata.sorted_tables:
            self.engine.execute(str(CreateTable(table).compile(dialect=Dialect())))

    def make_facts(self, progress: Progress | None = None) -> None:
        """Compute the facts of everything staged, into the first schema in use."""
        for name, statement in facts.STATEMENTS:
            if progress:
                progress(f"preparing {name}")
            self.engine.execute(statement)


@contextmanager
def open_workshop(mart_dir: Path, store: Store, at: datetime, *, memory_limit_mb: int) -> Iterator[Workshop]:
    """Open a workshop; what is only staged goes at the end, the working file stays unless something broke."""
    name = f"{os.getpid()}-{os.urandom(4).hex()}"
    work, staging, spill = (mart_dir / f"{kind}-{name}" for kind in ("work", "stage", "spill"))
    left = [staging, Path(f"{staging}.wal")]
    engine = duckdb.connect(
        ":memory:",
        config={
            "threads": THREADS,
            "memory_limit": f"{memory_limit_mb}MB",
            "temp_directory": str(spill),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    try:
        # Else the engine draws its own bar on stdout where it takes Python for interactive.
        engine.execute("SET enable_progress_bar = false")
        engine.execute("ATTACH ':memory:' AS changes")
        for statement in clock_macros(store.time_zone):
            engine.execute(statement)
        today = day_index(store_day(at, store.zone))
        engine.execute(f"SET VARIABLE day_today = {today}")
        yield Workshop(engine, work, staging, store, at, today)
    except BaseException:
        # A disk that is full must not stay so over what nobody will finish.
        left.append(work)
        raise
    finally:
        engine.close()
        for file in left:
            file.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def copy_file(source: Path, target: Path) -> None:
    """Copy a snapshot inside the kernel, down to the disk, for its owner alone.

    A file system that can share blocks between files copies nothing at all.
    """
    with source.open("rb") as reader:
        size = os.fstat(reader.fileno()).st_size
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            done = 0
            while done < size:
                done += _copy_some(reader.fileno(), handle, done, size - done)
            os.fsync(handle)
        finally:
            os.close(handle)


def _copy_some(source: int, target: int, offset: int, count: int) -> int:
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target, count, offset, offset)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
                raise
    return os.sendfile(target, source, offset, count)


def build_full(workshop: Workshop, source: Source, version: int, progress: Progress | None = None) -> tuple[About, int]:
    """Build everything from the order database into the working file.

    Returns:
        what the finished file is (it is closed with the workshop), and the number of rows read.
    """
    engine = workshop.engine
    workshop.open_mart()
    workshop.open_stage(in_memory=False)
    workshop.create_tables("mart.main")
    stage.load(engine, source, stage.PRODUCTS)
    engine.execute(facts.DIM_PRODUCT)
    rows = stage.load_all(engine, source, only_wanted=False, progress=progress)
    open_hours.lay_out(engine, source, workshop.store)
    workshop.make_facts(progress)
    for grouped in GROUPED:
        if progress:
            progress(f"grouping {grouped.table.name.replace('_', ' ')}")
        # In the order of the keys: a question about one dimension reads only where that lies.
        ordered = f"{grouped.contributions()} ORDER BY {', '.join(grouped.keys)}"
        engine.execute(f"INSERT INTO {grouped.table.name} BY NAME {ordered}")
    note_seen(engine, source, workshop.at)
    engine.execute("CHECKPOINT mart")
    about = describe(workshop, version, "full", full_bytes=workshop.work.stat().st_size)
    engine.execute("CHECKPOINT mart")
    return about, rows


def describe(workshop: Workshop, version: int, how: str, *, full_bytes: int) -> About:
    """Write the row of ``snapshot``.

    Args:
        full_bytes: the file's size after its last full build.
    """
    engine, store = workshop.engine, workshop.store
    row = engine.execute("SELECT max(placed_at), min(day), max(day), count(*) FROM mart.main.fact_order").fetchone()
    latest, first_day, last_day, orders = row or (None, None, None, 0)
    (customers,) = engine.execute(
        "SELECT count(*) FROM mart.main.dim_customer WHERE first_day IS NOT NULL"
    ).fetchone() or (0,)
    about = About(
        version=version,
        schema_version=SCHEMA_VERSION,
        store_name=store.name,
        time_zone=store.time_zone,
        currency=store.currency,
        country=store.country or None,
        built_how=how,
        is_demo=store.is_demo,
        refreshed_at=datetime.now(UTC),
        watermark_at=workshop.at,
        fresh_to_at=None if latest is None else latest.replace(tzinfo=UTC),
        first_day=first_day,
        last_day=last_day,
        orders=orders,
        customers=customers,
        full_bytes=full_bytes,
    )
    values = about.values()
    engine.execute("DELETE FROM mart.main.snapshot")
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    engine.execute(f"INSERT INTO mart.main.snapshot ({names}) VALUES ({marks})", list(values.values()))  # noqa: S608 - names of a dataclass
    return about
