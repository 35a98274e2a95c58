"""An offer's life: planned, changed by versions, approved by whom it must be, started, paused, stopped, copied."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from lib.db.engine import reading, writing
from lib.db.tables.offers import offer_versions, offers
from lib.db.tables.staff import audit_log
from lib.db.tables.staff import staff as people
from lib.errors import Conflict, EncoreError, InvalidInput, NotAllowed
from lib.offer import Code, Content, Guardrails, Pays, Plan, Reward
from lib.queues.offers import offer_list, one_offer, versions
from lib.staff import LOCAL, Role, Staff
from lib.workflows.offer_approval import approval_limit, set_approval_limit
from lib.workflows.offer_terms import Terms, most_it_may_cost
from lib.workflows.offers import (
    approve_offer,
    change_offer,
    copy_offer,
    create_offer,
    finish_offer,
    pause_offer,
    resume_offer,
    start_offer,
    stop_offer,
)

ANN = Staff(staff_id=1, name="Ann", role=Role.OWNER)
BEN = Staff(staff_id=2, name="Ben", role=Role.MANAGER)
SUE = Staff(staff_id=3, name="Sue", role=Role.SUPPORT)
PLAN = Plan(
    kind="coupon",
    reward=Reward(pays=Pays.PERCENT, depth=0.1, minimum_basket_minor=3_000),
    code=Code(prefix="AGAIN"),
    content=(Content(language="en", subject="10 % off", text="Thank you. Here is {code}."),),
)


@pytest.fixture
def terms(noon: datetime) -> Terms:
    return Terms(name="Again", plan=PLAN, ends_at=noon + timedelta(days=56))


@pytest.fixture
def crew(database: Engine, noon: datetime) -> Engine:
    """A store with an owner, a manager and somebody in support."""
    with writing(database) as conn:
        for one in (ANN, BEN, SUE):
            told = {"staff_id": one.staff_id, "name": one.name, "email": f"{one.name}@shop.test", "role": one.role}
            conn.execute(insert(people).values(**told, created_at=noon))
    return database


def written(conn: Connection) -> tuple[int, int, int]:
    """How many versions and entries in the log there are, and the sum of the offers' own versions."""
    counts = [conn.scalar(select(func.count()).select_from(table)) or 0 for table in (offer_versions, audit_log)]
    return counts[0], counts[1], conn.scalar(select(func.coalesce(func.sum(offers.c.version), 0))) or 0


def refused(engine: Engine, error: type[EncoreError], words: str, do: Callable[[Connection], object]) -> None:
    """Do it, be refused in these words, and find that nothing was written."""
    with reading(engine) as conn:
        before = written(conn)
    with pytest.raises(error, match=words), writing(engine) as conn:
        do(conn)
    with reading(engine) as conn:
        assert written(conn) == before


def begin(engine: Engine, terms: Terms, at: datetime, by: Staff = LOCAL) -> int:
    with writing(engine) as conn:
        return create_offer(conn, by, terms, at=at)


def test_a_draft_is_kept_whole_with_a_lot_of_its_own(database: Engine, noon: datetime, terms: Terms) -> None:
    first, second = begin(database, terms, noon), begin(database, terms, noon)
    with reading(database) as conn:
        one, other = one_offer(conn, first), one_offer(conn, second)
        assert one is not None and other is not None
        assert (one.status, one.number, one.approved_number, one.plan) == ("draft", 1, None, PLAN)
        assert (one.name, one.kind, one.ends_at) == ("Again", "coupon", terms.ends_at)
        assert len(one.salt) == 32 and one.salt != other.salt
        assert conn.scalars(select(audit_log.c.action)).all() == ["offer.planned"] * 2


def test_a_change_is_the_next_version_and_the_same_again_is_none(
    database: Engine, noon: datetime, terms: Terms
) -> None:
    key = begin(database, terms, noon)
    deeper = replace(terms, plan=replace(PLAN, reward=replace(PLAN.reward, depth=0.15)))
    with writing(database) as conn:
        assert change_offer(conn, LOCAL, key, deeper, version=1, at=noon) == 2
        assert change_offer(conn, LOCAL, key, deeper, version=2, at=noon) == 2
        assert [one.number for one in versions(conn, key)] == [2, 1]
        details = conn.scalars(select(audit_log.c.details).where(audit_log.c.action == "offer.changed")).one()
    assert details["before"]["reward"]["depth"] == 0.1
    assert details["after"]["reward"]["depth"] == 0.15
    assert set(details["after"]) == {"reward", "version"}


def test_the_second_of_two_is_told_and_nothing_is_lost(database: Engine, noon: datetime, terms: Terms) -> None:
    key = begin(database, terms, noon)
    with writing(database) as conn:
        change_offer(conn, LOCAL, key, replace(terms, name="Mine"), version=1, at=noon)
    theirs = replace(terms, name="Theirs")
    refused(database, Conflict, "changed this offer", lambda c: change_offer(c, BEN, key, theirs, version=1, at=noon))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: replace(t, name=" "), "a name"),
        (lambda t: replace(t, window_days=0), "outcome window"),
        (lambda t: replace(t, holdout_share=0.95), "holdout"),
        (lambda t: replace(t, starts_at=t.ends_at), "before the first"),
        (lambda t: replace(t, plan=replace(PLAN, link="javascript:alert(1)")), "web address"),
        (lambda t: replace(t, plan=replace(PLAN, code=Code(shared="=cmd()"))), "letters and digits"),
        (lambda t: replace(t, plan=replace(PLAN, reward=replace(PLAN.reward, cost_minor=-1))), "0 or more"),
        (lambda t: replace(t, plan=replace(PLAN, guardrails=Guardrails(refund_rate=2))), "0 to 100"),
        (lambda t: replace(t, plan=replace(PLAN, content=PLAN.content * 2)), "once"),
        (lambda t: replace(t, plan=replace(PLAN, content=(Content(language="x;", subject="", text=""),))), "its code"),
    ],
)
def test_what_is_impossible_is_not_kept(
    database: Engine, noon: datetime, terms: Terms, change: Callable[[Terms], Terms], words: str
) -> None:
    refused(database, InvalidInput, words, lambda c: create_offer(c, LOCAL, change(terms), at=noon))


def test_only_those_who_plan_offers_may(crew: Engine, noon: datetime, terms: Terms) -> None:
    refused(crew, NotAllowed, "may not plan offers", lambda c: create_offer(c, SUE, terms, at=noon))
    key = begin(crew, terms, noon, BEN)
    for do in (approve_offer, start_offer, resume_offer, stop_offer, finish_offer):
        refused(crew, NotAllowed, "may not plan offers", partial(do, by=SUE, offer_id=key, version=1, at=noon))
    refused(crew, NotAllowed, "may not plan", lambda c: pause_offer(c, SUE, key, "why", version=1, at=noon))
    refused(crew, NotAllowed, "may not approve", lambda c: set_approval_limit(c, BEN, 100, at=noon))


def test_what_is_not_ready_is_not_approved(database: Engine, noon: datetime, terms: Terms) -> None:
    for plan, words in (
        (replace(PLAN, code=Code()), "needs a code"),
        (replace(PLAN, content=()), "Write what it says"),
        (replace(PLAN, content=(Content(language="en", subject="x", text="{frist_name} {code}"),)), "no variable"),
    ):
        key = begin(database, replace(terms, plan=plan), noon)
        refused(database, InvalidInput, words, partial(approve_offer, by=LOCAL, offer_id=key, version=1, at=noon))
    key = begin(database, replace(terms, ends_at=None), noon)
    refused(database, InvalidInput, "last day", lambda c: approve_offer(c, LOCAL, key, version=1, at=noon))


def test_two_offers_do_not_share_a_code(database: Engine, noon: datetime, terms: Terms) -> None:
    shared = replace(terms, plan=replace(PLAN, code=Code(shared="again10")))
    first, second = begin(database, shared, noon), begin(database, shared, noon)
    with writing(database) as conn:
        approve_offer(conn, LOCAL, first, version=1, at=noon)
    refused(database, InvalidInput, "is used by", lambda c: approve_offer(c, LOCAL, second, version=1, at=noon))


def test_an_offer_lives_from_draft_to_its_end(database: Engine, noon: datetime, terms: Terms) -> None:
    key = begin(database, terms, noon)
    refused(database, InvalidInput, "Only an approved", lambda c: start_offer(c, LOCAL, key, version=1, at=noon))
    with writing(database) as conn:
        assert approve_offer(conn, LOCAL, key, version=1, at=noon) == 1
        start_offer(conn, LOCAL, key, version=2, at=noon)
        pause_offer(conn, LOCAL, key, "  Stock is\nlow ", version=3, at=noon)
        paused = one_offer(conn, key)
        resume_offer(conn, LOCAL, key, version=4, at=noon)
        running = one_offer(conn, key)
        finish_offer(conn, LOCAL, key, version=5, at=noon)
        actions = conn.scalars(select(audit_log.c.action).order_by(audit_log.c.audit_id)).all()
    assert paused is not None and running is not None
    assert (paused.status, paused.pause_reason) == ("paused", "Stock is low")
    assert (running.status, running.pause_reason, running.starts_at, running.planned_looks) == (
        "running",
        "",
        noon,
        8,
    )
    assert actions == [f"offer.{word}" for word in ("planned", "approved", "started", "paused", "resumed", "finished")]
    refused(database, InvalidInput, "is finished", lambda c: stop_offer(c, LOCAL, key, version=6, at=noon))
    refused(database, InvalidInput, "is over", lambda c: change_offer(c, LOCAL, key, terms, version=6, at=noon))


def test_a_pause_needs_words(database: Engine, noon: datetime, terms: Terms) -> None:
    key = begin(database, terms, noon)
    refused(database, InvalidInput, "Say why", lambda c: pause_offer(c, LOCAL, key, " ", version=1, at=noon))


def test_a_change_to_a_running_offer_waits_until_it_is_approved(database: Engine, noon: datetime, terms: Terms) -> None:
    key = begin(database, terms, noon)
    other = replace(terms, plan=replace(PLAN, delay_days=7))
    with writing(database) as conn:
        approve_offer(conn, LOCAL, key, version=1, at=noon)
        start_offer(conn, LOCAL, key, version=2, at=noon)
        assert change_offer(conn, LOCAL, key, other, version=3, at=noon) == 2
        waiting = one_offer(conn, key)
        assert waiting is not None
        assert (waiting.status, waiting.number, waiting.approved_number, waiting.waits) == ("running", 2, 1, True)
        assert waiting.starts_at == noon
        approve_offer(conn, LOCAL, key, version=4, at=noon)
        done = one_offer(conn, key)
    assert done is not None
    assert (done.status, done.approved_number, done.waits) == ("running", 2, False)
    longer = replace(other, window_days=60)
    refused(
        database, InvalidInput, "stay as they were", lambda c: change_offer(c, LOCAL, key, longer, version=5, at=noon)
    )


def test_a_change_takes_an_approval_back_before_the_start(database: Engine, noon: datetime, terms: Terms) -> None:
    key = begin(database, terms, noon)
    with writing(database) as conn:
        approve_offer(conn, LOCAL, key, version=1, at=noon)
        change_offer(conn, LOCAL, key, replace(terms, name="Other"), version=2, at=noon)
        found = one_offer(conn, key)
    assert found is not None
    assert (found.status, found.approved_number, found.approved_at) == ("draft", None, None)


def test_a_copy_is_a_draft_without_days_and_without_the_code_for_all(
    database: Engine, noon: datetime, terms: Terms
) -> None:
    key = begin(database, replace(terms, plan=replace(PLAN, code=Code(shared="AGAIN10"))), noon)
    with writing(database) as conn:
        made = copy_offer(conn, LOCAL, key, name="Again, again", at=noon)
        found = one_offer(conn, made)
    assert found is not None and found.plan is not None
    assert (found.name, found.status, found.ends_at, found.plan.code.shared) == ("Again, again", "draft", None, "")
    assert found.plan.reward == PLAN.reward


def test_what_it_may_cost_is_its_budget_and_nothing_only_where_nothing_is_given() -> None:
    guide = Plan(kind="guide")
    assert most_it_may_cost(guide) == 0
    assert most_it_may_cost(replace(guide, contact_cost_minor=5)) is None
    assert most_it_may_cost(PLAN) is None
    assert most_it_may_cost(replace(PLAN, guardrails=Guardrails(budget_minor=500))) == 500


def test_above_the_limit_an_owner_who_did_not_write_it_approves(crew: Engine, noon: datetime, terms: Terms) -> None:
    with writing(crew) as conn:
        set_approval_limit(conn, ANN, 50_000, at=noon)
        assert approval_limit(conn) == 50_000
    dear, mine = begin(crew, terms, noon, BEN), begin(crew, terms, noon, ANN)
    refused(crew, NotAllowed, "may not approve offers", lambda c: approve_offer(c, BEN, dear, version=1, at=noon))
    refused(crew, NotAllowed, "somebody else", lambda c: approve_offer(c, ANN, mine, version=1, at=noon))
    with writing(crew) as conn:
        approve_offer(conn, ANN, dear, version=1, at=noon)
        found = one_offer(conn, dear)
    assert found is not None
    assert found.status == "approved"


def test_within_the_limit_whoever_plans_it_approves(crew: Engine, noon: datetime, terms: Terms) -> None:
    with writing(crew) as conn:
        set_approval_limit(conn, ANN, 50_000, at=noon)
    kept = replace(terms, plan=replace(PLAN, guardrails=Guardrails(budget_minor=50_000)))
    key = begin(crew, kept, noon, BEN)
    above = replace(kept, plan=replace(PLAN, guardrails=Guardrails(budget_minor=50_001)))
    other = begin(crew, above, noon, BEN)
    with writing(crew) as conn:
        approve_offer(conn, BEN, key, version=1, at=noon)
    refused(crew, NotAllowed, "may not approve", lambda c: approve_offer(c, BEN, other, version=1, at=noon))


def test_who_wrote_any_part_of_what_waits_is_no_second_person(crew: Engine, noon: datetime, terms: Terms) -> None:
    with writing(crew) as conn:
        set_approval_limit(conn, ANN, 0, at=noon)
        key = create_offer(conn, ANN, terms, at=noon)
        change_offer(conn, BEN, key, replace(terms, name="Mine now"), version=1, at=noon)
    refused(crew, NotAllowed, "somebody else", lambda c: approve_offer(c, ANN, key, version=2, at=noon))


def test_the_list_begins_with_what_has_no_day_yet_then_the_latest(
    database: Engine, noon: datetime, terms: Terms
) -> None:
    later, early, open_ = (
        begin(database, replace(terms, starts_at=noon + timedelta(days=2)), noon),
        begin(database, replace(terms, starts_at=noon + timedelta(days=1)), noon),
        begin(database, terms, noon),
    )
    with writing(database) as conn:
        stop_offer(conn, LOCAL, early, version=1, at=noon)
        assert [one.offer_id for one in offer_list(conn)] == [open_, later, early]
        assert [one.offer_id for one in offer_list(conn, statuses=("stopped",))] == [early]


def test_an_offer_that_came_from_the_shop_is_context(database: Engine, noon: datetime, terms: Terms) -> None:
    told = {"source": "shopify", "external_id": "7", "fingerprint": "x", "name": "Old", "kind": "coupon"}
    with writing(database) as conn:
        conn.execute(insert(offers).values(**told, offer_id=7, status="finished"))
        conn.execute(insert(offer_versions).values(offer_id=7, number=1, settings={"depth": 0.1}, created_at=noon))
        found = one_offer(conn, 7)
    assert found is not None
    assert found.plan is None
    refused(database, InvalidInput, "not planned in Encore", lambda c: copy_offer(c, LOCAL, 7, name="x", at=noon))
