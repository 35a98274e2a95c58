"""What holds for all offers together: how often, when, and for whom never; as the owner set it."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from lib.db.tables.offers import contact_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRules:
    """At most ``most_messages`` of offers in ``most_days`` days, none from the hour ``quiet_from`` to ``quiet_to``.

    ``global_holdout_share``: customers who never get an offer, drawn with ``salt``. ``approval_limit_minor``: above
    it a second person approves an offer; null: never. ``version`` 0: nobody has set anything yet.
    """

    most_messages: int = 2
    most_days: int = 14
    quiet_from: int = 20
    quiet_to: int = 8
    global_holdout_share: float = 0.0
    salt: str = ""
    approval_limit_minor: int | None = None
    version: int = 0


def read_rules(connection: Connection) -> ContactRules:
    """The rules in force; the defaults while nobody has set any."""
    row = connection.execute(select(contact_rules)).mappings().first()
    if row is None:
        return ContactRules()
    return ContactRules(**{name: row[name] for name in ContactRules.__dataclass_fields__})
