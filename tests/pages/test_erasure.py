"""A person's rights on the customer's page: each button for whoever may; an erased person's words on no page."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lib.db.engine import order_database, reading
from lib.db.person import find
from lib.db.tables.columns import now
from lib.db.tables.customers import customers
from lib.db.tables.reviews import reviews
from lib.db.tables.tickets import tickets
from lib.jobs.erasure import erase_everywhere
from lib.settings import Settings, read_settings
from lib.staff import LOCAL, Role, Staff
from lib.workflows.erasure import to_confirm
from tests.pages.conftest import Open, SitDown
from tests.pages.test_pages import texts


@pytest.fixture
def shop(stores: dict[str, Settings], tmp_path: Path) -> Settings:
    """A demo store of this test's own."""
    shutil.copytree(stores["demo"].data_dir, tmp_path / "data")
    return read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")})


@pytest.mark.parametrize(
    ("role", "may_erase", "may_export"),
    [(Role.OWNER, True, True), (Role.MANAGER, False, True), (Role.SUPPORT, False, False)],
)
def test_each_button_is_there_for_whoever_may(
    open_page: Open, sit_down: SitDown, role: Role, may_erase: bool, may_export: bool
) -> None:
    sit_down(Staff(staff_id=None, name="Kim", role=role))
    at = open_page("demo", "customers", customer="1")
    assert not at.exception
    assert bool([button for button in at.button if button.key == "person_erase"]) == may_erase
    assert ("All that is known" in str(at.main)) == may_export


def test_an_erased_persons_rows_open_without_a_word(open_page: Open, shop: Settings) -> None:
    engine = order_database(shop)
    with reading(engine) as conn:
        ticket: Any = conn.execute(
            select(tickets.c.ticket_id, tickets.c.customer_id, tickets.c.subject, customers.c.name)
            .join(customers, customers.c.customer_id == tickets.c.customer_id)
            .join(reviews, reviews.c.customer_id == tickets.c.customer_id)
            .where(tickets.c.subject.is_not(None))
            .limit(1)
        ).one()
        review_id = conn.scalar(select(reviews.c.review_id).where(reviews.c.customer_id == ticket.customer_id).limit(1))
        person = find(conn, ticket.customer_id)
    assert person is not None
    assert erase_everywhere(shop, LOCAL, person, confirmed=to_confirm(person), at=now()).left_to_do == ""
    for page, chosen in (
        ("customers", {"customer": str(ticket.customer_id)}),
        ("tickets", {"view": "all", "ticket": str(ticket.ticket_id)}),
        ("reviews", {"view": "all", "review": str(review_id)}),
    ):
        at = open_page(shop.data_dir, page, **chosen)
        assert not at.exception, page
        words = texts(at)
        assert "rased" in words, page
        assert ticket.name not in words, page
        assert not [button for button in at.button if button.key == "person_erase"], page
