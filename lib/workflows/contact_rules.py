"""What holds for all offers together: changed by whom, from what to what."""

import secrets
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from lib.db import audit
from lib.db.tables.offers import contact_rules
from lib.errors import Conflict, InvalidInput
from lib.outbox import rules as kept
from lib.outbox.rules import ContactRules
from lib.staff import May, Staff

MOST_MESSAGES, MOST_DAYS = 100, 365
LARGEST_HOLDOUT = 0.5
# What only an owner sets: the others are a manager's daily work.
_OF_OWNERS = ("global_holdout_share", "approval_limit_minor")
_CONFLICT = "Somebody changed the contact rules meanwhile. Look at them again."


def rules_in_force(conn: Connection) -> ContactRules:
    """The rules as they are, for the screen."""
    return kept.read_rules(conn)


def set_contact_rules(conn: Connection, by: Staff, rules: ContactRules, *, version: int, at: datetime) -> None:
    """Set the rules; what is queued already is not called back.

    Args:
        rules: ``salt`` and ``version`` in it are not looked at: the salt is drawn once and stays, so that the same
            customers stay in the global holdout.
        version: of the rules as seen; 0 while the defaults hold.

    Raises:
        NotAllowed: an owner alone sets the global holdout and the approval limit.
        InvalidInput: a number that makes no sense.
        Conflict: somebody changed them since ``version``.
    """
    by.must(May.PLAN_OFFERS)
    _check(rules)
    row = conn.execute(select(contact_rules).with_for_update()).mappings().first()
    before = kept.read_rules(conn)
    if before.version != version:
        raise Conflict(_CONFLICT)
    wanted = {name: value for name, value in asdict(rules).items() if name not in {"salt", "version"}}
    if any(wanted[name] != getattr(before, name) for name in _OF_OWNERS):
        by.must(May.APPROVE_OFFERS)
    if row is None:
        values: dict[str, Any] = {**wanted, "contact_rules_id": 1, "salt": secrets.token_hex(16), "updated_at": at}
        try:
            with conn.begin_nested():
                conn.execute(insert(contact_rules).values(**values))
        except IntegrityError as error:
            raise Conflict(_CONFLICT) from error
    else:
        conn.execute(update(contact_rules).values(**wanted, version=contact_rules.c.version + 1, updated_at=at))
    was = {name: getattr(before, name) for name in wanted}
    audit.record(conn, by, "contact_rules.set", "contact_rules:1", at=at, before=was, after=wanted)


def _check(rules: ContactRules) -> None:
    if not 0 <= rules.most_messages <= MOST_MESSAGES or not 1 <= rules.most_days <= MOST_DAYS:
        raise InvalidInput(f"Allow 0 to {MOST_MESSAGES} messages in 1 to {MOST_DAYS} days.")
    if not (0 <= rules.quiet_from <= 23 and 0 <= rules.quiet_to <= 23):
        raise InvalidInput("Quiet hours begin and end at a full hour from 0 to 23.")
    if not 0 <= rules.global_holdout_share <= LARGEST_HOLDOUT:
        raise InvalidInput(f"Hold back 0 to {LARGEST_HOLDOUT:.0%} of all customers.")
    if rules.approval_limit_minor is not None and rules.approval_limit_minor < 0:
        raise InvalidInput("The limit for a second approval is an amount of 0 or more.")
