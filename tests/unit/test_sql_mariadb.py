"""WooCommerce's own tables on the database it really runs on, where one is installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from lib.errors import SourceUnavailable
from lib.importers.records import CustomerRecord, OrderRecord, ProductRecord, ReadContext, RefundRecord, Rejected
from lib.importers.sql import read_sql
from lib.importers.sql_mapping import load_sql_mapping
from lib.importers.sql_source import read_only, source_url
from tests.mariadb_server import server

TABLES = Path(__file__).parent / "shop_tables"
WOOCOMMERCE = load_sql_mapping(Path("woocommerce_hpos"))
CONTEXT = ReadContext(time_zone="Europe/Berlin", currency="EUR", secrets={"PASSWORD": "p@ss/w"})


@pytest.fixture(scope="module")
def administrator() -> Iterator[str]:
    try:
        starting = server()
        address = starting.__enter__()
    except LookupError as missing:
        pytest.skip(str(missing))
    try:
        yield address
    finally:
        starting.__exit__(None, None, None)


@pytest.fixture(scope="module")
def shop(administrator: str) -> str:
    """The address of the shop's database, for a user who may only read."""
    engine = create_engine(administrator)
    with engine.begin() as connection:
        for statement in (
            "CREATE DATABASE shop CHARACTER SET utf8mb4",
            "USE shop",
            "CREATE USER reader@localhost IDENTIFIED BY 'p@ss/w'",
            "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'p@ss/w'",
            "GRANT SELECT ON shop.* TO reader@localhost",
            "GRANT SELECT ON shop.* TO reader@'127.0.0.1'",
        ):
            connection.exec_driver_sql(statement)
        for name in ("woocommerce_hpos.sql", "woocommerce_orders.sql"):
            for line in (TABLES / name).read_text(encoding="utf-8").splitlines():
                if line.strip() and not line.startswith("--"):
                    written = line.replace(" AUTO", " bigint AUTO_INCREMENT PRIMARY KEY").replace(
                        "TIMESTAMP", "datetime"
                    )
                    connection.exec_driver_sql(written.replace("%", "%%"))
    engine.dispose()
    return f"mysql://reader@127.0.0.1:{make_url(administrator).port}/shop"


def test_woocommerces_own_tables_are_read_from_mariadb_and_then_only_what_is_new(shop: str) -> None:
    first = read_sql(shop, WOOCOMMERCE, {}, CONTEXT)
    product, customer, order, cancelled, refund = first
    assert isinstance(product, ProductRecord) and (product.external_id, product.sku) == ("50", "CUP-1")
    assert isinstance(customer, CustomerRecord) and customer.name == "Ada L"
    assert isinstance(order, OrderRecord) and not isinstance(cancelled, Rejected)
    assert (order.gross_minor, order.discount_minor, order.tax_minor, order.total_minor) == (10000, 1000, 1843, 11543)
    assert [(item.name, item.quantity) for item in order.items] == [("Cup", 2)]
    assert isinstance(refund, RefundRecord) and refund.total_minor == 5950
    again = read_sql(shop, WOOCOMMERCE, first.watermarks, CONTEXT)
    assert [getattr(record, "external_id", "") for record in again] == ["50", "7", "101", "refund:103"]


def test_mariadb_refuses_every_write(administrator: str, shop: str) -> None:
    with pytest.raises(SourceUnavailable, match="READ ONLY"), read_only(source_url(administrator, {})) as connection:
        connection.execute(text("DELETE FROM shop.wp_posts"))


def test_a_wrong_password_is_said_and_not_shown(shop: str) -> None:
    wrong = ReadContext(time_zone="UTC", currency="EUR", secrets={"PASSWORD": "hush-hush"})
    with pytest.raises(SourceUnavailable, match="Access denied") as refused:
        list(read_sql(shop, WOOCOMMERCE, {}, wrong))
    assert "hush-hush" not in str(refused.value)
