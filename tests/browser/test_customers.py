"""A customer found, read and noted in a browser: by keyboard alone, on a phone, for everybody."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from lib.db.engine import order_database, reading
from lib.db.tables.customers import customers
from lib.db.tables.orders import orders
from lib.settings import read_settings
from tests.browser.accessible import broken_rules, sticks_out
from tests.browser.conftest import Visit, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def regular(demo_data: Path) -> tuple[int, str, str]:
    """The customer with most orders: key, name and e-mail."""
    with reading(order_database(read_settings({"ENCORE_DATA_DIR": str(demo_data)}))) as conn:
        found = conn.execute(
            select(customers.c.customer_id, customers.c.name, customers.c.email)
            .join(orders, orders.c.customer_id == customers.c.customer_id)
            .where(customers.c.name.is_not(None), customers.c.email.is_not(None))
            .group_by(customers.c.customer_id)
            .order_by(func.count().desc(), customers.c.customer_id)
        ).first()
    assert found is not None
    return found.customer_id, found.name, found.email


def test_somebody_is_found_read_and_noted_by_keyboard_alone(
    own_app: str, visit: Visit, regular: tuple[int, str, str]
) -> None:
    key, name, email = regular
    page = visit(own_app, "/customers")
    box = page.get_by_label("Find a customer by name, e-mail or order number")
    box.focus()
    page.keyboard.type(email)
    person = page.locator(f".st-key-see_{key} button")
    expect(person).to_be_visible(timeout=30_000)
    settled(page)
    person.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=30_000)
    settled(page)
    assert f"customer={key}" in page.url

    area = page.get_by_label("New note")
    area.focus()
    page.keyboard.type("Prefers the blue ones <b>really</b>")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Prefers the blue ones <b>really</b>", exact=True)).to_be_visible(timeout=30_000)
    settled(page)
    expect(area).to_have_value("")

    before = page.locator("[class*='st-key-event_']").count()
    kind = page.locator(".st-key-timeline").get_by_role("button", name=re.compile("^Orders"))
    kind.focus()
    page.keyboard.press("Enter")
    settled(page)
    shown = page.locator("[class*='st-key-event_']")
    expect(shown.first).to_be_visible()
    assert 0 < shown.count() <= before
    assert page.locator("[class*='st-key-event_order_']").count() == shown.count()

    back = page.get_by_role("button", name="All customers")
    back.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Where they stand")).to_be_visible(timeout=30_000)
    assert "customer=" not in settled(page).url


def test_a_stage_opens_to_its_customers_and_one_of_them_to_the_story(app: str, visit: Visit) -> None:
    page = visit(app, "/customers")
    page.locator(".st-key-open_stage_at_risk button:visible").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-testid=stDataFrame]")).to_be_visible(timeout=30_000)
    settled(page)
    assert re.search(r"[\d,]+ customers with .+ net sales", dialog.inner_text())
    # The rows are drawn on a canvas: the first one's box stands at its left edge.
    canvas = dialog.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    assert canvas is not None
    page.mouse.click(canvas["x"] + 16, canvas["y"] + 52)
    expect(page.get_by_role("heading", name="What happened")).to_be_visible(timeout=30_000)
    settled(page)
    assert "customer=" in page.url
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_story_fits_and_keeps_nobody_out(
    app: str, visit: Visit, regular: tuple[int, str, str], width: int, scheme: str
) -> None:
    page = visit(app, f"/customers?customer={regular[0]}", width=width, scheme=scheme)
    expect(page.get_by_role("heading", name=regular[1], exact=True)).to_be_visible()
    assert page.get_by_text("Something went wrong").count() == 0
    assert sticks_out(page) <= 0
    assert broken_rules(page) == {}
