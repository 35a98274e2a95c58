from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.money import allocate, convert, format_money, to_major, to_minor


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.34", "EUR", 1234),
        ("0.05", "EUR", 5),
        ("12", "EUR", 1200),
        ("12.3", "EUR", 1230),
        ("12.345", "EUR", 1235),
        ("-12.34", "EUR", -1234),
        ("1200", "JPY", 1200),
        ("1200.4", "JPY", 1200),
        ("1.234", "KWD", 1234),
        (".50", "EUR", 50),
        ("+3.00", "EUR", 300),
    ],
)
def test_an_amount_becomes_minor_units_of_its_currency(text: str, currency: str, minor: int) -> None:
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "1,5", "1.2.3", "٣.٥٠x", "--1"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        to_minor(text, "EUR")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_minor_units_and_back_is_the_same_amount(amount: Decimal) -> None:
    assert to_major(to_minor(str(amount), "EUR"), "EUR") == amount


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_the_parts_of_an_allocation_add_up(amount: int, weights: list[int]) -> None:
    assert sum(allocate(amount, weights)) == amount


def test_conversion_knows_how_many_decimals_each_currency_has() -> None:
    assert convert(1000, Decimal("160.5"), source="EUR", target="JPY") == 1605
    assert convert(1605, Decimal("0.00623"), source="JPY", target="EUR") == 1000


def test_money_is_written_for_people() -> None:
    assert format_money(123450, "EUR") == "€1,234.50"
    assert format_money(123450, "EUR", cents=False) == "€1,234"
    assert format_money(-5, "JPY") == "-¥5"


@pytest.mark.parametrize("text", ["1e30", "1e999999", "9" * 40 + ".005", "NaN", "Infinity"])
def test_an_amount_that_nobody_can_mean_is_refused_as_a_value(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        to_minor(text, "EUR")
