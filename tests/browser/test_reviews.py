"""Working the inbox of reviews as a person does: with the keyboard alone, on a phone, two at once."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.accessible import broken_rules, sticks_out
from tests.browser.conftest import Visit, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PARTS = ("Inbox", "Replies", "Figures", "Templates")


def _opened(page: Page) -> str:
    found = re.search(r"[?&]review=(\d+)", page.url)
    return found.group(1) if found else ""


def _press(page: Page, key: str) -> None:
    page.keyboard.press(key)
    settled(page)


def _begin(page: Page) -> str:
    """Open the second line by key, as soon as keys are heard; gives the review's key."""
    page.locator(".st-key-review_actions").wait_for()
    for _ in range(5):
        _press(page, "j")
        if _opened(page):
            return _opened(page)
    raise AssertionError("no key was heard")


def _answer(page: Page, *, by_key: bool = False) -> None:
    """Open the editor by key, as soon as keys are heard."""
    box = page.get_by_role("textbox", name="Your reply")
    for _ in range(5):
        _press(page, "a")
        with suppress(PlaywrightTimeout):
            box.wait_for(timeout=6_000)
            break
    if by_key:
        expect(box).to_be_focused()
    else:
        box.focus()


def _focused(page: Page) -> str:
    return str(page.evaluate("() => document.activeElement.getAttribute('aria-label') || ''"))


@pytest.fixture
def orders(own_app: str, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The order database of the test's own app."""
    with closing(sqlite3.connect(tmp_path / "data" / "order.db", timeout=30)) as connection:
        yield connection


def test_the_inbox_is_worked_with_the_keyboard_alone(own_app: str, visit: Visit, orders: sqlite3.Connection) -> None:
    page = visit(own_app, "/reviews?view=negative")
    second = _begin(page)
    _press(page, "j")
    assert _opened(page) not in {"", second}
    _press(page, "k")
    assert _opened(page) == second
    _answer(page, by_key=True)
    # The cursor is in the editor: letters are words now, not keys.
    page.keyboard.type("Sorry, jakx dn! Write to help@shop.test", delay=5)
    expect(page.get_by_text("Draft kept")).to_be_visible(timeout=15_000)
    settled(page)
    kept = orders.execute("SELECT body FROM drafts WHERE subject_id = ?", (second,)).fetchall()
    assert kept == [("Sorry, jakx dn! Write to help@shop.test",)]
    assert _focused(page) == "Your reply"
    # The word of it stays for a few seconds only: it is looked for at once.
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Reply saved")).to_be_visible(timeout=15_000)
    settled(page)
    sent = orders.execute("SELECT body FROM review_replies WHERE review_id = ?", (second,)).fetchall()
    assert sent == [("Sorry, jakx dn! Write to help@shop.test",)]
    assert orders.execute("SELECT count(*) FROM drafts").fetchone() == (0,)
    _press(page, "j")
    assert _opened(page) != second


def test_what_was_typed_is_there_after_the_window_was_closed(own_app: str, visit: Visit) -> None:
    page = visit(own_app, "/reviews")
    key = _begin(page)
    _answer(page)
    page.keyboard.type("Half a sentence")
    expect(page.get_by_text("Draft kept")).to_be_visible(timeout=15_000)
    page.context.close()
    page = visit(own_app, f"/reviews?review={key}")
    page.locator(".st-key-review_actions").wait_for()
    _answer(page)
    expect(page.get_by_role("textbox", name="Your reply")).to_have_value("Half a sentence")


def test_a_second_window_is_told_and_a_stale_send_shows_the_others_words(own_app: str, visit: Visit) -> None:
    first = visit(own_app, "/reviews")
    key = _begin(first)
    second = visit(own_app, f"/reviews?review={key}")
    _answer(first)
    second.locator(".st-key-review_actions").wait_for()
    _answer(second)
    expect(second.get_by_text("You have this open in another window")).to_be_visible()
    for page, words in ((first, "The first words"), (second, "The second words")):
        page.get_by_role("textbox", name="Your reply").click()
        page.keyboard.type(words)
        settled(page)
    first.keyboard.press("Control+Enter")
    expect(first.get_by_text("Reply saved")).to_be_visible(timeout=15_000)
    settled(first)
    second.keyboard.press("Control+Enter")
    expect(second.get_by_text("answered this review just now")).to_be_visible(timeout=15_000)
    expect(second.locator(f".st-key-theirs_{key}").get_by_text("The first words")).to_be_visible()
    expect(second.get_by_role("textbox", name="Your reply")).to_have_value("The second words")


def test_pages_turn_by_key_there_and_back(app: str, visit: Visit) -> None:
    page = visit(app, "/reviews?view=all&age=Any+age")
    lines = page.locator(".st-key-inbox_lines label:has(input[type=radio])")
    first = lines.all_inner_texts()
    _press(page, "n")
    second = lines.all_inner_texts()
    assert len(first) == len(second) == 20
    assert first != second
    _press(page, "p")
    assert lines.all_inner_texts() == first


def test_several_are_tagged_at_once(own_app: str, visit: Visit, orders: sqlite3.Connection) -> None:
    page = visit(own_app, "/reviews")
    _press(page, "x")
    boxes = page.locator(".st-key-inbox_lines [data-testid=stCheckbox]")
    for place in (1, 2):
        boxes.nth(place).locator("label").click()
        settled(page)
    page.get_by_role("textbox", name="Tag").fill("call back")
    page.keyboard.press("Tab")
    settled(page)
    page.get_by_role("button", name="Add tag").click()
    settled(page)
    expect(page.get_by_text("2 tagged")).to_be_visible(timeout=15_000)
    assert orders.execute("SELECT count(*) FROM reviews WHERE tags = 'call back'").fetchone() == (2,)


def test_a_phone_shows_the_list_first_then_the_review_in_its_place(app: str, visit: Visit) -> None:
    page = visit(app, "/reviews", width=390)
    expect(page.locator(".st-key-inbox_list")).to_be_visible()
    expect(page.locator(".st-key-inbox_item")).to_be_hidden()
    page.locator(".st-key-inbox_lines label:has(input[type=radio])").nth(1).click()
    settled(page)
    expect(page.locator(".st-key-inbox_item")).to_be_visible()
    expect(page.locator(".st-key-inbox_list")).to_be_hidden()
    page.get_by_role("button", name="Back to the list").click()
    settled(page)
    expect(page.locator(".st-key-inbox_list")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_opens_cold_fits_and_keeps_nobody_out(
    app: str, visit: Visit, part: str, width: int, scheme: str
) -> None:
    page = visit(app, f"/reviews?part={part}", width=width, scheme=scheme)
    expect(page.get_by_role("heading", name="Reviews", exact=True)).to_be_visible()
    assert page.get_by_text("Something went wrong").count() == 0
    assert sticks_out(page) <= 0
    if part == "Inbox" and width > 640:
        _press(page, "a")
    assert broken_rules(page) == {}
