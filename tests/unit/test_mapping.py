from decimal import Decimal

import pytest

from lib.errors import MappingInvalid
from lib.importers.fields import fields, plain
from lib.importers.mapping import Mapping, from_toml

MAPPING = Mapping(
    kind="orders",
    columns={"order_id": 'Order "No"', "placed_at": "Datum\tam", "total": "Größe\\x"},
    shape="line",
    dates="%d/%m/%Y",
    decimal=",",
    currency="EUR",
    prices_include_tax=True,
    tax_percent=Decimal("7.7"),
    order_amounts="first",
    shop="Nord & Süd",
    words={"status": {"Erledigt": "paid"}},
)


def test_a_mapping_survives_being_written_and_read() -> None:
    text = MAPPING.to_toml(['Order "No"', "Datum\tam", "Größe\\x", "Rest"])
    assert from_toml(text) == MAPPING
    assert from_toml(text).to_toml(['Order "No"', "Datum\tam", "Größe\\x", "Rest"]) == text
    assert "# The order's own key." in text and "#   Rest" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "order"', "kind = 'order'; it may be 'orders'"),
        ('[columns]\norder = "x"', r"a field 'order', which orders do not have. They have: order_id"),
        ("colums = 1", "'colums', which no mapping says"),
        ('currency = "EURO"', "no ISO currency"),
        ('dates = "d/m/y"', "day-first, month-first or a format"),
        ('prices_include_tax = "yes"', "write true or false"),
        ('tax_percent = "many"', "write a number such as 19"),
        ("[columns]\norder_id = 7", "must hold texts only"),
        ("kind = ", "no valid TOML"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(MappingInvalid) as refused:
        from_toml(text, "mine.toml")
    assert said in str(refused.value)


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(MappingInvalid, match=r"placed_at from a column 'Datum\\tam', which t\.csv does not have.*A, B"):
        Mapping(kind="orders", columns={"placed_at": "Datum\tam"}).check(["A", "B"], "t.csv")


def test_an_order_needs_a_key_a_date_and_a_worth() -> None:
    with pytest.raises(MappingInvalid, match="no column for order_id and placed_at"):
        Mapping(kind="orders", columns={"total": "A"}).check(["A"], "t.csv")
    with pytest.raises(MappingInvalid, match="for any of total, subtotal, unit_price, line_total; orders need one"):
        Mapping(kind="orders", columns={"order_id": "A", "placed_at": "B"}).check(["A", "B"], "t.csv")


def test_no_header_belongs_to_two_needed_fields_of_one_kind() -> None:
    for kind, known in fields().items():
        needed = [header for field in known if field.is_needed for header in field.headers]
        assert len(needed) == len(set(needed)), kind


def test_headers_are_compared_plainly() -> None:
    assert [plain(h) for h in ("Bestell-Nr.", "orderDate", "Größe", " E-Mail ", "Prénom")] == [
        "bestell nr",
        "order date",
        "groesse",
        "e mail",
        "prenom",
    ]
