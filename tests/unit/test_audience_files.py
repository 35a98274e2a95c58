"""Files of an audience: each tool's own form, nobody who may not be contacted, and no more than was asked."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from io import StringIO
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from lib.audience import Audience, Rule
from lib.db.engine import writing
from lib.db.tables.customers import addresses, consents
from lib.db.tables.offers import contact_events, contact_rules, offer_assignments, offers
from lib.db.tables.staff import audit_log
from lib.errors import InvalidInput, NotAllowed
from lib.jobs.audience_files import Written, write_for_tool, write_members, written_file
from lib.jobs.reach import HeldBack, reach
from lib.mart.schema import dim_customer
from lib.mart.snapshot import Snapshot
from lib.outbox.audience import PLATFORMS, Contact, header, lines, names_of, phone_of
from lib.outbox.contact_rules import Message
from lib.settings import Settings
from lib.staff import LOCAL, Role, Staff
from tests.mart_by_hand import MartByHand
from tests.unit.test_contact_rules import Shop

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = date(2026, 3, 10)
VERSIONS = count(10_000)
COUPON = Message(kind="coupon", at=NOON)
VIEWER = Staff(staff_id=None, name="Vera", role=Role.VIEWER)
ANNA = Contact(
    customer_id=7,
    name="Anna Maria O'Brien-Müller",
    email=" Anna.Lee@Gmail.com",
    phone="0171 / 123 45 67",
    country="DE",
    region="Berlin",
    city="Bad Tölz",
    postal_code="83646",
    language="de",
)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text)))


def test_meta_and_google_get_hashes_of_what_they_normalise_to_and_nothing_readable() -> None:
    meta, google = PLATFORMS["meta"], PLATFORMS["google"]
    assert cells(header(meta)) == [["email", "phone", "fn", "ln", "zip", "ct", "country", "uid"]]
    normalised = ("anna.lee@gmail.com", "491711234567", "anna maria", "obrienmüller", "83646", "badtölz", "de", "7")
    assert cells(lines(meta, [ANNA])) == [[digest(one) for one in normalised]]
    assert cells(header(google)) == [["Email", "Phone", "First Name", "Last Name", "Country", "Zip"]]
    hashed = [digest(one) for one in ("annalee@gmail.com", "+491711234567", "anna maria", "o'brien-müller")]
    assert cells(lines(google, [ANNA])) == [[*hashed, "DE", "83646"]]


def test_klaviyo_and_mailchimp_get_addresses_they_can_send_to() -> None:
    klaviyo, mailchimp = PLATFORMS["klaviyo"], PLATFORMS["mailchimp"]
    assert cells(header(klaviyo))[0][-1] == "Email Marketing Consent"
    assert cells(lines(klaviyo, [ANNA])) == [
        ["anna.lee@gmail.com", "+491711234567", "Anna Maria", "O'Brien-Müller", "Bad Tölz", "DE", "de", "Subscribe"]
    ]
    assert cells(lines(mailchimp, [ANNA])) == [
        ["anna.lee@gmail.com", "Anna Maria", "O'Brien-Müller", "+491711234567", "DE", "de"]
    ]


def test_what_is_not_known_stays_empty_and_is_never_the_hash_of_nothing() -> None:
    bare = Contact(customer_id=1, email="a@example.org")
    assert cells(lines(PLATFORMS["meta"], [bare])) == [[digest("a@example.org"), "", "", "", "", "", "", digest("1")]]
    assert lines(PLATFORMS["google"], [Contact(customer_id=2, name="Nobody Known")]) == ""


def test_no_cell_runs_as_a_formula_or_ends_its_line() -> None:
    evil = Contact(customer_id=1, email="a@example.org", name="=HYPERLINK(1)\r\nx", city="@SUM(1)")
    (row,) = cells(lines(PLATFORMS["klaviyo"], [evil]))
    assert row[2:5] == ["'=HYPERLINK(1)", "x", "'@SUM(1)"]


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+49 (0)30 901820", "DE", "+4930901820"),
        ("0043 1 58858", "DE", "+43158858"),
        ("12 34 56 78", "DK", "+4512345678"),
        ("030 901820", "", ""),
        ("12", "US", ""),
        ("call me", "DE", ""),
    ],
)
def test_a_number_is_written_with_its_country_or_left_out(text: str, country: str, number: str) -> None:
    assert phone_of(text, country) == number


def test_a_name_is_parted_at_its_last_word() -> None:
    assert names_of("") == ("", "")
    assert names_of("  Ben ") == ("Ben", "")


@pytest.fixture
def mart(database: Engine, store: object) -> Iterator[Snapshot]:
    """Eight customers: 1, 7, 8 agreed; 2 never; 3 unsubscribed; 4, 5 are held out; 6 has no address."""
    by_hand = MartByHand(next(VERSIONS))
    with writing(database) as connection:
        shop = Shop(connection)
        for key in range(1, 9):
            email = None if key == 6 else f"p{key}@example.org"
            consent = None if key == 2 else "given"
            shop.person(
                consent=consent,
                customer_id=key,
                name=f"=P {key}",
                email=email,
                email_normalised=email,
                phone="030 1234567",
            )
            by_hand.add(
                dim_customer,
                [
                    {
                        "customer_id": key,
                        "occasions": 1,
                        "last_day": 20_000,
                        "has_consent": key != 2,
                        "has_address": key != 6,
                    }
                ],
            )
        shop.add(addresses, customer_id=7, kind="shipping", country="DE", postal_code="10115", city="Berlin")
        shop.add(consents, customer_id=7, channel="sms", state="given", source="test")
        shop.add(
            contact_events,
            idempotency_key="u",
            customer_id=3,
            kind="unsubscribed",
            source="test",
            occurred_at=datetime(2026, 3, 11, tzinfo=UTC),
        )
        for key, status in ((4, "running"), (5, "paused"), (7, "finished")):
            offer = shop.add(offers, name=status, kind="coupon", status=status)
            shop.add(offer_assignments, offer_id=offer, customer_id=key, arm="holdout", assigned_at=NOON)
    yield by_hand.snapshot()


def rows(written: Written) -> list[list[str]]:
    return cells(written.path.read_text(encoding="utf-8-sig"))


def test_a_list_names_everybody_with_the_reason_that_holds_her_back(
    settings: Settings, database: Engine, mart: Snapshot
) -> None:
    seen: list[int] = []
    written = write_members(
        settings, mart, Audience(), TODAY, COUPON, LOCAL, name="All / of them", progress=seen.append
    )
    found = rows(written)
    assert found[0][0] == "customer" and found[0][-1] == "held back"
    assert {row[0]: row[-1] for row in found[1:]} == {
        "1": "",
        "2": "Has not agreed to advertising",
        "3": "Unsubscribed",
        "4": "In a holdout",
        "5": "In a holdout",
        "6": "No e-mail address",
        "7": "",
        "8": "",
    }
    assert found[1][1:3] == ["'=P 1", "p1@example.org"]
    assert (written.rows, seen, written.path.name) == (8, [8], "all-of-them.csv")
    assert written.left_out == {"no_consent": 1, "unsubscribed": 1, "holdout": 2, "no_address": 1}
    assert written.path.stat().st_mode & 0o077 == 0
    with database.connect() as connection:
        (entry,) = connection.execute(select(audit_log.c.action, audit_log.c.details)).all()
    assert entry.action == "rows.exported" and entry.details["after"]["rows"] == 8


def test_a_role_that_may_not_see_names_gets_them_masked(settings: Settings, database: Engine, mart: Snapshot) -> None:
    text = write_members(settings, mart, Audience(), TODAY, COUPON, VIEWER, name="all").path.read_text(encoding="utf-8")
    assert "p1@example.org" not in text and "p…@e…" in text


def test_a_tool_gets_nobody_who_is_held_out_or_may_not_be_contacted(
    settings: Settings, database: Engine, mart: Snapshot
) -> None:
    written = write_for_tool(settings, mart, Audience(), TODAY, COUPON, LOCAL, tool="klaviyo", name="Spring")
    assert [row[0] for row in rows(written)[1:]] == ["p1@example.org", "p7@example.org", "p8@example.org"]
    # A phone number only with a consent to text messages.
    assert [row[1] for row in rows(written)[1:]] == ["", "+49301234567", ""]
    assert written.rows == 3 and sum(written.left_out.values()) == 5
    assert written.path.name == "spring-klaviyo.csv"


def test_the_global_holdout_is_left_out_too(settings: Settings, database: Engine, mart: Snapshot) -> None:
    with writing(database) as connection:
        connection.execute(insert(contact_rules).values(contact_rules_id=1, salt="s", global_holdout_share=0.99))
    written = write_for_tool(settings, mart, Audience(), TODAY, COUPON, LOCAL, tool="google", name="x")
    assert written.left_out["holdout"] >= 4


def test_a_file_is_handed_to_who_had_it_written_alone_and_a_failed_one_leaves_nothing(
    settings: Settings, database: Engine, mart: Snapshot
) -> None:
    written = write_members(settings, mart, Audience(), TODAY, COUPON, LOCAL, name="all")
    assert written_file(settings, written.token, LOCAL) == written.path
    other = Staff(staff_id=5, name="Otto", role=Role.OWNER)
    assert written_file(settings, written.token, other) is None
    assert written_file(settings, "../" + written.token, LOCAL) is None
    folder = Path(settings.data_dir) / "exports"
    before = sorted(folder.iterdir())
    with pytest.raises(InvalidInput):
        write_for_tool(settings, mart, Audience(), TODAY, COUPON, LOCAL, tool="myspace", name="x")
    with pytest.raises(NotAllowed):
        write_for_tool(settings, mart, Audience(), TODAY, COUPON, VIEWER, tool="meta", name="x")
    with pytest.raises(InvalidInput):
        write_members(settings, mart, Audience((Rule(field="country"),)), TODAY, COUPON, LOCAL, name="x")
    assert sorted(folder.iterdir()) == before
    with database.connect() as connection:
        assert len(connection.execute(select(audit_log.c.action)).all()) == 1


def test_the_reach_of_an_audience_adds_up_and_tells_each_reason_once(
    settings: Settings, database: Engine, mart: Snapshot
) -> None:
    found = reach(settings, mart, Audience(), TODAY, COUPON)
    assert (found.total, found.free) == (8, 5)
    assert found.held == (
        HeldBack(reason="no_address", words="No e-mail address", customers=1),
        HeldBack(reason="unsubscribed", words="Unsubscribed", customers=1),
        HeldBack(reason="no_consent", words="Has not agreed to advertising", customers=1),
    )
    service = reach(settings, mart, Audience(), TODAY, Message(kind="tracking_notice", at=NOON))
    assert (service.free, [one.reason for one in service.held]) == (7, ["no_address"])


def test_a_cap_of_no_messages_holds_everybody_back(settings: Settings, database: Engine, mart: Snapshot) -> None:
    with writing(database) as connection:
        connection.execute(insert(contact_rules).values(contact_rules_id=1, salt="s", most_messages=0))
    found = reach(settings, mart, Audience(), TODAY, COUPON)
    assert found.free == 0 and {one.reason: one.customers for one in found.held}["too_often"] == 5
