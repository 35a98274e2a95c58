"""Two people answer the same review in whatever order: nothing that was accepted is lost, nothing refused is sent."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, select

from lib.db import audit
from lib.db.engine import open_engine, reading, writing
from lib.db.tables.customers import customers
from lib.db.tables.desk import drafts as drafts_table
from lib.db.tables.offers import outbox_messages
from lib.db.tables.reviews import reviews
from lib.db.tables.staff import audit_log, staff
from lib.errors import Conflict
from lib.queues.review import open_review
from lib.staff import Role, Staff
from lib.workflows import desk, drafts
from lib.workflows.reviews import Way, publish_reply

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STAFF = tuple(Staff(staff_id=n, name=name, role=Role.SUPPORT) for n, name in ((1, "Ann"), (2, "Ben")))
STEPS = st.lists(
    st.tuples(st.sampled_from((0, 1)), st.sampled_from(("look", "type", "send", "tag", "snooze"))), max_size=14
)


def _shop(template: Path, folder: Path) -> Engine:
    file = folder / "order.db"
    for old in folder.glob("order.db*"):
        old.unlink()
    shutil.copyfile(template, file)
    engine = open_engine(f"sqlite:///{file}")
    told = {"source": "test", "external_id": "1", "fingerprint": "x"}
    with writing(engine) as conn:
        for who in STAFF:
            values = {"staff_id": who.staff_id, "email": f"{who.name}@s.test", "name": who.name, "role": who.role}
            conn.execute(insert(staff).values(**values, created_at=NOON))
        conn.execute(insert(customers).values(**told, customer_id=1, email="bea@example.org"))
        conn.execute(
            insert(reviews).values(**told, review_id=1, customer_id=1, rating=1, written_at=NOON, is_survey=False)
        )
    return engine


def _do(conn: Connection, who: Staff, what: str, text: str, seen: int, at: datetime) -> None:
    if what == "send":
        publish_reply(conn, who, 1, text, version=seen, at=at, way=Way(webhook=True))
    elif what == "tag":
        desk.set_tags(conn, who, "review", 1, [text], version=seen, at=at)
    else:
        desk.snooze(conn, who, "review", 1, at + timedelta(days=1), version=seen, at=at)


@given(steps=STEPS)
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_two_people_lose_nothing_in_whatever_order_they_work(
    sqlite_template: Path, tmp_path: Path, steps: list[tuple[int, str]]
) -> None:
    engine = _shop(sqlite_template, tmp_path)
    seen, typed = [1, 1], ["", ""]
    accepted: list[str] = []
    version, at = 1, NOON
    for number, (n, what) in enumerate(steps):
        who, at = STAFF[n], NOON + timedelta(minutes=number)
        text = f"{who.name} {number}"
        if what == "look":
            seen[n] = version
            continue
        with writing(engine) as conn:
            if what == "type":
                drafts.save_draft(conn, who, "review", 1, text, at=at)
                typed[n] = text
                continue
        is_fresh = seen[n] == version
        try:
            with writing(engine) as conn:
                _do(conn, who, what, text, seen[n], at)
        except Conflict:
            assert not is_fresh
            continue
        assert is_fresh
        version += 1
        seen[n] = version
        if what == "send":
            accepted.append(text)
            typed[n] = ""
    with reading(engine) as conn:
        found = open_review(conn, 1)
        assert found is not None
        assert found.version == version
        # Every reply that was accepted is there, once, in its order; nothing else is.
        assert [reply.body for reply in reversed(found.replies)] == accepted
        bodies = conn.execute(select(outbox_messages.c.body).order_by(outbox_messages.c.outbox_message_id)).scalars()
        assert [text in body for text, body in zip(accepted, bodies, strict=True)] == [True] * len(accepted)
        # What each typed last and did not send is still hers.
        kept = {row.author_id: row.body for row in conn.execute(select(drafts_table))}
        assert kept == {STAFF[n].staff_id: text for n, text in enumerate(typed) if text}
        assert len(conn.execute(select(audit_log.c.audit_id)).all()) == version - 1
        assert audit.verify(conn) is None
