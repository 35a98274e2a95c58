from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lib.errors import AmbiguousDates, MissingColumns, UnknownFormat
from lib.importers.files import source_files
from lib.importers.records import CustomerRecord, OrderRecord, ProductRecord, ReadContext, Record, Rejected
from lib.importers.shopify import read

BERLIN = ZoneInfo("Europe/Berlin")
CONTEXT = ReadContext(time_zone="Europe/Berlin")
HEADER = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,Shipping Zip,Shipping Country,"
    "Shipping City,Cancelled at,Refunded Amount,Outstanding Balance,Id,Source"
)


def row(**cells: str) -> str:
    names = HEADER.split(",")
    assert set(cells) <= set(names), set(cells) - set(names)
    return ",".join(cells.get(name, "") for name in names)


def first(name: str = "#1001", **cells: str) -> str:
    defaults = {
        "Name": name,
        "Email": "Ada@Example.com",
        "Financial Status": "paid",
        "Currency": "EUR",
        "Subtotal": "20.00",
        "Shipping": "0.00",
        "Taxes": "0.00",
        "Total": "20.00",
        "Discount Amount": "0.00",
        "Created at": "2025-03-30 00:30:00 +0100",
        "Lineitem quantity": "2",
        "Lineitem name": "Candle - Fig",
        "Lineitem price": "10.00",
        "Lineitem sku": "CAN-FIG",
    }
    return row(**{**defaults, **cells})


def more(name: str = "#1001", **cells: str) -> str:
    return row(**{"Name": name, "Email": "Ada@Example.com", "Created at": "2025-03-30 00:30:00 +0100", **cells})


@pytest.fixture
def reading(tmp_path: Path) -> Iterator["Reading"]:
    yield Reading(tmp_path)


class Reading:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *rows: str, header: str = HEADER, context: ReadContext = CONTEXT) -> list[Record | Rejected]:
        file = self.folder / "orders_export.csv"
        file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return list(read(source_files([file], context), context))


def only(found: list[Record | Rejected]) -> OrderRecord:
    (record,) = found
    assert isinstance(record, OrderRecord), record
    return record


def refused(found: list[Record | Rejected]) -> Rejected:
    (record,) = found
    assert isinstance(record, Rejected), record
    return record


def test_continuation_rows_are_lines_of_the_order_above(reading: Reading) -> None:
    order = only(
        reading(
            first(Subtotal="25.00", Total="25.00"),
            more(**{"Lineitem quantity": "1", "Lineitem name": "Soap", "Lineitem price": "5.00"}),
        )
    )
    assert [(item.name, item.quantity, item.gross_minor) for item in order.items] == [
        ("Candle - Fig", 2, 2000),
        ("Soap", 1, 500),
    ]
    assert order.gross_minor == order.total_minor == 2500
    assert order.placed_at == datetime(2025, 3, 29, 23, 30, tzinfo=UTC)


def test_the_apostrophe_that_keeps_a_postal_code_as_text_is_not_part_of_it(reading: Reading) -> None:
    order = only(reading(first(**{"Shipping Zip": "'01067", "Shipping City": "Dresden", "Shipping Country": "DE"})))
    assert order.customer is not None
    assert order.customer.addresses[0].postal_code == "01067"
    assert order.country == "DE"


def test_an_order_without_an_email_address_is_of_an_unknown_customer(reading: Reading) -> None:
    assert only(reading(first(Email=""))).customer is None


def test_a_cancelled_order_keeps_its_goods_and_says_when(reading: Reading) -> None:
    order = only(reading(first(**{"Cancelled at": "2025-04-01 10:00:00 +0200", "Financial Status": "voided"})))
    assert order.cancelled_at == datetime(2025, 4, 1, 8, 0, tzinfo=UTC)
    assert order.payment_status == "voided"
    assert order.gross_minor == 2000


def test_a_refund_is_set_against_goods_with_their_tax_first_on_an_estimated_day(reading: Reading) -> None:
    order = only(reading(first(Taxes="3.80", Shipping="5.00", Total="28.80", **{"Refunded Amount": "11.90"})))
    (refund,) = order.refunds
    assert refund.total_minor == 1190
    assert refund.goods_minor + refund.tax_minor + refund.shipping_minor + refund.fees_minor == 1190
    assert refund.shipping_minor == 0
    assert refund.is_date_estimated


def test_a_whole_refund_gives_back_every_part(reading: Reading) -> None:
    order = only(reading(first(Taxes="4.75", Shipping="5.00", Total="29.75", **{"Refunded Amount": "29.75"})))
    (refund,) = order.refunds
    assert (refund.goods_minor, refund.shipping_minor, refund.tax_minor) == (2000, 500, 475)


def test_the_old_export_without_id_and_line_discount_reads_alike(reading: Reading) -> None:
    old = [name for name in HEADER.split(",") if name not in ("Id", "Source", "Outstanding Balance", "Refunded Amount")]
    cells = dict(zip(HEADER.split(","), first().split(","), strict=True))
    assert only(reading(",".join(cells[name] for name in old), header=",".join(old))).external_id == "#1001"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Lineitem quantity": "-1"}, "negative"),
        ({"Lineitem quantity": "two"}, "not a whole number"),
        ({"Lineitem price": "ten"}, "not an amount"),
        ({"Total": ""}, "no total"),
        ({"Total": "1.00"}, "does not meet total"),
        ({"Created at": "yesterday"}, "is not a time"),
        ({"Created at": ""}, "no time"),
        ({"Created at": "0001-01-01 00:00:00 +0200"}, "out of range"),
        ({"Lineitem price": "1e30"}, "not an amount"),
        ({"Currency": "EURO"}, "no currency"),
    ],
)
def test_an_order_that_cannot_be_trusted_is_kept_aside_whole(
    reading: Reading, cells: dict[str, str], reason: str
) -> None:
    found = refused(
        reading(first(**cells), more(**{"Lineitem quantity": "1", "Lineitem name": "Soap", "Lineitem price": "0.00"}))
    )
    assert reason in found.reason
    assert found.text.count("#1001") == 2
    assert found.header == HEADER
    assert found.line == 2


def test_a_rejected_order_says_its_day_and_worth(reading: Reading) -> None:
    found = refused(reading(first(**{"Lineitem quantity": "0"})))
    assert found.placed_day is not None
    assert found.placed_day.isoformat() == "2025-03-30"
    assert found.amount_minor == 2000


def test_dates_that_a_spreadsheet_rewrote_are_asked_about(reading: Reading) -> None:
    with pytest.raises(AmbiguousDates, match="3 April 2025 or"):
        reading(first(**{"Created at": "03/04/2025 10:00"}))
    declared = ReadContext(time_zone="Europe/Berlin", date_format="day-first")
    order = only(reading(first(**{"Created at": "03/04/2025 10:00"}), context=declared))
    assert order.placed_at == datetime(2025, 4, 3, 8, 0, tzinfo=UTC)


def test_a_file_without_the_needed_columns_is_refused_by_name(reading: Reading) -> None:
    with pytest.raises(MissingColumns, match="Total"):
        reading("#1,Candle", header="Name,Lineitem name")
    with pytest.raises(UnknownFormat, match="no Shopify export"):
        reading("1,2", header="a,b")


def test_a_customers_export_old_or_new_gives_people_with_their_consent(tmp_path: Path) -> None:
    new = tmp_path / "customers.csv"
    new.write_text(
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Address1,Default Address City,"
        "Default Address Country Code,Default Address Zip,Total Spent,Total Orders,Note,Tags\n"
        "'7001,Ada,Demo,ada@example.com,yes,1 Example Street,Dresden,DE,'01067,20.00,1,,vip\n"
    )
    (person,) = read(source_files([new], CONTEXT), CONTEXT)
    assert isinstance(person, CustomerRecord)
    assert (person.external_id, person.email, person.name) == ("7001", "ada@example.com", "Ada Demo")
    assert person.addresses[0].postal_code == "01067"
    assert [(consent.channel, consent.state) for consent in person.consents] == [("email", "given")]


def test_each_variant_of_a_product_is_one_product_and_image_rows_are_none(tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text(
        "Handle,Title,Vendor,Type,Option1 Name,Option1 Value,Variant SKU,Variant Price,Cost per item,Image Src,Status\n"
        "candle,Candle,Harbour,Candles,Scent,Fig,CAN-FIG,10.00,4.00,a.png,active\n"
        "candle,,,,,Sea,CAN-SEA,11.00,4.50,,\n"
        "candle,,,,,,,,,b.png,\n"
    )
    context = ReadContext(currency="EUR")
    found = [record for record in read(source_files([file], context), context) if isinstance(record, ProductRecord)]
    assert [(p.name, p.sku, p.price_minor, p.cost_minor, p.category) for p in found] == [
        ("Candle - Fig", "CAN-FIG", 1000, 400, "Candles"),
        ("Candle - Sea", "CAN-SEA", 1100, 450, "Candles"),
    ]


def test_a_line_that_an_edit_took_off_the_order_is_no_line(reading: Reading) -> None:
    order = only(
        reading(first(), more(**{"Lineitem quantity": "0", "Lineitem name": "Vase", "Lineitem price": "30.00"}))
    )
    assert [(item.name, item.quantity) for item in order.items] == [("Candle - Fig", 2)]


def test_an_order_whose_first_row_was_sorted_behind_its_lines_is_read_whole(reading: Reading) -> None:
    line = more(**{"Lineitem quantity": "1", "Lineitem name": "Vase", "Lineitem price": "30.00"})
    order = only(reading(line, first(Subtotal="50.00", Total="50.00")))
    assert (order.gross_minor, len(order.items)) == (5000, 2)


@pytest.mark.parametrize("gateway", ["bogus", "Bogus Gateway"])
def test_an_order_paid_at_the_gateway_for_trials_is_a_test(gateway: str, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(f"{HEADER},Payment Method\n{first()},{gateway}\n{first('#1002')},Shopify Payments\n")
    found = list(read(source_files([file], CONTEXT), CONTEXT))
    assert [order.is_test for order in found if isinstance(order, OrderRecord)] == [True, False]


def test_an_export_that_a_spreadsheet_saved_with_decimal_commas_reads_alike(tmp_path: Path) -> None:
    plain, saved = tmp_path / "plain.csv", tmp_path / "saved.csv"
    rows = [
        first(Shipping="4.90", Total="24.90"),
        first("#1002", **{"Lineitem price": "1234.5", "Subtotal": "2469", "Total": "2469", "Created at": "2025-04-13"}),
    ]
    plain.write_text("\n".join([HEADER, *rows]) + "\n")
    changed = [
        row.replace(",", ";")
        .replace("2025-04-13", "13.04.2025")
        .replace("2025-03-30 00:30:00 +0100", "30.03.2025 00:30")
        for row in rows
    ]
    changed = [
        ";".join(
            cell.replace(".", ",") if cell.replace(".", "").isdigit() and cell.count(".") == 1 else cell
            for cell in row.split(";")
        )
        for row in changed
    ]
    saved.write_bytes("\r\n".join([HEADER.replace(",", ";"), *changed, ""]).encode("utf-8-sig"))
    one, other = (
        [
            (o.number, o.gross_minor, o.total_minor, o.placed_at.astimezone(BERLIN).date())
            for o in read(source_files([file], CONTEXT), CONTEXT)
            if isinstance(o, OrderRecord)
        ]
        for file in (plain, saved)
    )
    assert one == other
    assert len(one) == 2


def test_one_column_of_dates_proves_how_the_others_are_written(reading: Reading) -> None:
    order = only(reading(first(**{"Created at": "03/04/2025 10:00", "Fulfilled at": "25/04/2025 10:00"})))
    assert order.placed_at == datetime(2025, 4, 3, 8, tzinfo=UTC)


def test_an_old_export_says_what_was_refunded_only_of_orders_refunded_whole(reading: Reading) -> None:
    old = [name for name in HEADER.split(",") if name not in ("Refunded Amount", "Outstanding Balance", "Id", "Source")]

    def cut(text: str) -> str:
        return ",".join(text.split(",")[: len(old)])

    rows = [first(), first("#1002", **{"Financial Status": "refunded"})]
    kept, refunded = reading(*map(cut, rows), header=",".join(old))
    assert isinstance(kept, OrderRecord)
    assert isinstance(refunded, OrderRecord)
    assert (kept.refunds, kept.says_refunds) == ((), False)
    assert [refund.total_minor for refund in refunded.refunds] == [2000]
