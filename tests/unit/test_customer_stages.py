"""Stages and fifths from the mart: together they are everybody, and each says what the pure functions say."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import select

from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.demo.build import make_demo
from lib.jobs.refresh import refresh
from lib.jobs.snapshot import newest
from lib.mart.schema import dim_customer
from lib.metrics import customers as metric
from lib.metrics.customers import ALL, MANY
from lib.metrics.definition import Mart
from lib.periods import day_index, store_day
from lib.queues.customer_account import account
from lib.settings import Settings, read_settings
from lib.stats.lifecycle import Stage, stage
from lib.stats.rfm import Rank, fifth

AS_OF = store_day(now(), ZoneInfo("Europe/Berlin"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = read_settings({"ENCORE_DATA_DIR": str(tmp_path_factory.mktemp("stages") / "data")})
    make_demo(made, orders=3000, seed=5, replace=False, progress=None)
    refresh(made)
    return made


@pytest.fixture(scope="module")
def mart(shop: Settings) -> Mart:
    return newest(shop)


@pytest.fixture(scope="module")
def people(mart: Mart) -> pd.DataFrame:
    return mart.frame(select(dim_customer).where(dim_customer.c.occasions > 0))


def test_the_gaps_of_each_order_are_those_of_all_customers_who_placed_it(mart: Mart, people: pd.DataFrame) -> None:
    gaps = metric.order_gaps(mart, AS_OF)
    known = people[people["first_day"] < day_index(AS_OF)]
    for number in range(1, MANY):
        rows = gaps[number]
        assert int(rows["events"].sum() + rows["censored"].sum()) == int((known["occasions"] >= number).sum())
        assert int(rows["events"].sum()) == int((known["occasions"] > number).sum())
    assert int(gaps[ALL]["events"].sum()) == int((known["occasions"] - 1).sum())
    assert sum(int(gaps[n]["censored"].sum()) for n in gaps if n != ALL) == int(gaps[ALL]["censored"].sum())


def test_the_stages_are_everybody_once_to_the_cent(mart: Mart, people: pd.DataFrame) -> None:
    known = metric.known_waits(metric.order_gaps(mart, AS_OF))
    found = metric.standings(mart, known, AS_OF)
    assert [one.stage for one in found] == list(Stage)
    assert sum(one.customers for one in found) == len(people)
    assert sum(one.orders for one in found) == int(people["orders"].sum())
    assert sum(one.net_minor for one in found) == int(people["net_minor"].sum())


def test_the_lists_are_their_cards_and_each_customer_stands_where_the_function_says(
    mart: Mart, people: pd.DataFrame
) -> None:
    known = metric.known_waits(metric.order_gaps(mart, AS_OF))
    seen: set[int] = set()
    occasions = dict(zip(people["customer_id"].tolist(), people["occasions"].tolist(), strict=True))
    for standing in metric.standings(mart, known, AS_OF):
        rows = metric.customers_at(mart, standing.stage, known, AS_OF, limit=None)
        assert (len(rows), int(rows["net_minor"].sum())) == (standing.customers, standing.net_minor)
        assert rows["net_minor"].is_monotonic_decreasing
        pages = [
            metric.customers_at(mart, standing.stage, known, AS_OF, offset=at, limit=50)
            for at in range(0, len(rows), 50)
        ]
        assert pages == [] or pd.concat(pages)["customer_id"].tolist() == rows["customer_id"].tolist()
        for key, waited in zip(rows["customer_id"].head(40).tolist(), rows["waited"].head(40).tolist(), strict=True):
            assert stage(occasions[key], waited, known[min(occasions[key], MANY)]) is standing.stage
        seen |= set(rows["customer_id"].tolist())
    assert seen == set(people["customer_id"])


def test_too_few_who_came_back_tell_no_stages_and_everybody_is_still_counted(mart: Mart, people: pd.DataFrame) -> None:
    early = metric.order_gaps(mart, AS_OF - timedelta(days=5000))
    assert metric.known_waits(early) == {}
    (found,) = metric.standings(mart, {}, AS_OF)
    assert (found.stage, found.customers) == (None, len(people))
    assert len(metric.customers_at(mart, None, {}, AS_OF, limit=None)) == len(people)


def test_the_fifths_of_a_customer_are_those_of_counting_by_hand(mart: Mart, people: pd.DataFrame) -> None:
    for key in (*people["customer_id"].head(15).tolist(), *people["customer_id"].tail(15).tolist()):
        who = metric.bought(mart, key)
        assert who is not None
        group = people[(people["occasions"] == 1) == (who.occasions == 1)]

        def rank(name: str, value: int, group: pd.DataFrame = group) -> Rank:
            return Rank(worse=int((group[name] < value).sum()), level=int((group[name] == value).sum()), of=len(group))

        found = metric.rfm(mart, who)
        assert found is not None
        assert found.recency == fifth(rank("last_day", who.last_day))
        assert found.money == fifth(rank("net_minor", who.net_minor))
        assert found.frequency == (fifth(rank("occasions", who.occasions)) if who.occasions > 1 else None)
        assert found.among == len(group)


def test_somebody_without_an_order_is_in_no_figure(mart: Mart) -> None:
    assert metric.bought(mart, 10**9) is None


def test_what_a_customers_page_adds_up_is_what_the_mart_knows_of_her(shop: Settings, people: pd.DataFrame) -> None:
    with reading(order_database(shop)) as conn:
        for row in people.sort_values("orders", ascending=False).head(60).to_dict("records"):
            sums = account(conn, row["customer_id"])
            assert sums is not None
            assert (sums.orders, sums.net_minor) == (row["orders"], row["net_minor"])
            assert sums.refunded_goods_minor <= sums.paid_back_minor


def test_somebody_refunded_is_among_those_compared(shop: Settings, people: pd.DataFrame) -> None:
    with reading(order_database(shop)) as conn:
        refunded = [
            account(conn, int(key)) for key in people.sort_values("orders", ascending=False)["customer_id"].head(60)
        ]
    assert any(sums is not None and sums.refunded_goods_minor for sums in refunded)
