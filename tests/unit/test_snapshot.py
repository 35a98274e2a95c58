"""Reading the mart: what is published is read whole, cached by question, and renewed when it is renewed."""

import stat
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, bindparam, func, insert, select

from lib.db.engine import writing
from lib.db.store import Store
from lib.db.tables.orders import orders
from lib.errors import MartUnavailable
from lib.mart import snapshot as reading
from lib.mart.about import clean, snapshot_file
from lib.mart.refresh import Done, bring_up_to_date
from lib.mart.schema import by_day, fact_order
from lib.mart.snapshot import current, warm
from lib.periods import day_index

STORE = Store("A store", "Europe/Berlin", "EUR", "DE", ("en",), False)
COUNT = select(func.count().label("n")).select_from(fact_order)


@pytest.fixture
def engine_name() -> str:
    """What is read does not depend on the order database's engine."""
    return "sqlite"


@pytest.fixture
def mart_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "mart"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def order(database: Engine) -> Callable[[str], None]:
    def place(at: str) -> None:
        with writing(database) as connection:
            number = (connection.scalar(select(func.count()).select_from(orders)) or 0) + 1
            connection.execute(
                insert(orders).values(
                    source="test",
                    external_id=str(number),
                    fingerprint="f",
                    number=str(number),
                    placed_at=datetime.fromisoformat(at).replace(tzinfo=UTC),
                    payment_status="paid",
                    channel="web",
                    currency="EUR",
                    original_currency="EUR",
                    gross_minor=1000,
                    total_minor=1000,
                )
            )

    return place


@pytest.fixture
def publish(mart_dir: Path, database_url: str) -> Callable[..., Done]:
    def bring(*, full: bool = False, store: Store = STORE) -> Done:
        return bring_up_to_date(
            mart_dir, database_url, store, memory_limit_mb=300, before_publishing=lambda: None, full=full
        )

    return bring


def count(mart_dir: Path) -> int:
    return int(current(mart_dir).frame(COUNT)["n"].iloc[0])


def test_before_the_first_refresh_the_reader_is_told_what_to_do(mart_dir: Path) -> None:
    with pytest.raises(MartUnavailable, match="python -m lib refresh"):
        current(mart_dir)


def test_a_new_version_is_noticed_and_an_old_one_stays_readable(
    mart_dir: Path, publish: Callable[..., Done], order: Callable[[str], None]
) -> None:
    order("2025-06-01T10:00:00")
    publish()
    before = current(mart_dir)
    assert count(mart_dir) == 1
    order("2025-06-02T10:00:00")
    publish()
    assert count(mart_dir) == 2
    for _ in range(3):
        publish(full=True)
    assert not snapshot_file(mart_dir, before.version).exists()
    assert int(before.frame(COUNT)["n"].iloc[0]) == 1
    assert int(before.frame(select(by_day.c.orders).where(by_day.c.dimension == "all"))["orders"].sum()) == 1


def test_only_the_last_two_versions_are_kept_and_only_their_owner_may_read_them(
    mart_dir: Path, publish: Callable[..., Done]
) -> None:
    versions = [publish(full=True).about.version for _ in range(3)]
    assert sorted(file.name for file in mart_dir.iterdir()) == sorted(
        ["current.json", *(snapshot_file(mart_dir, version).name for version in versions[1:])]
    )
    assert {stat.S_IMODE(file.stat().st_mode) for file in mart_dir.iterdir()} == {0o600}


def test_what_a_killed_refresh_left_behind_is_swept_and_the_snapshot_stays(
    mart_dir: Path, publish: Callable[..., Done]
) -> None:
    kept = publish().about.version
    for name in ("work-1-ab", "work-1-ab.wal", "stage-1-ab", "current.json.1.new", f"mart-{kept + 1}.duckdb"):
        (mart_dir / name).write_bytes(b"half")
    (mart_dir / "spill-1-ab").mkdir()
    (mart_dir / "spill-1-ab" / "x.tmp").write_bytes(b"half")
    assert current(mart_dir).version == kept
    clean(mart_dir)
    assert sorted(file.name for file in mart_dir.iterdir()) == ["current.json", f"mart-{kept}.duckdb"]


def test_a_question_is_asked_once_per_version(
    mart_dir: Path, publish: Callable[..., Done], order: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    order("2025-06-01T10:00:00")
    publish()
    mart = current(mart_dir)
    asked: list[tuple[object, ...]] = []
    read = reading.Snapshot._read

    def noted(self: reading.Snapshot, sql: str, given: tuple[object, ...]) -> object:
        asked.append(given)
        return read(self, sql, given)

    monkeypatch.setattr(reading.Snapshot, "_read", noted)
    question = select(by_day.c.orders).where(by_day.c.slice == bindparam("slice"), by_day.c.dimension == "channel")
    first = mart.frame(question, slice="web")
    assert list(first["orders"]) == [1]
    first["orders"] = 7
    assert list(mart.frame(question, slice="web")["orders"]) == [1]
    assert list(mart.frame(question, slice="shop")["orders"]) == []
    assert len(asked) == 2


def test_lists_of_values_are_part_of_the_question(
    mart_dir: Path, publish: Callable[..., Done], order: Callable[[str], None]
) -> None:
    order("2025-06-01T10:00:00")
    order("2025-06-02T10:00:00")
    publish()
    mart = current(mart_dir)
    days = sorted(mart.frame(select(fact_order.c.day))["day"])
    for wanted in (days, days[:1], []):
        found = mart.frame(select(fact_order.c.day).where(fact_order.c.day.in_(wanted)))
        assert sorted(found["day"]) == wanted


def test_the_store_name_changes_without_a_new_version(mart_dir: Path, publish: Callable[..., Done]) -> None:
    version = publish().about.version
    done = publish(store=Store("Another name", "Europe/Berlin", "EUR", "DE", ("en",), False))
    assert (done.how, current(mart_dir).version) == ("unchanged", version)
    assert current(mart_dir).about.store_name == "Another name"


@pytest.mark.parametrize(
    "store",
    [
        Store("A store", "America/New_York", "EUR", "DE", ("en",), False),
        Store("A store", "Europe/Berlin", "USD", "DE", ("en",), False),
        Store("A store", "Europe/Berlin", "EUR", "DE", ("en",), True),
    ],
)
def test_another_zone_currency_or_the_demo_store_builds_everything_anew(
    store: Store, mart_dir: Path, publish: Callable[..., Done]
) -> None:
    publish()
    assert publish().how == "unchanged"
    assert publish(store=store).how == "full"


def test_days_are_those_of_the_stores_clock_on_both_sides_of_its_changes(
    mart_dir: Path, publish: Callable[..., Done], order: Callable[[str], None]
) -> None:
    # Berlin moves its clock on 2025-03-30 at 01:00 UTC and back on 2025-10-26 at 01:00 UTC.
    for at in ("2025-03-29T22:59:59", "2025-03-29T23:00:00", "2025-03-30T21:59:59", "2025-03-30T22:00:00"):
        order(at)
    for at in ("2025-10-25T21:59:59", "2025-10-25T22:00:00", "2025-10-26T22:59:59", "2025-10-26T23:00:00"):
        order(at)
    publish()
    found = current(mart_dir).frame(select(fact_order.c.day, fact_order.c.hour).order_by(fact_order.c.placed_at))
    first = day_index(date(2025, 3, 29))
    last = day_index(date(2025, 10, 25))
    assert list(found["day"]) == [first, first + 1, first + 1, first + 2, last, last + 1, last + 1, last + 2]
    assert list(found["hour"]) == [23, 0, 23, 0, 23, 0, 23, 0]


def test_many_threads_read_while_versions_come_and_go(
    mart_dir: Path, publish: Callable[..., Done], order: Callable[[str], None]
) -> None:
    order("2025-06-01T10:00:00")
    publish()
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        least = 1
        while not stop.is_set():
            mart = current(mart_dir)
            orders_there = int(mart.frame(COUNT)["n"].iloc[0])
            days = mart.frame(select(by_day.c.orders).where(by_day.c.dimension == "all"))["orders"].sum()
            if orders_there < least or days != orders_there:
                wrong.append((least, orders_there, days))
            least = orders_there

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for day in range(2, 5):
            order(f"2025-06-{day:02}T10:00:00")
            publish()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert count(mart_dir) == 4


def test_a_look_at_the_pointer_is_all_that_an_unchanged_mart_costs(
    mart_dir: Path, publish: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    warm(mart_dir)
    monkeypatch.setattr(reading, "read_pointer", lambda _: pytest.fail("the pointer was read again"))
    assert current(mart_dir) is current(mart_dir)


def test_freshness_is_renewed_when_nothing_changed(mart_dir: Path, publish: Callable[..., Done]) -> None:
    publish()
    before = current(mart_dir).about
    publish()
    after = current(mart_dir).about
    assert after.version == before.version
    assert after.refreshed_at > before.refreshed_at
    assert after.refreshed_at - before.refreshed_at < timedelta(minutes=10)
