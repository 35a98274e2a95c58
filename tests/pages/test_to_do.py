"""The list for the day on a page: one item a customer, what can be done with it, and roles."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.desk import work_items
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.surveys import answers, questions
from lib.settings import Settings, read_settings
from lib.staff import Role, Staff
from lib.ui.text import plain
from tests.pages.conftest import Open, SitDown
from tests.pages.test_pages import texts

HOSTILE = "<script>alert(1)</script> **bold** =cmd()"


@pytest.fixture
def shop(stores: dict[str, Settings], tmp_path: Path) -> Settings:
    """A shop whose one customer has a late parcel, a bad review with hostile words and a question."""
    shutil.copytree(stores["single"].data_dir, tmp_path / "data")
    made = read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")})
    told = {"source": "test", "external_id": "1", "fingerprint": "x"}
    at = now() - timedelta(hours=30)
    with writing(order_database(made)) as conn:
        late = (now() - timedelta(days=4)).date()
        conn.execute(insert(shipments).values(**told, order_id=1, status="in_transit", promised_day=late))
        review = {"customer_id": 1, "order_id": 1, "rating": 1, "title": HOSTILE, "written_at": at}
        conn.execute(insert(reviews).values(**told, **review))
        conn.execute(insert(questions).values(**told, customer_id=1, asked_at=at, body=HOSTILE))
    return made


@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_it_opens_on_every_store(open_page: Open, store: str) -> None:
    at = open_page(store, "to_do")
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert at.title[0].value == "To do"


def test_one_customer_is_one_item_and_hostile_words_stay_words(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "to_do")
    assert not at.exception
    assert len(at.radio[0].options) == 1
    words = texts(at)
    assert plain("€25.00 at stake: the order this is about.") in words
    assert plain(f"1 star: {HOSTILE}") in words
    assert HOSTILE not in words


def test_an_answer_is_kept_and_the_rest_is_finished(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "to_do")
    at.text_area(key="answer_question_1").set_value("Two days.").run()
    at.button(key="send_answer_question_1").click().run()
    assert [error.value for error in at.error] == []
    at.selectbox(key="outcome_10").set_value("Refunded").run()
    at.button(key="item_done_10").click().run()
    assert [error.value for error in at.error] == []
    with reading(order_database(shop)) as conn:
        assert conn.execute(select(answers.c.body)).scalars().all() == ["Two days."]
        assert conn.execute(select(work_items.c.subject, work_items.c.outcome)).all() == [("shipment", "Refunded")]
        assert conn.scalar(select(reviews.c.done_at)) is not None
    assert "Nothing waits. Well done." in texts(at)


def test_a_viewer_may_not_open_it(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    sit_down(Staff(staff_id=None, name="Vic", role=Role.VIEWER))
    at = open_page(shop.data_dir, "to_do")
    assert "may not see what waits for an answer" in at.error[0].value
    assert not at.radio
