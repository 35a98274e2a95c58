"""Fixtures for every test: settings of its own, a migrated order database on each engine, a store, real data."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

import lib.settings
from lib.db.engine import open_engine, writing
from lib.db.migrate import migrate
from lib.db.store import Store, write_store
from lib.settings import ROOT, Settings, read_settings
from tests.postgres_server import server

ENGINES = ("sqlite", "postgresql")


# What builds whole stores or simulates many offers: part of `make test`, not of `make check`.
SLOW = (
    "tests/pages/",
    "tests/property/test_accounts.py",
    "tests/property/test_erasure.py",
    "tests/property/test_mart.py",
    "tests/property/test_metrics.py",
    "tests/property/test_reviews.py",
    "tests/property/test_simulated_offers.py",
    "tests/property/test_staff_at_work.py",
    "tests/unit/test_aside.py",
    "tests/unit/test_backup.py",
    "tests/unit/test_cli.py",
    "tests/unit/test_demo.py",
    "tests/unit/test_erasure",
    "tests/unit/test_first_load.py",
    "tests/unit/test_lifetime.py",
    "tests/unit/test_load.py",
    "tests/unit/test_mailbox.py",
    "tests/unit/test_offer_result.py",
    "tests/unit/test_offer_run.py",
    "tests/unit/test_offer_start.py",
    "tests/unit/test_outbox_delivery.py",
    "tests/unit/test_refresh.py",
    "tests/unit/test_snapshot.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what builds whole stores or reads a real shop's files."""
    for item in items:
        if item.nodeid.startswith(SLOW) or "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody's own settings reach a test, neither from the environment nor from .env."""
    for name in list(os.environ):
        if name.startswith("ENCORE_") and not name.startswith("ENCORE_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(lib.settings, "dotenv_values", lambda *_: {})
    lib.settings.settings.cache_clear()
    yield
    lib.settings.settings.cache_clear()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    with engine.connect() as connection:
        # Everything into the one file, so that copying it copies the database.
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]  # it is connected
    return file


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of the tests' own PostgreSQL server; each xdist worker has its own."""
    if given := os.environ.get("ENCORE_TEST_DATABASE_URL", ""):
        yield given.rstrip("/") + "/"
        return
    try:
        starting = server()
        address = starting.__enter__()
    except LookupError as missing:
        pytest.fail(str(missing), pytrace=False)
    try:
        yield address
    finally:
        starting.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a migrated, empty PostgreSQL database to copy."""
    name = f"template_{uuid4().hex[:12]}"
    with _administration(postgres_server) as admin, admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = open_engine(postgres_server + name)
    migrate(engine)
    engine.dispose()
    return name


@pytest.fixture(params=[pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine a test of the order database runs on: each in turn."""
    return str(request.param)


@pytest.fixture
def database_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated, empty order database of this test's own, on each engine in turn."""
    if engine_name == "sqlite":
        folder = tmp_path / "data"
        folder.mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(request.getfixturevalue("sqlite_template"), folder / "order.db")
        yield f"sqlite:///{folder / 'order.db'}"
        return
    yield from _copy_of(request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_template"))


@pytest.fixture
def empty_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database without any tables, on each engine in turn."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty' / 'order.db'}"
        return
    yield from _copy_of(request.getfixturevalue("postgres_server"), "template0")


@pytest.fixture
def database(database_url: str) -> Engine:
    """A migrated, empty order database of this test's own, on each engine in turn."""
    return open_engine(database_url)


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings with a data folder of this test's own.

    A test that also asks for ``database`` gets settings that name it; without, they name an SQLite file
    that does not exist yet.
    """
    chosen = {"ENCORE_DATA_DIR": str(tmp_path / "data")}
    if "database_url" in request.fixturenames:
        chosen["ENCORE_DATABASE_URL"] = request.getfixturevalue("database_url")
    return read_settings(chosen)


@pytest.fixture
def store(database: Engine) -> Store:
    """A store in Berlin that reports in euros, already in the database."""
    kept = Store(
        name="Test store",
        time_zone="Europe/Berlin",
        currency="EUR",
        country="DE",
        languages=("de", "en"),
        is_demo=False,
    )
    with writing(database) as connection:
        write_store(connection, kept)
    return kept


@pytest.fixture
def noon() -> datetime:
    """A fixed present: 2 March 2026, 12:00 UTC."""
    return datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Find a folder or file of real data that does not ship; the test is skipped, visibly, without it."""
    root = Path(os.environ.get("ENCORE_TEST_DATA") or ROOT.parent / "shared" / "data")

    def find(name: str) -> Path:
        if not (root / name).exists():
            pytest.skip(f"no real data {name!r}: name its folder in ENCORE_TEST_DATA")
        return root / name

    return find


def _copy_of(server_address: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    with _administration(server_address) as admin:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        address = server_address + name
        try:
            yield address
        finally:
            open_engine(address).dispose()
            with admin.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


class _administration:
    """A connection factory to the server itself, outside any transaction."""

    def __init__(self, address: str) -> None:
        self._engine = create_engine(address + "postgres", poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def __enter__(self) -> Engine:
        return self._engine

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()
