"""Deciding on an offer's result: one click, in the log, with what was known kept beside it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from lib.db.engine import reading, writing
from lib.db.tables.offers import offer_looks, offer_versions, offers
from lib.db.tables.staff import audit_log
from lib.errors import Conflict, InvalidInput, NotAllowed
from lib.metrics.offer_reading import Reading
from lib.metrics.offer_result import Arm, Counts
from lib.offer import Plan
from lib.periods import day_index, day_of
from lib.staff import LOCAL, Role, Staff
from lib.stats.experiment import ArmSums, conversion, sample_ratio
from lib.stats.read_out import Look, ReadOut
from lib.stats.verdict import Call, Verdict, weekly_looks
from lib.workflows.offer_decisions import Decision, decide, doubt_of
from lib.workflows.offer_looks import looks_of, note_looks
from lib.workflows.offer_trials import one_tested

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


def offer(connection: Connection, **values: Any) -> int:
    told = {
        "source": "test",
        "external_id": "1",
        "fingerprint": "f",
        "name": "Come back",
        "kind": "coupon",
        "status": "running",
        "starts_at": START,
        "ends_at": START + timedelta(days=14),
        "holdout_share": 0.5,
        "salt": "s",
        "approved_number": 1,
        "planned_looks": 2,
    }
    (key,) = connection.execute(insert(offers).values(**(told | values))).inserted_primary_key or (0,)
    settings = Plan(kind="coupon").to_json()
    connection.execute(insert(offer_versions).values(offer_id=key, number=1, settings=settings, created_at=START))
    return int(key)


def result(connection: Connection, offer_id: int) -> Reading:
    """A made-up result of two looks, the second of which says keep."""
    tested = one_tested(connection, offer_id, ZONE)
    assert tested is not None
    first = day_index(START.date())
    plan = weekly_looks(first_day=first, last_day=first + 13, outcome_days=30, customers=2_000)
    effect = conversion(ArmSums.of_buyers(1_000, 200), ArmSums.of_buyers(1_000, 100))
    told: dict[str, Any] = {"effect": effect, "low": 0.06, "high": 0.14, "is_peek": False}
    verdicts = (
        Verdict(call=Call.TOO_EARLY, bound=float("inf"), next_look=plan.looks[1], **told | {"low": float("-inf")}),
        Verdict(call=Call.KEEP, bound=1.97, next_look=None, **told),
    )
    looks = tuple(
        Look(number=number, day=day, mature=1_000 * number, verdict=verdict)
        for number, (day, verdict) in enumerate(zip(plan.looks, verdicts, strict=True), start=1)
    )
    read = ReadOut(
        today=plan.end,
        plan=plan,
        split=sample_ratio((1_000, 1_000), (0.5, 0.5)),
        effects={"bought": effect},
        ranges={"bought": (0.06, 0.14)},
        why_not={},
        looks=looks,
        standing=verdicts[1],
        decided_on=plan.end,
        course=pd.DataFrame(),
    )
    arm = Arm(assigned=1_000, mature=1_000)
    counts = Counts(treated=arm, holdout=arm, left_out=0, first_day=first, last_day=first + 13)
    return Reading(trial=tested.trial, today=plan.end, counts=counts, margin=None, costed_share=None, read=read)


def row_of(engine: Engine, offer_id: int) -> dict[str, Any]:
    with reading(engine) as connection:
        return dict(connection.execute(select(offers).where(offers.c.offer_id == offer_id)).mappings().one())


def entries(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(audit_log.c.action).order_by(audit_log.c.audit_id)))


def test_rolling_out_leaves_a_small_holdout_and_keeps_the_trial_as_it_was(database: Engine) -> None:
    with writing(database) as connection:
        key = offer(connection)
        found = result(connection, key)
        decide(connection, LOCAL, found, Decision.ROLL_OUT, version=1, at=AT)
    row = row_of(database, key)
    assert (row["status"], row["decision"], row["holdout_share"], row["ends_at"]) == ("running", "roll_out", 0.05, None)
    assert (row["decided_at"], row["version"]) == (AT, 2)
    assert entries(database) == ["offer.rolled_out"]
    with reading(database) as connection:
        tested = one_tested(connection, key, ZONE)
        kept = looks_of(connection, key)[0]
    assert tested is not None
    # The result is still that of the even split, of who was assigned before.
    decided = found.today
    first = day_index(START.date())
    assert (tested.trial.holdout_share, tested.trial.until) == (0.5, decided)
    assert (tested.trial.first_day, tested.trial.last_day) == (first, first + 14)
    assert tested.since_roll_out is not None
    assert (tested.since_roll_out.holdout_share, tested.since_roll_out.since) == (0.05, decided)
    assert (kept["call"], kept["effects"]["bought"]["buyers"]) == ("keep", [200, 100])


def test_stopping_after_a_roll_out_keeps_what_was_planned_before_the_first_decision(database: Engine) -> None:
    with writing(database) as connection:
        key = offer(connection)
        found = result(connection, key)
        decide(connection, LOCAL, found, Decision.ROLL_OUT, version=1, at=AT)
    with writing(database) as connection:
        decide(connection, LOCAL, result(connection, key), Decision.STOP, version=2, at=AT + timedelta(days=3))
    row = row_of(database, key)
    assert (row["status"], row["decision"]) == ("stopped", "stop")
    with reading(database) as connection:
        assert looks_of(connection, key)[0]["holdout_share"] == 0.5
        assert looks_of(connection, key)[0]["rolled_out_on"] == found.today
        tested = one_tested(connection, key, ZONE)
    assert tested is not None
    assert (tested.trial.holdout_share, tested.trial.until, tested.is_over) == (0.5, found.today, True)


def test_keeping_goes_on_with_the_same_holdout_even_after_the_last_day(database: Engine) -> None:
    with writing(database) as connection:
        key = offer(connection, status="finished")
        decide(connection, LOCAL, result(connection, key), Decision.KEEP, version=1, at=AT)
    row = row_of(database, key)
    assert (row["status"], row["decision"], row["holdout_share"], row["ends_at"]) == ("running", "keep", 0.5, None)
    with reading(database) as connection:
        tested = one_tested(connection, key, ZONE)
    assert tested is not None
    # The looks stay those that were planned.
    assert (tested.trial.last_day, tested.since_roll_out) == (day_index(START.date()) + 14, None)


VIEWER = Staff(staff_id=None, name="Vi", role=Role.VIEWER)


@pytest.mark.parametrize(
    ("by", "state", "version", "share", "refusal"),
    [
        (VIEWER, {}, 1, 0.05, NotAllowed),
        (LOCAL, {}, 2, 0.05, Conflict),
        (LOCAL, {"approved_number": None}, 1, 0.05, InvalidInput),
        (LOCAL, {"salt": None}, 1, 0.05, InvalidInput),
        (LOCAL, {"decision": "roll_out"}, 1, 0.05, InvalidInput),
        (LOCAL, {}, 1, 0.0, InvalidInput),
    ],
)
def test_a_refused_decision_writes_nothing(
    database: Engine, by: Staff, state: dict[str, Any], version: int, share: float, refusal: type[Exception]
) -> None:
    with writing(database) as connection:
        key = offer(connection, **state)
        found = result(connection, key)
    before = row_of(database, key)
    with pytest.raises(refusal), writing(database) as connection:
        decide(connection, by, found, Decision.ROLL_OUT, version=version, at=AT, holdout_share=share)
    assert row_of(database, key) == before
    assert entries(database) == []
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(offer_looks)) == 0


def early(found: Reading) -> Reading:
    """The same result on the day after its first look, when there was no verdict yet."""
    read = found.read
    assert read is not None
    day, looks = read.plan.looks[0] + 1, read.looks[:1]
    then = replace(read, today=day, looks=looks, standing=looks[0].verdict, decided_on=None)
    return replace(found, today=day, read=then)


@pytest.mark.parametrize("decision", [Decision.ROLL_OUT, Decision.KEEP])
def test_before_a_verdict_nothing_goes_on_without_a_reason(database: Engine, decision: Decision) -> None:
    with writing(database) as connection:
        key = offer(connection)
        found = early(result(connection, key))
    before = row_of(database, key)
    with pytest.raises(InvalidInput, match="no verdict yet"), writing(database) as connection:
        decide(connection, LOCAL, found, decision, version=1, at=AT, although="  ")
    assert row_of(database, key) == before
    assert entries(database) == []
    with reading(database) as connection:
        assert looks_of(connection, key) == {}


def test_deciding_before_a_verdict_is_kept_with_its_reason_and_what_was_known(database: Engine) -> None:
    with writing(database) as connection:
        key = offer(connection)
        found = early(result(connection, key))
        decide(connection, LOCAL, found, Decision.KEEP, version=1, at=AT, although=" The  season ends. ")
    with reading(database) as connection:
        (details,) = connection.scalars(select(audit_log.c.details))
        tested = one_tested(connection, key, ZONE)
    after = details["after"]
    assert (after["call"], after["mature"], after["although"]) == ("too early", [1_000, 1_000], "The season ends.")
    assert tested is not None
    assert tested.doubt == after["doubt"] == doubt_of(found, Decision.KEEP)
    assert tested.doubt == (
        "There is no verdict yet: 2,000 of 2,000 customers were followed to the end; the next look is on 18 Feb 2026. "
        "Keeping it now takes its last day away: it goes on costing after the day on which it would have been judged."
    )


def test_stopping_needs_no_reason_and_no_verdict(database: Engine) -> None:
    with writing(database) as connection:
        key = offer(connection)
        decide(connection, LOCAL, early(result(connection, key)), Decision.STOP, version=1, at=AT)
    assert row_of(database, key)["status"] == "stopped"


@pytest.mark.parametrize(
    ("call", "is_doubted"),
    [
        (Call.KEEP, False),
        (Call.NO_DIFFERENCE, False),
        (Call.TOO_FEW, False),
        (Call.STOP, True),
        (Call.BLOCKED, True),
        (Call.TOO_EARLY, True),
    ],
)
def test_rolling_out_is_doubted_wherever_the_result_does_not_carry_it(
    database: Engine, call: Call, is_doubted: bool
) -> None:
    with writing(database) as connection:
        found = result(connection, offer(connection))
    assert found.read is not None
    assert found.read.standing is not None
    said = replace(found, read=replace(found.read, standing=replace(found.read.standing, call=call)))
    assert bool(doubt_of(said, Decision.ROLL_OUT)) == is_doubted
    assert doubt_of(said, Decision.STOP) == ""


def test_a_draft_has_no_result_to_decide_on(database: Engine) -> None:
    with writing(database) as connection:
        key = offer(connection)
        found = result(connection, key)
        connection.execute(offers.update().values(status="draft"))
    with pytest.raises(InvalidInput, match="never went out"), writing(database) as connection:
        decide(connection, LOCAL, found, Decision.STOP, version=1, at=AT)
    assert entries(database) == []


def test_a_look_is_written_down_once_as_it_was_told(database: Engine) -> None:
    with writing(database) as connection:
        key = offer(connection)
        found = result(connection, key)
        assert [look.number for look in note_looks(connection, found, at=AT)] == [1, 2]
    with writing(database) as connection:
        assert note_looks(connection, found, at=AT + timedelta(days=1)) == []
    with reading(database) as connection:
        kept = looks_of(connection, key)
    assert found.read is not None
    assert [kept[number]["looked_day"] for number in (1, 2)] == [day_of(day) for day in found.read.plan.looks]
    # A bound that is not there yet is none, and not a number that JSON does not know.
    assert (kept[1]["call"], kept[1]["bound"], kept[1]["low"]) == ("too early", None, None)
    assert (kept[2]["call"], kept[2]["mature"], kept[2]["low"], kept[2]["looked_at"]) == ("keep", 2_000, 0.06, AT)
    assert entries(database) == ["offer.looked_at", "offer.looked_at"]
