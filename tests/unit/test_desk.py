"""What staff do to any piece of work: locks that tell, drafts that stay, changes that notice each other."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, insert, select

from lib.db.engine import reading, writing
from lib.db.tables.desk import drafts as drafts_table
from lib.db.tables.desk import work_items, work_locks
from lib.db.tables.reviews import reviews
from lib.db.tables.staff import audit_log, staff
from lib.errors import Conflict, InvalidInput, NotAllowed
from lib.staff import LOCAL, Role, Staff
from lib.workflows import desk, drafts

ANN = Staff(staff_id=1, name="Ann", role=Role.SUPPORT)
BEN = Staff(staff_id=2, name="Ben", role=Role.SUPPORT)
EVE = Staff(staff_id=3, name="Eve", role=Role.VIEWER)


@pytest.fixture
def team(database: Engine, noon: datetime) -> Engine:
    """A database with three people and one review, at version 1."""
    with writing(database) as conn:
        for who in (ANN, BEN, EVE):
            conn.execute(
                insert(staff).values(
                    staff_id=who.staff_id, email=f"{who.name}@shop.test", name=who.name, role=who.role, created_at=noon
                )
            )
        conn.execute(
            insert(reviews).values(
                review_id=1, source="test", external_id="1", fingerprint="x", rating=1, written_at=noon, is_survey=False
            )
        )
    return database


def _review(engine: Engine) -> tuple[object, ...]:
    row = reviews.c
    with reading(engine) as conn:
        return tuple(conn.execute(select(row.owner_id, row.snoozed_until, row.done_at, row.tags, row.version)).one())


def _log(engine: Engine) -> list[str]:
    with reading(engine) as conn:
        return list(conn.execute(select(audit_log.c.action).order_by(audit_log.c.audit_id)).scalars())


def test_the_second_is_told_who_is_at_it_and_changes_nothing(team: Engine, noon: datetime) -> None:
    with writing(team) as conn:
        assert drafts.take(conn, ANN, "review", 1, holder="a", at=noon) is None
        told = drafts.take(conn, BEN, "review", 1, holder="b", at=noon + timedelta(seconds=30))
        assert told is not None
        assert (told.name, told.is_same_person, told.taken_at) == ("Ann", False, noon)
        assert conn.execute(select(work_locks.c.holder)).scalars().all() == ["a"]
    assert _log(team) == []


def test_a_lock_is_renewed_runs_out_and_can_be_taken_over(team: Engine, noon: datetime) -> None:
    later = noon + drafts.LOCK_FOR - timedelta(seconds=1)
    with writing(team) as conn:
        drafts.take(conn, ANN, "review", 1, holder="a", at=noon)
        drafts.take(conn, ANN, "review", 1, holder="a", at=later)
        assert drafts.take(conn, BEN, "review", 1, holder="b", at=noon + drafts.LOCK_FOR) is not None
        assert drafts.take(conn, BEN, "review", 1, holder="b", at=later + drafts.LOCK_FOR) is None
        assert drafts.take(conn, ANN, "review", 1, holder="a", at=later + drafts.LOCK_FOR, force=True) is None
        other = drafts.holding(conn, BEN, "review", 1, holder="b", at=later + drafts.LOCK_FOR)
        assert other is not None
        assert other.name == "Ann"


def test_another_window_of_the_same_person_is_told_apart(team: Engine, noon: datetime) -> None:
    with writing(team) as conn:
        drafts.take(conn, LOCAL, "review", 1, holder="one", at=noon)
        told = drafts.take(conn, LOCAL, "review", 1, holder="two", at=noon)
        assert told is not None
        assert told.is_same_person


def test_letting_go_frees_only_ones_own(team: Engine, noon: datetime) -> None:
    with writing(team) as conn:
        drafts.take(conn, ANN, "review", 1, holder="a", at=noon)
        drafts.release(conn, "review", 1, holder="b")
        assert drafts.holding(conn, BEN, "review", 1, holder="b", at=noon) is not None
        drafts.release(conn, "review", 1, holder="a")
        assert drafts.holding(conn, BEN, "review", 1, holder="b", at=noon) is None


def test_a_draft_is_each_persons_own_and_stays_as_typed(team: Engine, noon: datetime) -> None:
    with writing(team) as conn:
        drafts.save_draft(conn, ANN, "review", 1, "  Dear \x00Bea,\n", at=noon)
        drafts.save_draft(conn, BEN, "review", 1, "Hello", at=noon)
        drafts.save_draft(conn, ANN, "review", 1, "  Dear Bea,\nthank", at=noon + timedelta(seconds=2))
        mine = drafts.read_draft(conn, ANN, "review", 1)
        assert mine == drafts.Draft(body="  Dear Bea,\nthank", is_public=True, saved_at=noon + timedelta(seconds=2))
        drafts.save_draft(conn, ANN, "review", 1, " \n", at=noon)
        assert drafts.read_draft(conn, ANN, "review", 1) is None
        assert conn.execute(select(func.count()).select_from(drafts_table)).scalar_one() == 1


def test_an_owner_a_snooze_an_end_and_tags_are_kept_and_logged(team: Engine, noon: datetime) -> None:
    tomorrow = noon + timedelta(days=1)
    with writing(team) as conn:
        desk.assign(conn, ANN, "review", 1, 2, version=1, at=noon)
        desk.snooze(conn, ANN, "review", 1, tomorrow, version=2, at=noon)
        desk.set_tags(conn, ANN, "review", 1, ["Fragile ", "vip", "fragile"], version=3, at=noon)
        desk.finish(conn, ANN, "review", 1, version=4, at=noon)
    assert _review(team) == (2, tomorrow, noon, "fragile, vip", 5)
    assert _log(team) == ["review.assigned", "review.snoozed", "review.tagged", "review.done"]


def test_the_second_of_two_is_refused_told_who_did_what_and_changes_nothing(team: Engine, noon: datetime) -> None:
    with writing(team) as conn:
        desk.assign(conn, ANN, "review", 1, 1, version=1, at=noon)
    before = _review(team), _log(team)
    with pytest.raises(Conflict, match="Ann changed the owner of this review 3 minutes ago"), writing(team) as conn:
        desk.finish(conn, BEN, "review", 1, version=1, at=noon + timedelta(minutes=3))
    assert (_review(team), _log(team)) == before


@pytest.mark.parametrize(
    ("who", "refusal", "act"),
    [
        (EVE, NotAllowed, lambda c, w, at: desk.assign(c, w, "review", 1, 1, version=1, at=at)),
        (EVE, NotAllowed, lambda c, w, at: desk.finish(c, w, "review", 1, version=1, at=at)),
        (EVE, NotAllowed, lambda c, w, at: drafts.take(c, w, "review", 1, holder="x", at=at)),
        (EVE, NotAllowed, lambda c, w, at: drafts.save_draft(c, w, "review", 1, "x", at=at)),
        (ANN, InvalidInput, lambda c, w, at: desk.assign(c, w, "review", 1, 99, version=1, at=at)),
        (ANN, InvalidInput, lambda c, w, at: desk.snooze(c, w, "review", 1, at, version=1, at=at)),
        (ANN, InvalidInput, lambda c, w, at: desk.set_tags(c, w, "review", 1, ["a,b"], version=1, at=at)),
        (ANN, InvalidInput, lambda c, w, at: desk.tag_all(c, w, "review", [], "a", at=at)),
        (ANN, Conflict, lambda c, w, at: desk.finish(c, w, "review", 7, version=1, at=at)),
        (ANN, InvalidInput, lambda c, w, at: drafts.save_draft(c, w, "review", 1, "x" * 20_001, at=at)),
    ],
)
def test_a_refusal_writes_nothing(team: Engine, noon: datetime, who: Staff, refusal: type, act: object) -> None:
    with pytest.raises(refusal), writing(team) as conn:
        act(conn, who, noon)  # type: ignore[operator]  # a lambda of the table above
    assert _review(team) == (None, None, None, None, 1)
    assert _log(team) == []
    with reading(team) as conn:
        for table in (work_locks, drafts_table, work_items):
            assert conn.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_what_imports_alone_know_gets_its_work_when_first_touched(team: Engine, noon: datetime) -> None:
    with writing(team) as conn:
        desk.assign(conn, ANN, "shipment", 5, 2, version=0, at=noon)
        desk.finish(conn, ANN, "shipment", 5, version=1, at=noon, outcome="Carrier pays")
    with reading(team) as conn:
        row = conn.execute(select(work_items)).mappings().one()
    assert (row["owner_id"], row["done_at"], row["done_by_id"], row["outcome"], row["version"]) == (
        2,
        noon,
        1,
        "Carrier pays",
        2,
    )
    with pytest.raises(Conflict), writing(team) as conn:
        desk.assign(conn, BEN, "shipment", 5, 2, version=0, at=noon)


def test_many_are_given_away_at_once_and_those_changed_meanwhile_are_named(team: Engine, noon: datetime) -> None:
    with writing(team) as conn:
        conn.execute(
            insert(reviews).values(
                review_id=2, source="test", external_id="2", fingerprint="x", rating=5, written_at=noon, is_survey=False
            )
        )
        desk.set_tags(conn, BEN, "review", 2, ["vip"], version=1, at=noon)
        assert desk.assign_all(conn, ANN, "review", {1: 1, 2: 1}, 2, at=noon) == [2]
        assert desk.tag_all(conn, ANN, "review", [1, 2], "VIP", at=noon) == 1
        assert conn.execute(select(reviews.c.owner_id, reviews.c.tags).order_by(reviews.c.review_id)).all() == [
            (2, "vip"),
            (None, "vip"),
        ]
