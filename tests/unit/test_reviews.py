"""Answering reviews: what is written, what leaves, what is refused, and what two people at once see."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, update

from lib.db import audit
from lib.db.engine import reading, writing
from lib.db.store import Store, write_store
from lib.db.tables.customers import customers
from lib.db.tables.desk import drafts as drafts_table
from lib.db.tables.offers import outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.reviews import review_replies, review_shares, reviews
from lib.db.tables.staff import audit_log, staff
from lib.db.tables.tickets import ticket_messages, tickets
from lib.errors import Conflict, InvalidInput, NotAllowed
from lib.queues.review import open_review
from lib.staff import Role, Staff
from lib.workflows import desk, drafts
from lib.workflows.courtesy import APOLOGY, REACH, missing_courtesy
from lib.workflows.reviews import (
    Way,
    mail_address,
    open_ticket,
    publish_reply,
    set_topic,
    share,
)

ANN = Staff(staff_id=1, name="Ann", role=Role.SUPPORT)
BEN = Staff(staff_id=2, name="Ben", role=Role.SUPPORT)
EVE = Staff(staff_id=3, name="Eve", role=Role.VIEWER)
WRITTEN = (review_replies, review_shares, tickets, ticket_messages, outbox_messages, audit_log)
BAD, GOOD, SURVEY, UNKNOWN = 1, 2, 3, 4
MAIL = "bea@example.org"


@pytest.fixture
def shop(database: Engine, store: Store, noon: datetime) -> Engine:
    """Three people; a bad, a good, a survey's and an unknown person's review; Bea bought once."""
    told = {"source": "test", "fingerprint": "x"}
    order = {
        "order_id": 1,
        "customer_id": 1,
        "number": "#1",
        "placed_at": noon - timedelta(days=9),
        "payment_status": "paid",
        "currency": "EUR",
        "original_currency": "EUR",
        "gross_minor": 1000,
        "total_minor": 1000,
    }
    with writing(database) as conn:
        for who in (ANN, BEN, EVE):
            conn.execute(
                insert(staff).values(
                    staff_id=who.staff_id, email=f"{who.name}@shop.test", name=who.name, role=who.role, created_at=noon
                )
            )
        conn.execute(
            insert(customers),
            [
                {**told, "external_id": "1", "customer_id": 1, "name": "Bea Bo", "email": MAIL},
                {**told, "external_id": "2", "customer_id": 2, "name": "Cy", "email": "cy@example.org"},
            ],
        )
        conn.execute(insert(orders).values(**told, external_id="1", **order))
        for key, rating, customer, is_survey in (
            (1, 1, 1, False),
            (2, 5, 1, False),
            (3, 2, 1, True),
            (4, 2, None, False),
        ):
            conn.execute(
                insert(reviews).values(
                    **told,
                    external_id=str(key),
                    review_id=key,
                    customer_id=customer,
                    rating=rating,
                    title="Broken" if rating == 1 else None,
                    body="It came in pieces.",
                    language="en",
                    reviewer_name="Bea B.",
                    written_at=noon - timedelta(hours=5),
                    is_survey=is_survey,
                )
            )
    return database


def _counts(engine: Engine) -> list[int]:
    with reading(engine) as conn:
        return [conn.execute(select(func.count()).select_from(table)).scalar_one() for table in WRITTEN]


def _review(engine: Engine, key: int = BAD) -> Any:
    with reading(engine) as conn:
        return open_review(conn, key)


def test_a_reply_answers_leaves_by_mail_and_webhook_and_is_logged_sealed(shop: Engine, noon: datetime) -> None:
    with writing(shop) as conn:
        drafts.save_draft(conn, ANN, "review", BAD, "We are so", at=noon)
        way = Way(email=MAIL, webhook=True)
        assert publish_reply(conn, ANN, BAD, " We are sorry.\x00 ", version=1, at=noon, way=way) == 1
    found = _review(shop)
    assert (found.reply.body, found.reply.author, found.reply.replied_at) == ("We are sorry.", "Ann", noon)
    assert (found.answered_at, found.version) == (noon, 2)
    assert {(sent.channel, sent.status) for sent in found.sent} == {("email", "queued"), ("webhook", "queued")}
    with reading(shop) as conn:
        assert conn.execute(select(func.count()).select_from(drafts_table)).scalar_one() == 0
        mail, hook = conn.execute(select(outbox_messages).order_by(outbox_messages.c.channel)).mappings()
        assert (mail["recipient"], mail["subject"], mail["body"]) == (MAIL, "Our reply to your review", "We are sorry.")
        assert json.loads(hook["body"]) == {
            "event": "review.replied",
            "review": {"source": "test", "id": "1", "rating": 1},
            "reply": {"revision": 1, "body": "We are sorry.", "at": noon.isoformat()},
        }
        entry = conn.execute(select(audit_log)).mappings().one()
        assert entry["action"] == "review.replied"
        assert "sorry" not in json.dumps(entry["details"])
        assert audit.unsealed(conn, dict(entry)) == {"reply": "We are sorry."}


def test_a_mistake_is_corrected_by_a_new_version_and_the_old_one_stays(shop: Engine, noon: datetime) -> None:
    with writing(shop) as conn:
        publish_reply(conn, ANN, BAD, "Sory.", version=1, at=noon, way=Way(email=MAIL))
        publish_reply(conn, BEN, BAD, "Sorry.", version=2, at=noon + timedelta(hours=1), way=Way(email=MAIL))
    found = _review(shop)
    assert [(reply.revision, reply.author, reply.body) for reply in found.replies] == [
        (2, "Ben", "Sorry."),
        (1, "Ann", "Sory."),
    ]
    # When it was answered first does not change; each version is a mail of its own.
    assert found.answered_at == noon
    assert len(found.sent) == 2
    with reading(shop) as conn:
        actions = conn.execute(select(audit_log.c.action).order_by(audit_log.c.audit_id)).scalars().all()
    assert actions == ["review.replied", "review.corrected"]


def test_sending_the_same_words_twice_is_sending_them_once(shop: Engine, noon: datetime) -> None:
    with writing(shop) as conn:
        publish_reply(conn, ANN, BAD, "Sorry.", version=1, at=noon, way=Way(email=MAIL))
    before = _counts(shop)
    with writing(shop) as conn:
        assert publish_reply(conn, ANN, BAD, "Sorry.", version=1, at=noon, way=Way(email=MAIL)) == 1
    assert _counts(shop) == before


def test_a_stale_send_is_refused_says_who_answered_and_sends_nothing(shop: Engine, noon: datetime) -> None:
    with writing(shop) as conn:
        drafts.save_draft(conn, BEN, "review", BAD, "My own words", at=noon)
        publish_reply(conn, ANN, BAD, "Ann's words", version=1, at=noon, way=Way(email=MAIL))
    before = _counts(shop)
    with pytest.raises(Conflict, match="Ann answered this review 2 minutes ago"), writing(shop) as conn:
        publish_reply(conn, BEN, BAD, "My own words", version=1, at=noon + timedelta(minutes=2), way=Way(email=MAIL))
    assert _counts(shop) == before
    assert _review(shop).reply.body == "Ann's words"
    with reading(shop) as conn:
        kept = drafts.read_draft(conn, BEN, "review", BAD)
    assert kept is not None
    assert kept.body == "My own words"


Act = Callable[[Connection, datetime], object]


@pytest.mark.parametrize(
    ("refusal", "act"),
    [
        (NotAllowed, lambda c, at: publish_reply(c, EVE, BAD, "x", version=1, at=at)),
        (NotAllowed, lambda c, at: open_ticket(c, EVE, BAD, version=1, at=at)),
        (NotAllowed, lambda c, at: set_topic(c, EVE, BAD, "late", version=1, at=at)),
        (NotAllowed, lambda c, at: share(c, EVE, GOOD, "x", consent="mail", consented_at=at, version=1, at=at)),
        (InvalidInput, lambda c, at: publish_reply(c, ANN, BAD, " \x00\n", version=1, at=at)),
        (InvalidInput, lambda c, at: publish_reply(c, ANN, BAD, "x" * 5001, version=1, at=at)),
        (InvalidInput, lambda c, at: publish_reply(c, ANN, SURVEY, "x", version=1, at=at)),
        (InvalidInput, lambda c, at: publish_reply(c, ANN, BAD, "x", version=1, at=at, way=Way(email="eve@x.org"))),
        (InvalidInput, lambda c, at: publish_reply(c, ANN, UNKNOWN, "x", version=1, at=at, way=Way(email=MAIL))),
        (Conflict, lambda c, at: publish_reply(c, ANN, 99, "x", version=1, at=at)),
        (Conflict, lambda c, at: open_ticket(c, ANN, BAD, version=7, at=at)),
        (InvalidInput, lambda c, at: share(c, ANN, BAD, "x", consent="mail", consented_at=at, version=1, at=at)),
        (InvalidInput, lambda c, at: share(c, ANN, GOOD, "x", consent=" ", consented_at=at, version=1, at=at)),
        (
            InvalidInput,
            lambda c, at: share(
                c, ANN, GOOD, "x", consent="mail", consented_at=at + timedelta(days=1), version=1, at=at
            ),
        ),
        (Conflict, lambda c, at: share(c, ANN, GOOD, "x", consent="mail", consented_at=at, version=2, at=at)),
        (Conflict, lambda c, at: set_topic(c, ANN, BAD, "late", version=2, at=at)),
    ],
)
def test_a_refusal_writes_nothing(shop: Engine, noon: datetime, refusal: type[Exception], act: Act) -> None:
    with pytest.raises(refusal), writing(shop) as conn:
        act(conn, noon)
    assert _counts(shop) == [0] * len(WRITTEN)
    assert (_review(shop).version, _review(shop).answered_at, _review(shop).topic) == (1, None, "")


def test_a_mail_needs_an_address_and_a_purchase(shop: Engine, noon: datetime) -> None:
    with writing(shop) as conn:
        assert mail_address(conn, BAD)[0] == MAIL
        assert mail_address(conn, UNKNOWN) == (None, "Nobody knows which customer wrote this.")
        conn.execute(update(reviews).where(reviews.c.review_id == UNKNOWN).values(customer_id=2))
        assert mail_address(conn, UNKNOWN)[1].startswith("This person never bought here")
        conn.execute(update(customers).where(customers.c.customer_id == 1).values(email="not an address"))
        assert mail_address(conn, BAD) == (None, "There is no e-mail address of this customer.")
        conn.execute(update(customers).where(customers.c.customer_id == 1).values(email=MAIL, erased_at=noon))
        assert mail_address(conn, BAD) == (None, "This customer was erased.")


def test_a_ticket_is_opened_once_and_linked_both_ways(shop: Engine, noon: datetime) -> None:
    with writing(shop) as conn:
        key = open_ticket(conn, ANN, BAD, version=1, at=noon)
        assert open_ticket(conn, BEN, BAD, version=1, at=noon) == key
    with reading(shop) as conn:
        ticket = conn.execute(select(tickets)).mappings().one()
        message = conn.execute(select(ticket_messages)).mappings().one()
    assert (ticket["review_id"], ticket["customer_id"], ticket["subject"]) == (BAD, 1, "Review, 1 star: Broken")
    assert (ticket["is_started_by_us"], ticket["priority"], ticket["owner_id"]) == (True, "high", 1)
    assert (message["author"], message["body"]) == ("customer", "Broken\n\nIt came in pieces.")
    assert (_review(shop).ticket_id, _review(shop).version) == (key, 2)


def test_praise_becomes_a_text_to_share_with_its_consent(shop: Engine, noon: datetime) -> None:
    agreed = noon - timedelta(hours=1)
    with writing(shop) as conn:
        share(conn, ANN, GOOD, "“Lovely” Bea", consent="By mail to Ann", consented_at=agreed, version=1, at=noon)
    (kept,) = _review(shop, GOOD).shares
    assert (kept.body, kept.consent, kept.consented_at, kept.author) == (
        "“Lovely” Bea",
        "By mail to Ann",
        agreed,
        "Ann",
    )


def test_a_topic_named_by_a_person_is_kept_and_can_be_taken_back(shop: Engine, noon: datetime) -> None:
    with writing(shop) as conn:
        set_topic(conn, ANN, BAD, "damaged", version=1, at=noon)
    assert _review(shop).topic == "damaged"
    with writing(shop) as conn:
        set_topic(conn, ANN, BAD, None, version=2, at=noon)
    assert _review(shop).topic == ""


def test_the_demo_store_holds_its_mail_back(shop: Engine, store: Store, noon: datetime) -> None:
    with writing(shop) as conn:
        write_store(conn, Store(store.name, store.time_zone, store.currency, store.country, store.languages, True))
        publish_reply(conn, ANN, BAD, "Sorry.", version=1, at=noon, way=Way(email=MAIL))
    (sent,) = _review(shop).sent
    assert sent.status == "held_back"


def test_what_a_window_did_not_see_is_refused_whatever_it_was(shop: Engine, noon: datetime) -> None:
    with writing(shop) as conn:
        desk.set_tags(conn, BEN, "review", BAD, ["vip"], version=1, at=noon)
    with pytest.raises(Conflict, match="Ben changed the tags"), writing(shop) as conn:
        publish_reply(conn, ANN, BAD, "Sorry.", version=1, at=noon)


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("Thank you.", [APOLOGY, REACH]),
        ("We are sorry.", [REACH]),
        ("Write to us at help@shop.test", [APOLOGY]),
        ("I apologise. Call us: +49 421 123 45 67", []),
        ("Es tut mir sehr leid. Sie erreichen mich persönlich.", []),
        ("Entschuldigen Sie bitte, antworten Sie einfach auf diese Mail.", []),
        ("Danke für die offenen Worte.", [APOLOGY, REACH]),
    ],
)
def test_an_answer_to_criticism_is_looked_through_for_an_apology_and_a_way_to_a_person(
    text: str, lacks: list[str]
) -> None:
    assert missing_courtesy(text) == lacks
