from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from lib.errors import MissingColumns, UnknownFormat
from lib.importers.files import source_files
from lib.importers.olist import OlistRecord, read
from lib.importers.records import OrderRecord, ProductRecord, ReadContext, Rejected, ReviewRecord

CONTEXT = ReadContext(time_zone="America/Sao_Paulo")
FILES = {
    "olist_orders_dataset.csv": (
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,"
        "order_delivered_customer_date,order_estimated_delivery_date\n"
        "o1,c1,delivered,2017-10-02 10:56:33,2017-10-02 11:07:15,2017-10-04 19:55:00,"
        "2017-10-10 21:25:13,2017-10-18 00:00:00\n"
        "o2,c2,canceled,2017-10-03 10:00:00,2017-10-03 11:00:00,,,2017-10-20 00:00:00\n"
        "o3,c3,delivered,2017-10-04 10:00:00,2017-10-04 11:00:00,2017-10-05 00:00:00,,2017-10-20 00:00:00\n"
        "o4,c9,created,2017-10-05 10:00:00,,,,2017-10-20 00:00:00\n"
    ),
    "olist_order_items_dataset.csv": (
        "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n"
        "o1,1,p1,s1,2017-10-06 11:07:15,29.9,8.72\n"
        "o1,2,p1,s1,2017-10-06 11:07:15,29.9,8.72\n"
        "o3,1,p2,s1,2017-10-06 11:07:15,10,0.0\n"
        "o8,1,p2,s1,2017-10-06 11:07:15,10,1\n"
    ),
    "olist_order_payments_dataset.csv": (
        "order_id,payment_sequential,payment_type,payment_installments,payment_value\n"
        "o1,1,voucher,1,20.00\no1,2,credit_card,3,60.00\n"
    ),
    "olist_customers_dataset.csv": (
        "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state\n"
        "c1,u1,18682,lencois paulista,SP\nc2,u1,18682,lencois paulista,SP\nc3,u3,1,rio de janeiro,RJ\n"
    ),
    "olist_products_dataset.csv": (
        "product_id,product_category_name,product_name_lenght,product_photos_qty\np1,beleza_saude,5,1\np2,,5,1\n"
    ),
    "product_category_name_translation.csv": (
        "product_category_name,product_category_name_english\nbeleza_saude,health_beauty\n"
    ),
    "olist_order_reviews_dataset.csv": (
        "review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date,"
        "review_answer_timestamp\n"
        'r1,o1,5,,"muito bom,\nchegou",2017-10-11 00:00:00,2017-10-12 03:43:48\n'
        "r2,o1,9,,,2017-10-11 00:00:00,2017-10-12 03:43:48\n"
    ),
    "olist_sellers_dataset.csv": "seller_id,seller_zip_code_prefix,seller_city,seller_state\ns1,1,a,SP\n",
}
Run = Callable[[dict[str, str]], list[OlistRecord]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(files: dict[str, str]) -> list[OlistRecord]:
        folder = tmp_path / "olist"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return list(read(source_files([folder], CONTEXT), CONTEXT))

    return run


def test_an_order_is_put_together_from_all_its_files(run: Run) -> None:
    order = next(r for r in run(FILES) if isinstance(r, OrderRecord) and r.external_id == "o1")
    assert (order.gross_minor, order.shipping_minor, order.total_minor, order.paid_minor) == (5980, 1744, 7724, 8000)
    assert order.payment_method == "credit_card"
    assert order.placed_at == datetime(2017, 10, 2, 13, 56, 33, tzinfo=UTC)
    assert order.customer is not None and (order.customer.external_id, order.customer.region) == ("u1", "SP")
    assert [(item.name, item.category, item.gross_minor) for item in order.items] == [
        ("Health beauty p1", "Health beauty", 2990)
    ] * 2
    (shipment,) = order.shipments
    assert (shipment.status, shipment.promised_day) == ("delivered", date(2017, 10, 18))
    assert shipment.delivered_at == datetime(2017, 10, 11, 0, 25, 13, tzinfo=UTC)


def test_cancelled_orders_and_orders_without_items_are_kept_and_worth_nothing(run: Run) -> None:
    orders = {r.external_id: r for r in run(FILES) if isinstance(r, OrderRecord)}
    cancelled, created = orders["o2"], orders["o4"]
    assert cancelled.cancelled_at == datetime(2017, 10, 3, 14, tzinfo=UTC) and cancelled.shipments == ()
    assert (created.total_minor, created.items, created.customer, created.payment_status) == (0, (), None, "pending")


def test_an_order_called_delivered_without_a_time_is_on_its_way(run: Run) -> None:
    order = next(r for r in run(FILES) if isinstance(r, OrderRecord) and r.external_id == "o3")
    assert order.fulfillment_status == "delivered"
    assert (order.shipments[0].status, order.shipments[0].delivered_at) == ("in_transit", None)


def test_items_without_an_order_are_rejected_with_their_rows(run: Run) -> None:
    rejected = [r for r in run(FILES) if isinstance(r, Rejected) and r.kind == "order"]
    assert [(r.external_id, r.line, r.reason) for r in rejected] == [
        ("o8", 5, "The orders' file does not hold this order.")
    ]
    assert rejected[0].text.startswith("o8,1,p2") and rejected[0].header.startswith("order_id,order_item_id")


def test_a_review_is_a_survey_answered_by_the_customer_and_impossible_stars_are_rejected(run: Run) -> None:
    records = run(FILES)
    (review,) = [r for r in records if isinstance(r, ReviewRecord)]
    assert (review.rating, review.is_survey, review.order_id, review.product_id) == (5, True, "o1", "p1")
    assert review.written_at == datetime(2017, 10, 12, 6, 43, 48, tzinfo=UTC)
    assert review.body == "muito bom,\nchegou" and review.reply is None
    assert [r.reason for r in records if isinstance(r, Rejected) and r.kind == "review"] == [
        "9 is not a number of stars from 1 to 5"
    ]


def test_plain_file_names_read_the_same(run: Run, tmp_path: Path) -> None:
    plain = {name.removeprefix("olist_").replace("_dataset", ""): text for name, text in FILES.items()}
    first = run(FILES)
    for path in (tmp_path / "olist").iterdir():
        path.unlink()
    assert [r for r in run(plain) if not isinstance(r, Rejected)] == [r for r in first if not isinstance(r, Rejected)]


def test_products_carry_their_category_in_english(run: Run) -> None:
    products = [r for r in run(FILES) if isinstance(r, ProductRecord)]
    assert [(p.external_id, p.name, p.category) for p in products] == [
        ("p1", "Health beauty p1", "Health beauty"),
        ("p2", "Product p2", None),
    ]


def test_a_bad_amount_rejects_its_order_alone(run: Run) -> None:
    files = FILES | {"olist_order_items_dataset.csv": FILES["olist_order_items_dataset.csv"].replace("10,0.0", "x,0.0")}
    rejected = [r for r in run(files) if isinstance(r, Rejected) and r.external_id == "o3"]
    assert [r.reason for r in rejected] == ["'x' is not an amount"]
    assert rejected[0].text.count("\n") == 1


def test_a_missing_file_and_a_foreign_file_are_named(run: Run) -> None:
    with pytest.raises(MissingColumns, match="customers file is missing"):
        run({name: text for name, text in FILES.items() if "customers" not in name})
    with pytest.raises(UnknownFormat, match=r"foreign\.csv is none of Olist's files"):
        run(FILES | {"foreign.csv": "a,b\n1,2\n"})
