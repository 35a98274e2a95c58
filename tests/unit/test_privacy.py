"""What is left of a name for those who may not see it."""

import pytest

from lib.privacy import mask_email, mask_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna Becker", "A… B…"),
        ("Anna Maria Becker", "A… B…"),
        ("  Cher ", "C…"),
        ("李 小龙", "李… 小…"),
        ("", ""),
        (None, None),
    ],
)
def test_of_a_name_the_first_letters_stay(name: str | None, shown: str | None) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("anna@example.org", "a…@e…"),
        ('"a@b"@example.org', '"…@e…'),
        ("@example.org", "…@e…"),
        ("no address", "…"),
        ("", ""),
        (None, None),
    ],
)
def test_of_an_address_one_letter_of_each_side_stays(email: str | None, shown: str | None) -> None:
    assert mask_email(email) == shown
