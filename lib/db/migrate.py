"""Bring the order database's tables up to date: all of it in one transaction, or nothing."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from lib.db import triggers
from lib.db.tables.all import metadata
from lib.errors import DatabaseUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as nobody else uses it: it keeps two migrations of one PostgreSQL apart.
_LOCK = 71_503_117


def migrate(engine: Engine) -> list[str]:
    """Apply what is pending, oldest first, and return the revisions applied.

    Raises:
        DatabaseUnavailable: the database cannot be reached, or a newer Encore made it.
    """
    with owning(engine) as connection:
        waiting = _pending(connection)
        if waiting:
            command.upgrade(alembic_config(connection), "head")
            triggers.replace(connection)
            no_broken_references(connection)
        return waiting


def pending(engine: Engine) -> list[str]:
    """The revisions that `migrate` would apply, oldest first; empty when all is up to date.

    Raises:
        DatabaseUnavailable: the database cannot be reached, or a newer Encore made it.
    """
    try:
        with engine.connect() as connection:
            return _pending(connection)
    except OperationalError as error:
        raise _unreachable(error) from error


def revision(connection: Connection) -> str | None:
    """The revision that the database is at; None when it has no tables yet."""
    return MigrationContext.configure(connection).get_current_revision()


def differences(connection: Connection) -> list[object]:
    """How the migrated tables differ from lib/db/tables; empty when a migration for every change exists."""
    context = MigrationContext.configure(connection, opts={"compare_server_default": True, "compare_type": True})
    with indexes_of_columns():
        return list(compare_metadata(context, metadata))


def draft(engine: Engine, message: str) -> Path | None:
    """Write a revision for how lib/db/tables differs from this up-to-date database; to be read before it is kept.

    Returns:
        the file, or None when there is nothing to migrate.
    """
    with owning(engine) as connection:
        if not differences(connection):
            return None
        number = len(known_revisions()) + 1
        with indexes_of_columns():
            made = command.revision(alembic_config(connection), message, autogenerate=True, rev_id=f"{number:04d}")
        if made is None or isinstance(made, list):
            raise RuntimeError("Alembic wrote no single revision")
        return Path(made.path)


@contextmanager
def indexes_of_columns() -> Iterator[None]:
    """On SQLite an index of an expression cannot be read back: a test compares those by their own words."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*expression-based index")
        yield


@contextmanager
def owning(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other migration runs beside."""
    try:
        with engine.connect().execution_options(encore_writes=True) as connection:
            if engine.dialect.name == "sqlite":
                # Rebuilding a table drops it; with references on, that would delete the rows that point to it.
                # The pragma works outside a transaction only, and the connection is not used again.
                raw = connection.connection.driver_connection
                assert raw is not None
                raw.execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection
    except OperationalError as error:
        raise _unreachable(error) from error


def _unreachable(error: OperationalError) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"The order database cannot be used: {str(error.orig).strip()}. Check ENCORE_DATABASE_URL."
    )


def _pending(connection: Connection) -> list[str]:
    known = known_revisions()
    at = revision(connection)
    if at is None:
        return known
    if at not in known:
        raise DatabaseUnavailable(
            f"A newer Encore made this order database (revision {at}). Update Encore, then try again."
        )
    return known[known.index(at) + 1 :]


def known_revisions() -> list[str]:
    """Every revision this Encore has, oldest first."""
    return [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


def alembic_config(connection: Connection) -> Config:
    """What Alembic's own commands need to work on this connection, in its transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def no_broken_references(connection: Connection) -> None:
    """Check what SQLite was told not to: that every reference points to a row."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise RuntimeError(f"the migration would leave {broken[0]} row {broken[1]} pointing to nothing")
