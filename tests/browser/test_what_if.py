"""The what-if as a person uses it: by keyboard, kept, opened again from its link, and read by everybody."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lib.ui.what_if import LOOKS
from tests.browser.accessible import broken_rules, sticks_out
from tests.browser.conftest import Visit, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def card(page: Page, label: str) -> str:
    """The value of a card."""
    found = page.locator("[data-testid=stMetric]").filter(has=page.get_by_text(label, exact=True))
    return found.locator("[data-testid=stMetricValue]").inner_text()


def test_a_slider_moves_the_answer_and_the_address(app: str, visit: Visit) -> None:
    page = visit(app, "/what_if")
    before = card(page, "Pays from")
    slider = page.get_by_role("slider", name="Depth")
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    expect(page.get_by_text("12% off, 14 days after the delivery")).to_be_visible()
    assert card(settled(page), "Pays from") != before
    expect(page).to_have_url(re.compile("if_percent=12"))
    page.reload()
    expect(settled(page).get_by_text("12% off, 14 days after the delivery")).to_be_visible()


def test_a_saved_one_is_the_same_for_whoever_opens_its_link(own_app: str, visit: Visit) -> None:
    page = visit(own_app, "/what_if?if_percent=20&if_delay=21")
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Twenty <b>off</b>")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Its address shows the same screen to everybody")).to_be_visible()
    expect(page.locator(".st-key-if_kept_banner")).to_contain_text("Twenty <b>off</b>")
    cards = {name: card(settled(page), name) for name in ("Pays from", "Profit", "Chance of profit", "Costs")}
    link = page.url.split("?")[0].removeprefix(own_app) + "?saved=" + page.url.split("saved=")[1].split("&")[0]
    other = visit(own_app, link)
    expect(other.get_by_text("20% off, 21 days after the delivery")).to_be_visible()
    assert {name: card(other, name) for name in cards} == cards
    listed = visit(own_app, "/what_if?if_view=Saved")
    expect(listed.locator(".st-key-if_saved_table")).to_be_visible()


def test_the_page_of_paper_comes_as_a_pdf(app: str, visit: Visit, tmp_path: Path) -> None:
    page = visit(app, "/what_if")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PDF").click()
    file = tmp_path / "what_if.pdf"
    waiting.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF-1.4")


@pytest.mark.parametrize("width", [1440, 390])
def test_everybody_can_read_it(app: str, visit: Visit, width: int) -> None:
    page = visit(app, "/what_if", width=width, scheme="dark" if width == 390 else "light")
    told: dict[str, list[str]] = {}
    for look in LOOKS:
        page.get_by_role("tab", name=look).click()
        settled(page).wait_for_timeout(300)
        assert sticks_out(page) <= 0, look
        told |= {f"{look}: {rule}": where for rule, where in broken_rules(page).items()}
    assert told == {}
