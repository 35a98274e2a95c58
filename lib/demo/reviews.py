"""The demo store's reviews: stars that follow what happened, and words that follow the stars."""

import numpy as np
from sqlalchemy import Connection

from lib.db.bulk import batches, bulk_insert
from lib.db.tables.reviews import review_replies
from lib.db.tables.reviews import reviews as reviews_table
from lib.demo import behaviour as b
from lib.demo import sentences as say
from lib.demo.catalogue import CATEGORIES, catalogue
from lib.demo.columns import FIRST_NUMBER, NEVER, Column, days_later, objects, or_none
from lib.demo.regret import Aftermath
from lib.demo.sales import Sales

# Chance of a review of a delivered order, and of one star or two when it was regretted.
REVIEW_SHARE = 0.12
REVIEW_IF_REGRET = 0.48
REVIEW_IF_LATE = 0.16
MOODS = ("bad", "fair", "good")
# Shares of one to five stars: by how good the product is, when late, when regretted.
STARS_GOOD = (0.01, 0.02, 0.07, 0.26, 0.64)
STARS_POOR = (0.10, 0.14, 0.24, 0.30, 0.22)
STARS_LATE = (0.24, 0.20, 0.22, 0.20, 0.14)
STARS_REGRET = (0.80, 0.14, 0.04, 0.01, 0.01)
# Categories whose praise is of what is used up.
_USED_UP = ("Coffee & Tea", "Candles & Scents", "Bath & Body", "Cleaning & Care")
_TOPICS = ("late", "damaged", "wrong", "size", "quality", "fair", "delivery", "service", "gift", "good", "praise")


def expected_stars(quality: Column) -> Column:
    """Shares of one to five stars of an order neither late nor regretted, by the quality of its product."""
    weight = np.clip((quality - 0.55) / 0.35, 0, 1)[:, None]
    return np.asarray(weight * np.array(STARS_GOOD) + (1 - weight) * np.array(STARS_POOR))


def write_reviews(
    connection: Connection, rng: np.random.Generator, sales: Sales, after: Aftermath, people: dict[str, Column]
) -> Column:
    """Write reviews and replies; returns the stars per order, 0 where there is no review."""
    orders, calendar = sales.orders, sales.calendar
    n = len(after.is_regretted)
    arrived = np.where(orders["delivery"] == 3, orders["at"], orders["arrived_at"])[:n]
    late = orders["is_late"][:n]
    chance = np.where(after.is_regretted, REVIEW_IF_REGRET, np.where(late, REVIEW_IF_LATE, REVIEW_SHARE))
    chance = np.where(orders["channel"][:n] == 3, chance / 3, chance)
    written = arrived + (np.minimum(rng.gamma(2.2, 4.0, n) + 1.2, 60) * 86400e6).astype("m8[us]")
    can = sales.is_valid[:n] & (orders["who"][:n] >= 0) & ~np.isnat(arrived)
    rows = np.flatnonzero(can & (rng.random(n) < chance) & (written < calendar.now))
    rows = rows[np.argsort(written[rows], kind="stable")]
    m = len(rows)
    at = written[rows]
    product = orders["products"][rows, 0]
    shares = expected_stars(catalogue().quality)[product]
    shares = np.where(late[rows][:, None], np.array(STARS_LATE), shares)
    shares = np.where(after.is_regretted[rows][:, None], np.array(STARS_REGRET), shares)
    stars = b.pick_by_row(rng, shares, np.arange(m)) + 1
    topic = _topics(rng, stars, late[rows], orders["is_damaged"][rows])
    who = orders["who"][rows]
    german = people["language"][who] == "de"
    german &= rng.random(m) < 0.88
    body, title = _words(rng, stars, topic, product, german)
    silent = rng.random(m) < np.where(stars >= 4, 0.12, 0.05)
    untitled = rng.random(m) < 0.35
    answered, reply = _replies(rng, stars, topic, at, german, people["first"][who], calendar.now)
    answered[silent & (stars >= 4)] = NEVER
    keys = np.arange(1, m + 1)
    recent = (calendar.now - at) < np.timedelta64(36, "h")
    last = objects([name.split(" ")[-1][0] for name in people["name"][who]])
    for part in batches(m):
        size = len(keys[part])
        bulk_insert(
            connection,
            reviews_table,
            {
                "review_id": keys[part],
                "source": ["demo"] * size,
                "external_id": objects([f"REV-{FIRST_NUMBER + i}" for i in keys[part]]),
                "fingerprint": ["demo"] * size,
                "product_id": product[part] + 1,
                "customer_id": who[part] + 1,
                "order_id": rows[part] + 1,
                "rating": stars[part],
                "title": or_none(~untitled[part], title[part]),
                "body": or_none(~silent[part], body[part]),
                "language": np.where(german[part], "de", "en"),
                "reviewer_name": people["first"][who[part]] + " " + last[part] + ".",
                "written_at": at[part],
                "state": np.where(recent[part] & (keys[part] % 4 == 0), "pending", "published"),
                "is_verified": np.full(size, True),
                "answered_at": answered[part],
            },
        )
        has = np.flatnonzero(~np.isnat(answered[part]))
        bulk_insert(
            connection,
            review_replies,
            {"review_id": keys[part][has], "body": reply[part][has], "replied_at": answered[part][has]},
        )
    given = np.zeros(len(sales), dtype=np.int64)
    given[rows] = stars
    return given


def _topics(rng: np.random.Generator, stars: Column, late: Column, damaged: Column) -> Column:
    m = len(stars)
    bad = np.array([_TOPICS.index(t) for t in ("quality", "size", "wrong", "damaged")])
    bad = bad[b.pick(rng, (0.55, 0.18, 0.10, 0.17), m)]
    good = np.array([_TOPICS.index(t) for t in ("praise", "good", "delivery", "service", "gift")])
    good = good[b.pick(rng, (0.50, 0.20, 0.14, 0.06, 0.10), m)]
    topic = np.where(stars <= 2, bad, np.where(stars == 3, _TOPICS.index("fair"), good))
    topic = np.where((stars <= 2) & damaged, _TOPICS.index("damaged"), topic)
    return np.where((stars <= 3) & late & (rng.random(m) < 0.8), _TOPICS.index("late"), topic)


def _words(
    rng: np.random.Generator, stars: Column, topic: Column, product: Column, german: Column
) -> tuple[Column, Column]:
    """Bodies and titles."""
    m = len(stars)
    goods = catalogue()
    short = [name.split(",")[0] for name in goods.name]
    mood = np.where(stars <= 2, 0, np.where(stars == 3, 1, 2))
    drawn = rng.random((m, 6))
    bodies, titles = [], []
    for i in range(m):
        language = "de" if german[i] else "en"
        how = MOODS[mood[i]]
        name = _TOPICS[topic[i]]
        group = _group(product[i])
        quality = say.QUALITY[language][group]
        praise = say.PRAISE[language][_category(product[i])] if _is_typical(product[i]) else _good(language)
        if name == "praise":
            about = praise
        elif name == "quality" or (name == "size" and group == "consumable"):
            about = quality
        else:
            about = say.TOPICS[language][name]
        parts = [
            _one(say.OPENINGS[language][how], drawn[i, 0]).format(p=short[product[i]]) if drawn[i, 4] < 0.85 else "",
            _one(about, drawn[i, 1]),
        ]
        if drawn[i, 5] < 0.4:
            # A second thought: of the goods when happy, of the service when not.
            more = praise if how == "good" else quality
            extra = _one(more, drawn[i, 2])
            parts.append(extra if extra not in parts and how != "fair" else "")
        parts.append(_one(say.CLOSES[language][how], drawn[i, 3]))
        bodies.append(" ".join(part for part in parts if part))
        titles.append(_one(say.TITLES[language][how], drawn[i, 4]))
    return objects(bodies), objects(titles)


def _category(product: int) -> str:
    return CATEGORIES[catalogue().category[product]].name


def _group(product: int) -> str:
    """Which complaints fit a product."""
    goods = catalogue()
    if goods.used_up[product]:
        return "consumable"
    return {"Textiles": "textile", "Lighting": "lamp"}.get(_category(product), "other")


def _is_typical(product: int) -> bool:
    """Whether what is praised about its category fits a product: nobody praises the taste of a coffee tin."""
    goods = catalogue()
    name = _category(product)
    return bool(goods.used_up[product]) == (name in _USED_UP) or name in ("Textiles", "Lighting")


def _good(language: str) -> list[str]:
    return say.TOPICS[language]["good"]


def _one(choices: list[str], drawn: float) -> str:
    return choices[int(drawn * len(choices))]


def _replies(
    rng: np.random.Generator, stars: Column, topic: Column, at: Column, german: Column, first: Column, now: object
) -> tuple[Column, Column]:
    """When the store answered (NaT: not yet, or never), and what."""
    m = len(stars)
    share = np.where(stars <= 2, 0.86, np.where(stars == 3, 0.45, 0.24))
    wait = days_later(0.05, 0.4, rng, m) + (rng.exponential(np.where(stars <= 2, 0.55, 1.3), m) * 86400e6).astype(
        "m8[us]"
    )
    answered = np.where((rng.random(m) < share) & (at + wait < now), at + wait, NEVER)
    drawn = rng.random(m)
    texts = []
    for i in range(m):
        language = "de" if german[i] else "en"
        if stars[i] >= 3:
            bank = say.THANKS[language]
        else:
            name = _TOPICS[topic[i]]
            bank = say.SORRY[language].get(name, say.SORRY[language]["other"])
        texts.append(_one(bank, drawn[i]).format(n=first[i]))
    return answered, objects(texts)
