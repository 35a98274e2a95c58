"""The outbox on a page: whether anything leaves, what is stuck and why, and who may see and decide what."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from lib.db.engine import order_database, writing
from lib.db.tables.columns import now
from lib.db.tables.offers import outbox_messages
from lib.outbox.claims import MAYBE_SENT
from lib.outbox.queue import enqueue
from lib.settings import Settings, read_settings
from lib.staff import Role, Staff
from lib.ui.text import plain
from tests.pages.conftest import Open, SitDown
from tests.pages.test_pages import texts

HOSTILE = "<script>alert(1)</script> **bold** =cmd()"


@pytest.fixture
def stuck(stores: dict[str, Settings], tmp_path: Path) -> Path:
    """A shop with one message that may have been sent and one that failed."""
    shutil.copytree(stores["single"].data_dir, tmp_path / "data")
    made = read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")})
    with writing(order_database(made)) as connection:
        for key, status, failure in (("a", "held_back", MAYBE_SENT), ("b", "failed", HOSTILE)):
            told: dict[str, Any] = {
                "channel": "email",
                "recipient": "anna@example.org",
                "subject": HOSTILE,
                "body": "Hi",
            }
            number = enqueue(connection, idempotency_key=key, about="review", about_id=1, at=now(), **told)
            connection.execute(
                update(outbox_messages)
                .where(outbox_messages.c.outbox_message_id == number)
                .values(status=status, failure=failure, handed_over_at=now() if status == "held_back" else None)
            )
    return tmp_path / "data"


@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_it_opens_on_every_store_and_nothing_leaves(open_page: Open, store: str) -> None:
    at = open_page(store, "outbox")
    assert not at.exception
    assert [error.value for error in at.error] == []
    words = texts(at)
    assert at.title[0].value == "Outbox"
    assert ("Off: demo store" in words) == (store == "demo")
    assert ("Nothing leaves; what is queued waits until an owner turns it on" in words) == (store != "demo")
    assert ("outbox_on" in [button.key for button in at.button]) == (store != "demo")


def test_what_is_stuck_stands_first_with_its_reason_in_full(open_page: Open, stuck: Path) -> None:
    at = open_page(stuck, "outbox")
    (frame,) = [each.value for each in at.dataframe]
    assert frame["To"].tolist() == ["anna@example.org"]
    assert frame["Subject"].tolist() == [HOSTILE]
    assert plain(f"1 × {MAYBE_SENT}") in texts(at)
    at.segmented_control(key="outbox_state").set_value("Failed").run()
    assert plain(f"1 × {HOSTILE}") in texts(at)


def test_a_viewer_may_not_open_it(open_page: Open, stuck: Path, sit_down: SitDown) -> None:
    viewer = Staff(staff_id=None, name="Vic", role=Role.VIEWER)
    sit_down(viewer)
    at = open_page(stuck, "outbox")
    assert "may not see what waits for an answer" in at.error[0].value
    assert not at.dataframe


def test_only_an_owner_is_offered_the_switch(open_page: Open, stuck: Path, sit_down: SitDown) -> None:
    sit_down(Staff(staff_id=None, name="Sam", role=Role.SUPPORT))
    at = open_page(stuck, "outbox")
    assert "outbox_on" not in [button.key for button in at.button]
    assert "An owner can change this" in texts(at)
