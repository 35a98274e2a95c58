"""A shop of one's own, brought in through the browser."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ORDERS = """Order number;Order date;E-mail;Product;Quantity;Unit price;Total;Currency
A-1;2026-03-02;ann@example.org;Candle;2;12.50;25.00;EUR
A-2;2026-03-03;ben@example.org;<b>Soap</b>;1;4.90;4.90;EUR
A-3;2026-13-45;ben@example.org;Soap;1;4.90;4.90;EUR
"""


def test_an_upload_replaces_the_demo_store_and_names_the_row_it_could_not_read(
    own_app: str, visit: Visit, tmp_path: Path
) -> None:
    file = tmp_path / "my_orders.csv"
    file.write_text(ORDERS, encoding="utf-8")
    page = visit(own_app, "/imports")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("What the columns mean")).to_be_visible(timeout=30_000)
    settled(page)
    page.get_by_role("button", name="Replace the demo store and import").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Replace and import").first.click()
    expect(page.get_by_text("Import finished.")).to_be_visible(timeout=60_000)
    settled(page)
    words = page.locator("[data-testid=stMain]").inner_text()
    assert "3 records read: 2 stored, 0 unchanged, 1 put aside" in words
    assert "1 row could not be trusted" in words
    assert "invented data" not in words
    page.get_by_role("link", name="Today", exact=True).first.click()
    settled(page)
    expect(page.get_by_text("The last one was placed on 3 March 2026")).to_be_visible()
    page.get_by_role("button", name="Show the 28 days up to it").click()
    settled(page)
    expect(page.get_by_test_id("stMetric").filter(has_text="Net sales")).to_contain_text("€29.90")
    assert "from=2026-02-04" in page.url
