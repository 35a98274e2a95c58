"""The inbox of reviews at a million reviews: each view's first page, a page deep inside, counts, searches, one review.

Run: ``python -m bench.reviews --data FOLDER [--reviews N]``: adds reviews to the demo store that is in the folder (or
makes a small one), up to N, then prints a table of milliseconds. With ``--address http://…`` (an app that runs on the
same folder) it also opens the inbox in Chromium and turns its pages.
"""

import argparse
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, Engine, func, select

from lib.db.bulk import bulk_insert
from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.customers import customers
from lib.db.tables.products import products
from lib.db.tables.reviews import reviews
from lib.demo.build import make_demo
from lib.demo.columns import objects
from lib.queues.customer import story
from lib.queues.review import open_review, other_reviews
from lib.queues.review_inbox import Asked, View, counts, inbox
from lib.settings import Settings, read_settings

RUNS = 5
BATCH = 50_000
_ENGLISH = "lovely soft broken late parcel colour handle lid smell quality gift again price size packed glaze wool"
_GERMAN = "kaputt verspätet schön weich Farbe Griff Deckel Geruch Qualität Geschenk wieder Preis Größe verpackt"
WORDS = f"{_ENGLISH} {_GERMAN}".split()


def fill(engine: Engine, wanted: int) -> int:
    """Add reviews of three years, a quarter of them unanswered, until there are ``wanted``; returns how many."""
    rng = np.random.default_rng(5)
    with reading(engine) as conn:
        there = int(conn.execute(select(func.count()).select_from(reviews)).scalar_one())
        first = int(conn.execute(select(func.coalesce(func.max(reviews.c.review_id), 0))).scalar_one()) + 1
        people = np.array(conn.execute(select(customers.c.customer_id)).scalars().all())
        goods = np.array(conn.execute(select(products.c.product_id)).scalars().all())
    end = np.datetime64(now().replace(tzinfo=None), "us")
    for begin in range(first, first + wanted - there, BATCH):
        size = min(BATCH, first + wanted - there - begin)
        keys = np.arange(begin, begin + size)
        written = end - (rng.random(size) * 3 * 365 * 86400e6).astype("m8[us]")
        answered = written + (rng.exponential(1.0, size) * 86400e6).astype("m8[us]")
        answered[(rng.random(size) < 0.25) | (answered > end)] = np.datetime64("NaT")
        bodies = rng.choice(WORDS, (size, 22))
        with writing(engine) as conn:
            bulk_insert(
                conn,
                reviews,
                {
                    "review_id": keys,
                    "source": ["bench"] * size,
                    "external_id": objects([f"B{key}" for key in keys]),
                    "fingerprint": ["bench"] * size,
                    "product_id": rng.choice(goods, size),
                    "customer_id": rng.choice(people, size),
                    "rating": rng.choice([1, 2, 3, 4, 5], size, p=[0.08, 0.06, 0.1, 0.24, 0.52]),
                    "title": objects([" ".join(row[:3]) for row in bodies]),
                    "body": objects([" ".join(row) for row in bodies]),
                    "language": rng.choice(["de", "en"], size),
                    "reviewer_name": objects([f"{row[3]} {row[4][0]}." for row in bodies]),
                    "written_at": written,
                    "answered_at": answered,
                },
            )
    with engine.connect() as conn:
        if engine.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA optimize")
    return max(there, wanted)


def questions(engine: Engine) -> dict[str, Callable[[Connection], object]]:
    """What the inbox asks, by name."""
    at = now()
    recent = Asked(since=at - timedelta(days=60))
    with reading(engine) as conn:
        product = conn.execute(select(products.c.product_id).limit(1)).scalar_one()
        customer = conn.execute(select(customers.c.customer_id).limit(1)).scalar_one()
        newest = conn.execute(select(reviews.c.review_id).order_by(reviews.c.written_at.desc()).limit(1)).scalar_one()

    def page(view: View, asked: Asked, deep: timedelta | None = None) -> Callable[[Connection], object]:
        after = None if deep is None else ((1, at - deep, 0) if view is View.NEGATIVE else (at - deep, 0))
        return lambda conn: inbox(conn, view, asked, at=at, staff_id=1, after=after, limit=20)

    year = timedelta(days=700)
    return {
        "unanswered, 60 days": page(View.UNANSWERED, recent),
        "unanswered, any age": page(View.UNANSWERED, Asked()),
        "unanswered, any age, two years in": page(View.UNANSWERED, Asked(), year),
        "negative first, 60 days": page(View.NEGATIVE, recent),
        "negative first, any age": page(View.NEGATIVE, Asked()),
        "negative first, two years in": page(View.NEGATIVE, Asked(), year),
        "all": page(View.ALL, Asked()),
        "all, two years in": page(View.ALL, Asked(), year),
        "all of one product": page(View.ALL, Asked(product_id=product)),
        "all with 1 star in German": page(View.ALL, Asked(ratings=(1,), languages=("de",))),
        "unanswered of one product with 5 stars": page(View.UNANSWERED, Asked(product_id=product, ratings=(5,))),
        "search a common word": page(View.ALL, Asked(words="kaputt")),
        "search a word that is nowhere": page(View.ALL, Asked(words="nowhere-at-all")),
        "search it among 60 days": page(View.ALL, Asked(words="nowhere-at-all", since=recent.since)),
        "search with an umlaut": page(View.ALL, Asked(words="größenlos")),
        "a tag nobody gave": page(View.ALL, Asked(tag="nobody")),
        "counts of the views": lambda conn: counts(conn, at=at, since=at - timedelta(days=60), staff_id=1),
        "one review opened": lambda conn: open_review(conn, newest),
        "its product's other reviews": lambda conn: other_reviews(conn, product_id=product, but=0),
        "its customer's story": lambda conn: story(conn, customer, at=at, zone=ZoneInfo("Europe/Berlin")),
    }


def measure(engine: Engine) -> None:
    """Print a line for each question: the median and the slowest of a few runs, in milliseconds."""
    for name, ask in questions(engine).items():
        taken = []
        for _ in range(RUNS):
            started = time.perf_counter()
            with reading(engine) as conn:
                ask(conn)
            taken.append(1000 * (time.perf_counter() - started))
        print(f"{name:<42}{median(taken):>9.1f} ms{max(taken):>9.1f} ms", flush=True)


def in_chromium(address: str) -> None:
    """Open the inbox and turn its pages in a browser; prints milliseconds to settled."""
    from playwright.sync_api import Page, expect, sync_playwright

    from tests.chromium import FLAGS, executable

    settled = "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"

    def opened(page: Page) -> float:
        started = time.perf_counter()
        page.goto(f"{address}/reviews")
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
        print(f"{'in Chromium: the inbox opens (first, then warm)':<52}{openings[0]:>9.0f} ms{warm:>9.0f} ms")
        first = ".st-key-inbox_lines label:has(input[type=radio])"
        turned = [pressed(page, "n", first) for _ in range(RUNS)]
        print(f"{'in Chromium: the next page':<52}{median(turned):>9.0f} ms{max(turned):>9.0f} ms")
        moved = [pressed(page, "j", ".st-key-review") for _ in range(RUNS)]
        print(f"{'in Chromium: the next review':<52}{median(moved):>9.0f} ms{max(moved):>9.0f} ms")
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="the data folder; an empty one gets a demo store")
    parser.add_argument("--reviews", type=int, default=1_000_000)
    parser.add_argument("--address", help="an app that runs on this folder, to be opened in Chromium")
    args = parser.parse_args()
    settings = _settings(args.data)
    engine = order_database(settings)
    print(f"{fill(engine, args.reviews):,} reviews")
    measure(engine)
    if args.address:
        in_chromium(args.address)


def _settings(folder: Path) -> Settings:
    settings = read_settings({"ENCORE_DATA_DIR": str(folder)})
    if not (folder / "order.db").exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_demo(settings, orders=5_000)
    return settings


if __name__ == "__main__":
    main()
