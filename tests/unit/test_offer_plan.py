"""An offer's plan is kept as JSON and says what stands in the way of a start."""

import json
from dataclasses import replace

import pytest

from lib.audience import Audience, Rule
from lib.db.tables.offers import OFFER_KINDS
from lib.errors import InvalidInput
from lib.offer import KINDS, Channel, Code, Content, Guardrails, Moment, Pays, Plan, Reward

COUPON = Plan(
    kind="coupon",
    audience=Audience((Rule(field="purchases", least=1, most=1),)),
    reward=Reward(pays=Pays.PERCENT, depth=0.1, minimum_basket_minor=3_000),
    code=Code(prefix="AGAIN"),
    content=(Content(language="en", subject="10 % off", text="Thank you. Here is {code}."),),
    product_ids=(3, 4),
    guardrails=Guardrails(budget_minor=50_000, complaint_rate=0.002),
)


def test_a_plan_comes_back_from_json_as_it_went() -> None:
    assert Plan.from_json(json.loads(json.dumps(COUPON.to_json()))) == COUPON


def test_every_kind_of_the_database_is_described_and_no_other() -> None:
    assert tuple(KINDS) == OFFER_KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_of_each_kind_can_go_its_usual_way(kind: str) -> None:
    plan = COUPON.of_kind(kind)
    assert (plan.moment, plan.delay_days) == (KINDS[kind].moment, KINDS[kind].delay_days)
    filled = replace(
        plan, reward=replace(plan.reward, depth=0.1, face_minor=500, cost_minor=300, points=100, point_minor=100)
    )
    assert filled.problems(window_days=30, holdout_share=0.5) == []


@pytest.mark.parametrize(
    ("plan", "window", "holdout", "words"),
    [
        (replace(COUPON, reward=Reward(pays=Pays.GIFT)), 30, 0.5, "cannot reward with gift"),
        (replace(COUPON, reward=Reward(pays=Pays.PERCENT, depth=0)), 30, 0.5, "how many percent"),
        (replace(COUPON, code=Code()), 30, 0.5, "needs a code"),
        (replace(COUPON, content=()), 30, 0.5, "Write what it says"),
        (replace(COUPON, channel=Channel.PARCEL), 30, 0.5, "cannot go by parcel"),
        (COUPON, 14, 0.5, "valid longer than its result is measured"),
        (COUPON, 30, 0.95, "holdout"),
        (replace(COUPON, delay_days=-1), 30, 0.5, "delay"),
        (replace(COUPON, kind="bribe"), 30, 0.5, "no kind of offer"),
        (replace(COUPON, content=(Content(language="en", subject=" ", text="Hi"),)), 30, 0.5, "needs a subject"),
    ],
)
def test_what_stands_in_the_way_is_said(plan: Plan, window: int, holdout: float, words: str) -> None:
    assert words in " ".join(plan.problems(window_days=window, holdout_share=holdout))


@pytest.mark.parametrize(
    "kept",
    [
        {"code": "WELCOME", "kind": "percent", "amount": "10", "used_count": 3},
        {"form": 1},
        COUPON.to_json() | {"moment": "yesterday"},
        COUPON.to_json() | {"reward": {"pays": "gold"}},
    ],
)
def test_what_encore_did_not_plan_is_refused(kept: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Plan.from_json(kept)


def test_moments_and_channels_are_told_by_their_names() -> None:
    assert [str(moment) for moment in Moment][:2] == ["ordered", "packed"]
    assert str(Channel.PARCEL) == "parcel"
