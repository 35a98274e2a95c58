"""Money: integer minor units plus an ISO currency, never a float."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache

from babel.numbers import format_currency, get_currency_precision, list_currencies


@cache
def currencies() -> frozenset[str]:
    """The ISO 4217 codes that an amount may carry."""
    return frozenset(list_currencies("en"))


@cache
def exponent(currency: str) -> int:
    """How many decimals a currency has: EUR 2, JPY 0, KWD 3."""
    return get_currency_precision(currency)


@cache
def _scale(currency: str) -> int:
    return int(10 ** exponent(currency))


def to_minor(amount: Decimal | str, currency: str) -> int:
    """Turn an amount in whole units into minor units, rounding half up.

    >>> to_minor("12.345", "EUR"), to_minor("1200", "JPY")
    (1235, 1200)

    Raises:
        ValueError: not a finite number, or one of more digits than any amount has.
    """
    if isinstance(amount, str):
        # Imports read tens of millions of plain amounts such as 12.50.
        whole, _, cents = amount.partition(".")
        if len(cents) == exponent(currency) and whole.isdecimal() and whole.isascii():
            if not cents:
                return int(whole)
            if cents.isdecimal() and cents.isascii():
                return int(whole + cents)
    try:
        value = Decimal(amount)
    except InvalidOperation as error:
        raise ValueError(f"{amount!r} is not an amount") from error
    if not value.is_finite():
        raise ValueError(f"{amount!r} is not an amount")
    try:
        return int((value * _scale(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    except ArithmeticError as error:
        raise ValueError(f"{amount!r} is too large for an amount") from error


def to_major(minor: int, currency: str) -> Decimal:
    """Turn minor units into an amount in whole units, exactly."""
    return Decimal(minor) / _scale(currency)


def convert(minor: int, rate: Decimal, *, source: str, target: str) -> int:
    """Convert minor units of one currency into another's; ``rate`` is target units per source unit."""
    if source == target:
        return minor
    shifted = Decimal(minor) * rate * _scale(target) / _scale(source)
    return int(shifted.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def allocate(amount: int, weights: list[int]) -> list[int]:
    """Split an amount over weights so that the parts add up to the cent (largest remainder).

    >>> allocate(100, [1, 1, 1])
    [34, 33, 33]
    """
    total = sum(weights)
    if not weights:
        return []
    if total <= 0 or not amount:
        return [amount, *([0] * (len(weights) - 1))]
    parts = [amount * weight // total for weight in weights]
    missing = amount - sum(parts)
    order = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in order[:missing]:
        parts[i] += 1
    return parts


@cache
def _whole_pattern(currency: str) -> str:
    return "¤#,##0"


def format_money(minor: int | float, currency: str, *, cents: bool = True) -> str:
    """Write an amount for people: ``€1,234.50``, or ``€1,235`` without cents."""
    value = Decimal(minor) / _scale(currency)
    if cents:
        return format_currency(value, currency, locale="en")
    return format_currency(value, currency, _whole_pattern(currency), locale="en", currency_digits=False)
