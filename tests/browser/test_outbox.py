"""A person decides about the outbox: sends again what failed, and lets messages leave."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, select, update

from lib.db.engine import order_database, reading, writing
from lib.db.migrate import migrate
from lib.db.store import Store, write_store
from lib.db.tables.columns import now
from lib.db.tables.offers import outbox_messages
from lib.db.tables.staff import audit_log
from lib.db.tables.store import store
from lib.outbox.queue import enqueue
from lib.settings import read_settings
from tests.browser.conftest import Visit, serve, settled, stop

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def shop(tmp_path: Path) -> Engine:
    engine = order_database(read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")}))
    migrate(engine)
    with writing(engine) as connection:
        write_store(connection, Store("Corner shop", "Europe/Berlin", "EUR", "DE", ("en",), False))
        told: dict[str, Any] = {
            "channel": "email",
            "recipient": "anna@example.org",
            "subject": "Your review",
            "body": "Thank you",
        }
        enqueue(connection, idempotency_key="a", at=now(), **told)
        connection.execute(update(outbox_messages).values(status="failed", failure="No such user here."))
    return engine


@pytest.fixture
def shop_app(shop: Engine, tmp_path: Path) -> Iterator[str]:
    process, address = serve(tmp_path / "data", tmp_path / "app.log")
    yield address
    stop(process)


def test_what_failed_is_sent_again_and_an_owner_lets_it_leave(shop: Engine, shop_app: str, visit: Visit) -> None:
    page = visit(shop_app, "/outbox")
    grid = page.locator(".st-key-outbox_rows_failed canvas").first.bounding_box()
    assert grid is not None
    # The table is a picture: its first box lies here.
    page.mouse.click(grid["x"] + 16, grid["y"] + 52)
    page.get_by_role("button", name="Send 1 again").click()
    expect(page.get_by_text("Waiting 1")).to_be_visible()
    page.get_by_role("button", name="Turn on …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 message leaves at once")).to_be_visible()
    dialog.get_by_role("button", name="Turn on", exact=True).click()
    settled(page)
    expect(page.get_by_role("button", name="Turn off")).to_be_visible()
    with reading(shop) as connection:
        assert connection.scalar(select(outbox_messages.c.status)) == "queued"
        assert connection.scalar(select(store.c.sending_since)) is not None
        actions = list(connection.scalars(select(audit_log.c.action).order_by(audit_log.c.audit_id)))
    assert actions == ["outbox.sent_again", "outbox.enabled"]
