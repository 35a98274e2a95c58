"""What a person does with an offer in her browser: begin it, write it, try it, have it approved, start and stop it."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from lib.db.engine import order_database, reading
from lib.db.tables.offers import offers
from lib.settings import read_settings
from tests.browser.accessible import broken_rules, sticks_out
from tests.browser.conftest import Visit, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_an_offer_from_its_first_draft_to_its_end(own_app: str, visit: Visit) -> None:
    page = visit(own_app, "/offers")
    page.get_by_role("button", name="New offer").click()
    page.get_by_text("Coupon", exact=True).click()
    expect(page.get_by_text("A draft was begun.")).to_be_visible(timeout=30_000)
    settled(page)
    assert "offer=" in page.url
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()

    page.get_by_label("Link", exact=True).fill("https://your-shop.example/again")
    page.get_by_label("Link", exact=True).press("Enter")
    expect(page.get_by_text("1 change not saved yet")).to_be_visible(timeout=30_000)
    # Another tab, and the page anew: what was typed is still there.
    page.get_by_role("tab", name="Content").click()
    expect(page.get_by_text("As a customer reads it")).to_be_visible(timeout=30_000)
    settled(page)
    expect(page.get_by_text("1 change not saved yet")).to_be_visible()
    page.reload()
    settled(page)
    expect(page.get_by_text("1 change not saved yet")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible(timeout=30_000)
    settled(page)

    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved.", exact=True)).to_be_visible(timeout=30_000)
    settled(page)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Started.", exact=True)).to_be_visible(timeout=30_000)
    settled(page)
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_text("Stopped.", exact=True)).to_be_visible(timeout=30_000)
    settled(page)
    page.get_by_role("link", name="All offers").click()
    settled(page)
    page.get_by_text("Over ·").click()
    settled(page)
    expect(page.get_by_role("link", name="A thank-you for the next order")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_editor_is_fit_for_everybody(own_app: str, visit: Visit, width: int, scheme: str) -> None:
    page = visit(own_app, "/offers?look=Calendar", width=width, scheme=scheme)
    assert broken_rules(page) == {}
    page.goto(f"{own_app}/offers")
    settled(page)
    assert broken_rules(page) == {}
    page.get_by_role("button", name="New offer").click()
    page.get_by_text("Complementary products", exact=True).click()
    expect(page.get_by_text("A draft was begun.")).to_be_visible(timeout=30_000)
    settled(page)
    for part in ("Plan", "Content", "Versions"):
        page.get_by_role("tab", name=part).click()
        settled(page)
        assert broken_rules(page) == {}, part
        assert sticks_out(page) <= 0, part


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_what_is_read_before_and_after_a_start_is_fit_for_everybody(
    app: str, visit: Visit, demo_data: Path, width: int, scheme: str
) -> None:
    with reading(order_database(read_settings({"ENCORE_DATA_DIR": str(demo_data)}))) as connection:
        newest = select(offers.c.status, func.max(offers.c.offer_id).label("key")).group_by(offers.c.status)
        keys = {row.status: row.key for row in connection.execute(newest)}
    addresses = {
        f"/offers?offer={keys['running']}&part=Result": "Redeemed: use, not effect",
        f"/offers?offer={keys['approved']}&part=Audience": "Audience",
        f"/offers?offer={keys['running']}&part=Start": "What the result could show",
        "/what_if?if_view=Scoreboard": "Scoreboard",
        "/what_if?if_view=Delivery+and+returns": "Delivery and returns",
    }
    page = visit(app, "/offers", width=width, scheme=scheme)
    for address, words in addresses.items():
        page.goto(app + address)
        settled(page)
        expect(page.get_by_text(words).first).to_be_visible(timeout=30_000)
        assert broken_rules(page) == {}, address
        assert sticks_out(page) <= 0, address
