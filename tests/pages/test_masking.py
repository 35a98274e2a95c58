"""What somebody who may see nobody's name is sent: every page, every dialog and every file, byte by byte."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import func, insert, select, update
from streamlit.testing.v1 import local_script_runner
from streamlit.testing.v1.app_test import AppTest

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.customers import addresses, customer_identities, customer_notes, customers
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import orders, refunds
from lib.db.tables.returns import returns
from lib.db.tables.reviews import reviews
from lib.db.tables.surveys import questions, survey_answers, surveys
from lib.db.tables.tickets import ticket_messages, tickets
from lib.jobs.refresh import refresh
from lib.settings import ROOT, Settings, read_settings
from lib.staff import LOCAL, Role, Staff
from tests.pages.conftest import Open, SitDown

VIEWER = Staff(staff_id=None, name="Vic", role=Role.VIEWER)
NAME, EMAIL, WORDS = "Zephyrine Quillfeather", "zephyrine@quillfeather.example", "the parrot ate it"
# Whatever is left of these would tell who it is.
SECRETS = ("Zephyrine", "Quillfeather", "zephyrine", "quillfeather", "parrot", "+49 5555", "Featherlane")
PAGES = sorted(file.stem for file in (ROOT / "pages").glob("*.py"))


@pytest.fixture
def shop(stores: dict[str, Settings], tmp_path: Path) -> tuple[Settings, int]:
    """The demo store, whose best customer has a name nobody else has, in every place where words may stand."""
    shutil.copytree(stores["demo"].data_dir, tmp_path / "data")
    made = read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")})
    at = now()
    with writing(order_database(made)) as conn:
        buyer = conn.execute(
            select(orders.c.customer_id)
            .where(orders.c.customer_id.is_not(None))
            .group_by(orders.c.customer_id)
            .order_by(func.count().desc(), orders.c.customer_id)
        ).scalars().first()  # fmt: skip
        assert buyer is not None
        told: dict[str, Any] = {"source": "secret", "fingerprint": "x", "external_id": "1"}
        hers = {**told, "customer_id": buyer}
        said = f"{NAME} says {WORDS}"
        conn.execute(
            update(customers)
            .where(customers.c.customer_id == buyer)
            .values(name=NAME, email=EMAIL, email_normalised=EMAIL, phone="+49 5555", note=said, tags=NAME)
        )
        conn.execute(insert(customer_identities).values(customer_id=buyer, source="email", external_id=EMAIL))
        conn.execute(insert(addresses).values(customer_id=buyer, kind="shipping", name=NAME, street="Featherlane 1"))
        conn.execute(insert(customer_notes).values(customer_id=buyer, body=said, written_at=at))
        conn.execute(update(orders).where(orders.c.customer_id == buyer).values(note=said, tags=NAME))
        order = conn.scalar(select(func.max(orders.c.order_id)).where(orders.c.customer_id == buyer))
        conn.execute(insert(refunds).values(**hers, order_id=order, refunded_at=at, currency="EUR", reason=said))
        conn.execute(insert(returns).values(**hers, order_id=order, requested_at=at, currency="EUR", comment=said))
        conn.execute(insert(reviews).values(**hers, rating=1, title=said, body=said, reviewer_name=NAME, written_at=at))
        ticket = conn.execute(
            insert(tickets).values(
                **hers, channel="email", subject=said, opened_at=at, requester_name=NAME, requester_email=EMAIL
            )
        ).inserted_primary_key
        assert ticket is not None
        conn.execute(insert(ticket_messages).values(ticket_id=ticket[0], author="customer", sent_at=at, body=said))
        survey = conn.scalar(select(func.min(surveys.c.survey_id)))
        conn.execute(
            insert(survey_answers).values(**hers, survey_id=survey, sent_at=at, answered_at=at, score=1, comment=said)
        )
        conn.execute(insert(questions).values(**hers, asked_at=at, body=said))
        conn.execute(
            insert(outbox_messages).values(
                idempotency_key="secret", channel="email", customer_id=buyer, recipient=EMAIL, subject=said, body=said,
                status="failed", failure=f"{EMAIL} is unknown", queued_at=at,
            )
        )  # fmt: skip
    refresh(made)
    return made, int(buyer)


class Sent:
    """Every byte that pages sent to the browser, and every file they would have handed out."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.files: dict[str, bytes] = {}

    def told(self) -> list[str]:
        """The secrets that stand in it."""
        everything = b"\n".join([*self.messages, *self.files.values()])
        return [secret for secret in SECRETS if secret.encode() in everything]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Listens to what pages send; a file is made the moment its button is drawn."""
    kept = Sent()
    parse = vars(local_script_runner)["parse_tree_from_messages"]

    def listened(messages: list[Any]) -> Any:
        kept.messages += [message.SerializeToString() for message in messages]
        return parse(messages)

    def made(label: str, data: Callable[[], bytes] | bytes, **_: Any) -> bool:
        kept.files[f"{label} {len(kept.files)}"] = data() if callable(data) else data
        return False

    monkeypatch.setattr(local_script_runner, "parse_tree_from_messages", listened)
    monkeypatch.setattr(st, "download_button", made)
    return kept


def _open_all(at: AppTest) -> int:
    """Press every button that opens something; how many there were."""
    keys = [str(button.key) for button in at.button if str(button.key).startswith(("open_", "figure_"))]
    for key in keys:
        at.button(key=key).click().run()
        assert not at.exception, key
    return len(keys)


@pytest.mark.parametrize("page", PAGES)
def test_a_viewer_is_sent_nobodys_name_on_any_page_dialog_or_file(
    open_page: Open, shop: tuple[Settings, int], sit_down: SitDown, sent: Sent, page: str
) -> None:
    made, buyer = shop
    sit_down(VIEWER)
    # The address asks for as much as it can.
    asked = {"customer": str(buyer), "review": "1", "ticket": "1", "part": "Figures", "period": "12m"}
    at = open_page(made.data_dir, page, **({} if page == "today" else asked))
    assert not at.exception
    opened = _open_all(at)
    if page == "customers":
        assert f"{NAME[0]}… Q…".encode() in b"".join(sent.messages)
        at = open_page(made.data_dir, page)
        opened = _open_all(at)
    assert opened > 0 or page not in {"today", "repeat", "customers"}
    assert sent.messages
    assert sent.files or page not in {"today", "repeat", "customers"}
    assert sent.told() == []


@pytest.mark.parametrize("page", ["customers", "reviews", "tickets", "outbox"])
def test_an_owner_is_sent_them_so_that_their_absence_means_something(
    open_page: Open, shop: tuple[Settings, int], sit_down: SitDown, sent: Sent, page: str
) -> None:
    made, buyer = shop
    sit_down(LOCAL)
    with reading(order_database(made)) as conn:
        review = conn.scalar(select(reviews.c.review_id).where(reviews.c.source == "secret"))
        ticket = conn.scalar(select(tickets.c.ticket_id).where(tickets.c.source == "secret"))
    open_page(made.data_dir, page, customer=str(buyer), review=str(review), ticket=str(ticket))
    assert "Zephyrine" in sent.told() or "zephyrine" in sent.told()
