"""Questions of how something is done: recognised in two languages, counted for the product they are about."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, insert

from lib.db.engine import reading, writing
from lib.db.store import Store
from lib.db.tables.orders import order_items, orders
from lib.db.tables.products import products
from lib.db.tables.surveys import questions
from lib.db.tables.tickets import ticket_messages, tickets
from lib.queues.how_to import asked_of_products
from lib.stats.how_to import UNKNOWN, asks_how, missing_guides

TOLD = {"source": "test", "fingerprint": "x"}
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "text",
    [
        "How do I clean the lid?",
        "Question\n\nhow\nto descale it",
        "I can’t figure out the timer",
        "Is there a manual for it?",
        "Wie bekomme ich den Deckel wieder auf?",
        "Gibt es eine Bedienungsanleitung dazu?",
        "Darf die Kanne in die Spülmaschine?",
        "Ich weiß nicht, wie das gehen soll",
        "WIE OFT MUSS ICH DEN FILTER WECHSELN",
    ],
)
def test_who_asks_how_it_is_done_is_heard(text: str) -> None:
    assert asks_how(text)


@pytest.mark.parametrize(
    "text",
    [
        "Where is my parcel?",
        "How are you?",
        "Wie geht es Ihnen?",
        "Wann kommt die Ware?",
        "Show doing",
        "",
        "\x00=cmd()",
    ],
)
def test_who_asks_something_else_is_not(text: str) -> None:
    assert not asks_how(text)


def test_a_text_of_a_megabyte_is_judged_by_its_beginning() -> None:
    assert asks_how("how to wash it " + "wie wird " * 200_000)
    assert not asks_how("wie wird " * 200_000 + "how to wash it")


@pytest.fixture
def asked(database: Engine, store: Store, noon: datetime) -> pd.DataFrame:
    """Six tickets and two questions about a kettle, a rug and things nobody knows."""
    euros = {"currency": "EUR", "gross_minor": 1}
    order = {**TOLD, **euros, "original_currency": "EUR", "payment_status": "paid", "total_minor": 1, "placed_at": noon}
    line = {**euros, "name": "line", "quantity": 1, "unit_price_minor": 1}
    ticket: dict[str, Any] = {**TOLD, "channel": "email", "product_id": None, "order_id": None, "status": "open"}
    with writing(database) as conn:
        for key, name in ((1, "Kettle"), (2, "Rug")):
            conn.execute(insert(products).values(**TOLD, external_id=name, product_id=key, name=name))
        for key, sold in ((1, (2, 2)), (2, (1, 2))):
            conn.execute(insert(orders).values(**order, order_id=key, number=f"#{key}", external_id=str(key)))
            for number, product in enumerate(sold):
                conn.execute(insert(order_items).values(**line, order_id=key, line_number=number, product_id=product))
        wrote: tuple[tuple[str, int, dict[str, Any]], ...] = (
            ("How do I descale it?", 1, {"product_id": 1, "order_id": 1}),
            ("Where is it?", 2, {"product_id": 1}),
            ("Wie reinige ich ihn?", 3, {"order_id": 1}),
            ("How to use it?", 4, {"order_id": 2}),
            ("How to hack it?", 5, {"product_id": 1, "status": "spam"}),
            ("How to wash it?", 100, {"product_id": 1}),
        )
        for key, (text, age, values) in enumerate(wrote, 1):
            at = noon - age * HOUR
            one = {"external_id": str(key), "ticket_id": key, "opened_at": at}
            conn.execute(insert(tickets).values(**ticket | one | values))
            said = ((0, "customer", text), (1, "staff", "How do I know?"), (2, "customer", "How to?"))
            for later, author, words in said:
                conn.execute(
                    insert(ticket_messages).values(ticket_id=key, author=author, sent_at=at + later * HOUR, body=words)
                )
        for key, text in ((1, "Is it warm?"), (2, "Can I wash it at 60 degrees?")):
            one = {"external_id": str(key), "product_id": 2, "asked_at": noon - HOUR, "body": text}
            conn.execute(insert(questions).values(**TOLD, **one))
    with reading(database) as conn:
        return asked_of_products(conn, noon - 24 * HOUR, noon)


def test_a_ticket_is_about_its_product_or_the_only_one_of_its_order(asked: pd.DataFrame) -> None:
    told = {(row.kind, row.key): (row.product, row.text) for row in asked.itertuples()}
    assert told == {
        ("ticket", 1): ("Kettle", "How do I descale it?"),
        ("ticket", 2): ("Kettle", "Where is it?"),
        ("ticket", 3): ("Rug", "Wie reinige ich ihn?"),
        ("ticket", 4): ("", "How to use it?"),
        ("question", 1): ("Rug", "Is it warm?"),
        ("question", 2): ("Rug", "Can I wash it at 60 degrees?"),
    }


def test_missing_guides_are_counted_by_product_and_the_unknown_come_last(asked: pd.DataFrame) -> None:
    found = missing_guides(asked)
    assert found[["product", "n", "asked", "share"]].to_numpy().tolist() == [
        ["Rug", 2, 3, 2 / 3],
        ["Kettle", 1, 2, 0.5],
        [UNKNOWN, 1, 1, 1.0],
    ]
    assert missing_guides(asked.iloc[:0]).empty
