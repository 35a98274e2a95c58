"""A database that somebody names on the Imports page: looked into, imported, its password kept nowhere."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from lib.db.engine import reading
from lib.db.store import Store
from lib.db.tables.orders import orders
from lib.db.tables.staff import audit_log
from lib.db.tables.store import import_runs
from lib.errors import ImportRefused, MappingInvalid, SourceUnavailable
from lib.importers.sql_source import shown, source_url
from lib.jobs import started
from lib.jobs.named_databases import NamedDatabase, named_database, preview_database
from lib.settings import Settings
from lib.staff import LOCAL
from tests.vendure_shop import vendure_shop

VENDURE = Path("vendure")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return vendure_shop(tmp_path / "shop" / "vendure.sqlite")


def test_its_first_records_are_shown_as_they_are_understood(settings: Settings, store: Store, shop: Path) -> None:
    named = named_database(settings, f" sqlite:///{shop} ", "", VENDURE)
    rows = preview_database(settings, store, named, rows=3)
    assert list(rows["Kind"]) == ["product", "customer", "order"]
    assert list(rows["Amount"])[-1] == "115.43 EUR"
    assert not rows["Problem"].any()


def test_it_is_imported_and_only_what_is_new_is_read_again(
    settings: Settings, database: Engine, store: Store, shop: Path
) -> None:
    named = named_database(settings, f"sqlite:///{shop}", "", VENDURE)
    for stored in (True, False):
        job = _imported(settings, named)
        assert (job.stage, job.message) == ("done", "")
        assert job.report is not None and bool(job.report.stored) is stored
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(orders)) == 2
        assert set(connection.execute(select(orders.c.source)).scalars()) == {"sql:vendure"}


def _imported(settings: Settings, named: NamedDatabase) -> started.Started:
    key = started.start_import(
        settings,
        "sql",
        [named.address],
        mapping=named.mapping,
        names=[named.shown],
        secrets=dict(named.secrets),
        by=LOCAL,
    )
    job = started.followed(key)
    assert job is not None
    for _ in range(600):
        if job.is_over:
            return job
        time.sleep(0.1)
    pytest.fail(f"the import does not end: {job}")


def test_a_typed_password_is_used_and_kept_nowhere(settings: Settings, database: Engine, store: Store) -> None:
    address = "postgresql://reader@127.0.0.1:1/shop"
    named = named_database(settings, address, "s3cret/@", VENDURE)
    assert source_url(named.address, named.secrets).password == "s3cret/@"
    assert "s3cret" not in repr(named) + named.shown
    job = _imported(settings, named)
    assert job.stage == "refused" and "cannot be read" in job.message
    assert "s3cret" not in job.message
    with reading(database) as connection:
        told = [*connection.execute(select(audit_log)), *connection.execute(select(import_runs))]
    assert told and "s3cret" not in str(told)


def test_a_password_in_the_address_stays_and_is_not_shown() -> None:
    url = source_url("postgresql://reader:mine@127.0.0.1/shop", {"PASSWORD": "other"})
    assert url.password == "mine"
    assert "mine" not in shown(url)


def test_no_database_is_opened_where_others_reach_the_app(settings: Settings, shop: Path) -> None:
    with pytest.raises(ImportRefused, match="Others can reach this app"):
        named_database(replace(settings, address="0.0.0.0"), f"sqlite:///{shop}", "", VENDURE)


def test_encores_own_database_is_refused(settings: Settings, database: Engine) -> None:
    with pytest.raises(ImportRefused, match="Encore's own database"):
        named_database(settings, settings.database_url, "", VENDURE)
    with pytest.raises(ImportRefused, match="Encore's own database"):
        named_database(settings, f"sqlite:///{settings.data_dir / 'uploads' / '..' / 'order.db'}", "", VENDURE)


@pytest.mark.parametrize("address", ["", "shop.db", "oracle://scott@127.0.0.1/shop", "http://127.0.0.1/"])
def test_what_is_no_database_is_refused(settings: Settings, address: str) -> None:
    with pytest.raises(SourceUnavailable):
        named_database(settings, address, "", VENDURE)


def test_a_mapping_that_is_none_is_refused_before_the_database_is_opened(
    settings: Settings, shop: Path, tmp_path: Path
) -> None:
    mapping = tmp_path / "mine.toml"
    mapping.write_text("[orders]\n", encoding="utf-8")
    with pytest.raises(MappingInvalid):
        named_database(settings, f"sqlite:///{shop}", "", mapping)
