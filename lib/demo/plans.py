"""What staff of the demo store have set down: goals, notes in time, offers with their holdouts."""

from datetime import date, timedelta

import numpy as np
from sqlalchemy import Connection

from lib.db.bulk import bulk_insert
from lib.db.tables.offers import offer_assignments, offer_versions, offers, outbox_messages
from lib.db.tables.store import annotations, goals
from lib.demo.columns import NEVER, Column, objects, or_none
from lib.demo.offer_plans import plan_of
from lib.demo.offers import Offer, inside_window
from lib.demo.planned_offers import write_planned_offers
from lib.demo.sales import Sales
from lib.periods import start_of_day

# How much more than a year ago the shop wants.
AMBITION = 1.08


def write_plans(connection: Connection, rng: np.random.Generator, sales: Sales, people: dict[str, Column]) -> None:
    """Write goals for this month and quarter, annotations, past offers."""
    _write_goals(connection, sales)
    known = [u for u in sales.calendar.unusual if u.annotation]
    day_of = sales.calendar.date_of
    notes = [(day_of(u.first), day_of(u.last + 1), u.annotation, True) for u in known]
    moved = sales.calendar.days - 260
    notes.append((day_of(moved), day_of(moved + 1), "New product pages live", False))
    notes.sort(key=lambda note: note[0])
    bulk_insert(
        connection,
        annotations,
        {
            "annotation_id": list(range(1, len(notes) + 1)),
            "starts_day": np.array([note[0] for note in notes], dtype="M8[D]"),
            "ends_day": np.array([note[1] for note in notes], dtype="M8[D]"),
            "text": [note[2] for note in notes],
            "is_unusual": [note[3] for note in notes],
        },
    )
    _write_offers(connection, rng, sales, people)


def _write_goals(connection: Connection, sales: Sales) -> None:
    calendar, orders = sales.calendar, sales.orders
    net = np.bincount(orders["day"], weights=(orders["gross"] - orders["discount"]) * sales.is_valid)
    count = np.bincount(orders["day"], weights=sales.is_valid)
    today = calendar.end
    month = today.replace(day=1)
    quarter = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    rows: list[tuple[str, date, date, int]] = []
    for start, months in ((month, 1), (quarter, 3)):
        index = start.year * 12 + start.month - 1 + months
        end = date(index // 12, index % 12 + 1, 1)
        days = [(start - calendar.first).days - 364 + i for i in range((end - start).days)]
        days = [day for day in days if 0 <= day < calendar.days]
        for metric, series, step in (("net_sales", net, 100_000), ("orders", count, 10)):
            target = float(series[days].sum()) * AMBITION
            rows.append((metric, start, end, max(step, round(target / step) * step)))
    bulk_insert(
        connection,
        goals,
        {
            "metric": [row[0] for row in rows],
            "starts_day": np.array([row[1] for row in rows], dtype="M8[D]"),
            "ends_day": np.array([row[2] for row in rows], dtype="M8[D]"),
            "target": [row[3] for row in rows],
        },
    )


def _write_offers(connection: Connection, rng: np.random.Generator, sales: Sales, people: dict[str, Column]) -> None:
    calendar, found = sales.calendar, sales.offers
    n = len(found)
    starts = calendar.at(np.array([o.day for o in found], dtype=np.int64), np.full(n, 0.375))
    # It runs on until the last of the windows is over.
    ends = [calendar.first + timedelta(days=o.day + o.spread) for o in found]
    running = np.array([o.day + o.spread + o.window >= calendar.days for o in found], dtype=bool)
    keys = np.arange(1, n + 1)
    bulk_insert(
        connection,
        offers,
        {
            "offer_id": keys,
            "source": ["demo"] * n,
            "external_id": [o.key for o in found],
            "fingerprint": ["demo"] * n,
            "name": [o.name for o in found],
            "kind": [o.kind for o in found],
            "status": np.where(running, "running", "finished").astype(object),
            "starts_at": starts,
            "ends_at": np.array(
                [start_of_day(day, calendar.zone).replace(tzinfo=None) for day in ends], dtype="M8[us]"
            ),
            "window_days": [o.window for o in found],
            "holdout_share": [o.holdout for o in found],
            "salt": [f"demo-{o.key}" for o in found],
            "approved_number": [1] * n,
            "approved_at": starts - np.timedelta64(1, "D"),
            "planned_looks": [-(-o.spread // 7) for o in found],
        },
    )
    bulk_insert(
        connection,
        offer_versions,
        {
            "offer_version_id": keys,
            "offer_id": keys,
            "number": [1] * n,
            "settings": [plan_of(o).to_json() for o in found],
            "created_at": starts - np.timedelta64(2, "D"),
        },
    )
    bought = _first_orders_in_window(sales)
    for key, offer in enumerate(found, start=1):
        _write_assignments(connection, rng, sales, offer, key, bought)
    write_planned_offers(connection, calendar, after=n)
    _write_messages(connection, sales, people)


def _first_orders_in_window(sales: Sales) -> dict[int, tuple[Column, Column]]:
    """Per offer: for each assigned customer the first order in the window (position, -1: none) and its code."""
    orders = sales.orders
    valid = np.flatnonzero(sales.is_valid & (orders["who"] >= 0))
    found: dict[int, tuple[Column, Column]] = {}
    for number, offer in enumerate(sales.offers, start=1):
        inside = valid[inside_window(offer, orders["who"][valid], orders["day"][valid], len(sales.people))]
        first = np.full(len(sales.people), -1)
        # The earliest last, so that it stays.
        first[orders["who"][inside[::-1]]] = inside[::-1]
        order = first[offer.who]
        found[number] = (order, np.where(order >= 0, orders["code"][order], -1))
    return found


def _write_assignments(
    connection: Connection,
    rng: np.random.Generator,
    sales: Sales,
    offer: Offer,
    key: int,
    bought: dict[int, tuple[Column, Column]],
) -> None:
    calendar = sales.calendar
    m = len(offer.who)
    assigned = calendar.at(offer.assigned_day, np.full(m, 0.001))
    order, code = bought[key]
    placed = np.where(order >= 0, sales.orders["at"][order], NEVER)
    sent = calendar.at(offer.assigned_day, np.full(m, 0.002)) + (rng.uniform(1, 9, m) * 60e6).astype("m8[us]")
    opened = sent + (rng.exponential(9, m) * 3600e6).astype("m8[us]")
    opened = np.where(offer.is_treated & (rng.random(m) < 0.41) & (opened < calendar.now), opened, NEVER)
    # Redeemed: bought with its code; a gift comes along with every order.
    redeems = offer.is_treated & (order >= 0) & ((code == offer.code) if offer.code >= 0 else offer.kind == "gift")
    redeems &= placed > sent
    bulk_insert(
        connection,
        offer_assignments,
        {
            "offer_id": np.full(m, key),
            "offer_version_id": np.full(m, key),
            "customer_id": offer.who + 1,
            "arm": objects(("holdout", "treatment"))[offer.is_treated.astype(np.int64)],
            "assigned_at": assigned,
            "sent_at": np.where(offer.is_treated, sent, NEVER),
            "opened_at": opened,
            "redeemed_at": np.where(redeems, placed, NEVER),
            "redeemed_order_id": np.ma.masked_array(order + 1, mask=~redeems),
        },
    )


def _write_messages(connection: Connection, sales: Sales, people: dict[str, Column]) -> None:
    """The messages of the latest offer, all sent long ago or failed; nothing waits to be sent."""
    if not sales.offers:
        return
    offer = sales.offers[-1]
    who = offer.who[offer.is_treated]
    m = len(who)
    sent = np.full(m, sales.calendar.starts[offer.day] + np.timedelta64(9, "m"))
    failed = np.arange(m) % 60 == 59
    bulk_insert(
        connection,
        outbox_messages,
        {
            "idempotency_key": objects([f"demo-{offer.key}-{i + 1}" for i in who]),
            "channel": ["email"] * m,
            "customer_id": who + 1,
            "offer_id": np.full(m, len(sales.offers)),
            "status": np.where(failed, "failed", "sent").astype(object),
            "recipient": people["email"][who],
            "subject": [offer.name] * m,
            "body": [f"{offer.name}. With best wishes from Harbour & Home."] * m,
            "failure": or_none(failed, "550 mailbox unavailable"),
            "attempts": np.where(failed, 3, 1),
            "queued_at": sent - np.timedelta64(5, "m"),
            "sent_at": np.where(failed, NEVER, sent),
        },
    )
