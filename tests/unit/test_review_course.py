"""Reviews of a shop by hand: their course, product by product, who buys again, and a target that was changed."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from lib.db.engine import open_engine, writing
from lib.mart.snapshot import Snapshot
from lib.metrics.definition import Scope
from lib.metrics.read import figures, rows
from lib.metrics.review_course import again_strata, by_product, rating_course
from lib.periods import Period, day_of
from lib.staff import LOCAL
from lib.stats.intervals import wilson
from lib.workflows.targets import set_target
from tests.shop_by_hand import ShopByHand, at

END = date(2025, 7, 1)
ALL = Scope(period=Period(date(2025, 1, 1), END), as_of=END)


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> ShopByHand:
    made = ShopByHand(sqlite_template, tmp_path_factory.mktemp("reviews"))
    ann, ben, cleo, dora = (made.customer(name) for name in ("Ann", "Ben", "Cleo", "Dora"))
    tea, cup = made.product("Tea", "Drinks"), made.product("Cup", "Kitchen")
    for who in (ann, ben, cleo, dora):
        made.order("2025-01-01 09:00", who, [(tea, 1, 5000)])
    # Answered within a week, and bought in the 90 days after that week.
    made.review("2025-01-10 10:00", 5, "2025-01-11 10:00", customer_id=ann, product_id=tea)
    made.order("2025-03-01 09:00", ann, [(tea, 1, 5000)])
    # Answered, but bought within the week alone: no case.
    made.review("2025-01-12 10:00", 5, "2025-01-13 10:00", customer_id=ben, product_id=tea)
    made.order("2025-01-15 09:00", ben, [(tea, 1, 5000)])
    # Answered too late to count as answered.
    made.review("2025-01-14 10:00", 5, "2025-01-25 10:00", customer_id=cleo, product_id=cup)
    made.order("2025-02-01 09:00", cleo, [(tea, 1, 5000)])
    made.review("2025-01-16 10:00", 1, customer_id=dora, product_id=cup)
    # A second review of the same customer does not count again; a young one is not followed yet.
    made.review("2025-02-16 10:00", 1, "2025-02-16 12:00", customer_id=dora, product_id=cup)
    made.review("2025-06-20 10:00", 2, "2025-06-21 22:00", product_id=tea)
    made.review("2025-06-21 10:00", 1, state="spam", product_id=tea)
    return made


@pytest.fixture(scope="module")
def mart(shop: ShopByHand) -> Snapshot:
    return shop.mart("2025-07-02 10:00")


def test_the_rating_has_its_course_and_its_interval(mart: Snapshot) -> None:
    found = rating_course(mart, ALL)
    assert [day_of(int(day)) for day in found["start_day"]] == [date(2025, 1, 1), date(2025, 2, 1), date(2025, 6, 1)]
    assert found["n"].tolist() == [4, 1, 1]
    assert found["mean"].tolist() == [4.0, 1.0, 2.0]
    # Student's interval of 5, 5, 5, 1 is 4 ± 3.18, cut at the stars there are; a single review has none.
    assert (found["low"].tolist()[0], found["high"].tolist()[0]) == (1.0, 5.0)
    assert found["low"].isna().tolist() == [False, True, True]


def test_short_periods_go_by_whole_weeks_that_end_with_them(mart: Snapshot) -> None:
    june = Scope(period=Period(date(2025, 6, 3), END), as_of=END)
    found = rating_course(mart, june)
    assert [day_of(int(day)) for day in found["start_day"]] == [date(2025, 6, 17)]


def test_the_course_of_no_review_is_empty(mart: Snapshot) -> None:
    assert rating_course(mart, Scope(period=Period(date(2025, 4, 1), date(2025, 5, 1)), as_of=END)).empty


def test_products_stand_by_their_unhappy_reviews(mart: Snapshot) -> None:
    found = by_product(mart, ALL)
    assert found[["product", "n", "negative", "due", "in_time"]].to_numpy().tolist() == [
        ["Cup", 3, 2, 3, 1],
        ["Tea", 3, 1, 3, 2],
    ]
    assert found["mean"].tolist() == pytest.approx([7 / 3, 4.0])
    assert (found["low"].tolist()[0], found["high"].tolist()[0]) == pytest.approx(wilson(2, 3))


def test_buying_again_is_counted_after_a_landmark_and_each_customer_once(mart: Snapshot) -> None:
    found = again_strata(mart, ALL)
    by_stars = found.groupby("rating")[["exposed_cases", "exposed", "unexposed_cases", "unexposed"]].sum()
    assert by_stars.to_numpy().tolist() == [[0, 0, 0, 1], [1, 2, 1, 1]]
    assert isinstance(found, pd.DataFrame)


def test_a_changed_target_changes_the_share_and_its_rows(shop: ShopByHand, mart: Snapshot) -> None:
    (before,) = figures(mart, ["reviews_answered_within_target"], ALL)
    # In time: Ann, Ben and Dora's second. Missed: Cleo's, Dora's first, and 36 hours for 2 stars.
    assert (before.numerator, before.denominator) == (3, 6)
    with writing(open_engine(shop.url)) as conn:
        set_target(conn, LOCAL, "negative_review", 40 * 60, version=0, at=at("2025-07-02 11:00"))
    fresh = shop.mart("2025-07-02 12:00")
    (after,) = figures(fresh, ["reviews_answered_within_target"], ALL)
    assert (after.numerator, after.denominator) == (4, 6)
    assert rows(fresh, "reviews_answered_within_target", ALL).total_value == 4
