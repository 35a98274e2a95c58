"""What a person does with an offer in her browser: begin it, write it, try it, have it approved, start and stop it."""

import pytest
from playwright.sync_api import expect

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
