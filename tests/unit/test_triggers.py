"""What the order database does by itself, on both engines."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from lib.db.engine import reading, writing
from lib.db.tables.carts import cart_items, carts
from lib.db.tables.columns import now
from lib.db.tables.customers import customers
from lib.db.tables.orders import order_items, orders, refund_items, refunds
from lib.db.tables.products import products
from lib.db.tables.staff import audit_log
from lib.db.tables.store import deleted_rows

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def _imported(external_id: str) -> dict[str, Any]:
    return {"source": "test", "external_id": external_id, "fingerprint": "0" * 32, "updated_at": LONG_AGO}


@pytest.fixture
def shop(database: Engine) -> Engine:
    """One customer with one order of one line and one refund, all last changed long ago."""
    with writing(database) as c:
        c.execute(insert(customers).values(customer_id=1, **_imported("c1")))
        c.execute(insert(products).values(product_id=1, name="Tea", **_imported("p1")))
        c.execute(
            insert(orders).values(
                order_id=1,
                number="#1",
                customer_id=1,
                placed_at=LONG_AGO,
                currency="EUR",
                original_currency="EUR",
                gross_minor=500,
                total_minor=500,
                **_imported("o1"),
            )
        )
        c.execute(
            insert(order_items).values(
                order_item_id=1, order_id=1, line_number=1, name="Tea", quantity=1, currency="EUR", gross_minor=500
            )
        )
        c.execute(
            insert(refunds).values(
                refund_id=1, order_id=1, customer_id=1, refunded_at=LONG_AGO, currency="EUR", **_imported("r1")
            )
        )
        c.execute(insert(refund_items).values(refund_item_id=1, refund_id=1, order_id=1, quantity=1, currency="EUR"))
    return database


def _changed(connection: Connection, table: Table) -> datetime:
    moment: datetime = connection.execute(select(table.c.updated_at)).scalar_one()
    return moment


def _is_recent(moment: datetime) -> bool:
    return abs(now() - moment) < timedelta(minutes=1)


def test_an_update_moves_updated_at(shop: Engine) -> None:
    with writing(shop) as c:
        c.execute(update(orders).values(note="late"))
    with reading(shop) as c:
        assert _is_recent(_changed(c, orders))


def test_an_update_in_bare_sql_moves_updated_at(shop: Engine) -> None:
    with writing(shop) as c:
        c.execute(text("UPDATE customers SET name = 'Ada'"))
    with reading(shop) as c:
        assert _is_recent(_changed(c, customers))


def test_a_writer_that_sets_updated_at_is_believed(shop: Engine) -> None:
    said = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    with writing(shop) as c:
        c.execute(update(orders).values(note="late", updated_at=said))
    with reading(shop) as c:
        assert _changed(c, orders) == said


def test_an_untouched_row_keeps_its_time(shop: Engine) -> None:
    with writing(shop) as c:
        c.execute(update(orders).where(orders.c.order_id == 2).values(note="late"))
    with reading(shop) as c:
        assert _changed(c, orders) == LONG_AGO


def test_times_written_by_triggers_look_like_those_of_every_writer(shop: Engine) -> None:
    with writing(shop) as c:
        c.execute(update(orders).values(note="late"))
        c.execute(delete(products))
    if shop.dialect.name == "sqlite":
        with reading(shop) as c:
            for query in ("SELECT updated_at FROM orders", "SELECT deleted_at FROM deleted_rows"):
                assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", c.execute(text(query)).scalar_one())
    with reading(shop) as c:
        assert _is_recent(c.execute(select(deleted_rows.c.deleted_at)).scalar_one())


@pytest.mark.parametrize(
    ("statement", "owner"),
    [
        (update(order_items).values(name="Green tea"), orders),
        (delete(order_items), orders),
        (update(refund_items).values(quantity=2), refunds),
        (delete(refund_items), refunds),
    ],
    ids=["line changed", "line deleted", "refunded item changed", "refunded item deleted"],
)
def test_a_change_to_the_lines_is_a_change_of_their_owner(shop: Engine, statement: Any, owner: Table) -> None:
    with writing(shop) as c:
        c.execute(statement)
    with reading(shop) as c:
        assert _is_recent(_changed(c, owner))


def test_a_cart_changes_with_its_items(shop: Engine) -> None:
    with writing(shop) as c:
        c.execute(
            insert(carts).values(
                cart_id=1, created_at=LONG_AGO, last_event_at=LONG_AGO, currency="EUR", **_imported("k1")
            )
        )
        c.execute(insert(cart_items).values(cart_item_id=1, cart_id=1, name="Tea", quantity=1, currency="EUR"))
    with writing(shop) as c:
        c.execute(delete(cart_items))
    with reading(shop) as c:
        assert _is_recent(_changed(c, carts))


def test_a_deleted_order_leaves_tombstones_for_itself_and_for_what_went_with_it(shop: Engine) -> None:
    with writing(shop) as c:
        c.execute(delete(refund_items))
        c.execute(delete(orders))
    with reading(shop) as c:
        left = c.execute(
            select(
                deleted_rows.c.table_name, deleted_rows.c.row_id, deleted_rows.c.order_id, deleted_rows.c.customer_id
            ).order_by(deleted_rows.c.table_name)
        ).all()
    assert left == [("orders", 1, 1, 1), ("refunds", 1, 1, 1)]


def test_a_deleted_product_leaves_a_tombstone_without_order_or_customer(shop: Engine) -> None:
    with writing(shop) as c:
        c.execute(delete(products))
    with reading(shop) as c:
        left = c.execute(select(deleted_rows)).mappings().one()
    assert (left["table_name"], left["row_id"], left["order_id"], left["customer_id"]) == ("products", 1, None, None)


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"])
def test_the_audit_log_refuses_update_and_delete(database: Engine, statement: str) -> None:
    with writing(database) as c:
        c.execute(
            insert(audit_log).values(
                at=now(),
                actor="Ada",
                action="review.replied",
                subject="review:1",
                previous_hash="0" * 64,
                hash="1" * 64,
            )
        )
    with pytest.raises(DBAPIError, match="only grows"), writing(database) as c:
        c.execute(text(statement))
    with reading(database) as c:
        assert c.execute(select(audit_log.c.action)).scalars().all() == ["review.replied"]


@pytest.mark.postgres
@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_the_audit_log_refuses_truncate(database: Engine) -> None:
    with pytest.raises(DBAPIError, match="only grows"), writing(database) as c:
        c.execute(text("TRUNCATE audit_log"))
