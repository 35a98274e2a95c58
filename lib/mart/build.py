"""The workshop in which a snapshot is made, and the full build.

A working file ``work-….duckdb`` becomes the snapshot when it is complete; a staging database beside it
holds the source's rows meanwhile. Both are this process's own: whoever dies leaves them to be swept.
"""

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
from lib.mart import facts, stage
from lib.mart.about import About
from lib.mart.changes import note_seen
from lib.mart.clock import clock_macros
from lib.mart.grouped import GROUPED
from lib.mart.schema import SCHEMA_VERSION, mart_metadata
from lib.mart.source import Source
from lib.periods import day_index, store_day

Progress = Callable[[str], None]
THREADS = 2


@dataclass(frozen=True)
class Workshop:
    """An engine with the store's clock, in which a snapshot is made.

    Its databases: ``changes`` in memory, and after :meth:`begin` ``mart`` (the working file) and ``stage``.
    """

    engine: duckdb.DuckDBPyConnection
    work: Path
    staging: Path
    store: Store
    at: datetime
    today: int

    def begin(self, copy_of: Path | None = None) -> None:
        """Begin the working file: empty, staging in a file; or a snapshot's copy, staging in memory."""
        if copy_of is not None:
            copy_file(copy_of, self.work)
        self.engine.execute(f"ATTACH '{_quoted(self.work)}' AS mart")
        self.work.chmod(0o600)
        self.engine.execute(f"ATTACH '{':memory:' if copy_of else _quoted(self.staging)}' AS stage")

    def look_at(self, snapshot: Path) -> None:
        """Attach a published snapshot as ``old``, to read."""
        self.engine.execute(f"ATTACH '{_quoted(snapshot)}' AS old (READ_ONLY)")

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
    """Open a workshop; what is only staged goes at the end, the working file stays."""
    name = f"{os.getpid()}-{os.urandom(4).hex()}"
    work, staging, spill = (mart_dir / f"{kind}-{name}" for kind in ("work", "stage", "spill"))
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
    finally:
        engine.close()
        for left in (staging, Path(f"{staging}.wal")):
            left.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def copy_file(source: Path, target: Path) -> None:
    """Copy a snapshot inside the kernel, for its owner alone."""
    with source.open("rb") as reader:
        size = os.fstat(reader.fileno()).st_size
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            done = 0
            while done < size:
                done += os.sendfile(handle, reader.fileno(), done, size - done)
        finally:
            os.close(handle)


def build_full(workshop: Workshop, source: Source, version: int, progress: Progress | None = None) -> tuple[About, int]:
    """Build everything from the order database into the working file.

    Returns:
        what the finished file is (it is closed with the workshop), and the number of rows read.
    """
    engine = workshop.engine
    workshop.begin()
    workshop.create_tables("mart.main")
    stage.load(engine, source, stage.PRODUCTS)
    engine.execute(facts.DIM_PRODUCT)
    rows = stage.load_all(engine, source, only_wanted=False, progress=progress)
    workshop.make_facts(progress)
    for grouped in GROUPED:
        if progress:
            progress(f"grouping {grouped.table.name.replace('_', ' ')}")
        # In the order of the keys: a question about one dimension reads only where that lies.
        ordered = f"{grouped.contributions()} ORDER BY {', '.join(grouped.keys)}"
        engine.execute(f"INSERT INTO {grouped.table.name} BY NAME {ordered}")
    note_seen(engine, source, workshop.at)
    return describe(workshop, version, "full", full_bytes=0), rows


def describe(workshop: Workshop, version: int, how: str, *, full_bytes: int) -> About:
    """Write the row of ``snapshot`` and checkpoint the working file.

    Args:
        full_bytes: the file's size after its last full build; 0: this is one.
    """
    engine, store = workshop.engine, workshop.store
    engine.execute("CHECKPOINT mart")
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
        full_bytes=full_bytes or workshop.work.stat().st_size,
    )
    values = about.values()
    engine.execute("DELETE FROM mart.main.snapshot")
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    engine.execute(f"INSERT INTO mart.main.snapshot ({names}) VALUES ({marks})", list(values.values()))  # noqa: S608 - names of a dataclass
    engine.execute("CHECKPOINT mart")
    return about
