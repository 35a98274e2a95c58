"""Where people live and what they agreed to: the newest of each kind is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lib.db.tables.customers import addresses, consents
from lib.db.tables.orders import orders
from lib.importers.batch import UNCHANGED, Batch
from lib.importers.mention import ADDRESS, Mention
from lib.importers.writer import instant


def write_addresses(batch: Batch, live: Sequence[Mention]) -> None:
    """Keep the newest address of each kind: of the latest order, or as a record of the person says."""
    named = [mention for mention in live if mention.person.addresses and mention.outcome != UNCHANGED]
    if not named:
        return
    known: dict[tuple[int, str], tuple[int, tuple[Any, ...]]] = {}
    wanted = {mention.customer_id or 0 for mention in named}
    columns = (addresses.c[name] for name in ("customer_id", "kind", "address_id", *ADDRESS))
    stored = select(*columns).where(batch.writer.among(addresses.c.customer_id, wanted))
    for customer_id, kind, address_id, *written in batch.connection.execute(stored).all():
        known[customer_id, kind] = (address_id, tuple(written))
    new: dict[tuple[int, str], tuple[Any, ...]] = {}
    changed: dict[int, tuple[Any, ...]] = {}
    newest: dict[tuple[int, str], datetime] = {}
    for mention in named:
        for kind, values in mention.person.addresses:
            place = (mention.customer_id or 0, kind)
            if mention.at is not None:
                if place in newest and mention.at <= newest[place]:
                    continue
                newest[place] = mention.at
            if place not in known:
                new[place] = values
            elif known[place][1] != values and (mention.is_full or _is_latest(batch, place[0], mention.at)):
                changed[known[place][0]] = values
    batch.writer.insert(
        addresses,
        ("customer_id", "kind", "updated_at", *ADDRESS),
        [(*place, batch.stamp, *values) for place, values in new.items()],
    )
    batch.writer.update(
        addresses, ("updated_at", *ADDRESS), [(batch.stamp, *values, key) for key, values in changed.items()]
    )


def _is_latest(batch: Batch, customer_id: int, at: datetime | None) -> bool:
    """Whether no later order of the customer is stored, so that this one's address is the newest."""
    later = select(orders.c.order_id).where(orders.c.customer_id == customer_id, orders.c.placed_at > at).limit(1)
    return at is not None and batch.connection.scalar(later) is None


def write_consents(batch: Batch, live: Sequence[Mention]) -> None:
    """Keep what a person said last; what was said at an unknown time never overrides what has a time."""
    named = [mention for mention in live if mention.person.consents and mention.outcome != UNCHANGED]
    if not named:
        return
    known: dict[tuple[int, str], dict[str, Any]] = {}
    wanted = {mention.customer_id or 0 for mention in named}
    columns = ("customer_id", "channel", "consent_id", "state", "stated_at")
    stored = select(*(consents.c[name] for name in columns)).where(batch.writer.among(consents.c.customer_id, wanted))
    for found in batch.connection.execute(stored).all():
        row = dict(zip(columns, found, strict=True))
        known[row["customer_id"], row["channel"]] = row
    new: dict[tuple[int, str], dict[str, Any]] = {}
    changed: dict[tuple[int, str], dict[str, Any]] = {}
    for mention in named:
        for channel, state, stated_at in mention.person.consents:
            place = (mention.customer_id or 0, channel)
            said = {"state": state, "stated_at": stated_at}
            before = new.get(place) or known.get(place)
            if before is None:
                new[place] = said
            elif (before["state"], before["stated_at"]) != (state, stated_at) and _supersedes(
                stated_at, before["stated_at"], is_full=mention.is_full
            ):
                if place in new:
                    new[place] = said
                else:
                    known[place].update(said)
                    changed[place] = known[place]
    batch.writer.insert(
        consents,
        ("customer_id", "channel", "state", "stated_at", "source", "updated_at"),
        [(*place, said["state"], instant(said["stated_at"]), batch.source, batch.stamp) for place, said in new.items()],
    )
    batch.writer.update(
        consents,
        ("state", "stated_at", "source", "updated_at"),
        [
            (said["state"], instant(said["stated_at"]), batch.source, batch.stamp, said["consent_id"])
            for said in changed.values()
        ],
    )


def _supersedes(at: datetime | None, before: datetime | None, *, is_full: bool) -> bool:
    if at is None:
        return is_full and before is None
    return before is None or at > before
