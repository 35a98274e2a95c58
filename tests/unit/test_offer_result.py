"""What an offer brought: who counts, from when to when, and the sums that the statistics get."""

from datetime import date
from pathlib import Path

import pytest

from lib.db.tables.customers import customers
from lib.db.tables.offers import offer_assignments, offer_versions, offers
from lib.db.tables.orders import discounts_used
from lib.metrics.offer_guardrails import limits, spent_so_far
from lib.metrics.offer_reading import read_offer
from lib.metrics.offer_result import Costs, Trial, counts, margin_share, sums
from lib.offer import Channel, Code, Guardrails, Pays, Plan, Reward
from lib.periods import day_index
from tests.shop_by_hand import ShopByHand, at

TEN = Plan(kind="coupon", reward=Reward(pays=Pays.PERCENT, depth=0.1), code=Code(shared="Ten"), contact_cost_minor=5)
MARCH = day_index(date(2025, 3, 1))


class Shop(ShopByHand):
    """A shop with one offer of 30 days."""

    def offer(self, plan: Plan = TEN) -> int:
        offer = self.add(offers, name="Ten off", kind=plan.kind, status="finished", window_days=30, holdout_share=0.5)
        self.version = self.add(
            offer_versions, offer_id=offer, number=1, settings=plan.to_json(), created_at=at("2025-02-01 09:00")
        )
        return offer

    def assign(self, offer: int, customer: int, arm: str, on: str = "2025-03-01 09:00", **values: object) -> None:
        sent = at(on) if arm == "treatment" else None
        told = {"offer_version_id": self.version, "arm": arm, "assigned_at": at(on), "sent_at": sent, **values}
        self.add(offer_assignments, offer_id=offer, customer_id=customer, **told)


@pytest.fixture
def shop(sqlite_template: Path, tmp_path: Path) -> Shop:
    return Shop(sqlite_template, tmp_path / "shop")


@pytest.fixture
def offer(shop: Shop) -> int:
    """Two treated, one of whom buys on the last day; two held out, one of whom buys; one test customer."""
    cup = shop.product("Cup", "kitchen")
    offer = shop.offer()
    ann, bob, cem, dan = (shop.customer(name) for name in ("Ann", "Bob", "Cem", "Dan"))
    trial = shop.add(customers, name="Nobody", is_test=True)
    # Ann bought before, even on the very morning; her last day is 31 March.
    shop.order("2025-02-01 12:00", ann, [(cup, 1, 1000)], cost=400)
    shop.order("2025-03-01 08:00", ann, [(cup, 1, 700)], cost=300)
    redeemed = shop.order("2025-03-31 20:00", ann, [(cup, 2, 1000)], discount=200, cost=500)
    shop.add(discounts_used, order_id=redeemed, code="TEN", amount_minor=200)
    # Bob is a day late.
    shop.order("2025-04-01 10:00", bob, [(cup, 1, 900)], cost=100)
    shop.order("2025-03-10 10:00", cem, [(cup, 5, 1000)])
    shop.order("2025-03-10 10:00", trial, [(cup, 5, 1000)])
    for customer, arm in ((ann, "treatment"), (bob, "treatment"), (cem, "holdout"), (dan, "holdout")):
        shop.assign(offer, customer, arm)
    shop.assign(offer, trial, "treatment")
    return offer


def trial(offer: int, plan: Plan = TEN) -> Trial:
    return Trial(offer_id=offer, name="Ten off", window_days=30, holdout_share=0.5, costs=Costs.of(plan))


def test_only_orders_between_being_assigned_and_the_end_of_the_last_day_count(shop: Shop, offer: int) -> None:
    found = counts(shop.mart("2025-06-01 00:00"), trial(offer), MARCH + 31)
    assert (found.treated.assigned, found.treated.mature, found.treated.bought, found.treated.orders) == (2, 2, 1, 1)
    assert (found.treated.redeemed, found.treated.discount_minor, found.treated.net_minor) == (1, 200, 1800)
    assert (found.holdout.assigned, found.holdout.bought, found.holdout.net_minor) == (2, 1, 5000)
    assert found.left_out == 1
    assert (found.first_day, found.last_day) == (MARCH, MARCH)


def test_a_customer_counts_from_the_morning_after_her_window(shop: Shop, offer: int) -> None:
    mart = shop.mart("2025-06-01 00:00")
    assert counts(mart, trial(offer), MARCH + 30).mature == 0
    assert counts(mart, trial(offer), MARCH + 31).mature == 4
    assert sums(mart, trial(offer), MARCH + 30, 0.5).empty


def test_the_sums_are_those_of_the_customers(shop: Shop, offer: int) -> None:
    mart = shop.mart("2025-06-01 00:00")
    # Known costs of the year: 400 + 300 + 500 of 1,000 + 700 + 1,800; Bob's order lies after the morning.
    margin = margin_share(mart, MARCH + 31)
    assert margin is not None
    assert margin == pytest.approx(1 - 1200 / 3500)
    frame = sums(mart, trial(offer), MARCH + 31, margin).set_index("is_treated")
    treated, held = frame.loc[True], frame.loc[False]
    assert (treated["n"], treated["buyers"], treated["orders"], treated["net"]) == (2, 1, 1, 1800)
    assert (treated["x"], treated["xx"], treated["net_x"]) == (1700, 1700**2, 1800 * 1700)
    # Two contacts at 5; the discount is in net sales already.
    assert treated["profit"] == pytest.approx(1800 - 500 - 2 * 5)
    assert treated["profit_m"] == pytest.approx(1295**2 + 5**2)
    assert held["profit"] == pytest.approx(5000 * margin)


def test_a_refund_is_set_against_the_order_whenever_it_came(shop: Shop, offer: int) -> None:
    mart = shop.mart("2025-06-01 00:00")
    before = counts(mart, trial(offer), MARCH + 31).treated.net_minor
    ann = 1
    order = int(mart.frame(_orders_of(ann))["order_id"].iloc[-1])
    shop.refund("2025-05-20 10:00", 300, order=order)
    after = counts(shop.mart("2025-06-02 00:00"), trial(offer), MARCH + 31).treated
    assert (before, after.net_minor, after.refund_minor) == (1800, 1500, 300)


def test_segments_are_as_known_when_the_lot_was_drawn(shop: Shop, offer: int) -> None:
    mart = shop.mart("2025-06-01 00:00")
    frame = sums(mart, trial(offer), MARCH + 31, 0.5, by="purchases_before")
    # Ann bought on two days before; what the others bought since makes no segment.
    assert {(row.segment, row.is_treated, row.n) for row in frame.itertuples()} == {
        ("2", True, 1),
        ("none", True, 1),
        ("none", False, 2),
    }
    with pytest.raises(ValueError, match="no segment"):
        sums(mart, trial(offer), MARCH + 31, 0.5, by="is_redeemed")


@pytest.mark.parametrize(
    ("reward", "code", "channel", "costs"),
    [
        (
            Reward(pays=Pays.GIFT, cost_minor=300),
            Code(),
            Channel.EMAIL,
            Costs(redemption=300, contact=5, is_every_order=True),
        ),
        (Reward(pays=Pays.GIFT, cost_minor=300), Code(), Channel.PARCEL, Costs(contact=305)),
        (
            Reward(pays=Pays.SHIPPING, cost_minor=420),
            Code(shared="FREE"),
            Channel.EMAIL,
            Costs(redemption=420, contact=5),
        ),
        (
            Reward(pays=Pays.POINTS, points=250, point_minor=40),
            Code(),
            Channel.EMAIL,
            Costs(redemption=100, contact=5, is_every_order=True),
        ),
        (Reward(pays=Pays.AMOUNT, face_minor=500), Code(shared="FIVE"), Channel.EMAIL, Costs(contact=5)),
    ],
)
def test_each_reward_costs_what_it_really_costs(reward: Reward, code: Code, channel: Channel, costs: Costs) -> None:
    plan = Plan(kind="coupon", reward=reward, code=code, channel=channel, contact_cost_minor=5)
    assert Costs.of(plan) == costs


def test_a_gift_without_a_code_is_taken_to_go_to_every_treated_buyer(shop: Shop, offer: int) -> None:
    gift = Plan(kind="gift", reward=Reward(pays=Pays.GIFT, cost_minor=300, face_minor=900))
    frame = sums(shop.mart("2025-06-01 00:00"), trial(offer, gift), MARCH + 31, 0.5).set_index("is_treated")
    assert frame.loc[True, "profit"] == pytest.approx(1800 - 500 - 300)
    assert frame.loc[False, "profit"] == pytest.approx(2500)


def test_without_a_holdout_nothing_is_said_of_an_effect(shop: Shop) -> None:
    offer = shop.offer()
    shop.assign(offer, shop.customer("Ann"), "treatment")
    found = read_offer(shop.mart("2025-06-01 00:00"), trial(offer), today=MARCH + 60, is_over=True)
    assert found.read is None
    assert "Nobody was held out" in found.why_not


def test_an_offer_that_reached_nobody_says_so(shop: Shop) -> None:
    offer = shop.offer()
    found = read_offer(shop.mart("2025-06-01 00:00"), trial(offer), today=MARCH + 60, is_over=True)
    assert (found.read, found.why_not, found.days) == (None, "Nobody was assigned yet.", 0)


def test_limits_are_judged_of_all_treated_and_only_once_there_are_enough(shop: Shop, offer: int) -> None:
    cup = shop.product("Bowl", "kitchen")
    guardrails = Guardrails(margin_floor=0.5, budget_minor=300, refund_rate=0.1, complaint_rate=0.02)
    mart = shop.mart("2025-06-01 00:00")
    few = {one.name: one for one in limits(spent_so_far(mart, trial(offer), TEN), guardrails, complaints=3)}
    assert few["margin_floor"].state == few["refund_rate"].state == few["complaint_rate"].state == "Too few yet"
    # 200 of discounts and two contacts at 5.
    assert (few["budget"].now, few["budget"].is_crossed) == (210, False)
    for number in range(60):
        customer = shop.customer(f"Customer {number}")
        shop.assign(offer, customer, "treatment")
        if number < 20:
            shop.order("2025-03-05 10:00", customer, [(cup, 1, 1000)], cost=600)
    spent = spent_so_far(shop.mart("2025-06-02 00:00"), trial(offer), TEN)
    assert (spent.orders, spent.sent, spent.net_minor) == (21, 62, 21_800)
    many = {one.name: one for one in limits(spent, guardrails, complaints=3)}
    assert many["margin_floor"].now == pytest.approx((21_800 - 12_500) / 21_800)
    assert many["margin_floor"].is_crossed
    assert (many["budget"].now, many["budget"].is_crossed) == (200 + 62 * 5, True)
    assert (many["refund_rate"].now, many["refund_rate"].is_crossed) == (0.0, False)
    assert many["complaint_rate"].now == pytest.approx(3 / 62)
    assert many["complaint_rate"].is_crossed


def _orders_of(customer: int):  # type: ignore[no-untyped-def]  # a select
    from sqlalchemy import select

    from lib.mart.schema import fact_order

    one = fact_order.c
    return select(one.order_id).where(one.customer_id == customer).order_by(one.placed_at)
