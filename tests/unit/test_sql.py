"""The SQL reader and its shipped mappings, against databases with the shops' own tables, on both engines."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from lib.errors import MappingInvalid, SourceUnavailable
from lib.importers.records import (
    CustomerRecord,
    OrderRecord,
    ProductRecord,
    ReadContext,
    Record,
    RefundRecord,
    Rejected,
)
from lib.importers.sql import SqlReading, read_sql
from lib.importers.sql_mapping import load_sql_mapping, sql_mapping
from lib.importers.sql_source import read_only, shown, source_url

CONTEXT = ReadContext(time_zone="Europe/Berlin", currency="EUR")
TABLES = Path(__file__).parent / "shop_tables"


@pytest.fixture
def shop(empty_url: str, engine_name: str) -> Iterator[Engine]:
    """A database of a shop, empty: on SQLite, then on PostgreSQL."""
    if engine_name == "sqlite":
        Path(empty_url.removeprefix("sqlite:///")).parent.mkdir()
    engine = create_engine(empty_url)
    yield engine
    engine.dispose()


@pytest.fixture
def run(shop: Engine, engine_name: str) -> Callable[[str], None]:
    """Run statements, one per line, in the shop's database."""

    def execute(script: str) -> None:
        auto = "integer PRIMARY KEY AUTOINCREMENT" if engine_name == "sqlite" else "serial PRIMARY KEY"
        stamp = "datetime" if engine_name == "sqlite" else "timestamp"
        with shop.begin() as connection:
            for line in script.splitlines():
                if line.strip() and not line.startswith("--"):
                    statement = line.replace(" AUTO", f" {auto}").replace("TIMESTAMP", stamp)
                    connection.exec_driver_sql(statement.replace("%", "%%"))

    return execute


def address_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def all_of(reading: SqlReading) -> list[Record]:
    records = []
    for record in reading:
        assert not isinstance(record, Rejected), record.reason
        records.append(record)
    return records


VENDURE = (TABLES / "vendure_orders.sql").read_text(encoding="utf-8")


def test_vendures_own_tables_are_read(shop: Engine, run: Callable[[str], None]) -> None:
    run((TABLES / "vendure.sql").read_text(encoding="utf-8"))
    run(VENDURE)
    reading = read_sql(address_of(shop), load_sql_mapping(Path("vendure")), {}, CONTEXT)
    product, customer, order, cancelled, refund = all_of(reading)
    assert isinstance(product, ProductRecord) and (product.external_id, product.name, product.sku) == (
        "3",
        "Cup",
        "CUP-1",
    )
    assert isinstance(customer, CustomerRecord) and (customer.external_id, customer.name) == ("7", "Ada L")
    assert isinstance(order, OrderRecord) and isinstance(cancelled, OrderRecord)
    # 2 cups at 59.50 with 19 % tax less 11.90: 100.00 - 10.00 without tax, 2.00 for wrapping, 5.00 shipping.
    assert (order.gross_minor, order.discount_minor, order.fees_minor, order.shipping_minor) == (10000, 1000, 200, 500)
    assert (order.tax_minor, order.total_minor, order.paid_minor) == (1843, 11543, 11543)
    assert [(i.name, i.quantity, i.product_id, i.external_id) for i in order.items] == [("Cup", 2, "3", "11")]
    assert (order.number, order.country, order.city, order.payment_status) == ("ABC", "DE", "Berlin", "paid")
    assert order.placed_at == datetime(2025, 1, 5, 10, tzinfo=UTC)
    assert order.customer is not None and order.customer.external_id == "7"
    assert [(d.code, d.amount_minor) for d in order.discounts] == [("NEW10", 1000)]
    assert cancelled.cancelled_at == datetime(2025, 1, 6, 10, tzinfo=UTC) and cancelled.total_minor == 5950
    assert isinstance(refund, RefundRecord)
    assert (refund.external_id, refund.order_id, refund.total_minor) == ("refund:31", "1", 5950)
    assert (refund.goods_minor, refund.shipping_minor, refund.tax_minor) == (4500, 500, 950)


WOOCOMMERCE = (TABLES / "woocommerce_orders.sql").read_text(encoding="utf-8")


@pytest.fixture
def woocommerce(shop: Engine, run: Callable[[str], None]) -> str:
    run((TABLES / "woocommerce_hpos.sql").read_text(encoding="utf-8"))
    run(WOOCOMMERCE)
    return address_of(shop)


def test_woocommerces_own_tables_are_read(woocommerce: str) -> None:
    reading = read_sql(woocommerce, load_sql_mapping(Path("woocommerce_hpos")), {}, CONTEXT)
    product, customer, order, cancelled, refund = all_of(reading)
    assert isinstance(product, ProductRecord)
    assert (product.external_id, product.name, product.sku, product.price_minor) == ("50", "Cup", "CUP-1", 5950)
    assert isinstance(customer, CustomerRecord) and (customer.external_id, customer.email) == ("7", "ada@example.org")
    assert isinstance(order, OrderRecord) and isinstance(cancelled, OrderRecord)
    assert (order.gross_minor, order.discount_minor, order.fees_minor, order.shipping_minor) == (10000, 1000, 200, 500)
    assert (order.tax_minor, order.total_minor, order.country, order.city) == (1843, 11543, "AT", "Wien")
    assert [(i.name, i.quantity, i.product_id, i.external_id) for i in order.items] == [("Cup", 2, "50", "1")]
    assert (order.payment_status, order.payment_method, order.delivery_type) == ("paid", "Card", "Flat rate")
    assert order.customer is not None and (order.customer.external_id, order.customer.name) == ("7", "Ada L")
    assert [d.code for d in order.discounts] == ["new10"]
    assert cancelled.cancelled_at == datetime(2025, 1, 6, 12, tzinfo=UTC)
    assert cancelled.customer is not None and (cancelled.customer.external_id, cancelled.customer.is_guest) == (
        "",
        True,
    )
    assert cancelled.items[0].product_id == "52"
    assert isinstance(refund, RefundRecord)
    assert (refund.external_id, refund.order_id, refund.reason, refund.total_minor) == (
        "refund:103",
        "100",
        "broken",
        5950,
    )
    assert (refund.goods_minor, refund.shipping_minor, refund.tax_minor, refund.fees_minor) == (4500, 500, 950, 0)
    assert [(i.quantity, i.goods_minor, i.item_external_id) for i in refund.items] == [(1, 4500, "1")]


def test_tomorrows_run_reads_only_what_is_new_and_what_shared_its_last_instant(
    woocommerce: str, run: Callable[[str], None]
) -> None:
    mapping = load_sql_mapping(Path("woocommerce_hpos"))
    first = read_sql(woocommerce, mapping, {}, CONTEXT)
    assert len(all_of(first)) == 5
    assert {kind: value[:16] for kind, value in first.watermarks.items()} == {
        "products": "2025-01-01 08:00",
        "customers": "2025-01-01 08:00",
        "orders": "2025-01-06 12:00",
        "refunds": "2025-01-09 10:00",
    }
    run(
        "INSERT INTO wp_wc_orders (id, status, currency, type, tax_amount, total_amount, date_created_gmt,"
        " date_updated_gmt) VALUES (104, 'wc-processing', 'EUR', 'shop_order', 0, 7, '2025-01-06 12:00:00',"
        " '2025-01-06 12:00:00')\n"
        "UPDATE wp_wc_orders SET status = 'wc-refunded', date_updated_gmt = '2025-01-10 08:00:00' WHERE id = 100"
    )
    second = read_sql(woocommerce, mapping, first.watermarks, CONTEXT)
    orders = [record for record in all_of(second) if isinstance(record, OrderRecord)]
    assert [(order.external_id, order.payment_status) for order in orders] == [
        ("101", "voided"),
        ("104", "paid"),
        ("100", "refunded"),
    ]
    assert second.watermarks["orders"][:16] == "2025-01-10 08:00"
    assert second.watermarks["refunds"] == first.watermarks["refunds"]


def test_a_table_prefix_is_a_parameter_and_nothing_more(shop: Engine, run: Callable[[str], None]) -> None:
    run((TABLES / "woocommerce_hpos.sql").read_text(encoding="utf-8").replace("wp_", "shop7_"))
    run(WOOCOMMERCE.replace("wp_", "shop7_"))
    mapping = load_sql_mapping(Path("woocommerce_hpos"), prefix="shop7_")
    assert len(all_of(read_sql(address_of(shop), mapping, {}, CONTEXT))) == 5
    with pytest.raises(MappingInvalid, match="letters, digits and _ only"):
        load_sql_mapping(Path("woocommerce_hpos"), prefix="x; DROP TABLE y")


def test_the_database_refuses_every_write(woocommerce: str, shop: Engine) -> None:
    with pytest.raises(SourceUnavailable), read_only(source_url(woocommerce, {})) as connection:
        connection.execute(text("DELETE FROM wp_wc_orders"))
    with shop.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM wp_wc_orders")).scalar_one() == 4


def test_a_bad_row_is_rejected_with_its_text_and_the_rest_is_read(woocommerce: str, run: Callable[[str], None]) -> None:
    run("UPDATE wp_wc_orders SET currency = '???' WHERE id = 100")
    reading = read_sql(woocommerce, load_sql_mapping(Path("woocommerce_hpos")), {}, CONTEXT)
    rejected = [record for record in reading if isinstance(record, Rejected)]
    assert [(r.kind, r.file, r.external_id) for r in rejected] == [("order", "woocommerce_hpos: orders", "100")]
    assert "'???' is no ISO currency" in rejected[0].reason and '"total": "115.43' in rejected[0].text


NUMBERED = '''
[orders]
watermark = "version"
select = """
SELECT id AS order_id, day AS placed_at, total, version FROM sales WHERE version >= :watermark ORDER BY version
"""
start = 0
'''


def test_a_number_serves_as_a_watermark(shop: Engine, run: Callable[[str], None]) -> None:
    run("CREATE TABLE sales (id varchar(9), day date, total decimal(9, 2), version bigint)")
    run("INSERT INTO sales VALUES ('A', '2025-01-05', 12.5, 9)\nINSERT INTO sales VALUES ('B', '2025-01-06', 7, 10)")
    mapping = sql_mapping(NUMBERED, "mine")
    first = read_sql(address_of(shop), mapping, {}, CONTEXT)
    orders = [record for record in all_of(first) if isinstance(record, OrderRecord)]
    assert [(order.total_minor, order.placed_at.hour) for order in orders] == [(1250, 11), (700, 11)]
    assert first.watermarks == {"orders": "10"}
    assert [getattr(r, "external_id", "") for r in read_sql(address_of(shop), mapping, first.watermarks, CONTEXT)] == [
        "B"
    ]


def test_a_select_that_answers_with_no_field_is_refused_by_name(shop: Engine, run: Callable[[str], None]) -> None:
    run("CREATE TABLE sales (id varchar(9), day date, total decimal(9, 2), version bigint)")
    strange = sql_mapping(NUMBERED.replace("total,", "total AS turnover,"), "mine")
    with pytest.raises(MappingInvalid, match=r"\[orders\] of mine answers with 'turnover', which is no field"):
        list(read_sql(address_of(shop), strange, {}, CONTEXT))
    lacking = sql_mapping(NUMBERED.replace("day AS placed_at, ", ""), "mine")
    with pytest.raises(MappingInvalid, match="does not answer with placed_at"):
        list(read_sql(address_of(shop), lacking, {}, CONTEXT))


@pytest.mark.parametrize(
    ("text_", "said"),
    [
        ("", "has no SELECT"),
        ('[orders]\nselect = "SELECT 1"', "must hold select and watermark"),
        ('[orders]\nwatermark = "a"\nselect = "DELETE FROM orders"', "one SELECT each, and nothing else"),
        ('[orders]\nwatermark = "a"\nselect = "SELECT 1; DROP TABLE x"', "one SELECT each, and nothing else"),
        ('[orders]\nwatermark = "a"\nselect = "SELECT 1"', "must limit by :watermark"),
        ('[order]\nselect = "SELECT 1"', "'order', which no mapping of SELECTs says"),
        ('zone = "Mars"\n[orders]', "write one such as UTC"),
    ],
)
def test_a_mapping_of_selects_that_makes_no_sense_is_refused(text_: str, said: str) -> None:
    with pytest.raises(MappingInvalid) as refused:
        sql_mapping(text_, "mine")
    assert said in str(refused.value)


def test_secrets_come_from_the_environment_and_never_appear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "s3cr/t@x")
    url = source_url("postgresql://reader:${SHOP_PASSWORD}@127.0.0.1:1/shop?sslpassword=hidden", {})
    assert url.password == "s3cr/t@x"
    assert shown(url) == "postgresql+psycopg://reader:***@127.0.0.1:1/shop?sslpassword=%2A%2A%2A"
    with pytest.raises(SourceUnavailable) as refused:
        list(read_sql(url.render_as_string(hide_password=False), load_sql_mapping(Path("vendure")), {}, CONTEXT))
    assert "127.0.0.1" in str(refused.value) and "s3cr" not in str(refused.value) and "hidden" not in str(refused.value)
    assert refused.value.__cause__ is None
    with pytest.raises(SourceUnavailable, match=r"\$\{NOT_SET\}"):
        source_url("postgresql://reader:${NOT_SET}@127.0.0.1/shop", {})


def test_a_missing_file_and_an_unknown_database_say_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"no database file gone\.db"):
        list(read_sql(f"sqlite:///{tmp_path}/gone.db", load_sql_mapping(Path("vendure")), {}, CONTEXT))
    assert not (tmp_path / "gone.db").exists()
    with pytest.raises(SourceUnavailable, match="oracle databases cannot be read"):
        source_url("oracle://x@y/z", {})
    with pytest.raises(SourceUnavailable, match="or one of vendure, woocommerce_hpos"):
        load_sql_mapping(tmp_path / "none.toml")


def test_a_mysql_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(SourceUnavailable, match=r"mysql\+pymysql://a:\*\*\*@127.0.0.1:1/b cannot be read") as refused:
        list(read_sql("mysql://a:hush@127.0.0.1:1/b", load_sql_mapping(Path("woocommerce_hpos")), {}, CONTEXT))
    assert "hush" not in str(refused.value)
