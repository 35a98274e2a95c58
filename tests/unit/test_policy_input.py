"""Late parcels, returns and the next purchase, of a shop so small that it can be worked out by hand."""

from datetime import date
from pathlib import Path

import pytest

from lib.errors import NotEnoughData
from lib.mart.snapshot import Snapshot
from lib.metrics.policy_input import lateness, returning
from tests.shop_by_hand import ShopByHand

TODAY = date(2025, 12, 1)


@pytest.fixture(scope="module")
def mart(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    shop = ShopByHand(sqlite_template, tmp_path_factory.mktemp("policy"))
    tea = shop.product("Tea", "Drinks")
    # Two came late: one buys again. Four in time: three buy again. One in time bought before the parcel came.
    for name, arrives, again in (
        ("a", "2025-03-20", "2025-04-20"),
        ("b", "2025-03-20", None),
        ("c", "2025-03-12", "2025-04-20"),
        ("d", "2025-03-12", "2025-05-20"),
        ("e", "2025-03-12", "2025-06-01"),
        ("f", "2025-03-12", "2025-11-01"),
        ("g", "2025-03-12", "2025-03-11"),
    ):
        customer = shop.customer(name)
        order = shop.order("2025-03-10 12:00", customer, [(tea, 1, 4000)])
        shop.shipment(order, "2025-03-10 15:00", f"{arrives} 12:00", date(2025, 3, 14))
        if again:
            shop.order(f"{again} 12:00", customer, [(tea, 1, 4000)])
        if name in "abc":
            # The third comes back after the landmark: at day 30 nobody could know.
            shop.returned(order, "2025-03-25 12:00" if name != "c" else "2025-04-25 12:00", 1, 4000)
    return shop.mart("2025-12-01 10:00")


def test_late_parcels_are_compared_with_those_in_time(mart: Snapshot) -> None:
    found = lateness(mart, TODAY)
    assert found.relation.risk_difference == pytest.approx(1 / 2 - 3 / 4)
    assert found.relation.n == 6
    assert found.unexposed_share == pytest.approx(3 / 4)
    # Seven parcels of the year have a promise and came.
    assert found.a_year == 7
    assert found.share == pytest.approx(2 / 7)


def test_returns_are_judged_from_the_landmark_on(mart: Snapshot) -> None:
    found = returning(mart, TODAY)
    # Back by day 30: a (buys on day 41) and b (never). Not back: c, d, e buy by day 120, f does not; g bought before.
    assert found.relation.risk_difference == pytest.approx(1 / 2 - 3 / 4)
    assert found.relation.n == 6
    # Thirteen orders, of which the last has not had its 30 days to come back.
    assert found.a_year == 12
    assert found.share == pytest.approx(2 / 12)


def test_nobody_to_compare_is_said(mart: Snapshot) -> None:
    with pytest.raises(NotEnoughData):
        lateness(mart, date(2025, 3, 1))
