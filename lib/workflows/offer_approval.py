"""When a second person must approve an offer: above a cost that an owner sets."""

import secrets
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from lib.db import audit
from lib.db.tables.offers import contact_rules
from lib.errors import InvalidInput
from lib.staff import May, Staff
from lib.workflows.offer_terms import Terms, most_it_may_cost


def approval_limit(conn: Connection) -> int | None:
    """Above what cost, in minor units, a second person must approve; null: never."""
    limit: int | None = conn.scalar(select(contact_rules.c.approval_limit_minor))
    return limit


def needs_second_person(terms: Terms, limit: int | None) -> bool:
    """Whether it may cost more than the owner's limit; without a budget it may, unless it gives nothing."""
    cost = most_it_may_cost(terms.plan)
    return limit is not None and (cost is None or cost > limit)


def set_approval_limit(conn: Connection, by: Staff, limit_minor: int | None, *, at: datetime) -> None:
    """Say above what cost a second person must approve; null: never."""
    by.must(May.APPROVE_OFFERS)
    if limit_minor is not None and not 0 <= limit_minor <= 10**12:
        raise InvalidInput("The limit is 0 or more; leave it empty for none.")
    before = conn.execute(select(contact_rules).with_for_update()).mappings().first()
    if before is None:
        salt = secrets.token_hex(16)
        conn.execute(
            insert(contact_rules).values(contact_rules_id=1, salt=salt, approval_limit_minor=limit_minor, updated_at=at)
        )
    else:
        conn.execute(
            update(contact_rules).values(
                approval_limit_minor=limit_minor, version=contact_rules.c.version + 1, updated_at=at
            )
        )
    audit.record(
        conn,
        by,
        "offer.limit_set",
        "contact_rules:1",
        at=at,
        before={"approval_limit_minor": before["approval_limit_minor"] if before else None},
        after={"approval_limit_minor": limit_minor},
    )
