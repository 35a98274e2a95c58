"""Files of an audience for other tools, in their own form: Klaviyo, Mailchimp, Meta, Google Customer Match.

Each tool says how an address must be written before it is hashed; two that differ there do not match. Meta and Google
get SHA-256 of the normalised value, never the value itself; Klaviyo and Mailchimp send mail and need the address.
Columns and rules: the tools' own help as of 2026 (Klaviyo "CSV file preparation", Mailchimp "Format guidelines for
your import file", Meta "Customer list custom audiences", Google "Customer Match: formatting guidelines").
"""

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

# A cell that begins so is run as a formula by spreadsheets; hashes and plus signs of phone numbers are for machines.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_PHONE = re.compile(r"[^\d+]")
# Country calling codes of national numbers that begin with 0, by the country of the address (ITU-T E.164).
_CALLING = {
    "AT": "43",
    "AU": "61",
    "BE": "32",
    "CH": "41",
    "DE": "49",
    "FR": "33",
    "GB": "44",
    "IE": "353",
    "IN": "91",
    "JP": "81",
    "NL": "31",
    "NZ": "64",
    "SE": "46",
    "ZA": "27",
}
# National numbers without a leading 0.
_PLAIN_CALLING = {"CA": "1", "DK": "45", "ES": "34", "NO": "47", "PL": "48", "PT": "351", "US": "1"}
_NATIONAL_DIGITS = range(7, 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person as the files tell of her; what is not known is empty. The phone is left out without its own consent."""

    customer_id: int
    name: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    postal_code: str = ""
    language: str = ""
    net_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A tool: its columns, and how a person becomes a row of them."""

    name: str
    label: str
    columns: tuple[str, ...]
    row: Callable[[Contact], tuple[str, ...]]
    note: str
    # Mail goes out from there, so the addresses are readable.
    is_readable: bool = False


def header(platform: Platform) -> str:
    """The first line of a file."""
    return _written([platform.columns])


def lines(platform: Platform, people: Iterable[Contact]) -> str:
    """The lines of some people; who has nothing that the tool could match by is left out."""
    return _written(platform.row(person) for person in people if can_match(platform, person))


def can_match(platform: Platform, person: Contact) -> bool:
    """Whether the tool could find her at all."""
    return bool(person.email or (person.phone and not platform.is_readable))


def hashed(value: str) -> str:
    """SHA-256 in lower-case hexadecimal digits; nothing of nothing."""
    return hashlib.sha256(value.encode()).hexdigest() if value else ""


def email_of(text: str) -> str:
    """An address without blanks around it, in small letters.

    >>> email_of("  Ann.Lee@Example.COM ")
    'ann.lee@example.com'
    """
    return "".join(text.split()).lower()


def google_email(text: str) -> str:
    """The same as Google asks: of its own addresses without the dots.

    >>> google_email("Ann.Lee@Gmail.com"), google_email("ann.lee@example.com")
    ('annlee@gmail.com', 'ann.lee@example.com')
    """
    email = email_of(text)
    local, at, domain = email.rpartition("@")
    if at and domain in {"gmail.com", "googlemail.com"}:
        return f"{local.replace('.', '')}@{domain}"
    return email


def phone_of(text: str, country: str) -> str:
    """A number as E.164 with its plus; empty where the country's code is not known.

    >>> phone_of("0171 / 123 45 67", "DE"), phone_of("0049-30-901820", ""), phone_of("(415) 555-0101", "US")
    ('+491711234567', '+4930901820', '+14155550101')
    """
    digits = _PHONE.sub("", text.replace("(0)", ""))
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if not digits.startswith("+"):
        if digits.startswith("0") and country in _CALLING:
            digits = f"+{_CALLING[country]}{digits.lstrip('0')}"
        elif country in _PLAIN_CALLING and len(digits) in _NATIONAL_DIGITS:
            digits = f"+{_PLAIN_CALLING[country]}{digits.removeprefix('1') if country in {'US', 'CA'} else digits}"
        else:
            return ""
    number = digits[1:]
    return f"+{number}" if number.isdigit() and 8 <= len(number) <= 15 else ""


def names_of(name: str) -> tuple[str, str]:
    """First and last name: the last word is the last name; a single word is a first name.

    >>> names_of("Anna Maria  Becker"), names_of("Cher")
    (('Anna Maria', 'Becker'), ('Cher', ''))
    """
    words = name.split()
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (" ".join(words), "")


def meta_name(text: str) -> str:
    """A name as Meta asks: small letters, no punctuation; letters of any language stay.

    >>> meta_name(" O'Brien-Müller ")
    'obrienmüller'
    """
    kept = (sign for sign in unicodedata.normalize("NFC", text.lower()) if sign.isalpha() or sign.isspace())
    return " ".join("".join(kept).split())


def meta_city(text: str) -> str:
    """A city as Meta asks: small letters without blanks, digits and punctuation."""
    return meta_name(text).replace(" ", "")


def postal_code(text: str, country: str) -> str:
    """Small letters without blanks; of the United States the first five digits."""
    code = "".join(text.split()).lower()
    return code.split("-")[0][:5] if country == "US" else code


def _klaviyo(one: Contact) -> tuple[str, ...]:
    first, last = names_of(one.name)
    phone = phone_of(one.phone, one.country)
    return (email_of(one.email), phone, first, last, one.city, one.country, one.language, "Subscribe")


def _mailchimp(one: Contact) -> tuple[str, ...]:
    first, last = names_of(one.name)
    return (email_of(one.email), first, last, phone_of(one.phone, one.country), one.country, one.language)


def _meta(one: Contact) -> tuple[str, ...]:
    first, last = names_of(one.name)
    return (
        hashed(email_of(one.email)),
        hashed(phone_of(one.phone, one.country).removeprefix("+")),
        hashed(meta_name(first)),
        hashed(meta_name(last)),
        hashed(postal_code(one.postal_code, one.country)),
        hashed(meta_city(one.city)),
        hashed(one.country.lower()),
        hashed(str(one.customer_id)),
    )


def _google(one: Contact) -> tuple[str, ...]:
    first, last = names_of(one.name)
    return (
        hashed(google_email(one.email)),
        hashed(phone_of(one.phone, one.country)),
        hashed(" ".join(first.lower().split())),
        hashed(" ".join(last.lower().split())),
        one.country.upper(),
        one.postal_code.strip(),
    )


_PLATFORMS = (
    Platform(
        name="klaviyo",
        label="Klaviyo",
        columns=(
            "Email",
            "Phone Number",
            "First Name",
            "Last Name",
            "City",
            "Country",
            "Language",
            "Email Marketing Consent",
        ),
        row=_klaviyo,
        note="Import it as a list. Addresses are readable: Klaviyo sends to them.",
        is_readable=True,
    ),
    Platform(
        name="mailchimp",
        label="Mailchimp",
        columns=("Email Address", "First Name", "Last Name", "Phone Number", "Country", "Language"),
        row=_mailchimp,
        note="Import it as subscribed contacts. Addresses are readable: Mailchimp sends to them.",
        is_readable=True,
    ),
    Platform(
        name="meta",
        label="Meta (Facebook, Instagram)",
        columns=("email", "phone", "fn", "ln", "zip", "ct", "country", "uid"),
        row=_meta,
        note="Upload it as a customer list that is hashed already. Nothing in it is readable.",
    ),
    Platform(
        name="google",
        label="Google Customer Match",
        columns=("Email", "Phone", "First Name", "Last Name", "Country", "Zip"),
        row=_google,
        note="Upload it as hashed data. Only country and postal code are readable, as Google asks.",
    ),
)
PLATFORMS: Mapping[str, Platform] = {platform.name: platform for platform in _PLATFORMS}


def _written(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(text: str) -> str:
    """A cell on one line that no spreadsheet runs; a phone number keeps its plus."""
    if text.isalnum():
        return text
    flat = " ".join(text.split())
    is_phone = flat.startswith("+") and flat[1:].isdigit()
    return f"'{flat}" if flat.startswith(_FORMULA) and not is_phone else flat
