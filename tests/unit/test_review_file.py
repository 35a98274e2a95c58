"""The file for the platform, the targets, and the figures that follow them."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.customers import customers
from lib.db.tables.desk import targets
from lib.db.tables.products import products
from lib.db.tables.reviews import review_replies, reviews
from lib.db.tables.staff import audit_log
from lib.db.tables.store import deleted_rows
from lib.errors import Conflict, InvalidInput, NotAllowed
from lib.queues.review_replies import newest_replies, pending_count, states
from lib.queues.reviews import Targets, need, read_targets
from lib.staff import LOCAL, Role, Staff
from lib.ui.tables import to_csv
from lib.workflows.review_file import COLUMNS, take_replies
from lib.workflows.reviews import Way, publish_reply
from lib.workflows.targets import set_target

VIEWER = Staff(staff_id=None, name="Vic", role=Role.VIEWER)
SUPPORT = Staff(staff_id=None, name="Sue", role=Role.SUPPORT)


@pytest.fixture
def answered(database: Engine, store: Store, noon: datetime) -> Engine:
    """Two reviews answered here, one of them corrected, and one whose reply came from the platform."""
    told: dict[str, Any] = {"source": "test", "fingerprint": "x"}
    with writing(database) as conn:
        conn.execute(insert(customers).values(**told, external_id="1", customer_id=1, email="bea@example.org"))
        conn.execute(insert(products).values(**told, external_id="77", product_id=1, name="Mug", handle="mug"))
        for key in (1, 2, 3):
            conn.execute(
                insert(reviews).values(
                    **told,
                    external_id=str(key),
                    review_id=key,
                    rating=key,
                    title="=1+1",
                    body='Line one\nline "two"',
                    customer_id=1,
                    product_id=1,
                    reviewer_name="Bea B.",
                    written_at=datetime.fromisoformat("2026-03-01T23:30:00+00:00"),
                    is_survey=False,
                )
            )
        conn.execute(insert(review_replies).values(review_id=3, body="From the shop", replied_at=noon))
        publish_reply(conn, LOCAL, 1, "Sory", version=1, at=noon)
        publish_reply(conn, LOCAL, 1, "Sorry", version=2, at=noon, way=Way(webhook=True))
        publish_reply(conn, LOCAL, 2, "@SUM(A1)", version=1, at=noon)
    return database


def test_each_reply_is_in_one_file_only_in_judgemes_form(answered: Engine, store: Store, noon: datetime) -> None:
    with writing(answered) as conn:
        assert pending_count(conn) == 2
        frame = take_replies(conn, SUPPORT, at=noon, zone=store.zone)
        assert pending_count(conn) == 0
        with pytest.raises(InvalidInput, match="No reply waits"):
            take_replies(conn, SUPPORT, at=noon, zone=store.zone)
        (entry,) = conn.execute(select(audit_log).where(audit_log.c.action == "review.exported")).mappings()
    assert entry["details"]["after"]["replies"] == 2
    assert list(frame.columns) == list(COLUMNS)
    rows = list(csv.DictReader(io.StringIO(to_csv(frame).decode("utf-8-sig"), newline="")))
    assert [row["reply"] for row in rows] == ["Sorry", "'@SUM(A1)"]
    assert rows[0]["title"] == "'=1+1"
    # By the store's day, not that of Greenwich.
    assert (rows[0]["review_date"], rows[0]["product_id"], rows[0]["product_handle"]) == ("02/03/2026", "77", "mug")
    assert (rows[0]["reviewer_email"], rows[0]["body"]) == ("bea@example.org", 'Line one\nline "two"')


def test_who_may_not_download_gets_nothing_and_nothing_is_marked(
    answered: Engine, store: Store, noon: datetime
) -> None:
    with pytest.raises(NotAllowed), writing(answered) as conn:
        take_replies(conn, VIEWER, at=noon, zone=store.zone)
    with reading(answered) as conn:
        assert pending_count(conn) == 2


def test_the_list_of_replies_shows_the_way_of_each_version(answered: Engine) -> None:
    with reading(answered) as conn:
        rows, more = newest_replies(conn)
        assert states(conn) == {"queued": 1, "sending": 0, "failed": 0, "held_back": 0}
    assert more is None
    assert {(one.review_id, one.revision, one.channel, one.status) for one in rows} == {
        (1, 1, "", ""),
        (1, 2, "webhook", "queued"),
        (2, 1, "", ""),
        (3, 1, "", ""),
    }


def test_a_target_is_the_stores_own_and_what_waits_is_late_by_it(
    answered: Engine, store: Store, noon: datetime
) -> None:
    later = noon + timedelta(hours=5)
    with writing(answered) as conn:
        conn.execute(
            insert(reviews).values(
                review_id=9,
                source="test",
                external_id="9",
                fingerprint="x",
                rating=1,
                written_at=noon,
                is_survey=False,
            )
        )
        assert read_targets(conn) == Targets()
        found = need(conn, later)
        assert found is not None
        assert "none past 24 h" in found.detail
        set_target(conn, LOCAL, "negative_review", 4 * 60, version=0, at=noon)
        found = need(conn, later)
        assert found is not None
        assert (found.detail, found.is_urgent) == ("1 with 1–2 stars, 1 past 4 h", True)
        # Every figure is worked out anew: the refresh is told that any row may have changed.
        assert conn.execute(select(deleted_rows.c.table_name)).scalars().all() == ["*"]


@pytest.mark.parametrize(
    ("who", "minutes", "version", "refusal"),
    [
        (SUPPORT, 60, 0, NotAllowed),
        (LOCAL, 1, 0, InvalidInput),
        (LOCAL, 10**6, 0, InvalidInput),
        (LOCAL, 60, 3, Conflict),
    ],
)
def test_a_target_that_may_not_be_set_is_not(
    database: Engine, noon: datetime, who: Staff, minutes: int, version: int, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal), writing(database) as conn:
        set_target(conn, who, "review", minutes, version=version, at=noon)
    with reading(database) as conn:
        for table in (targets, audit_log, deleted_rows):
            assert conn.execute(select(func.count()).select_from(table)).scalar_one() == 0
