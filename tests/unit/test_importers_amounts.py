from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.importers.amounts import amount, currency_in, decimal_sign, minor, whole


@pytest.mark.parametrize(
    ("text", "sign", "value"),
    [
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("1 234,50 €", ",", "1234.50"),
        ("1\u202f234,50\u00a0€", ",", "1234.50"),
        ("(12.00)", ".", "-12.00"),
        ("12.50-", ".", "-12.50"),
        ("\u221212.50", ".", "-12.50"),
        ("-$5.00", ".", "-5.00"),
        ("$-5.00", ".", "-5.00"),
        ("1'234.-", ".", "1234"),
        ("R$ 1.234,00", ",", "1234.00"),
        ("kr. 5,00", ",", "5.00"),
        ("5,00 kr", ",", "5.00"),
        ("GBP 5", ".", "5"),
        ("1,23,456.00", ".", "123456.00"),
        ("4.95e+01", ".", "49.5"),
        (".5", ".", "0.5"),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, sign: str, value: str) -> None:
    assert amount(text, sign) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "12,34", "1,2345", "5 apples", "1e99", "9" * 40, "--5", "1.2.3", "€", "12.3.-4"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        amount(text)


def test_minor_units_follow_the_currency() -> None:
    assert (minor("12.345", "EUR"), minor("1,200", "JPY"), minor("1.5", "KWD")) == (1235, 1200, 1500)


def test_pieces_are_whole() -> None:
    assert (whole("3"), whole("3.0"), whole("1,000")) == (3, 3, 1000)
    with pytest.raises(ValueError, match="whole number"):
        whole("1.5")


@pytest.mark.parametrize(
    ("values", "sign"),
    [
        (["1.234", "5"], None),
        (["1.234", "5,00"], ","),
        (["1,234", "5.00"], "."),
        (["1.234.567"], ","),
        (["12", "7"], "."),
        (["0.125"], "."),
        (["1234,567"], ","),
        (["", "n/a", "3,5"], ","),
    ],
)
def test_the_decimal_sign_is_proved_or_left_open(values: list[str], sign: str | None) -> None:
    assert decimal_sign(values) == sign


def test_a_column_that_writes_decimals_both_ways_is_refused() -> None:
    with pytest.raises(ValueError, match="differently"):
        decimal_sign(["1.50", "1,50"])


def test_an_amount_names_its_currency_or_none() -> None:
    assert [currency_in(t) for t in ("12 €", "GBP 5", "R$ 3", "$5", "5")] == ["EUR", "GBP", "BRL", None, None]


@given(st.integers(-(10**12), 10**12))
def test_every_way_of_writing_an_amount_reads_the_same(cents: int) -> None:
    value = Decimal(cents) / 100
    english = f"{value:,.2f}"
    german = english.replace(",", " ").replace(".", ",").replace(" ", ".")
    assert amount(english) == amount(german, ",") == value
