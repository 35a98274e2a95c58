"""The demo store's loyalty points: issued with orders, redeemed, expired after a quiet year."""

import numpy as np
from sqlalchemy import Connection

from lib.db.bulk import batches, bulk_insert
from lib.db.tables.loyalty import loyalty_entries, loyalty_members
from lib.demo.columns import FIRST_NUMBER, Column, objects
from lib.demo.sales import PAID, PARTLY_REFUNDED, Sales

MEMBER_SHARE = 0.34
POINTS_PER_EURO = 1
CENTS_PER_POINT = 3
REDEEM_FROM = 100
REDEEM_SHARE = 0.22
EXPIRES_AFTER_DAYS = 365


def write_loyalty(connection: Connection, rng: np.random.Generator, sales: Sales) -> None:
    """Write members and their points; nobody's balance is ever negative."""
    orders, calendar = sales.orders, sales.calendar
    is_member = np.zeros(len(sales.people), dtype=bool)
    is_member[: sales.lived] = (rng.random(sales.lived) < MEMBER_SHARE) & ~sales.people.is_guest[: sales.lived]
    earns = sales.is_valid & (orders["who"] >= 0) & np.isin(orders["payment_status"], (PAID, PARTLY_REFUNDED))
    earns &= is_member[np.maximum(orders["who"], 0)]
    rows = np.flatnonzero(earns)
    rows = rows[np.lexsort((orders["at"][rows], orders["who"][rows]))]
    who = orders["who"][rows]
    starts = np.flatnonzero(np.r_[True, who[1:] != who[:-1]])
    if not len(rows):
        return
    points = np.maximum(1, (orders["gross"] - orders["discount"])[rows] // 100 * POINTS_PER_EURO)
    running = np.cumsum(points)
    before = np.repeat(running[starts] - points[starts], np.diff(np.r_[starts, len(rows)]))
    balance = running - before
    # Once per member at most: half of what they hold, at an order that is not their first.
    may = (balance - points >= REDEEM_FROM) & (rng.random(len(rows)) < REDEEM_SHARE)
    seen = np.cumsum(may)
    base = np.repeat(seen[starts] - may[starts], np.diff(np.r_[starts, len(rows)]))
    redeems = may & (seen - base == 1)
    spent = np.where(redeems, (balance - points) // 100 * 100, 0)
    ends = np.r_[starts[1:] - 1, len(rows) - 1]
    used = np.add.reduceat(spent, starts)
    left = balance[ends] - used
    last = orders["at"][rows[ends]]
    ran_out = last + np.timedelta64(EXPIRES_AFTER_DAYS, "D")
    expired = np.flatnonzero((ran_out < calendar.now) & (left > 0))
    members = who[starts]
    number = np.zeros(len(sales.people), dtype=np.int64)
    number[members] = np.arange(1, len(members) + 1)
    total = balance[ends]
    m = len(members)
    for part in batches(m):
        size = len(members[part])
        bulk_insert(
            connection,
            loyalty_members,
            {
                "loyalty_member_id": number[members[part]],
                "source": ["demo"] * size,
                "external_id": objects([f"L-{FIRST_NUMBER + i}" for i in members[part] + 1]),
                "fingerprint": ["demo"] * size,
                "customer_id": members[part] + 1,
                "joined_at": orders["at"][rows[starts[part]]] - np.timedelta64(1, "m"),
                "tier": np.where(total[part] >= 600, "captain", np.where(total[part] >= 200, "mate", "deckhand")),
            },
        )
    redeemed = np.flatnonzero(redeems)
    order = np.concatenate([rows, rows[redeemed], np.full(len(expired), -1)])
    entries: dict[str, Column] = {
        "member": number[np.concatenate([who, who[redeemed], members[expired]])],
        "kind": objects(["issued"] * len(rows) + ["redeemed"] * len(redeemed) + ["expired"] * len(expired)),
        "points": np.concatenate([points, spent[redeemed], left[expired]]),
        "at": np.concatenate([orders["at"][rows], orders["at"][rows[redeemed]], ran_out[expired]]),
    }
    for part in batches(len(order)):
        size = len(order[part])
        keys = np.arange(part.start + 1, part.stop + 1)
        bulk_insert(
            connection,
            loyalty_entries,
            {
                "loyalty_entry_id": keys,
                "source": ["demo"] * size,
                "external_id": objects([f"LE-{FIRST_NUMBER + i}" for i in keys]),
                "fingerprint": ["demo"] * size,
                "loyalty_member_id": entries["member"][part],
                "order_id": np.ma.masked_equal(order[part] + 1, 0),
                "kind": entries["kind"][part],
                "points": entries["points"][part],
                "currency": ["EUR"] * size,
                "value_minor": entries["points"][part] * CENTS_PER_POINT,
                "occurred_at": entries["at"][part],
            },
        )
