"""The demo store's support: who writes, when, about what, and how soon somebody answers."""

import numpy as np
from sqlalchemy import Connection

from lib.db.bulk import batches, bulk_insert
from lib.db.tables.tickets import TICKET_CHANNELS, ticket_messages
from lib.db.tables.tickets import tickets as tickets_table
from lib.demo import behaviour as b
from lib.demo import letters
from lib.demo.calendar import Calendar
from lib.demo.catalogue import catalogue
from lib.demo.columns import FIRST_NUMBER, NEVER, Column, days_later, objects, or_none
from lib.demo.regret import Aftermath
from lib.demo.sales import Sales
from lib.demo.sentences import Bank

# Chance of a ticket per delivered order, and where something went wrong.
TICKET_SHARE = 0.034
TICKET_IF_LATE = 0.28
TICKET_IF_REGRET = 0.62
TICKET_IF_DAMAGED = 0.7
NO_ORDER_SHARE = 0.10  # on top: questions before any order
OPENS, CLOSES = 9 / 24, 18 / 24
# Per channel (chat, email, phone, social, form): share, and median minutes to a human answer when open.
CHANNEL_SHARE = (0.30, 0.40, 0.06, 0.08, 0.16)
RESPONSE_MINUTES = (2.6, 38.0, 0.7, 75.0, 44.0)
RESPONSE_SPREAD = 0.95
AUTOMATIC_SHARE = (0.15, 0.85, 0.0, 0.0, 0.9)
WHERE, DAMAGED, WRONG, RETURN, QUALITY, HOW_TO, INVOICE, CODE, CHANGE, STOCK, PRAISE = range(len(letters.TOPICS))


def answered_at(rng: np.random.Generator, calendar: Calendar, at: Column, channel: Column) -> Column:
    """When a human answers: in business hours after a while, else after the next opening."""
    n = len(at)
    day = np.searchsorted(calendar.starts, at, side="right") - 1
    fraction = (at - calendar.starts[day]).astype(np.int64) / 86400e6
    minutes = np.array(RESPONSE_MINUTES)[channel] * np.exp(RESPONSE_SPREAD * rng.standard_normal(n))
    # Mondays pile up.
    minutes *= np.where(calendar.weekday[day] == 0, 1.5, 1.0)
    closed = (calendar.weekday[day] >= 5) | (fraction >= CLOSES) | (fraction < OPENS)
    early = (calendar.weekday[day] < 5) & (fraction < OPENS)
    ahead = np.where(calendar.weekday[day] == 4, 3, np.where(calendar.weekday[day] == 5, 2, 1))
    opening = calendar.at(day + np.where(early, 0, ahead), np.full(n, OPENS))
    queue = np.where(closed, 8 + rng.exponential(45, n), 0)
    found: Column = np.where(closed, opening, at) + ((minutes + queue) * 60e6).astype("m8[us]")
    return found


def write_tickets(
    connection: Connection, rng: np.random.Generator, sales: Sales, after: Aftermath, people: dict[str, Column]
) -> None:
    """Write tickets and their messages."""
    orders, calendar = sales.orders, sales.calendar
    n = len(after.is_regretted)
    part = slice(0, n)
    late, regretted = orders["is_late"][part], after.is_regretted
    arrived = np.where(orders["delivery"] == 3, orders["at"], orders["arrived_at"])[part]
    chance = np.full(n, TICKET_SHARE)
    chance = np.where(late, TICKET_IF_LATE, chance)
    chance = np.where(after.is_returned, np.maximum(chance, 0.35), chance)
    chance = np.where(regretted, TICKET_IF_REGRET, chance)
    chance = np.where(orders["is_damaged"][part] | orders["is_lost"][part], TICKET_IF_DAMAGED, chance)
    who = orders["who"][part]
    rows = np.flatnonzero(sales.is_valid[part] & (who >= 0) & (rng.random(n) < chance))
    m = len(rows)
    topic = _topics(rng, rows, sales, after)
    promised = calendar.at(np.maximum(orders["promised"][rows], orders["day"][rows] + 5), np.full(m, 0.35))
    when = np.where(np.isnat(arrived[rows]), promised, arrived[rows]) + (rng.gamma(1.6, 4, m) * 86400e6).astype(
        "m8[us]"
    )
    when = np.where(topic == WHERE, promised + days_later(0.1, 2.5, rng, m), when)
    soon = np.isin(topic, (INVOICE, CODE, CHANGE))
    when = np.where(soon, orders["at"][rows] + (rng.exponential(0.5, m) * 86400e6).astype("m8[us]"), when)
    when = _at_waking_hours(rng, calendar, when)
    more = max(2, round(m * NO_ORDER_SHARE))
    stranger = rng.integers(0, sales.lived, more)
    since = rng.integers(10, calendar.days, more)
    when = np.concatenate([when, calendar.at(since, rng.beta(4, 3.2, more))])
    order = np.concatenate([rows, np.full(more, -1)])
    topic = np.concatenate([topic, np.where(rng.random(more) < 0.6, HOW_TO, STOCK)])
    buyer = np.concatenate([who[rows], stranger])
    product = np.concatenate([orders["products"][rows, 0], rng.integers(0, len(catalogue()), more)])
    keep = np.flatnonzero((when < calendar.now) & (when > calendar.starts[0]))
    keep = keep[np.argsort(when[keep], kind="stable")]
    _write(connection, rng, sales, people, when[keep], order[keep], topic[keep], buyer[keep], product[keep])


def _topics(rng: np.random.Generator, rows: Column, sales: Sales, after: Aftermath) -> Column:
    m = len(rows)
    topic = b.pick(rng, (0.10, 0.02, 0.05, 0.10, 0.07, 0.30, 0.12, 0.08, 0.09, 0.0, 0.07), m)
    topic = np.where(after.is_returned[rows] & (rng.random(m) < 0.7), RETURN, topic)
    topic = np.where(after.is_regretted[rows] & (rng.random(m) < 0.6), QUALITY, topic)
    topic = np.where(sales.orders["is_late"][rows] & (rng.random(m) < 0.88), WHERE, topic)
    topic = np.where(sales.orders["is_damaged"][rows], DAMAGED, topic)
    return np.where(sales.orders["is_lost"][rows], WHERE, topic)


def _at_waking_hours(rng: np.random.Generator, calendar: Calendar, when: Column) -> Column:
    """The same day, at an hour at which people write."""
    day = np.clip(np.searchsorted(calendar.starts, when, side="right") - 1, 0, len(calendar.starts) - 2)
    return np.where(
        np.isnat(when), when, np.maximum(when, calendar.at(day, 0.3 + 0.66 * rng.beta(2.2, 2.0, len(when))))
    )


def _write(
    connection: Connection,
    rng: np.random.Generator,
    sales: Sales,
    people: dict[str, Column],
    at: Column,
    order: Column,
    topic: Column,
    who: Column,
    product: Column,
) -> None:
    now = sales.calendar.now
    m = len(at)
    channel = b.pick(rng, CHANNEL_SHARE, m)
    by_us = rng.random(m) < 0.02
    first = answered_at(rng, sales.calendar, at, channel)
    # Some never get a human answer and are closed without one.
    silent = (rng.random(m) < 0.015) & ~by_us
    first = np.where(silent | (first >= now), NEVER, first)
    first = np.where(by_us, NEVER, first)
    turns = b.pick(rng, (0.62, 0.30, 0.08), m)
    asked_again = first + days_later(0.05, 1.6, rng, m)
    asked_again = np.where((turns > 0) & (asked_again < now), asked_again, NEVER)
    told_again = answered_at(rng, sales.calendar, np.where(np.isnat(asked_again), at, asked_again), channel)
    told_again = np.where(~np.isnat(asked_again) & (told_again < now), told_again, NEVER)
    last = np.where(np.isnat(told_again), first, told_again)
    quick = np.isin(channel, (0, 2))
    closing = last + np.where(quick, days_later(0.002, 0.05, rng, m), days_later(0.3, 3.2, rng, m))
    closing = np.where(np.isnat(last), at + days_later(4, 9, rng, m), closing)
    waits_for_us = (np.isnat(first) & ~silent & ~by_us) | (~np.isnat(asked_again) & np.isnat(told_again))
    is_closed = (closing < now) & ~waits_for_us
    closed_at = np.where(is_closed, closing, NEVER)
    status = np.where(is_closed, "closed", np.where(waits_for_us, "open", "waiting_for_customer"))
    status = np.where(~is_closed & np.isnat(first), "open", status)
    reopened = is_closed & (turns == 2)
    bad = np.isin(topic, (WHERE, DAMAGED, QUALITY))
    rated = is_closed & (rng.random(m) < 0.30) & ~np.isnat(first)
    hours = np.where(np.isnat(first), 0, (first - at).astype("m8[m]").astype(np.int64)) / 60
    shares = np.where((bad | (hours > 20))[:, None], (0.14, 0.12, 0.18, 0.28, 0.28), (0.03, 0.04, 0.09, 0.30, 0.54))
    score = b.pick_by_row(rng, shares, np.arange(m)) + 1
    german = (people["language"][who] == "de") & (rng.random(m) < 0.9)
    staff = rng.integers(0, len(letters.STAFF), m)
    writer = _Writer(rng, people, german, topic, product, who, order, staff)
    keys = np.arange(1, m + 1)
    priority = np.where(topic == DAMAGED, "high", np.where(bad & (rng.random(m) < 0.3), "high", "normal"))
    priority = np.where((topic == WHERE) & (rng.random(m) < 0.06), "urgent", priority)
    priority = np.where(topic == PRAISE, "low", priority)
    has_order = order >= 0
    assigned = ~np.isnat(first)
    for part in batches(m, 50_000):
        size = len(keys[part])
        bulk_insert(
            connection,
            tickets_table,
            {
                "ticket_id": keys[part],
                "source": ["demo"] * size,
                "external_id": objects([f"T-{FIRST_NUMBER + i}" for i in keys[part]]),
                "fingerprint": ["demo"] * size,
                "customer_id": who[part] + 1,
                "order_id": np.ma.masked_equal(order[part] + 1, 0),
                "product_id": product[part] + 1,
                "channel": objects(TICKET_CHANNELS)[channel[part]],
                "status": status[part].astype(object),
                "priority": priority[part].astype(object),
                "subject": writer.subjects(part),
                "topic": objects(letters.TOPICS)[topic[part]],
                "opened_at": at[part],
                "first_response_at": first[part],
                "closed_at": closed_at[part],
                "reopened_count": reopened[part].astype(np.int64),
                "satisfaction": np.ma.masked_array(score[part], mask=~rated[part]),
                "is_started_by_us": by_us[part],
                "assignee": or_none(assigned[part], objects(letters.STAFF)[staff[part]]),
                "tags": or_none(~has_order[part], "before the order"),
            },
        )
        automatic = np.where(rng.random(size) < np.array(AUTOMATIC_SHARE)[channel[part]], at[part], NEVER)
        automatic = np.where(by_us[part], NEVER, automatic + np.timedelta64(40, "s"))
        automatic = np.where(automatic < np.where(np.isnat(first[part]), now, first[part]), automatic, NEVER)
        closing_words = np.where(is_closed[part] & (turns[part] > 0) & ~silent[part], closed_at[part], NEVER)
        sent = np.stack([at[part], automatic, first[part], asked_again[part], told_again[part], closing_words])
        author = np.array(["customer", "automatic", "staff", "customer", "staff", "staff"], dtype=object)
        kind, row = np.nonzero(~np.isnat(sent))
        place = np.lexsort((sent[kind, row], row))
        kind, row = kind[place], row[place]
        by = author[kind]
        by[(kind == 0) & by_us[part][row]] = "staff"
        bulk_insert(
            connection,
            ticket_messages,
            {
                "ticket_id": keys[part][row],
                "author": by,
                "sent_at": sent[kind, row],
                "body": writer.bodies(part, kind, row, by_us[part]),
            },
        )


class _Writer:
    """Chooses the words."""

    def __init__(
        self,
        rng: np.random.Generator,
        people: dict[str, Column],
        german: Column,
        topic: Column,
        product: Column,
        who: Column,
        order: Column,
        staff: Column,
    ) -> None:
        self.drawn = rng.random((len(topic), 8))
        self.short = [name.split(",")[0] for name in catalogue().name]
        self.first = people["first"]
        self.german, self.topic, self.product, self.who, self.order, self.staff = (
            german,
            topic,
            product,
            who,
            order,
            staff,
        )

    def subjects(self, part: slice) -> Column:
        return objects([self._say(letters.SUBJECTS, i, 0) for i in range(part.start, part.stop)])

    def bodies(self, part: slice, kind: Column, row: Column, by_us: Column) -> Column:
        return objects([self._body(part.start + r, k, by_us[r]) for k, r in zip(kind, row, strict=True)])

    def _body(self, i: int, kind: int, by_us: bool) -> str:
        language = "de" if self.german[i] else "en"
        if kind == 1:
            return letters.AUTOMATIC[language]
        if kind == 0 and not by_us:
            hello, bye = letters.HELLO[language], letters.BYE[language]
            parts = [
                hello[int(self.drawn[i, 1] * len(hello))],
                self._say(letters.ASKS, i, 2),
                self._fill(bye[int(self.drawn[i, 3] * len(bye))], i),
            ]
            return "\n".join(parts)
        if kind in (0, 2, 4):
            return self._say(letters.ANSWERS, i, 4 if kind != 4 else 7)
        bank = letters.FOLLOW_UPS if kind == 3 else letters.CLOSINGS
        words = bank[language]
        return self._fill(words[int(self.drawn[i, 5 if kind == 3 else 6] * len(words))], i)

    def _say(self, bank: Bank, i: int, which: int) -> str:
        words = bank["de" if self.german[i] else "en"][letters.TOPICS[self.topic[i]]]
        return self._fill(words[int(self.drawn[i, which] * len(words))], i)

    def _fill(self, words: str, i: int) -> str:
        number = f"#{10001 + self.order[i]}" if self.order[i] >= 0 else ""
        return words.format(
            p=self.short[self.product[i]], o=number, n=self.first[self.who[i]], s=letters.STAFF[self.staff[i]]
        )
