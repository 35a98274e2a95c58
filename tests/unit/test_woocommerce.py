import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lib.errors import AmbiguousDates, UnknownFormat
from lib.importers.files import source_files
from lib.importers.records import (
    CouponRecord,
    CustomerRecord,
    OrderRecord,
    ProductRecord,
    ReadContext,
    Record,
    RefundRecord,
    Rejected,
    ReviewRecord,
)
from lib.importers.woocommerce import read

CONTEXT = ReadContext(time_zone="Europe/Berlin", currency="EUR")


def order(**fields: Any) -> dict[str, Any]:
    return {
        "id": 727,
        "number": "727",
        "status": "processing",
        "currency": "EUR",
        "date_created": "2025-03-22T16:28:02",
        "date_created_gmt": "2025-03-22T15:28:02",
        "date_modified_gmt": "2025-03-23T10:00:00",
        "date_paid_gmt": "2025-03-22T15:28:08",
        "shipping_total": "4.12",
        "shipping_tax": "0.78",
        "total_tax": "3.63",
        "total": "22.75",
        "prices_include_tax": True,
        "customer_id": 0,
        "created_via": "checkout",
        "billing": {"first_name": "Ada", "last_name": "Demo", "email": "ada@example.com", "country": "DE"},
        "shipping": {"country": "AT", "city": "Wien"},
        "line_items": [
            {
                "id": 315,
                "name": "Candle &ndash; Fig",
                "product_id": 93,
                "variation_id": 0,
                "quantity": 2,
                "subtotal": "18.00",
                "total": "15.00",
                "total_tax": "2.85",
                "sku": "CAN-FIG",
            }
        ],
        "fee_lines": [],
        "shipping_lines": [{"id": 1, "method_title": "DHL", "total": "4.12", "total_tax": "0.78"}],
        "coupon_lines": [{"id": 2, "code": "spring", "discount": "3.00"}],
        "refunds": [],
        **fields,
    }


def reading(folder: Path, *things: Any, name: str = "orders.json") -> list[Record | Rejected]:
    file = folder / name
    file.write_text(json.dumps(list(things)))
    return list(read(source_files([file], CONTEXT), CONTEXT))


def only(found: list[Record | Rejected]) -> OrderRecord:
    (record,) = found
    assert isinstance(record, OrderRecord), record
    return record


def test_an_order_is_read_without_tax_and_adds_up(tmp_path: Path) -> None:
    found = only(reading(tmp_path, order()))
    assert (found.gross_minor, found.discount_minor, found.shipping_minor, found.tax_minor) == (1800, 300, 412, 363)
    assert found.total_minor == 2275
    assert found.fees_minor == 0
    assert found.placed_at == datetime(2025, 3, 22, 15, 28, 2, tzinfo=UTC)
    assert found.items[0].name == "Candle – Fig"
    assert (found.country, found.channel, found.delivery_type) == ("AT", "web", "DHL")
    assert [(used.code, used.amount_minor) for used in found.discounts] == [("spring", 300)]


@pytest.mark.parametrize(
    ("status", "payment", "is_cancelled"),
    [
        ("pending", "pending", False),
        ("on-hold", "pending", False),
        ("completed", "paid", False),
        ("failed", "voided", False),
        ("cancelled", "pending", True),
        ("refunded", "refunded", False),
    ],
)
def test_each_status_means_what_the_shop_means(tmp_path: Path, status: str, payment: str, is_cancelled: bool) -> None:
    found = only(reading(tmp_path, order(status=status, date_paid_gmt=None)))
    assert found.payment_status == payment
    assert (found.cancelled_at is not None) == is_cancelled


def test_a_draft_is_kept_aside_with_its_reason(tmp_path: Path) -> None:
    (found,) = reading(tmp_path, order(status="checkout-draft"))
    assert isinstance(found, Rejected)
    assert "not an order yet" in found.reason
    assert json.loads(found.text)["id"] == 727


def test_an_order_that_does_not_add_up_is_kept_aside(tmp_path: Path) -> None:
    (found,) = reading(tmp_path, order(total="99.00"))
    assert isinstance(found, Rejected)
    assert (found.amount_minor, str(found.placed_day)) == (9900, "2025-03-22")


def test_a_listed_refund_is_estimated_and_set_against_goods_first(tmp_path: Path) -> None:
    found = only(reading(tmp_path, order(refunds=[{"id": 9, "reason": "", "total": "-17.85"}])))
    (refund,) = found.refunds
    assert (refund.goods_minor, refund.tax_minor, refund.shipping_minor, refund.total_minor) == (1500, 285, 0, 1785)
    assert refund.is_date_estimated


def test_a_refund_names_its_order_by_its_link_and_its_lines(tmp_path: Path) -> None:
    thing = {
        "id": 9,
        "date_created_gmt": "2025-03-25T10:00:00",
        "amount": "8.93",
        "reason": "broken",
        "refunded_by": 1,
        "line_items": [
            {
                "id": 400,
                "name": "Candle",
                "product_id": 93,
                "quantity": -1,
                "total": "-7.50",
                "total_tax": "-1.43",
                "meta_data": [{"key": "_refunded_item_id", "value": "315"}],
            }
        ],
        "_links": {"up": [{"href": "https://example.com/wp-json/wc/v3/orders/727"}]},
    }
    (found,) = reading(tmp_path, thing, name="refunds.json")
    assert isinstance(found, RefundRecord)
    assert (found.order_id, found.goods_minor, found.tax_minor, found.total_minor) == ("727", 750, 143, 893)
    assert (found.items[0].item_external_id, found.items[0].quantity) == ("315", 1)
    assert not found.is_date_estimated


def test_people_products_reviews_and_coupons_are_told_apart(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        {
            "id": 26,
            "email": "joao@example.com",
            "first_name": "João",
            "last_name": "Demo",
            "is_paying_customer": True,
            "billing": {"country": "BR"},
            "date_created_gmt": "2025-01-01T00:00:00",
        },
        {
            "id": 93,
            "name": "Candle &amp; Co",
            "slug": "candle",
            "permalink": "https://example.com/candle",
            "sku": "CAN-FIG",
            "price": "9.00",
            "status": "publish",
            "categories": [{"name": "Candles"}],
        },
        {
            "id": 5,
            "product_id": 93,
            "status": "approved",
            "reviewer": "Ada",
            "reviewer_email": "ada@example.com",
            "review": "<p>Nice &amp; warm</p>",
            "rating": 5,
            "verified": True,
            "date_created_gmt": "2025-04-01T00:00:00",
        },
        {
            "id": 7,
            "code": "spring",
            "discount_type": "percent",
            "amount": "10.00",
            "usage_count": 3,
            "date_created_gmt": "2025-03-01T00:00:00",
        },
        name="all.json",
    )
    person, product, review, coupon = found
    assert isinstance(person, CustomerRecord)
    assert (person.external_id, person.name, person.country) == ("26", "João Demo", "BR")
    assert isinstance(product, ProductRecord)
    assert (product.name, product.category, product.price_minor) == ("Candle & Co", "Candles", 900)
    assert isinstance(review, ReviewRecord)
    assert (review.body, review.rating) == ("Nice & warm", 5)
    assert isinstance(coupon, CouponRecord)


def test_one_object_per_line_and_wrapped_lists_are_read_too(tmp_path: Path) -> None:
    lines = tmp_path / "orders.jsonl"
    lines.write_text("\n".join(json.dumps(order(id=number)) for number in (1, 2)))
    wrapped = tmp_path / "wrapped.json"
    wrapped.write_text(json.dumps({"orders": [order(id=3)]}))
    found = list(read(source_files([lines, wrapped], CONTEXT), CONTEXT))
    assert {only([record]).external_id for record in found} == {"1", "2", "3"}


def test_broken_json_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    file.write_text(json.dumps([order()])[:-5])
    with pytest.raises(UnknownFormat, match="Export it again"):
        list(read(source_files([file], CONTEXT), CONTEXT))


ANALYTICS = (
    "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s),N. Revenue\n"
)


def test_the_analytics_export_gives_orders_of_unknown_customers(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ANALYTICS + '2025-03-22 16:28:02,727,"€ 1.015,00",completed,Ada,new,2× Candle,2,spring,1015\n')
    found = only(list(read(source_files([file], CONTEXT), CONTEXT)))
    assert (found.gross_minor, found.total_minor, found.customer) == (101500, 101500, None)
    assert found.placed_at == datetime(2025, 3, 22, 15, 28, 2, tzinfo=UTC)


def test_analytics_dates_that_are_not_year_first_are_asked_about(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ANALYTICS + "03/04/2025,727,x,completed,Ada,new,2× Candle,2,,15\n")
    with pytest.raises(AmbiguousDates):
        list(read(source_files([file], CONTEXT), CONTEXT))


def test_quantities_come_as_numbers_texts_and_measures_and_removed_lines_are_none(tmp_path: Path) -> None:
    (line,) = order()["line_items"]
    lines = [
        {**line, "id": 1, "quantity": "2"},
        {**line, "id": 2, "quantity": 1.5, "total_tax": "0.00"},
        {**line, "id": 3, "quantity": 0, "subtotal": "0.00", "total": "0.00", "total_tax": "0.00"},
    ]
    found = only(reading(tmp_path, order(line_items=lines, total="37.75", status="wc-completed")))
    assert [(item.external_id, item.quantity) for item in found.items] == [("1", 2), ("2", 2)]
    assert found.fulfillment_status == "fulfilled"


def test_a_refunded_fee_is_no_refund_of_goods(tmp_path: Path) -> None:
    refund = {
        "id": 9,
        "parent_id": 727,
        "amount": "5.00",
        "refunded_by": 1,
        "date_created_gmt": "2025-03-24T09:00:00",
        "line_items": [],
        "fee_lines": [{"id": 1, "name": "Fee", "total": "-2.00", "total_tax": "0.00"}],
    }
    (found,) = reading(tmp_path, refund)
    assert isinstance(found, RefundRecord)
    assert (found.goods_minor, found.fees_minor, found.total_minor) == (300, 200, 500)


def test_an_analytics_export_saved_with_decimal_commas_is_worth_the_same(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        "Date;Order #;Status;Items sold;N. Revenue\n2025-05-01 10:00;11;completed;1;1234,5\n"
        "2025-05-02 10:00;12;completed;1;12\n"
    )
    found = list(read(source_files([file], CONTEXT), CONTEXT))
    assert [order.total_minor for order in found if isinstance(order, OrderRecord)] == [123450, 1200]


def test_refunds_are_read_after_the_orders_they_undo(tmp_path: Path) -> None:
    refund = {"id": 9, "parent_id": 727, "amount": "5.00", "refunded_by": 1, "date_created_gmt": "2025-03-24T09:00:00"}
    (tmp_path / "refunds.json").write_text(json.dumps([refund]))
    (tmp_path / "orders.json").write_text(json.dumps([order()]))
    found = read(source_files([tmp_path], CONTEXT), CONTEXT)
    assert [type(record) for record in found] == [OrderRecord, RefundRecord]


@pytest.mark.parametrize(
    "fields",
    [
        {"date_created_gmt": "0001-01-01T00:00:00+02:00"},
        {"total": "1e40"},
        {"line_items": "none"},
        {"line_items": ["none"]},
        {"line_items": [{"id": 1, "name": "Mug", "quantity": "NaN", "subtotal": "1", "total": "1"}]},
        {"coupon_lines": [{"id": 1}]},
    ],
)
def test_what_is_out_of_range_or_no_field_of_its_kind_stops_no_other_order(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    assert [type(record) for record in reading(tmp_path, order(**fields), order(id=728))] == [Rejected, OrderRecord]
