"""Many rows at once: what goes in comes out, on both engines, and nothing that is wrong goes in."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from sqlalchemy import Engine, func, insert, select

from lib.db.bulk import BATCH, bulk_insert, filling
from lib.db.engine import reading, writing
from lib.db.tables.customers import customers
from lib.db.tables.offers import what_ifs
from lib.db.tables.products import products
from lib.db.tables.store import annotations, goals


def _customers(keys: list[int]) -> dict[str, object]:
    n = len(keys)
    return {
        "customer_id": np.array(keys),
        "source": ["x"] * n,
        "external_id": np.array([f"c{k}" for k in keys], dtype=object),
        "fingerprint": ["f"] * n,
        "email": np.array(['a "quoted", ä@example.com', None, ""][:n], dtype=object),
        "registered_at": np.array(["2026-03-01T12:00:00.5", "NaT", "2026-03-01"][:n], dtype="M8[us]"),
        "is_guest": np.array([True, False, True][:n]),
        "tags": ["one\ntwo", None, "back\\slash"][:n],
    }


def test_every_kind_of_value_comes_back_as_it_went_in(database: Engine) -> None:
    with writing(database) as connection:
        assert bulk_insert(connection, customers, _customers([7, 8, 9])) == 3  # type: ignore[arg-type]  # mixed columns
    with reading(database) as connection:
        rows = connection.execute(select(customers).order_by(customers.c.customer_id)).all()
    assert [r.email for r in rows] == ['a "quoted", ä@example.com', None, ""]
    assert [r.registered_at for r in rows] == [
        datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC),
        None,
        datetime(2026, 3, 1, tzinfo=UTC),
    ]
    assert [r.is_guest for r in rows] == [True, False, True]
    assert [r.tags for r in rows] == ["one\ntwo", None, "back\\slash"]
    assert all(r.updated_at is not None for r in rows)


def test_instants_compare_as_text_with_those_written_row_by_row(database: Engine) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with writing(database) as connection:
        bulk_insert(connection, customers, _customers([1]))  # type: ignore[arg-type]  # mixed columns
        connection.execute(insert(customers).values(source="x", external_id="later", fingerprint="f", registered_at=at))
        found = connection.scalars(select(customers.c.external_id).order_by(customers.c.registered_at)).all()
        assert connection.scalar(select(func.count()).where(customers.c.registered_at == at)) == 1
    assert found == ["later", "c1"]


def test_masked_numbers_are_null_and_dates_are_days_and_json_is_json(database: Engine) -> None:
    with writing(database) as connection:
        bulk_insert(
            connection,
            products,
            {
                "source": ["x"] * 2,
                "external_id": ["a", "b"],
                "fingerprint": ["f"] * 2,
                "name": ["A", "B"],
                "cost_minor": np.ma.masked_array([5, 6], mask=[True, False]),
            },
        )
        bulk_insert(
            connection,
            annotations,
            {
                "starts_day": np.array(["2026-03-01"], dtype="M8[D]"),
                "ends_day": np.array(["2026-03-02"], dtype="M8[D]"),
                "text": ["note"],
            },
        )
        bulk_insert(
            connection,
            what_ifs,
            {
                "name": ["w"],
                "assumptions": [{"depth": 0.1, "who": "ä"}],
                "forecast": [[1, 2]],
                "created_at": np.array(["2026-03-01"], dtype="M8[us]"),
            },
        )
        assert connection.scalars(select(products.c.cost_minor).order_by(products.c.name)).all() == [None, 6]
        assert connection.scalar(select(annotations.c.starts_day)) == date(2026, 3, 1)
        assert connection.execute(select(what_ifs.c.assumptions, what_ifs.c.forecast)).one() == (
            {"depth": 0.1, "who": "ä"},
            [1, 2],
        )


def test_keys_given_by_hand_do_not_collide_with_the_next_one_drawn(database: Engine) -> None:
    with writing(database) as connection:
        bulk_insert(connection, customers, _customers([40, 41]))  # type: ignore[arg-type]  # mixed columns
        connection.execute(insert(customers).values(source="x", external_id="next", fingerprint="f"))
        key = connection.scalar(select(customers.c.customer_id).where(customers.c.external_id == "next"))
    assert key == 42


def test_more_rows_than_a_batch_all_arrive(database: Engine) -> None:
    n = BATCH * 2 + 1
    with writing(database) as connection:
        bulk_insert(
            connection,
            customers,
            {
                "source": ["x"] * n,
                "external_id": np.array([str(i) for i in range(n)], dtype=object),
                "fingerprint": ["f"] * n,
            },
        )
        assert connection.scalar(select(func.count()).select_from(customers)) == n


def test_columns_of_different_length_are_refused(database: Engine) -> None:
    with writing(database) as connection, pytest.raises(ValueError, match="differ in length"):
        bulk_insert(connection, goals, {"metric": ["orders", "orders"], "target": [1]})


def test_a_row_that_breaks_a_constraint_is_refused_by_the_database(database: Engine) -> None:
    with pytest.raises(Exception, match=r"only_one|ends_later|check"), filling(database) as connection:
        bulk_insert(
            connection,
            annotations,
            {
                "starts_day": np.array(["2026-03-02"], dtype="M8[D]"),
                "ends_day": np.array(["2026-03-01"], dtype="M8[D]"),
                "text": ["backwards"],
            },
        )
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(annotations)) == 0


def test_filling_leaves_the_indexes_and_refuses_a_reference_to_nothing(database: Engine) -> None:
    def schema() -> list[str]:
        with reading(database) as connection:
            if database.dialect.name != "sqlite":
                return []
            return sorted(connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all())

    before = schema()
    with filling(database) as connection:
        bulk_insert(connection, customers, _customers([1, 2]))  # type: ignore[arg-type]  # mixed columns
    assert schema() == before
    with pytest.raises(Exception, match=r"refers to no row|foreign key"), filling(database) as connection:
        bulk_insert(
            connection,
            goals,
            {
                "metric": ["orders"],
                "starts_day": np.array(["2026-03-01"], dtype="M8[D]"),
                "ends_day": np.array(["2026-04-01"], dtype="M8[D]"),
                "target": [1],
                "author_id": [99],
            },
        )
    assert schema() == before
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(goals)) == 0
