from datetime import UTC, date, datetime

import pytest

from lib.errors import AmbiguousDates
from lib.importers.dates import date_reader, is_date
from lib.importers.records import ReadContext

BERLIN = ReadContext(time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-12-06 10:37:33 -0500", datetime(2025, 12, 6, 15, 37, 33, tzinfo=UTC)),
        ("2025-12-06T10:37:33Z", datetime(2025, 12, 6, 10, 37, 33, tzinfo=UTC)),
        ("2025-12-06T10:37:33.123+02:00", datetime(2025, 12, 6, 8, 37, 33, 123000, tzinfo=UTC)),
        ("2025-03-02 10:12:00 UTC", datetime(2025, 3, 2, 10, 12, tzinfo=UTC)),
        ("2025-12-06 10:37", datetime(2025, 12, 6, 9, 37, tzinfo=UTC)),
        ("2025-07-06 10:37", datetime(2025, 7, 6, 8, 37, tzinfo=UTC)),
        ("1765000000", datetime(2025, 12, 6, 5, 46, 40, tzinfo=UTC)),
        ("1765000000000", datetime(2025, 12, 6, 5, 46, 40, tzinfo=UTC)),
        ("Dec 6, 2025 10:37 PM", datetime(2025, 12, 6, 21, 37, tzinfo=UTC)),
        ("6. Dezember 2025 um 10:37", datetime(2025, 12, 6, 9, 37, tzinfo=UTC)),
        ("6 de mayo de 2025, 12:00 am", datetime(2025, 5, 5, 22, 0, tzinfo=UTC)),
        ("Sat, 06 Dec 2025 10:37:33 +0000", datetime(2025, 12, 6, 10, 37, 33, tzinfo=UTC)),
        ("03.04.2025 08:00", datetime(2025, 4, 3, 6, 0, tzinfo=UTC)),
        ("25/04/2025 08:00", datetime(2025, 4, 25, 6, 0, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_its_instant(text: str, instant: datetime) -> None:
    assert date_reader([text], BERLIN).at(text) == instant


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/London", "America/Sao_Paulo"])
@pytest.mark.parametrize("text", ["2018-03-25", "2018-10-28", "2018-11-04", "20181104", "4 November 2018"])
def test_a_date_without_a_time_keeps_its_day_in_every_zone_and_season(zone: str, text: str) -> None:
    from zoneinfo import ZoneInfo

    reader = date_reader([text], ReadContext(time_zone=zone))
    assert reader.at(text).astimezone(ZoneInfo(zone)).date() == reader.day(text)


def test_one_value_above_twelve_proves_the_order_for_the_whole_column() -> None:
    assert date_reader(["03/04/2025", "25/04/2025"], BERLIN).day("03/04/2025") == date(2025, 4, 3)
    assert date_reader(["03/04/2025", "04/25/2025"], BERLIN).day("03/04/2025") == date(2025, 3, 4)


def test_a_day_that_the_proven_order_does_not_allow_is_no_date() -> None:
    reader = date_reader(["03/04/2025", "25/04/2025"], BERLIN)
    with pytest.raises(ValueError, match="no day of the calendar"):
        reader.at("04/25/2025")


@pytest.mark.parametrize("values", [["03/04/2025"], ["03-04-25", "05-05-25"]])
def test_dates_that_could_be_two_days_are_asked_about(values: list[str]) -> None:
    with pytest.raises(AmbiguousDates, match=r"3 April 2025 or 4 March 2025.*--dates day-first"):
        date_reader(values, BERLIN, column="Date", file="orders.csv")


def test_a_column_that_contradicts_itself_is_asked_about() -> None:
    with pytest.raises(AmbiguousDates, match="some are day first, some month first"):
        date_reader(["03/04/2025", "25/04/2025", "04/25/2025"], BERLIN)


@pytest.mark.parametrize(
    ("declared", "day"),
    [("day-first", date(2025, 4, 3)), ("month-first", date(2025, 3, 4)), ("%d/%m/%Y", date(2025, 4, 3))],
)
def test_a_declared_format_decides(declared: str, day: date) -> None:
    context = ReadContext(time_zone="Europe/Berlin", date_format=declared)
    assert date_reader(["03/04/2025"], context).day("03/04/2025") == day


def test_a_declared_date_format_without_hours_is_a_store_day() -> None:
    context = ReadContext(time_zone="Europe/Berlin", date_format="%d/%m/%Y")
    assert date_reader([], context).at("03/04/2025") == datetime(2025, 4, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "abc", "32/01/2025", "2025-13-01", "2025-02-30", "12:30", "99999999999999999999"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|day"):
        date_reader([], BERLIN).at(text)


def test_bare_numbers_are_not_taken_for_dates() -> None:
    assert is_date("2025-01-02") and is_date("13.1.2025") and not is_date("20250102") and not is_date("12.50")
