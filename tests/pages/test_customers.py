"""The customers' page: found, told, masked for those who may not see names, and noted."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.customers import consents, customer_identities, customer_notes, customers
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.reviews import reviews
from lib.db.tables.staff import audit_log
from lib.db.tables.tickets import tickets
from lib.settings import Settings, read_settings
from lib.staff import Role, Staff
from tests.pages.conftest import Open, SitDown
from tests.pages.test_pages import texts

HOSTILE = "<script>alert(1)</script> **bold** [x](javascript:1) =cmd() \u202e\u200b \U0001f600"
VIEWER = Staff(staff_id=3, name="Vic", role=Role.VIEWER)
SUPPORT = Staff(staff_id=2, name="Sue", role=Role.SUPPORT)


@pytest.fixture
def shop(stores: dict[str, Settings], tmp_path: Path) -> Settings:
    """A shop with one order of Ann, who wrote a lot, some of it hostile."""
    shutil.copytree(stores["single"].data_dir, tmp_path / "data")
    made = read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")})
    told: dict[str, Any] = {"source": "test", "fingerprint": "x", "customer_id": 1}
    with writing(order_database(made)) as conn:
        conn.execute(
            update(customers)
            .where(customers.c.customer_id == 1)
            .values(name="Ann Becker", email="ann@example.com", email_normalised="ann@example.com", city="Bonn",
                    note=HOSTILE, phone="+49 228 1")
        )  # fmt: skip
        conn.execute(insert(customer_identities).values(customer_id=1, source="email", external_id="ann@example.com"))
        conn.execute(insert(consents).values(customer_id=1, channel="email", state="given", source="shopify"))
        conn.execute(insert(reviews).values(**told, external_id="1", rating=1, title=HOSTILE, written_at=now()))
        conn.execute(
            insert(tickets).values(
                **told, external_id="1", channel="email", subject="Ann Becker waits", opened_at=now()
            )
        )
        conn.execute(
            insert(outbox_messages).values(
                idempotency_key="1", channel="email", customer_id=1, subject="Dear Ann Becker", queued_at=now()
            )
        )
    return made


@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_it_opens_on_every_store(open_page: Open, store: str) -> None:
    at = open_page(store, "customers")
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert at.title[0].value == "Customers"
    words = texts(at)
    assert ("Nobody has ordered yet" in words) == (store == "empty")
    assert ("Too early to tell" in [metric.label for metric in at.metric]) == (store == "single")


def test_the_stages_are_shown_with_what_they_come_to(open_page: Open) -> None:
    at = open_page("demo", "customers")
    assert [metric.label for metric in at.metric] == ["New", "Active", "Due", "At risk", "Lapsed"]
    everybody = sum(int(metric.value.replace(",", "")) for metric in at.metric)
    assert f"{everybody:,} customers who ordered" in texts(at)


@pytest.mark.parametrize("asked", ["1", "99", "x", "-1", "1e3", "9" * 30, "\u0661"])
def test_whatever_the_address_names_the_page_answers(open_page: Open, asked: str) -> None:
    at = open_page("single", "customers", customer=asked)
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert ("There is no customer of that number" in texts(at)) == (asked == "99")


def test_somebody_with_one_order_is_told_of_honestly(open_page: Open) -> None:
    at = open_page("single", "customers", customer="1")
    words = texts(at)
    assert "Order \\#1" in words
    assert "Mug \\<b\\>\\*bold\\*\\</b\\>" in words
    assert "Too few to say" in words
    assert "Too few one\\-time buyers" in words or "Too few one-time buyers" in words
    assert "None is on record" in words


def test_a_person_is_found_by_typing_and_opened(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "customers")
    at.text_input(key="customer_search").set_value("becker").run()
    assert not at.exception
    at.button(key="see_1").click().run()
    assert not at.exception
    assert at.query_params["customer"] == "1"
    assert at.header[0].value == "Ann Becker"
    assert at.text_input(key="customer_search").value == ""
    at.button(key="all_customers").click().run()
    assert "customer" not in at.query_params


def test_hostile_words_stay_words(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "customers", customer="1")
    assert not at.exception
    written = [each.value for each in (*at.markdown, *at.caption, *at.header)]
    assert any("alert" in one for one in written)
    assert not [one for one in written if "<script>" in one or "**bold**" in one or "](java" in one or "\u202e" in one]
    assert HOSTILE in [text.value for text in at.text]


def test_the_timeline_is_filtered_by_kind(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "customers", customer="1")
    assert "Ticket by email" in texts(at)
    at.button_group(key="customer_kinds_1").set_value(["review"]).run()
    assert not at.exception
    assert "1 star" in texts(at)
    assert "Ticket by email" not in texts(at)


def test_the_timeline_goes_on_page_by_page(open_page: Open, stores: dict[str, Settings]) -> None:
    with reading(order_database(stores["demo"])) as conn:
        buyer = conn.scalar(
            select(orders.c.customer_id)
            .where(orders.c.customer_id.is_not(None))
            .group_by(orders.c.customer_id)
            .order_by(func.count().desc(), orders.c.customer_id)
        )
    at = open_page("demo", "customers", customer=str(buyer))
    seen = texts(at)
    at.button(key=f"timeline_earlier_{buyer}").click().run()
    assert not at.exception
    assert texts(at) != seen
    at.button(key=f"timeline_later_{buyer}").click().run()
    assert texts(at) == seen


def test_a_viewer_sees_nobodys_name_nor_words(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    sit_down(VIEWER)
    at = open_page(shop.data_dir, "customers", customer="1")
    assert not at.exception
    words = "\n".join(str(each.value) for each in (*at.markdown, *at.caption, *at.header, *at.text)) + texts(at)
    for secret in ("Becker", "ann@", "Bonn", "+49", "alert", "waits", "Dear"):
        assert secret not in words
    assert "A… B…" in words.replace("\\", "")
    assert "Order \\#1" in words
    assert not [button for button in at.button if button.key == "save_note_1"]
    at.text_input(key="customer_search").set_value("ann").run()
    assert not [button for button in at.button if str(button.key).startswith("see_")]
    at.text_input(key="customer_search").set_value("#1").run()
    assert at.button(key="see_1").label.replace("\\", "") == "A… B…"


def test_an_erased_person_is_shown_as_erased(open_page: Open, shop: Settings) -> None:
    with writing(order_database(shop)) as conn:
        conn.execute(
            update(customers)
            .where(customers.c.customer_id == 1)
            .values(name=None, email=None, email_normalised=None, erased_at=now() - timedelta(hours=2))
        )
    at = open_page(shop.data_dir, "customers", customer="1")
    assert not at.exception
    assert at.header[0].value == "Erased person 1"
    assert "nothing that names this person is kept" in texts(at)
    assert not [area for area in at.text_area if area.key == "note_1"]


def test_a_note_is_kept_corrected_and_kept_apart_from_stale_ones(
    open_page: Open, shop: Settings, sit_down: SitDown
) -> None:
    at = open_page(shop.data_dir, "customers", customer="1")
    at.text_area(key="note_1").set_value("Rings on Mondays.").run()
    at.button(key="save_note_1").click().run()
    assert not at.exception
    assert at.text_area(key="note_1").value == ""
    assert "Rings on Mondays." in [text.value for text in at.text]
    at.text_area(key="correct_1").set_value("Rings on Tuesdays.")
    at.button(key="save_correct_1").click().run()
    assert [text.value for text in at.text if "Rings" in text.value] == ["Rings on Tuesdays.", "Rings on Mondays."]
    with reading(order_database(shop)) as conn:
        assert conn.scalars(select(customer_notes.c.replaces_id).order_by(customer_notes.c.customer_note_id)).all() == [
            None,
            1,
        ]
        assert conn.scalars(select(audit_log.c.action).order_by(audit_log.c.audit_id)).all() == [
            "customer.noted",
            "customer.note_corrected",
        ]


def test_the_compact_story_leads_to_the_whole_one(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "tickets", ticket="1")
    assert not at.exception
    (link,) = [each.proto for each in at.get("page_link") if each.proto.label == "See the whole story"]
    assert link.query_string == "customer=1"
