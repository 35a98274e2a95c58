"""Campaigns of before Encore: taken in as context, each once, and never as evidence."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, select

from lib.db.engine import reading, writing
from lib.db.tables.offers import offer_versions, offers
from lib.db.tables.staff import audit_log
from lib.errors import InvalidInput, NotAllowed
from lib.staff import LOCAL, Role, Staff
from lib.workflows.offer_trials import all_tested
from lib.workflows.past_campaigns import Taken, import_campaigns, past_campaigns

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
FILE = """\ufeffName,Starts,Ends,Kind,Recipients,Opened,Redeemed,Orders,Net sales,Note
Spring sale,2025-03-01,2025-03-14,coupon,5000,2100,180,175,8120.50,newsletter
"=HYPERLINK(""x"")",2025-05-01,2025-05-02,win-back,,,,,,
"""


def take(engine: Engine, text: str, by: Staff = LOCAL) -> Taken:
    with writing(engine) as connection:
        return import_campaigns(connection, by, text, currency="EUR", zone=ZONE, at=AT)


def kept(engine: Engine) -> tuple[int, int, int]:
    with reading(engine) as connection:
        return tuple(  # type: ignore[return-value]  # three counts
            connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (offers, offer_versions, audit_log)
        )


def test_taking_a_file_twice_takes_it_once(database: Engine) -> None:
    assert take(database, FILE) == Taken(stored=2, unchanged=0, rejected=())
    assert take(database, FILE) == Taken(stored=0, unchanged=2, rejected=())
    assert kept(database) == (2, 2, 2)
    with reading(database) as connection:
        found = past_campaigns(connection)
    assert [one["name"] for one in found] == ['=HYPERLINK("x")', "Spring sale"]
    spring = found[1]
    assert (spring["recipients"], spring["redeemed"], spring["net_minor"]) == (5000, 180, 812_050)
    assert (found[0]["kind"], found[0]["recipients"], found[0]["net_minor"]) == ("win_back", None, None)


def test_a_corrected_row_becomes_the_next_version(database: Engine) -> None:
    take(database, FILE)
    assert take(database, FILE.replace("5000", "5500")) == Taken(stored=1, unchanged=1, rejected=())
    assert kept(database) == (2, 3, 2)
    with reading(database) as connection:
        assert past_campaigns(connection)[1]["recipients"] == 5500


def test_they_are_no_evidence(database: Engine) -> None:
    take(database, FILE)
    with reading(database) as connection:
        found = all_tested(connection, ZONE)
    # Without a plan nothing learns from them, without a holdout nothing is compared.
    assert [(one.plan, one.trial.holdout_share, one.is_over) for one in found] == [(None, 0.0, True)] * 2


def test_rows_that_cannot_be_trusted_are_refused_with_their_line_and_all_are_accounted_for(database: Engine) -> None:
    rows = (
        "Good;2025-01-01;2025-01-02;coupon;10;10.50",
        ";2025-01-01;2025-01-02;coupon;10;",
        "Backwards;2025-02-01;2025-01-02;coupon;10;",
        "No day;01/02/2025;2025-01-02;coupon;10;",
        "No kind;2025-01-01;2025-01-02;balloon;10;",
        "No count;2025-01-01;2025-01-02;coupon;-10;",
        "No money;2025-01-01;2025-01-02;coupon;10;1.234,50",
    )
    taken = take(database, "\n".join(("name;starts;ends;kind;recipients;net_sales", *rows)))
    assert (taken.stored, taken.unchanged, [line for line, _ in taken.rejected]) == (1, 0, [3, 4, 5, 6, 7, 8])
    reasons = " ".join(reason for _, reason in taken.rejected)
    for words in ("a name of", "ends before", "a day such as", "no kind", "a whole number", "an amount such as"):
        assert words in reasons


@pytest.mark.parametrize("text", ["", "name,starts\nx,2025-01-01", "name,starts,ends\n" + "x" * 1_000_001])
def test_a_file_that_is_none_writes_nothing(database: Engine, text: str) -> None:
    with pytest.raises(InvalidInput):
        take(database, text)
    assert kept(database) == (0, 0, 0)


def test_who_may_not_import_writes_nothing(database: Engine) -> None:
    with pytest.raises(NotAllowed):
        take(database, FILE, Staff(staff_id=None, name="Sue", role=Role.SUPPORT))
    assert kept(database) == (0, 0, 0)
