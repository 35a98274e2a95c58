"""Working the inbox of tickets as a person does: with the keyboard alone, on a phone, whatever customers write."""

import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from sqlalchemy import Engine, insert, select

from lib.db.engine import open_engine, reading, writing
from lib.db.service import settle_open
from lib.db.tables.columns import now
from lib.db.tables.offers import outbox_messages
from lib.db.tables.tickets import ticket_messages, tickets
from tests.browser.accessible import broken_rules, sticks_out
from tests.browser.conftest import Visit, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PARTS = ("Inbox", "Figures", "Staffing", "Macros")
HOSTILE = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'> **bold** [link](https://evil.example) "
    "=cmd()|'/c calc'!A1 \u202egnihton \u200b\u200d\ufeff :red[red] $x^2$ 👩‍👩‍👧‍👦 " + "n" * 300
)


def _press(page: Page, key: str) -> None:
    page.keyboard.press(key)
    settled(page)


def _opened(page: Page) -> int:
    found = re.search(r"[?&]ticket=(\d+)", page.url)
    return int(found.group(1)) if found else 0


def _begin(page: Page) -> int:
    """Open the second line by key, as soon as keys are heard; gives the ticket's key."""
    page.locator(".st-key-ticket_actions").wait_for()
    for _ in range(5):
        _press(page, "j")
        if _opened(page):
            return _opened(page)
    raise AssertionError("no key was heard")


def _write(page: Page, key: str, name: str, words: str) -> None:
    """Open the editor by key, as soon as keys are heard, and type; the cursor is there already."""
    box = page.get_by_role("textbox", name=name)
    for _ in range(5):
        _press(page, key)
        with suppress(PlaywrightTimeout):
            box.wait_for(timeout=6_000)
            break
    expect(box).to_be_focused()
    page.keyboard.type(words, delay=5)
    expect(page.get_by_text("Draft kept")).to_be_visible(timeout=15_000)
    settled(page)
    _press(page, "Control+Enter")


@pytest.fixture
def desk(own_app: str, tmp_path: Path) -> Engine:
    """The order database of the test's own app, with four tickets past their time, the worst one with hostile words."""
    engine = open_engine(f"sqlite:///{tmp_path / 'data' / 'order.db'}")
    with writing(engine) as conn:
        for number in range(4):
            at = now() - timedelta(hours=9 - number)
            words = HOSTILE if number == 0 else f"Where is parcel {number}?"
            made = conn.execute(
                insert(tickets).values(
                    source="test",
                    external_id=f"t{number}",
                    fingerprint="x",
                    channel="email",
                    subject=words,
                    topic=words[:100] if number == 0 else None,
                    opened_at=at,
                    requester_name=HOSTILE[:200] if number == 0 else f"Bea {number}",
                    requester_email=f"bea{number}@example.com",
                )
            ).inserted_primary_key
            said = {"ticket_id": (made or (0,))[0], "author": "customer", "sent_at": at}
            conn.execute(insert(ticket_messages).values(**said, body=words))
            if number == 0:
                conn.execute(insert(ticket_messages).values(**said, body=f"{HOSTILE} " + "long " * 200_000))
        settle_open(conn)
    return engine


def test_the_inbox_is_worked_with_the_keyboard_alone(own_app: str, desk: Engine, visit: Visit) -> None:
    page = visit(own_app, "/tickets")
    key = _begin(page)
    _write(page, "a", "Your answer", "It comes tomorrow, jkaxmdn.")
    expect(page.get_by_text("Answer saved, and queued as a mail")).to_be_visible(timeout=15_000)
    asker = select(tickets.c.requester_email).where(tickets.c.ticket_id == key).scalar_subquery()
    with reading(desk) as conn:
        said = conn.execute(
            select(ticket_messages.c.body, ticket_messages.c.is_public, outbox_messages.c.recipient, asker)
            .join(outbox_messages, outbox_messages.c.outbox_message_id == ticket_messages.c.outbox_message_id)
            .where(ticket_messages.c.ticket_id == key, ticket_messages.c.author == "staff")
        ).all()
    ((body, is_public, recipient, wanted),) = said
    assert (body, is_public, recipient) == ("It comes tomorrow, jkaxmdn.", True, wanted)
    assert wanted.startswith("bea")
    _press(page, "j")
    other = _opened(page)
    assert other not in {0, key}
    _write(page, "m", "Your note", "Ask the carrier.")
    expect(page.get_by_text("Ask the carrier.").first).to_be_visible(timeout=15_000)
    _press(page, "d")
    expect(page.get_by_role("button", name="Reopen")).to_be_visible(timeout=15_000)
    with reading(desk) as conn:
        status, public = conn.execute(
            select(tickets.c.status, ticket_messages.c.is_public)
            .join(ticket_messages, ticket_messages.c.ticket_id == tickets.c.ticket_id)
            .where(tickets.c.ticket_id == other, ticket_messages.c.author == "staff")
        ).one()
    assert (status, public) == ("closed", False)


@pytest.mark.parametrize("width", [1440, 390])
def test_whatever_customers_write_stays_words(own_app: str, desk: Engine, visit: Visit, width: int) -> None:
    with reading(desk) as conn:
        worst = conn.execute(
            select(tickets.c.ticket_id).where(tickets.c.source == "test", tickets.c.external_id == "t0")
        ).scalar_one()
    page = visit(own_app, f"/tickets?ticket={worst}", width=width)
    expect(page.locator(".st-key-ticket").get_by_text("<script>window.hacked = 1</script>").first).to_be_visible()
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("a[href*='evil.example'], img[src='x']").count() == 0
    assert sticks_out(page) <= 0


def test_a_phone_shows_the_list_first_then_the_ticket_in_its_place(app: str, visit: Visit) -> None:
    page = visit(app, "/tickets?view=all", width=390)
    expect(page.locator(".st-key-inbox_list")).to_be_visible()
    expect(page.locator(".st-key-inbox_item")).to_be_hidden()
    page.locator(".st-key-inbox_lines label:has(input[type=radio])").nth(1).click()
    settled(page)
    expect(page.locator(".st-key-inbox_item")).to_be_visible()
    page.get_by_role("button", name="Back to the list").click()
    settled(page)
    expect(page.locator(".st-key-inbox_list")).to_be_visible()


def test_an_hour_of_the_week_opens_to_its_tickets_by_keyboard(app: str, visit: Visit) -> None:
    page = visit(app, "/tickets?part=Figures&period=12m")
    page.locator(".st-key-open_ticket_hour button:visible").first.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Tickets of an hour of the week")).to_be_visible(timeout=15_000)
    settled(page)
    expect(dialog.get_by_role("combobox", name="Hour")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_opens_cold_fits_and_keeps_nobody_out(
    app: str, visit: Visit, part: str, width: int, scheme: str
) -> None:
    page = visit(app, f"/tickets?part={part}&view=all&period=12m", width=width, scheme=scheme)
    expect(page.get_by_role("heading", name="Tickets", exact=True)).to_be_visible()
    assert page.get_by_text("Something went wrong").count() == 0
    assert sticks_out(page) <= 0
    if part == "Inbox" and width > 640:
        _press(page, "a")
    assert broken_rules(page) == {}
