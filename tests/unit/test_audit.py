"""The log of who did what: chained, sealed, and only growing."""

import threading
from datetime import datetime

import pytest
from sqlalchemy import Engine, func, insert, select, text

from lib.db import audit, triggers
from lib.db.audit import Broken
from lib.db.engine import reading, writing
from lib.db.tables.customers import customers
from lib.db.tables.staff import audit_log
from lib.staff import Role, Staff

ANN = Staff(staff_id=1, name="Ann", role=Role.OWNER, address="127.0.0.1")


@pytest.fixture
def customer(database: Engine) -> int:
    values = {"source": "test", "external_id": "1", "fingerprint": "x", "name": "Bea"}
    with writing(database) as connection:
        return int((connection.execute(insert(customers).values(**values)).inserted_primary_key or (0,))[0])


def _entry(engine: Engine, audit_id: int) -> dict[str, object]:
    with reading(engine) as connection:
        return dict(connection.execute(select(audit_log).where(audit_log.c.audit_id == audit_id)).mappings().one())


def test_entries_chain_and_verify(database: Engine, noon: datetime) -> None:
    with writing(database) as connection:
        for number in range(3):
            audit.record(
                connection, ANN, "goal.set", f"goal:{number}", at=noon, before={"target": 1}, after={"target": 2}
            )
    with reading(database) as connection:
        assert audit.verify(connection) is None
        hashes = connection.scalars(select(audit_log.c.hash).order_by(audit_log.c.audit_id)).all()
        before = connection.scalars(select(audit_log.c.previous_hash).order_by(audit_log.c.audit_id)).all()
    assert before == [audit.FIRST, *hashes[:-1]]


def test_a_changed_entry_breaks_the_chain_where_it_was_changed(database: Engine, noon: datetime) -> None:
    with writing(database) as connection:
        keys = [audit.record(connection, ANN, "goal.set", f"goal:{n}", at=noon) for n in range(3)]
        triggers.drop(connection)
        connection.execute(text("UPDATE audit_log SET actor = 'Eve' WHERE audit_id = :key"), {"key": keys[1]})
        assert audit.verify(connection) == Broken(keys[1], "the entry itself was changed")


def test_a_removed_entry_breaks_the_chain_after_it(database: Engine, noon: datetime) -> None:
    with writing(database) as connection:
        keys = [audit.record(connection, ANN, "goal.set", f"goal:{n}", at=noon) for n in range(3)]
        triggers.drop(connection)
        connection.execute(text("DELETE FROM audit_log WHERE audit_id = :key"), {"key": keys[1]})
        assert audit.verify(connection) == Broken(keys[2], "an entry before it was removed, added or changed")


def test_personal_values_are_sealed_and_gone_with_their_key(database: Engine, noon: datetime, customer: int) -> None:
    with writing(database) as connection:
        key = audit.record(
            connection, ANN, "customer.noted", "customer:1", at=noon, about=customer, personal={"note": "Café=1"}
        )
    entry = _entry(database, key)
    assert "Café" not in str(entry)
    with writing(database) as connection:
        assert audit.unsealed(connection, entry) == {"note": "Café=1"}
        audit.destroy_key(connection, customer)
        assert audit.unsealed(connection, entry) is None
        assert audit.verify(connection) is None


def test_personal_values_without_a_person_are_refused(database: Engine, noon: datetime) -> None:
    with writing(database) as connection:
        with pytest.raises(ValueError, match="name the customer"):
            audit.record(connection, ANN, "customer.noted", "customer:1", at=noon, personal={"note": "x"})
        assert connection.scalar(select(func.count()).select_from(audit_log)) == 0


def test_many_writers_at_once_make_one_chain(database: Engine, noon: datetime) -> None:
    def work(number: int) -> None:
        for step in range(5):
            with writing(database) as connection:
                audit.record(connection, ANN, "goal.set", f"goal:{number}.{step}", at=noon)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(audit_log)) == 30
        assert audit.verify(connection) is None
