"""The inboxes at a million reviews and a million tickets: views, pages deep inside, counts, searches, one opened.

Run: ``python -m bench.inbox --data FOLDER [--many N]``: adds reviews and tickets to the store that is in the folder (or
makes a small demo store), up to N of each, then prints a table of milliseconds. ``--order-database postgresql+psycopg://…``
does the same on an empty PostgreSQL database. With ``--address http://…`` (an app that runs on the same folder) it also
opens both inboxes in Chromium and turns their pages.
"""

import argparse
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Column, Connection, Engine, Table, func, select

from bench.table import store_in
from lib.db.bulk import bulk_insert
from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.customers import customers
from lib.db.tables.products import products
from lib.db.tables.reviews import reviews
from lib.db.tables.tickets import TICKET_CHANNELS, ticket_messages, tickets
from lib.demo.columns import objects
from lib.queues import review_inbox, ticket_inbox
from lib.queues.customer import story
from lib.queues.review import open_review, other_reviews
from lib.queues.ticket import open_ticket, similar

RUNS = 5
BATCH = 50_000
_ENGLISH = "lovely soft broken late parcel colour handle lid smell quality gift again price size packed glaze wool"
_GERMAN = "kaputt verspätet schön weich Farbe Griff Deckel Geruch Qualität Geschenk wieder Preis Größe verpackt"
WORDS = f"{_ENGLISH} {_GERMAN}".split()
_DAY = 86400e6
_NEVER = np.datetime64("NaT")

Ask = Callable[[Connection], object]


class Filling:
    """What the rows that are added draw from: chance, and who and what is there."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.rng = engine, np.random.default_rng(5)
        self.end = np.datetime64(now().replace(tzinfo=None), "us")
        with reading(engine) as conn:
            self.people = np.array(conn.execute(select(customers.c.customer_id)).scalars().all())
            self.goods = np.array(conn.execute(select(products.c.product_id)).scalars().all())

    def fill(self, table: Table, key: Column[Any], wanted: int, rows: Callable[[np.ndarray], None]) -> None:
        """Add rows in batches of keys until there are so many."""
        with reading(self.engine) as conn:
            there, last = conn.execute(select(func.count(), func.coalesce(func.max(key), 0)).select_from(table)).one()
        for begin in range(last + 1, last + 1 + wanted - there, BATCH):
            rows(np.arange(begin, min(begin + BATCH, last + 1 + wanted - there)))

    def moments(self, size: int) -> np.ndarray:
        """Moments of three years."""
        moments: np.ndarray = self.end - (self.rng.random(size) * 3 * 365 * _DAY).astype("m8[us]")
        return moments

    def later(self, moments: np.ndarray, days: float, never: float) -> np.ndarray:
        """Some time after each; for a share of them, and what would lie ahead, never."""
        size = len(moments)
        found: np.ndarray = moments + (self.rng.exponential(days, size) * _DAY).astype("m8[us]")
        found[(self.rng.random(size) < never) | (found > self.end)] = _NEVER
        return found

    def reviews(self, keys: np.ndarray) -> None:
        """A quarter of them unanswered."""
        size, rng = len(keys), self.rng
        written, bodies = self.moments(size), rng.choice(WORDS, (size, 22))
        with writing(self.engine) as conn:
            bulk_insert(
                conn,
                reviews,
                {
                    "review_id": keys,
                    "source": ["bench"] * size,
                    "external_id": objects([f"B{key}" for key in keys]),
                    "fingerprint": ["bench"] * size,
                    "product_id": rng.choice(self.goods, size),
                    "customer_id": rng.choice(self.people, size),
                    "rating": rng.choice([1, 2, 3, 4, 5], size, p=[0.08, 0.06, 0.1, 0.24, 0.52]),
                    "title": objects([" ".join(row[:3]) for row in bodies]),
                    "body": objects([" ".join(row) for row in bodies]),
                    "language": rng.choice(["de", "en"], size),
                    "reviewer_name": objects([f"{row[3]} {row[4][0]}." for row in bodies]),
                    "written_at": written,
                    "answered_at": self.later(written, 1.0, 0.25),
                },
            )

    def tickets(self, keys: np.ndarray) -> None:
        """Two messages each; of a hundred, two wait for us and two for their customers."""
        size, rng = len(keys), self.rng
        opened, bodies = self.moments(size), rng.choice(WORDS, (size, 30))
        draw = rng.random(size)
        waits, with_customer = draw < 0.02, (draw >= 0.02) & (draw < 0.04)
        answered = self.later(opened, 0.2, 0.0)
        answered[waits] = _NEVER
        status = np.where(waits, "open", np.where(with_customer, "waiting_for_customer", "closed")).astype(object)
        closed = answered + np.timedelta64(1, "h")
        closed[waits | with_customer] = _NEVER
        with writing(self.engine) as conn:
            bulk_insert(
                conn,
                tickets,
                {
                    "ticket_id": keys,
                    "source": ["bench"] * size,
                    "external_id": objects([f"B{key}" for key in keys]),
                    "fingerprint": ["bench"] * size,
                    "customer_id": rng.choice(self.people, size),
                    "channel": rng.choice(np.array(TICKET_CHANNELS), size),
                    "status": status,
                    "priority": rng.choice(["low", "normal", "high", "urgent"], size, p=[0.1, 0.7, 0.15, 0.05]),
                    "subject": objects([" ".join(row[:4]) for row in bodies]),
                    "topic": rng.choice(["shipping", "returns", "how to", "damaged"], size),
                    "opened_at": opened,
                    "first_response_at": answered,
                    "closed_at": closed,
                    "waiting_since": np.where(waits, opened, _NEVER),
                    "response_due_at": np.where(waits, opened + np.timedelta64(1, "h"), _NEVER),
                },
            )
            for author, said, words in (("customer", opened, bodies), ("staff", answered, bodies[:, ::-1])):
                there = ~np.isnat(said)
                bulk_insert(
                    conn,
                    ticket_messages,
                    {
                        "ticket_id": keys[there],
                        "author": [author] * int(there.sum()),
                        "sent_at": said[there],
                        "body": objects([" ".join(row) for row in words[there]]),
                    },
                )


def of_reviews(engine: Engine) -> dict[str, Ask]:
    """What the inbox of reviews asks, by name."""
    at = now()
    view_of, asked_of = review_inbox.View, review_inbox.Asked
    recent = asked_of(since=at - timedelta(days=60))
    with reading(engine) as conn:
        product = conn.execute(select(products.c.product_id).limit(1)).scalar_one()
        customer = conn.execute(select(customers.c.customer_id).limit(1)).scalar_one()
        newest = conn.execute(select(reviews.c.review_id).order_by(reviews.c.written_at.desc()).limit(1)).scalar_one()

    def page(view: review_inbox.View, asked: review_inbox.Asked, deep: timedelta | None = None) -> Ask:
        after = None if deep is None else ((1, at - deep, 0) if view is view_of.NEGATIVE else (at - deep, 0))
        return lambda conn: review_inbox.inbox(conn, view, asked, at=at, staff_id=1, after=after, limit=20)

    year = timedelta(days=700)
    return {
        "unanswered, 60 days": page(view_of.UNANSWERED, recent),
        "unanswered, any age": page(view_of.UNANSWERED, asked_of()),
        "unanswered, any age, two years in": page(view_of.UNANSWERED, asked_of(), year),
        "negative first, 60 days": page(view_of.NEGATIVE, recent),
        "negative first, any age": page(view_of.NEGATIVE, asked_of()),
        "negative first, two years in": page(view_of.NEGATIVE, asked_of(), year),
        "all": page(view_of.ALL, asked_of()),
        "all, two years in": page(view_of.ALL, asked_of(), year),
        "all of one product": page(view_of.ALL, asked_of(product_id=product)),
        "all with 1 star in German": page(view_of.ALL, asked_of(ratings=(1,), languages=("de",))),
        "unanswered of one product with 5 stars": page(view_of.UNANSWERED, asked_of(product_id=product, ratings=(5,))),
        "search a common word": page(view_of.ALL, asked_of(words="kaputt")),
        "search a word that is nowhere": page(view_of.ALL, asked_of(words="nowhere-at-all")),
        "search it among 60 days": page(view_of.ALL, asked_of(words="nowhere-at-all", since=recent.since)),
        "search with an umlaut": page(view_of.ALL, asked_of(words="größenlos")),
        "a tag nobody gave": page(view_of.ALL, asked_of(tag="nobody")),
        "counts of the views": lambda conn: review_inbox.counts(conn, at=at, since=at - timedelta(days=60), staff_id=1),
        "one review opened": lambda conn: open_review(conn, newest),
        "its product's other reviews": lambda conn: other_reviews(conn, product_id=product, but=0),
        "its customer's story": lambda conn: story(conn, customer, at=at, zone=ZoneInfo("Europe/Berlin")),
    }


def of_tickets(engine: Engine) -> dict[str, Ask]:
    """What the inbox of tickets asks, by name."""
    at = now()
    view_of, asked_of = ticket_inbox.View, ticket_inbox.Asked
    with reading(engine) as conn:
        newest = conn.execute(select(tickets.c.ticket_id).order_by(tickets.c.opened_at.desc()).limit(1)).scalar_one()

    def page(view: ticket_inbox.View, asked: ticket_inbox.Asked, deep: timedelta | None = None) -> Ask:
        after = None if deep is None else (at - deep, 0)
        return lambda conn: ticket_inbox.inbox(conn, view, asked, at=at, staff_id=1, after=after, limit=20)

    def opened(conn: Connection) -> object:
        found = open_ticket(conn, newest)
        return found and similar(conn, found)

    year = timedelta(days=700)
    nowhere = asked_of(words="nowhere-at-all")
    return {
        "due next": page(view_of.DUE, asked_of()),
        "due next, two years in": page(view_of.DUE, asked_of(), year),
        "due next by chat, urgent": page(view_of.DUE, asked_of(channels=("chat",), priorities=("urgent",))),
        "nobody's": page(view_of.UNOWNED, asked_of()),
        "mine": page(view_of.MINE, asked_of()),
        "with the customer": page(view_of.WITH_CUSTOMER, asked_of()),
        "with the customer, two years in": page(view_of.WITH_CUSTOMER, asked_of(), year),
        "all": page(view_of.ALL, asked_of()),
        "all, two years in": page(view_of.ALL, asked_of(), year),
        "all by phone and spam": page(view_of.ALL, asked_of(channels=("phone",), statuses=("spam",))),
        "search a common word": page(view_of.ALL, asked_of(words="kaputt")),
        "search a word that is nowhere": page(view_of.ALL, nowhere),
        "search it among those due": page(view_of.DUE, nowhere),
        "search with an umlaut": page(view_of.ALL, asked_of(words="größenlos")),
        "a tag nobody gave": page(view_of.ALL, asked_of(tag="nobody")),
        "counts of the views": lambda conn: ticket_inbox.counts(conn, at=at, staff_id=1),
        "overdue": lambda conn: ticket_inbox.overdue(conn, at),
        "one ticket opened, and those like it": opened,
    }


def measure(engine: Engine, asked: dict[str, Ask]) -> None:
    """Print a line for each question: the median and the slowest of a few runs, in milliseconds."""
    for name, ask in asked.items():
        taken = []
        for _ in range(RUNS):
            started = time.perf_counter()
            with reading(engine) as conn:
                ask(conn)
            taken.append(1000 * (time.perf_counter() - started))
        print(f"{name:<42}{median(taken):>9.1f} ms{max(taken):>9.1f} ms", flush=True)


def in_chromium(address: str, noun: str) -> None:
    """Open an inbox, ``review`` or ``ticket``, and turn its pages in a browser; prints milliseconds to settled."""
    from playwright.sync_api import Page, expect, sync_playwright

    from tests.chromium import FLAGS, executable

    settled = "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"

    def opened(page: Page) -> float:
        started = time.perf_counter()
        page.goto(f"{address}/{noun}s")
        expect(page.locator(".st-key-inbox_lines input[type=radio]")).to_have_count(20)
        expect(page.locator(".st-key-story")).to_be_visible()
        page.locator(settled).wait_for()
        return 1000 * (time.perf_counter() - started)

    def pressed(page: Page, key: str, changes: str) -> float:
        before = page.locator(changes).first.inner_text()
        started = time.perf_counter()
        page.keyboard.press(key)
        expect(page.locator(changes).first).not_to_have_text(before)
        page.locator(settled).wait_for()
        return 1000 * (time.perf_counter() - started)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        openings = [opened(page) for _ in range(RUNS)]
        warm = median(openings[1:])
        print(f"{f'in Chromium: {noun}s open (first, then warm)':<52}{openings[0]:>9.0f} ms{warm:>9.0f} ms")
        first = ".st-key-inbox_lines label:has(input[type=radio])"
        turned = [pressed(page, "n", first) for _ in range(RUNS)]
        print(f"{'in Chromium: the next page':<52}{median(turned):>9.0f} ms{max(turned):>9.0f} ms")
        moved = [pressed(page, "j", f".st-key-{noun}") for _ in range(RUNS)]
        print(f"{f'in Chromium: the next {noun}':<52}{median(moved):>9.0f} ms{max(moved):>9.0f} ms")
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="the data folder; an empty one gets a demo store")
    parser.add_argument("--order-database", help="another order database than the folder's file")
    parser.add_argument("--many", type=int, default=1_000_000, help="so many reviews, and so many tickets")
    parser.add_argument("--address", help="an app that runs on this folder, to be opened in Chromium")
    args = parser.parse_args()
    engine = order_database(store_in(args.data, args.order_database or ""))
    filling = Filling(engine)
    filling.fill(reviews, reviews.c.review_id, args.many, filling.reviews)
    filling.fill(tickets, tickets.c.ticket_id, args.many, filling.tickets)
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA optimize" if engine.dialect.name == "sqlite" else "ANALYZE")
        conn.commit()
    for noun, asked in (("review", of_reviews(engine)), ("ticket", of_tickets(engine))):
        print(f"--- {noun}s")
        measure(engine, asked)
        if args.address:
            in_chromium(args.address, noun)


if __name__ == "__main__":
    main()
