"""The mart: a full build, a refresh after a day's orders, and what they take of memory and disk."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from sqlalchemy import text

from bench.table import Row, Shop
from lib.db.engine import order_database, writing
from lib.mart.about import read_pointer, snapshot_file
from lib.mart.changes import WATCHED

# In a process of its own, so that its peak is its own.
REFRESH = """
import json, resource, sys, time
from lib.jobs.refresh import refresh
from lib.settings import settings
started = time.perf_counter()
report = refresh(settings(), full=sys.argv[1] == "full")
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "how": report.how, "owners": report.owners, "seconds": seconds, "peak_mb": peak.ru_maxrss / 1024,
    "processor": peak.ru_utime + peak.ru_stime,
}))
"""
DAYS = 900
DAY_RUNS = 3


def age(shop: Shop) -> None:
    """Let the store have been made long ago: what changed minutes before a refresh is read once more by the next."""
    with writing(order_database(shop.settings)) as connection:
        for watched in WATCHED:
            connection.execute(text(f"UPDATE {watched.name} SET updated_at = '2000-01-01 00:00:00.000000'"))


def rows(shop: Shop) -> Iterator[Row]:
    age(shop)
    large = shop.orders >= 1_000_000
    full = _refresh(shop, "full")
    yield Row(
        work="mart, full build from SQLite",
        orders=shop.orders,
        median=full["seconds"],
        unit="s",
        target=60 if shop.orders == 1_000_000 else None,
        note=f"processor {full['processor']:.0f} s",
    )
    yield Row(
        work="mart, full build, peak memory",
        orders=shop.orders,
        median=full["peak_mb"],
        unit="MB",
        target=2048 if large else None,
    )
    about = read_pointer(shop.settings.mart_dir)
    assert about is not None
    size = snapshot_file(shop.settings.mart_dir, about.version).stat().st_size
    yield Row(work="mart, size of the file", orders=shop.orders, median=size / 1e6, unit="MB")
    days = []
    for _ in range(DAY_RUNS):
        sell(shop, max(shop.orders // DAYS, 50))
        days.append(_refresh(shop, "changes"))
        assert days[-1]["how"] == "incremental"
    middle = sorted(days, key=lambda day: day["seconds"])[DAY_RUNS // 2]
    yield Row(
        work="mart, refresh after a day's orders",
        orders=shop.orders,
        median=middle["seconds"],
        unit="s",
        runs=DAY_RUNS,
        target=3 if shop.orders == 1_000_000 else None,
        note=f"{middle['owners']:,} customers, processor {middle['processor']:.1f} s",
    )
    yield Row(work="mart, refresh, peak memory", orders=shop.orders, median=middle["peak_mb"], unit="MB")


def _refresh(shop: Shop, how: str) -> dict[str, Any]:
    environment = {**os.environ, "ENCORE_DATA_DIR": str(shop.folder)}
    done = subprocess.run(
        [sys.executable, "-c", REFRESH, how], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def sell(shop: Shop, count: int) -> None:
    """A day: as many orders as the latest ``count``, by customers drawn at random, and a few late changes."""
    now = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    with writing(order_database(shop.settings)) as connection:

        def copy(table: str, key: str, changed: dict[str, str], where: str) -> None:
            columns = [row[1] for row in connection.execute(text(f"PRAGMA table_info({table})")) if row[1] != key]
            values = ", ".join(changed.get(column, column) for column in columns)
            connection.execute(
                text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {where}")
            )

        (last,) = connection.execute(text("SELECT max(order_id) FROM orders")).one()
        (people,) = connection.execute(text("SELECT max(customer_id) FROM customers")).one()
        copy(
            "orders",
            "order_id",
            {
                "external_id": f"'day-' || (order_id + {last})",
                "customer_id": "(SELECT c.customer_id FROM customers c "
                f"WHERE c.customer_id >= (order_id * 7919) % {people} ORDER BY c.customer_id LIMIT 1)",
                "placed_at": now,
                "updated_at": now,
            },
            f"order_id > {last - count}",
        )
        (newest,) = connection.execute(text("SELECT max(order_id) FROM orders")).one()
        copy(
            "order_items",
            "order_item_id",
            {"order_id": f"order_id - {last - count} + {newest - count}", "external_id": "NULL"},
            f"order_id > {last - count} AND order_id <= {last}",
        )
        connection.execute(
            text(
                "UPDATE shipments SET carrier = 'another' WHERE shipment_id IN "
                f"(SELECT shipment_id FROM shipments ORDER BY shipment_id DESC LIMIT {count})"
            )
        )
