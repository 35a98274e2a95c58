"""What a what-if stands on, of a shop so small that it can be worked out by hand."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from lib.audience import Audience, Rule
from lib.mart.snapshot import Snapshot
from lib.metrics import what_if_input
from lib.metrics.what_if_input import EVERYONE, ground, grounds
from lib.metrics.what_if_moments import left_out
from lib.offer import Moment
from lib.stats.ground import Ground
from tests.shop_by_hand import ShopByHand, at

JULY = date(2025, 7, 1)
FIRST = Audience((Rule(field="purchases", least=1, most=1),))


@pytest.fixture(scope="module")
def mart(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    shop = ShopByHand(sqlite_template, tmp_path_factory.mktemp("what_if"))
    ann, ben, cleo = (shop.customer(name) for name in ("Ann", "Ben", "Cleo"))
    tea, cup = shop.product("Tea", "Drinks"), shop.product("Cup", "Kitchen")
    one = shop.order("2025-06-01 12:00", ann, [(tea, 1, 4000)], cost=1000)
    two = shop.order("2025-06-11 12:00", ann, [(cup, 1, 6000)], discount=1000, cost=2000)
    shop.order("2025-06-21 12:00", ann, [(tea, 1, 2000)])
    three = shop.order("2025-06-10 12:00", ben, [(cup, 1, 5000)], channel="app")
    shop.order("2025-06-20 12:00", None, [(tea, 1, 9000)])
    shop.order("2025-06-25 12:00", cleo, [(tea, 1, 8000)], cancelled_at=at("2025-06-26 12:00"))
    shop.refund("2025-06-22 12:00", 500, order=two)
    shop.shipment(one, "2025-06-02 09:00", "2025-06-04 09:00", date(2025, 6, 3))
    # Delivered after the next order came: the moment was over before it began.
    shop.shipment(two, "2025-06-12 09:00", "2025-06-24 09:00", date(2025, 6, 26))
    shop.shipment(three, "2025-06-11 09:00", "2025-06-12 09:00", date(2025, 6, 13))
    shop.cart("2025-06-01 10:00", is_contactable=True)
    shop.cart("2025-06-02 10:00")
    shop.cart("2025-06-03 10:00", ordered_at="2025-06-03 10:10", is_contactable=True)
    shop.cart("2025-06-08 10:00", ordered_at="2025-06-10 12:00", order_id=three, is_contactable=True)
    return shop.mart("2025-07-01 10:00")


def spells(found: Ground) -> dict[int, tuple[int, int]]:
    return {int(d): (int(e), int(c)) for d, e, c in found.spells.itertuples(index=False, name=None)}


def test_a_spell_runs_from_each_order_to_the_next_purchase_or_is_open(mart: Snapshot) -> None:
    # Ann waits 10 and 10 days, then is open since the 21st; Ben since the 10th. Today is not over: not counted.
    assert spells(ground(mart, Audience(), Moment.ORDERED, JULY)) == {9: (0, 1), 10: (2, 0), 20: (0, 1)}


def test_from_delivery_only_those_count_who_had_not_bought_again_before_it(mart: Snapshot) -> None:
    assert spells(ground(mart, Audience(), Moment.DELIVERED, JULY)) == {7: (1, 0), 18: (0, 1)}


def test_a_parcel_is_late_from_the_day_after_the_promise(mart: Snapshot) -> None:
    assert spells(ground(mart, Audience(), Moment.LATE, JULY)) == {7: (1, 0)}


def test_a_cart_that_was_left_ends_with_the_order_made_of_it(mart: Snapshot) -> None:
    # One was ordered at once, one belongs to nobody who can be written to.
    assert spells(ground(mart, Audience(), Moment.CART_LEFT, JULY)) == {2: (1, 0), 29: (0, 1)}


def test_a_group_is_as_it_stood_at_the_moment(mart: Snapshot) -> None:
    # Ann has bought three times by now, and yet her first order counts among the first ones.
    assert spells(ground(mart, FIRST, Moment.ORDERED, JULY)) == {10: (1, 0), 20: (0, 1)}
    app = Audience((Rule(field="channel", any_of=("app",), is_not=True),))
    assert spells(ground(mart, app, Moment.ORDERED, JULY)) == {9: (0, 1), 10: (2, 0)}
    drinks = Audience((Rule(field="bought_category", any_of=("Drinks",)),))
    assert spells(ground(mart, drinks, Moment.ORDERED, JULY)) == {9: (0, 1), 10: (1, 0)}
    late = Audience((Rule(field="was_late"),))
    assert spells(ground(mart, late, Moment.ORDERED, JULY)) == {10: (1, 0)}


def test_what_is_only_known_of_customers_as_they_are_now_is_named(mart: Snapshot) -> None:
    member = Audience((Rule(field="is_member"), *FIRST.rules))
    assert left_out(member) == ["is in the loyalty programme"]
    assert spells(ground(mart, member, Moment.ORDERED, JULY)) == spells(ground(mart, FIRST, Moment.ORDERED, JULY))


def test_baskets_are_those_of_the_next_order_less_its_refunds(mart: Snapshot) -> None:
    found = ground(mart, Audience(), Moment.ORDERED, JULY)
    # Ann's second: 6,000 less 1,000 off, 500 refunded. Her third: 2,000.
    assert found.baskets.to_dict("list") == {"value_minor": [2000, 5000], "orders": [1, 1], "net_minor": [2000, 4500]}
    assert found.basket() == (3250.0, 1.0)
    assert found.basket(5000) == (4500.0, 0.5)
    # Only the second has a cost: 4,500 less 2,000.
    assert found.margin == pytest.approx(2500 / 4500)
    assert found.costed_share == pytest.approx(4500 / 6500)


def test_customers_a_day_are_those_of_the_days_since_the_first_order(mart: Snapshot) -> None:
    assert ground(mart, Audience(), Moment.ORDERED, JULY).per_day == pytest.approx(4 / 30)


def test_a_day_before_today_knows_nothing_of_what_came_later(mart: Snapshot) -> None:
    found = ground(mart, Audience(), Moment.ORDERED, date(2025, 6, 11))
    assert spells(found) == {0: (0, 1), 9: (0, 1)}
    assert found.baskets.empty
    assert found.margin is None


def test_nobody_gives_an_empty_ground(mart: Snapshot) -> None:
    nobody = Audience((Rule(field="country", any_of=("FR",)),))
    found = ground(mart, nobody, Moment.ORDERED, JULY)
    assert (found.starts, found.longest, found.per_day) == (0, 0, 0.0)


def test_all_groups_at_once_are_each_asked_alone(mart: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(what_if_input, "ENOUGH_EVENTS", 1)
    found = grounds(mart, Moment.ORDERED, JULY)
    orders = {"After the first order", "After the second or a later order"}
    parts = {"Category: Drinks", "Category: Kitchen", "Channel: web", "Country: DE"}
    assert set(found) == {EVERYONE} | orders | parts
    for group, together in found.values():
        alone = ground(mart, group.audience, Moment.ORDERED, JULY)
        pd.testing.assert_frame_equal(together.spells, alone.spells)
        pd.testing.assert_frame_equal(together.baskets, alone.baskets)
        assert (together.per_day, together.margin) == (alone.per_day, alone.margin)


def test_a_ground_is_kept_and_read_back_whole(mart: Snapshot) -> None:
    found = ground(mart, Audience(), Moment.ORDERED, JULY)
    back = Ground.from_json(found.to_json())
    pd.testing.assert_frame_equal(back.spells, found.spells)
    pd.testing.assert_frame_equal(back.baskets, found.baskets)
    assert (back.per_day, back.margin, back.costed_share) == (found.per_day, found.margin, found.costed_share)
