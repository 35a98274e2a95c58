"""The first orders of a shop come without some indexes; these are back afterwards, whatever happens."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from lib.db import indexes
from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.all import metadata
from lib.db.tables.orders import orders
from lib.db.tables.store import import_runs
from lib.errors import SourceUnavailable
from lib.importers.first_load import put_back_after_death
from lib.importers.load import load
from lib.importers.records import Record, Rejected, ReviewRecord
from lib.importers.runs import start
from lib.jobs.refresh import refresh
from lib.settings import ROOT, Settings
from tests.unit.test_load import AT, KILLED, Shop, everything, order


@pytest.fixture
def shop(database: Engine, settings: Settings, store: Store) -> Shop:
    return Shop(database, settings)


def gone(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return {str(index.name) for index in indexes.missing(connection)}


def expected(engine: Engine) -> set[str]:
    """What is aside during a first import; on PostgreSQL nothing is."""
    return set(indexes.SET_ASIDE) if engine.dialect.name == "sqlite" else set()


@pytest.fixture
def load_watched(shop: Shop) -> Callable[..., list[set[str]]]:
    """Load records three at a time; gives what was missing after each batch."""

    def loaded(records: Iterator[Record | Rejected], batch: int = 3) -> list[set[str]]:
        seen: list[set[str]] = []
        run = start(shop.engine, "shopify", ["test"])
        watch: Any = lambda _: seen.append(gone(shop.engine))  # noqa: E731 - it is one expression
        load(shop.engine, "shopify", records, run=run, settings=shop.settings, batch=batch, progress=watch)
        return seen

    return loaded


def test_only_indexes_that_the_tables_have_are_set_aside() -> None:
    every = {str(index.name) for table in metadata.sorted_tables for index in table.indexes}
    assert every >= indexes.SET_ASIDE


def test_the_first_orders_come_without_indexes_and_the_next_import_with_all(
    shop: Shop, load_watched: Callable[..., list[set[str]]]
) -> None:
    assert load_watched(order(str(n)) for n in range(7)) == [expected(shop.engine)] * 3
    assert gone(shop.engine) == set()
    assert load_watched(order(str(n)) for n in range(20, 27)) == [set()] * 3
    assert shop.count(orders) == 14


def test_a_few_orders_set_nothing_aside(shop: Shop, load_watched: Callable[..., list[set[str]]]) -> None:
    assert load_watched((order(str(n)) for n in range(2)), batch=3) == [set()]


def test_what_looks_orders_up_by_their_number_has_the_indexes(
    shop: Shop, load_watched: Callable[..., list[set[str]]]
) -> None:
    review = ReviewRecord("v1", 5, AT, body="Good", order_id="#1")
    records: list[Record] = [*(order(str(n)) for n in range(3)), review, *(order(str(n)) for n in range(3, 5))]
    assert load_watched(iter(records)) == [expected(shop.engine), set()]
    assert gone(shop.engine) == set()


def test_everything_can_be_a_first_import_and_the_second_finds_all_of_it(shop: Shop) -> None:
    records = [*(order(str(n), email=f"person{n % 3}@example.com") for n in range(10, 30)), *everything()]
    first = shop.load(*records, batch=3)
    assert (first.stored, first.rejected) == (30, 0)
    assert gone(shop.engine) == set()
    again = shop.load(*records, batch=3)
    assert (again.stored, again.unchanged) == (0, 30)


def test_a_first_import_that_breaks_off_puts_the_indexes_back(shop: Shop) -> None:
    def broken() -> Iterator[Record | Rejected]:
        yield from (order(str(n)) for n in range(4))
        raise SourceUnavailable("The line is dead.")

    with pytest.raises(SourceUnavailable):
        shop.load_all(broken(), batch=2)
    assert shop.count(orders) == 4
    assert gone(shop.engine) == set()


def test_putting_back_twice_makes_nothing_the_second_time(shop: Shop) -> None:
    with writing(shop.engine) as connection:
        indexes.set_aside(connection)
    assert set(indexes.put_back(shop.engine)) == expected(shop.engine)
    assert indexes.put_back(shop.engine) == []


@pytest.fixture
def killed(shop: Shop, database_url: str, tmp_path: Path) -> Shop:
    """A first import that was killed in its middle."""
    flag = tmp_path / "running"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(root=str(ROOT), flag=str(flag), url=database_url)], cwd=ROOT
    )
    deadline = time.monotonic() + 90
    while not flag.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 0 < shop.count(orders) < 400
    assert gone(shop.engine) == expected(shop.engine)
    return shop


def test_an_import_after_one_that_was_killed_goes_on_without_indexes_and_puts_them_back(
    killed: Shop, load_watched: Callable[..., list[set[str]]]
) -> None:
    seen = load_watched((order(str(n), email=f"person{n % 50}@example.com") for n in range(400)), batch=100)
    assert seen == [expected(killed.engine)] * 4
    assert gone(killed.engine) == set()
    assert killed.count(orders) == 400


def test_a_refresh_puts_back_what_a_killed_import_left_but_nothing_of_one_that_runs(
    killed: Shop, settings: Settings
) -> None:
    run = start(killed.engine, "shopify", ["test"])
    assert [row[0] for row in killed.rows(import_runs, "status")] == ["interrupted", "running"]
    put_back_after_death(killed.engine)
    assert gone(killed.engine) == expected(killed.engine)
    with writing(killed.engine) as connection:
        ended = import_runs.update().where(import_runs.c.import_run_id == run.run_id)
        connection.execute(ended.values(status="interrupted", counts={}))
    refresh(settings)
    assert gone(killed.engine) == set()
