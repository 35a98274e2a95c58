"""The Offers page: the journey and the list, one offer from its first draft to its end, roles, hostile words."""

import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.desk import drafts
from lib.db.tables.offers import offers
from lib.offer import KINDS, Code, Content, Pays, Plan, Reward
from lib.queues.offers import one_offer
from lib.queues.product_search import find_products, names_of
from lib.settings import Settings, read_settings
from lib.staff import LOCAL, Role, Staff
from lib.ui.offer_terms import days_words
from lib.ui.text import plain
from lib.workflows.drafts import save_draft
from lib.workflows.offer_approval import approval_limit
from lib.workflows.offer_starters import starter
from lib.workflows.offer_terms import Terms
from lib.workflows.offers import change_offer, create_offer
from tests.pages.conftest import Open, SitDown
from tests.pages.test_pages import texts

BERLIN = ZoneInfo("Europe/Berlin")
HOSTILE = "<script>alert(1)</script> **bold** =cmd()"


@pytest.fixture
def shop(stores: dict[str, Settings], tmp_path: Path) -> Settings:
    """A shop of one order with a coupon that is ready to be approved, under a hostile name."""
    shutil.copytree(stores["single"].data_dir, tmp_path / "data")
    made = read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")})
    plan = Plan(
        kind="coupon",
        reward=Reward(pays=Pays.PERCENT, depth=0.1),
        code=Code(prefix="AGAIN"),
        content=(Content(language="en", subject="10 % off", text=f"Here is {{code}}. {HOSTILE}"),),
    )
    at = now()
    with writing(order_database(made)) as conn:
        terms = Terms(name=HOSTILE, plan=plan, ends_at=at + timedelta(days=30))
        assert create_offer(conn, LOCAL, terms, at=at) == 1
    return made


def field(at: AppTest, label: str) -> Any:
    return next(one for one in at.number_input if one.label == label)


def press(at: AppTest, label: str) -> None:
    next(one for one in at.button if one.label == label).click().run()


def errors(at: AppTest) -> list[str]:
    return [error.value for error in at.error]


@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_it_opens_on_every_store(open_page: Open, store: str) -> None:
    at = open_page(store, "offers")
    assert not at.exception
    assert errors(at) == []
    assert at.title[0].value == "Offers"
    words = texts(at)
    for station in ("Accepted", "Packed", "Shipped", "Delivered", "Days after", "Next order due"):
        assert station in words


def test_an_offer_stands_at_its_station_and_in_the_list_and_hostile_words_stay_words(
    open_page: Open, shop: Settings
) -> None:
    at = open_page(shop.data_dir, "offers")
    words = texts(at)
    assert plain("Draft, 14 days after delivery") in words
    assert plain("gives 10 % off") in words
    assert HOSTILE not in words
    opened = open_page(shop.data_dir, "offers", offer="1")
    assert errors(opened) == []
    assert plain(HOSTILE) in texts(opened)
    assert HOSTILE not in texts(opened)


@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_of_every_kind_opens_with_its_own_fields_and_changes_nothing_by_itself(
    open_page: Open, shop: Settings, kind: str
) -> None:
    with writing(order_database(shop)) as conn:
        terms = starter(kind, languages=("en", "de"), zone=BERLIN, at=now())
        key = create_offer(conn, LOCAL, terms, at=now())
    at = open_page(shop.data_dir, "offers", offer=str(key))
    assert not at.exception
    assert errors(at) == []
    assert "not saved yet" not in texts(at)
    labels = {field.label for field in at.number_input}
    assert ("Percent off" in labels) == (KINDS[kind].pays[0] is Pays.PERCENT)
    assert ("What the gift costs you, EUR" in labels) == (kind == "gift")
    with reading(order_database(shop)) as conn:
        assert conn.scalar(select(func.count()).select_from(drafts)) == 0


def test_what_is_typed_is_kept_until_it_is_saved_or_thrown_away(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "offers", offer="1")
    field(at, "Days after it").set_value(7).run()
    assert "1 change not saved yet" in texts(at)
    again = open_page(shop.data_dir, "offers", offer="1")
    assert plain("Goes out: 14 days after delivery → 7 days after delivery") in texts(again)
    assert field(again, "Days after it").value == 7
    press(again, "Throw away")
    assert "not saved yet" not in texts(again)
    assert field(again, "Days after it").value == 14
    field(again, "Days after it").set_value(21).run()
    press(again, "Save as version 2")
    assert errors(again) == []
    assert plain("Saved as version 2.") in {one.value for one in again.success}
    with reading(order_database(shop)) as conn:
        found = one_offer(conn, 1)
        assert conn.scalar(select(func.count()).select_from(drafts)) == 0
    assert found is not None and found.plan is not None
    assert (found.number, found.plan.delay_days) == (2, 21)
    told = texts(open_page(shop.data_dir, "offers", offer="1", part="Versions"))
    assert "**Version 2**" in told
    assert plain("14 days after delivery") in told


def test_somebody_elses_version_is_told_to_whoever_still_writes(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "offers", offer="1")
    field(at, "Days after it").set_value(7).run()
    with writing(order_database(shop)) as conn:
        offer = one_offer(conn, 1)
        assert offer is not None and offer.plan is not None and offer.ends_at is not None
        theirs = Terms(name="Theirs", plan=offer.plan, ends_at=offer.ends_at)
        change_offer(conn, Staff(staff_id=None, name="Bo", role=Role.OWNER), 1, theirs, version=1, at=now())
        # What this person began to write is hers: only her own saving ends it.
        kept = json.dumps({"number": 1, "settings": replace(theirs, name="Mine").to_json()})
        save_draft(conn, LOCAL, "offer", 1, kept, at=now())
    words = texts(open_page(shop.data_dir, "offers", offer="1"))
    assert "You began on version 1; somebody saved version 2 meanwhile" in words
    assert plain("Name: Theirs → Mine") in words


def test_an_offer_is_approved_started_paused_with_words_and_stopped(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "offers", offer="1")
    press(at, "Approve")
    press(at, "Start")
    assert errors(at) == []
    press(at, "Pause it")
    assert "Say why it pauses" in errors(at)[0]
    next(one for one in at.text_input if one.label == "Why").set_value("Out of stock").run()
    press(at, "Pause it")
    assert plain("Paused: Out of stock") in {one.value for one in at.warning}
    press(at, "Resume")
    press(at, "Stop it")
    with reading(order_database(shop)) as conn:
        assert conn.scalar(select(offers.c.status)) == "stopped"
    assert not any(one.label in {"Approve", "Start", "Resume"} for one in at.button)


def test_what_stands_in_the_way_is_said_and_the_approval_waits(open_page: Open, shop: Settings) -> None:
    with writing(order_database(shop)) as conn:
        terms = starter("gift", languages=("en",), zone=BERLIN, at=now())
        key = create_offer(conn, LOCAL, terms, at=now())
    at = open_page(shop.data_dir, "offers", offer=str(key))
    assert "Say what the reward costs you" in texts(at)
    assert next(one for one in at.button if one.label == "Approve").disabled


def test_a_viewer_reads_and_changes_nothing(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    sit_down(Staff(staff_id=None, name="Vic", role=Role.VIEWER))
    listed = open_page(shop.data_dir, "offers")
    assert errors(listed) == []
    at = open_page(shop.data_dir, "offers", offer="1")
    assert errors(at) == []
    assert {one.label for one in at.button}.isdisjoint({"Approve", "Copy", "Drop it"})
    assert all(one.disabled for one in at.number_input)


def test_the_owner_sets_the_cost_limit(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "offers")
    field(at, "Cost limit, EUR").set_value(500.0).run()
    press(at, "Set the limit")
    assert errors(at) == []
    with reading(order_database(shop)) as conn:
        assert approval_limit(conn) == 50_000


@pytest.mark.parametrize("asked", ["999", "-1", "x", "1e9", "²", "9" * 40])
def test_an_offer_that_is_not_there_is_no_error(open_page: Open, shop: Settings, asked: str) -> None:
    at = open_page(shop.data_dir, "offers", offer=asked)
    assert not at.exception
    assert errors(at) == []


def test_past_offers_of_the_demo_open(open_page: Open) -> None:
    at = open_page("demo", "offers", offer="1")
    assert not at.exception
    assert errors(at) == []
    assert "held out" in texts(at)


def test_the_words_are_read_as_a_customer_does_and_judged(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "offers", offer="1", part="Content")
    assert not at.exception
    assert errors(at) == []
    words = texts(at)
    assert "Here is AGAIN-" in words
    assert "No more offers: " in words
    assert "Flesch reading ease" in words
    # As text, which no browser reads as markup.
    assert any(HOSTILE in one.value for one in at.text)
    area = next(one for one in at.text_area if one.label == "Text")
    area.set_value("Hi {frist_name}, UTILISE {code}").run()
    words = texts(at)
    assert plain("{frist_name} is no variable.") in words
    assert plain("“UTILISE”: plainer is use.") in words
    assert "1 change not saved yet" in words


def test_hostile_words_stay_words_in_the_html_of_the_preview(open_page: Open, shop: Settings) -> None:
    with writing(order_database(shop)) as conn:
        offer = one_offer(conn, 1)
        assert offer is not None and offer.plan is not None
        content = (Content(language="en", subject="x", text=f"{HOSTILE} {{code}}", html="letter"),)
        plan = replace(offer.plan, content=content)
        change_offer(conn, LOCAL, 1, Terms(name="x", plan=plan, ends_at=offer.ends_at), version=1, at=now())
    at = open_page(shop.data_dir, "offers", offer="1", part="Content")
    shown = "".join(str(one.value) for one in at.html)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>alert(1)" not in shown
    # Nothing of the mail can be followed from the preview.
    assert "href=" not in shown.split("AGAIN-")[1]


def test_a_language_is_added_with_encores_words_and_taken_out(open_page: Open, shop: Settings) -> None:
    with writing(order_database(shop)) as conn:
        terms = starter("coupon", languages=("en", "de"), zone=BERLIN, at=now())
        key = create_offer(conn, LOCAL, terms, at=now())
    at = open_page(shop.data_dir, "offers", offer=str(key), part="Content")
    press(at, "Take English out")
    assert errors(at) == []
    assert not any(one.label == "Take German out" for one in at.button)
    again = open_page(shop.data_dir, "offers", offer=str(key), part="Content")
    assert (
        next(one for one in again.text_input if one.label == "Subject").value == "{first_name|Hallo}, {reward} für Sie"
    )


def test_who_may_not_see_customers_reads_an_example(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    sit_down(Staff(staff_id=None, name="Vic", role=Role.VIEWER))
    at = open_page(shop.data_dir, "offers", offer="1", part="Content")
    assert errors(at) == []
    assert "this is an example" in texts(at)
    assert not any(one.label == "Find a customer" for one in at.text_input)


def test_codes_have_their_files(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "offers", offer="1", part="Codes")
    assert errors(at) == []
    assert plain("Gives 10 % off. Each customer may use it once, for 30 days.") in texts(at)


@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_the_calendar_opens_on_every_store(open_page: Open, store: str) -> None:
    at = open_page(store, "offers", look="Calendar")
    assert not at.exception
    assert errors(at) == []
    assert "**What comes**" in texts(at)


def test_the_calendar_tells_the_last_day_and_a_hostile_name_stays_words(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "offers", look="Calendar")
    assert not at.exception
    assert errors(at) == []
    last = now().astimezone(BERLIN) + timedelta(days=30)
    assert f":gray[{last:%a %-d %b %Y}]" in texts(at)
    assert HOSTILE not in texts(at)


def test_products_are_found_by_words_of_their_name(stores: dict[str, Settings]) -> None:
    with reading(order_database(stores["demo"])) as conn:
        found = find_products(conn, "mug")
        assert found and all("mug" in name.lower() for name in found.values())
        assert names_of(conn, list(found)[:1]) == dict(list(found.items())[:1])
        assert find_products(conn, "100%_\\'") == {}


def test_a_viewer_takes_no_codes_out(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    assert len(open_page(shop.data_dir, "offers", offer="1", part="Codes").get("download_button")) == 4
    sit_down(Staff(staff_id=None, name="Vic", role=Role.VIEWER))
    at = open_page(shop.data_dir, "offers", offer="1", part="Codes")
    assert errors(at) == []
    assert len(at.get("download_button")) == 0


def test_one_day_is_told_once() -> None:
    first = datetime(2026, 11, 10, 9, tzinfo=BERLIN)
    assert days_words(first, datetime(2026, 11, 11, tzinfo=BERLIN), BERLIN) == "on 10 Nov 2026"
    assert days_words(first, datetime(2026, 11, 12, tzinfo=BERLIN), BERLIN) == "10 Nov 2026 – 11 Nov 2026"
    assert days_words(None, datetime(2026, 11, 12, tzinfo=BERLIN), BERLIN) == "until 11 Nov 2026"
    assert days_words(None, None, BERLIN) == "no days set"


def test_a_finished_offer_opens_on_its_result(open_page: Open) -> None:
    at = open_page("demo", "offers", offer="1")
    assert not at.exception
    assert [error.value for error in at.error] == []
    words = texts(at)
    assert "Redeemed: use, not effect" in words
    assert "redemption is not uplift" in words
    assert [metric.label for metric in at.metric][:3] == ["Bought", "Net sales", "Profit"]
    assert {button.label for button in at.button} >= {"Roll out", "Keep as it is", "Stop"}


def test_who_may_not_plan_offers_reads_the_result_and_decides_nothing(open_page: Open, sit_down: SitDown) -> None:
    sit_down(Staff(staff_id=7, name="Vi", role=Role.VIEWER))
    at = open_page("demo", "offers", offer="1", part="Result")
    assert not at.exception
    assert "Redeemed: use, not effect" in texts(at)
    assert not {button.label for button in at.button} & {"Roll out", "Keep as it is", "Stop"}


def test_before_the_start_it_says_what_can_be_found_and_who_would_get_it(open_page: Open, shop: Settings) -> None:
    at = open_page(shop.data_dir, "offers", offer="1", part="Start")
    assert errors(at) == []
    assert "Dry run: who would get it now" in texts(at)
