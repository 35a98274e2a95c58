"""Who must be left out of everything that could reach her beside an offer, so that its result stays honest."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from lib.db.among import among
from lib.db.tables.offers import offer_assignments, offers
from lib.outbox.rules import read_rules
from lib.stats.lot import held_out


def in_a_holdout(conn: Connection, customer_ids: Collection[int]) -> set[int]:
    """Those who are in the global holdout, or in the holdout of an offer that is running or paused."""
    ids = sorted(customer_ids)
    drawn = select(offer_assignments.c.customer_id).join(offers, offers.c.offer_id == offer_assignments.c.offer_id)
    found = set(
        conn.scalars(
            drawn.where(
                among(conn, offer_assignments.c.customer_id, ids),
                offer_assignments.c.arm == "holdout",
                offers.c.status.in_(("running", "paused")),
            )
        )
    )
    rules = read_rules(conn)
    if rules.global_holdout_share and rules.salt:
        out = held_out(rules.salt, ids, rules.global_holdout_share)
        found |= {customer_id for customer_id, is_out in zip(ids, out, strict=True) if is_out}
    return found
