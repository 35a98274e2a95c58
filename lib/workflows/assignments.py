"""Who gets an offer and who is held out: sorted out, drawn, and written down before anything leaves.

Everybody is asked the same before the lot is drawn: who may not be contacted now is in neither arm and is asked again
on another day. What is drawn is written down in the same transaction as the messages of the treated, so whatever ends
it leaves both or none, and whoever has been drawn keeps her arm.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from lib.db.among import among
from lib.db.tables.customers import customers
from lib.db.tables.offers import offer_assignments
from lib.offer import Channel
from lib.outbox.consent import Held
from lib.outbox.contact_rules import Reorder, held_back
from lib.outbox.queue import is_address
from lib.outbox.rules import ContactRules
from lib.stats.lot import held_out
from lib.workflows.offer_codes import code_of
from lib.workflows.offer_going import Going

TREATMENT, HOLDOUT = "treatment", "holdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What became of a batch of customers, each in exactly one place.

    ``treated`` and ``kept_out``: the arms. ``held``: who must not be contacted now, with the first reason's code.
    ``before``: who was drawn for this offer earlier, and keeps that arm.
    """

    treated: Sequence[int] = ()
    kept_out: Sequence[int] = ()
    held: Mapping[int, str] = field(default_factory=dict)
    before: Collection[int] = frozenset()

    @property
    def drawn(self) -> int:
        return len(self.treated) + len(self.kept_out)


def draw(
    conn: Connection,
    going: Going,
    customer_ids: Collection[int],
    rules: ContactRules,
    *,
    at: datetime,
    reorder: Reorder | None = None,
    ahead: Collection[int] = frozenset(),
) -> Drawn:
    """Sort a batch of customers out and draw the lot for those who may be contacted. Writes nothing.

    Args:
        ahead: who gets another offer first, where that is not written down: in a dry run of several offers.
        reorder: when customers order again by themselves: no coupon then.
    """
    wanted = sorted(set(customer_ids))
    one = offer_assignments.c
    drawn = select(1).where(one.offer_id == going.offer_id, one.customer_id == customers.c.customer_id)
    # Asked from the customers' side: PostgreSQL would hold each assignment so far against each of the batch.
    before = set(
        conn.scalars(
            select(customers.c.customer_id).where(among(conn, customers.c.customer_id, wanted), drawn.exists())
        )
    )
    new = [customer_id for customer_id in wanted if customer_id not in before]
    held: dict[int, str] = {}
    if not going.is_service:
        out = held_out(rules.salt, new, rules.global_holdout_share) if rules.global_holdout_share else ()
        held |= {customer_id: Held.HOLDOUT for customer_id, is_out in zip(new, out, strict=False) if is_out}
    asked = [customer_id for customer_id in new if customer_id not in held]
    held |= held_back(
        conn,
        asked,
        kind=going.plan.kind,
        at=at,
        channel=going.plan.channel,
        pays=going.plan.reward.pays,
        offer_id=going.offer_id,
        reorder=reorder,
    )
    if going.plan.channel is Channel.EMAIL:
        held |= {one: Held.NO_ADDRESS for one in _without_address(conn, asked) if one not in held}
    if not going.is_service:
        held |= {one: Held.ANOTHER_FIRST for one in asked if one in ahead and one not in held}
    free = [customer_id for customer_id in asked if customer_id not in held]
    out = held_out(going.salt, free, going.holdout_share)
    return Drawn(
        treated=[one for one, is_out in zip(free, out, strict=True) if not is_out],
        kept_out=[one for one, is_out in zip(free, out, strict=True) if is_out],
        held={one: str(reason) for one, reason in held.items()},
        before=before,
    )


def drawn_before(conn: Connection, offer_id: int) -> set[int]:
    """Everybody who was drawn for an offer so far, in either arm."""
    return set(conn.scalars(select(offer_assignments.c.customer_id).where(offer_assignments.c.offer_id == offer_id)))


def write_down(
    conn: Connection, going: Going, drawn: Drawn, *, at: datetime, held: Mapping[int, str] | None = None
) -> dict[int, str]:
    """Write both arms down, in the current transaction; returns the codes of the treated that have one of their own.

    The table itself takes each customer once per offer, and nothing for the holdout: no code, no sending.

    Args:
        held: why a treated customer will never be sent anything after all, where that is known already.
    """
    codes = {one: code for one in drawn.treated if (code := code_of(going.plan.code, going.salt, one)) is not None}

    def row(customer_id: int, arm: str) -> dict[str, Any]:
        return {
            "offer_id": going.offer_id,
            "customer_id": customer_id,
            "offer_version_id": going.version_id,
            "arm": arm,
            "assigned_at": at,
            "code": codes.get(customer_id) if arm == TREATMENT else None,
            "held_back": (held or {}).get(customer_id) if arm == TREATMENT else None,
            "updated_at": at,
        }

    rows = [row(one, TREATMENT) for one in drawn.treated] + [row(one, HOLDOUT) for one in drawn.kept_out]
    if rows:
        # Asked for keys, PostgreSQL takes a thousand rows in one statement.
        statement = insert(offer_assignments)
        many = conn.dialect.name == "postgresql"
        conn.execute(statement.returning(offer_assignments.c.offer_assignment_id) if many else statement, rows)
    return codes


def _without_address(conn: Connection, customer_ids: Collection[int]) -> set[int]:
    """Whose address no mail can be written to, whatever is in it."""
    rows = conn.execute(
        select(customers.c.customer_id, customers.c.email).where(among(conn, customers.c.customer_id, customer_ids))
    )
    return {row.customer_id for row in rows if not row.email or not is_address(row.email)}
