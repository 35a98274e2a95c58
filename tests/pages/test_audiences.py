"""The Audiences page: rules are added, counted and kept; contact rules are set; roles; hostile words."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from lib.audience import Audience, Rule
from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.offers import contact_rules
from lib.queues.audiences import saved_audiences
from lib.settings import Settings, read_settings
from lib.staff import LOCAL, Role, Staff
from lib.workflows.audiences import save_audience
from tests.pages.conftest import Open, SitDown
from tests.pages.test_pages import texts

HOSTILE = "<script>alert(1)</script> **bold** =cmd()"


@pytest.fixture
def demo(stores: dict[str, Settings], tmp_path: Path) -> Settings:
    """A demo store of this test's own."""
    shutil.copytree(stores["demo"].data_dir, tmp_path / "data")
    return read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")})


def add(at: AppTest, field: str) -> None:
    choice = next(one for one in at.selectbox if one.label == "Add a rule")
    choice.set_value(field).run()


def count(at: AppTest) -> int:
    shown = next(one for one in at.metric if one.label == "Customers in this audience")
    return int(str(shown.value).replace(",", ""))


def button(at: AppTest, label: str) -> Any:
    return next(one for one in at.button if one.label == label)


def test_rules_are_added_counted_kept_under_a_name_and_taken_away(open_page: Open, demo: Settings) -> None:
    at = open_page(demo.data_dir, "audiences")
    assert not at.exception
    everybody = count(at)
    add(at, "has_consent")
    agreed = count(at)
    assert 0 < agreed < everybody
    next(one for one in at.segmented_control if one.label == "Agreed to e-mail").set_value("No").run()
    assert count(at) == everybody - agreed
    add(at, "bought_category")
    assert "choose at least one" in texts(at)
    assert count(at) == everybody - agreed  # a rule that is not finished does not count
    next(one for one in at.multiselect if one.label == "Has bought from category").set_value(["Kitchen"]).run()
    both = count(at)
    assert 0 < both < everybody - agreed
    next(one for one in at.text_input if one.label == "Name").set_value("Kitchen, not agreed").run()
    button(at, "Save").click().run()
    with reading(order_database(demo)) as connection:
        (saved,) = saved_audiences(connection)
    assert saved.audience == Audience(
        (Rule(field="has_consent", is_not=True), Rule(field="bought_category", any_of=("Kitchen",)))
    )
    assert saved.name == "Kitchen, not agreed" and count(at) == both
    button(at, "Remove").click().run()
    assert count(at) > both


def test_whom_a_message_reaches_and_what_holds_the_others_back_adds_up(open_page: Open, demo: Settings) -> None:
    at = open_page(demo.data_dir, "audiences")
    words = texts(at)
    free = int(
        next(part for part in words.split("**") if part.endswith("may be contacted now")).split()[0].replace(",", "")
    )
    held = next(one.value for one in at.dataframe if "Customers" in one.value.columns and len(one.value.columns) == 2)
    assert free + int(held["Customers"].sum()) == count(at)
    assert "Has not agreed to advertising" in set(held.iloc[:, 0])


def test_a_hostile_name_is_shown_as_it_is(open_page: Open, demo: Settings) -> None:
    with writing(order_database(demo)) as connection:
        save_audience(connection, LOCAL, HOSTILE, Audience((Rule(field="is_member"),)), at=now())
    at = open_page(demo.data_dir, "audiences")
    assert not at.exception
    chosen = next(one for one in at.selectbox if one.label == "Segment")
    assert any("\\*\\*bold" in option for option in chosen.options)


def test_contact_rules_are_set_by_hand_and_hold(open_page: Open, demo: Settings) -> None:
    at = open_page(demo.data_dir, "audiences", part="Contact rules")
    assert not at.exception
    next(one for one in at.number_input if one.label == "Messages of offers, at most").set_value(5).run()
    button(at, "Save").click().run()
    with reading(order_database(demo)) as connection:
        assert connection.scalar(select(contact_rules.c.most_messages)) == 5
    assert "The rules hold from now on" in at.success[0].value


def test_a_role_that_plans_no_offers_is_refused(open_page: Open, demo: Settings, sit_down: SitDown) -> None:
    sit_down(Staff(staff_id=None, name="Sam", role=Role.SUPPORT))
    assert "may not plan offers" in texts(open_page(demo.data_dir, "audiences"))


def test_a_manager_does_not_set_what_an_owner_sets(open_page: Open, demo: Settings, sit_down: SitDown) -> None:
    sit_down(Staff(staff_id=None, name="Mia", role=Role.MANAGER))
    at = open_page(demo.data_dir, "audiences", part="Contact rules")
    by_label = {one.label: one.disabled for one in at.number_input}
    assert by_label["Global holdout, % of all customers"]
    assert not by_label["Messages of offers, at most"]
