"""The page of reviews: answering, two people at once, hostile words, and who may."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select
from streamlit.testing.v1 import AppTest

from lib.db.engine import open_engine, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.desk import drafts as drafts_table
from lib.db.tables.reviews import review_replies, reviews
from lib.db.tables.staff import staff
from lib.settings import Settings
from lib.staff import LOCAL, Role, Staff
from lib.workflows import drafts
from lib.workflows.reviews import publish_reply
from tests.pages.conftest import Open, SitDown
from tests.pages.test_pages import texts

BEN = Staff(staff_id=2, name="Ben", role=Role.SUPPORT)
# Nothing here may run, link, hide or turn what stands around it.
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "# Heading *bold* [link](http://evil.example) :red[red] $x^2$ `code`",
    '=HYPERLINK("http://evil.example")',
    "turned \u202e around \u2066 and \u200b\u200dhidden\ufeff",
    "👩‍👩‍👧‍👦 🧨 ﷽",
    "<b>" * 300_000,
)


@pytest.fixture
def shop(stores: dict[str, Settings], tmp_path: Path, sit_down: SitDown) -> Path:
    """A copy of the demo store that may be written to, with reviews of the last minutes at its top."""
    sit_down(LOCAL)
    folder = tmp_path / "data"
    shutil.copytree(stores["demo"].data_dir, folder)
    with writing(_engine(folder)) as conn:
        conn.execute(insert(staff).values(staff_id=2, email="ben@s.test", name="Ben", role="support", created_at=now()))
        for key, words in enumerate(("It broke on the first day.", *HOSTILE), 900_001):
            conn.execute(
                insert(reviews).values(
                    review_id=key,
                    source="test",
                    external_id=str(key),
                    fingerprint="x",
                    rating=1,
                    customer_id=1,
                    product_id=1,
                    title=words[:200],
                    body=words,
                    language="en",
                    reviewer_name=words[:60],
                    written_at=now() - timedelta(minutes=key - 900_000),
                    is_survey=False,
                )
            )
    return folder


def _engine(folder: Path) -> Engine:
    return open_engine(f"sqlite:///{folder / 'order.db'}")


def _reply(folder: Path, key: int = 900_001) -> list[str]:
    with reading(_engine(folder)) as conn:
        reply = review_replies.c
        return list(conn.execute(select(reply.body).where(reply.review_id == key).order_by(reply.revision)).scalars())


def _begun(open_page: Open, shop: Path) -> AppTest:
    at = open_page(shop, "reviews", review="900001")
    at.button(key="answer_900001").click().run()
    return at


@pytest.mark.parametrize("part", ["Inbox", "Replies", "Figures", "Templates"])
@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_every_part_opens_on_every_store(open_page: Open, store: str, part: str) -> None:
    at = open_page(store, "reviews", part=part)
    assert not at.exception
    assert [error.value for error in at.error] == []


def test_the_newest_unanswered_review_is_open_with_its_customer_beside_it(open_page: Open, shop: Path) -> None:
    words = texts(open_page(shop, "reviews"))
    assert "It broke on the first day." in words
    assert "**Customer**" in words
    assert " order" in words


def test_a_reply_begins_with_a_template_warns_and_is_sent(open_page: Open, shop: Path) -> None:
    at = _begun(open_page, shop)
    at.text_area(key="reply_900001").set_value("Thank you.").run()
    assert "an apology and a way to reach a person are not in it" in texts(at)
    with reading(_engine(shop)) as conn:
        assert conn.execute(select(drafts_table.c.body)).scalars().all() == ["Thank you."]
    at.text_area(key="reply_900001").set_value("").run()
    at.selectbox(key="template_900001").select_index(0).run()
    begun = at.text_area(key="reply_900001").value or ""
    assert "sorry" in begun
    assert "{" not in begun
    at.text_area(key="reply_900001").set_value("Sorry. You can reach us: help@shop.test").run()
    assert "are not in it" not in texts(at)
    at.button(key="send_900001").click().run()
    assert _reply(shop) == ["Sorry. You can reach us: help@shop.test"]
    assert not at.exception
    with reading(_engine(shop)) as conn:
        assert conn.execute(select(drafts_table.c.body)).scalars().all() == []


def test_the_second_is_told_who_is_answering(open_page: Open, shop: Path) -> None:
    with writing(_engine(shop)) as conn:
        drafts.take(conn, BEN, "review", 900_001, holder="ben", at=now())
    at = _begun(open_page, shop)
    assert "Ben is answering this" in texts(at).replace("\\", "")


def test_a_stale_send_shows_the_others_words_beside_ones_own(open_page: Open, shop: Path) -> None:
    at = _begun(open_page, shop)
    at.text_area(key="reply_900001").set_value("My words. Sorry. Call us: 0421 1234567").run()
    with writing(_engine(shop)) as conn:
        publish_reply(conn, BEN, 900_001, "Ben's words", version=1, at=now())
    at.button(key="send_900001").click().run()
    assert _reply(shop) == ["Ben's words"]
    assert "Ben answered this review just now" in texts(at).replace("\\", "")
    assert "Ben's words" in [text.value for text in at.text]
    assert at.text_area(key="reply_900001").value == "My words. Sorry. Call us: 0421 1234567"
    at.button(key="insist_900001").click().run()
    at.button(key="send_900001").click().run()
    assert _reply(shop) == ["Ben's words", "My words. Sorry. Call us: 0421 1234567"]


def test_a_ticket_is_opened_in_one_click(open_page: Open, shop: Path) -> None:
    at = open_page(shop, "reviews", review="900001")
    at.button(key="ticket_900001").click().run()
    assert "Ticket opened" in "\n".join(str(one.value) for one in at.success)
    assert not [button for button in at.button if button.key == "ticket_900001"]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_words_are_shown_as_they_are_and_nowhere_as_markup(open_page: Open, shop: Path, number: int) -> None:
    at = open_page(shop, "reviews", review=str(900_002 + number))
    assert not at.exception
    assert [error.value for error in at.error] == []
    shown = HOSTILE[number][:3_000]
    assert any(text.value.startswith(shown) for text in at.text)
    # In Markdown nothing of it may stand unescaped: no tag, no link, no sign that turns the line.
    for element in (*at.markdown, *at.caption):
        words = str(element.value)
        assert "<script" not in words.replace("\\<", "")
        assert "](http" not in words
        assert not {"\u202e", "\u2066", "\u200b", "\ufeff"} & set(words)


def test_whoever_may_not_see_the_queue_is_refused(
    open_page: Open, stores: dict[str, Settings], sit_down: SitDown
) -> None:
    viewer = Staff(staff_id=9, name="Vic", role=Role.VIEWER)
    sit_down(viewer)
    at = open_page("demo", "reviews")
    assert "may not see what waits for an answer" in texts(at)
    assert not at.radio


def test_two_reviews_that_read_alike_are_not_taken_for_one_another(open_page: Open, shop: Path) -> None:
    with writing(_engine(shop)) as conn:
        for key in (900_101, 900_102):
            conn.execute(
                insert(reviews).values(
                    review_id=key,
                    source="test",
                    external_id=str(key),
                    fingerprint="x",
                    rating=1,
                    title="Alike",
                    language="en",
                    written_at=now(),
                    is_survey=False,
                )
            )
    at = open_page(shop, "reviews", view="unanswered")
    first, second = "900102", "900101"
    assert [button.key for button in at.button if str(button.key).startswith("answer_")] == [f"answer_{first}"]
    at.button(key=f"answer_{first}").click().run()
    assert [button.key for button in at.button if str(button.key).startswith("send_")] == [f"send_{first}"]
    at.button(key="review_inbox_j").click().run()
    assert [button.key for button in at.button if str(button.key).startswith("answer_")] == [f"answer_{second}"]
