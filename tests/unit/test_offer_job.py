"""What happens to offers after each refresh: looks are written down, crossed limits pause."""

from datetime import UTC, date, datetime, timedelta
from math import log
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, insert, select

from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.customers import customers
from lib.db.tables.offers import contact_events, offer_assignments, offer_looks, offer_versions, offers, what_ifs
from lib.db.tables.orders import order_items, orders
from lib.db.tables.staff import audit_log
from lib.jobs.offer_results import check_offers
from lib.jobs.refresh import refresh
from lib.mart.snapshot import current
from lib.metrics.learned import Taught, learned
from lib.offer import Guardrails, Pays, Plan, Reward
from lib.periods import day_index
from lib.settings import Settings
from lib.staff import LOCAL
from lib.stats.assumptions import Assumptions
from lib.stats.forecast import Forecast
from lib.stats.ground import Ground
from lib.stats.learning import learn
from lib.stats.scenario import Scenario
from lib.workflows.offer_trials import all_tested
from lib.workflows.what_ifs import save_what_if

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HELD, TREATED = 60, 60


def _imported(number: int) -> dict[str, Any]:
    return {"source": "test", "external_id": str(number), "fingerprint": "f"}


def fill(connection: Connection, *, guardrails: Guardrails, status: str = "running", bought: int = 30) -> None:
    """An offer to 120 customers on one day of January; of the treated so many buy, at a margin of a half."""
    people = [{**_imported(n), "customer_id": n, "name": f"Customer {n}"} for n in range(1, HELD + TREATED + 1)]
    connection.execute(insert(customers), people)
    start = datetime(2026, 1, 12, 9, tzinfo=UTC)
    connection.execute(
        insert(offers).values(
            **_imported(1),
            offer_id=1,
            name="Come back",
            kind="guide",
            status=status,
            starts_at=start,
            ends_at=start + timedelta(hours=3),
            window_days=14,
            holdout_share=0.5,
            salt="s",
            approved_number=1,
            planned_looks=1,
        )
    )
    plan = Plan(kind="guide", guardrails=guardrails, contact_cost_minor=10)
    connection.execute(
        insert(offer_versions).values(
            offer_version_id=1, offer_id=1, number=1, settings=plan.to_json(), created_at=start
        )
    )
    for n in range(1, HELD + TREATED + 1):
        is_treated = n > HELD
        connection.execute(
            insert(offer_assignments).values(
                offer_id=1,
                customer_id=n,
                offer_version_id=1,
                arm="treatment" if is_treated else "holdout",
                assigned_at=start,
                sent_at=start if is_treated else None,
            )
        )
    buyers = [*range(1, 11), *range(HELD + 1, HELD + 1 + bought)]
    for n in buyers:
        money = {"currency": "EUR", "gross_minor": 1000}
        connection.execute(
            insert(orders).values(
                **_imported(n),
                **money,
                order_id=n,
                number=f"#{n}",
                customer_id=n,
                placed_at=start + timedelta(days=3),
                payment_status="paid",
                original_currency="EUR",
                total_minor=1000,
            )
        )
        line = {"order_id": n, "line_number": 0, "name": "Cup", "quantity": 1, "unit_price_minor": 1000}
        connection.execute(insert(order_items).values(**money, **line, cost_minor=500))


def state(engine: Engine) -> tuple[str, str | None, list[tuple[int, str]], list[str]]:
    with reading(engine) as connection:
        row = connection.execute(select(offers.c.status, offers.c.pause_reason)).one()
        looks = connection.execute(select(offer_looks.c.number, offer_looks.c.result)).all()
        actions = list(connection.scalars(select(audit_log.c.action).order_by(audit_log.c.audit_id)))
    return row.status, row.pause_reason, [(look.number, look.result["call"]) for look in looks], actions


def test_the_planned_end_is_written_down_once_and_stays(database: Engine, settings: Settings, store: Store) -> None:
    with writing(database) as connection:
        fill(connection, guardrails=Guardrails(), status="finished")
    refresh(settings)
    assert check_offers(settings, at=AT).looks == 1
    told = ("finished", None, [(1, "keep")], ["offer.looked_at"])
    assert state(database) == told
    # What is imported later does not change what was said.
    with writing(database) as connection:
        connection.execute(orders.update().values(cancelled_at=AT))
    refresh(settings)
    assert check_offers(settings, at=AT + timedelta(days=1)).looks == 0
    assert state(database) == told


def test_before_the_windows_are_over_there_is_no_look(database: Engine, settings: Settings, store: Store) -> None:
    with writing(database) as connection:
        fill(connection, guardrails=Guardrails())
    refresh(settings)
    assert check_offers(settings, at=datetime(2026, 1, 26, 9, tzinfo=UTC)).looks == 0
    assert state(database) == ("running", None, [], [])
    # 12 January, 14 days, and the morning after.
    assert check_offers(settings, at=datetime(2026, 1, 27, 9, tzinfo=UTC)).looks == 1


@pytest.mark.parametrize(
    ("guardrails", "reason"),
    [
        (Guardrails(margin_floor=0.6), "Limit crossed. Margin, at least 60.0%: now 50.0%."),
        (Guardrails(budget_minor=500), "Limit crossed. Budget for rewards and contacts €5.00: now €6.00."),
        (Guardrails(complaint_rate=0.04), "Limit crossed. Complaints, at most 4.0%: now 5.0%."),
    ],
)
def test_crossing_a_limit_pauses_the_offer_and_says_which(
    database: Engine, settings: Settings, store: Store, guardrails: Guardrails, reason: str
) -> None:
    with writing(database) as connection:
        fill(connection, guardrails=guardrails)
        for n in (61, 62, 63):
            connection.execute(
                insert(contact_events).values(
                    idempotency_key=f"k{n}",
                    customer_id=n,
                    offer_id=1,
                    kind="unsubscribed",
                    source="test",
                    occurred_at=AT,
                )
            )
    refresh(settings)
    assert check_offers(settings, at=AT).paused == {1: reason}
    status, kept, _, actions = state(database)
    assert (status, kept, actions[-1]) == ("paused", reason, "offer.paused")
    # Once is enough.
    assert check_offers(settings, at=AT).paused == {}
    assert state(database)[3] == actions


def test_limits_that_hold_pause_nothing(database: Engine, settings: Settings, store: Store) -> None:
    held = Guardrails(margin_floor=0.4, budget_minor=601, refund_rate=0.1, complaint_rate=0.02)
    with writing(database) as connection:
        fill(connection, guardrails=held)
    refresh(settings)
    assert check_offers(settings, at=AT).paused == {}
    assert state(database)[0] == "running"
    assert "offer.paused" not in state(database)[3]


def test_without_a_mart_there_is_nothing_to_check(database: Engine, settings: Settings, store: Store) -> None:
    assert check_offers(settings, at=AT).looks == 0


def test_what_was_foretold_is_scored_once_when_every_window_is_over(
    database: Engine, settings: Settings, store: Store
) -> None:
    with writing(database) as connection:
        fill(connection, guardrails=Guardrails())
        forecast = Forecast(
            scenario=Scenario(
                reward=Reward(pays=Pays.NOTHING, expiry_days=14), delay_days=0, contact_cost_minor=10, run_days=1
            ),
            ground=Ground(
                spells=pd.DataFrame({"day": [3, 14], "events": [200, 0], "censored": [0, 1000]}),
                baskets=pd.DataFrame({"value_minor": [1000], "orders": [200], "net_minor": [200_000]}),
                per_day=120.0,
                margin=0.5,
                costed_share=1.0,
            ),
            assumptions=Assumptions(),
        )
        save: dict[str, Any] = {"due_at": datetime(2026, 1, 27, tzinfo=UTC), "at": datetime(2026, 1, 10, tzinfo=UTC)}
        save_what_if(connection, LOCAL, "Foretold", forecast, offer_id=1, **save)
        save_what_if(connection, LOCAL, "Of no offer", forecast, **save)
    refresh(settings)
    assert check_offers(settings, at=datetime(2026, 1, 26, 12, tzinfo=UTC)).scored == 0
    assert check_offers(settings, at=AT).scored == 1
    assert check_offers(settings, at=AT).scored == 0
    with reading(database) as connection:
        rows = {row.name: row for row in connection.execute(select(what_ifs))}
    assert not rows["Of no offer"].is_scored
    told = rows["Foretold"].actual
    # 30 of 60 against 10 of 60 at a margin of 500, less a contact at 10.
    assert told["profit_per_customer"] == pytest.approx(500 * (0.5 - 1 / 6) - 10)
    assert (told["customers"], told["held"]) == (120, told["low"] <= told["profit_per_customer"] <= told["high"])


def test_a_finished_offer_teaches_the_next_what_if(database: Engine, settings: Settings, store: Store) -> None:
    with writing(database) as connection:
        fill(connection, guardrails=Guardrails(), status="finished")
    refresh(settings)
    with reading(database) as connection:
        (sent,) = all_tested(connection, store.zone)
    assert sent.plan is not None
    offers_ = [Taught(trial=sent.trial, plan=sent.plan, is_over=True)]
    mart = current(settings.mart_dir)
    before = learned(mart, offers_, today=day_index(date(2026, 1, 26)))
    assert (before.assumptions, before.lessons) == (Assumptions(), ())
    assert before.left_out == (("Come back", "Its last windows are not over yet."),)
    found = learned(mart, offers_, today=day_index(date(2026, 1, 27)))
    (lesson,) = found.lessons
    assert (lesson.treated, lesson.holdout) == ((60, 30), (60, 10))
    # log(-log(1/2)) - log(-log(5/6)), of a guide that rewards with nothing.
    assert lesson.effect.log_hr == pytest.approx(log(log(2)) - log(log(6 / 5)))
    assert (lesson.effect.v, lesson.redeemed_anyway) == (0.0, None)
    assert found.assumptions == learn(Assumptions(), [lesson.effect])
    assert found.assumptions.contact > Assumptions().contact
