"""The questions behind Today and Repeat: asked of the mart, nothing cached, and of SQLite directly."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

import pandas as pd

from bench.table import Row, Shop, median_ms
from lib.jobs.refresh import refresh
from lib.mart.about import About
from lib.mart.snapshot import Question, Snapshot, current, forget
from lib.metrics import cohorts, lifetime, read, repeat, sales, second_order
from lib.metrics.bridge import bridge
from lib.metrics.catalogue import find
from lib.metrics.definition import Mart, Scope
from lib.periods import Period, day_of

RUNS = 7
DIRECT_RUNS = 3
PREPARED, AD_HOC, RATIO, PAGE, LIFETIME = 30.0, 300.0, 20.0, 150.0, 1500.0
# The figures of Today's cards, and those that have an expected range.
KPIS = (
    *("net_sales", "orders", "customers", "average_order_value", "returning_share_of_customers"),
    *("refund_rate", "late_share", "answered_within_target"),
)
RANGED = ("net_sales", "orders", "customers")
# Those of them that the questions put to SQLite answer.
SALES = ("net_sales", "orders", "customers", "average_order_value")

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


class Timed:
    """A mart that notes how long each query took."""

    def __init__(self, mart: Snapshot) -> None:
        self._mart = mart
        self.took: list[float] = []

    @property
    def version(self) -> int:
        return self._mart.version

    @property
    def about(self) -> About:
        return self._mart.about

    def frame(self, statement: Question, **params: object) -> pd.DataFrame:
        started = time.perf_counter()
        found = self._mart.frame(statement, **params)
        self.took.append((time.perf_counter() - started) * 1000)
        return found

    def batches(self, statement: Question, *, rows: int, **params: object) -> Iterator[pd.DataFrame]:
        return self._mart.batches(statement, rows=rows, **params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a page; ``page`` names the page that asks it each time it is opened."""

    work: str
    ask: Callable[[Mart], object]
    scope: Scope
    target: float = PREPARED
    sql: str = ""
    page: str = ""


def rows(shop: Shop) -> Iterator[Row]:
    refresh(shop.settings)
    mart = current(shop.settings.mart_dir)
    questions = _questions(mart)
    with closing(sqlite3.connect(shop.folder / "order.db")) as direct:
        for asked in questions:
            took = _measured(mart, [asked])
            yield Row(
                work=asked.work,
                orders=shop.orders,
                median=took.slowest,
                unit="ms",
                runs=RUNS,
                target=asked.target,
                note=f"slowest of {took.queries}, all of it {took.whole:.0f} ms, processor {took.processor:.0f} ms",
            )
            if asked.sql:
                slow = median_ms(partial(_of_sqlite, direct, asked), DIRECT_RUNS)
                yield Row(
                    work="  as many times faster than SQLite",
                    orders=shop.orders,
                    median=slow / took.whole,
                    unit="×",
                    runs=DIRECT_RUNS,
                    target=RATIO,
                    note=f"SQLite {slow:,.0f} ms, all work on both sides",
                )
    for page in ("Today", "Repeat"):
        took = _measured(mart, [asked for asked in questions if asked.page == page])
        yield Row(
            work=f"{page}: the whole page, nothing cached",
            orders=shop.orders,
            median=took.whole,
            unit="ms",
            runs=RUNS,
            target=PAGE,
            note=f"{took.queries} queries, processor {took.processor:.0f} ms",
        )
    yield _lifetime(mart, shop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Median milliseconds of the slowest query, of everything, and of the processor for everything.

    On a machine that others use too, wall time says how busy they are and the processor's what the work costs.
    """

    slowest: float
    whole: float
    processor: float
    queries: int


def _measured(mart: Snapshot, questions: list[Asked]) -> Took:
    """Ask some questions several times, nothing cached."""
    slowest, whole, processor, queries = [], [], [], 0
    for _ in range(RUNS + 1):
        forget()
        timed = Timed(mart)
        started, worked = time.perf_counter(), time.process_time()
        for asked in questions:
            asked.ask(timed)
        whole.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - worked) * 1000)
        slowest.append(max(timed.took))
        queries = len(timed.took)
    # The first run also writes the SQL, once in a process.
    return Took(slowest=median(slowest[1:]), whole=median(whole[1:]), processor=median(processor[1:]), queries=queries)


def _of_sqlite(direct: sqlite3.Connection, asked: Asked) -> None:
    period = asked.scope.period
    direct.execute(asked.sql, {"start": period.start.isoformat(), "end": period.end.isoformat()}).fetchall()


def _lifetime(mart: Snapshot, shop: Shop) -> Row:
    last = (mart.about.last_day or 0) + 1
    whole = Scope(period=Period(day_of(mart.about.first_day or 0), day_of(last)), as_of=day_of(last))

    def fit() -> None:
        forget()
        lifetime.forget()
        lifetime.lifetime(mart, whole)

    return Row(
        work="Repeat: lifetime model with backtest, when asked for",
        orders=shop.orders,
        median=median_ms(fit, DIRECT_RUNS),
        unit="ms",
        runs=DIRECT_RUNS,
        target=LIFETIME,
    )


def _questions(mart: Snapshot) -> list[Asked]:
    first, last = day_of(mart.about.first_day or 0), day_of((mart.about.last_day or 0) + 1)
    whole = Scope(period=Period(first, last), as_of=last)
    year = replace(whole, period=Period.last(364, before=last))
    weeks = replace(whole, period=Period.last(28, before=last))
    earlier = replace(weeks, period=weeks.period.previous(), as_of=weeks.period.start)
    history = replace(whole, period=Period.last(448, before=last))
    channel, country = ((name, read.slices(mart, name)[0]) for name in ("channel", "country"))
    one, two = replace(weeks, filters=(channel,)), replace(weeks, filters=(channel, country))

    def kpis(scope: Scope) -> Callable[[Mart], object]:
        keys = [key for key in KPIS if all(name in find(key).dimensions for name, _ in scope.filters)]
        return lambda m: read.figures(m, keys, scope)

    return [
        Asked(
            work="Today: the figures of sales, 28 days",
            scope=weeks,
            ask=lambda m: read.figures(m, SALES, weeks),
            sql=DAILY,
        ),
        Asked(work="Today: all figures of 28 days", scope=weeks, ask=kpis(weeks), page="Today"),
        Asked(work="Today: the figures compared with", scope=earlier, ask=kpis(earlier), page="Today"),
        Asked(work="Today: the figures of a year", scope=year, ask=kpis(year)),
        Asked(work="Today: the figures of all days", scope=whole, ask=kpis(whole)),
        Asked(work="Today: the figures of one channel", scope=one, ask=kpis(one)),
        Asked(work="Today: the figures of a channel and a country", scope=two, ask=kpis(two), target=AD_HOC),
        Asked(
            work="Today: day by day, 28 days",
            scope=weeks,
            ask=lambda m: read.dailies(m, KPIS, weeks),
            page="Today",
        ),
        Asked(work="Today: day by day, a year", scope=year, ask=lambda m: read.dailies(m, KPIS, year)),
        Asked(
            work="Today: the days behind the expected ranges",
            scope=history,
            ask=lambda m: read.dailies(m, RANGED, history),
            sql=DAILY,
            page="Today",
        ),
        Asked(
            work="Today: what moved net sales",
            scope=weeks,
            ask=lambda m: (sales.driver_totals(m, weeks), sales.driver_totals(m, earlier)),
            page="Today",
        ),
        Asked(
            work="Today: segments by channel, a year",
            scope=year,
            ask=lambda m: sales.segment_totals(m, year, "channel"),
            sql=BY_CHANNEL,
        ),
        Asked(
            work="Today: segments by category, a year",
            scope=year,
            ask=lambda m: sales.segment_totals(m, year, "category"),
        ),
        Asked(
            work="Today: best sellers of 28 days",
            scope=weeks,
            ask=lambda m: sales.best_sellers(m, weeks, earlier),
            sql=BEST,
            page="Today",
        ),
        Asked(work="Today: the bridge", scope=weeks, ask=lambda m: bridge(m, weeks), page="Today"),
        Asked(
            work="Figures: customers of all days by category",
            scope=whole,
            ask=lambda m: read.figures(m, ["customers"], replace(whole, by="category")),
        ),
        Asked(
            work="Repeat: within 30 to 365 days",
            scope=whole,
            ask=lambda m: second_order.shares(m, whole),
            sql=WITHIN,
            page="Repeat",
        ),
        Asked(
            work="Repeat: time to the second order",
            scope=whole,
            ask=lambda m: second_order.spells(m, whole),
            sql=SECOND,
            page="Repeat",
        ),
        Asked(
            work="Repeat: the same by first product",
            scope=whole,
            ask=lambda m: second_order.spells(m, whole, "product"),
        ),
        Asked(
            work="Repeat: cohort triangle",
            scope=whole,
            ask=lambda m: cohorts.cohorts(m, whole),
            sql=TRIANGLE,
            page="Repeat",
        ),
        Asked(
            work="Repeat: what comes next", scope=whole, ask=lambda m: repeat.next_purchases(m, whole), page="Repeat"
        ),
        Asked(
            work="Repeat: one-time and repeat customers",
            scope=weeks,
            ask=lambda m: repeat.one_time_share(m, weeks),
            page="Repeat",
        ),
        Asked(
            work="Repeat: returning share of customers",
            scope=weeks,
            ask=lambda m: read.figures(m, ["returning_share_of_customers"], weeks),
            page="Repeat",
        ),
    ]
