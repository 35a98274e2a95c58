"""Read amounts as people and programs write them: 1,234.50 · 1.234,50 · 1 234,50 € · (12.00) · 1'234.-

Which sign parts the decimals is declared or proved by the column, never guessed: 1.234 alone may be a
thousand or one and a bit.
"""

import re
from collections.abc import Iterable
from decimal import Decimal

from lib.money import currencies, to_minor

LARGEST_DIGITS = 15
SYMBOLS = {
    "€": "EUR",
    "£": "GBP",
    "R$": "BRL",
    "US$": "USD",
    "A$": "AUD",
    "AU$": "AUD",
    "C$": "CAD",
    "CA$": "CAD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "₹": "INR",
    "₽": "RUB",
    "₺": "TRY",
    "₩": "KRW",
    "₪": "ILS",
    "zł": "PLN",
    "Kč": "CZK",
    "Ft": "HUF",
    "лв": "BGN",
    "Fr": "CHF",
}

_PLAIN = re.compile(r"-?\d{1,15}(?:\.\d{1,10})?")
_SPACES = re.compile(r"[\s\u00a0\u2009\u202f'’]")
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d{1,17})?[eE][+-]?\d{1,2}")
_WORDS = re.compile(r"[^\d.,()+-]+")
_GROUPED = {
    ".": re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d*)?|\d*(?:\.\d*)?"),
    ",": re.compile(r"\d{1,3}(?:\.\d{2,3})*\.\d{3}(?:,\d*)?|\d*(?:,\d*)?"),
}


def amount(text: str, decimal: str = ".") -> Decimal:
    """Read an amount; ``decimal`` is the sign before the decimals, ``.`` or ``,``.

    >>> amount("1,234.50"), amount("-1.234,5 €", ","), amount("(12.00)")
    (Decimal('1234.50'), Decimal('-1234.5'), Decimal('-12.00'))

    Raises:
        ValueError: not an amount, or one written with the other sign.
    """
    if decimal == "." and _PLAIN.fullmatch(text):
        return Decimal(text)
    bare = _SPACES.sub("", text).replace("\u2212", "-")
    if decimal == "." and _SCIENTIFIC.fullmatch(bare):
        return _bounded(Decimal(bare), text)
    bare = _without_currency(bare)
    is_negative = False
    if bare.startswith("(") and bare.endswith(")"):
        is_negative, bare = True, bare[1:-1]
    elif bare.endswith((".-", ",-")):  # 12.- is twelve, without cents
        bare = bare[:-2]
    if bare.startswith(("-", "+")):
        is_negative, bare = is_negative != (bare[0] == "-"), bare[1:]
    elif bare.endswith("-"):
        is_negative, bare = not is_negative, bare[:-1]
    bare = _without_currency(bare)
    if not any(sign.isdigit() for sign in bare) or not _GROUPED[decimal].fullmatch(bare):
        raise ValueError(f"{_shown(text)} is not an amount")
    grouping = "," if decimal == "." else "."
    value = Decimal(bare.replace(grouping, "").replace(decimal, "."))
    return _bounded(-value if is_negative else value, text)


def minor(text: str, currency: str, decimal: str = ".") -> int:
    """Read an amount as minor units of ``currency``, half a unit rounded up.

    >>> minor("12.34", "EUR"), minor("1200", "JPY"), minor("1.234,5", "KWD", ",")
    (1234, 1200, 1234500)

    Raises:
        ValueError: as for ``amount``.
    """
    return to_minor(amount(text, decimal), currency)


def whole(text: str, decimal: str = ".") -> int:
    """Read a number of pieces: ``3``, ``3.0`` and ``1,000`` are whole; ``1.5`` is not.

    Raises:
        ValueError: not a whole number.
    """
    value = amount(text, decimal)
    if value != value.to_integral_value():
        raise ValueError(f"{_shown(text)} is not a whole number")
    return int(value)


def decimal_sign(values: Iterable[str]) -> str | None:
    """The sign that parts the decimals in a column: ``.``, ``,``, or None where nothing proves it.

    A column of whole numbers without any sign reads the same either way and gives ``.``.

    Raises:
        ValueError: some values prove the one, some the other.
    """
    points = commas = open_values = 0
    example = {".": "", ",": ""}
    for value in values:
        sign = _proves(value)
        if sign == ".":
            points += 1
            example["."] = example["."] or value.strip()
        elif sign == ",":
            commas += 1
            example[","] = example[","] or value.strip()
        elif sign is None:
            open_values += 1
    if points and commas:
        raise ValueError(f"{_shown(example['.'])} and {_shown(example[','])} write their decimals differently")
    if points or commas:
        return "." if points else ","
    return None if open_values else "."


def currency_in(text: str) -> str | None:
    """The currency that an amount names itself: ``12,00 €`` EUR, ``GBP 5`` GBP; a bare ``$`` may be many."""
    for word in _WORDS.finditer(text):
        bare = word[0].strip()
        if bare in SYMBOLS:
            return SYMBOLS[bare]
        if bare.upper() in currencies():
            return bare.upper()
    return None


def is_amount(text: str) -> bool:
    """Whether a text is written as an amount, with whichever sign."""
    for sign in (".", ","):
        try:
            amount(text, sign)
        except ValueError:
            continue
        return True
    return False


def _proves(text: str) -> str | None:
    """``.`` or ``,`` where the text can only be read so; None where it may be either; empty: says nothing."""
    bare = _without_currency(_SPACES.sub("", text)).strip("()+-")
    points, commas = bare.count("."), bare.count(",")
    if not bare or (not points and not commas) or not is_amount(text):
        return ""
    if points and commas:
        return "." if bare.rindex(".") > bare.rindex(",") else ","
    sign = "." if points else ","
    if points + commas > 1:
        return "," if sign == "." else "."
    before, _, after = bare.partition(sign)
    if len(after) != 3 or len(before) > 3 or before in ("", "0"):
        return sign
    return None


def _without_currency(bare: str) -> str:
    """Drop a currency's code or symbol at either end, and nothing else."""
    head = _WORDS.match(bare)
    if head is not None and _is_currency(head[0]):
        bare = bare[head.end() :].removeprefix(".") if head[0] in ("Fr", "kr") else bare[head.end() :]
    tail = re.search(r"[^\d.,()+-]+\.?$", bare)
    if tail is not None and (_is_currency(tail[0]) or _is_currency(tail[0].rstrip("."))):
        bare = bare[: tail.start()]
    return bare


def _is_currency(word: str) -> bool:
    return word in SYMBOLS or word.upper() in currencies() or word in ("$", "¥", "kr")


def _bounded(value: Decimal, text: str) -> Decimal:
    if value.adjusted() >= LARGEST_DIGITS:
        raise ValueError(f"{_shown(text)} is too large for an amount")
    return value


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "…")
