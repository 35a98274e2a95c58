"""The inbox of reviews: its views, its pages, its searches, and the indexes that keep them fast."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, insert
from sqlalchemy.pool import NullPool

from lib.db.engine import reading, writing
from lib.db.tables.products import products
from lib.db.tables.reviews import reviews
from lib.db.tables.staff import staff
from lib.queues import review_inbox
from lib.queues.review_inbox import Asked, View, counts, inbox

HOUR = timedelta(hours=1)


def _add(engine: Engine, noon: datetime, *rows: dict[str, Any]) -> None:
    base = {
        "source": "test",
        "fingerprint": "x",
        "rating": 5,
        "title": None,
        "body": None,
        "language": "en",
        "reviewer_name": None,
        "product_id": None,
        "is_survey": False,
        "state": "published",
        "answered_at": None,
        "done_at": None,
        "snoozed_until": None,
        "owner_id": None,
        "tags": None,
    }
    with writing(engine) as conn:
        conn.execute(insert(staff).values(staff_id=1, email="a@s.test", name="Ann", role="support", created_at=noon))
        conn.execute(
            insert(products).values(source="test", external_id="1", fingerprint="x", product_id=1, name="Mug, blue")
        )
        conn.execute(
            insert(reviews),
            [
                {**base, "review_id": key, "external_id": str(key), "written_at": noon - key * HOUR, **row}
                for key, row in enumerate(rows, 1)
            ],
        )


def _keys(engine: Engine, view: View, asked: Asked, noon: datetime, *, limit: int = 3) -> list[int]:
    """Every key of a view, page by page."""
    seen: list[int] = []
    after = None
    with reading(engine) as conn:
        while True:
            found = inbox(conn, view, asked, at=noon, staff_id=1, after=after, limit=limit)
            assert len(found.lines) <= limit
            seen += [line.review_id for line in found.lines]
            if (after := found.after) is None:
                return seen


def test_each_view_holds_its_reviews_in_its_order(database: Engine, noon: datetime) -> None:
    _add(
        database,
        noon,
        {"rating": 5},
        {"rating": 1},
        {"rating": 3, "answered_at": noon},
        {"rating": 1, "is_survey": True},
        {"rating": 2, "state": "spam"},
        {"rating": 2, "snoozed_until": noon + HOUR},
        {"rating": 2, "snoozed_until": noon - HOUR, "owner_id": 1},
        {"rating": 4, "done_at": noon},
        {"rating": 1, "owner_id": 1},
        {"rating": 5, "written_at": noon + HOUR},
    )
    assert _keys(database, View.UNANSWERED, Asked(), noon) == [1, 2, 7, 9]
    assert _keys(database, View.NEGATIVE, Asked(), noon) == [9, 2, 7, 1]
    assert _keys(database, View.MINE, Asked(), noon) == [7, 9]
    assert _keys(database, View.ALL, Asked(), noon) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    with reading(database) as conn:
        found = counts(conn, at=noon, since=noon - timedelta(days=1), staff_id=1)
    assert found == {View.UNANSWERED: 4, View.NEGATIVE: 3, View.MINE: 2, View.ALL: 9}


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        (Asked(product_id=1), [2]),
        (Asked(ratings=(1, 2)), [3, 4]),
        (Asked(languages=("de",)), [3]),
        (Asked(words="kaputt"), [3]),
        (Asked(words="GRÖSSE"), []),
        (Asked(words="größe"), [4]),
        (Asked(words="GRÖßE passt"), [4]),
        (Asked(words="100%"), [5]),
        (Asked(words="_"), []),
        (Asked(words="bea"), [2]),
        (Asked(tag="vip"), [5, 6]),
        (Asked(tag="vi"), []),
    ],
)
def test_a_filter_keeps_what_it_says(database: Engine, noon: datetime, asked: Asked, keys: list[int]) -> None:
    _add(
        database,
        noon,
        {},
        {"product_id": 1, "reviewer_name": "Bea B."},
        {"rating": 1, "language": "de", "title": "Kaputt"},
        {"rating": 2, "body": "Die Größe passt nicht"},
        {"body": "100% wool", "tags": "gift, vip"},
        {"body": "100 wool", "tags": "vip"},
    )
    assert _keys(database, View.ALL, asked, noon) == keys


def test_pages_of_negatives_follow_one_another_without_gap_or_repeat(database: Engine, noon: datetime) -> None:
    _add(database, noon, *({"rating": 1 + n % 5, "written_at": noon - (n // 4) * HOUR} for n in range(40)))
    for limit in (1, 4, 8, 7, 40, 100):
        seen = _keys(database, View.NEGATIVE, Asked(), noon, limit=limit)
        assert sorted(seen) == list(range(1, 41))
        assert [(key - 1) % 5 for key in seen] == sorted((key - 1) % 5 for key in seen)


def test_a_search_stops_where_it_looked_and_goes_on_from_there(
    database: Engine, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_inbox, "WINDOW", 10)
    _add(database, noon, *({"body": "needle" if n in (3, 27) else "hay"} for n in range(1, 31)))
    with reading(database) as conn:
        first = inbox(conn, View.ALL, Asked(words="needle"), at=noon, staff_id=1)
        assert [line.review_id for line in first.lines] == [3]
        assert first.looked_back_to == noon - 11 * HOUR
    assert _keys(database, View.ALL, Asked(words="needle"), noon) == [3, 27]


def test_a_filter_that_fits_nearly_nothing_looks_no_further_than_a_search(
    database: Engine, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_inbox, "WINDOW", 10)
    _add(database, noon, *({"language": "fr" if n == 27 else "de"} for n in range(1, 31)))
    asked = Asked(languages=("fr",))
    with reading(database) as conn:
        first = inbox(conn, View.ALL, asked, at=noon, staff_id=1)
    assert (first.lines, first.looked_back_to) == ([], noon - 11 * HOUR)
    assert _keys(database, View.ALL, asked, noon) == [27]


def test_a_megabyte_of_words_does_not_weigh_down_the_list(database: Engine, noon: datetime) -> None:
    _add(database, noon, {"body": "x" * 1_000_000})
    with reading(database) as conn:
        (line,) = inbox(conn, View.ALL, Asked(), at=noon, staff_id=1).lines
    assert len(line.body) == 200


@pytest.mark.parametrize(
    ("view", "asked", "index"),
    [
        (View.UNANSWERED, Asked(), "ix_reviews_unanswered "),
        (View.NEGATIVE, Asked(), "ix_reviews_unanswered_by_rating"),
        (View.MINE, Asked(), "ix_reviews_owned"),
        (View.ALL, Asked(), "ix_reviews_written_at"),
        (View.ALL, Asked(product_id=1), "ix_reviews_product_id_written_at"),
        (View.ALL, Asked(tag="vip"), "ix_reviews_tagged"),
    ],
)
def test_sqlite_reads_each_view_by_its_index_and_sorts_nothing(
    sqlite_template: Path, noon: datetime, view: View, asked: Asked, index: str
) -> None:
    plans: list[str] = []
    engine = create_engine(f"sqlite:///{sqlite_template}", poolclass=NullPool)
    with engine.connect() as connection:

        @event.listens_for(engine, "before_cursor_execute")
        def note(_c: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())

        for after in (None, (noon, 5) if view is not View.NEGATIVE else (1, noon, 5)):
            inbox(connection, view, asked, at=noon, staff_id=1, after=after)
    scanned = [step for step in plans if "reviews" in step]
    assert scanned
    assert all(f"INDEX {index}" in step for step in scanned), scanned
    assert not [step for step in plans if "TEMP B-TREE" in step]
