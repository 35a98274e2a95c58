"""What-ifs that are kept: who may, what is kept, that the same answer comes again, and how they are scored."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, func, insert, select

from lib.db.engine import reading, writing
from lib.db.tables.offers import offers, what_ifs
from lib.db.tables.staff import audit_log
from lib.errors import Conflict, InvalidInput, NotAllowed, NotEnoughData
from lib.offer import Pays
from lib.offer import Reward as Given
from lib.queues.what_ifs import offers_to_foretell, saved_what_if, saved_what_ifs
from lib.staff import LOCAL, Role, Staff
from lib.stats.assumptions import Assumptions, Beta
from lib.stats.forecast import Forecast, assumptions_from, assumptions_to
from lib.stats.ground import Ground
from lib.stats.scenario import Scenario
from lib.workflows.what_ifs import save_what_if, score_what_if

GROUND = Ground(
    spells=pd.DataFrame({"day": [10, 20, 50], "events": [100, 180, 0], "censored": [0, 0, 720]}),
    baskets=pd.DataFrame({"value_minor": [2000, 8000], "orders": [30, 10], "net_minor": [60_000, 100_000]}),
    per_day=20.0,
    margin=0.4,
)
SCENARIO = Scenario(delay_days=15, reward=Given(pays=Pays.PERCENT, depth=0.1, expiry_days=30))
FORECAST = Forecast(scenario=SCENARIO, ground=GROUND, assumptions=Assumptions(pulled_forward=Beta(3, 9)))
VIEWER = Staff(staff_id=None, name="Vera", role=Role.VIEWER)


def counts(database: Engine) -> tuple[int, int]:
    with reading(database) as conn:
        kept = conn.execute(select(func.count()).select_from(what_ifs)).scalar_one()
        return kept, conn.execute(select(func.count()).select_from(audit_log)).scalar_one()


def test_the_same_answer_comes_again(database: Engine, noon: datetime) -> None:
    due = noon + timedelta(days=120)
    with writing(database) as conn:
        key = save_what_if(conn, LOCAL, "  Ten off \n again ", FORECAST, due_at=due, at=noon)
    with reading(database) as conn:
        found = saved_what_if(conn, key)
    assert found is not None
    assert (found.name, found.due_at, found.is_open, found.is_scored) == ("Ten off again", due, True, False)
    back = Forecast.from_json(found.scenario, found.assumptions)
    assert (back.scenario, back.assumptions) == (FORECAST.scenario, FORECAST.assumptions)
    assert np.array_equal(back.result().profit, FORECAST.result().profit)
    assert found.forecast == FORECAST.told()


def test_what_is_told_of_a_forecast_is_the_answer_itself() -> None:
    told, result = FORECAST.told(), FORECAST.result()
    assert told["chance"] == result.chance
    assert told["break_even"] == result.break_even.uplift
    assert told["buy_anyway"] == pytest.approx(0.2)
    assert told["profit"]["middle"] == pytest.approx(float(np.median(result.profit)), rel=1e-3)
    assert told["profit"]["low"] < told["profit"]["middle"] < told["profit"]["high"]


@pytest.mark.parametrize(
    ("by", "name", "days", "offer_id", "refused"),
    [
        (VIEWER, "Mine", 10, None, NotAllowed),
        (LOCAL, " \n ", 10, None, InvalidInput),
        (LOCAL, "Mine", 0, None, InvalidInput),
        (LOCAL, "Mine", 10, 999, InvalidInput),
    ],
)
def test_a_refusal_keeps_nothing(
    database: Engine, noon: datetime, by: Staff, name: str, days: int, offer_id: int | None, refused: type[Exception]
) -> None:
    with pytest.raises(refused), writing(database) as conn:
        save_what_if(conn, by, name, FORECAST, due_at=noon + timedelta(days=days), offer_id=offer_id, at=noon)
    assert counts(database) == (0, 0)


def test_what_the_ground_does_not_carry_is_not_kept(database: Engine, noon: datetime) -> None:
    far = replace(FORECAST, scenario=replace(SCENARIO, delay_days=400))
    with pytest.raises(NotEnoughData), writing(database) as conn:
        save_what_if(conn, LOCAL, "Far", far, due_at=noon + timedelta(days=9), at=noon)
    assert counts(database) == (0, 0)


def test_the_newest_come_first_with_the_offer_that_they_foretell(database: Engine, noon: datetime) -> None:
    values = {"source": "test", "fingerprint": "x", "name": "Again", "kind": "coupon", "salt": "s"}
    with writing(database) as conn:
        for key, status in ((1, "draft"), (2, "finished")):
            conn.execute(insert(offers).values(**values, external_id=str(key), offer_id=key, status=status))
        assert offers_to_foretell(conn) == {1: "Again"}
        for hour, offer in ((0, None), (1, 1)):
            at = noon + timedelta(hours=hour)
            save_what_if(conn, LOCAL, f"No {hour}", FORECAST, due_at=at + timedelta(days=1), offer_id=offer, at=at)
    with reading(database) as conn:
        assert [(one.name, one.offer, one.scenario) for one in saved_what_ifs(conn)] == [
            ("No 1", "Again", None),
            ("No 0", "", None),
        ]


def test_a_what_if_from_elsewhere_is_listed_and_not_opened(database: Engine, noon: datetime) -> None:
    with writing(database) as conn:
        conn.execute(insert(what_ifs).values(name="Old", assumptions={}, forecast={"uplift": 0.1}, created_at=noon))
    with reading(database) as conn:
        (found,) = saved_what_ifs(conn)
        whole = saved_what_if(conn, found.what_if_id)
    assert not found.is_open
    assert whole is not None
    with pytest.raises(InvalidInput, match="cannot be opened"):
        Forecast.from_json(whole.scenario, whole.assumptions)


def test_it_is_scored_once_against_the_profit_of_a_customer(database: Engine, noon: datetime) -> None:
    middle = float(np.median(FORECAST.per_customer()))
    with writing(database) as conn:
        key = save_what_if(conn, LOCAL, "Mine", FORECAST, due_at=noon + timedelta(days=10), at=noon)
        later = noon + timedelta(days=11)
        found = score_what_if(conn, key, actual=middle, se=5.0, customers=900, at=later)
    assert found.held
    assert found.surprise == pytest.approx(0.5, abs=0.05)
    with reading(database) as conn:
        kept = saved_what_if(conn, key)
    assert kept is not None and kept.is_scored and kept.actual is not None
    assert (kept.actual["held"], kept.actual["customers"], kept.actual["profit_per_customer"]) == (True, 900, middle)
    before = counts(database)
    with pytest.raises(Conflict), writing(database) as conn:
        score_what_if(conn, key, actual=0.0, se=1.0, customers=1, at=later)
    assert counts(database) == before


def test_a_result_far_off_is_outside_the_range(database: Engine, noon: datetime) -> None:
    with writing(database) as conn:
        key = save_what_if(conn, LOCAL, "Mine", FORECAST, due_at=noon + timedelta(days=10), at=noon)
        found = score_what_if(conn, key, actual=10_000.0, se=1.0, customers=900, at=noon)
    assert not found.held
    assert found.surprise == 1.0


def test_assumptions_are_kept_and_read_back_whole() -> None:
    known = Assumptions(contact=0.3, covariance=-0.05, learned_from=4, redeemed_anyway=Beta(1.5, 2.25))
    assert assumptions_from(assumptions_to(known)) == known
    with pytest.raises(InvalidInput):
        assumptions_from({"contact": "x"})
