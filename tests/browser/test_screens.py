"""What a person does in her browser."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessible import broken_rules, sticks_out
from tests.browser.conftest import Visit, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = {
    "/": "Today",
    "/repeat": "Repeat",
    "/to_do": "To do",
    "/what_if": "What-if",
    "/imports": "Imports",
    "/outbox": "Outbox",
    "/reviews": "Reviews",
    "/tickets": "Tickets",
    "/customers": "Customers",
    "/offers": "Offers",
    "/audiences": "Audiences",
    "/staff": "Staff",
    "/audit": "Audit",
}
# Who works here is the same in any store: these say nothing of its data.
UNMARKED = {"/staff", "/audit"}


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize("path", list(PAGES))
def test_every_page_opens_cold_and_keeps_nobody_out_beyond_what_streamlit_itself_does(
    app: str, visit: Visit, path: str, width: int, scheme: str
) -> None:
    page = visit(app, path, width=width, scheme=scheme)
    expect(page.get_by_role("heading", name=PAGES[path], exact=True)).to_be_visible()
    assert page.get_by_text("Something went wrong").count() == 0
    assert page.locator("[data-testid=stException]").count() == 0
    assert ("Demo store: invented data" in page.locator("body").inner_text()) == (path not in UNMARKED)
    # Nothing stands out to the side: the page itself never scrolls sideways.
    assert sticks_out(page) <= 0
    assert broken_rules(page) == {}


def test_a_link_to_a_period_shows_that_period(app: str, visit: Visit) -> None:
    page = visit(app, "/?period=7d&compare=Year+before")
    expect(page.get_by_role("radio", name="7d")).to_be_checked()
    assert "compared with" in page.locator("body").inner_text()


def test_the_period_holds_across_pages_and_stands_in_the_address(app: str, visit: Visit) -> None:
    page = visit(app)
    page.get_by_role("radio", name="90d").click()
    settled(page)
    assert "period=90d" in page.url
    page.get_by_role("link", name="Repeat").click()
    settled(page)
    expect(page.get_by_role("radio", name="90d")).to_be_checked()
    page.get_by_role("link", name="Imports").click()
    settled(page)
    page.get_by_role("link", name="Today").click()
    settled(page)
    expect(page.get_by_role("radio", name="90d")).to_be_checked()
    assert "period=90d" in page.url


def _dialog_of(page: Page, key: str) -> str:
    page.locator(f".st-key-figure_{key} button:visible").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    settled(page)
    return dialog.inner_text()


def _amount(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.−-]", "", text).replace("−", "-"))


@pytest.mark.parametrize("key", ["net_sales", "orders"])
def test_a_figure_opens_and_its_download_adds_up_to_it(app: str, visit: Visit, key: str) -> None:
    page = visit(app)
    words = _dialog_of(page, key)
    for part in ("What it means", "Formula", "Counted", "The rows behind it"):
        assert part in words
    said = re.search(r"rows add up to (.+?)\.(?:\s|$)", words)
    assert said
    with page.expect_download() as waiting:
        page.get_by_role("dialog").get_by_role("button", name="Download these rows (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8-sig"))))
    assert sum(Decimal(row["amount"]) for row in rows) == _amount(said.group(1))
    assert f"{len(rows):,} rows" in words


# What opens on each page: the key of the way in, and whether its dialog has a choice above the account.
WAYS_IN = {
    "/": {"open_day": True, "open_moved": True, "open_product": True, "open_bridge": True, "figure_net_sales": True},
    "/repeat": {
        "open_shares": True,
        "open_sales_share": True,
        "open_survival": False,
        "open_cohort": True,
        "open_next": True,
        "open_worth": True,
        "open_lifetime": True,
    },
}


@pytest.mark.parametrize("path", list(WAYS_IN))
def test_every_kind_of_figure_opens_by_keyboard_and_its_file_is_its_rows(app: str, visit: Visit, path: str) -> None:
    page = visit(app, path)
    if "open_lifetime" in WAYS_IN[path]:
        page.locator(".st-key-lifetime_ask button:visible").press("Enter")
        page.locator(".st-key-open_lifetime button:visible").wait_for(timeout=60_000)
        settled(page)
    for key, has_choice in WAYS_IN[path].items():
        page.locator(f".st-key-{key} button:visible").first.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        settled(page)
        if has_choice:
            # Chosen by keys alone, whichever entry they take.
            choice = dialog.get_by_role("combobox").first
            choice.focus()
            choice.press("ArrowDown")
            choice.press("Enter")
            settled(page)
        words = dialog.inner_text()
        for part in ("What it means", "Formula", "Counted", "The rows behind it"):
            assert part in words, key
        said = re.search(r"([\d,]+) rows? adds? up to (.+?)\.(?:\s|$)", words)
        assert said, key
        with page.expect_download() as waiting:
            dialog.get_by_role("button", name="Download these rows (CSV)").press("Enter")
        rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8-sig"))))
        assert f"{len(rows):,}" == said.group(1), key
        assert sum(Decimal(row["amount"]) for row in rows) == _amount(said.group(2)), key
        dialog.get_by_role("button", name="Close").press("Enter")
        expect(dialog).to_have_count(0)
        settled(page)


def test_a_queue_opens_its_rows(app: str, visit: Visit) -> None:
    page = visit(app)
    first = page.locator("[class*='st-key-open_'] button:visible").first
    first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    settled(page)
    expect(dialog.locator("[data-testid=stDataFrame]")).to_be_visible()


def test_the_split_of_the_change_is_drawn_anew_in_place(app: str, visit: Visit) -> None:
    page = visit(app)
    box = page.locator(".st-key-split").get_by_role("combobox")
    box.focus()
    box.press("ArrowDown")
    page.get_by_role("option", name="Channel", exact=True).click()
    settled(page)
    expect(page.locator(".st-key-moved").get_by_text("shifted mix")).to_be_visible()
