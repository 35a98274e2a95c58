"""Unsubscribing by the link of a mail: without signing in, by POST alone, and never for somebody else."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update
from starlette.applications import Starlette

from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.db.tables.customers import consents, customers
from lib.db.tables.offers import contact_events, offer_assignments, offers, outbox_messages
from lib.outbox.queue import enqueue
from lib.outbox.unsubscribe import link, link_key, made_link_key, read_token, token
from lib.settings import Settings
from lib.ui import unsubscribe as page
from lib.ui.visit import Kind, Visitor
from lib.ui.wall import Wall
from tests.asgi_client import AppClient

KEY = b"k" * 32


async def nobody(_scope: Any, *, is_action: bool = True) -> Visitor:
    return Visitor(Kind.NOBODY)


@pytest.fixture
def people(database: Engine, store: Store, noon: datetime) -> dict[str, int]:
    """Ann and Ben, who agreed to mail, and an offer of which a message waits for each of them."""
    found = {}
    with writing(database) as connection:
        for name in ("ann", "ben"):
            values = {"email": f"{name}@example.com", "email_normalised": f"{name}@example.com"}
            found[name] = connection.execute(
                insert(customers)
                .values(source="test", external_id=name, fingerprint=name, **values)
                .returning(customers.c.customer_id)
            ).scalar_one()
            connection.execute(
                insert(consents).values(
                    customer_id=found[name], channel="email", state="given", stated_at=noon, source="test"
                )
            )
        found["offer"] = connection.execute(
            insert(offers)
            .values(source="encore", external_id="o", fingerprint="o", name="Again", kind="coupon", status="running")
            .returning(offers.c.offer_id)
        ).scalar_one()
        for name in ("ann", "ben"):
            connection.execute(
                insert(offer_assignments).values(
                    offer_id=found["offer"], customer_id=found[name], arm="treatment", assigned_at=noon
                )
            )
            enqueue(
                connection,
                idempotency_key=name,
                channel="email",
                recipient=f"{name}@example.com",
                subject="Again",
                body="Come again.",
                customer_id=found[name],
                offer_id=found["offer"],
                at=noon,
            )
        made_link_key(connection)
    return found


@pytest.fixture
def browser(database: Engine, settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> AppClient:
    """Somebody who is not signed in, before the wall, at the store's public address."""
    given = replace(settings, public_url="https://encore.shop.example")
    monkeypatch.setattr(page, "settings", lambda: given)
    return AppClient(
        Wall(Starlette(routes=page.routes()), ask=nobody, is_ours=lambda host: host == "encore.shop.example"),
        "https://encore.shop.example",
    )


def link_of(database: Engine, people: dict[str, int], name: str) -> str:
    with reading(database) as connection:
        key = link_key(connection)
    assert key is not None
    return link("https://encore.shop.example", key, people[name], people["offer"])


def states(database: Engine) -> dict[str, Any]:
    """All that unsubscribing could change."""
    with reading(database) as connection:
        return {
            "consents": list(connection.scalars(select(consents.c.state).order_by(consents.c.customer_id))),
            "events": connection.scalar(select(func.count()).select_from(contact_events)),
            "messages": list(
                connection.scalars(select(outbox_messages.c.status).order_by(outbox_messages.c.customer_id))
            ),
            "arms": list(
                connection.scalars(select(offer_assignments.c.held_back).order_by(offer_assignments.c.customer_id))
            ),
        }


UNTOUCHED = {"consents": ["given", "given"], "events": 0, "messages": ["queued", "queued"], "arms": [None, None]}
ANN_OUT = {
    "consents": ["withdrawn", "given"],
    "events": 1,
    "messages": ["held_back", "queued"],
    "arms": ["unsubscribed", None],
}


def test_a_get_shows_a_page_and_changes_nothing(browser: AppClient, database: Engine, people: dict[str, int]) -> None:
    address = link_of(database, people, "ann")
    for method in ("GET", "HEAD"):
        answer = browser.request(method, address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
    shown = browser.get(address).text
    assert "a…@e… will get no more offers from Test store." in shown
    assert "ann@example.com" not in shown
    assert states(database) == UNTOUCHED


def test_the_mail_programs_one_click_unsubscribes(browser: AppClient, database: Engine, people: dict[str, int]) -> None:
    answer = browser.post(link_of(database, people, "ann"), data={"List-Unsubscribe": "One-Click"})
    # Answered at once: RFC 8058 has no redirects, cookies or questions.
    assert (answer.status_code, answer.history) == (200, [])
    assert "set-cookie" not in answer.headers
    assert states(database) == ANN_OUT
    with reading(database) as connection:
        event = connection.execute(select(contact_events)).one()
        consent = connection.execute(select(consents).where(consents.c.customer_id == people["ann"])).one()
    assert (event.kind, event.customer_id, event.offer_id) == ("unsubscribed", people["ann"], people["offer"])
    assert (consent.source, consent.stated_at) == ("unsubscribe_link", event.occurred_at)


def test_unsubscribing_again_changes_nothing_more(browser: AppClient, database: Engine, people: dict[str, int]) -> None:
    for _ in range(3):
        assert browser.post(link_of(database, people, "ann")).status_code == 200
    assert states(database) == ANN_OUT
    assert "You are unsubscribed" in browser.get(link_of(database, people, "ann")).text


def test_nobody_can_make_the_link_of_another(browser: AppClient, database: Engine, people: dict[str, int]) -> None:
    start, _, written = link_of(database, people, "ben").rpartition("/")
    customer, offer, signed = written.split(".")
    forged = [
        f"{people['ann']}.{offer}.{signed}",
        f"{customer}.{int(offer) + 1}.{signed}",
        f"0{customer}.{offer}.{signed}",
        f"{customer}.{offer}.{'A' * 32}",
        f"{customer}.{offer}.{signed[:-1]}{'A' if signed[-1] != 'A' else 'B'}",
        f"{people['ann']}.{offer}.{token(b'guessed', people['ann'], int(offer)).rpartition('.')[2]}",
        f"{people['ann']}.{customer}.{offer}.{signed}",
    ]
    for one in forged:
        answer = browser.post(f"{start}/{one}")
        assert answer.status_code == 404
        assert "This link does not work" in answer.text
    assert states(database) == UNTOUCHED


def test_another_sites_page_cannot_post_it(browser: AppClient, database: Engine, people: dict[str, int]) -> None:
    answer = browser.post(link_of(database, people, "ann"), headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert states(database) == UNTOUCHED
    # The page's own button sends the page's own origin.
    answer = browser.post(link_of(database, people, "ann"), headers={"origin": "https://encore.shop.example"})
    assert (answer.status_code, states(database)) == (200, ANN_OUT)


def test_a_store_without_a_secret_takes_no_link(browser: AppClient, database: Engine) -> None:
    assert browser.post(f"/unsubscribe/{token(b'', 1, 1)}").status_code == 404


def test_the_page_speaks_the_customers_language_and_else_the_browsers(
    browser: AppClient, database: Engine, people: dict[str, int]
) -> None:
    address = link_of(database, people, "ann")
    assert 'lang="de"' in browser.get(address, headers={"accept-language": "de-AT,de;q=0.9"}).text
    assert 'lang="en"' in browser.get(address, headers={"accept-language": "fr"}).text
    with writing(database) as connection:
        connection.execute(update(customers).values(language="de"))
    assert "Keine Angebote mehr per Mail?" in browser.get(address, headers={"accept-language": "en"}).text


def test_a_hostile_name_of_the_store_stays_text(browser: AppClient, database: Engine, people: dict[str, int]) -> None:
    from lib.db.tables.store import store as store_table

    with writing(database) as connection:
        connection.execute(update(store_table).values(name="<script>alert(1)</script>{email}"))
    shown = browser.get(link_of(database, people, "ann")).text
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown


def test_an_erased_customers_link_is_good_for_nothing(
    browser: AppClient, database: Engine, people: dict[str, int]
) -> None:
    with writing(database) as connection:
        connection.execute(
            update(customers).where(customers.c.customer_id == people["ann"]).values(erased_at=now(), email=None)
        )
    assert browser.post(link_of(database, people, "ann")).status_code == 404
    assert states(database) == UNTOUCHED


def test_a_yes_after_unsubscribing_counts_and_an_old_one_does_not(
    browser: AppClient, database: Engine, people: dict[str, int]
) -> None:
    browser.post(link_of(database, people, "ann"))
    with writing(database) as connection:
        connection.execute(
            update(consents)
            .where(consents.c.customer_id == people["ann"])
            .values(state="given", stated_at=now(), source="shop")
        )
    browser.post(link_of(database, people, "ann"))
    assert states(database)["consents"] == ["withdrawn", "given"]
    assert states(database)["events"] == 2


def test_answers_to_tickets_still_leave(browser: AppClient, database: Engine, people: dict[str, int]) -> None:
    with writing(database) as connection:
        connection.execute(update(outbox_messages).values(offer_id=None, about="ticket", about_id=1))
    browser.post(link_of(database, people, "ann"))
    assert states(database)["messages"] == ["queued", "queued"]


def test_a_token_names_its_customer_and_offer() -> None:
    found = read_token(KEY, token(KEY, 17, 4))
    assert found is not None
    assert (found.customer_id, found.offer_id) == (17, 4)
    without = read_token(KEY, token(KEY, 17))
    assert without is not None
    assert without.offer_id is None
    assert read_token(None, token(KEY, 17)) is None
    assert read_token(KEY, token(KEY, 17) + "\n") is None
