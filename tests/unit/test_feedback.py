"""Surveys, questions and loyalty points of a shop so small that each figure can be worked out by hand."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from lib.db.engine import open_engine, reading, writing
from lib.db.tables.loyalty import loyalty_entries
from lib.db.tables.surveys import questions, survey_answers
from lib.mart.reconcile import reconcile
from lib.mart.refresh import bring_up_to_date
from lib.mart.snapshot import Snapshot, current
from lib.metrics.definition import Figure, Scope
from lib.metrics.read import dailies, figures, rows
from lib.periods import Period
from tests.shop_by_hand import STORE, ShopByHand, at

JULY = date(2025, 7, 1)
ALL = Scope(period=Period(date(2025, 1, 1), JULY), as_of=JULY)
MAY = Scope(period=Period(date(2025, 5, 1), date(2025, 6, 1)), as_of=date(2025, 6, 1))


def filled(template: Path, folder: Path) -> ShopByHand:
    shop = ShopByHand(template, folder)
    ann, ben = shop.customer("Ann"), shop.customer("Ben")
    tea = shop.product("Tea", "Drinks")
    order = shop.order("2025-05-01 12:00", ann, [(tea, 1, 5000)], channel="app", landing_source="Community")
    shop.order("2025-05-02 12:00", ben, [(tea, 1, 5000)], landing_source="direct")
    shop.order("2025-05-03 12:00", ben, [(tea, 1, 5000)], landing_source="blog", cancelled_at=at("2025-05-04 12:00"))
    nps, csat = shop.survey("nps", "Would you tell a friend?"), shop.survey("csat", "How was it?")
    # Ten scores: 10 10 9 9 9 (promoters), 8 7 (neither), 6 0 0 (detractors).
    for day, score in enumerate((10, 10, 9, 9, 9, 8, 7, 6, 0, 0), start=10):
        shop.surveyed(nps, "2025-05-05 12:00", f"2025-05-{day} 12:00", score, order_id=order, customer_id=ann)
    shop.surveyed(nps, "2025-05-05 12:00", "2025-05-20 12:00", None)
    shop.surveyed(nps, "2025-05-05 12:00")
    shop.surveyed(nps, "2025-05-30 12:00", "2025-06-02 12:00", 10)
    for score in (5, 4, 3, 1, 7):
        shop.surveyed(csat, "2025-05-06 12:00", "2025-05-07 12:00", score)
    shop.question("2025-05-10 10:00", "2025-05-11 09:00", product_id=tea, customer_id=ann)
    shop.question("2025-05-11 10:00", "2025-05-12 10:01", product_id=tea)
    shop.question("2025-05-12 10:00")
    shop.question("2025-06-30 10:00")
    gold, plain = shop.member(ann, "2025-02-01 12:00", "gold"), shop.member(ben, "2025-05-15 12:00")
    shop.points(gold, "2025-02-02 12:00", "issued", 500, 500)
    shop.points(gold, "2025-05-02 12:00", "issued", 100, 100)
    shop.points(gold, "2025-05-20 12:00", "redeemed", 200, 250)
    shop.points(plain, "2025-05-16 12:00", "issued", 40, 40)
    shop.points(gold, "2025-06-10 12:00", "expired", 300, 300)
    return shop


@pytest.fixture(scope="module")
def mart(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return filled(sqlite_template, tmp_path_factory.mktemp("feedback")).mart("2025-07-02 10:00")


def one(mart: Snapshot, key: str, scope: Scope = ALL) -> Figure:
    (found,) = figures(mart, [key], scope)
    return found


def test_promoters_less_detractors_in_percent_of_all_scores(mart: Snapshot) -> None:
    nps = one(mart, "nps", MAY)
    assert (nps.value, nps.numerator, nps.denominator, nps.n) == (20.0, 2, 10, 10)
    assert nps.left_out == {"no score": 1}
    # Three cases added: p = 5.75/13, q = 3.75/13, d = 2/13, half = 1.959964 x sqrt((p + q - d^2)/13).
    assert (round(nps.low or 0, 2), round(nps.high or 0, 2)) == (-30.33, 61.1)
    assert one(mart, "nps").value == 100 * 3 / 11
    assert [one(mart, f"nps_{who}", MAY).value for who in ("promoters", "passives", "detractors")] == [5, 2, 3]


def test_the_score_of_a_day_is_in_percent_too(mart: Snapshot) -> None:
    table = dailies(mart, ["nps"], Scope(period=Period(date(2025, 5, 14), date(2025, 5, 20)), as_of=JULY))
    assert table["nps"].tolist()[:5] == [100.0, 0.0, 0.0, -100.0, -100.0]


def test_a_score_counts_on_the_day_it_was_given_and_a_survey_on_the_day_it_was_sent(mart: Snapshot) -> None:
    rate = one(mart, "survey_response_rate", MAY)
    # 13 asked to recommend, 5 how it was; the one answered in June was not answered yet.
    assert (rate.numerator, rate.denominator) == (16, 18)
    assert one(mart, "survey_response_rate").numerator == 17


def test_satisfied_are_answers_of_four_and_five(mart: Snapshot) -> None:
    csat = one(mart, "survey_csat")
    assert (csat.value, csat.numerator, csat.denominator) == (0.5, 2, 4)
    assert csat.left_out == {"no score from 1 to 5": 1}


def test_surveys_are_split_by_name_and_by_the_channel_of_their_order(mart: Snapshot) -> None:
    by_survey = figures(mart, ["surveys_sent"], Scope(period=ALL.period, as_of=JULY, by="survey"))
    assert {figure.slice: figure.value for figure in by_survey} == {"How was it?": 5, "Would you tell a friend?": 13}
    assert one(mart, "nps", Scope(period=ALL.period, as_of=JULY, filters=(("channel", "app"),))).n == 10


def test_an_unanswered_question_is_a_miss_once_its_target_has_passed(mart: Snapshot) -> None:
    within = one(mart, "questions_answered_within_target")
    assert (within.numerator, within.denominator) == (1, 3)
    assert within.left_out == {"target not passed": 1}
    assert one(mart, "questions").value == 4
    assert one(mart, "questions_unanswered").value == 2
    # From 12 May 12:00 in Berlin to 1 July 0:00.
    assert one(mart, "oldest_unanswered_question").value == 49 * 24 + 12
    assert one(mart, "questions_unanswered", Scope(period=ALL.period, as_of=date(2025, 5, 11))).value == 1


def test_orders_whose_visit_began_in_the_community_or_blog_are_counted(mart: Snapshot) -> None:
    found = one(mart, "orders_from_content")
    assert found.value == 1
    assert found.left_out == {"cancelled": 1}


def test_points_are_issued_redeemed_expired_and_the_rest_is_outstanding_with_its_value(mart: Snapshot) -> None:
    keys = ("points_issued", "points_redeemed", "points_expired", "points_outstanding", "points_outstanding_value")
    told = {key: (one(mart, key).value, one(mart, key, MAY).value) for key in keys}
    assert told == {
        "points_issued": (640, 140),
        "points_redeemed": (200, 200),
        "points_expired": (300, 0),
        # As of 1 June the points of February are there and those that ran out on 10 June too.
        "points_outstanding": (140, 440),
        "points_outstanding_value": (90, 390),
    }
    assert one(mart, "points_issued").n == 3
    assert (one(mart, "loyalty_members").value, one(mart, "new_loyalty_members", MAY).value) == (2, 1)


def test_points_are_split_by_tier(mart: Snapshot) -> None:
    found = figures(mart, ["points_outstanding"], Scope(period=ALL.period, as_of=JULY, by="tier"))
    assert {figure.slice: figure.value for figure in found} == {"gold": 100, "unknown": 40}


def test_the_rows_behind_the_outstanding_points_add_up_to_them(mart: Snapshot) -> None:
    behind = rows(mart, "points_outstanding", MAY)
    assert behind.total_value == 440
    assert behind.frame["amount"].tolist() == [500, 100, 40, -200]


def test_the_check_compares_points_and_their_value_with_the_order_database(
    sqlite_template: Path, tmp_path: Path
) -> None:
    shop = filled(sqlite_template, tmp_path)
    mart, engine = shop.mart("2025-07-02 10:00"), open_engine(shop.url)
    with reading(engine) as connection:
        assert reconcile(connection, mart).differences == ()
    with writing(engine) as connection:
        connection.execute(update(loyalty_entries).where(loyalty_entries.c.points == 200).values(points=210))
    with reading(engine) as connection:
        found = reconcile(connection, mart).differences
    assert [str(difference) for difference in found] == [
        "2025-05 points redeemed: 210 in the order database, 200 in the mart"
    ]


def test_what_is_answered_changed_or_deleted_reaches_the_figures_with_the_next_refresh(
    sqlite_template: Path, tmp_path: Path
) -> None:
    shop = filled(sqlite_template, tmp_path)
    before = shop.mart("2025-07-02 10:00")
    assert one(before, "questions_unanswered").value == 2
    engine = open_engine(shop.url)
    with writing(engine) as connection:
        connection.execute(
            update(questions).where(questions.c.answered_at.is_(None)).values(answered_at=at("2025-06-30 12:00"))
        )
        connection.execute(delete(survey_answers).where(survey_answers.c.score == 0))
        connection.execute(delete(loyalty_entries).where(loyalty_entries.c.kind == "expired"))
    done = bring_up_to_date(tmp_path / "mart", shop.url, STORE, memory_limit_mb=500, before_publishing=lambda: None)
    assert done.how == "incremental"
    after = current(tmp_path / "mart")
    assert one(after, "questions_unanswered").value == 0
    assert one(after, "nps", MAY).value == 100 * (5 - 1) / 8
    assert one(after, "points_outstanding").value == 440
