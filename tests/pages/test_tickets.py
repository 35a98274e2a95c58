"""Tickets on a page: who waits comes first, an answer goes out, a note stays in, and roles hold."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from lib.db.engine import order_database, reading, writing
from lib.db.service import settle_open
from lib.db.tables.columns import now
from lib.db.tables.offers import outbox_messages
from lib.db.tables.tickets import ticket_messages, tickets
from lib.settings import Settings, read_settings
from tests.pages.conftest import Open
from tests.pages.test_pages import texts

HOSTILE = "<script>alert(1)</script> **bold** =cmd() \u202e"


@pytest.fixture
def shop(stores: dict[str, Settings], tmp_path: Path) -> Settings:
    """A shop with one order and two tickets that wait, one with hostile words."""
    shutil.copytree(stores["single"].data_dir, tmp_path / "data")
    made = read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")})
    with writing(order_database(made)) as conn:
        for key, subject, hours in ((1, "Where is it?", 3), (2, HOSTILE, 5)):
            at = now() - timedelta(hours=hours)
            conn.execute(
                insert(tickets).values(
                    source="test",
                    external_id=str(key),
                    fingerprint="x",
                    customer_id=1,
                    channel="email",
                    subject=subject,
                    opened_at=at,
                    requester_email="ann@example.com",
                )
            )
            conn.execute(
                insert(ticket_messages).values(ticket_id=key, author="customer", sent_at=at, body=f"{HOSTILE} {key}")
            )
        settle_open(conn)
    return made


@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_it_opens_on_every_store(open_page: Open, store: str) -> None:
    at = open_page(store, "tickets")
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert at.title[0].value == "Tickets"


def test_the_most_overdue_is_open_and_hostile_words_stay_words(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "tickets")
    assert not at.exception
    assert at.radio[0].options[0].startswith(":red[:material/mail:]")
    assert f"{HOSTILE} 2" in [text.value for text in at.text]
    assert not [each.value for each in (*at.markdown, *at.caption) if "<script>" in each.value]
    assert "4 hours past its time" in texts(at)


def test_an_answer_leaves_and_stops_the_clock(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "tickets", ticket="1")
    at.button(key="answer_ticket_1").click().run()
    at.text_area(key="answer_1").set_value("It is on its way.").run()
    at.button(key="send_ticket_1").click().run()
    assert not at.exception
    with reading(order_database(shop)) as conn:
        row = conn.execute(select(tickets).where(tickets.c.ticket_id == 1)).mappings().one()
        mail = conn.execute(select(outbox_messages)).mappings().one()
    assert (row["status"], row["response_due_at"], row["version"]) == ("waiting_for_customer", None, 2)
    assert (mail["recipient"], mail["body"], mail["about"]) == ("ann@example.com", "It is on its way.", "ticket")


def test_a_note_never_leaves(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "tickets", ticket="1")
    at.button(key="note_ticket_1").click().run()
    at.text_area(key="answer_1").set_value("Ask the carrier.").run()
    at.button(key="send_ticket_1").click().run()
    assert not at.exception
    with reading(order_database(shop)) as conn:
        said = conn.execute(
            select(ticket_messages.c.body, ticket_messages.c.is_public).where(ticket_messages.c.author == "staff")
        ).all()
        assert conn.execute(select(outbox_messages)).first() is None
    assert [tuple(one) for one in said] == [("Ask the carrier.", False)]


def test_two_tickets_of_one_person_can_be_merged(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "tickets", ticket="1")
    at.button(key="merge_2").click().run()
    assert not at.exception
    assert f"{HOSTILE} 2" in [text.value for text in at.text]
    with reading(order_database(shop)) as conn:
        assert conn.scalar(select(tickets.c.merged_into_id).where(tickets.c.ticket_id == 2)) == 1


@pytest.mark.parametrize("store", ["demo", "empty", "single"])
@pytest.mark.parametrize("part", ["Figures", "Staffing"])
def test_figures_and_staffing_open_on_every_store(open_page: Open, store: str, part: str) -> None:
    at = open_page(store, "tickets", part=part, period="12m")
    assert not at.exception
    assert [error.value for error in at.error] == []
    words = texts(at)
    if store == "empty":
        assert "No orders yet" in words
    elif part == "Staffing":
        assert ("hours of work a week" in words) == (store == "demo")
    else:
        assert "Missing how-to guides" in words
        assert ("A ticket is its owner's" in words) == (store == "demo")
        assert ("By channel" in words) and ("No ticket of these days was answered" in words) == (store == "single")


def test_more_minutes_per_ticket_take_more_people(open_page: Open) -> None:
    at = open_page("demo", "tickets", part="Staffing", period="12m")

    def hours() -> int:
        (said,) = [each.value for each in at.markdown if "hours of work a week" in each.value]
        return int(said.removeprefix("**").split(" ")[0].replace(",", ""))

    few = hours()
    at.slider(key="staffing_handling").set_value(60)
    at.slider(key="staffing_target").set_value(1)
    at.slider(key="staffing_share").set_value(99).run()
    assert hours() > few > 0


def test_a_promise_is_changed_and_open_deadlines_move(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "tickets", part="Figures")
    assert "A first answer is promised within 5 minutes (chat), 1 hour (all others)." in texts(at).replace("\\", "")
    at.selectbox(key="target_channel").set_value("email").run()
    at.number_input(key="target_email_0_number").set_value(2)
    at.selectbox(key="target_email_0_unit").set_value("days")
    at.button(key="target_email_0_save").click().run()
    assert not at.exception
    assert "5 minutes (chat), 2 days (email), 1 hour (all others)" in texts(at).replace("\\", "")
    with reading(order_database(shop)) as conn:
        rows = conn.execute(select(tickets.c.waiting_since, tickets.c.response_due_at)).all()
    assert [due - since for since, due in rows] == [timedelta(days=2)] * 2
