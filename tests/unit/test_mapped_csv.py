from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.errors import AmbiguousDates, MappingInvalid
from lib.importers.files import source_files
from lib.importers.mapped_csv import preview, read_table
from lib.importers.mapping import Mapping, from_toml
from lib.importers.mapping_guess import guess
from lib.importers.records import (
    CustomerRecord,
    OrderRecord,
    ProductRecord,
    ReadContext,
    Record,
    RefundRecord,
    Rejected,
    ReviewRecord,
    ShipmentRecord,
    TicketRecord,
)
from lib.importers.source_file import SourceFile

BERLIN = ReadContext(time_zone="Europe/Berlin", currency="EUR")
Write = Callable[[str], SourceFile]

ORDERS = """Order ID,Order date,Customer email,Country,Shipping,Tax,Discount,Total
1001,2025-03-30,a@example.org,Germany,5.00,19.00,10.00,124.00
1002,2025-03-31 08:15,b@example.org,FR,0,3.80,0,23.80
"""
LINES_DE = """\
Bestellnr.;Bestelldatum;Kundennummer;Artikelnummer;Bezeichnung;Menge;Einzelpreis;Versandkosten;MwSt;Gesamtbetrag
B-1;13.01.2025;K7;A1;Tasse;2;1.000,50;4,90;320,18;2.005,90
B-1;13.01.2025;K7;A2;Löffel;1;0,00;4,90;320,18;2.005,90
B-2;02.02.2025;K8;A1;Tasse;1;10,00;4,90;2,38;14,90
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def run(text: str, name: str = "table.csv") -> SourceFile:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return source_files([path], BERLIN)[0]

    return run


def read_one(file: SourceFile, mapping: Mapping, context: ReadContext = BERLIN) -> list[Record | Rejected]:
    return list(read_table([file], mapping, context))


def orders_of(records: list[Record | Rejected]) -> Iterator[OrderRecord]:
    for record in records:
        assert isinstance(record, OrderRecord), record
        yield record


def test_a_table_of_one_row_per_order_is_guessed_and_adds_up(write: Write) -> None:
    file = write(ORDERS)
    mapping = guess(file, BERLIN)
    assert (mapping.kind, mapping.shape, mapping.prices_include_tax, mapping.currency) == (
        "orders",
        "order",
        False,
        "EUR",
    )
    assert mapping.columns["placed_at"] == "Order date" and mapping.columns["customer_email"] == "Customer email"
    first, second = orders_of(read_one(file, mapping))
    assert (first.gross_minor, first.discount_minor, first.shipping_minor, first.tax_minor) == (11000, 1000, 500, 1900)
    assert (first.total_minor, first.country, second.country) == (12400, "DE", "FR")
    assert [item.name for item in first.items] == ["Not itemised"]


def test_a_date_without_a_time_is_a_store_day_and_a_time_is_the_stores(write: Write) -> None:
    file = write(ORDERS)
    first, second = orders_of(read_one(file, guess(file, BERLIN)))
    assert first.placed_at == datetime(2025, 3, 30, 10, tzinfo=UTC)  # noon, on the day that summer time began
    assert second.placed_at == datetime(2025, 3, 31, 6, 15, tzinfo=UTC)


def test_a_german_table_of_lines_with_tax_in_its_prices_is_understood(write: Write) -> None:
    file = write(LINES_DE)
    mapping = guess(file, BERLIN)
    assert (mapping.shape, mapping.decimal, mapping.order_amounts, mapping.prices_include_tax) == (
        "line",
        ",",
        "repeated",
        True,
    )
    assert mapping.columns == {
        "order_id": "Bestellnr.",
        "placed_at": "Bestelldatum",
        "customer_id": "Kundennummer",
        "shipping": "Versandkosten",
        "tax": "MwSt",
        "total": "Gesamtbetrag",
        "item_name": "Bezeichnung",
        "sku": "Artikelnummer",
        "quantity": "Menge",
        "unit_price": "Einzelpreis",
    }
    first, second = orders_of(read_one(file, mapping))
    assert first.is_tax_included and first.total_minor == 200590 and first.tax_minor == 32018
    assert first.gross_minor + first.shipping_minor + first.tax_minor == 200590
    assert [(item.sku, item.quantity, item.unit_price_minor) for item in first.items] == [
        ("A1", 2, 100050),
        ("A2", 1, 0),
    ]
    assert second.customer is not None and second.customer.external_id == "K8"
    assert second.placed_at.date() == date(2025, 2, 2)


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("Numéro de commande;Date de commande;Adresse e-mail;Montant total", "order_id placed_at customer_email total"),
        (
            "Número de pedido;Fecha de pedido;Correo electrónico;Importe total",
            "order_id placed_at customer_email total",
        ),
        ("Bestelnummer;Besteldatum;E-mailadres;Totaalbedrag", "order_id placed_at customer_email total"),
        ("order_number;created_at;email;grand_total", "order_id placed_at customer_email total"),
        ("OrderNo;OrderDate;BuyerEmail;OrderTotal", "order_id placed_at customer_email total"),
    ],
)
def test_headers_of_five_languages_are_known(write: Write, header: str, fields: str) -> None:
    mapping = guess(write(header + "\n17;2025-01-13;a@example.org;12,50\n"), BERLIN)
    assert mapping.kind == "orders"
    assert list(mapping.columns) == [name for name in fields.split() if name in mapping.columns]
    assert set(mapping.columns) == set(fields.split())
    assert min(mapping.confidence.values()) > 0.8


def test_contents_tell_what_headers_do_not(write: Write) -> None:
    mapping = guess(write("Order;X1;X2;Total\n17;2025-01-13;a@example.org;12.50\n"), BERLIN)
    assert (mapping.columns["placed_at"], mapping.columns["customer_email"]) == ("X1", "X2")
    assert mapping.confidence["placed_at"] < 0.5


def test_dates_that_could_be_two_days_are_asked_about_and_never_guessed(write: Write) -> None:
    file = write("Order,Date,Total\n1,03/04/2025,5\n2,05/06/2025,6\n")
    mapping = guess(file, BERLIN)
    assert [q.choices for q in mapping.questions if q.setting == "dates"] == [("day-first", "month-first")]
    with pytest.raises(AmbiguousDates, match=r"3 April 2025 or 4 March 2025.*--dates"):
        read_one(file, mapping)
    declared = ReadContext(time_zone="Europe/Berlin", currency="EUR", date_format="day-first")
    assert [o.placed_at.month for o in orders_of(read_one(file, mapping, declared))] == [4, 6]


def test_a_row_deep_in_the_file_proves_the_dates_above_it(write: Write) -> None:
    rows = "".join(f"{n},03/04/2025,5\n" for n in range(6_000))
    file = write("Order,Date,Total\n" + rows + "x,25/04/2025,5\n")
    mapping = guess(file, BERLIN)
    assert any(q.setting == "dates" for q in mapping.questions)
    assert {o.placed_at.month for o in orders_of(read_one(file, mapping))} == {4}


def test_amounts_that_could_be_a_thousand_or_a_fraction_are_asked_about(write: Write) -> None:
    file = write("Order,Date,Total\n1,2025-01-02,1.234\n")
    mapping = guess(file, BERLIN)
    assert [q.setting for q in mapping.questions if q.setting == "decimal"] == ["decimal"]
    with pytest.raises(MappingInvalid, match=r"1\.234 may be a thousand or a fraction"):
        read_one(file, mapping)


LINE = "order_id,placed_at,sku,quantity,unit_price,shipping,total\n"
BY_LINE = Mapping(kind="orders", columns={name: name for name in LINE.strip().split(",")}, shape="line", currency="EUR")


def test_lines_of_an_order_that_stand_apart_are_brought_together_in_the_order_of_the_file(write: Write) -> None:
    file = write(LINE + "1,2025-01-02,A,1,5,2,12\n2,2025-01-02,A,1,5,0,5\n1,2025-01-02,B,1,5,2,12\n")
    one, two = orders_of(read_one(file, BY_LINE))
    assert (one.external_id, [item.sku for item in one.items], one.total_minor) == ("1", ["A", "B"], 1200)
    assert (two.external_id, two.total_minor) == ("2", 500)
    assert one.origin is not None and one.origin.text.count("\n") == 1


def test_order_amounts_on_the_first_line_alone_are_detected(write: Write) -> None:
    file = write("Order,Date,SKU,Quantity,Price,Shipping,Total\n1,2025-01-02,A,1,5,2,12\n1,2025-01-02,B,1,5,,\n")
    mapping = guess(file, BERLIN)
    assert (mapping.shape, mapping.order_amounts) == ("line", "first")
    (order,) = orders_of(read_one(file, mapping))
    assert (order.gross_minor, order.shipping_minor, order.total_minor) == (1000, 200, 1200)


def test_repeated_amounts_that_differ_reject_the_order(write: Write) -> None:
    file = write(LINE + "1,2025-01-02,A,1,5,2,12\n1,2025-01-02,B,1,5,3,12\n2,2025-01-02,B,1,5,0,5\n")
    rejected, order = read_one(file, BY_LINE)
    assert isinstance(rejected, Rejected) and isinstance(order, OrderRecord)
    assert rejected.reason == "shipping: the lines of one order say 2 and 3; they should repeat one amount."
    assert (rejected.line, rejected.amount_minor, rejected.placed_day) == (2, 1200, date(2025, 1, 2))


def test_lines_of_negative_quantity_are_goods_that_came_back(write: Write) -> None:
    columns = {name: name for name in ("order_id", "placed_at", "sku", "quantity", "unit_price")}
    mapping = Mapping(kind="orders", columns=columns, shape="line", currency="EUR")
    head = "order_id,placed_at,sku,quantity,unit_price\n"
    file = write(head + "1,2025-01-02,A,3,5\n1,2025-01-09,A,-1,5\n2,2025-01-10,A,-2,5\n")
    order, refund = read_one(file, mapping)
    assert isinstance(order, OrderRecord) and (order.gross_minor, order.total_minor) == (1500, 1500)
    assert [(r.goods_minor, r.refunded_at.day, r.items[0].quantity) for r in order.refunds] == [(500, 9, 1)]
    assert isinstance(refund, RefundRecord) and (refund.external_id, refund.match_purchase) == ("2", True)


def test_cancelled_refunded_and_translated_statuses_are_understood(write: Write) -> None:
    file = write(
        "order_id,placed_at,total,status,refunded\n"
        "1,2025-01-02,10,Storniert,\n2,2025-01-02,10,bezahlt,4\n3,2025-01-02,10,Erl,\n4,2025-01-02,10,unpaid,\n"
    )
    columns = {name: name for name in ("order_id", "placed_at", "total", "status", "refunded")}
    words = {"status": {"Erl": "paid"}}
    one, two, three, four = orders_of(
        read_one(file, Mapping(kind="orders", columns=columns, currency="EUR", words=words))
    )
    assert one.cancelled_at == one.placed_at and two.cancelled_at is None
    assert [o.payment_status for o in (one, two, three, four)] == ["voided", "paid", "paid", "pending"]
    assert [(r.total_minor, r.goods_minor, r.is_date_estimated) for r in two.refunds] == [(400, 400, True)]


def test_tax_is_taken_out_by_percentage_where_no_column_holds_it(write: Write) -> None:
    columns = {name: name for name in ("order_id", "placed_at", "shipping", "total")}
    mapping = from_toml(
        Mapping(kind="orders", columns=columns, currency="EUR", prices_include_tax=True)
        .to_toml()
        .replace('tax_percent = ""', "tax_percent = 19")
    )
    (order,) = orders_of(read_one(write("order_id,placed_at,shipping,total\n1,2025-01-02,11.90,119.00\n"), mapping))
    assert (order.gross_minor, order.shipping_minor, order.tax_minor, order.total_minor) == (9000, 1000, 1900, 11900)


def test_amounts_that_do_not_meet_reject_the_order_alone(write: Write) -> None:
    file = write(ORDERS + "1003,2025-04-01,c@example.org,FR,0,0,0,-5\n1004,2025-04-01,c@example.org,FR,0,0,1.00,x\n")
    records = read_one(file, guess(file, BERLIN))
    reasons = [record.reason for record in records if isinstance(record, Rejected)]
    assert len(records) == 4 and len(reasons) == 2
    assert "do not add up" in reasons[0] and reasons[1] == "Total: 'x' is not an amount."


def test_an_order_that_comes_twice_with_other_contents_is_rejected_and_not_overwritten(write: Write) -> None:
    mapping = guess(write(ORDERS), BERLIN)
    again = "1001,2025-03-30,a@example.org,Germany,5.00,19.00,10.00,999.00\n"
    records = read_one(write(ORDERS + ORDERS.splitlines(keepends=True)[1] + again), mapping)
    assert len(records) == 4
    assert [r.reason for r in records if isinstance(r, Rejected)] == [
        'Order 1001 came before; where each row is a line of an order, write shape = "line".'
    ]


def test_a_row_without_an_order_number_or_with_too_many_fields_is_kept_as_rejected(write: Write) -> None:
    file = write(ORDERS + ",2025-03-30,a@example.org,DE,0,0,0,5\n7,2025-03-30,a@example.org,DE,0,0,0,5,x,y\n")
    records = read_one(file, guess(file, BERLIN))
    assert [(r.line, r.reason) for r in records if isinstance(r, Rejected)] == [
        (4, "There is no Order ID."),
        (5, "The row has 10 fields where the header has 8."),
    ]


def test_an_amount_in_another_currency_is_never_summed_raw(write: Write) -> None:
    (rejected,) = read_one(
        write("Order,Date,Total\n1,2025-01-02,£5.00\n"),
        from_toml(
            'kind = "orders"\ncurrency = "EUR"\n[columns]\norder_id = "Order"\nplaced_at = "Date"\ntotal = "Total"\n'
        ),
    )
    assert isinstance(rejected, Rejected) and rejected.reason == "Total: '£5.00' is not in EUR."


def test_a_parquet_file_reads_as_its_csv_does(tmp_path: Path) -> None:
    table = pa.table(
        {
            "Order": [1, 2],
            "Date": pa.array([datetime(2025, 1, 2, 9, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
            "Total": [12.5, 7.0],
            "Email": ["a@example.org", None],
        }
    )
    pq.write_table(table, tmp_path / "orders.parquet")
    (file,) = source_files([tmp_path / "orders.parquet"], BERLIN)
    order, rejected = read_one(file, guess(file, BERLIN))
    assert isinstance(order, OrderRecord) and isinstance(rejected, Rejected)
    assert (order.external_id, order.total_minor, order.placed_at) == ("1", 1250, datetime(2025, 1, 2, 9, tzinfo=UTC))
    assert (rejected.line, rejected.reason, rejected.text) == (3, "There is no Date.", "2,,7,")


def test_the_preview_shows_the_first_rows_as_understood(write: Write) -> None:
    file = write(ORDERS)
    shown = preview(file, guess(file, BERLIN), BERLIN, rows=1)
    assert shown.rows == [["1001", "2025-03-30", "a@example.org", "Germany", "5.00", "19.00", "10.00", "124.00"]]
    assert [type(record) for record in shown.records] == [OrderRecord]


def test_customers_products_reviews_tickets_parcels_and_refunds_are_guessed_and_read(write: Write) -> None:
    def only(text: str) -> Record | Rejected:
        file = write(text)
        (record,) = read_one(file, guess(file, BERLIN))
        return record

    customer = only("Customer ID,E-mail,First name,Last name,Country,Newsletter\n7,a@example.org,Ada,L,Austria,yes\n")
    assert isinstance(customer, CustomerRecord)
    assert (customer.external_id, customer.name, customer.country) == ("7", "Ada L", "AT")
    assert [consent.state for consent in customer.consents] == ["given"]
    product = only("Product ID,Product name,SKU,Brand,Price,Cost,Stock\n9,Cup,C-1,Acme,12.50,3.10,40\n")
    assert isinstance(product, ProductRecord)
    assert (product.name, product.price_minor, product.cost_minor, product.stock) == ("Cup", 1250, 310, 40)
    review = only("Review date,Rating,Review title,Review,Author,Product\n2025-01-02,5,Fine,Good cup,Ada,Cup\n")
    assert isinstance(review, ReviewRecord)
    assert (review.rating, review.body, review.product_name, len(review.external_id)) == (5, "Good cup", "Cup", 32)
    ticket = only(
        "Ticket ID,Created at,Subject,Status,Priority,First response at\n"
        "T1,2025-01-02 09:00,Where?,Solved,High,2025-01-02 09:05\n"
    )
    assert isinstance(ticket, TicketRecord)
    assert (ticket.status, ticket.priority, ticket.subject) == ("closed", "high", "Where?")
    parcel = only(
        "Order number,Tracking number,Carrier,Shipped at,Delivered at,Promised date\n"
        "1,Z9,DHL,2025-01-02,2025-01-05,2025-01-04\n"
    )
    assert isinstance(parcel, ShipmentRecord)
    assert (parcel.order_id, parcel.status, parcel.promised_day) == ("1", "delivered", date(2025, 1, 4))
    refund = only("Refund ID,Refund date,Order number,Refund amount,Reason\nR1,2025-01-09,1,5.00,Broken\n")
    assert isinstance(refund, RefundRecord)
    assert (refund.order_id, refund.goods_minor, refund.reason) == ("1", 500, "Broken")


def test_prices_that_include_tax_are_not_taken_for_a_discount(write: Write) -> None:
    columns = {name: name for name in ("order_id", "placed_at", "unit_price", "tax", "total")}
    mapping = Mapping(kind="orders", columns=columns, shape="line", currency="EUR")
    (rejected,) = read_one(write("order_id,placed_at,unit_price,tax,total\n1,2025-01-02,119,19,119\n"), mapping)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "The amounts meet only if prices include tax; the mapping says that they exclude it."
