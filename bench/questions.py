"""The questions behind Today and Repeat: asked of the mart, nothing cached, and of SQLite directly."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bench.table import Row, Shop, median_ms
from lib.jobs.refresh import refresh
from lib.mart.snapshot import Snapshot, current, forget
from lib.metrics import cohorts, read, repeat, sales, second_order
from lib.metrics.definition import Scope
from lib.periods import Period, day_of

RUNS = 7
DIRECT_RUNS = 3
PREPARED, AD_HOC, RATIO = 30.0, 300.0, 20.0

# Valid orders as SQLite must find them for every question; days by UTC, which is in its favour.
_VALID = """
    o.cancelled_at IS NULL AND o.payment_status <> 'voided' AND NOT o.is_test
    AND o.gross_minor > o.discount_minor AND NOT coalesce(c.is_test, 0)
"""
_FROM = "FROM orders o LEFT JOIN customers c ON c.customer_id = o.customer_id"
_OCCASIONS = f"""
    SELECT o.customer_id, julianday(date(o.placed_at)) AS day, min(julianday(date(o.placed_at)))
        OVER (PARTITION BY o.customer_id) AS first_day, sum(o.gross_minor - o.discount_minor) AS net
    {_FROM} WHERE {_VALID} AND o.customer_id IS NOT NULL GROUP BY 1, 2
"""
DAILY = f"""
    SELECT s.day, s.orders, s.customers, s.gross, s.discount, coalesce(r.back, 0) FROM (
        SELECT date(o.placed_at) AS day, count(*) AS orders, count(DISTINCT o.customer_id) AS customers,
            sum(o.gross_minor) AS gross, sum(o.discount_minor) AS discount
        {_FROM} WHERE {_VALID} AND o.placed_at >= :start AND o.placed_at < :end GROUP BY 1
    ) s LEFT JOIN (
        SELECT date(refunded_at) AS day, sum(goods_minor) AS back FROM refunds
        WHERE refunded_at >= :start AND refunded_at < :end GROUP BY 1
    ) r ON r.day = s.day
"""
BY_CHANNEL = f"""
    SELECT o.channel, count(*), sum(o.gross_minor), sum(o.discount_minor)
    {_FROM} WHERE {_VALID} AND o.placed_at >= :start AND o.placed_at < :end GROUP BY 1
"""
BEST = f"""
    SELECT i.product_id, sum(i.quantity), sum(i.gross_minor - i.discount_minor) AS value
    {_FROM} JOIN order_items i ON i.order_id = o.order_id
    WHERE {_VALID} AND i.kind = 'goods' AND o.placed_at >= :start AND o.placed_at < :end
    GROUP BY 1 ORDER BY value DESC LIMIT 8
"""
WITHIN = f"""
    SELECT count(*), sum(second <= 90) FROM (
        SELECT customer_id, min(CASE WHEN day > first_day THEN day - first_day END) AS second
        FROM ({_OCCASIONS}) GROUP BY customer_id HAVING min(first_day) < julianday(:end) - 90
    )
"""
TRIANGLE = f"""
    SELECT strftime('%Y-%m', first_day), strftime('%Y-%m', day), count(DISTINCT customer_id), sum(net)
    FROM ({_OCCASIONS}) GROUP BY 1, 2
"""
SECOND = f"""
    SELECT first_day, second, count(*) FROM (
        SELECT customer_id, min(first_day) AS first_day,
            min(CASE WHEN day > first_day THEN day - first_day END) AS second
        FROM ({_OCCASIONS}) GROUP BY customer_id
    ) GROUP BY 1, 2
"""


def rows(shop: Shop) -> Iterator[Row]:
    refresh(shop.settings)
    mart = current(shop.settings.mart_dir)
    last = (mart.about.last_day or 0) + 1
    whole = Scope(period=Period(day_of(mart.about.first_day or 0), day_of(last)), as_of=day_of(last))
    year = replace(whole, period=Period.last(365, before=day_of(last)))
    weeks = replace(whole, period=Period.last(28, before=day_of(last)))
    channel = read.slices(mart, "channel")[0]
    country = read.slices(mart, "country")[0]
    one = replace(weeks, filters=(("channel", channel),))
    two = replace(weeks, filters=(("channel", channel), ("country", country)))
    kpis = ["orders", "customers", "net_sales", "average_order_value"]
    asked: list[tuple[str, float, Scope, Callable[[Snapshot], Any], str]] = [
        ("Today: KPIs of 28 days", PREPARED, weeks, lambda m: read.figures(m, kpis, weeks), DAILY),
        ("Today: KPIs of 28 days, one channel", PREPARED, one, lambda m: read.figures(m, kpis, one), ""),
        ("Today: KPIs of 28 days, channel and country", AD_HOC, two, lambda m: read.figures(m, kpis, two), ""),
        ("Today: KPIs day by day, a year", PREPARED, year, lambda m: read.dailies(m, kpis, year), DAILY),
        (
            "Today: segments by channel, a year",
            PREPARED,
            year,
            lambda m: sales.segment_totals(m, year, "channel"),
            BY_CHANNEL,
        ),
        ("Today: best sellers of 28 days", PREPARED, weeks, lambda m: sales.best_sellers(m, weeks, weeks), BEST),
        ("Today: bridge of a year", PREPARED, year, lambda m: sales.bridge(m, year), ""),
        ("Repeat: within 30 to 365 days", PREPARED, whole, lambda m: second_order.shares(m, whole), WITHIN),
        ("Repeat: time to the second order", PREPARED, whole, lambda m: second_order.spells(m, whole), SECOND),
        ("Repeat: the same by channel", PREPARED, whole, lambda m: second_order.spells(m, whole, "channel"), ""),
        ("Repeat: cohort triangle", PREPARED, whole, lambda m: cohorts.cohorts(m, whole), TRIANGLE),
        ("Repeat: what comes next", PREPARED, whole, lambda m: repeat.next_purchases(m, whole), ""),
        ("Repeat: one-time and repeat customers", PREPARED, whole, lambda m: repeat.one_time_share(m, whole), ""),
    ]
    with sqlite3.connect(shop.folder / "order.db") as direct:
        for work, target, scope, ask, sql in asked:

            def uncached(ask: Callable[[Snapshot], Any] = ask) -> None:
                forget()
                ask(mart)

            uncached()
            took = median_ms(uncached, RUNS)
            yield Row(work=work, orders=shop.orders, median=took, unit="ms", runs=RUNS, target=target)
            if not sql:
                continue
            days = {"start": scope.period.start.isoformat(), "end": scope.period.end.isoformat()}

            def of_sqlite(sql: str = sql, days: dict[str, str] = days) -> None:
                direct.execute(sql, days).fetchall()

            slow = median_ms(of_sqlite, DIRECT_RUNS)
            yield Row(
                work="  as many times faster than SQLite",
                orders=shop.orders,
                median=slow / took,
                unit="×",
                runs=DIRECT_RUNS,
                target=RATIO,
                note=f"SQLite {slow:,.0f} ms",
            )
    direct.close()
