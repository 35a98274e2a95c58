"""Import: open what was named, read it, store it, and say what happened.

The mart is the caller's to refresh afterwards: in full when ``report.replaced_demo``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from sqlalchemy import Engine, make_url

from lib.db.engine import order_database, reading, writing
from lib.db.migrate import migrate
from lib.db.store import Store, read_store
from lib.errors import AmbiguousDates, ImportRefused, MappingInvalid, MissingColumns, UnknownFormat
from lib.importers.archives import MEGABYTE
from lib.importers.aside import is_worth_it, read_aside
from lib.importers.dates import DAY_FIRST, MONTH_FIRST
from lib.importers.dry_run import dry_run as read_only
from lib.importers.files import SourceFile, source_files
from lib.importers.load import load
from lib.importers.mapped_csv import read_table
from lib.importers.mapping import Mapping, load_mapping
from lib.importers.mapping_guess import guess
from lib.importers.prepared import Prepared, Preparing
from lib.importers.records import ReadContext, Record, Rejected
from lib.importers.replace_demo import remove_demo
from lib.importers.report import ImportReport
from lib.importers.runs import start, was_read_as
from lib.importers.sources import Source, detect, kept_under, refuse_others, source_named
from lib.importers.sql import SqlReading, read_sql
from lib.importers.sql_mapping import load_sql_mapping
from lib.importers.watermarks import keep_watermarks, read_watermarks
from lib.settings import Settings

Secrets = dict[str, str]
Progress = Callable[[ImportReport, float], None]
Records = Iterator[Record | Rejected | Prepared]


def run_import(
    settings: Settings,
    source: str,
    paths: Sequence[Path | str],
    *,
    mapping: Mapping | Path | None = None,
    date_format: str = "",
    dry_run: bool = False,
    replace_demo: bool = False,
    started_by: str = "",
    progress: Progress | None = None,
    secrets: Secrets | None = None,
) -> ImportReport:
    """Import files (or, for ``sql``, a database) into the order database.

    Args:
        source: a name of ``sources.SOURCES``.
        paths: files, folders or ZIP archives; for ``sql`` the one address of the database.
        mapping: for ``table`` and ``sql``: the mapping, or the TOML file that holds it.
        date_format: day-first, month-first, or a strptime format, where the files do not tell.
        dry_run: read and check everything, and write nothing.
        replace_demo: remove the demo store first; without it, nothing is imported into a demo store.
        progress: called after each batch with the report so far and the share read (0 to 1).
        secrets: for ``sql``: what ``${NAME}`` in the address stands for, before the environment is asked.

    Returns:
        the report; ``read == stored + unchanged + rejected``.

    Raises:
        ImportRefused: a wrong or broken file, an ambiguous date format, a missing mapping, a demo store.
    """
    chosen = source_named(source)
    context = replace(_context(settings, date_format), secrets=dict(secrets or {}))
    engine, store = _open(settings, write=not dry_run)
    context = replace(context, time_zone=store.time_zone, currency=store.currency)
    is_demo = store.is_demo and chosen.name != "rates"
    if is_demo and replace_demo:
        # The demo's clock and money are not the shop's own.
        context = replace(context, time_zone=settings.store_time_zone or "UTC", currency=settings.store_currency)
        store = replace(store, time_zone=context.time_zone, currency=context.currency)
    if chosen.name == "table" and isinstance(mapping, Path):
        mapping = load_mapping(mapping)
    database = _database(engine, paths, mapping, context) if chosen.name == "sql" else None
    files = source_files([Path(path) for path in paths], context) if database is None else []
    refuse_others(chosen, files)
    records = iter(database) if database is not None else _records(chosen, files, mapping, context, prepare=not dry_run)
    records = _first(records, chosen, files)
    shown: Callable[[ImportReport], None] | None = None
    if progress is not None:
        tell = progress

        def shown(report: ImportReport) -> None:
            tell(report, _share(files))

    names = [file.name for file in files] if database is None else [database.place]
    kept_as = _kept_as(engine, chosen, mapping, database)
    if dry_run:
        report = _dry(engine, settings, kept_as, store, records, shown)
        report.files = names
        return report
    if is_demo and not replace_demo:
        raise ImportRefused(
            "The store is the demo store, and real orders are never mixed with made-up ones. Import with"
            " --replace-demo to remove the demo store first."
        )
    if engine is None:
        raise ImportRefused("The order database cannot be opened.")
    if is_demo:
        first = next(records, None)
        if first is None:
            raise ImportRefused("There is no record to import, so the demo store stays.")
        records = chain((first,), records)
        remove_demo(engine, settings)
    run = start(engine, kept_as, names, started_by=started_by)
    report = load(engine, kept_as, records, run=run, settings=settings, progress=shown)
    report.files = names
    report.replaced_demo = is_demo
    if database is not None:
        with writing(engine) as connection:
            keep_watermarks(connection, database.place, database.watermarks)
    if report.read == 0 and database is not None:
        report.message = "Nothing is new in the database since it was last read."
    elif report.read == 0:
        report.message = "There is a header and nothing below it: no record was read."
    return report


def guess_mapping(settings: Settings, path: Path, *, date_format: str = "") -> tuple[Mapping, SourceFile]:
    """Guess how the first file of a path is to be read as a table.

    Raises:
        ImportRefused: no file, or no column of it is known.
    """
    _, store = _open(settings, write=False)
    context = replace(_context(settings, date_format), time_zone=store.time_zone, currency=store.currency)
    file = source_files([path], context)[0]
    return guess(file, context), file


def _context(settings: Settings, date_format: str) -> ReadContext:
    if date_format and date_format not in (DAY_FIRST, MONTH_FIRST) and "%" not in date_format:
        raise AmbiguousDates(
            f"{date_format!r} is no date format: write day-first, month-first, or one such as %d.%m.%Y %H:%M."
        )
    return ReadContext(date_format=date_format, upload_limit_bytes=settings.upload_limit_mb * MEGABYTE)


def _open(settings: Settings, *, write: bool) -> tuple[Engine | None, Store]:
    """The order database, with its tables where it may be written; a dry run makes none."""
    url = make_url(settings.database_url)
    if not write and url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return None, _no_store(settings)
    engine = order_database(settings)
    if write:
        migrate(engine)
    with reading(engine) as connection:
        return engine, read_store(connection, settings)


def _no_store(settings: Settings) -> Store:
    return Store(
        settings.store_name or "My store",
        settings.store_time_zone or "UTC",
        settings.store_currency,
        settings.store_country,
        ("en",),
        False,
    )


def _database(
    engine: Engine | None, paths: Sequence[Path | str], mapping: Mapping | Path | None, context: ReadContext
) -> SqlReading:
    """The database to read, from where its last run ended."""
    if len(paths) != 1 or not isinstance(mapping, Path):
        raise MappingInvalid(
            "A database needs its address and a mapping of SELECTs: --mapping FILE.toml, "
            "or one that ships: --mapping woocommerce_hpos, --mapping vendure."
        )
    found = read_sql(str(paths[0]), load_sql_mapping(mapping), {}, context)
    if engine is None:
        return found
    with reading(engine) as connection:
        return replace(found, start=read_watermarks(connection, found.place))


def _kept_as(engine: Engine | None, source: Source, mapping: Mapping | Path | None, database: SqlReading | None) -> str:
    """The name that the records are kept under: a table's or a database's has its shop's name in it.

    A database that was read before there were such names, under ``sql`` alone, stays there.
    """
    if database is None:
        return kept_under(source.name, mapping.shop) if isinstance(mapping, Mapping) else source.name
    own = kept_under(source.name, database.mapping.name)
    if engine is None or not database.start:
        return own
    with reading(engine) as connection:
        return own if was_read_as(connection, own) else source.name


def _records(
    source: Source,
    files: Sequence[SourceFile],
    mapping: Mapping | Path | None,
    context: ReadContext,
    *,
    prepare: bool,
) -> Records:
    if source.name != "table":
        if mapping is not None:
            raise MappingInvalid(f"{source.label} exports need no mapping: leave --mapping out.")
        return _read(source.reader(), files, context, prepare=prepare)
    if mapping is None:
        raise MappingInvalid("A table needs a mapping that says which column means what: name it with --mapping.")
    return _read(read_table, files, mapping, context, prepare=prepare)


def _read(
    reader: Callable[..., Iterator[Record | Rejected]], files: Sequence[SourceFile], *more: object, prepare: bool
) -> Records:
    """Read, large files in another process; that prepares the orders too where they are to be stored."""
    if not is_worth_it(files):
        return iter(reader(files, *more))
    return read_aside(Preparing(reader) if prepare else reader, files, *more)


def _first(records: Records, source: Source, files: Sequence[SourceFile]) -> Records:
    """Read the first record, so that a wrong file is refused before anything is written or removed."""
    try:
        first = next(records)
    except StopIteration:
        return iter(())
    except (UnknownFormat, MissingColumns) as refusal:
        other = detect(files)
        if other is None or other == source.name:
            raise
        raise type(refusal)(f"{refusal} It looks like an export of {other}: import it as {other}.") from refusal
    return chain((first,), records)


def _dry(
    engine: Engine | None,
    settings: Settings,
    source: str,
    store: Store,
    records: Records,
    progress: Callable[[ImportReport], None] | None,
) -> ImportReport:
    if engine is None:
        return read_only(None, source, store, records, progress=progress)
    with reading(engine) as connection:
        return read_only(connection, source, store, records, progress=progress)


def _share(files: Sequence[SourceFile]) -> float:
    total = sum(file.size for file in files)
    return min(1.0, sum(file.position for file in files) / total) if total else 0.0
