from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lib.errors import AmbiguousDates, MissingColumns
from lib.importers.files import source_files
from lib.importers.online_retail import read
from lib.importers.records import OrderRecord, ReadContext, RefundRecord, Rejected

LONDON = ReadContext(time_zone="Europe/London")
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
Read = Callable[..., list[OrderRecord | RefundRecord | Rejected]]


@pytest.fixture
def read_text(tmp_path: Path) -> Read:
    def run(text: str, context: ReadContext = LONDON) -> list[OrderRecord | RefundRecord | Rejected]:
        path = tmp_path / "invoices.csv"
        path.write_text(text, encoding="utf-8")
        return list(read(source_files([path], context), context))

    return run


def test_an_invoice_becomes_an_order_with_postage_as_shipping_and_manual_lines_as_fees(read_text: Read) -> None:
    (order,) = read_text(
        HEADER
        + "536370,22728,ALARM CLOCK,24,2010-12-01 08:45:00,3.75,12583,France\n"
        + "536370,22728,ALARM CLOCK,2,2010-12-01 08:45:00,3.75,12583,France\n"
        + "536370,POST,POSTAGE,3,2010-12-01 08:45:00,18,12583,France\n"
        + "536370,m,Manual,1,2010-12-01 08:45:00,2.55,12583,France\n"
        + "536370,gift_0001_10,Voucher,2,2010-12-01 08:45:00,8.33,12583,France\n"
        + "536370,22900,SAMPLE,1,2010-12-01 08:45:00,0,12583,France\n"
    )
    assert isinstance(order, OrderRecord)
    assert (order.gross_minor, order.shipping_minor, order.fees_minor, order.total_minor) == (9750, 5400, 1921, 17071)
    assert [(i.kind, i.quantity, i.gross_minor) for i in order.items] == [
        ("goods", 24, 9000),
        ("goods", 2, 750),
        ("shipping", 3, 5400),
        ("fee", 1, 255),
        ("gift_card", 2, 1666),
        ("goods", 1, 0),
    ]
    assert order.customer is not None and order.customer.external_id == "12583" and order.country == "FR"
    assert order.placed_at == datetime(2010, 12, 1, 8, 45, tzinfo=UTC)


def test_a_cancellation_is_a_refund_that_looks_for_its_purchase(read_text: Read) -> None:
    (refund,) = read_text(
        HEADER
        + "C536379,35004C,SET OF 3 DUCKS,-1,2010-12-01 09:49:00,4.65,15311,United Kingdom\n"
        + "C536379,D,Discount,-1,2010-12-01 09:49:00,27.50,15311,United Kingdom\n"
    )
    assert isinstance(refund, RefundRecord) and refund.match_purchase and refund.order_id is None
    assert (refund.goods_minor, refund.fees_minor, refund.total_minor) == (465, 2750, 3215)
    assert [(i.sku, i.quantity, i.goods_minor, i.unit_price_minor) for i in refund.items] == [("35004C", 1, 465, 465)]


def test_a_stock_correction_is_an_order_of_no_value_and_no_lines_that_says_what_was_taken(read_text: Read) -> None:
    (order,) = read_text(HEADER + "536589,21777,,-10,2010-12-01 16:50:00,0,,United Kingdom\n")
    assert isinstance(order, OrderRecord)
    assert (order.total_minor, order.items, order.customer) == (0, (), None)
    assert order.note == "Stock correction: -10 × 21777 21777"


def test_bad_debt_is_neither_an_order_nor_goods(read_text: Read) -> None:
    up, down = read_text(
        HEADER
        + "A563185,B,Adjust bad debt,1,2011-08-12 14:50:00,11062.06,,United Kingdom\n"
        + "A563186,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,,United Kingdom\n"
    )
    assert isinstance(up, RefundRecord) and isinstance(down, RefundRecord)
    assert (up.fees_minor, down.fees_minor, up.goods_minor, up.match_purchase) == (-1106206, 1106206, 0, False)


def test_the_second_edition_and_its_month_first_dates_are_read_alike(read_text: Read) -> None:
    (order, _) = read_text(
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
        "489434,85048,LIGHTS,12,12/1/2009 7:45,6.95,13085.0,EIRE\n"
        "489435,85048,LIGHTS,12,12/13/2009 7:45,6.95,13085.0,EIRE\n"
    )
    assert isinstance(order, OrderRecord) and order.customer is not None
    assert (order.placed_at.month, order.placed_at.day, order.customer.external_id) == (12, 1, "13085")
    assert (order.country, order.gross_minor) == ("IE", 8340)


def test_dates_that_no_row_decides_are_asked_about(read_text: Read) -> None:
    with pytest.raises(AmbiguousDates):
        read_text(HEADER + "1,85048,LIGHTS,12,12/1/2009 7:45,6.95,13085,EIRE\n")


def test_rows_parted_by_another_invoice_of_the_same_minute_stay_one_invoice(read_text: Read) -> None:
    row = "{},85048,LIGHTS,1,2010-12-01 16:50:00,1.00,13085,EIRE\n"
    orders = read_text(HEADER + row.format(1) + row.format(2) + row.format(1))
    assert [(o.external_id, o.gross_minor) for o in orders if isinstance(o, OrderRecord)] == [("1", 200), ("2", 100)]


def test_an_invoice_that_comes_back_far_below_is_rejected_and_never_overwrites_the_first(read_text: Read) -> None:
    row = "{},85048,LIGHTS,1,2010-12-01 16:50:00,1.00,13085,EIRE\n"
    records = read_text(HEADER + "".join(row.format(n) for n in range(1, 300)) + row.format(1))
    rejected = [r for r in records if isinstance(r, Rejected)]
    assert len(records) == 300
    assert [(r.external_id, r.line, r.amount_minor) for r in rejected] == [("1", 301, 100)]
    assert "came before" in rejected[0].reason


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("x,2010-12-01 16:50:00,1.00", "'x' is not an amount"),
        ("1.5,2010-12-01 16:50:00,1.00", "not a whole number"),
        ("1,yesterday,1.00", "'yesterday' is not a date"),
        ("1,2010-12-01 16:50:00,one", "'one' is not an amount"),
        ("1,2010-12-01 16:50:00,-1.00", "negative value in a purchase"),
    ],
)
def test_one_bad_row_rejects_its_whole_invoice_with_all_its_rows_and_no_other(
    read_text: Read, bad: str, reason: str
) -> None:
    good = "1,85048,LIGHTS,1,2010-12-01 16:50:00,1.00,13085,EIRE\n"
    rejected, order = read_text(HEADER + good + f"1,85048,LIGHTS,{bad},13085,EIRE\n" + good.replace("1,", "2,", 1))
    assert isinstance(rejected, Rejected) and isinstance(order, OrderRecord)
    assert reason in rejected.reason and rejected.text.count("\n") == 1 and rejected.header == HEADER.strip()


def test_a_row_without_an_invoice_number_is_rejected_alone(read_text: Read) -> None:
    (rejected,) = read_text(HEADER + ",85048,LIGHTS,1,2010-12-01 16:50:00,1.00,13085,EIRE\n")
    assert isinstance(rejected, Rejected) and rejected.reason == "The row has no invoice number."


def test_another_file_is_refused_by_naming_what_is_missing(read_text: Read) -> None:
    with pytest.raises(MissingColumns, match="'InvoiceNo' or 'Invoice'"):
        read_text("a,b\n1,2\n")
