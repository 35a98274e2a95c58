"""Before the start: what can be found is said in words that follow from the numbers, and what to change."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from lib.db.engine import reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.jobs.offer_dry_run import dry_run
from lib.jobs.refresh import refresh
from lib.jobs.snapshot import newest
from lib.settings import Settings
from lib.stats.power import detectable
from lib.ui.offer_start import power_words
from lib.workflows.offer_forecast import Forecast, forecast
from lib.workflows.offer_going import as_it_goes
from tests.offer_shop import coupon, fill_shop, start


def told(customers: int, *, holdout: float, hoped: float = 0.2) -> str:
    found = detectable(customers, 0.1, holdout=holdout or 0.5, hoped_share=0.1 * (1 + hoped))
    known = Forecast(
        days=28, per_day=10, standing=0, allowed=0.5, customers=customers, looks=4, baseline=0.1, found=found
    )
    return " ".join(power_words(known, holdout, 30, hoped))


def test_what_is_within_reach_is_said_to_be() -> None:
    # 10 % to 12 % takes about 3,840 per arm.
    assert "needs 7,682 customers: within reach" in told(8_000, holdout=0.5)


def test_what_is_out_of_reach_comes_with_what_to_change() -> None:
    words = told(4_000, holdout=0.5)
    assert "needs 7,682 customers: out of reach" in words
    assert "let it run 1.9 times as long" in words


def test_a_small_holdout_is_said_to_need_two_point_eight_times_the_customers() -> None:
    words = told(8_000, holdout=0.1)
    assert "A 10 % holdout needs 2.8 × the customers of an even split." in words
    assert "set the holdout to 50 %. With an even split these customers are enough." in words


def test_without_a_holdout_no_effect_is_promised() -> None:
    words = told(8_000, holdout=0)
    assert "Without a holdout nothing can be said about its effect" in words
    assert "4 times out of 5" not in words


@pytest.fixture
def today() -> datetime:
    return now().replace(hour=9, minute=0, second=0, microsecond=0)


def test_a_forecast_counts_those_who_are_due_and_those_who_come(
    settings: Settings, store: Store, database: Engine, today: datetime
) -> None:
    fill_shop(database, 40, ordered_at=today - timedelta(days=20))
    fill_shop(database, 28, ordered_at=today - timedelta(days=15), first=41)
    key = start(database, coupon(delay_days=10), at=today)
    refresh(settings)
    with reading(database) as connection:
        going = as_it_goes(connection, key)
        tried = dry_run(connection, newest(settings), settings, going, at=today)
    found = forecast(newest(settings), going, store, due=len(tried.rows), drawn=68, held=0, at=today)
    assert len(tried.rows) == 68
    # All 68 passed their tenth day within the last four weeks.
    assert (found.standing, found.per_day, found.days, found.looks) == (68, 68 / 28, 28, 4)
    assert (found.allowed, found.customers) == (1.0, 136)
    # Nobody ever bought again in this shop: then no rate can be changed, and that is said.
    assert found.baseline is None
    assert found.why_not
    assert found.why_not in " ".join(power_words(found, 0.5, 30, 0.2))
